//! The file a log is written to: which files may be replaced, and writes that leave no half batch.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::log::Error;
use crate::log::read::is_log;

/// Owner only: arguments and paths are private.
const MODE: u32 = 0o600;

/// Whether a log could be written to this path now, for commands that have long work to do before they
/// write. Leaves everything as it was.
pub fn check_output(path: &Path) -> Result<(), Error> {
    let is_new = path.symlink_metadata().is_err();
    Sink::open(path)?;
    if is_new {
        std::fs::remove_file(path).map_err(|source| Error::Create { path: path.to_owned(), source })?;
    }
    Ok(())
}

/// A log file open for writing, positioned after its last whole batch.
#[derive(Debug)]
pub(in crate::log) struct Sink {
    file: File,
    path: PathBuf,
    /// Bytes that are whole.
    len: u64,
    is_regular: bool,
}

impl Sink {
    /// Makes the file. What is there already is replaced only if it is empty or a log of ours.
    pub(in crate::log) fn create(path: &Path) -> Result<Self, Error> {
        let sink = Self::open(path)?;
        if !sink.is_regular {
            return Ok(sink);
        }
        let failed = |source| Error::Create { path: path.to_owned(), source };
        sink.file.set_permissions(Permissions::from_mode(MODE)).map_err(failed)?;
        sink.file.set_len(0).map_err(failed)?;
        Self::at_start(sink.file, path)
    }

    /// Opens the file, or makes it; nothing that is there is changed.
    fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Create { path: path.to_owned(), source };
        let occupied = |what| Error::Occupied { path: path.to_owned(), what };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            // Opening a FIFO or a terminal by mistake neither blocks nor takes it over.
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.file_type().is_char_device() && metadata.rdev() == null_device() {
            return Ok(Self { file, path: path.to_owned(), len: 0, is_regular: false });
        }
        if !metadata.is_file() {
            return Err(occupied("not a regular file"));
        }
        if matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            return Err(Error::Busy { path: path.to_owned() });
        }
        if metadata.len() > 0 && !is_log(&file) {
            return Err(occupied("not a trace log"));
        }
        Ok(Self { file, path: path.to_owned(), len: 0, is_regular: true })
    }

    /// A log in a file that is open, empty and ours.
    pub(in crate::log) fn at_start(mut file: File, path: &Path) -> Result<Self, Error> {
        file.seek(SeekFrom::Start(0)).map_err(|source| Error::Create { path: path.to_owned(), source })?;
        Ok(Self { file, path: path.to_owned(), len: 0, is_regular: true })
    }

    pub(in crate::log) fn path(&self) -> &Path {
        &self.path
    }

    /// Length of what is whole.
    pub(in crate::log) fn len(&self) -> u64 {
        self.len
    }

    /// Writes something whole; if that fails, the file is cut back to what was whole before.
    pub(in crate::log) fn write_whole(&mut self, bytes: &[u8]) -> io::Result<()> {
        let result = self.file.write_all(bytes);
        if result.is_ok() {
            self.len += bytes.len() as u64;
        } else if self.is_regular {
            // Should this fail too, readers stop at the half batch by themselves.
            let _ = self.file.set_len(self.len).and_then(|()| self.file.seek(SeekFrom::Start(self.len)));
        }
        result
    }

    /// Closes the file; some file systems report a full disk only then.
    pub(in crate::log) fn close(self) -> io::Result<()> {
        nix::unistd::close(self.file.into_raw_fd()).map_err(io::Error::from)
    }
}

/// Device number of `/dev/null` (`Documentation/admin-guide/devices.txt`: 1 char, 3).
fn null_device() -> u64 {
    libc::makedev(1, 3)
}
