//! The shell command before each run, which puts back what a run changes.

use crate::capture::launch::{self, Command, LaunchError, SpawnOptions, Stream};
use crate::capture::stdio::{KEPT, words};
use crate::capture::sys::signals::Watch;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::process::ExitStatus;

/// Why the state before a run could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The shell was not started.
    #[error("cannot run the command of {option}: {error}")]
    Launch {
        /// The option that it is from.
        option: &'static str,
        /// Why not.
        error: LaunchError,
    },
    /// It failed.
    #[error("the command of {option} failed ({status}): {command}{words}")]
    Failed {
        /// The option that it is from.
        option: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The command.
        command: String,
        /// The end of what it wrote to its standard error, on a line of its own; or nothing.
        words: String,
    },
    /// The page cache was not emptied.
    #[error("cannot empty the page cache: {0}")]
    Cache(io::Error),
    /// Something went wrong on our side.
    #[error("cannot run the command of {option}: {error}")]
    Own {
        /// The option that it is from.
        option: &'static str,
        /// Why not.
        error: io::Error,
    },
}

/// Runs `sh -c COMMAND` with empty input; what it writes is only seen if it fails. Gives the nanoseconds it
/// took.
pub fn prepare(command: Option<&str>, watch: &Watch) -> Result<u64, PrepareError> {
    run("--prepare", command, watch)
}

/// The same after a run.
pub fn conclude(command: Option<&str>, watch: &Watch) -> Result<u64, PrepareError> {
    run("--conclude", command, watch)
}

/// The same for the command of any option.
pub fn run(option: &'static str, command: Option<&str>, watch: &Watch) -> Result<u64, PrepareError> {
    let Some(text) = command else { return Ok(0) };
    let own = |error: io::Error| PrepareError::Own { option, error };
    let refused = |error: LaunchError| PrepareError::Launch { option, error };
    let shell = Command::resolve(["sh", "-c", text]).map_err(refused)?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(own)?;
    let words =
        memfd_create(c"prepare", MFdFlags::MFD_CLOEXEC).map(File::from).map_err(|error| own(error.into()))?;
    let streams = [&null, &null, &words].map(|file| Stream::Fd(file.as_raw_fd()));
    let child = launch::spawn(&shell, streams, &SpawnOptions::default()).map_err(refused)?;
    let done = super::run::wait_for(&child, watch).map_err(own)?;
    let status = done.status;
    if status.success() {
        return Ok(done.figures.wall_ns);
    }
    Err(PrepareError::Failed { option, status, command: text.to_owned(), words: last_words(&words) })
}

fn last_words(file: &File) -> String {
    let length = file.metadata().map_or(0, |meta| meta.len());
    let mut bytes = vec![0; length.min(KEPT as u64) as usize];
    let got = file.read_at(&mut bytes, length.saturating_sub(KEPT as u64)).unwrap_or(0);
    words(&bytes[..got]).map_or_else(String::new, |words| format!("\n{words}"))
}
