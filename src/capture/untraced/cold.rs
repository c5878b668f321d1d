//! Emptying the page cache before a run, so that it starts as if nothing had run before it.
//!
//! `/proc/sys/vm/drop_caches` empties the caches of the whole system and needs root; without it, the kernel is
//! asked to forget the pages of each file that a run needs. Neither takes away pages that a running process has
//! mapped (the C library, mostly) or what a disk or a host keeps.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::log::Emptied;

/// Where the kernel takes the wish to drop its caches (`Documentation/admin-guide/sysctl/vm.rst`).
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

/// A way to empty the page cache.
#[derive(Debug, Clone)]
pub struct Cold {
    files: Vec<Vec<u8>>,
    method: Emptied,
}

impl Cold {
    /// All caches of the system. They are emptied once, since only that tells whether it is permitted.
    pub fn whole_system() -> io::Result<Self> {
        drop_caches()?;
        Ok(Self { files: Vec::new(), method: Emptied::DropCaches })
    }

    /// The pages of these files (absolute paths), because dropping all caches is not permitted.
    #[must_use]
    pub fn of_files(files: Vec<Vec<u8>>, refused: &io::Error) -> Self {
        let files: Vec<_> = files.into_iter().filter(|path| forget(path).is_ok()).collect();
        let method =
            Emptied::Fadvise { files: files.len() as u64, refused: format!("{DROP_CACHES}: {refused}") };
        Self { files, method }
    }

    /// How the cache is emptied.
    #[must_use]
    pub fn method(&self) -> &Emptied {
        &self.method
    }

    /// Empties the cache.
    pub fn empty(&self) -> io::Result<()> {
        match self.method {
            Emptied::DropCaches => drop_caches(),
            Emptied::Fadvise { .. } => {
                // Pages that are still to be written are not forgotten.
                nix::unistd::sync();
                for path in &self.files {
                    // A file that has gone since then has no pages.
                    let _ = forget(path);
                }
                Ok(())
            }
        }
    }
}

fn drop_caches() -> io::Result<()> {
    let mut file = File::options().write(true).open(DROP_CACHES)?;
    nix::unistd::sync();
    file.write_all(b"3\n")
}

/// Asks the kernel to forget a file's pages. Nothing but regular files is opened.
fn forget(path: &[u8]) -> io::Result<()> {
    let path = Path::new(OsStr::from_bytes(path));
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let file = File::open(path)?;
    Ok(posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_that_are_there_are_forgotten() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"content").unwrap();
        let path = file.path().as_os_str().as_bytes().to_vec();
        let files = vec![path.clone(), b"/dev/null".to_vec(), b"/no/such/file".to_vec(), b"/tmp".to_vec()];
        let cold = Cold::of_files(files, &io::Error::from_raw_os_error(libc::EROFS));
        assert_eq!(cold.files, [path]);
        let Emptied::Fadvise { files: 1, refused } = cold.method() else { panic!("{cold:?}") };
        assert!(refused.starts_with("/proc/sys/vm/drop_caches: Read-only file system"), "{refused}");
        cold.empty().unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), b"content");
    }
}
