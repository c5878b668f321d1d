//! Rings that are set up otherwise.

use std::io;

use io_uring::{IoUring, squeue};

use super::tuning::Tuning;

/// How long the kernel's thread looks for operations after the last one, in milliseconds: the least there is, for its
/// time is taken from whatever runs next.
const POLLS_FOR_MS: u32 = 1;

/// An empty ring of so many entries.
pub(super) fn ring(depth: u32, tuning: Option<Tuning>) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    match tuning {
        Some(Tuning::Polled) => {
            builder.setup_sqpoll(POLLS_FOR_MS);
        }
        Some(Tuning::Deferred) => {
            builder.setup_single_issuer().setup_defer_taskrun();
        }
        Some(Tuning::Cooperative) => {
            builder.setup_coop_taskrun();
        }
        Some(Tuning::Async | Tuning::Workers(_)) | None => {}
    }
    let uring = builder.build(depth)?;
    if let Some(Tuning::Workers(workers)) = tuning {
        // Those for what can wait long, and for what cannot.
        uring.submitter().register_iowq_max_workers(&mut [workers, workers])?;
    }
    Ok(uring)
}

/// Flags of every operation.
pub(super) fn flags(tuning: Option<Tuning>) -> squeue::Flags {
    if tuning == Some(Tuning::Async) { squeue::Flags::ASYNC } else { squeue::Flags::empty() }
}
