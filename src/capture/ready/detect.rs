//! Notices from outside that a program is ready.

use std::io;
use std::sync::Arc;

use super::Until;
use super::idle::Idle;
use super::listen::Listen;
use super::opened::Opened;
use super::output::OutputWatch;
use crate::capture::sys::clock::monotonic_ns;

/// Looks whether a condition has come true.
pub enum Detector {
    /// A listening socket.
    Listen(Listen),
    /// Output, seen by whoever reads it.
    Output(Arc<OutputWatch>),
    /// An opened file.
    Opened(Opened),
    /// Rest.
    Idle(Idle),
    /// Nothing that could be seen before the end.
    Never,
}

impl Detector {
    /// To be made before the command starts.
    pub fn new(until: &Until, output: Option<Arc<OutputWatch>>) -> io::Result<Self> {
        Ok(match (until, output) {
            (Until::Listen, _) => Self::Listen(Listen::new()),
            (Until::Output(_), Some(output)) => Self::Output(output),
            (Until::Open(path), _) => Self::Opened(Opened::new(path)?),
            (Until::Idle(rest), _) => Self::Idle(Idle::new(*rest)),
            (Until::Exit | Until::Output(_), _) => Self::Never,
        })
    }

    /// When the condition came true, by the monotonic clock, if it has. `pids` are the command's processes.
    pub fn check(&mut self, pids: impl Fn() -> Vec<i32>) -> Option<u64> {
        let now_ns = monotonic_ns();
        match self {
            Self::Listen(listen) => listen.check(pids).then_some(now_ns),
            Self::Output(output) => output.seen_ns(),
            Self::Opened(opened) => opened.check().then_some(now_ns),
            Self::Idle(idle) => idle.check(pids, now_ns),
            Self::Never => None,
        }
    }
}
