//! Re-executes recorded file-system calls and compares ways of making them: serially, on threads, through
//! `io_uring`.
//!
//! The crate knows nothing of logs. A caller describes what a program did with a [`PlanBuilder`]:
//!
//! ```
//! use trace_replay::{At, Op, PlanBuilder, Recorded};
//!
//! let mut builder = PlanBuilder::default();
//! let thread = builder.process(Some(b"/"))?;
//! let path = builder.path(b"/etc")?;
//! let flags = (libc::O_RDONLY | libc::O_DIRECTORY) as u32;
//! let open = Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 };
//! builder.call(thread, open, Recorded::returned(3))?;
//! builder.call(thread, Op::Fstat { fd: 3 }, Recorded::returned(0))?;
//! builder.call(thread, Op::Close { fd: 3 }, Recorded::returned(0))?;
//! let plan = builder.build();
//! assert_eq!(plan.len(), 3);
//! # Ok::<(), trace_replay::PlanError>(())
//! ```

mod bind;
mod engine;
mod error;
mod graph;
mod guard;
mod plan;
mod program;
mod rehearse;
mod run;
#[expect(unsafe_code, reason = "raw system calls live here and nowhere else")]
mod sys;
#[cfg(test)]
mod testing;
mod verify;

pub use bind::Skip;
pub use engine::{Counts, Strategy};
pub use error::ReplayError;
pub use graph::Lookahead;
pub use guard::Guard;
pub use plan::{
    At, CallId, Limits, MAX_TRANSFER, Op, PathId, Plan, PlanBuilder, PlanError, ProcessId, Recorded, Scope,
    Share, Span, StatCall, StatFacts, ThreadId,
};
pub use rehearse::Difference;
pub use verify::What;
