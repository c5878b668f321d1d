//! `trace replay` as text: what was replayed, a row a strategy, and one sentence on what it comes to.

use std::io::{self, Write};

use super::escape::{arguments, escape, printable};
use super::look::Look;
use super::table::{Column, Table};
use super::units::{count, percent, things, time, whole_percent};
use crate::analysis::errno;
use crate::analysis::replay::{
    Ceiling, Coverage, Differing, Measured, Range, Reason, Replay, Row, Tree, Verdict,
};

/// Reasons that are named.
const MOST_REASONS: usize = 4;

/// Writes the report.
pub fn write(out: &mut dyn Write, replay: &Replay, look: Look) -> io::Result<()> {
    let command = arguments(replay.command.iter().map(String::as_bytes));
    let wall = match replay.wall {
        Some(wall) if wall.runs == 0 => format!("wall {} (as given)", time(wall.ns as u64)),
        Some(wall) => {
            let runs = things(wall.runs as u64, "untraced run", "untraced runs");
            format!("wall {} (median of {runs})", time(wall.ns as u64))
        }
        None => String::new(),
    };
    writeln!(out, "{}", look.headline(&command, &wall))?;
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
    }
    if !coverage.refused.is_empty() {
        lines.push(format!("  cannot be what the log says: {}", reasons(&coverage.refused)));
    }
    if !coverage.differences.is_empty() {
        let each: Vec<String> = coverage.differences.iter().map(differing).collect();
        lines.push(format!("  other results here, such as: {}", each.join("; ")));
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

/// `12 in /proc, /sys or /dev; 3 may write`
fn reasons(reasons: &[Reason]) -> String {
    let mut each: Vec<String> =
        reasons.iter().take(MOST_REASONS).map(|one| format!("{} {}", count(one.calls), one.reason)).collect();
    let others: u64 = reasons.iter().skip(MOST_REASONS).map(|one| one.calls).sum();
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
        Column::number("wall"),
        Column::text("95 % interval").dropped(5),
        Column::number("to serial"),
        Column::text("interval").dropped(6),
        Column::number("to threads").dropped(1),
        Column::number("CPU").dropped(2),
        Column::number("entries").dropped(7),
        Column::number("submitted").dropped(8),
        Column::number("to workers").dropped(3),
        Column::number("switches").dropped(9),
        Column::number("set-up").dropped(10),
        Column::number("program"),
        Column::text("its interval").dropped(4),
        Column::text("helps"),
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
        measured(&|m| m.punts.map_or_else(String::new, count)),
        measured(&|m| number(m.switches.round() as u64)),
        measured(&|m| time(m.setup_ns)),
        projected.map_or_else(String::new, |projected| time(projected.wall_ns.median as u64)),
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

/// One sentence.
fn verdict(replay: &Replay) -> String {
    let row = |at: usize| replay.rows.get(at).and_then(|row| Some((row, row.measured?)));
    let with = |row: &Row| match row.lookahead {
        Some(1) => String::new(),
        Some(calls) => format!(" if the program knew its next {calls} calls"),
        None => " if the program knew all its calls beforehand".to_owned(),
    };
    let sentence = match replay.verdict {
        Verdict::NoRing => return "No ring was measured.".to_owned(),
        Verdict::Slower { row: at, punted } => row(at).map(|(row, measured)| {
            let why = match punted {
                Some(share) if share >= 0.5 => {
                    format!(", because {} of its operations go to worker threads", whole_percent(share))
                }
                _ => String::new(),
            };
            let times = ratio(measured.against_serial.median);
            format!(
                "Batching through io_uring would make these calls slower: {times} times the time of plain calls{}{why}.",
                with(row)
            )
        }),
        Verdict::Alike { row: at } => row(at).map(|(row, measured)| {
            let (low, high) = (ratio(measured.against_serial.low), ratio(measured.against_serial.high));
            format!(
                "Batching through io_uring makes no difference that can be seen: {low} to {high} times the time of \
                 plain calls{}.",
                with(row)
            )
        }),
        Verdict::AsThreads { row: at } => row(at).map(|(row, measured)| {
            format!(
                "Batching through io_uring would take {} of the time of plain calls{}, but threads with plain calls do \
                 as well.",
                whole_percent(measured.against_serial.median),
                with(row)
            )
        }),
        Verdict::Faster { row: at } => row(at).map(|(row, measured)| {
            let program = row.projection.map_or_else(String::new, |projected| {
                format!(": the program would be {:.3} times as fast", projected.speedup.median)
            });
            format!(
                "Batching through io_uring would take {} of the time of plain calls{}{program}.",
                whole_percent(measured.against_serial.median),
                with(row)
            )
        }),
    };
    sentence.unwrap_or_default() + &bound(replay)
}

/// What a program could reach that knows its next calls, where the verdict is of one that does not.
fn bound(replay: &Replay) -> String {
    let row = |at: usize| replay.rows.get(at).and_then(|row| Some((row, row.measured?)));
    let (Verdict::Slower { row: at, .. }
    | Verdict::Alike { row: at }
    | Verdict::AsThreads { row: at }
    | Verdict::Faster { row: at }) = replay.verdict
    else {
        return String::new();
    };
    let Some((row, measured)) = replay.bound.filter(|bound| *bound != at).and_then(row) else {
        return String::new();
    };
    let knowing = row.lookahead.map_or_else(|| "all its".to_owned(), |calls| format!("its next {calls}"));
    let times = ratio(measured.against_serial.median);
    format!(" If the program knew {knowing} calls beforehand, it could be {times} times (a bound).")
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
    if let Some(reason) = &replay.no_ring {
        lines.push(format!("No strategy with a ring: io_uring is {}.", printable(reason)));
    }
    for one in replay.unavailable.iter().filter(|_| replay.no_ring.is_none()) {
        lines.push(format!("Not measured: {}: {}.", one.strategy, printable(&one.reason)));
    }
    if replay.rows.iter().any(|row| row.lookahead != Some(1)) {
        lines.push("A lookahead above 1 is a bound: a program does not know its next calls.".to_owned());
    }
    match (replay.wall, replay.gate) {
        (None, _) => {
            lines.push("No projection to the program: its wall time is not known (--wall TIME).".to_owned());
        }
        (Some(_), Some(gate)) if !gate.passed => lines.push(format!(
            "Projections are unreliable: with the program's pauses these calls take {} here, {} in the program.",
            time(gate.replayed_ns as u64),
            time(gate.in_program_ns as u64)
        )),
        (Some(_), _) => {
            lines.push(format!("Projections take the cost of the calls {}.", cost_source(replay.cost_source)));
        }
    }
    if !replay.confined {
        lines.push(
            "This kernel has no Landlock: only checks of each file kept the replay from doing harm."
                .to_owned(),
        );
    }
    lines
}

fn cost_source(source: &str) -> &'static str {
    match source {
        "recorded" => "from the log's own times",
        "think_time" => "from a serial replay with the program's pauses",
        _ => "from a serial replay in a loop, which is a floor: in the program they cost more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::replay::{KnownWall, Projected};

    fn range(median: f64) -> Range {
        Range { median, low: median * 0.9, high: median * 1.1 }
    }

    fn measured(ratio: f64, punts: Option<u64>) -> Measured {
        Measured {
            blocks: 30,
            wall_ns: range(ratio * 250_000.0),
            calls_ns: range(ratio * 250_000.0),
            against_serial: range(ratio),
            against_threads: punts.map(|_| range(ratio / 2.0)),
            cpu_ratio: range(ratio * 1.5),
            kernel_entries: 243,
            submissions: punts.map_or(0, |_| 240),
            punts,
            stand_ins: 0,
            switches: 12.0,
            setup_ns: 80_000,
        }
    }

    fn row(strategy: &str, lookahead: Option<u32>, ratio: Option<f64>, punts: Option<u64>) -> Row {
        Row {
            strategy: strategy.to_owned(),
            lookahead,
            ring: punts.is_some(),
            measured: ratio.map(|ratio| measured(ratio, punts)),
            void: None,
            projection: Some(Projected { wall_ns: range(17e6), speedup: range(1.0) }),
            helps: punts.map(|_| false),
        }
    }

    fn replay(verdict: Verdict) -> Replay {
        let reason = |reason: &str, calls| Reason { reason: reason.to_owned(), calls };
        Replay {
            command: vec!["python3".to_owned(), "hello.py".to_owned()],
            backend: "ptrace".to_owned(),
            cache: "warm",
            confined: true,
            scratch: None,
            coverage: Coverage {
                calls: 387,
                file_system_calls: 243,
                replayed: 217,
                share: 217.0 / 243.0,
                fidelity: 0.995,
                not_replayed: vec![
                    reason("in /proc, /sys or /dev", 14),
                    reason("not a call that is replayed", 11),
                ],
                not_counted: vec![reason("no file-system call", 144)],
                refused: Vec::new(),
                differences: vec![Differing {
                    call: "stat /tmp/\x1bx".into(),
                    what: "errno",
                    recorded: -2,
                    here: Some(0),
                }],
                lost: Some(1),
                uses_io_uring: false,
            },
            wall: Some(KnownWall { ns: 16.8e6, runs: 51 }),
            cost_source: "think_time",
            gate: None,
            no_ring: None,
            unavailable: Vec::new(),
            rows: vec![
                row("free", Some(1), None, None),
                row("serial", Some(1), Some(1.0), None),
                row("2 threads, lookahead all", None, Some(0.8), None),
                row("ring, depth 1", Some(1), Some(7.3), Some(210)),
                row("ring, depth 128, lookahead all", None, Some(3.1), Some(200)),
            ],
            verdict,
            bound: Some(4),
            ceiling: Some(Ceiling { calls: 0.022, calls_at_most: 0.025, misses: 0.003, missed: 19 }),
        }
    }

    fn text(replay: &Replay, width: Option<usize>) -> String {
        let mut out = Vec::new();
        write(&mut out, replay, Look { width, colour: false }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_ring_that_is_slower() {
        let replay = replay(Verdict::Slower { row: 3, punted: Some(0.83) });
        insta::assert_snapshot!(text(&replay, None));
        let narrow = text(&replay, Some(80));
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        assert!(!narrow.contains('\x1b'), "{narrow:?}");
    }

    #[test]
    fn without_wall_time_and_ring() {
        let mut replay = replay(Verdict::NoRing);
        replay.rows.truncate(3);
        for row in &mut replay.rows {
            row.projection = None;
        }
        replay.wall = None;
        replay.ceiling = None;
        replay.coverage.lost = Some(0);
        replay.coverage.differences.clear();
        replay.no_ring = Some("switched off (kernel.io_uring_disabled = 2)".to_owned());
        insta::assert_snapshot!(text(&replay, None));
    }

    #[test]
    fn every_verdict_is_a_sentence() {
        for verdict in [
            Verdict::Alike { row: 4 },
            Verdict::AsThreads { row: 4 },
            Verdict::Faster { row: 3 },
            Verdict::Slower { row: 3, punted: None },
        ] {
            let text = text(&replay(verdict.clone()), None);
            let line = text.lines().find(|line| line.starts_with("Batching through io_uring")).unwrap();
            assert!(line.contains(" If all of these calls were free"), "{verdict:?}: {line}");
            let tells_bound = line.contains("beforehand, it could be 3.10 times (a bound).");
            assert_eq!(
                tells_bound,
                !matches!(verdict, Verdict::Alike { .. } | Verdict::AsThreads { .. }),
                "{line}"
            );
        }
    }
}
