//! The command at the end of a command line: what must be right before anything else is done.

use std::ffi::OsString;

use super::failure::{Failure, refuse_option};
use crate::capture::host;
use crate::capture::launch::Command;

/// Finds the program, where the limits of this process allow to record it with so many descriptors.
pub fn resolve(words: &[OsString], files: u64) -> Result<Command, Failure> {
    refuse_option(words)?;
    host::check_limits(files).map_err(Failure::of_trace)?;
    Command::resolve(words.iter().cloned()).map_err(|error| Failure::with_code(error.exit_code(), error))
}
