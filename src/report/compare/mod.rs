//! `trace compare` as text: what is not alike, the answer, then tables, largest differences first.

mod answer;
mod only;
mod replays;
mod rows;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::escape::printable;
use super::look::Look;
use super::table::{Column, Table};
use super::units::{count, things};
use crate::analysis::compare::{Comparison, Dimension, Measure, Row, Side, Unit};
use answer::{alone, answer, footer};
use only::only;
use replays::replays;
use rows::{rows, shown, times};

/// Names of the sides in tables.
pub const LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// Titles of the columns that compare.
const RATIOS: [&str; 8] = ["A / A", "B / A", "C / A", "D / A", "E / A", "F / A", "G / A", "H / A"];
/// The same for differences.
const LESS: [&str; 8] = ["A - A", "B - A", "C - A", "D - A", "E - A", "F - A", "G - A", "H - A"];
/// Rows of a table that are shown without a wish.
const TOP: usize = 8;

/// Writes the report.
pub fn write(out: &mut dyn Write, compared: &Comparison, all: bool, look: Look) -> io::Result<()> {
    for (at, side) in compared.sides.iter().enumerate() {
        let runs =
            [(side.runs, "untraced run"), (side.traced, "traced run")].into_iter().filter(|(n, _)| *n > 0);
        let runs: Vec<String> = runs.map(|(n, what)| things(n as u64, what, &format!("{what}s"))).collect();
        writeln!(
            out,
            "{}  {}",
            look.title(letter(at)),
            look.headline(&printable(&side.name), &runs.join(", "))
        )?;
        if let Some(text) = without_calls(side) {
            writeln!(out, "   {}", look.warning(&text))?;
        } else if side.lost_events > 0 || !side.complete {
            writeln!(out, "   {}", look.warning("events are missing from its log: counts are too low"))?;
        }
    }
    unlike(out, compared, look)?;
    writeln!(out, "\n{}", look.text(&answer(compared)))?;
    for line in alone(compared) {
        writeln!(out, "{}", look.text(&line))?;
    }
    times(out, compared, look)?;
    let top = if all { usize::MAX } else { TOP };
    rows(
        out,
        "What they do",
        &compared.figures.iter().collect::<Vec<_>>(),
        if all { top } else { 2 * TOP },
        look,
    )?;
    for (title, dimension, measure) in TABLES {
        let chosen = |row: &&Row| row.dimension == Some(dimension) && row.measure == Some(measure);
        rows(out, title, &compared.calls.iter().filter(chosen).collect::<Vec<_>>(), top, look)?;
    }
    only(out, compared, top, look)?;
    parts(out, compared, look)?;
    replays(out, compared, look)?;
    writeln!(out)?;
    for line in footer(compared) {
        writeln!(out, "{}", look.note(&line))?;
    }
    Ok(())
}

/// Tables of calls, in order.
const TABLES: [(&str, Dimension, Measure); 5] = [
    ("Calls by family", Dimension::Family, Measure::Calls),
    ("Calls by place", Dimension::Place, Measure::Calls),
    ("Calls", Dimension::Syscall, Measure::Calls),
    ("Failed calls", Dimension::Syscall, Measure::Failed),
    ("Cost by family", Dimension::Family, Measure::Cost),
];

fn letter(side: usize) -> &'static str {
    LETTERS.get(side).copied().unwrap_or("?")
}

/// What is said of logs without a call.
fn without_calls(side: &Side) -> Option<String> {
    match (side.without_calls, side.traced) {
        (0, _) => None,
        (_, 0) => Some("its log has no calls: nothing that calls tell can be compared".to_owned()),
        (none, some) => {
            let (none, all) = (none as u64, (none + some) as u64);
            Some(format!(
                "{} of its {} have no calls, and are left out",
                count(none),
                things(all, "log", "logs")
            ))
        }
    }
}

fn unlike(out: &mut dyn Write, compared: &Comparison, look: Look) -> io::Result<()> {
    if compared.unlike.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", look.warning("Not alike:"))?;
    for unlike in &compared.unlike {
        let sides = unlike.sides.iter().enumerate();
        let sides: Vec<String> =
            sides.map(|(at, side)| format!("{} {}", letter(at), printable(side))).collect();
        let head = format!("  {}: ", unlike.what);
        writeln!(out, "{}", look.hanging(&head, &format!("{}; {}", sides.join(", "), unlike.why)))?;
    }
    Ok(())
}

/// Where the wall time is.
fn parts(out: &mut dyn Write, compared: &Comparison, look: Look) -> io::Result<()> {
    if compared.parts.is_empty() {
        return Ok(());
    }
    let sides = compared.sides.len();
    let mut columns = vec![Column::text("Where the time is")];
    columns.push(Column::number(letter(0)));
    columns.extend((1..sides).map(|at| Column::number(letter(at)).dropped_last(1)));
    columns.extend((1..sides).map(|at| Column::number(LESS[at])));
    let mut table = Table::new(columns);
    for part in &compared.parts {
        let dash = |ns: Option<f64>| ns.map_or_else(|| "-".to_owned(), |ns| shown(Unit::Ns, ns));
        let mut cells = vec![part.kind.name().to_owned()];
        cells.extend(part.ns.iter().map(|ns| dash(*ns)));
        let reference = part.ns.first().copied().flatten();
        cells.extend(part.ns.iter().skip(1).map(|ns| dash(ns.zip(reference).map(|(ns, base)| ns - base))));
        table.row(cells);
    }
    writeln!(out)?;
    table.lines(look, 0).iter().try_for_each(|line| writeln!(out, "{line}"))
}
