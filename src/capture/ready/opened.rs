//! Whether a file has been opened, by inotify(7) on its directory: the file need not be there yet. Who opened
//! it is not told.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// Watches for opens of one file.
#[derive(Debug)]
pub struct Opened {
    inotify: Inotify,
    name: OsString,
}

impl Opened {
    /// From now on.
    pub fn new(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::other(format!("{} is a directory; name a file", path.display())));
        };
        let unwatched = |errno: Errno| {
            let (directory, error) = (directory.display(), io::Error::from(errno));
            let text = match errno {
                Errno::ENOENT => format!("there is no directory {directory}; make it before"),
                _ => format!("{directory}: {error}"),
            };
            io::Error::new(error.kind(), text)
        };
        inotify
            .add_watch(directory, AddWatchFlags::IN_OPEN | AddWatchFlags::IN_ONLYDIR)
            .map_err(unwatched)?;
        Ok(Self { inotify, name: name.to_owned() })
    }

    /// Whether it was.
    pub fn check(&self) -> bool {
        while let Ok(events) = self.inotify.read_events() {
            if events.iter().any(|event| event.name.as_ref() == Some(&self.name)) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_of_the_file_count_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let opened = Opened::new(&dir.path().join("wanted")).unwrap();
        std::fs::write(dir.path().join("other"), b"").unwrap();
        assert!(!opened.check());
        std::fs::write(dir.path().join("wanted"), b"").unwrap();
        assert!(opened.check());
        let error = Opened::new(&dir.path().join("gone/x")).unwrap_err().to_string();
        assert!(error.contains(&format!("no directory {}/gone;", dir.path().display())), "{error}");
        let error = Opened::new(&dir.path().join("other/x")).unwrap_err().to_string();
        assert!(error.contains("/other: Not a directory"), "{error}");
        assert_eq!(Opened::new(Path::new("/")).unwrap_err().to_string(), "/ is a directory; name a file");
    }
}
