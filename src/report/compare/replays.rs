//! What other ways of making its calls would do for each side.

use std::io::{self, Write};

use super::answer::factor;
use super::letter;
use crate::analysis::compare::{Comparison, Replayed, Way, WayKind};
use crate::report::look::Look;
use crate::report::table::{Column, Table};
use crate::report::units::{count, things};

/// Writes the table, if anything was replayed.
pub fn replays(out: &mut dyn Write, compared: &Comparison, look: Look) -> io::Result<()> {
    if compared.replays.iter().all(Option::is_none) {
        return Ok(());
    }
    let sides = compared.replays.len();
    let mut columns = vec![Column::text("Replayed: the program would be")];
    columns.extend((0..sides).map(|at| Column::number(letter(at))));
    let mut table = Table::new(columns);
    for kind in WayKind::ALL {
        let way = |side: &Option<Replayed>| side.as_ref()?.ways.iter().find(|way| way.kind == kind).cloned();
        let ways: Vec<Option<Way>> = compared.replays.iter().map(way).collect();
        if ways.iter().any(Option::is_some) {
            let cells = ways.iter().map(|way| way.as_ref().map_or_else(|| "-".to_owned(), told));
            table.row(std::iter::once(kind.name().to_owned()).chain(cells).collect());
        }
    }
    writeln!(out)?;
    table.lines(look, 0).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    for (at, side) in compared.replays.iter().enumerate() {
        if let Some(side) = side {
            writeln!(out, "{}", look.note(&format!("{}: {}", letter(at), covered(side))))?;
        }
    }
    Ok(())
}

/// How many times as fast; where the wall time is not known, what part of the calls' time is left.
fn told(way: &Way) -> String {
    match (way.speedup, way.against_serial) {
        (Some([median, low, high]), _) => {
            format!("{} times as fast ({} to {})", times(median), times(low), times(high))
        }
        (None, Some([median, ..])) => format!("{} of the calls' time", factor(median)),
        (None, None) => "-".to_owned(),
    }
}

/// Nearly all of the time may be the calls': then the bound is no number worth its digits.
fn times(value: f64) -> String {
    if value < 100.0 { format!("{value:.3}") } else { "over 100".to_owned() }
}

fn covered(side: &Replayed) -> String {
    let which = if side.writes { "all in a scratch tree" } else { "those that read" };
    let gate = match side.believable {
        Some(false) => "; they cost more or less here than in the program: not to be relied on",
        _ => "",
    };
    format!(
        "{} of {} replayed ({which}){gate}",
        count(side.replayed as u64),
        things(side.file_system_calls as u64, "file-system call", "file-system calls"),
    )
}
