//! What is missing from a log, in words: the first lines of every report.

use super::escape::{escape, printable};
use super::units::{count, percent, things, time};
use crate::analysis::cost::{LongCalls, Quality};
use crate::analysis::integrity::Integrity;
use crate::analysis::replayed::ReplayedCosts;
use crate::analysis::wall::{Wall, WallKind};
use crate::event::{loss, mark};

/// Lines that come before anything else, most serious first; none if all is well.
#[must_use]
pub fn integrity(integrity: &Integrity) -> Vec<String> {
    let mut lines = Vec::new();
    if !integrity.losses.is_empty() {
        let each = integrity.losses.iter().map(|loss| {
            let number = match (loss.events, loss.at_least) {
                (0, true) => "number unknown".to_owned(),
                (events, true) => format!("at least {events}"),
                (events, false) => events.to_string(),
            };
            format!("{} ({number})", escape(loss.reason.bytes()))
        });
        let least = if integrity.lost_at_least { "at least " } else { "" };
        let all = match integrity.lost_events {
            0 => "events are".to_owned(),
            lost => format!("{least}{}", things(lost, "event is", "events are")),
        };
        lines.push(format!("{all} missing from this log: {}", each.collect::<Vec<_>>().join(", ")));
    }
    let is_repaired = integrity.losses.iter().any(|loss| loss.reason.bytes() == loss::CUT.as_bytes());
    if !integrity.complete && !is_repaired {
        lines.push(
            "this log is cut short: it has no totals, what came after its last event is not known".into(),
        );
    }
    for known in &integrity.marks {
        let times = if known.times > 1 { format!(" ({} times)", known.times) } else { String::new() };
        if let Some(text) = mark_text(known.name.bytes()) {
            lines.push(format!("{text}{times}"));
        }
    }
    if integrity.unreadable_paths > 0 {
        lines.push(format!(
            "{} could not be read or made absolute",
            things(integrity.unreadable_paths, "path", "paths")
        ));
    }
    lines
}

/// What a mark means for the reader; `None`: nothing.
fn mark_text(name: &[u8]) -> Option<&'static str> {
    match std::str::from_utf8(name).ok()? {
        mark::SETUID => Some("a set-user-ID program ran without its privilege, as ptrace wants it"),
        mark::PTRACE => Some("the program called ptrace itself, which cannot work while it is traced"),
        mark::UNTRACED_CHILD => Some("a child was made that cannot be followed (CLONE_UNTRACED)"),
        mark::IO_URING => {
            Some("the program uses io_uring, whose operations are no system calls and not shown")
        }
        mark::FOREIGN_PROC => Some("/proc was missing or another pid namespace's: many paths are unknown"),
        mark::HIDDEN => Some("calls of a set-user-ID program were not recorded: only root may see them"),
        mark::SLOWED => {
            Some("calls came faster than they could be recorded, so that some had to wait after their end")
        }
        mark::HELD => Some("processes were stopped (SIGSTOP) until the recorder had caught up (--lossless)"),
        mark::UNREAD_PYTHON => Some(
            "a Python of a version or build that is not known has run: its functions are missing from stacks",
        ),
        mark::ATTACHED => Some("tracing began while the program ran already"),
        mark::DETACHED => Some("tracing ended while the program went on"),
        _ => None,
    }
}

/// A sample that takes a larger part of the time between two is told of.
const DEAR: f64 = 0.05;
/// With such a part of it the program runs at less than half its speed.
const TOO_DEAR: f64 = 0.5;

/// What CPU samples took from the program; `None`: little, or not known.
#[must_use]
pub fn sample_cost(hz: u32, cost_ns: Option<u64>) -> Option<String> {
    let (cost_ns, between_ns) = (cost_ns?, 1_000_000_000 / u64::from(hz.max(1)));
    let part = cost_ns as f64 / between_ns.max(1) as f64;
    let held = format!("each sample held up the program for about {}", time(cost_ns));
    match part {
        part if part < DEAR => None,
        part if part < TOO_DEAR => Some(format!("{held}, {} of the time between two", percent(part))),
        _ => Some(format!(
            "{held}, and there are {} between two, so it hardly got on, and where it was sampled may not be where it \
             spends its time: take fewer a second",
            time(between_ns)
        )),
    }
}

/// What CPU samples will take from the program, said before it begins; `None`: less than half of its time, or not known.
#[must_use]
pub fn sample_warning(hz: u32, cost_ns: Option<u64>) -> Option<String> {
    let (cost_ns, between_ns) = (cost_ns?.max(1), 1_000_000_000 / u64::from(hz.max(1)));
    if (cost_ns as f64) < between_ns as f64 * TOO_DEAR {
        return None;
    }
    let how = if cost_ns < between_ns { "will hardly get on" } else { "may not get on at all" };
    // Two digits of the rate that leaves three quarters of the time.
    let rate = 250_000_000 / cost_ns;
    let unit = 10_u64.pow(rate.checked_ilog10().unwrap_or(0).saturating_sub(1));
    Some(format!(
        "each sample holds up the program for about {}, and there are {} between two, so it {how}: --sample {} leaves it \
         three quarters of its time",
        time(cost_ns),
        time(between_ns),
        (rate / unit * unit).max(1)
    ))
}

/// What CPU samples have nothing of, where the kernel's part is not permitted.
pub const NO_KERNEL_PART: &str = "the kernel's part is missing from them: `sysctl kernel.perf_event_paranoid=1`, root or CAP_PERFMON \
                                  permits it";

/// That threads had no CPU samples; `None`: there were none.
#[must_use]
pub fn hidden_from_samples(threads: u64) -> Option<String> {
    (threads > 0).then(|| {
        format!(
            "{} executed a program that may not be read, or a set-user-ID one, of which the kernel takes no CPU samples",
            things(threads, "thread", "threads")
        )
    })
}

/// That fewer than half of the samples were taken that a rate gives for this CPU time; `None`: more, or the time is not known.
#[must_use]
pub fn few_samples(samples: u64, hz: u32, cpu_ns: Option<u64>) -> Option<String> {
    let cpu_ns = cpu_ns?;
    let rated = u64::try_from(u128::from(cpu_ns) * u128::from(hz) / 1_000_000_000).unwrap_or(u64::MAX);
    (samples < rated / 2).then(|| {
        format!(
            "{} taken of the {} that {} a second give for {} of CPU time: shares are not reliable",
            things(samples, "sample was", "samples were"),
            count(rated),
            count(u64::from(hz)),
            time(cpu_ns)
        )
    })
}

/// What the costs of a report are.
#[must_use]
pub fn quality(quality: Quality, backend: &str) -> String {
    match quality {
        Quality::True => format!("Costs are true (backend {})", escape(backend.as_bytes())),
        Quality::Replayed => "Costs are replayed: of calls made again by themselves".to_owned(),
        Quality::Estimated => "Costs are estimated: traced durations less the tracer's stop".to_owned(),
        Quality::Unknown if backend == "strace" => {
            "Costs are unknown: this is a log of strace's, whose durations hold its stops".to_owned()
        }
        Quality::Unknown => {
            "Costs are unknown: the log has no calibration, and its durations hold the tracer's stops"
                .to_owned()
        }
    }
}

/// The same, with what was taken off.
#[must_use]
pub fn costs(quality: Quality, stop_ns: u64, backend: &str) -> String {
    let text = self::quality(quality, backend);
    match quality {
        Quality::Estimated => format!("{text} of {} (docs/costs.md)", time(stop_ns)),
        Quality::True | Quality::Replayed | Quality::Unknown => text,
    }
}

/// How a replay came by costs, and which calls have none.
#[must_use]
pub fn replayed(costs: &ReplayedCosts) -> String {
    let pauses = if costs.pauses { "with the program's pauses" } else { "in a loop: a floor" };
    let how = format!(
        "{} replayed {pauses}, caches {} (median of {})",
        things(costs.calls, "call was", "calls were"),
        printable(&costs.cache),
        things(costs.runs as u64, "run", "runs"),
    );
    if costs.without == 0 {
        return format!("{how}.");
    }
    let mut each: Vec<String> = costs
        .without_by_call
        .iter()
        .take(MOST_WITHOUT)
        .map(|one| format!("{} {}", escape(one.call.as_bytes()), count(one.calls)))
        .collect();
    let others = costs.without_by_call.len().saturating_sub(MOST_WITHOUT);
    if others > 0 {
        each.push(format!("{} more", count(others as u64)));
    }
    let others = things(costs.without, "was not, and has", "were not, and have");
    format!("{how}; {others} no cost here: {}.", each.join(", "))
}

/// Calls without a replayed cost that are named.
const MOST_WITHOUT: usize = 6;

/// Why the backend with true costs did not record.
#[must_use]
pub fn not_ebpf(why: &str) -> String {
    let why = escape(why.as_bytes());
    format!(
        "Traced with ptrace, for eBPF, whose costs are true, does not work here: {why} (trace doctor says more)."
    )
}

/// What became of calls that took long; `None`: there were none, or costs are true.
#[must_use]
pub fn long_calls(long: LongCalls, quality: Quality) -> Option<String> {
    if long.calls == 0 || quality != Quality::Estimated {
        return None;
    }
    let waited = time(long.waited_ns);
    let how = if long.counted_share < 0.995 {
        let share = percent(long.counted_share);
        format!("{share} of that counts, as much as untraced runs spend outside user mode")
    } else {
        "they waited, or the machine was busy".to_owned()
    };
    Some(format!("{} took over 1 ms, {waited} together: {how}", things(long.calls, "call", "calls")))
}

/// Why totals can be more than the wall time.
pub const OVERLAP: &str = "Shares are of the wall time: calls that run in parallel, and those that wait for other processes, overlap, \
     so shares can exceed 100 %.";

/// What shares are parts of.
#[must_use]
pub fn wall(wall: Wall) -> String {
    let time = time(wall.ns);
    match wall.kind {
        WallKind::UntracedMedian => format!("shares are of the untraced median, {time}"),
        WallKind::TracedSpan if wall.ns == 0 => "there are no times in the log".to_owned(),
        WallKind::TracedSpan => format!("shares are of the traced run, {time}, the tracer's time included"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::integrity::{Loss, Mark};

    #[test]
    fn all_is_well() {
        assert!(integrity(&Integrity { complete: true, ..Integrity::default() }).is_empty());
    }

    #[test]
    fn what_samples_took_is_told_where_it_is_much() {
        assert_eq!((sample_cost(4000, None), sample_cost(1000, Some(20_000))), (None, None));
        let part = sample_cost(4000, Some(25_000)).unwrap();
        assert!(part.ends_with("for about 25.0 µs, 10.0 % of the time between two"), "{part}");
        let all = sample_cost(50_000, Some(19_000)).unwrap();
        assert!(all.contains("20.0 µs between two, so it hardly got on"), "{all}");
        assert!(
            sample_cost(0, Some(u64::MAX)).is_some_and(|text| text.contains("hardly")),
            "a log may say so"
        );
    }

    #[test]
    fn a_rate_at_which_a_program_does_not_get_on_is_warned_of() {
        assert_eq!((sample_warning(50_000, None), sample_warning(10_000, Some(20_000))), (None, None));
        let warned = sample_warning(50_000, Some(19_000)).unwrap();
        assert!(
            warned.contains("20.0 µs between two, so it will hardly get on: --sample 13000 leaves"),
            "{warned}"
        );
        let warned = sample_warning(100_000, Some(20_000)).unwrap();
        assert!(warned.contains("so it may not get on at all: --sample 12000 leaves"), "{warned}");
        assert!(sample_warning(0, Some(u64::MAX)).is_some_and(|text| text.contains("--sample 1 ")));
    }

    #[test]
    fn losses_come_first() {
        let lost = |reason: &str, events, at_least| Loss { reason: reason.into(), events, at_least };
        let broken = Integrity {
            lost_events: 10,
            lost_at_least: true,
            losses: vec![lost("ring\nfull", 10, false), lost("killed", 0, true)],
            marks: vec![Mark { name: "io-uring".into(), times: 2 }, Mark { name: "odd".into(), times: 1 }],
            unreadable_paths: 1,
            ..Integrity::default()
        };
        let lines = integrity(&broken);
        assert_eq!(
            lines[0],
            "at least 10 events are missing from this log: ring\\nfull (10), killed (number unknown)"
        );
        assert!(lines[1].starts_with("this log is cut short"));
        assert!(lines[2].starts_with("the program uses io_uring") && lines[2].ends_with("(2 times)"));
        assert_eq!(lines[3], "1 path could not be read or made absolute");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn a_repaired_log_is_said_to_be_cut_once() {
        let loss = Loss { reason: loss::CUT.into(), events: 0, at_least: true };
        let repaired = Integrity { losses: vec![loss], lost_at_least: true, ..Integrity::default() };
        assert_eq!(
            integrity(&repaired),
            ["events are missing from this log: log cut short (number unknown)"]
        );
    }

    #[test]
    fn every_mark_is_told_or_is_nothing_to_tell() {
        let silent = [mark::ENTRY, mark::UNPINNED, mark::READY, mark::IMPORTED, mark::OFF_CPU, mark::STOPPED];
        for name in mark::ALL {
            assert_eq!(mark_text(name.as_bytes()).is_none(), silent.contains(&name), "{name}");
        }
    }
}
