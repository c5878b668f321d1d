//! What the rows come to.

use trace_replay::{Outcome, Strategy};

use super::facts::{Ceiling, KnownWall, Measured, Range, Row, Verdict};

const ENOENT: i64 = -2;

/// The fastest of the rings that are chosen.
pub(super) fn best_ring(rows: &[Row], choose: impl Fn(&Row) -> bool) -> Option<(usize, Measured)> {
    let rings = rows.iter().enumerate().filter(|(_, row)| row.ring && choose(row));
    let measured = rings.filter_map(|(at, row)| Some((at, row.measured?)));
    measured.min_by(|(_, a), (_, b)| a.against_serial.median.total_cmp(&b.against_serial.median))
}

/// The fastest of the rings, against plain calls and against threads.
pub(super) fn verdict(rows: &[Row]) -> Verdict {
    let best = best_ring(rows, |row| row.lookahead == Some(1)).or_else(|| best_ring(rows, |_| true));
    let Some((row, best)) = best else { return Verdict::NoRing };
    let beats_threads = best.against_threads.is_none_or(|threads| threads.high < 1.0);
    match best.against_serial {
        Range { low, .. } if low > 1.0 => {
            let punted =
                best.punts.or(best.punts_at_least).map(|punts| punts as f64 / best.submissions.max(1) as f64);
            Verdict::Slower { row, punted }
        }
        Range { high, .. } if high >= 1.0 => Verdict::Alike { row },
        _ if beats_threads => Verdict::Faster { row },
        _ => Verdict::AsThreads { row },
    }
}

/// The row that makes the program fastest, of those that help it as it is.
pub(super) fn best(rows: &[Row]) -> Option<usize> {
    let helps = |row: &&Row| row.helps == Some(true) && row.lookahead == Some(1);
    let speedup = |row: &Row| row.projection.map_or(0.0, |projected| projected.speedup.median);
    let best = rows.iter().filter(helps).max_by(|a, b| speedup(a).total_cmp(&speedup(b)))?;
    rows.iter().position(|row| std::ptr::eq(row, best))
}

/// What is left of the program when the calls are free.
pub(super) fn ceiling(outcome: &Outcome, wall: KnownWall) -> Option<Ceiling> {
    let free = outcome.row(Strategy::Free)?.figures.as_ref().ok()?.projection?;
    let saved = |rest: f64| ((wall.ns - rest) / wall.ns).clamp(0.0, 1.0);
    let plan = outcome.plan();
    let (mut all, mut in_vain, mut missed) = (0_u64, 0_u64, 0);
    for call in plan.call_ids() {
        let Some(cost) = outcome.costs.of(call) else { continue };
        all += u64::from(cost);
        if plan.recorded(call).is_some_and(|recorded| recorded.ret == Some(ENOENT)) {
            in_vain += u64::from(cost);
            missed += 1;
        }
    }
    let calls = saved(free.wall_ns.median);
    Some(Ceiling {
        calls,
        calls_at_most: saved(free.wall_ns.low),
        misses: calls * in_vain as f64 / all.max(1) as f64,
        missed,
    })
}
