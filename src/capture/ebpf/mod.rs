//! The eBPF backend: every call at a fraction of a microsecond, where the kernel permits it.
//!
//! ```text
//!  kernel  trace.bpf.c ── records ──> ring ──> drain ──> wire (records) ──> session ── event ──> sink
//!                                                                            └ names (identity -> path), stacks (where wanted)
//! ```
//!
//! The command runs untouched: no stop, no pinning, privileges as they are. Durations are the kernel's own
//! clock around the call.

mod backlog;
mod call;
mod drain;
mod error;
#[cfg(test)]
mod follow_tests;
mod holding;
mod load;
mod names;
mod object;
mod plans;
mod program;
mod running;
mod session;
mod stacks;
mod types;
mod wire;

pub use drain::{Options, Recorder};
pub use error::{LoadError, OLDEST, is_too_old};
pub use load::Target;
pub use running::RunningOptions;
