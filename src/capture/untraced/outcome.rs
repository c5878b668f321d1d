//! What a command prints and how it ends, to compare two commands by.

use super::{RunError, run};
use crate::capture::launch::{self, Command, SpawnOptions, Stream};
use crate::capture::stdio::{Stdio, StdioError};
use crate::capture::sys::signals::Watch;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;
use std::process::ExitStatus;

/// What a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Length and hash of what it wrote to standard output.
    pub stdout: (u64, u64),
}

/// Runs a command once, its standard output kept in memory, its standard error unseen. `run` is as for
/// [`Stdio::for_run`], and not 0.
pub fn outcome(command: &Command, stdio: &mut Stdio, run: usize) -> Result<Output, RunError> {
    let watch = Watch::install();
    let streams = stdio.for_run(run)?;
    let made = |error: io::Error| StdioError::Own { what: "make a file in memory for output", error };
    let file = || memfd_create(c"output", MFdFlags::MFD_CLOEXEC).map(File::from);
    let mut output = file().map_err(|error| made(error.into()))?;
    let mut given = streams.streams;
    given[1] = Stream::Fd(output.as_raw_fd());
    let child = launch::spawn(command, given, &SpawnOptions::default())?;
    let mut streams = streams;
    streams.launched();
    let done = run::wait_for(&child, &watch).map_err(RunError::Wait)?;
    streams.finish();
    if let Some(signal) = watch.received() {
        return Err(RunError::Signal(signal));
    }
    let stdout = digest(&mut output).map_err(made)?;
    Ok(Output { status: done.status, stdout })
}

fn digest(file: &mut File) -> io::Result<(u64, u64)> {
    let mut hasher = rustc_hash::FxHasher::default();
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    file.rewind()?;
    loop {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            return Ok((length, hasher.finish()));
        }
        hasher.write(&buffer[..got]);
        length += got as u64;
    }
}
