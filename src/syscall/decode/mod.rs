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

mod address;
mod aio;
mod arch;
mod argument;
mod bpf;
mod call;
mod command;
mod constants;
mod control;
mod descriptors;
mod dump;
pub mod escape;
mod facts;
mod families;
mod files;
mod filter;
mod futex;
mod grown;
mod inner;
mod ioctl;
mod ipc;
mod keys;
mod layout;
mod memory;
mod mounts;
mod names;
mod net;
mod netlink;
mod old;
mod options;
mod pages;
mod perf;
mod poll;
mod prctl;
mod process;
mod ptrace;
mod quota;
mod rare;
mod sandbox;
mod scheduling;
mod signal;
mod special;
mod strings;
mod structures;
mod tables;
mod termios;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod uring;

pub use call::{Decoder, Returned, write_unknown, write_unknown_name};
pub use constants::Constants;
pub use descriptors::{Described, Descriptors, Details, IdKind, Question, read_answer};
pub use files::{keep_cwd, write_file_name};
pub use inner::starts_from_cwd;
pub use memory::{Keeper, MOST_KEPT, Memory, NoMemory, Phase, Snapshot};
pub use names::{chosen_kind, leaves_out, more_sets, next_printed, single, sized_ioctl};
pub use signal::{keep_returned_mask, keep_siginfo, sender, write_siginfo};
pub use strings::write_argv;
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
    /// Ids of other namespaces with what they are in ours (`-e decode-pids=pidns`).
    pub namespaces: bool,
    /// What more is told of descriptors (`-yy`).
    pub details: Details,
    /// Arguments and results as the registers have them (`-e raw=`).
    pub raw: bool,
    /// Structures by their addresses only (`-e verbose=`).
    pub addresses: bool,
    /// Descriptors of which what is read and what is written is shown in full (`-e read=`, `-e write=`).
    pub dumps: [Descriptors; 2],
    /// How named constants are shown (`-X`).
    pub constants: Constants,
    /// Also the files that are named in structures, for who chooses calls by these.
    pub inner_paths: bool,
    /// With `verbose`, the variables that a program is started with, not only how many there are.
    pub environment: bool,
}

impl Style {
    /// As strace prints without any option.
    pub const PLAIN: Self = Self {
        strings: 32,
        hex: Hex::Never,
        verbose: false,
        files: false,
        names: false,
        namespaces: false,
        details: Details { devices: false, sockets: false, processes: false },
        raw: false,
        addresses: false,
        dumps: [Descriptors::NONE; 2],
        constants: Constants::Names,
        inner_paths: false,
        environment: false,
    };
}

impl Default for Style {
    fn default() -> Self {
        Self::PLAIN
    }
}
