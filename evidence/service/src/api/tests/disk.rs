//! This machine's disk, which can be told to be full or broken.

use crate::store::{Disk, DiskFile, Identity, RealDisk};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How the disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// Well.
    None,
    /// Nothing more can be written.
    Full,
    /// Nothing can be read or written.
    Broken,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Faulty(Arc<AtomicU8>);

impl Faulty {
    pub(in super::super) fn turn(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::SeqCst);
    }

    fn write(&self) -> io::Result<()> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(io::ErrorKind::StorageFull.into()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn read(&self) -> io::Result<()> {
        match self.0.load(Ordering::SeqCst) {
            0 | 1 => Ok(()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

struct File(Box<dyn DiskFile>, Faulty);

impl DiskFile for File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.1.write()?;
        self.0.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.1.read()?;
        self.0.read_at(offset, bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.1.write()?;
        self.0.sync()
    }

    fn identity(&self) -> io::Result<Identity> {
        self.0.identity()
    }
}

impl Disk for Faulty {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        self.read()?;
        Ok(Box::new(File(RealDisk.open(path, create)?, self.clone())))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn create_dir(&self, folder: &Path) -> io::Result<()> {
        RealDisk.create_dir(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.write()?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        RealDisk.sync_dir(folder)
    }

    fn sync_all(&self, root: &Path) -> io::Result<()> {
        RealDisk.sync_all(root)
    }
}
