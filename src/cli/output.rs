//! Writing a report to standard output.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, anyhow};

use super::failure::Failure;
use crate::capture::launch::was_closed_at_start;

/// What was being done when writing failed.
pub const WRITING: &str = "cannot write to standard output";

/// An error where there is no standard output. (Writing would not tell: Rust's runtime has opened `/dev/null` in its
/// place.)
pub fn check_stdout() -> anyhow::Result<()> {
    if was_closed_at_start(libc::STDOUT_FILENO) {
        return Err(anyhow!("standard output is closed: there is nowhere to write to"));
    }
    Ok(())
}

/// An error where a path leads to a standard stream that was closed (`/dev/stdout`, `/proc/self/fd/1`): `/dev/null` is in its
/// place, and what is written there is lost.
pub fn refuse_closed_stream(path: &Path) -> anyhow::Result<()> {
    match stream_behind(path).filter(|&fd| was_closed_at_start(fd)) {
        Some(fd) => {
            Err(anyhow!("{}: descriptor {fd} is closed: there is nowhere to write to", path.display()))
        }
        None => Ok(()),
    }
}

/// Which descriptor of ours a path leads to.
fn stream_behind(path: &Path) -> Option<i32> {
    /// As many links as the kernel follows.
    const MOST_LINKS: usize = 40;
    let own = Path::new("/proc/self/fd").canonicalize().ok()?;
    let mut path = std::path::absolute(path).ok()?;
    for _ in 0..MOST_LINKS {
        let directory = path.parent()?.canonicalize().ok()?;
        if directory == own {
            return path.file_name()?.to_str()?.parse().ok();
        }
        path = directory.join(path.read_link().ok()?);
    }
    None
}

/// Runs what writes, and flushes; an error says where the writing failed.
pub fn to_stdout<T>(write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Failure> {
    check_stdout()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let done = write(&mut out).and_then(|value| out.flush().map(|()| value));
    Ok(done.context(WRITING)?)
}
