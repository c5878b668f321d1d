//! What works on this machine, found out by doing it.
//!
//! Settings alone do not tell: a container's filter, a security module or a missing piece of the kernel may
//! forbid what every sysctl allows. So each probe really does what `trace` would do, in a child that may be killed
//! for it (`sys`); the settings are read afterwards, to say why it failed and what would enable it.
//!
//! ```text
//! ptrace, perf, bpf, ...  ─ tries (sys, in a child) ─> steps ─┐
//! machine                 ─ capabilities, sysctls ───> causes ─┴─> Check ─> Diagnosis
//! ```
//!
//! Nothing is left changed. The words are for people, and are those of the JSON too; how they are laid out is
//! `report::doctor`.

mod bpf;
mod check;
mod debug_symbols;
mod elf;
mod io_uring;
mod kernel_symbols;
mod landlock;
mod machine;
mod perf;
mod ptrace;
mod sys;
mod tracefs;
mod user_namespaces;

use serde::Serialize;

pub use check::{Cause, Check, Outcome, Verdict};
pub use machine::Machine;

/// All probes, in the order of the report.
const PROBES: [fn(&Machine) -> Check; 9] = [
    ptrace::check,
    perf::check,
    bpf::check,
    io_uring::check,
    user_namespaces::check,
    landlock::check,
    tracefs::check,
    kernel_symbols::check,
    debug_symbols::check,
];

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The backend that recording chooses here (`--backend auto`); `None`: it cannot record.
    pub backend: Option<&'static str>,
    /// Why this one, or why none.
    pub why: String,
    /// Who asks, and where.
    pub machine: Machine,
    /// The probes, the one that recording hangs on first.
    pub checks: Vec<Check>,
}

/// Tries everything. Takes some tens of milliseconds.
#[must_use]
pub fn diagnose() -> Diagnosis {
    let machine = Machine::of_this_process();
    let checks: Vec<Check> = PROBES.iter().map(|probe| probe(&machine)).collect();
    let (backend, why) = choice(&checks);
    Diagnosis { backend, why, machine, checks }
}

/// The backend that is chosen here, and why.
fn choice(checks: &[Check]) -> (Option<&'static str>, String) {
    let works = |check: &&Check| check.verdict() != Verdict::Fails;
    let named = |name: &str| checks.iter().find(|check| check.name == name);
    let (ptrace, ebpf) = (named("ptrace"), named("BPF").filter(works));
    let reason = ptrace.map(Check::reason).unwrap_or_default();
    match (ptrace.filter(works), ebpf) {
        (Some(_), None) => (Some("ptrace"), format!("{reason}; eBPF does not work")),
        (Some(_), Some(_)) => (Some("ebpf"), "its programs load and attach; ptrace works too".to_owned()),
        (None, Some(_)) => (Some("ebpf"), "its programs load and attach; ptrace does not work".to_owned()),
        (None, None) => (None, reason),
    }
}
