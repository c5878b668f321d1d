//! The table of phases.

use std::io::{self, Write};

use super::super::escape::escape;
use super::super::look::Look;
use super::super::table::{Column, Table};
use super::super::units::{count, percent_or_dash, time, time_or_dash};
use crate::analysis::cost::Quality;
use crate::analysis::phases::PhaseKind;
use crate::analysis::startup::Report;

pub(super) fn write(out: &mut dyn Write, report: &Report, look: Look) -> io::Result<()> {
    let mut table = Table::new(vec![
        Column::text("Phase"),
        Column::number("at").dropped(3),
        Column::number("takes"),
        Column::number("share"),
        Column::number("syscalls").dropped(1),
        Column::number("stat").dropped(5),
        Column::number("open").dropped(6),
        Column::number("misses").dropped(4),
        Column::number("fs time").dropped(2),
    ]);
    let known = |ns: u64| time_or_dash(report.traced_ns.map(|_| ns));
    for phase in &report.phases.phases {
        table.row(vec![
            escape(phase.name.bytes()),
            known(phase.at_ns),
            known(phase.takes_ns),
            percent_or_dash(phase.share),
            count(phase.syscalls),
            count(phase.stat),
            count(phase.open),
            count(phase.misses),
            time_or_dash(phase.file_system_ns),
        ]);
    }
    writeln!(out)?;
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", look.note(&method(report)))
}

/// How the times of phases were made.
fn method(report: &Report) -> String {
    if report.integrity.calls == 0 {
        return "The log has no calls: there is nothing to tell phases by.".to_owned();
    }
    if report.traced_ns.is_none() {
        return "The log has no times (strace writes them with -ttt -T): phases are told by the order of calls alone."
            .to_owned();
    }
    let taken_off = match report.phases.quality {
        Quality::Unknown => "traced times, the tracer's own in them",
        _ => "traced times less the tracer's, by calibration",
    };
    let scaled = report.phases.scaled_by.map_or_else(String::new, |factor| {
        let unlike = if (0.5..=2.0).contains(&factor) {
            ""
        } else {
            ": the traced run was not like the untraced ones, trust the order more than the times"
        };
        let launch = match report.phases.launch_ns {
            0 => String::new(),
            ns => format!("; the first begins with the fork, {} before its execve", time(ns)),
        };
        format!(", times {factor:.2} to add up to the wall time{unlike}; fs time is not scaled{launch}")
    });
    let after = if report.phases.phases.iter().any(|phase| phase.kind == PhaseKind::After) {
        " What others do after the end of the command's first process is not part of its wall time."
    } else {
        ""
    };
    format!("Phases are estimated: {taken_off}{scaled}.{after}")
}
