//! Where the time goes, all of it: the first table.

use std::io::{self, Write};

use super::super::escape::escape;
use super::super::look::Look;
use super::super::notes;
use super::super::table::{Column, Table};
use super::super::units::{count, percent, percent_within, things, time, times_as_much};
use crate::analysis::partition::{Part, Partition};
use crate::analysis::startup::Report;

/// Functions that are named.
const NAMED: usize = 5;
/// So many times the CPU time of untraced runs are told of.
const NOTEWORTHY: f64 = 1.1;
/// Samples from which shares of functions say something.
const ENOUGH: u64 = 100;

pub(super) fn write(out: &mut dyn Write, report: &Report, look: Look) -> io::Result<()> {
    let Some(partition) = &report.partition else {
        if let Some(why) = &report.not_sampled {
            let text =
                format!("Where the time goes on and off CPUs is not known: {}.", escape(why.as_bytes()));
            writeln!(out, "\n{}", look.note(&text))?;
        }
        return kept(out, report, look);
    };
    let mut table = Table::new(vec![
        Column::text("Where the time goes"),
        Column::number("time"),
        Column::number("share"),
    ]);
    let share = |ns: u64| percent(ns as f64 / partition.wall_ns.max(1) as f64);
    for part in Part::ALL {
        let ns = partition.parts.get(part);
        if ns > 0 {
            table.row(vec![name(part, partition.knows_faults).to_owned(), time(ns), share(ns)]);
        }
    }
    table.row(vec!["all".to_owned(), time(partition.wall_ns), share(partition.wall_ns)]);
    writeln!(out)?;
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", look.note(&how(partition)))?;
    if partition.samples >= ENOUGH {
        writeln!(out, "{}", look.text(&functions(partition)))?;
    }
    kept(out, report, look)
}

/// The samples that are in a log of their own, and what taking them did to the runs.
fn kept(out: &mut dyn Write, report: &Report, look: Look) -> io::Result<()> {
    let Some(samples) = &report.cpu_samples else { return Ok(()) };
    let by = samples.sampled_by.as_ref();
    let by = by.map(|by| format!(", taken by {}", escape(by.as_bytes()))).unwrap_or_default();
    let slower = report.untraced.as_ref().map_or_else(String::new, |untraced| {
        let longer = samples.run_ns as f64 / untraced.wall_ns().max(1) as f64;
        format!(", {} as long as untraced", times_as_much(longer))
    });
    let cost = notes::sample_cost(samples.sample_hz, samples.sample_cost_ns);
    let few = notes::few_samples(samples.samples, samples.sample_hz, samples.user_ns);
    let no_kernel = samples.user_only.then(|| notes::NO_KERNEL_PART.to_owned());
    let hidden = notes::hidden_from_samples(samples.hidden);
    let beside = [cost, few, no_kernel, hidden]
        .into_iter()
        .flatten()
        .fold(String::new(), |all, text| all + "; " + &text);
    let text = format!(
        "CPU samples in {}: {} a second{by}, {} of {}, which took {} on average{slower}{beside}.",
        escape(samples.log.as_bytes()),
        count(u64::from(samples.sample_hz)),
        count(samples.samples),
        things(samples.runs, "run", "runs"),
        time(samples.run_ns),
    );
    writeln!(out, "{}", look.note(&text))
}

fn name(part: Part, knows_faults: bool) -> &'static str {
    match part {
        Part::User if !knows_faults => "user CPU, and page faults",
        part => part.name(),
    }
}

/// What the table is made of.
fn how(partition: &Partition) -> String {
    let threads = partition.threads.len() as u64 + partition.more_threads;
    let path = if threads > 1 {
        format!(" along the critical path through {}", things(threads, "thread", "threads"))
    } else {
        String::new()
    };
    let longer = match partition.cpu_ratio {
        ratio if ratio >= NOTEWORTHY => format!(", {} the CPU time of untraced ones", times_as_much(ratio)),
        _ => String::new(),
    };
    let wakes = if partition.knows_wakes { "" } else { " Waits last until the thread runs again." };
    let samples = match partition.samples {
        0 => {
            format!("without a CPU sample{path} (begins and ends of calls tell user CPU from time in them), ")
        }
        samples => format!(
            "with {} ({} a second){path}, ",
            things(samples, "CPU sample", "CPU samples"),
            count(u64::from(partition.sample_hz)),
        ),
    };
    format!(
        "Of {} {samples}{} on average{longer}; time on a CPU scaled to that of untraced runs, waits as far as their wall time has room.{}{wakes}",
        things(partition.runs, "run", "runs"),
        time(partition.run_ns),
        split(partition).unwrap_or_default(),
    )
}

/// How far what samples tell apart may be off; `None`: nothing is told by them.
fn split(partition: &Partition) -> Option<String> {
    if !partition.knows_faults || partition.split_samples == 0 {
        return None;
    }
    let samples = things(partition.split_samples, "sample", "samples");
    let bound = match partition.swelled {
        swelled if swelled < 0.005 => String::new(),
        swelled => format!(
            ", if the {} of CPU time that the program itself took more than untraced went to both alike; ± {} wherever it went",
            percent(swelled),
            time(partition.split_bound_ns)
        ),
    };
    Some(format!(
        " User CPU and page faults are told apart by {samples} outside of calls: ± {} at most (95 %){bound}.",
        time(partition.split_margin_ns)
    ))
}

/// Where most samples are.
fn functions(partition: &Partition) -> String {
    let named = partition.functions.iter().take(NAMED).map(|function| {
        let share = percent_within(function.share, function.margin);
        format!("{} {share}", escape(function.name.bytes()))
    });
    format!("On a CPU mostly in (95 %): {}.", named.collect::<Vec<_>>().join(", "))
}
