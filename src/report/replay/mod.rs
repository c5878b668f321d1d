//! `trace replay` as text: what was replayed, a row a strategy, and one sentence on what it comes to.

mod gate;
mod plot;
#[cfg(test)]
mod tests;
mod threads;
mod verdict;

use std::io::{self, Write};

use trace_replay::{FEWEST_TESTED, Skip};

use super::escape::{command_line, escape, printable};
use super::look::Look;
use super::table::{Column, Table};
use super::units::{count, percent, things, time};
use crate::analysis::errno;
use crate::analysis::replay::{
    Ceiling, Coverage, DIFFERS, Differing, Measured, Range, Reason, Replay, Row, Tree,
};
pub use plot::plot;
use verdict::verdict;

/// Reasons that are named.
const MOST_REASONS: usize = 4;

/// Writes the report.
pub fn write(out: &mut dyn Write, replay: &Replay, look: Look) -> io::Result<()> {
    let command = command_line(&replay.command);
    let wall = match replay.wall {
        Some(wall) if wall.runs == 0 => format!("wall {} (as given)", time(wall.ns as u64)),
        Some(wall) => {
            let runs = things(wall.runs as u64, "untraced run", "untraced runs");
            format!("wall {} (median of {runs})", time(wall.ns as u64))
        }
        None => String::new(),
    };
    // Of a part of strace's text neither is known.
    if !command.is_empty() || !wall.is_empty() {
        writeln!(out, "{}", look.headline(&command, &wall))?;
    }
    above(&replay.coverage, replay).iter().try_for_each(|line| writeln!(out, "{}", look.text(line)))?;
    writeln!(out)?;
    table(&replay.rows).lines(look, 0).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    for line in voids(&replay.rows) {
        writeln!(out, "{}", look.warning(&line))?;
    }
    let most = replay.ceiling.map_or_else(String::new, |most| format!(" {}", ceiling(most)));
    writeln!(out, "\n{}", look.text(&format!("{}{most}", verdict(replay))))?;
    below(replay).iter().try_for_each(|line| writeln!(out, "{}", look.note(line)))
}

/// Coverage, fidelity, and what is missing.
fn above(coverage: &Coverage, replay: &Replay) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of {} replayed ({}), {} of those that could be made here with the log's result; caches {}",
        count(coverage.replayed as u64),
        things(coverage.file_system_calls as u64, "file-system call", "file-system calls"),
        percent(coverage.share),
        percent(coverage.fidelity),
        replay.cache,
    )];
    if !coverage.not_replayed.is_empty() {
        lines.push(format!("  not replayed: {}", reasons(&coverage.not_replayed)));
        let nowhere = Skip::UnknownDirectory.reason();
        if coverage.not_replayed.iter().any(|one| one.reason == nowhere) {
            lines
                .push("  where the command was started is told by --cwd DIR, if the log does not".to_owned());
        }
    }
    if !coverage.refused.is_empty() {
        lines.push(format!("  cannot be what the log says: {}", reasons(&coverage.refused)));
    }
    if !coverage.differences.is_empty() {
        let each: Vec<String> = coverage.differences.iter().map(differing).collect();
        lines.push(format!("  other results here, such as: {}", each.join("; ")));
    }
    if coverage.unsteady > 0 {
        let each: Vec<String> = coverage.unsteady_calls.iter().map(|call| escape(call.bytes())).collect();
        let more = if coverage.unsteady > each.len() { "..." } else { "" };
        lines.push(format!(
            "  files changed meanwhile, only success is verified of {}: {}{more}",
            things(coverage.unsteady as u64, "call", "calls"),
            each.join("; ")
        ));
    }
    if let Some(tree) = &replay.scratch {
        lines.insert(1, format!("  {}", scratch(tree)));
    }
    match coverage.lost {
        Some(0) => {}
        Some(lost) => {
            lines.push(format!("  {} missing from the log", things(lost, "event is", "events are")));
        }
        None => lines.push("  events are missing from the log, nobody knows how many".to_owned()),
    }
    if coverage.uses_io_uring {
        lines.push("  the program used io_uring itself, whose operations are in no log".to_owned());
    }
    lines
}

/// Where calls that write were made.
fn scratch(tree: &Tree) -> String {
    let original = match &tree.original {
        Some(original) if *original == tree.file_system => "as the original".to_owned(),
        Some(original) => format!("the original is on {original}, which may be another matter"),
        None => "what the original is on is not known".to_owned(),
    };
    let entries = things(tree.entries as u64, "entry", "entries");
    format!("in a scratch tree of {entries} on {} ({original})", tree.file_system)
}

/// `12 in /proc, /sys or /dev; 3 may write`: the first, and in any case those that make the fidelity.
fn reasons(reasons: &[Reason]) -> String {
    // One alone takes no more room than to say that there is one.
    let first = if reasons.len() > MOST_REASONS + 1 { MOST_REASONS } else { reasons.len() };
    let (first, others) = reasons.split_at(first);
    let (differ, others): (Vec<_>, Vec<_>) = others.iter().partition(|one| one.reason == DIFFERS);
    let mut each: Vec<String> =
        first.iter().chain(differ).map(|one| format!("{} {}", count(one.calls), one.reason)).collect();
    let others: u64 = others.iter().map(|one| one.calls).sum();
    if others > 0 {
        each.push(format!("{} for other reasons", count(others)));
    }
    each.join("; ")
}

/// `stat /etc/x (result: ENOENT in the log, 0 here)`
fn differing(one: &Differing) -> String {
    let here = one.here.map_or_else(|| "not made".to_owned(), |here| format!("{} here", result(here)));
    let call = escape(one.call.bytes());
    if Some(one.recorded) == one.here {
        return format!("{call} ({})", one.what);
    }
    let what = if one.what == "errno" { "result" } else { one.what };
    format!("{call} ({what}: {} in the log, {here})", result(one.recorded))
}

/// What a call returned: an error by its name.
fn result(value: i64) -> String {
    match u16::try_from(-value) {
        Ok(number @ 1..) => errno::name(number),
        _ => value.to_string(),
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(vec![
        Column::text("strategy"),
        Column::number("wall").dropped_last(2),
        Column::text("95 % interval").dropped(5),
        Column::number("to serial").dropped_last(1),
        Column::text("interval").dropped(6),
        Column::number("to threads").dropped(2),
        Column::number("CPU").dropped(3),
        Column::number("entries").dropped(7),
        Column::number("submitted").dropped(8),
        Column::number("to workers").dropped(4),
        Column::number("switches").dropped(9),
        Column::number("set-up").dropped(10),
        Column::number("program"),
        Column::text("its interval").dropped(1),
        Column::text("helps").dropped_last(3),
    ]);
    for row in rows {
        table.row(cells(row));
    }
    table
}

fn cells(row: &Row) -> Vec<String> {
    let measured = |of: &dyn Fn(&Measured) -> String| row.measured.as_ref().map_or_else(String::new, of);
    let number = |value: u64| if value == 0 { String::new() } else { count(value) };
    let projected = row.projection;
    let helps = match row.helps {
        _ if row.void.is_some() => "void",
        // A program would have to know its next calls.
        Some(true) if row.lookahead != Some(1) => "bound",
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    vec![
        row.strategy.clone(),
        measured(&|m| time(m.wall_ns.median as u64)),
        measured(&|m| times(m.wall_ns)),
        measured(&|m| ratio(m.against_serial.median)),
        measured(&|m| format!("{} to {}", ratio(m.against_serial.low), ratio(m.against_serial.high))),
        measured(&|m| m.against_threads.map_or_else(String::new, |threads| ratio(threads.median))),
        measured(&|m| ratio(m.cpu_ratio.median)),
        measured(&|m| number(m.kernel_entries)),
        measured(&|m| number(m.submissions)),
        measured(&|m| match (m.punts, m.punts_at_least) {
            (Some(punts), _) => count(punts),
            (None, Some(least)) => format!("{}+", count(least)),
            (None, None) => String::new(),
        }),
        measured(&|m| number(m.switches.round() as u64)),
        measured(&|m| time(m.setup_ns)),
        projected.map_or_else(String::new, |projected| {
            let bound = if projected.bound { "≥ " } else { "" };
            let unsure = if projected.settled { "" } else { "~" };
            format!("{bound}{unsure}{}", time(projected.wall_ns.median as u64))
        }),
        projected.map_or_else(String::new, |projected| times(projected.wall_ns)),
        helps.to_owned(),
    ]
}

fn times(range: Range) -> String {
    format!("{} to {}", time(range.low as u64), time(range.high as u64))
}

/// `1.73`, `12.4`, `340`
fn ratio(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn voids(rows: &[Row]) -> Vec<String> {
    let each = rows.iter().filter_map(|row| Some((row, row.void.as_ref()?)));
    each.map(|(row, void)| format!("The times of {} are void: {}.", row.strategy, differing(void))).collect()
}

fn ceiling(most: Ceiling) -> String {
    let misses = if most.missed == 0 {
        String::new()
    } else {
        let lookups = things(most.missed, "lookup that found nothing", "lookups that found nothing");
        format!(" Dropping its {lookups} would save at most {}.", percent(most.misses))
    };
    format!(
        "If all of these calls were free, the program would take {} less (at most {}).{misses}",
        percent(most.calls),
        percent(most.calls_at_most)
    )
}

/// What has to be known to read the table.
fn below(replay: &Replay) -> Vec<String> {
    let mut lines = Vec::new();
    let blocks = replay.rows.iter().filter_map(|row| row.measured).map(|measured| measured.blocks).min();
    if blocks.is_some_and(|blocks| blocks < FEWEST_TESTED) {
        lines.push(format!(
            "Of fewer than {FEWEST_TESTED} runs an interval is what was seen, and proves nothing: what differs may do so by chance (--runs)."
        ));
    }
    if let Some(reason) = &replay.no_ring {
        lines.push(format!("No strategy with a ring: io_uring is {}.", printable(reason)));
    }
    lines.extend(not_measured(replay));
    if replay.rows.iter().any(|row| row.lookahead != Some(1)) {
        lines.push(
            "A lookahead above 1 is a bound (≥), no forecast: a program does not know its next calls, and threads that are \
             woken do not each get a CPU at once."
                .to_owned(),
        );
    }
    if replay.rows.iter().any(|row| row.projection.is_some_and(|projected| !projected.settled)) {
        lines.push(
            "A time with ~ is unsure: what it changes is known neither to a tenth nor to a fiftieth of the program's time. Rely on its \
             interval alone."
                .to_owned(),
        );
    }
    if let (Some(wall), Some(logged_ns), true) = (replay.wall, replay.logged_ns, replay.disturbed) {
        lines.push(format!(
            "Projections are unreliable: untraced the program took {}, in the log {}, though it was traced then. The machine had other \
             things to do, or the runs are not the same: measure both again where nothing else runs.",
            time(wall.ns as u64),
            time(logged_ns as u64)
        ));
    }
    match (replay.wall, replay.gate) {
        (None, gate) => {
            lines.push(no_wall(replay).to_owned());
            lines
                .extend(gate.filter(|gate| gate.scaled || !gate.passed).map(|gate| gate::told(replay, gate)));
        }
        (Some(_), Some(gate)) if !gate.passed => lines.push(gate::unreliable(replay, gate)),
        (Some(_), Some(gate)) if gate.scaled => lines.push(gate::scaled(replay, gate)),
        (Some(_), gate) => {
            let source = cost_source(replay.cost_source);
            let unchecked = if gate.is_none() && replay.cost_source == "recorded" {
                " Whether they cost that here, too, was not measured."
            } else {
                ""
            };
            lines.push(format!("Projections take the cost of the calls {source}.{unchecked}"));
        }
    }
    lines.extend(replay.threads.filter(|_| replay.wall.is_some()).map(threads::line));
    if !replay.confined {
        lines.push(
            "This kernel has no Landlock: only checks of each file kept the replay from doing harm."
                .to_owned(),
        );
    }
    lines
}

/// A log may well have the wall time of other starts than those that were replayed.
fn no_wall(replay: &Replay) -> &'static str {
    if replay.cache == "warm" {
        "No projection to the program: its wall time is not known (--wall TIME)."
    } else {
        "No projection to the program: its wall time with cold caches is not known (--rerun -- CMD measures it; --wall TIME)."
    }
}

/// Strategies that could not be measured, with the reason that they have in common.
fn not_measured(replay: &Replay) -> Vec<String> {
    let others = replay.unavailable.iter().filter(|_| replay.no_ring.is_none());
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in others {
        match by_reason.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, strategies)) => strategies.push(&one.strategy),
            None => by_reason.push((&one.reason, vec![&one.strategy])),
        }
    }
    let line = |(reason, strategies): (&str, Vec<&str>)| {
        format!("Not measured, for {}: {}.", printable(reason), strategies.join("; "))
    };
    by_reason.into_iter().map(line).collect()
}

fn cost_source(source: &str) -> &'static str {
    match source {
        "recorded" => "from the log's own times",
        "think_time" => "from a serial replay with the program's pauses",
        _ => "from a serial replay in a loop, which is a floor: in the program they cost more",
    }
}
