//! How far a thread of a program may be ahead of itself.

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
