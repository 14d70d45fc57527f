//! A machine: the deterministic runtime with a [`Disk`] of its own in the place of its storage, and panics that end
//! one program rather than the whole simulation, as they end one process.

use super::disk::{Disk, Failure};
use commonware_runtime::telemetry::metrics::{Metric, Registered};
use commonware_runtime::{
    Blob, BlobVersion, Clock, Error, Handle, IoBufs, IoBufsMut, Metrics, Name, ReadOptions, Spawner, Storage,
    Supervisor, WriteOptions, deterministic, signal,
};
use futures::FutureExt as _;
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Length of the header of a file: magic, version, their sum.
const HEADER: usize = 32;
const MAGIC: [u8; 8] = *b"ZGPOWER1";

/// What the tasks of one run of a program share.
struct Shared {
    disk: Disk,
    run: u64,
    clock: deterministic::Context,
    died: Mutex<Option<String>>,
}

/// See the module.
pub struct Machine {
    inner: deterministic::Context,
    shared: Arc<Shared>,
}

/// Why a program ended by itself, if it did.
#[derive(Clone)]
pub struct Death(Arc<Shared>);

impl Death {
    pub fn why(&self) -> Option<String> {
        self.0.died.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Machine {
    /// Starts a program on a disk.
    pub fn start(inner: deterministic::Context, disk: Disk) -> (Self, Death) {
        let run = disk.start(inner.current());
        let clock = inner.child("disk");
        let shared = Arc::new(Shared { disk, run, clock, died: Mutex::new(None) });
        (Self { inner, shared: Arc::clone(&shared) }, Death(shared))
    }

    fn with(&self, inner: deterministic::Context) -> Self {
        Self { inner, shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    fn die(&self, why: String) {
        self.died.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.disk.kill();
    }

    /// Waits for a sync, and whether the power outlasts it.
    async fn synced(&self, begin: impl FnOnce(SystemTime) -> Result<(), Failure>) -> Result<(), Error> {
        let end = self.clock.current() + Duration::from_millis(self.disk.latency());
        answer(begin(end)).await?;
        self.clock.sleep_until(end).await;
        answer(self.disk.settle(self.run, self.clock.current())).await
    }
}

/// A machine without power answers nothing.
async fn answer<T>(result: Result<T, Failure>) -> Result<T, Error> {
    match result {
        Ok(value) => Ok(value),
        Err(Failure::Dark) => std::future::pending().await,
        Err(Failure::Full) => Err(io::Error::from(io::ErrorKind::StorageFull).into()),
        Err(Failure::Broken) => Err(io::Error::other("input/output error").into()),
        Err(Failure::Missing) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
    }
}

fn missing(partition: &str, name: &[u8]) -> Error {
    Error::BlobMissing(partition.into(), hex::encode(name))
}

fn header(version: BlobVersion) -> Vec<u8> {
    let mut header = vec![0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..10].copy_from_slice(&version.get().to_be_bytes());
    let sum =
        header[..10].iter().fold(1_u64, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte));
    header[24..].copy_from_slice(&sum.to_be_bytes());
    header
}

impl Storage for Machine {
    type Blob = File;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(File, u64, BlobVersion), Error> {
        let shared = &self.shared;
        let (disk, run) = (&shared.disk, shared.run);
        let folder = answer(disk.folder(run, partition)).await?;
        let id = answer(disk.file(run, folder, partition, name)).await?;
        let file = File { shared: Arc::clone(shared), id };
        let bytes = answer(disk.read(run, id)).await?;
        if bytes.len() >= HEADER {
            let version = BlobVersion::new(u16::from_be_bytes([bytes[8], bytes[9]]));
            if bytes[..HEADER] == header(version) {
                if !versions.contains(&version) {
                    return Err(Error::BlobVersionMismatch { expected: versions, found: version });
                }
                // What is read once it is open again is durable.
                file.sync().await?;
                return Ok((file, (bytes.len() - HEADER) as u64, version));
            }
        }
        if bytes.len() > HEADER {
            return Err(Error::BlobCorrupt(partition.into(), hex::encode(name), "not a header".into()));
        }
        // New, or torn while it was made: the names are durable before a header says that there is a file.
        shared.synced(|end| disk.sync_folder(run, folder, end)).await?;
        shared.synced(|end| disk.sync_root(run, end)).await?;
        answer(disk.resize(run, id, 0)).await?;
        let version = *versions.end();
        answer(disk.write(run, id, 0, &header(version))).await?;
        file.sync().await?;
        Ok((file, 0, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        let shared = &self.shared;
        let (disk, run) = (&shared.disk, shared.run);
        if let Some(name) = name {
            let removed = disk.remove(run, partition, name);
            if removed == Err(Failure::Missing) {
                return Err(missing(partition, name));
            }
            let folder = answer(removed).await?;
            return shared.synced(|end| disk.sync_folder(run, folder, end)).await;
        }
        let names = disk.names(run, partition);
        if names == Err(Failure::Missing) {
            return Err(Error::PartitionMissing(partition.into()));
        }
        for name in answer(names).await? {
            answer(disk.remove(run, partition, &name)).await?;
        }
        answer(disk.remove_folder(run, partition)).await?;
        shared.synced(|end| disk.sync_root(run, end)).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        match self.shared.disk.names(self.shared.run, partition) {
            Err(Failure::Missing) => Err(Error::PartitionMissing(partition.into())),
            names => answer(names).await,
        }
    }
}

/// An open file.
pub struct File {
    shared: Arc<Shared>,
    id: u64,
}

fn place(offset: u64) -> Result<usize, Error> {
    let offset = usize::try_from(offset).map_err(|_| Error::OffsetOverflow)?;
    offset.checked_add(HEADER).ok_or(Error::OffsetOverflow)
}

impl Blob for File {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        _: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        let mut bufs = bufs.into();
        let Shared { disk, run, .. } = &*self.shared;
        let found = answer(disk.read_range(*run, self.id, place(offset)?, len)).await?;
        let found = found.ok_or(Error::BlobInsufficientLength)?;
        if bufs.len() == len {
            bufs.copy_from_slice(&found);
            return Ok(bufs);
        }
        Ok(IoBufsMut::from(found))
    }

    async fn read_at(&self, offset: u64, len: usize, options: ReadOptions) -> Result<IoBufsMut, Error> {
        self.read_at_buf(offset, len, vec![0; len], options).await
    }

    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let bytes = bufs.into().coalesce();
        let Shared { disk, run, .. } = &*self.shared;
        answer(disk.write(*run, self.id, place(offset)?, bytes.as_ref())).await?;
        if options.contains(WriteOptions::SYNC) { self.sync().await } else { Ok(()) }
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        let Shared { disk, run, .. } = &*self.shared;
        answer(disk.resize(*run, self.id, place(len)?)).await
    }

    async fn sync(&self) -> Result<(), Error> {
        let Shared { disk, run, .. } = &*self.shared;
        self.shared.synced(|end| disk.sync_file(*run, self.id, end)).await
    }

    async fn start_sync(&self) -> Handle<()> {
        // It has begun, and ends whether or not somebody waits for it.
        let shared = Arc::clone(&self.shared);
        let end = shared.clock.current() + Duration::from_millis(shared.disk.latency());
        let begun = shared.disk.sync_file(shared.run, self.id, end);
        Handle::from_future(async move {
            answer(begun).await?;
            shared.clock.sleep_until(end).await;
            answer(shared.disk.settle(shared.run, shared.clock.current())).await
        })
    }
}

impl Supervisor for Machine {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), shared: self.shared }
    }
}

impl Spawner for Machine {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), shared: self.shared }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), shared: self.shared }
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let shared = self.shared;
        self.inner.spawn(move |inner| async move {
            let task = AssertUnwindSafe(async { f(Self { inner, shared: Arc::clone(&shared) }).await });
            match task.catch_unwind().await {
                Ok(value) => value,
                Err(panic) => {
                    let why = panic.downcast_ref::<String>().cloned();
                    let why = why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
                    // The whole program is gone with this task: whoever runs the machine sees why and ends it.
                    shared.die(why.unwrap_or_else(|| "a panic".into()));
                    std::future::pending().await
                }
            }
        })
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> signal::Signal {
        self.inner.stopped()
    }
}

impl Metrics for Machine {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl Clock for Machine {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep(duration)
    }

    fn sleep_until(&self, deadline: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep_until(deadline)
    }
}

impl GovernorClock for Machine {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.inner.current()
    }
}

impl ReasonablyRealtime for Machine {}

impl TryRng for Machine {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Machine {}
