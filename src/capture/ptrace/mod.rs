//! The ptrace backend: works everywhere, records every call, and makes each several microseconds dearer.
//!
//! ```text
//!  held ──> recording, attach ──> session ──> detaching
//!  kernel ── wait4 ──> waiting ──> stop (value) ──> session ──┬─ calls ──┬─ entry  arguments, paths, files
//!                                                             │          └─ exit   results, tracked state
//!                                                             └─ lifecycle  fork, exec, exit, signals
//!  session ── event ──> sink                                   call_stacks  at the entry, where wanted
//!          └─ samples  CPU samples, where wanted
//! ```
//!
//! Threads are attached with `PTRACE_SEIZE`, so that group stops are seen as such and left alone, and
//! followed through every fork, clone and exec. While the tree is one thread, it runs on the tracer's CPU
//! (`pinning`). Durations contain one ptrace stop; [`calibrate`](calibration::calibrate) measures it.

mod attach;
mod beginning;
pub mod calibration;
mod call;
mod call_stacks;
mod calls;
mod content;
mod delays;
mod descriptors;
mod detaching;
mod entry;
pub mod entry_point;
mod exit;
mod files;
mod held;
mod ids;
mod image;
mod intervening;
mod lifecycle;
mod marks;
mod memory;
mod pinning;
mod recording;
mod samples;
mod session;
pub(super) mod signals_taken;
mod sock_diag;
mod stop;
mod thread;
mod waiting;

pub use attach::attach;
pub use held::Held;
pub use recording::{Options, Pin, record, record_beside, record_held};
pub use samples::{Sample, may_put_off_calls};
