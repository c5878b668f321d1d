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
    Sink::open(path)?.leave().map_err(|source| Error::Create { path: path.to_owned(), source })
}

/// A log file open for writing, positioned after its last whole batch.
#[derive(Debug)]
pub(in crate::log) struct Sink {
    file: File,
    path: PathBuf,
    /// Bytes that are whole.
    len: u64,
    /// Bytes that the file took of the last write, if that failed.
    fitted: u64,
    is_regular: bool,
    /// Not there before.
    is_new: bool,
    /// An older log is still in it, until there is something to put in its place.
    holds_older: bool,
}

impl Sink {
    /// Makes the file. What is there already is replaced only if it is empty or a log of ours, and a log only
    /// by the first thing that is written.
    pub(in crate::log) fn create(path: &Path) -> Result<Self, Error> {
        let sink = Self::open(path)?;
        if sink.is_regular && !sink.holds_older {
            sink.make_private().map_err(|source| Error::Create { path: path.to_owned(), source })?;
        }
        Ok(sink)
    }

    fn make_private(&self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(MODE))
    }

    /// Whether the file is still the log that it was before.
    pub(in crate::log) fn holds_older(&self) -> bool {
        self.holds_older
    }

    /// Closes the file as if it had never been opened: an older log stays, a file that was not there goes.
    pub(in crate::log) fn leave(self) -> io::Result<()> {
        if !self.is_regular || self.holds_older {
            return Ok(());
        }
        self.file.set_len(0)?;
        if !self.is_new {
            return Ok(());
        }
        // The file itself where the path is a link to it, which was there before. Only then is its whole name
        // needed, which may be longer than the kernel takes.
        let is_link = std::fs::symlink_metadata(&self.path)?.is_symlink();
        if is_link {
            std::fs::remove_file(self.path.canonicalize()?)
        } else {
            std::fs::remove_file(&self.path)
        }
    }

    /// Opens the file, or makes it; nothing that is there is changed.
    fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Create { path: path.to_owned(), source };
        let occupied = |what| Error::Occupied { path: path.to_owned(), what };
        let mut options = OpenOptions::new();
        // Opening a FIFO or a terminal by mistake neither blocks nor takes it over.
        options.read(true).write(true).mode(MODE).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let (file, is_new) = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (options.create(true).open(path), true),
            opened => (opened, false),
        };
        let file = file.map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.file_type().is_char_device() && metadata.rdev() == null_device() {
            return Ok(Self { is_regular: false, ..Self::empty(file, path) });
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
        let holds_older = metadata.len() > 0;
        Ok(Self { is_new, holds_older, ..Self::empty(file, path) })
    }

    /// A log in a file that is open, empty and ours.
    pub(in crate::log) fn at_start(mut file: File, path: &Path) -> Result<Self, Error> {
        file.seek(SeekFrom::Start(0)).map_err(|source| Error::Create { path: path.to_owned(), source })?;
        Ok(Self::empty(file, path))
    }

    fn empty(file: File, path: &Path) -> Self {
        Self {
            file,
            path: path.to_owned(),
            len: 0,
            fitted: 0,
            is_regular: true,
            is_new: false,
            holds_older: false,
        }
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
        if self.holds_older {
            self.make_private()?;
            self.file.set_len(0)?;
            // Looking at the older log has moved it.
            self.file.seek(SeekFrom::Start(0))?;
            self.holds_older = false;
        }
        let result = self.file.write_all(bytes);
        self.fitted = 0;
        if result.is_ok() {
            self.len += bytes.len() as u64;
        } else if self.is_regular {
            self.fitted = self.file.stream_position().map_or(0, |end| end.saturating_sub(self.len));
            // Should this fail too, readers stop at the half batch by themselves.
            let _ = self.file.set_len(self.len).and_then(|()| self.file.seek(SeekFrom::Start(self.len)));
        }
        result
    }

    /// How much room there was for what could not be written last: less than it needed.
    pub(in crate::log) fn fitted(&self) -> u64 {
        self.fitted
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
