//! Which orders of a program's steps are allowed.

use std::fmt;
use std::num::NonZeroU32;

/// How far ahead of itself a thread may be: the program's own order (1), or what a program written
/// otherwise could know.
///
/// An interpreter does not know its future; anything but [`Lookahead::FAITHFUL`] is a bound on what such a
/// program could reach, not a prediction of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lookahead(Option<NonZeroU32>);

impl Lookahead {
    /// Each call of a thread waits for the one before.
    pub const FAITHFUL: Self = Self(Some(NonZeroU32::MIN));
    /// Only what a call needs holds it back: the oracle that knows the whole run.
    pub const ALL: Self = Self(None);

    /// Call i + `calls` of a thread waits for call i; 0 is taken as 1.
    #[must_use]
    pub fn calls(calls: u32) -> Self {
        Self(Some(NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN)))
    }

    /// How many calls of a thread may be under way together; `None`: all of them.
    #[must_use]
    pub fn window(self) -> Option<u32> {
        self.0.map(NonZeroU32::get)
    }
}

impl fmt::Display for Lookahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(window) => write!(f, "{window}"),
            None => f.write_str("all"),
        }
    }
}

/// An ordering rule besides the threads' own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A clone comes before the child's first call, a process's last call before the wait for it returns.
    Process,
    /// A descriptor is opened before it is used and used before it is closed.
    Slot,
    /// What moves the offset of an open file description keeps its order.
    Description,
    /// A relative path is looked up after the chdir it starts from.
    Directory,
    /// A file's contents are read and written in the log's order.
    Data,
    /// A name is looked up before or after it is made, removed or renamed, as in the log; also in vain.
    Entry,
    /// A directory is listed, or removed, with the names in it that it had.
    Listing,
    /// Modes, owners, times and numbers of links.
    Attributes,
    /// A file's lock is taken and given up in the log's order.
    Lock,
    /// An unknown call stays where it was.
    Unknown,
    /// No more descriptors are open than there may be.
    Budget,
}

/// The rules in force. All are needed; one can be left out only to show that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    without: Option<Rule>,
}

impl Rules {
    pub(crate) const ALL: Self = Self { without: None };

    #[cfg(test)]
    pub(crate) const fn without(rule: Rule) -> Self {
        Self { without: Some(rule) }
    }

    pub(crate) fn has(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}
