//! When a program that does not end is ready: the condition, how it is noticed, and the program's end after it.
//!
//! ```text
//!                untraced                               traced
//! listen         tables of listening sockets, polled    the call
//! open=PATH      inotify on the directory, polled       the call
//! output=REGEX   a pipe or terminal between, read at once
//! idle=MS        CPU time of each thread, polled
//! ```
//!
//! Polls are [`POLL`] apart, so an untraced time to readiness can be too long by that, besides what the
//! machine's scheduler adds. They run in this process and are not part of what is measured of the program.

mod condition;
mod detect;
mod diag;
mod end;
mod idle;
mod listen;
mod opened;
mod output;
mod traced;
mod tree;

use std::time::Duration;

pub use condition::{Until, WrongUntil};
pub(super) use detect::Detector;
pub use end::{AtReady, EndBy};
pub(super) use end::{Reaper, end_tree};
pub(super) use output::OutputWatch;
pub use traced::ReadyWatch;
pub(super) use tree::{is_anybody_left, pids, used_until_now};

/// The time between two looks.
pub const POLL: Duration = Duration::from_micros(500);
