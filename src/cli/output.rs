//! Writing a report to standard output.

use std::io::{self, BufWriter, Write};

use anyhow::Context;

use super::failure::Failure;

/// Runs what writes, and flushes; an error says where the writing failed.
pub fn to_stdout<T>(write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = write(&mut out).and_then(|value| out.flush().map(|()| value));
    Ok(done.context("cannot write to standard output")?)
}
