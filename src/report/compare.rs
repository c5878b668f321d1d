//! `trace compare` as text: what is not alike, the answer, then tables, largest differences first.

use std::io::{self, Write};

use super::escape::{escape, printable};
use super::look::Look;
use super::table::{Column, Table};
use super::units::{bytes, count, things, time};
use crate::analysis::compare::{
    Against, Cell, Comparison, Dimension, Measure, Only, Ratio, Row, Unit, Verdict,
};

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
        if side.lost_events > 0 || !side.complete {
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

/// Which is faster, and by how much.
fn answer(compared: &Comparison) -> String {
    let Some(wall) = compared.times.first() else {
        return "No untraced runs: which is faster is not known.".to_owned();
    };
    let lines = wall.others.iter().enumerate().map(|(at, against)| {
        let [reference, other] = [&wall.sides[0], &wall.sides[at + 1]];
        if reference.runs == 0 || other.runs == 0 {
            return format!("Whether {} is faster than A is not known: no untraced runs.", letter(at + 1));
        }
        let [first, second] = [reference, other].map(|cell| shown(Unit::Ns, cell.median));
        let medians = format!("{second} against {first}");
        let ratio = against.ratio.map(faster);
        match (against.verdict, ratio) {
            (Verdict::Differs, Some((word, factor))) => {
                format!("{} is {factor} times as {word} as A: {medians}.", letter(at + 1))
            }
            (Verdict::Untested, Some((word, factor))) => format!(
                "{} was {factor} times as {word} as A ({medians}), in too few runs to be sure of it.",
                letter(at + 1)
            ),
            _ => format!(
                "No difference in wall time between A and {} is sure: {first} against {second}.",
                letter(at + 1)
            ),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How many times as fast or slow, with its interval.
fn faster(ratio: Ratio) -> (&'static str, String) {
    let is_faster = ratio.value < 1.0;
    let turned = |value: f64| if is_faster { 1.0 / value } else { value };
    let range = ratio.interval.map_or_else(String::new, |interval| {
        let mut ends = [turned(interval.low), turned(interval.high)];
        ends.sort_by(f64::total_cmp);
        format!(" ({} to {})", factor(ends[0]), factor(ends[1]))
    });
    (if is_faster { "fast" } else { "slow" }, format!("{}{range}", factor(turned(ratio.value))))
}

fn factor(value: f64) -> String {
    if value < 9.995 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// What is done a lot by one side, and not at all by another.
fn alone(compared: &Comparison) -> Vec<String> {
    let rows = compared.figures.iter().filter(|row| {
        let told = |against: &Against| matches!(against.verdict, Verdict::Differs | Verdict::Untested);
        row.others.iter().any(told) && row.sides.iter().any(|cell| cell.median == 0.0 && cell.runs > 0)
    });
    let lines = rows.map(|row| {
        let name = escape(row.name.bytes());
        let has = row.sides.iter().enumerate().filter(|(_, cell)| cell.median > 0.0);
        let has: Vec<String> =
            has.map(|(at, cell)| format!("{} {}", letter(at), shown(row.unit, cell.median))).collect();
        let none: Vec<&str> = row
            .sides
            .iter()
            .enumerate()
            .filter(|(_, cell)| cell.median == 0.0 && cell.runs > 0)
            .map(|(at, _)| letter(at))
            .collect();
        format!("{name}: {}, {} none", has.join(", "), none.join(", "))
    });
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { lines } else { vec![format!("Done by some only: {}.", lines.join("; "))] }
}

/// Columns: a name, each side, each other side against the first, and whether that is sure.
fn columns(title: &'static str, sides: usize) -> Vec<Column> {
    let mut columns = vec![Column::text(title)];
    columns.extend((0..sides).map(|at| Column::number(letter(at))));
    columns.extend((1..sides).map(|at| Column::number(RATIOS[at])));
    columns.push(Column::text("interval").dropped(2));
    columns.push(Column::text("").dropped(1));
    columns
}

fn times(out: &mut dyn Write, compared: &Comparison, look: Look) -> io::Result<()> {
    let known: Vec<&Row> =
        compared.times.iter().filter(|row| row.sides.iter().any(|cell| cell.most > 0.0)).collect();
    rows(out, "Untraced", &known, usize::MAX, look)
}

fn rows(out: &mut dyn Write, title: &'static str, rows: &[&Row], top: usize, look: Look) -> io::Result<()> {
    let (Some(first), false) = (rows.first(), rows.is_empty()) else { return Ok(()) };
    let mut table = Table::new(columns(title, first.sides.len()));
    let is_worth = |row: &&&Row| {
        top == usize::MAX
            || row.others.iter().any(|against| match against.verdict {
                Verdict::Differs => true,
                Verdict::Untested => against.difference != 0.0,
                Verdict::NotSure | Verdict::Alike => false,
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
    let mut notes: Vec<&str> = row.others.iter().map(|against| verdict(against.verdict)).collect();
    notes.dedup();
    let mut note = notes.join(", ");
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

fn shown(unit: Unit, value: f64) -> String {
    let whole = value.abs().round() as u64;
    let text = match unit {
        Unit::Ns => time(whole),
        Unit::Count => count(whole),
        Unit::Bytes => bytes(whole),
    };
    if value < -0.5 { format!("-{text}") } else { text }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Differs | Verdict::Untested => "",
        Verdict::NotSure => "not sure",
        Verdict::Alike => "alike",
    }
}

fn only(out: &mut dyn Write, compared: &Comparison, top: usize, look: Look) -> io::Result<()> {
    for (at, _) in compared.sides.iter().enumerate() {
        let own: Vec<&Only> = compared.only.iter().filter(|only| only.side == at).collect();
        let mut rest = own.as_slice();
        if !own.is_empty() {
            writeln!(out, "\n{}", look.title(&format!("Only {}", letter(at))))?;
        }
        while let Some(first) = rest.first() {
            let (kind, others) = rest.split_at(rest.partition_point(|only| only.kind == first.kind));
            rest = others;
            let names = kind.iter().take(top).map(|only| match only.calls {
                0 => escape(only.name.bytes()),
                calls => format!("{} ({})", escape(only.name.bytes()), count(calls)),
            });
            let names: Vec<String> = names.collect();
            let more = kind.len().saturating_sub(top);
            let more = if more > 0 { format!(", {} more", count(more as u64)) } else { String::new() };
            let head = format!("  {}: ", first.kind.name());
            writeln!(out, "{}", look.hanging(&head, &format!("{}{more}", names.join(", "))))?;
        }
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
    columns.extend((0..sides).map(|at| Column::number(letter(at))));
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

/// Whether a count or cost of calls differs in a way that is shown.
fn any_differs(compared: &Comparison) -> bool {
    let mut all = compared.figures.iter().chain(&compared.calls).flat_map(|row| &row.others);
    all.any(|one| match one.verdict {
        Verdict::Differs => true,
        Verdict::Untested => one.difference != 0.0,
        Verdict::NotSure | Verdict::Alike => false,
    })
}

fn footer(compared: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    let has =
        |rows: &[Row], verdict| rows.iter().flat_map(|row| &row.others).any(|one| one.verdict == verdict);
    let is_traced = compared.sides.iter().all(|side| side.traced > 0);
    if is_traced && !any_differs(compared) {
        lines.push("No count of calls differs in a way that is sure and worth mention.".to_owned());
    }
    if has(&compared.figures, Verdict::Untested) && is_traced {
        let text = "Fewer than 4 traced runs of a side: counts that differ are shown as they are, and may do so by chance.";
        lines.push(text.to_owned());
    }
    if !compared.times.is_empty() {
        let text = "CPU time is exact; how it divides into user and sys is told by the kernel's clock ticks, and of short runs hardly.";
        lines.push(text.to_owned());
    }
    if has(&compared.figures, Verdict::Differs) || has(&compared.times, Verdict::Differs) {
        let text = "Medians. A difference is called one where it is above 1 %, and believed at a false discovery rate of 5 % \
                    over all rows of its kind.";
        lines.push(text.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{Sample, compare};
    use crate::log::Run;

    fn sample(name: &str, wall_ns: u64) -> Sample {
        let run = |at: u64| Run {
            wall_ns: wall_ns + at * 1_000,
            user_ns: wall_ns / 2,
            minor_faults: 9,
            ..Run::default()
        };
        Sample { name: name.to_owned(), runs: (0..12).map(run).collect(), profiles: Vec::new() }
    }

    fn text(samples: &[Sample]) -> String {
        let mut out = Vec::new();
        write(&mut out, &compare(samples, true), false, Look::PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn medians_stand_in_the_order_of_the_sides_that_are_named() {
        let text = text(&[sample("a", 10_000_000), sample("b", 10_080_000), sample("c", 10_000_000)]);
        for expected in [
            "\nNo difference in wall time between A and B is sure: 10.0 ms against 10.1 ms.\n",
            "\nNo difference in wall time between A and C is sure: 10.0 ms against 10.0 ms.\n",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn the_answer_comes_first() {
        let text = text(&[sample("old\u{1b}[2J", 20_000_000), sample("new", 10_000_000)]);
        assert!(
            text.starts_with("A  old\\u{1b}[2J   12 untraced runs\nB  new   12 untraced runs\n\n"),
            "{text}"
        );
        assert!(
            text.contains("\nB is 2.00 (2.00 to 2.00) times as fast as A: 10.0 ms against 20.0 ms.\n"),
            "{text}"
        );
        let faults = text.lines().find(|line| line.starts_with("minor faults")).unwrap_or_default();
        assert!(faults.ends_with("1.00  1.00 to 1.00  alike"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn no_difference_is_said_to_be_none() {
        let text = text(&[sample("a", 10_000_000), sample("b", 10_000_000)]);
        assert!(
            text.contains("No difference in wall time between A and B is sure: 10.0 ms against 10.0 ms."),
            "{text}"
        );
    }

    #[test]
    fn what_is_slower_is_told_so() {
        let text = text(&[sample("a", 10_000_000), sample("b", 30_000_000), sample("c", 10_000_000)]);
        assert!(
            text.contains(
                "B is 3.00 (3.00 to 3.00) times as slow as A: 30.0 ms against 10.0 ms.\nNo difference"
            ),
            "{text}"
        );
    }
}
