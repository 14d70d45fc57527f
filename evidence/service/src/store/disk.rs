//! The seam to the disk: what the store asks of files and folders, so that a test can cut the power.
//!
//! A write is durable after [`DiskFile::sync`], an entry of a folder (created, renamed, removed) after
//! [`Disk::sync_dir`]; before that either may be lost, and a write may be torn. [`Disk::sync_all`] does both for all.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What names a file beyond its path: no copy of it has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its inode.
    pub number: u64,
    /// When it was made, in nanoseconds since the Unix epoch; 0 where the filesystem does not keep it.
    pub born: u64,
}

/// An open file.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait DiskFile: Send + Sync {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// When not all was written; some of it may be.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// The length in bytes.
    ///
    /// # Errors
    /// From the disk.
    fn len(&self) -> io::Result<u64>;
    /// Cuts the file off, or fills it up with zeros.
    ///
    /// # Errors
    /// From the disk.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// Makes what was written durable.
    ///
    /// # Errors
    /// From the disk; what was written before is then in an unknown state.
    fn sync(&self) -> io::Result<()>;
    /// What names the file itself.
    ///
    /// # Errors
    /// From the disk.
    fn identity(&self) -> io::Result<Identity>;
}

/// A disk.
pub trait Disk: Send + Sync {
    /// Opens a file to read and write; `create` makes an empty one, or empties it.
    ///
    /// # Errors
    /// From the disk; `NotFound`.
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>>;
    /// The names in a folder, sorted; none when there is no such folder.
    ///
    /// # Errors
    /// From the disk.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// From the disk.
    fn create_dir(&self, folder: &Path) -> io::Result<()>;
    /// Gives a file another name in one step, in place of what had it.
    ///
    /// # Errors
    /// From the disk.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// From the disk; `NotFound`.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a folder durable.
    ///
    /// # Errors
    /// From the disk.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;
    /// Makes everything written to the filesystem of `root` durable, files and folders.
    ///
    /// # Errors
    /// From the disk.
    fn sync_all(&self, root: &Path) -> io::Result<()>;
}

/// Reads a whole file.
///
/// # Errors
/// From the disk; `NotFound`; `InvalidData` above `bound` bytes.
pub(crate) fn read(disk: &dyn Disk, path: &Path, bound: usize) -> io::Result<Vec<u8>> {
    let file = disk.open(path, false)?;
    let length = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    if length > bound {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is longer than any of its kind"));
    }
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Writes a file in place of what has its name: temporary file, sync, rename, sync of the folder. A crash leaves the
/// old file or the new, and perhaps the temporary one.
///
/// # Errors
/// From the disk.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let file = disk.open(&temporary, true)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// What files are called before they are whole.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl DiskFile for fs::File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn sync(&self) -> io::Result<()> {
        // Data and the length; not times, which nothing here reads.
        self.sync_data()
    }

    fn identity(&self) -> io::Result<Identity> {
        let meta = self.metadata()?;
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Some filesystems keep no birth: then the inode alone names the file.
        let born = meta.created().map_or(0, |born| u64::try_from(since(born).as_nanos()).unwrap_or(u64::MAX));
        Ok(Identity { number: meta.ino(), born })
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        let file =
            fs::OpenOptions::new().read(true).write(true).create(create).truncate(create).open(path)?;
        Ok(Box::new(file))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let listing = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut names = Vec::new();
        for entry in listing {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(folder)?.sync_all()
    }

    fn sync_all(&self, root: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(fs::File::open(root)?)?)
    }
}
