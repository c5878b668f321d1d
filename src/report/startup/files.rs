//! Files: calls by family, lookups that miss, lookups made again, Python modules.

use std::io::{self, Write};

use super::super::bars::Axis;
use super::super::escape::escape;
use super::super::look::Look;
use super::super::table::{Column, Table};
use super::super::units::{count, percent_or_dash, things, time, time_or_dash};
use super::Options;
use crate::analysis::lookups::{Lookups, Searched};
use crate::analysis::modules::{Module, Modules};
use crate::analysis::searchers::Searcher;
use crate::analysis::startup::Report;

pub(super) fn families(out: &mut dyn Write, report: &Report, look: Look) -> io::Result<()> {
    let files = &report.file_system;
    let true_costs = report.quality.is_measured();
    let null = report.null_call.as_ref().filter(|_| !true_costs);
    let histograms = files.families.iter().map(|row| row.times.log2.as_slice());
    let axis = Axis::of(histograms.chain(null.map(|null| null.log2.as_slice())));
    let bars = |log2: &[_]| axis.map_or_else(String::new, |axis| axis.bars(log2));
    let tail = |ns: Option<u64>| ns.map_or_else(String::new, time);
    let mut table = Table::new(vec![
        Column::text("File-system calls"),
        Column::number("calls"),
        Column::number("failed"),
        Column::number("total"),
        Column::number("share"),
        Column::number("median").dropped(1),
        Column::number("p99").dropped(2),
        Column::number("max").dropped(3),
        Column::text(if true_costs { "costs, log2" } else { "traced, log2" }).dropped(4),
    ]);
    for row in &files.families {
        table.row(vec![
            row.family.to_owned(),
            count(row.calls),
            count(row.failed),
            time_or_dash(row.cost_ns),
            percent_or_dash(row.share),
            time_or_dash(row.times.median_ns),
            tail(row.times.p99_ns),
            tail(row.times.max_ns),
            bars(&row.times.log2),
        ]);
    }
    table.row(vec![
        "all".to_owned(),
        count(files.calls),
        count(files.failed),
        time_or_dash(files.cost_ns),
        percent_or_dash(files.cost_ns.map(|ns| report.wall.share(ns))),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    if let Some(null) = null {
        let mut row = vec![String::new(); 9];
        row[0] = format!("a null call, traced ({})", escape(null.call.as_bytes()));
        row[1] = count(null.calls);
        row[8] = bars(&null.log2);
        table.row_with(8, row);
    }
    lines(out, &table, look, 0)
}

pub(super) fn missed(out: &mut dyn Write, lookups: &Lookups, options: Options<'_>) -> io::Result<()> {
    if lookups.misses == 0 {
        return Ok(());
    }
    let title = format!(
        "{} of {} found nothing (ENOENT), {} in all, in {}",
        count(lookups.misses),
        things(lookups.lookups, "lookup", "lookups"),
        time_or_dash(lookups.misses_ns),
        things(lookups.missed.len() as u64, "directory", "directories"),
    );
    writeln!(out, "\n{}", options.look.title(&title))?;
    for line in searchers(lookups, options.look.width.unwrap_or(usize::MAX)) {
        writeln!(out, "{}", options.look.note(&line))?;
    }
    let mut table = Table::new(vec![
        Column::text("directory"),
        Column::number("misses"),
        Column::number("names"),
        Column::number("cost"),
        Column::text("such as").dropped(1),
    ]);
    for row in lookups.missed.iter().take(options.top) {
        let examples: Vec<String> = row.examples.iter().map(|name| escape(name.bytes())).collect();
        table.row(vec![
            escape(row.directory.bytes()),
            count(row.misses),
            count(row.names),
            time_or_dash(row.cost_ns),
            examples.join(", "),
        ]);
    }
    lines(out, &table, options.look, 2)?;
    more(out, lookups.missed.len(), options, "directories")
}

/// Who looks: "lookups (in vain) by the dynamic loader 45 (23), interpreters 98 (12)", in lines no longer
/// than this where possible.
fn searchers(lookups: &Lookups, width: usize) -> Vec<String> {
    let part = |row: &Searched| {
        let who = match row.searcher {
            Searcher::Loader => "the dynamic loader",
            Searcher::Dlopen => "dlopen",
            Searcher::Interpreter => "interpreters",
            Searcher::Program if lookups.searchers.len() == 1 => "programs",
            Searcher::Program => "other programs",
        };
        let hwcaps = match row.hwcaps {
            0 => String::new(),
            some => format!(", {} hwcaps", count(some)),
        };
        format!("{who} {} ({}{hwcaps})", count(row.lookups), count(row.misses))
    };
    let mut lines = vec!["  lookups (in vain) by ".to_owned()];
    for (at, part) in lookups.searchers.iter().map(part).enumerate() {
        let last = lines.last_mut().filter(|line| at == 0 || line.len() + 3 + part.len() <= width);
        match last {
            Some(line) if at == 0 => line.push_str(&part),
            Some(line) => *line = format!("{line}, {part}"),
            None => lines.push(format!("    {part}")),
        }
    }
    lines
}

pub(super) fn repeated(out: &mut dyn Write, lookups: &Lookups, options: Options<'_>) -> io::Result<()> {
    if lookups.repeats == 0 {
        return Ok(());
    }
    let title = format!(
        "{} of {} ask for a path again, {} in all",
        count(lookups.repeats),
        things(lookups.lookups, "lookup", "lookups"),
        time_or_dash(lookups.repeats_ns),
    );
    writeln!(out, "\n{}", options.look.title(&title))?;
    let mut table = Table::new(vec![
        Column::text("path"),
        Column::number("lookups"),
        Column::number("in vain").dropped(2),
        Column::number("processes").dropped(1),
    ]);
    for row in lookups.repeated.iter().take(options.top) {
        table.row(vec![
            escape(row.path.bytes()),
            count(row.lookups),
            count(row.misses),
            count(row.processes),
        ]);
    }
    lines(out, &table, options.look, 2)?;
    more(out, lookups.repeated.len(), options, "paths")
}

pub(super) fn modules(out: &mut dyn Write, modules: &Modules, options: Options<'_>) -> io::Result<()> {
    if modules.loaded == 0 {
        return Ok(());
    }
    let title = format!(
        "{} from files: {} to find and read them, {} in vain, {} in all",
        things(modules.loaded, "Python module", "Python modules"),
        things(modules.calls, "call", "calls"),
        count(modules.misses),
        time_or_dash(modules.cost_ns),
    );
    writeln!(out, "\n{}", options.look.title(&title))?;
    let mut by_calls: Vec<&Module> = modules.modules.iter().collect();
    by_calls.sort_by_key(|module| std::cmp::Reverse(module.calls));
    let mut table = Table::new(vec![
        Column::text("module"),
        Column::number("calls"),
        Column::number("in vain"),
        Column::number("cost"),
        Column::text("phase").dropped(1),
        Column::text("file").dropped(2),
    ]);
    for module in by_calls.iter().take(options.top) {
        table.row(vec![
            escape(module.name.bytes()),
            count(module.calls),
            count(module.misses),
            time_or_dash(module.cost_ns),
            escape(module.phase.bytes()),
            escape(module.path.bytes()),
        ]);
    }
    lines(out, &table, options.look, 2)?;
    more(out, by_calls.len(), options, "modules")
}

fn lines(out: &mut dyn Write, table: &Table, look: Look, indent: usize) -> io::Result<()> {
    if indent == 0 {
        writeln!(out)?;
    }
    table.lines(look, indent).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn more(out: &mut dyn Write, all: usize, options: Options<'_>, what: &str) -> io::Result<()> {
    let rest = all.saturating_sub(options.top);
    if rest == 0 {
        return Ok(());
    }
    writeln!(out, "  {}", options.look.note(&format!("({} more {what})", count(rest as u64))))
}
