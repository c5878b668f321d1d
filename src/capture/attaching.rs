//! What keeps a process that runs already from being recorded, whatever the backend.

use std::io;

use super::decode::threads::process_of;
use super::sys::process::thread_is_gone;

/// Why a process cannot be attached to.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// It is a thread of another one.
    #[error("{0} is a thread of process {1}: -p {1} records all its threads")]
    Thread(i32, i32),
    /// There is none of that number.
    #[error("no process {0}")]
    NoProcess(i32),
    /// It is `trace`.
    #[error("process {0} is trace itself")]
    Ourselves(i32),
    /// A process has one tracer.
    #[error("process {pid} is traced already, by {tracer} ({name})")]
    Traced {
        /// The process.
        pid: i32,
        /// Its tracer.
        tracer: i32,
        /// The tracer's name.
        name: String,
    },
    /// The kernel says no.
    #[error("not permitted to trace process {pid} ({name}){hint}")]
    NotPermitted {
        /// The process.
        pid: i32,
        /// Its name.
        name: String,
        /// What to try.
        hint: &'static str,
    },
    /// Anything else.
    #[error("cannot trace process {pid}: {error}")]
    Other {
        /// The process.
        pid: i32,
        /// What the kernel says.
        error: io::Error,
    },
}

/// Whether there is such a process, and it is another one.
pub fn check_process(pid: i32) -> Result<(), AttachError> {
    if pid == std::process::id().cast_signed() {
        return Err(AttachError::Ourselves(pid));
    }
    if let Some(process) = process_of(pid).filter(|&process| process != pid) {
        return Err(AttachError::Thread(pid, process));
    }
    if thread_is_gone(pid, pid) {
        return Err(AttachError::NoProcess(pid));
    }
    Ok(())
}
