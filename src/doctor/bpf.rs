//! bpf(2): a program in the kernel that sees every system call.

use std::fs::File;
use std::io::{self, Read};

use super::check::{Check, Verdict};
use super::machine::{Capability, Machine, set_capabilities};
use super::sys::bpf;
use super::sys::child::{Step, in_child};
use crate::capture::select::{ebpf_works, oldest_for_ebpf};

/// Calls that the program has to see.
const CALLS: usize = 100;
const BTF: &str = "/sys/kernel/btf/vmlinux";
/// The proof that recording works.
const RECORDER: &str = "loaded, and attached to its tracepoints";
/// What BTF begins with (`linux/btf.h`).
const BTF_MAGIC: [u8; 2] = 0xeb9f_u16.to_ne_bytes();

/// Loads a program, attaches it, and lets it count.
pub(super) fn check(machine: &Machine) -> Check {
    let found = in_child(|slots| {
        let attempt = || -> io::Result<()> {
            let map = bpf::create_map();
            slots.set(0, &result(&map));
            let map = map?;
            let program = bpf::load_program(&map);
            slots.set(1, &result(&program));
            let attached = bpf::attach(&program?);
            slots.set(2, &result(&attached));
            let _attached = attached?;
            slots.set(3, &bpf::count(&map, CALLS));
            Ok(())
        };
        // What failed stands in its slot.
        let _ = attempt();
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let mut check = Check::new("BPF", "the backend that costs a call far less than ptrace does");
    check.essential("make a map", step(0), |_| "made".to_owned());
    check.essential("load a program", step(1), |_| "loaded, for a raw tracepoint".to_owned());
    check.essential("attach it", step(2), |_| "attached to sys_enter".to_owned());
    let seen = |calls| format!("{calls} seen in all processes while {CALLS} were made here");
    match step(3) {
        Step::Done(calls) if calls < CALLS as i64 => check.refuted("count calls", seen(calls)),
        step => {
            check.essential("count calls", step, seen);
        }
    }
    if check.verdict() == Verdict::Works {
        match ebpf_works() {
            Ok(()) => drop(check.essential("load the recorder", Step::Done(0), |_| RECORDER.to_owned())),
            Err(why) => check.refuted("load the recorder", why),
        }
    }
    check.optional("types of the kernel (BTF)", btf(), |bytes| format!("{BTF}, {} KiB", bytes / 1024));
    if check.verdict() != Verdict::Works {
        explain(&mut check, machine);
    }
    check.or_unknown()
}

fn result<T>(result: &io::Result<T>) -> io::Result<i64> {
    match result {
        Ok(_) => Ok(0),
        Err(error) => Err(io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO))),
    }
}

fn btf() -> Step {
    let read = || -> io::Result<i64> {
        let mut file = File::open(BTF)?;
        let mut magic = [0; 2];
        file.read_exact(&mut magic)?;
        if magic != BTF_MAGIC {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        Ok(file.metadata()?.len() as i64)
    };
    read().map_or_else(|error| Step::Failed(error.raw_os_error().unwrap_or(libc::EIO)), Step::Done)
}

fn explain(check: &mut Check, machine: &Machine) {
    let needed = [(Capability::Bpf, "CAP_BPF"), (Capability::Perfmon, "CAP_PERFMON")];
    let missing: Vec<&str> =
        needed.iter().filter(|(capability, _)| !machine.has(*capability)).map(|(_, name)| *name).collect();
    let btf_fails = check.outcomes.iter().any(|outcome| outcome.what.starts_with("types") && !outcome.works);
    if check.verdict() == Verdict::Fails && !missing.is_empty() && !machine.has(Capability::SysAdmin) {
        check.because(machine.lacks(&missing.join(" and ")), set_capabilities(machine, &["BPF", "PERFMON"]));
    }
    let lockdown = std::fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    if lockdown.contains("[confidentiality]") {
        check.because(
            "the kernel is locked down to confidentiality (Secure Boot)",
            "boot with lockdown=integrity on the kernel's command line",
        );
    }
    if let Some(oldest) = oldest_for_ebpf().filter(|_| !btf_fails) {
        check.because(
            format!("Linux {} lacks what the backend needs", machine.kernel),
            format!("use Linux {oldest} or later"),
        );
    }
    if btf_fails {
        check.because(
            format!("{BTF} is missing or cannot be read"),
            "mount sysfs on /sys, or use a kernel built with CONFIG_DEBUG_INFO_BTF",
        );
    }
    machine.add_general_causes(check, "bpf");
}
