//! `io_uring`: system calls in batches.

use std::io;

use super::check::{Check, Verdict};
use super::machine::{Capability, Machine, set_sysctl, sysctl, sysctl_number};
use super::sys::child::{Step, in_child};
use super::sys::uring;

const DISABLED: &str = "kernel.io_uring_disabled";

/// Makes a ring and completes an operation in it.
pub(super) fn check(machine: &Machine) -> Check {
    let found = in_child(|slots| {
        let ring = uring::set_up();
        let made = ring.as_ref().map(|_| 0);
        slots.set(
            0,
            &made.map_err(|error| io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO))),
        );
        if let Ok((ring, params)) = ring {
            slots.set(1, &uring::complete_nop(&ring, &params));
        }
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let mut check = Check::new("io_uring", "trace replay through a ring");
    check.essential("make a ring", step(0), |_| "made".to_owned());
    check.essential("complete an operation", step(1), |_| "a NOP submitted and completed".to_owned());
    if check.verdict() != Verdict::Works {
        explain(&mut check, machine);
    }
    check.or_unknown()
}

fn explain(check: &mut Check, machine: &Machine) {
    match sysctl_number(DISABLED) {
        Some(2) => check.because(format!("{DISABLED} is 2: nobody may use it"), set_sysctl(DISABLED, 0)),
        Some(1) if !machine.has(Capability::SysAdmin) => {
            let group = sysctl("kernel.io_uring_group").unwrap_or_default();
            check.because(
                format!(
                    "{DISABLED} is 1: only CAP_SYS_ADMIN and group {group} (kernel.io_uring_group) may use it"
                ),
                set_sysctl(DISABLED, 0),
            );
        }
        _ => {}
    }
    if check.outcomes.iter().any(|outcome| outcome.errno.as_deref() == Some("ENOMEM")) {
        check.because(
            "the limit of locked memory is too low (kernels before 5.12)",
            "ulimit -l unlimited, as root",
        );
    }
    machine.add_general_causes(check, "io_uring_setup");
}
