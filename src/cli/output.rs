//! Writing a report to standard output.

use std::io::{self, BufWriter, Write};

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

/// Runs what writes, and flushes; an error says where the writing failed.
pub fn to_stdout<T>(write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Failure> {
    check_stdout()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let done = write(&mut out).and_then(|value| out.flush().map(|()| value));
    Ok(done.context(WRITING)?)
}
