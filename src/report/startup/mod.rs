//! `trace startup` as text, on one screen: the first lines answer the question.

mod behind;
mod cold;
mod files;
mod findings;
mod partition;
mod phases;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{self, Write};

use super::alignment;
use super::escape::{command_line, escape};
use super::look::Look;
use super::notes;
use super::units::{at_most, percent, things, time, whole_percent};
use crate::analysis::cost::Quality;
use crate::analysis::findings::Findings;
use crate::analysis::interval::Summary;
use crate::analysis::launcher::Launcher;
use crate::analysis::startup::Report;
use crate::analysis::wall::{Untraced, WallKind};

/// What the caller knows beside the report.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Most rows of each list.
    pub top: usize,
    /// Width and colour.
    pub look: Look,
    /// The last line: where log and flame graph are, what to do next. Empty: none.
    pub last: &'a str,
}

/// Rows of each list on a screen.
pub const TOP: usize = 5;

/// Writes the report.
pub fn write(out: &mut dyn Write, report: &Report, options: Options<'_>) -> io::Result<()> {
    let look = options.look;
    for line in notes::integrity(&report.integrity) {
        writeln!(out, "{}", look.warning(&line))?;
    }
    if let Some(launcher) = &report.launcher {
        writeln!(out, "{}", look.warning(&before(launcher, report.traced_ns.is_some())))?;
    }
    writeln!(out, "{}", look.headline(&title(&report.command), &beside_title(report)))?;
    partition::write(out, report, look)?;
    phases::write(out, report, look)?;
    if let Some(cold) = &report.cold {
        cold::write(out, cold, (report.untraced.as_ref(), &report.phases), look)?;
    }
    files::families(out, report, look)?;
    if let Some(behind) = &report.behind {
        behind::write(out, behind, options)?;
    }
    files::missed(out, &report.lookups, options)?;
    files::repeated(out, &report.lookups, options)?;
    files::modules(out, &report.modules, options)?;
    if report.tree.processes > 1 {
        tree::write(out, report, options)?;
    }
    findings::write(out, &report.findings, options)?;
    writeln!(out)?;
    if let Some(untraced) = &report.untraced {
        writeln!(out, "{}", look.text(&faults(untraced)))?;
    }
    let long = notes::long_calls(report.long_calls, report.quality);
    for line in
        [Some(notes::costs(report.quality, report.stop_ns, &report.backend)), long].into_iter().flatten()
    {
        writeln!(out, "{}", look.note(&format!("{line}.")))?;
    }
    if let Some(why) = &report.not_ebpf {
        writeln!(out, "{}", look.note(&notes::not_ebpf(why)))?;
    }
    if let Some(alignment) = &report.alignment {
        writeln!(out, "{}", look.note(&alignment::sentences(alignment)))?;
    }
    if let Some(until) = &report.until {
        writeln!(out, "{}", look.note(&ready(until, report.untraced.is_some())))?;
    }
    let files = &report.file_system;
    if files.cost_ns.is_some_and(|ns| report.wall.share(ns) > 1.0) {
        writeln!(out, "{}", look.note(notes::OVERLAP))?;
    }
    writeln!(out, "{}", look.title(&ceiling(report)))?;
    if !options.last.is_empty() {
        writeln!(out, "\n{}", look.text(options.last))?;
    }
    Ok(())
}

/// What ran before the program.
fn before(launcher: &Launcher, knows_times: bool) -> String {
    let takes = if knows_times {
        format!("{}, {} of the run", time(launcher.takes_ns), percent(launcher.share))
    } else {
        "how long is not known".to_owned()
    };
    format!(
        "Before {} starts: {}, {}, {}, {}: {takes}.",
        escape(launcher.program.bytes()),
        things(launcher.programs, "program", "programs"),
        things(launcher.processes, "fork", "forks"),
        things(launcher.failed_execs, "failed execve probe", "failed execve probes"),
        things(launcher.syscalls, "system call", "system calls"),
    )
}

/// Writes what untraced runs have told where nothing was traced, and why it was not.
pub fn write_untraced(
    out: &mut dyn Write,
    command: &[String],
    untraced: &Untraced,
    reason: &str,
    look: Look,
) -> io::Result<()> {
    writeln!(out, "{}", look.headline(&title(command), &figures(None, untraced)))?;
    writeln!(out, "{}", look.text(&faults(untraced)))?;
    let reason = escape(reason.as_bytes());
    writeln!(out, "{}", look.warning(&format!("Untraced runs only: {reason}.")))
}

fn title(command: &[String]) -> String {
    command_line(command)
}

/// What the command takes.
fn beside_title(report: &Report) -> String {
    let backend = escape(report.backend.as_bytes());
    let what = report.untraced.as_ref().map_or_else(
        || match &report.until {
            None => format!("{}, no untraced runs in this log", traced(report)),
            Some(until) => {
                let until = escape(until.as_bytes());
                let after = report.traced_ns.map_or_else(String::new, |ns| format!(" after {}", time(ns)));
                format!("ready ({until}){after}, traced; no untraced runs")
            }
        },
        |untraced| figures(report.until.as_deref(), untraced),
    );
    format!("{what}   backend {backend}")
}

/// How long the traced run was.
fn traced(report: &Report) -> String {
    report
        .traced_ns
        .map_or_else(|| "traced, how long is not known".to_owned(), |ns| format!("traced {}", time(ns)))
}

fn figures(until: Option<&str>, untraced: &Untraced) -> String {
    let figures = &untraced.figures;
    format!(
        "{} {} {}   CPU {}",
        until.map_or_else(|| "wall".to_owned(), |until| format!("ready ({})", escape(until.as_bytes()))),
        time(untraced.wall_ns()),
        spread(&figures.wall_ns),
        cpu(&figures.cpu_ns, untraced.user_share),
    )
}

/// CPU time, how sure that is, and how it divides.
fn cpu(cpu: &Summary, user_share: Option<f64>) -> String {
    let range = (cpu.count > 1).then(|| cold::range(cpu, time));
    let split =
        user_share.map(|user| format!("user {}, sys {}", whole_percent(user), whole_percent(1.0 - user)));
    let aside: Vec<_> = [range, split].into_iter().flatten().collect();
    let median = time(cpu.median as u64);
    if aside.is_empty() { median } else { format!("{median} ({})", aside.join("; ")) }
}

/// How sure a median time is.
fn spread(summary: &Summary) -> String {
    let runs = things(summary.count as u64, "untraced run", "untraced runs");
    let range = |low: f64, high: f64| format!("{} to {}", time(low as u64), time(high as u64));
    match summary.interval {
        Some(interval) => format!("(median of {runs}, 95 % interval {})", range(interval.low, interval.high)),
        None if summary.count > 1 => format!("(median of {runs}, {})", range(summary.min, summary.max)),
        None => format!("({runs})"),
    }
}

fn faults(untraced: &Untraced) -> String {
    let figures = &untraced.figures;
    let median = |summary: &Summary| summary.median as u64;
    format!(
        "Page faults {} without I/O, {} with; context switches {} voluntary, {} not (medians of untraced runs).",
        super::units::count(median(&figures.minor_faults)),
        super::units::count(median(&figures.major_faults)),
        super::units::count(median(&figures.voluntary_switches)),
        super::units::count(median(&figures.involuntary_switches)),
    )
}

/// What the time to readiness is.
fn ready(until: &str, is_untraced: bool) -> String {
    let until = escape(until.as_bytes());
    if !is_untraced {
        return format!(
            "The one run was traced until the command was ready (--until {until}), and then left alone."
        );
    }
    let when = match until.split('=').next() {
        Some("output") => "noted when the output is read",
        _ => "looked for every 0.5 ms",
    };
    format!(
        "Runs last until the command is ready (--until {until}), {when}; then it is ended. CPU time is \
         too low, by up to two clock ticks of 10 ms for each process."
    )
}

/// What may be avoidable, as the last part of a report.
pub fn write_findings(out: &mut dyn Write, list: &Findings, options: Options<'_>) -> io::Result<()> {
    findings::write(out, list, options)
}

/// The ceiling: always there, whatever else there is to say.
#[must_use]
pub fn ceiling(report: &Report) -> String {
    let Some(share) = report.file_system.ceiling_share else {
        let why = if report.quality == Quality::Unknown {
            "costs are not known"
        } else {
            "events are missing, or may be"
        };
        return format!("If every file-system call were free: not known, for {why}.");
    };
    let estimated = if report.quality.is_measured() { "" } else { "estimated" };
    let range = report.file_system.ceiling_range.map_or_else(String::new, |(low, high)| {
        let (low, high) = (percent(low), percent(high));
        let long = if report.long_calls.calls > 0 {
            ", and the lower without the calls that took over 1 ms"
        } else {
            ""
        };
        if low == high { String::new() } else { format!("{low} to {high} by the wall time's range{long}") }
    });
    let mut aside = [estimated, &range].into_iter().filter(|text| !text.is_empty()).peekable();
    let aside = aside.peek().is_some().then(|| aside.collect::<Vec<_>>().join(", "));
    let aside = aside.map_or_else(String::new, |aside| format!(" ({aside})"));
    let of = match report.wall.kind {
        WallKind::UntracedMedian => "",
        WallKind::TracedSpan => ", of its traced time",
    };
    format!("If every file-system call were free, this run would be {} faster{of}{aside}.", at_most(share))
}
