//! The command at the end of a command line: what must be right before anything else is done.

use std::ffi::OsString;
use std::path::Path;

use super::failure::{Failure, refuse_option};
use crate::capture::host;
use crate::capture::launch::Command;
use crate::capture::untraced::prepare_run;

/// As [`resolve`], for a command that runs repeatedly: its streams are opened again through /proc for each run.
pub fn resolve_repeated(words: &[OsString]) -> Result<Command, Failure> {
    let command = resolve(words, host::MEASURING_FILES)?;
    if !Path::new("/proc/self/fd").exists() {
        return Err(Failure::of_trace(anyhow::anyhow!(
            "/proc is missing, through which each run gets its streams; mount one (mount -t proc proc /proc), or use \
             trace record"
        )));
    }
    Ok(command)
}

/// As [`resolve_repeated`], for a command whose program may be there only once `--prepare` has run: it runs then, and the
/// program is looked for again.
pub fn resolve_prepared(words: &[OsString], prepare: Option<&str>) -> Result<Command, Failure> {
    match (resolve_repeated(words), prepare) {
        (Err(_), Some(prepare)) => {
            prepare_run(Some(prepare)).map_err(Failure::of_trace)?;
            resolve_repeated(words)
        }
        (resolved, _) => resolved,
    }
}

/// Finds the program, where the limits of this process allow to record it with so many descriptors.
pub fn resolve(words: &[OsString], files: u64) -> Result<Command, Failure> {
    refuse_option(words)?;
    host::check_limits(files).map_err(Failure::of_trace)?;
    Command::resolve(words.iter().cloned()).map_err(|error| Failure::with_code(error.exit_code(), error))
}
