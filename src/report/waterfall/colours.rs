//! Colours of what threads do, readable on white and on black, and told apart by those who do not see all colours: what is
//! on a CPU is strong, waits are paler.

use crate::analysis::partition::Part;
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
        Class::Off(part) => match part {
            Part::Disk => "#d9713c",
            Part::Network => "#2ba884",
            Part::Pipe => "#8ed0e8",
            Part::Futex => "#dd9cc4",
            Part::Child => "#c4c9cf",
            Part::Timer => "#cfc58a",
            Part::FaultWait => "#9c6b4a",
            Part::Ready => "#f0e05a",
            Part::Other | Part::User | Part::Faults | Part::Call | Part::Launch | Part::Unexplained => {
                "#a9b3a2"
            }
        },
    }
}

pub fn class_name(class: Class, knows_cpu: bool) -> &'static str {
    match class {
        Class::Computing if !knows_cpu => "in no call (on a CPU, or waiting for one)",
        Class::Computing => "on a CPU, in no call",
        Class::FileCall => "file-system calls",
        Class::OtherCall => "other calls",
        Class::Off(part) => part.name().trim_start_matches("in calls, "),
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
