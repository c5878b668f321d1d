//! `perf_event_open(2)`: counters, samples, breakpoints.

use super::check::{Check, Verdict};
use super::machine::{Capability, Machine, set_capabilities, set_sysctl, sysctl_number};
use super::sys::child::{Step, in_child};
use super::sys::perf;

const PARANOID: &str = "kernel.perf_event_paranoid";

/// Opens events of each kind, and reads them.
pub(super) fn check(machine: &Machine) -> Check {
    let tries = [
        perf::clock_in_user_mode,
        perf::samples,
        perf::breakpoint,
        perf::clock_in_kernel,
        perf::whole_cpu,
        perf::cycles,
    ];
    let found = in_child(|slots| {
        for (slot, attempt) in tries.iter().enumerate() {
            slots.set(slot, &attempt());
        }
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let mut check = Check::new(
        "perf events",
        "the mark where trace startup's dynamic loader phase ends; the CPU samples of trace record --sample",
    );
    // What counts nothing while the processor works is of no use, whatever the kernel answered.
    let counting = |slot| match step(slot) {
        Step::Done(0) => Step::Nothing,
        step => step,
    };
    check.essential("software clock", counting(0), |ns| format!("{:.1} ms counted", ns as f64 / 1e6));
    check.essential("samples", counting(1), |bytes| format!("{bytes} bytes of samples read"));
    check.optional("hardware breakpoint", step(2), |_| "set in this process".to_owned());
    check.optional("time in the kernel", counting(3), |ns| format!("{:.1} ms counted", ns as f64 / 1e6));
    check.optional("whole CPU", step(4), |_| "opened for all processes of a CPU".to_owned());
    check.optional("hardware counters", counting(5), |cycles| format!("{cycles} cycles counted"));
    if check.verdict() != Verdict::Works {
        explain(&mut check, machine);
    }
    check.or_unknown()
}

/// What `perf_event_paranoid` forbids from which value on (Documentation/admin-guide/sysctl/kernel.rst; 3
/// and 4 are Debian's and Android's).
const FORBIDDEN_FROM: [(&str, i64); 4] =
    [("software clock", 3), ("hardware breakpoint", 3), ("time in the kernel", 2), ("whole CPU", 1)];

fn explain(check: &mut Check, machine: &Machine) {
    let fails = |what: &str| check.outcomes.iter().any(|outcome| outcome.what == what && !outcome.works);
    let paranoid = sysctl_number(PARANOID);
    let is_privileged = machine.has(Capability::Perfmon) || machine.has(Capability::SysAdmin);
    let forbidden = FORBIDDEN_FROM.iter().filter(|(what, from)| fails(what) && paranoid >= Some(*from));
    let lowest = forbidden.map(|(_, from)| from - 1).min();
    let has_no_counters = check.outcomes.iter().any(|outcome| {
        outcome.what == "hardware counters"
            && matches!(outcome.errno.as_deref(), Some("ENOENT" | "EOPNOTSUPP"))
    });
    if let (Some(value), Some(paranoid), false) = (lowest, paranoid, is_privileged) {
        check.because(
            format!("{PARANOID} is {paranoid}, and {}", machine.lacks("CAP_PERFMON")),
            format!("{}; or {}", set_sysctl(PARANOID, value), set_capabilities(machine, &["PERFMON"])),
        );
    }
    if has_no_counters {
        check.because(
            "there is no PMU, as in most virtual machines: no hardware counters",
            "on the host, give the virtual machine a PMU (QEMU: -cpu host,pmu=on); the software clock does instead",
        );
    }
    machine.add_general_causes(check, "perf_event_open");
}
