//! Colours of what threads do, readable on white and on black, and told apart by those who do not see all colours: what is
//! on a CPU is strong, waits are paler.

use crate::analysis::phases::PhaseKind;
use crate::analysis::waterfall::Class;

pub const BUSY: &str = "#5b8fc9";
pub const FILE_CALLS: &str = "#e69f00";
pub const IN_VAIN: &str = "#c8442f";
pub const CRITICAL: &str = "#d6245e";
/// Imports, by how deep they are.
pub const IMPORTS: [&str; 3] = ["#8fc79a", "#b3d98c", "#7fbfae"];

pub fn class_colour(class: Class) -> &'static str {
    match class {
        Class::Computing => "#5b8fc9",
        Class::FileCall => "#e69f00",
        Class::OtherCall => "#a58bd0",
        Class::Disk => "#d9713c",
        Class::Network => "#2ba884",
        Class::Pipe => "#8ed0e8",
        Class::Futex => "#dd9cc4",
        Class::Child => "#c4c9cf",
        Class::Timer => "#cfc58a",
        Class::Other => "#a9b3a2",
        Class::FaultWait => "#9c6b4a",
        Class::Ready => "#f0e05a",
    }
}

pub fn class_name(class: Class, knows_cpu: bool) -> &'static str {
    match class {
        Class::Computing if !knows_cpu => "in no call (on a CPU, or waiting for one)",
        Class::Computing => "on a CPU, in no call",
        Class::FileCall => "file-system calls",
        Class::OtherCall => "other calls",
        Class::Disk => "waiting: files",
        Class::Network => "waiting: network",
        Class::Pipe => "waiting: pipe",
        Class::Futex => "waiting: futex",
        Class::Child => "waiting: child",
        Class::Timer => "waiting: time",
        Class::Other => "waiting: other",
        Class::FaultWait => "waiting: page fault",
        Class::Ready => "ready, waiting for a CPU",
    }
}

pub fn phase_colour(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Launcher => "#d9b3a4",
        PhaseKind::Exec => "#b9c2cc",
        PhaseKind::Loader => "#a9c6e8",
        PhaseKind::Relocation => "#c9b8e2",
        PhaseKind::Init => "#a8d8c0",
        PhaseKind::Site => "#e6d79a",
        PhaseKind::Program => "#f0bd8e",
        PhaseKind::Exit => "#d0d4d8",
        PhaseKind::Rest => "#e2c6d6",
        PhaseKind::After => "#e6e8ea",
    }
}
