//! Landlock: a process that gives up the right to files.

use std::io;

use super::check::{Check, Verdict};
use super::machine::Machine;
use super::sys::child::{Step, in_child};
use super::sys::landlock;

/// Asks for the version, applies a rule set, and sees it hold.
pub(super) fn check(machine: &Machine) -> Check {
    let found = in_child(|slots| {
        slots.set(0, &landlock::version());
        let applied = landlock::forbid_listing();
        let is_applied = applied.is_ok();
        slots.set(1, &applied);
        if is_applied {
            slots.set(2, &is_refused());
        }
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let mut check = Check::new("Landlock", "trace replay, which gives up its rights to write");
    check.essential("version", step(0), |version| format!("ABI {version}"));
    check.essential("apply rules", step(1), |_| "applied in a child".to_owned());
    match step(2) {
        Step::Done(0) => check.refuted("rules hold", "listing / was allowed all the same".to_owned()),
        step => {
            check.essential("rules hold", step, |_| "listing / was refused after that".to_owned());
        }
    }
    if check.verdict() != Verdict::Works {
        if check.outcomes.iter().any(|outcome| outcome.errno.as_deref() == Some("EOPNOTSUPP")) {
            check.because(
                "the kernel has it, but it was not enabled at boot",
                "add landlock to lsm= on the kernel's command line (the present list: /sys/kernel/security/lsm)",
            );
        }
        machine.add_general_causes(&mut check, "Landlock");
    }
    check.or_unknown()
}

/// 1: it is, 0: it is not.
fn is_refused() -> io::Result<i64> {
    match std::fs::read_dir("/") {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(1),
        Err(error) => Err(error),
        Ok(_) => Ok(0),
    }
}
