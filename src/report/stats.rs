//! `trace stats` as text.

use std::io::{self, Write};

use super::bars::Axis;
use super::escape::escape;
use super::look::Look;
use super::notes;
use super::table::{self, Column};
use super::units::{count, percent_or_dash, things, time, time_or_dash};
use crate::analysis::cost::Quality;
use crate::analysis::stats::{By, Errno, Row, Table};

/// The column of bars.
const BARS: usize = 10;
/// Errnos of a row that are named one by one.
const NAMED_ERRNOS: usize = 3;

/// Writes the table.
pub fn write(out: &mut dyn Write, table: &Table, backend: &str, look: Look) -> io::Result<()> {
    for line in notes::integrity(&table.integrity) {
        writeln!(out, "{}", look.warning(&line))?;
    }
    let total = &table.total;
    let chosen = match table.not_chosen_calls {
        0 => String::new(),
        others => format!(", of {} in the log", count(total.calls + others)),
    };
    let headline = format!(
        "{}{chosen} in {}, {}, by {}",
        things(total.calls, "call", "calls"),
        things(total.processes, "process", "processes"),
        total.traced_ns.map_or_else(|| "without times".to_owned(), |ns| format!("{} traced", time(ns))),
        title(table.by),
    );
    writeln!(out, "{}", look.text(&headline))?;
    let axis = axis(table);
    for line in rows(table, axis).lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    for line in footer(table, backend, axis) {
        writeln!(out, "{}", look.note(&line))?;
    }
    Ok(())
}

fn title(by: By) -> &'static str {
    By::ALL.iter().find(|(known, _)| *known == by).map_or("", |(_, name)| name)
}

fn axis(table: &Table) -> Option<Axis> {
    let null = table.null_call.as_ref().filter(|_| !table.quality.is_measured());
    let histograms = table.rows.iter().map(|row| row.times.log2.as_slice());
    Axis::of(histograms.chain(null.map(|null| null.log2.as_slice())))
}

fn rows(table: &Table, axis: Option<Axis>) -> table::Table {
    let true_costs = table.quality.is_measured();
    let mut rows = table::Table::new(vec![
        Column::text(title(table.by)),
        Column::number("calls"),
        Column::number("errors"),
        Column::number("total"),
        Column::number("share").dropped(2),
        Column::number("mean").dropped(4),
        Column::number("median").dropped(5),
        Column::number("p90").dropped(8),
        Column::number("p99").dropped(6),
        Column::number("max").dropped(7),
        Column::text(if true_costs { "costs, log2" } else { "traced, log2" }).dropped(9),
        Column::text("errors by errno").dropped(3),
    ]);
    for row in &table.rows {
        rows.row(cells(row, axis));
    }
    let more = table.left_out.as_ref();
    if let Some(rest) = more {
        let sums = [count(rest.calls), count(rest.errors), time_or_dash(rest.total_ns), String::new()];
        rows.row(line(format!("({} more)", count(rest.rows)), sums, String::new()));
    }
    let total = &table.total;
    let sums =
        [count(total.calls), count(total.errors), time_or_dash(total.total_ns), percent_or_dash(total.share)];
    rows.row(line("all calls".to_owned(), sums, String::new()));
    if let (Some(null), Some(axis), false) = (&table.null_call, axis, true_costs) {
        let name = format!("a null call, traced ({})", escape(null.call.as_bytes()));
        rows.row_with(
            BARS,
            line(
                name,
                [count(null.calls), String::new(), String::new(), String::new()],
                axis.bars(&null.log2),
            ),
        );
    }
    rows
}

/// A row that has only sums and bars.
fn line(name: String, sums: [String; 4], bars: String) -> Vec<String> {
    let mut cells = vec![String::new(); 12];
    cells[0] = name;
    cells[BARS] = bars;
    for (cell, sum) in cells[1..5].iter_mut().zip(sums) {
        *cell = sum;
    }
    cells
}

fn cells(row: &Row, axis: Option<Axis>) -> Vec<String> {
    let tail = |ns: Option<u64>| ns.map_or_else(String::new, time);
    vec![
        escape(row.name.bytes()),
        count(row.calls),
        count(row.errors),
        time_or_dash(row.total_ns),
        percent_or_dash(row.share),
        time_or_dash(row.mean_ns),
        time_or_dash(row.times.median_ns),
        tail(row.times.p90_ns),
        tail(row.times.p99_ns),
        tail(row.times.max_ns),
        axis.map_or_else(String::new, |axis| axis.bars(&row.times.log2)),
        errnos(&row.errnos),
    ]
}

/// `ENOENT 31, EEXIST 2`, the less frequent ones as a number.
fn errnos(errnos: &[Errno]) -> String {
    let mut named: Vec<String> = errnos
        .iter()
        .take(NAMED_ERRNOS)
        .map(|errno| format!("{} {}", errno.errno, count(errno.calls)))
        .collect();
    let rest: u64 = errnos.iter().skip(NAMED_ERRNOS).map(|errno| errno.calls).sum();
    if rest > 0 {
        named.push(format!("{} others", count(rest)));
    }
    named.join(", ")
}

fn footer(table: &Table, backend: &str, axis: Option<Axis>) -> Vec<String> {
    if table.total.calls == 0 {
        // A log that was cut before its first call, or a filter that lets none through: there is no cost to speak of.
        return vec![format!("No calls are counted, so there are no costs; {}.", notes::wall(table.wall))];
    }
    let mut lines = vec![format!(
        "{}; {}.",
        notes::costs(table.quality, table.stop_ns, backend),
        notes::wall(table.wall)
    )];
    if let (Some(axis), Quality::Estimated | Quality::Unknown) = (axis, table.quality) {
        let (from, to) = axis.range_ns();
        lines.push(format!(
            "Bars show traced durations from {} to {} by powers of two, the tracer's stop in them: \
             what the null call shows too is its jitter.",
            time(from),
            time(to)
        ));
    } else if let Some(axis) = axis {
        let (from, to) = axis.range_ns();
        lines.push(format!("Bars show costs from {} to {} by powers of two.", time(from), time(to)));
    }
    lines.extend(table.replayed.as_ref().map(notes::replayed));
    lines.extend(notes::long_calls(table.long_calls, table.quality).map(|line| format!("{line}.")));
    if table.overlapping {
        lines.push(
            "A call that belongs to several classes counts in each, so rows add up to more than all calls."
                .into(),
        );
    }
    if table.total.share.is_some_and(|share| share > 1.0) {
        lines.push(notes::OVERLAP.to_owned());
    }
    if table.uncounted_calls > 0 {
        let what = match table.by {
            By::Path | By::Dir => "name no file",
            _ => "belong to no row",
        };
        lines.push(format!("{} {what}.", things(table.uncounted_calls, "call", "calls")));
    }
    if table.integrity.never_returned > 0 {
        lines.push(format!(
            "{} never returned; counted, without a cost.",
            things(table.integrity.never_returned, "call", "calls")
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::{Options, Sort, Stats};
    use crate::analysis::testing::{fixture, header, strace, total};
    use crate::event::{Event, Kind};
    use crate::log::Header;

    fn text(header: &Header, by: By, top: Option<usize>, width: Option<usize>) -> String {
        let mut stats = Stats::new(header, by);
        strace(&fixture("3.11-script"), |event| stats.add(event));
        stats.add(&total());
        let table = stats.finish(Options { sort: Sort::Total, top });
        let mut out = Vec::new();
        write(&mut out, &table, &header.backend, Look { width, colour: false }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn estimated_by_syscall() {
        insta::assert_snapshot!(text(&header(), By::Syscall, Some(12), None));
    }

    #[test]
    fn true_costs_by_directory_on_a_narrow_terminal() {
        let header = Header { backend: "ebpf".to_owned(), ..header() };
        let text = text(&header, By::Dir, Some(6), Some(90));
        assert!(text.lines().take(10).all(|line| line.chars().count() <= 90), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn unknown_costs_by_class() {
        insta::assert_snapshot!(text(&Header { calibration: None, ..header() }, By::Class, None, None));
    }

    #[test]
    fn losses_are_the_first_line() {
        let mut stats = Stats::new(&header(), By::Syscall);
        stats.add(&Event { text: Some(b"killed"), ret: Some(-1), ..Event::new(Kind::Lost) });
        let mut out = Vec::new();
        write(&mut out, &stats.finish(Options::default()), "ptrace", Look::PLAIN).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("events are missing from this log: killed (number unknown)\n"), "{text}");
    }
}
