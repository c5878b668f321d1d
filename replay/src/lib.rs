//! Re-executes recorded file-system calls and compares ways of making them: serially, on threads, through
//! `io_uring`.
//!
//! The crate knows nothing of logs. A caller describes what a program did with a [`PlanBuilder`]:
//!
//! ```
//! use trace_replay::{At, Lookahead, Op, Options, PlanBuilder, Recorded, Strategy, replay};
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
//!
//! let strategies = vec![Strategy::Serial, Strategy::Threads { threads: 2, lookahead: Lookahead::ALL }];
//! let options = Options { strategies, blocks: 10, ..Options::default() };
//! let outcome = replay(plan, &options, |_| ())?;
//! assert_eq!(outcome.coverage.replayed, 3);
//! let threads = &outcome.rows[1].figures.as_ref().expect("every result was the recorded one");
//! println!("{:.2} times the time of serial calls", threads.against_serial.median);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only calls that read are made, in place, on the real files, by a thread that the kernel confines (Landlock);
//! nothing is ever executed. What is not replayed is counted, with the reason ([`Coverage`]). Every timed
//! run is verified, call by call.
//!
//! ```text
//! Plan ──> bind (descriptors) ──> rehearse (checks, log's results) ──> Program ──┬─> engines ──> measure ──> Outcome
//!                                                                              graph (what waits for what)
//! ```

mod bind;
mod engine;
mod error;
mod graph;
mod guard;
mod measure;
mod order;
mod plan;
mod program;
mod rehearse;
mod rule;
mod run;
mod schedule;
mod scratch;
mod session;
#[expect(unsafe_code, reason = "raw system calls live here and nowhere else")]
mod sys;
#[cfg(test)]
mod testing;
mod verify;

pub use bind::Skip;
pub use engine::{Counts, Strategy, Tuning, Without};
pub use error::ReplayError;
pub use graph::Lookahead;
pub use guard::Guard;
pub use measure::{
    Cache, CostSource, Estimate, FEWEST_TESTED, Figures, Gate, Options, Projection, RecordedTimes, Row,
    Threaded, Voided,
};
pub use order::{Order, order};
pub use plan::{
    At, AttributeCall, CallId, CopyCall, Limits, MAX_TRANSFER, Offset, Op, PathId, Plan, PlanBuilder,
    PlanError, ProcessId, RangeLock, Recorded, Scope, Seen, Share, SharedPart, Span, StatCall, StatFacts,
    ThreadId,
};
pub use rehearse::Difference;
pub use schedule::{CallCost, Schedule};
pub use scratch::{Needs, Scratch, ScratchLimits, TooMuch, needs, replay_in_scratch};
pub use session::{Costs, Coverage, Outcome, Progress, ScratchTree, overhead, replay};
pub use verify::What;
