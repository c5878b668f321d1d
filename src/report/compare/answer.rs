//! What a comparison comes to, in a sentence for each side, and what the numbers are.

use super::letter;
use super::rows::shown;
use crate::analysis::compare::{Against, Cell, Comparison, Ratio, Row, Unit, Verdict};
use crate::report::escape::escape;

/// Which is faster, and by how much.
pub fn answer(compared: &Comparison) -> String {
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

pub fn factor(value: f64) -> String {
    if value < 9.995 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// What is done a lot by one side, and not at all by another.
pub fn alone(compared: &Comparison) -> Vec<String> {
    // What a log that lacks events does not have may be among those.
    let has_none = |(at, cell): (usize, &Cell)| {
        let is_whole = compared.sides.get(at).is_some_and(|side| side.lost_events == 0 && side.complete);
        cell.median == 0.0 && cell.runs > 0 && is_whole
    };
    let rows = compared.figures.iter().filter(|row| {
        let told = |against: &Against| matches!(against.verdict, Verdict::Differs | Verdict::Untested);
        row.others.iter().any(told) && row.sides.iter().enumerate().any(has_none)
    });
    let lines = rows.map(|row| {
        let name = escape(row.name.bytes());
        let has = row.sides.iter().enumerate().filter(|(_, cell)| cell.median > 0.0);
        let has: Vec<String> =
            has.map(|(at, cell)| format!("{} {}", letter(at), shown(row.unit, cell.median))).collect();
        let none: Vec<&str> =
            row.sides.iter().enumerate().filter(|side| has_none(*side)).map(|(at, _)| letter(at)).collect();
        format!("{name}: {}, {} none", has.join(", "), none.join(", "))
    });
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { lines } else { vec![format!("Done by some only: {}.", lines.join("; "))] }
}

/// Whether a count or cost of calls differs in a way that is shown.
fn any_differs(compared: &Comparison) -> bool {
    let mut all = compared.figures.iter().chain(&compared.calls).flat_map(|row| &row.others);
    all.any(|one| match one.verdict {
        Verdict::Differs => true,
        Verdict::Untested => one.difference != 0.0,
        Verdict::NotSure | Verdict::Alike | Verdict::Unknown => false,
    })
}

pub fn footer(compared: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    let has =
        |rows: &[Row], verdict| rows.iter().flat_map(|row| &row.others).any(|one| one.verdict == verdict);
    let is_traced = matches!(compared.sides.split_first(), Some((reference, others)) if reference.traced > 0 && others.iter().any(|other| other.traced > 0));
    if is_traced && !any_differs(compared) {
        lines.push("No count of calls differs in a way that is sure and worth mention.".to_owned());
    }
    if has(&compared.figures, Verdict::Untested) && is_traced {
        let text = "Fewer than 4 traced runs of a side: what differs is shown as it is, not tested, and may do so by chance, costs above all.";
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
