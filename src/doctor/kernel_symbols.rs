//! Names of the kernel's functions: `/proc/kallsyms`, which shows addresses to some only.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use super::check::Check;
use super::machine::{Capability, Machine, set_sysctl, sysctl_number};
use super::sys::child::Step;

const RESTRICT: &str = "kernel.kptr_restrict";
const PARANOID: &str = "kernel.perf_event_paranoid";
/// Where the kernel's code begins.
const BEGINNING: &str = "_stext";

/// Looks a symbol up.
pub(super) fn check(machine: &Machine) -> Check {
    let found = address();
    let mut check = Check::new("kernel symbols", "names of kernel functions in the stacks of CPU samples");
    match found {
        Ok(Some(0)) => {
            check.refuted("look one up", format!("the address of {BEGINNING} is shown as zero"));
            explain(&mut check, machine);
        }
        Ok(Some(_)) => {
            check.essential("look one up", Step::Done(0), |_| format!("{BEGINNING} has an address"));
        }
        Ok(None) => {
            check.refuted("look one up", format!("/proc/kallsyms has no {BEGINNING}"));
            check.because("the kernel has no names of its own", "use a kernel built with CONFIG_KALLSYMS");
        }
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            check.essential("look one up", Step::Failed(errno), |_| String::new());
            check.because("/proc/kallsyms cannot be read", "sudo mount -t proc proc /proc");
        }
    }
    check.or_unknown()
}

fn address() -> io::Result<Option<u64>> {
    for line in BufReader::new(File::open("/proc/kallsyms")?).lines() {
        let line = line?;
        let mut words = line.split_ascii_whitespace();
        if let (Some(address), Some(BEGINNING)) = (words.next(), words.nth(1)) {
            return Ok(u64::from_str_radix(address, 16).ok());
        }
    }
    Ok(None)
}

/// The rules are those of `kallsyms_show_value` in `kernel/ksyms_common.c`.
fn explain(check: &mut Check, machine: &Machine) {
    match (sysctl_number(RESTRICT), sysctl_number(PARANOID)) {
        (Some(2..), _) => {
            check.because(format!("{RESTRICT} is 2: they are hidden from all"), set_sysctl(RESTRICT, 1));
        }
        (Some(restrict), Some(paranoid)) if !machine.has(Capability::Syslog) => check.because(
            format!(
                "{RESTRICT} is {restrict}, {PARANOID} is {paranoid}, and {}",
                machine.lacks("CAP_SYSLOG")
            ),
            format!("run trace as root, or: {} {PARANOID}=1", set_sysctl(RESTRICT, 0)),
        ),
        _ => {}
    }
}
