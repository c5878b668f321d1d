//! Standard input, output and error of a command that runs many times.
//!
//! Every run must find the same: the same input, and outputs of the same kind, because programs ask
//! (`isatty`, `fstat`) and behave accordingly. But the person must see the output once.
//!
//! ```text
//!               run 0                          every later run
//! stdin  file   as it is                       opened anew at the same offset
//!        pipe   pipe <- relay <- real stdin    pipe <- feeder <- spool, then end of file
//!                         '-> spool
//!        other  as it is                       as it is (terminal, /dev/null, closed)
//! stdout        as it is                       terminal, pipe, socket: another one, drained
//! stderr                                       file: an unlinked one; devices: /dev/null
//! ```
//!
//! The relay copies while the command runs and stops when it has ended: it never waits for the end
//! of a pipe that nobody closes. A later run has exactly what the relay had read by then.
//!
//! Used by [`untraced`](super::untraced), and by a traced run of the same command after it. Processes
//! that run 0 left behind share the real descriptors; those of later runs lose their reader or writer
//! when the [`Stdio`] is dropped.

mod drain;
mod input;
mod kind;
mod output;
mod relay;
mod spool;
mod typed;
mod words;
pub(super) mod worker;

use super::launch::{Stream, was_closed_at_start};
use super::ready::OutputWatch;
use super::sys::fds;
use input::Input;
use output::Outputs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use worker::Worker;

pub use output::unnamed_file;
pub use spool::SPOOL_LIMIT;
pub use words::{KEPT, words};

/// Why a run cannot be given its standard streams.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// More came through a pipe or socket on standard input than is kept.
    #[error(
        "standard input is longer than the {} MiB that are kept for repeated runs; \
         give it as a file instead (`< FILE`), or ask for less of it",
        .limit >> 20
    )]
    InputTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// What came through standard input could not be kept.
    #[error("cannot keep standard input for repeated runs: {error}; give it as a file instead (`< FILE`)")]
    InputNotKept {
        /// The system's answer.
        error: io::Error,
    },
    /// Another call failed.
    #[error("cannot {what}: {error}")]
    Own {
        /// What could not be done.
        what: &'static str,
        /// The system's answer.
        error: io::Error,
    },
}

/// The standard streams of this process, and what stands for them in repeated runs.
#[derive(Debug)]
pub struct Stdio {
    input: Input,
    outputs: Outputs,
}

impl Stdio {
    /// Looks at the descriptors 0 to 2 of this process. To be made before the first run.
    pub fn new() -> Result<Self, StdioError> {
        let [input, output, error] =
            [0, 1, 2].map(|fd| if was_closed_at_start(fd) { None } else { fds::borrow(fd) });
        Self::standing_for(input, output, error)
    }

    fn standing_for(
        input: Option<BorrowedFd<'static>>,
        output: Option<BorrowedFd<'static>>,
        error: Option<BorrowedFd<'static>>,
    ) -> Result<Self, StdioError> {
        Ok(Self { input: Input::new(input)?, outputs: Outputs::new(output, error)? })
    }

    /// From now on every output is read by us, that of run 0 too, which is passed on: a match of what is waited
    /// for is noted. A file or a device has a pipe in its place then.
    pub(super) fn watch_output(&mut self, watch: &Arc<OutputWatch>) {
        self.outputs.watch(watch);
    }

    /// The streams for a run. Run 0 has the real ones and must be the first; every other index is a
    /// repetition. One run at a time: it must be [finished](RunStdio::finish) before the next.
    pub fn for_run(&mut self, index: usize) -> Result<RunStdio, StdioError> {
        let first = index == 0;
        let input = self.input.for_run(first)?;
        let (outputs, mut ends) = self.outputs.for_run(first)?;
        ends.extend(input.end);
        Ok(RunStdio { streams: [input.stream, outputs[0], outputs[1]], ends, worker: input.worker })
    }

    /// Whether anybody has read from the terminal on standard input since the last time this was asked, or
    /// since the beginning.
    pub fn was_typed_to(&self) -> bool {
        self.input.was_typed_to()
    }

    /// The end of what the last run wrote to its standard error, if that was not run 0 and it is known.
    /// (Where both outputs are one, it is the end of both.) To be called after the last run.
    pub fn last_words(&mut self) -> Option<String> {
        self.outputs.last_words()
    }
}

/// The streams of one run.
#[derive(Debug)]
pub struct RunStdio {
    /// For `launch::spawn`; valid until [`RunStdio::launched`].
    pub streams: [Stream; 3],
    /// The command's ends of what was made for this run.
    ends: Vec<OwnedFd>,
    worker: Option<Worker>,
}

impl RunStdio {
    /// To be called when the command has its descriptors: closes our copies of them, without which
    /// nobody would notice that the command has closed its own.
    pub fn launched(&mut self) {
        self.ends.clear();
    }

    /// To be called when the command has ended: stops relaying its input.
    pub fn finish(self) {
        if let Some(worker) = self.worker {
            worker.finish();
        }
    }
}

/// An error of a call that should not fail.
fn own(what: &'static str) -> impl FnOnce(io::Error) -> StdioError {
    move |error| StdioError::Own { what, error }
}
