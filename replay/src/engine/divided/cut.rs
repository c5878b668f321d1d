//! Where a log is cut into parts.

use std::ops::Range;

use crate::graph::Graph;
use crate::program::Program;

/// A cut may move by this part of a thread's share.
const MOVES: usize = 8;

/// The steps in as many parts, with as many calls each, as far as that separates few that need each other.
pub(super) fn parts(program: &Program, graph: &Graph, threads: usize) -> Vec<Range<u32>> {
    let crossing = crossing(graph);
    // Where so many calls have been made.
    let executed = |step: u32| program.action(step).is_executed();
    let calls: Vec<u32> = (0..graph.len() as u32).filter(|&step| executed(step)).collect();
    let moves = calls.len() / threads / MOVES;
    let mut parts = Vec::with_capacity(threads);
    let mut begin = 0;
    for part in 1..=threads {
        let end = if part == threads {
            graph.len() as u32
        } else {
            let wanted = calls.len() * part / threads;
            let cuts = &calls[wanted.saturating_sub(moves)..(wanted + moves + 1).min(calls.len())];
            let far = |cut: u32| (calls.get(wanted).copied().unwrap_or(cut)).abs_diff(cut);
            let best = cuts.iter().copied().min_by_key(|&cut| (crossing[cut as usize], far(cut)));
            best.unwrap_or(begin).max(begin)
        };
        parts.push(begin..end);
        begin = end;
    }
    parts
}

/// Of each step: how many from it on wait for one before it.
fn crossing(graph: &Graph) -> Vec<u32> {
    let mut changes = vec![0_i64; graph.len() + 1];
    for step in 0..graph.len() as u32 {
        for &successor in graph.successors(step) {
            changes[step as usize + 1] += 1;
            changes[successor as usize + 1] -= 1;
        }
    }
    let mut crossing = 0_i64;
    let sum = changes.iter().map(|change| {
        crossing += change;
        u32::try_from(crossing).unwrap_or(u32::MAX)
    });
    sum.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Lookahead;
    use crate::testing::{Script, unrehearsed};

    fn cut(script: Script, lookahead: Lookahead, threads: usize) -> Vec<Range<u32>> {
        let (plan, _directory) = script.build();
        let program = unrehearsed(plan);
        let graph = Graph::new(&program, lookahead, 1000);
        parts(&program, &graph, threads)
    }

    /// Files of four calls each.
    fn files(files: usize) -> Script {
        let mut script = Script::new();
        let main = script.main;
        for file in 0..files {
            let name = format!("file{file}");
            script.stat(main, &name, 0);
            script.open(main, &name, 0, 3);
            script.read(main, 3, 9, 9);
            script.close(main, 3);
        }
        script
    }

    #[test]
    fn parts_are_alike_and_no_file_is_in_two() {
        for (count, threads) in [(30, 2), (30, 3), (31, 2), (100, 7)] {
            let parts = cut(files(count), Lookahead::ALL, threads);
            assert_eq!(parts.len(), threads);
            assert_eq!((parts[0].start, parts[threads - 1].end), (0, 4 * count as u32));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "{parts:?}");
            // Between a file's stat and its open nothing is held.
            assert!(parts.iter().all(|part| part.end % 4 < 2), "{parts:?}");
            let sizes: Vec<u32> = parts.iter().map(|part| part.end - part.start).collect();
            let share = (4 * count / threads) as u32;
            assert!(sizes.iter().all(|size| size.abs_diff(share) <= share / 4 + 2), "{sizes:?}");
        }
    }

    #[test]
    fn fewer_steps_than_threads_leave_some_without() {
        let parts = cut(files(1), Lookahead::ALL, 8);
        assert_eq!(parts.iter().map(|part| part.end - part.start).sum::<u32>(), 4);
        assert_eq!(parts.len(), 8);
    }
}
