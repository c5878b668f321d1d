//! `trace doctor` as text: the answer first, then each probe with its reasons.

use std::io::{self, Write};

use super::escape::printable;
use super::look::Look;
use crate::doctor::{Check, Diagnosis, Outcome, Verdict};

/// Columns of a probe's name, and of what was tried.
const NAME: usize = 17;
const WHAT: usize = 28;

/// Writes the diagnosis.
pub fn write(out: &mut dyn Write, diagnosis: &Diagnosis, look: Look) -> io::Result<()> {
    let why = printable(&diagnosis.why);
    if let Some(backend) = diagnosis.backend {
        writeln!(out, "{}", look.title(&format!("trace record works here, by {backend}: {why}.")))?;
    } else {
        writeln!(out, "{}", look.warning(&format!("trace record does not work here: {why}.")))?;
        for cause in diagnosis.checks.first().map(|check| check.causes.as_slice()).unwrap_or_default() {
            writeln!(out, "{}", look.warning(&format!("To enable it: {}", printable(&cause.enable))))?;
        }
    }
    writeln!(out)?;
    for check in &diagnosis.checks {
        write_check(out, check, look)?;
    }
    let machine = &diagnosis.machine;
    let seccomp = if machine.seccomp { ", under a seccomp filter" } else { "" };
    let namespace = if machine.user_namespace { ", in a user namespace" } else { "" };
    let who = format!(
        "Found out by trying, as user {} with capabilities {}{seccomp}{namespace}, on Linux {}.",
        machine.uid,
        printable(&machine.capabilities),
        printable(&machine.kernel),
    );
    writeln!(out, "\n{}", look.note(&who))
}

fn write_check(out: &mut dyn Write, check: &Check, look: Look) -> io::Result<()> {
    let name = look.title(&format!("{:NAME$}", check.name));
    let words = match check.verdict() {
        Verdict::Works => "works",
        Verdict::InPart => "works in part",
        Verdict::Fails => "does not work",
    };
    let verdict = if check.verdict() == Verdict::Works { words.to_owned() } else { look.warning(words) };
    let needed = look
        .beside_or_below(NAME + words.len() + 2, |look| look.note(&format!("- for {}", check.needed_for)));
    let gap = if needed.starts_with('\n') { "" } else { " " };
    writeln!(out, "{name} {verdict}{gap}{needed}")?;
    for outcome in &check.outcomes {
        write_outcome(out, outcome, look)?;
    }
    for cause in &check.causes {
        writeln!(out, "{}", look.hanging("    why: ", &printable(&cause.why)))?;
        writeln!(out, "{}", look.hanging("    to enable: ", &printable(&cause.enable)))?;
    }
    Ok(())
}

fn write_outcome(out: &mut dyn Write, outcome: &Outcome, look: Look) -> io::Result<()> {
    let head = format!("    {:WHAT$} ", outcome.what);
    let found = printable(&outcome.found);
    let found = look.beside_or_below(head.chars().count(), |look| {
        if outcome.works {
            look.text(&format!("yes: {found}"))
        } else {
            look.warning(&format!("no: {found}"))
        }
    });
    let head = if found.starts_with('\n') { head.trim_end() } else { &head };
    writeln!(out, "{head}{found}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Cause, Machine};

    fn outcome(what: &'static str, works: bool, essential: bool) -> Outcome {
        let found = if works { "7 things seen" } else { "EPERM (Operation not permitted)" };
        let errno = (!works).then(|| "EPERM".to_owned());
        Outcome { what, works, found: found.to_owned(), errno, essential }
    }

    fn diagnosis(backend: Option<&'static str>) -> Diagnosis {
        let works = backend.is_some();
        let cause = Cause { why: "kernel.x is 2".to_owned(), enable: "sudo sysctl -w kernel.x=1".to_owned() };
        let of = |name, outcomes: Vec<Outcome>, causes: &[Cause]| Check {
            name,
            needed_for: "something",
            outcomes,
            causes: causes.to_vec(),
        };
        let first = of(
            "ptrace",
            vec![outcome("trace a child", works, true)],
            if works { &[] } else { std::slice::from_ref(&cause) },
        );
        let second = of(
            "perf events",
            vec![outcome("clock", true, true), outcome("counters", false, false)],
            &[cause],
        );
        let machine = Machine {
            kernel: "6.1.0".to_owned(),
            uid: 1000,
            capabilities: "0000000000000000".to_owned(),
            seccomp: true,
            ..Machine::default()
        };
        Diagnosis { backend, why: "because".to_owned(), machine, checks: vec![first, second] }
    }

    fn text(diagnosis: &Diagnosis) -> String {
        let mut out = Vec::new();
        write(&mut out, diagnosis, Look::PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_works() {
        insta::assert_snapshot!(text(&diagnosis(Some("ptrace"))));
    }

    #[test]
    fn it_does_not() {
        insta::assert_snapshot!(text(&diagnosis(None)));
    }
}
