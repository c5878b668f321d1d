//! Calls as strace prints them: arguments by name, structures by their members.
//!
//! ```text
//!  event + Memory ──> Decoder ──┬─ entry   what is known before the kernel sees the call
//!                               ├─ exit    what it has filled
//!                               └─ after   what strace puts behind the result, in brackets
//! ```
//!
//! Declarative wherever it can be: the table of calls says what an argument is, `tables` which structure is behind
//! it and how each member is shown, `special` and `ioctl` what depends on another argument. Pointers come from the
//! traced program: what cannot be read is shown as its address. Nothing here knows where memory comes from.

mod call;
pub mod escape;
mod facts;
mod ioctl;
mod layout;
mod memory;
mod net;
mod poll;
mod process;
mod signal;
mod special;
mod tables;
mod text;
mod time;

pub use call::{Decoder, Returned, write_argv, write_unknown};
pub use memory::{Keeper, MOST_KEPT, Memory, NoMemory, Phase, Snapshot};
pub use signal::{keep_returned_mask, keep_siginfo, write_siginfo};
pub use text::Hex;

/// How much is printed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Style {
    /// Most bytes of a string or buffer (`-s`); paths are always whole. Most elements of an array, too, unless
    /// `verbose`.
    pub strings: usize,
    /// Which strings are shown in hexadecimal (`-x`, `-xx`).
    pub hex: Hex,
    /// All members of structures (`-v`).
    pub verbose: bool,
    /// The file behind each descriptor (`-y`).
    pub files: bool,
    /// The name of each thread (`-Y`).
    pub names: bool,
    /// With `verbose`, the variables that a program is started with, not only how many there are.
    pub environment: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { strings: 32, hex: Hex::Never, verbose: false, files: false, names: false, environment: false }
    }
}
