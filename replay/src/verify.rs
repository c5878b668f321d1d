//! Whether a call came to what it had to, and what is different if not.

use crate::bind::Action;
use crate::plan::{Call, StatFacts};
use crate::sys::calls::Observed;
use crate::sys::files::Identity;

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Success instead of failure, failure instead of success, or another errno.
    Errno,
    /// The number of bytes or the offset.
    Count,
    /// The type of a file.
    Type,
    /// Its permission bits.
    Mode,
    /// Its size.
    Size,
    /// Its number of hard links.
    Links,
    /// A file after the run: its contents, mode, size or names.
    Tree,
    /// The mode, size or number of links of a file, or the set of a directory's entries, since the rehearsal.
    Facts,
}

impl What {
    /// A few words for a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errno => "errno",
            Self::Count => "count",
            Self::Type => "type",
            Self::Mode => "mode",
            Self::Size => "size",
            Self::Links => "links",
            Self::Tree => "tree",
            Self::Facts => "facts",
        }
    }
}

/// Compares a result with the log's; `facts` compares what a successful stat said.
pub(crate) fn against_log(
    call: &Call,
    action: &Action,
    observed: Observed,
    facts: impl FnOnce() -> Option<What>,
) -> Option<What> {
    if (call.ret < 0 || observed.ret < 0) && call.ret != observed.ret {
        return Some(What::Errno);
    }
    if call.ret < 0 {
        return None;
    }
    match action {
        // The numbers of descriptors differ, as they may.
        _ if action.defines().is_some() => None,
        Action::Stat { .. } | Action::Fstat { .. } => facts(),
        _ => (call.ret != observed.ret).then_some(What::Count),
    }
}

/// What two results of one step differ in.
pub(crate) fn difference(expected: Observed, observed: Observed) -> What {
    if (expected.ret < 0 || observed.ret < 0) && expected.ret != observed.ret {
        What::Errno
    } else if expected.digest == observed.digest {
        What::Count
    } else {
        What::Facts
    }
}

/// The first field that is known and differs. A file that is no regular one has a size that means nothing
/// to its readers, and a directory's changes with every name in it, but both are what the call returned.
pub(crate) fn facts(recorded: &StatFacts, here: &Identity) -> Option<What> {
    let mode = recorded.mode.map_or(0, |mode| mode ^ here.mode);
    if mode & libc::S_IFMT != 0 {
        Some(What::Type)
    } else if mode != 0 {
        Some(What::Mode)
    } else if recorded.size.is_some_and(|size| size != here.size) {
        Some(What::Size)
    } else if recorded.nlink.is_some_and(|nlink| u64::from(nlink) != here.nlink) {
        Some(What::Links)
    } else {
        None
    }
}
