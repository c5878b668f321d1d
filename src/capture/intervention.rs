//! What is to be done to a call instead of letting it be: errors, results, signals, delays and contents of memory put in.

use std::time::Duration;

/// What to do to one call; the default leaves it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Intervention {
    /// The kernel never sees the call; it returns this (a negative errno for an error).
    pub result: Option<i64>,
    /// The result is a value, also where it looks like an error.
    pub is_value: bool,
    /// Where there is a result: the number of the call that the kernel sees in place of the other.
    pub instead: Option<u32>,
    /// This signal is sent to the thread as it enters the call.
    pub signal: Option<i32>,
    /// The thread waits so long before the call.
    pub delay_enter: Option<Duration>,
    /// And so long behind it.
    pub delay_exit: Option<Duration>,
    /// Written to where arguments point, before the call. For the life of this program, as its command line.
    pub poke_enter: &'static [Poke],
    /// The same behind it.
    pub poke_exit: &'static [Poke],
}

impl Intervention {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Bytes for where an argument points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poke {
    /// Which argument, from 1.
    pub argument: usize,
    /// What is written there.
    pub bytes: Vec<u8>,
}

/// Why bytes were not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PokeError {
    /// The call has fewer arguments.
    #[error(
        "requested to tamper with argument #{argument}, but system call '{call}' has only {count} arguments"
    )]
    NoArgument {
        /// The one that was named, from 1.
        argument: usize,
        /// The call's name.
        call: &'static str,
        /// How many it has.
        count: usize,
    },
    /// The memory ends before the bytes do.
    #[error("only {written} of {length} bytes could be written at {address:#x}")]
    Short {
        /// Bytes that were written.
        written: usize,
        /// Bytes that were to be written.
        length: usize,
        /// Where the first one is.
        address: u64,
    },
    /// There is no memory that can be written.
    #[error("couldn't poke")]
    NoMemory,
}
