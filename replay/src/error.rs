//! Why there is no replay at all.

use std::io;

use crate::plan::PlanError;

/// Why a plan cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The plan passes a limit that shows only when its descriptors are resolved.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nothing is left to replay.
    #[error("none of its calls can be replayed here: {0}")]
    NothingToReplay(String),
    /// Files are examined through /proc before they are opened.
    #[error("/proc is needed to open files safely, and cannot be used: {0}")]
    NoProc(io::Error),
    /// The replaying threads could not be confined.
    #[error("the replaying thread could not be confined (Landlock): {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// Something the kernel refused.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The kernel's answer.
        error: io::Error,
    },
    /// There can be no scratch tree in a directory.
    #[error(
        "a scratch tree cannot be made in {directory}: {error} (another directory: --scratch DIR, or TMPDIR=DIR)"
    )]
    Base {
        /// Which.
        directory: String,
        /// The kernel's answer.
        error: io::Error,
    },
    /// The scratch tree's file system cannot hold what the calls write.
    #[error(
        "there is not enough room on the file system of {directory} for what the log's calls write: a replay there would be \
         another one (another directory: --scratch DIR, or TMPDIR=DIR)"
    )]
    NoRoom {
        /// Where the tree is made.
        directory: String,
    },
    /// What the plan says of files is too much to be made.
    #[error(transparent)]
    TooMuch(#[from] crate::scratch::TooMuch),
    /// What the confined process said.
    #[error("{0}")]
    Confined(String),
    /// A signal ended the confined process.
    #[error("the confined process was ended by signal {0}")]
    Killed(i32),
    /// Somebody asked for its end (`Scratch::stop`).
    #[error("the replay was stopped")]
    Stopped,
    /// The replaying thread ended without a result.
    #[error("the replaying thread panicked")]
    Panicked,
}

impl ReplayError {
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what, error }
    }
}
