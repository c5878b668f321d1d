//! ptrace(2): what `trace record` works with today.

use std::fs;

use super::check::{Check, Verdict};
use super::machine::{Capability, Machine, set_sysctl, sysctl_number};
use super::sys::child::{Step, in_child};
use crate::capture::ptrace::calibration;
use crate::capture::select::ordinary_for_ptrace;

/// Calls that are traced.
const CALLS: u64 = 100;
const SCOPE: &str = "kernel.yama.ptrace_scope";

/// Traces a child as the recorder does, the measurement at its start included.
pub(super) fn check(machine: &Machine) -> Check {
    let found = in_child(|slots| {
        ordinary_for_ptrace();
        let traced = calibration::calibrate(CALLS, true);
        slots.set(1, &traced.as_ref().map_or(Ok(0), |calibration| Ok(calibration.added_ns as i64)));
        slots.set(0, &traced.map(|calibration| calibration.calls as i64));
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let added = match step(1) {
        Step::Done(added_ns) => format!(", {:.1} µs added to each", added_ns as f64 / 1000.0),
        _ => String::new(),
    };
    let mut check = Check::new("ptrace", "trace record and trace startup");
    check.essential("trace a child", step(0), |calls| format!("{calls} calls of a child traced{added}"));
    if check.verdict() != Verdict::Works {
        explain(&mut check, machine);
    }
    check.or_unknown()
}

fn explain(check: &mut Check, machine: &Machine) {
    match sysctl_number(SCOPE) {
        Some(scope @ 3..) => check.because(
            format!("{SCOPE} is {scope}: nobody may trace, and it cannot be changed until the next boot"),
            format!("remove {SCOPE} from /etc/sysctl.d and the kernel's command line, and boot again"),
        ),
        Some(2) if !machine.has_here(Capability::SysPtrace) => {
            check.because(format!("{SCOPE} is 2, and CAP_SYS_PTRACE is missing"), set_sysctl(SCOPE, 1));
        }
        _ => {}
    }
    if machine.tracer != 0 {
        check.because(
            format!(
                "this process is traced itself, by process {}: there is one tracer a process",
                machine.tracer
            ),
            "run trace outside of strace or the debugger",
        );
    }
    // "1 1": as it is, and as it will be.
    if fs::read_to_string("/sys/fs/selinux/booleans/deny_ptrace").is_ok_and(|value| value.starts_with('1')) {
        check.because("SELinux forbids it (deny_ptrace is on)", "sudo setsebool deny_ptrace off");
    }
    machine.add_general_causes(check, "ptrace");
}
