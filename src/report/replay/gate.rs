//! The line on what the calls cost here and in the program: what projections are to be taken for.

use super::ratio;
use crate::analysis::replay::{Believed, Replay};
use crate::report::units::{time, whole_percent};

/// Why calls are cheaper here.
const CHEAPER: &str = "a replay does not touch new memory, and keeps more in the processor's caches";
/// Why those of several threads are.
const ALONE: &str = "the program's threads wait there for each other's files and for the same disk, a serial replay for nobody";

fn why_cheaper(replay: &Replay) -> &'static str {
    if replay.threads.is_some() { ALONE } else { CHEAPER }
}

/// That they cost otherwise here, and that projections are scaled by as much.
pub(super) fn scaled(replay: &Replay, gate: Believed) -> String {
    let why = if gate.ratio > 1.0 { format!(": {}", why_cheaper(replay)) } else { String::new() };
    let stand = if replay.cost_source == "recorded" {
        "Projections are scaled by that; their intervals hold, too, that only what the calls take here can be saved"
    } else {
        "Projections take what they take here; their intervals hold what the program's own cost comes to, too"
    };
    format!("{}, {} times as much{why}. {stand}.", costs(replay, gate), ratio(gate.ratio))
}

/// What the two are, where nothing is projected.
pub(super) fn told(replay: &Replay, gate: Believed) -> String {
    format!("{}.", costs(replay, gate))
}

/// That the two are too far from each other, and what that may do to what is projected.
pub(super) fn unreliable(replay: &Replay, gate: Believed) -> String {
    let here = gate.replayed_ns.max(1.0);
    let there = f64::midpoint(gate.in_program_least_ns, gate.in_program_ns).max(1.0);
    // Projections stand on one of the two; the truth may lie at the other.
    let of_shown = if replay.cost_source == "recorded" { here / there } else { there / here };
    let savings = if of_shown < 1.0 {
        format!("{} smaller than shown", whole_percent(1.0 - of_shown))
    } else {
        format!("{} times what is shown", ratio(of_shown))
    };
    let why = if here < there {
        let why = why_cheaper(replay);
        format!(": {why}. What it leaves out may be there with any strategy, so savings may be")
    } else {
        ". Savings may be".to_owned()
    };
    format!("Projections are unreliable: {}{why} {savings}.", lower(&costs(replay, gate)))
}

/// `With the program's pauses these calls take 301 µs here, 400 µs to 425 µs in the program`
fn costs(replay: &Replay, gate: Believed) -> String {
    let estimate = if replay.backend == "ebpf" { "" } else { " (an estimate, the tracer's jitter in it)" };
    let runs = if gate.runs > 1 { format!(" (the middle of {} runs)", gate.runs) } else { String::new() };
    format!(
        "With the program's pauses these calls take {} here, {} in the program{runs}{estimate}",
        time(gate.replayed_ns.max(1.0) as u64),
        least_to_most(gate.in_program_least_ns, gate.in_program_ns),
    )
}

fn lower(sentence: &str) -> String {
    sentence.replacen("With", "with", 1)
}

/// `600 to 640 µs`, or one time where both are the same.
fn least_to_most(least_ns: f64, most_ns: f64) -> String {
    let [least, most] = [least_ns, most_ns].map(|ns| time(ns as u64));
    if least == most { most } else { format!("{least} to {most}") }
}
