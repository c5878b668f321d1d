//! The phases of an install.

use serde::Serialize;

/// What time is spent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The installer itself starts.
    Start,
    /// It finds out what to install, and reads what packages say of themselves.
    Resolve,
    /// It talks to other hosts.
    Network,
    /// It unpacks archives: to caches, to temporary places, or from archives while it fills the target.
    Unpack,
    /// It makes, links or copies files where they are to be.
    Create,
    /// Bytecode is compiled.
    Bytecode,
    /// It takes away what it needed meanwhile.
    CleanUp,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Start,
        Self::Resolve,
        Self::Network,
        Self::Unpack,
        Self::Create,
        Self::Bytecode,
        Self::CleanUp,
    ];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start of the tool",
            Self::Resolve => "resolve, metadata",
            Self::Network => "network",
            Self::Unpack => "unpack",
            Self::Create => "create, link, copy",
            Self::Bytecode => "bytecode",
            Self::CleanUp => "clean-up",
        }
    }
}

/// What was done after the command's first process had ended, by processes that it left behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// Calls.
    pub calls: u64,
    /// From the end of the command to the end of the last of them, traced.
    pub traced_ns: u64,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseRow {
    /// Which.
    pub phase: Phase,
    /// Its part of the wall time (an estimate: traced, less the tracer's stops, in proportion). Where threads work at the
    /// same time, the time up to the end of a call is that of whichever call ends first.
    pub takes_ns: u64,
    /// What threads took for it, each by itself, without their waits for others; an estimate in the same proportion. That of
    /// all phases may be more than the wall time.
    pub threads_ns: u64,
    /// The same as a part of the whole, 0 to 1.
    pub share: f64,
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub failed: u64,
    /// What file-system calls cost; `None`: not known.
    pub file_system_ns: Option<u64>,
}
