//! What a replay comes to, in a sentence.

use super::ratio;
use crate::analysis::replay::{Range, Replay, Row, Verdict};
use crate::report::units::{time, whole_percent};

/// One sentence.
pub(super) fn verdict(replay: &Replay) -> String {
    let row = |at: usize| replay.rows.get(at).and_then(|row| Some((row, row.measured?)));
    let with = |row: &Row| match row.lookahead {
        Some(1) => String::new(),
        Some(calls) => format!(" if the program knew its next {calls} calls"),
        None => " if the program knew all its calls beforehand".to_owned(),
    };
    let sentence = match replay.verdict {
        Verdict::NoRing => Some("No ring was measured.".to_owned()),
        Verdict::Slower { row: at, punted } => row(at).map(|(row, measured)| {
            let why = match punted {
                Some(share) if share >= 0.5 => {
                    let least = if measured.punts.is_some() { "" } else { "at least " };
                    format!(", because {least}{} of its operations go to worker threads", whole_percent(share))
                }
                _ => String::new(),
            };
            let times = ratio(measured.against_serial.median);
            format!(
                "Batching through io_uring would make these calls slower: {times} times the time of plain calls{}{}{why}.",
                by(replay, row),
                with(row)
            )
        }),
        Verdict::Alike { row: at } => row(at).map(|(row, measured)| {
            let (low, high) = (ratio(measured.against_serial.low), ratio(measured.against_serial.high));
            format!(
                "Batching through io_uring makes no difference that can be seen: {low} to {high} times the time of \
                 plain calls{}{}.",
                by(replay, row),
                with(row)
            )
        }),
        Verdict::AsThreads { row: at } => row(at).map(|(row, measured)| {
            format!(
                "Batching through io_uring would take {} of the time of plain calls{}{}, but threads with plain calls{} do \
                 as well.",
                whole_percent(measured.against_serial.median),
                by(replay, row),
                with(row),
                if replay.threads.is_some() { ", which the program has," } else { "" }
            )
        }),
        Verdict::Faster { row: at } => row(at).map(|(row, measured)| {
            let program = row.projection.map_or_else(String::new, |projected| {
                format!(": the program would be {:.3} times as fast", projected.speedup.median)
            });
            format!(
                "Batching through io_uring would take {} of the time of plain calls{}{}{program}.",
                whole_percent(measured.against_serial.median),
                by(replay, row),
                with(row)
            )
        }),
    };
    sentence.unwrap_or_default() + &bound(replay) + &best(replay)
}

/// What helps the program as it is most of all that was measured, where that is not what the verdict is of.
fn best(replay: &Replay) -> String {
    let is_told = |at: usize| matches!(replay.verdict, Verdict::Faster { row } if row == at);
    let best = replay.best.filter(|&at| !is_told(at)).and_then(|at| replay.rows.get(at));
    let Some((row, projected)) = best.and_then(|row| Some((row, row.projection?))) else {
        return String::new();
    };
    let unsure = if projected.settled { "" } else { "~" };
    let Range { median, low, high } = projected.wall_ns;
    let [median, low, high] = [median, low, high].map(|ns| time(ns as u64));
    format!(
        " What helps most of all that was measured is {}: the program would take {unsure}{median} ({low} to {high}).",
        row.strategy
    )
}

/// Which way the best one is, where it is no plain ring, and what a plain ring comes to.
fn by(replay: &Replay, best: &Row) -> String {
    let way = match best.way {
        "ring" => return String::new(),
        "hybrid" => "with ring and plain calls mixed",
        "chains" => "with a file's calls linked",
        other => return format!(" ({other})"),
    };
    let rings = replay.rows.iter().filter(|row| row.way == "ring" && row.lookahead == best.lookahead);
    let ratios = rings.filter_map(|row| Some(row.measured?.against_serial));
    let ring = ratios.min_by(|one, other| one.median.total_cmp(&other.median));
    ring.map_or_else(
        || format!(" {way}"),
        |ring| format!(" {way} ({} times with a ring for all of them)", times(&ring)),
    )
}

/// A ratio; its interval where the one says little: a ring's worker makes it three times or forty, by the CPU that it is on.
fn times(against_serial: &Range) -> String {
    let Range { median, low, high } = *against_serial;
    if high > 2.0 * low { format!("{} to {}", ratio(low), ratio(high)) } else { ratio(median) }
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
    let Range { median, low, high } = measured.against_serial;
    // What may be either way is told as its interval.
    let times =
        if low < 1.0 && high > 1.0 { format!("{} to {}", ratio(low), ratio(high)) } else { ratio(median) };
    format!(" If the program knew {knowing} calls beforehand, it could be {times} times (a bound).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_that_is_unsure_is_told_as_its_interval() {
        assert_eq!(times(&Range { median: 1.16, low: 1.1, high: 1.2 }), "1.16");
        assert_eq!(times(&Range { median: 3.05, low: 2.74, high: 44.7 }), "2.74 to 44.7");
    }
}
