//! Tables of figures side by side.

use std::io::{self, Write};

use super::answer::factor;
use super::{RATIOS, letter};
use crate::analysis::compare::{Cell, Comparison, Row, Unit, Verdict};
use crate::report::escape::escape;
use crate::report::look::Look;
use crate::report::table::{Column, Table};
use crate::report::units::{bytes, count, things, time};

/// Columns: a name, each side, each other side against the first, and whether that is sure.
fn columns(title: &'static str, sides: usize) -> Vec<Column> {
    let mut columns = vec![Column::text(title)];
    columns.push(Column::number(letter(0)));
    // The ratios tell these, too.
    columns.extend((1..sides).map(|at| Column::number(letter(at)).dropped_last(1)));
    columns.extend((1..sides).map(|at| Column::number(RATIOS[at])));
    columns.push(Column::text("interval").dropped(2));
    columns.push(Column::text("").dropped(1));
    columns
}

pub fn times(out: &mut dyn Write, compared: &Comparison, look: Look) -> io::Result<()> {
    let known: Vec<&Row> =
        compared.times.iter().filter(|row| row.sides.iter().any(|cell| cell.most > 0.0)).collect();
    rows(out, "Untraced", &known, usize::MAX, look)
}

pub fn rows(
    out: &mut dyn Write,
    title: &'static str,
    rows: &[&Row],
    top: usize,
    look: Look,
) -> io::Result<()> {
    let (Some(first), false) = (rows.first(), rows.is_empty()) else { return Ok(()) };
    let mut table = Table::new(columns(title, first.sides.len()));
    let is_worth = |row: &&&Row| {
        top == usize::MAX
            || row.others.iter().any(|against| match against.verdict {
                Verdict::Differs => true,
                Verdict::Untested => against.difference != 0.0,
                Verdict::NotSure | Verdict::Alike | Verdict::Unknown => false,
            })
    };
    let worth: Vec<&&Row> = rows.iter().filter(is_worth).collect();
    for row in worth.iter().take(top) {
        table.row(cells(row));
    }
    if worth.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    let (hidden, alike) = (worth.len().saturating_sub(top), rows.len() - worth.len());
    let parts = [(hidden, "more that differ"), (alike, "that do not, or not surely")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", count(*n as u64)))
        .collect();
    if !parts.is_empty() && top != usize::MAX {
        writeln!(out, "({}: --all)", parts.join(", "))?;
    }
    Ok(())
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![escape(row.name.bytes())];
    cells.extend(row.sides.iter().map(|cell| side(row.unit, cell)));
    cells.extend(row.others.iter().map(|against| match against.ratio {
        Some(ratio) => factor(ratio.value),
        None if against.difference > 0.0 => "only".to_owned(),
        None => "-".to_owned(),
    }));
    let intervals = row.others.iter().filter_map(|against| against.ratio?.interval);
    let intervals: Vec<String> =
        intervals.map(|interval| format!("{} to {}", factor(interval.low), factor(interval.high))).collect();
    cells.push(if row.measure.is_none() { intervals.join("; ") } else { String::new() });
    let mut note = verdicts(row);
    let outliers: usize = row.sides.iter().map(|cell| cell.outliers).sum();
    if row.measure.is_none() && outliers > 0 {
        let words = things(outliers as u64, "outlier", "outliers");
        note = if note.is_empty() { words } else { format!("{note}, {words}") };
    }
    cells.push(note);
    cells
}

fn side(unit: Unit, cell: &Cell) -> String {
    if cell.runs == 0 { "-".to_owned() } else { shown(unit, cell.median) }
}

pub fn shown(unit: Unit, value: f64) -> String {
    let whole = value.abs().round() as u64;
    let text = match unit {
        Unit::Ns => time(whole),
        Unit::Count => count(whole),
        Unit::Bytes => bytes(whole),
    };
    if value < -0.5 { format!("-{text}") } else { text }
}

/// What is not sure, or no difference: of all sides, or of those that are named.
fn verdicts(row: &Row) -> String {
    let all: Vec<&str> = row.others.iter().map(|against| verdict(against.verdict)).collect();
    if all.windows(2).all(|pair| pair[0] == pair[1]) {
        return all.first().copied().unwrap_or_default().to_owned();
    }
    let named = all.iter().enumerate().filter(|(_, word)| !word.is_empty());
    named.map(|(at, word)| format!("{} {word}", letter(at + 1))).collect::<Vec<_>>().join(", ")
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Differs | Verdict::Unknown => "",
        Verdict::Untested => "not tested",
        Verdict::NotSure => "not sure",
        Verdict::Alike => "alike",
    }
}
