//! What is to be done to a call instead of letting it be: errors, results, signals and delays put in.

use std::time::Duration;

/// What to do to one call; the default leaves it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Intervention {
    /// The kernel never sees the call; it returns this (a negative errno for an error).
    pub result: Option<i64>,
    /// This signal is sent to the thread as it enters the call.
    pub signal: Option<i32>,
    /// The thread waits so long before the call.
    pub delay_enter: Option<Duration>,
    /// And so long behind it.
    pub delay_exit: Option<Duration>,
}

impl Intervention {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
