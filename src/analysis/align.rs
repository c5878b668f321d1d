//! Two runs of one command held side by side, call by call.
//!
//! What one run tells of its calls (their stacks) can then be said of the other's (their costs). A thread is known by its
//! descent: the n-th thread or process that its parent made. Within a thread, calls are alike that have the same number,
//! are about the same path and failed in the same way. Where two runs differ (another temporary name, one more read), a
//! few calls on either side are skipped until both agree again; what is skipped has no counterpart. Calls for memory hang on
//! where a run's memory lies, those for futexes on who comes first, so they are left out at first, and paired between calls
//! that are.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::event::{Event, Kind};
use crate::syscall::{Family, lookup};

/// Calls of one log that are looked at.
const MOST: usize = 1 << 22;
/// How many calls of both sides together are skipped at most where two runs differ.
const FARTHEST: usize = 512;
/// So many calls in a row must agree before two runs are taken to go on alike.
const AGREE: usize = 4;

/// A call of a thread: what it is like, and which one of the log it is.
type Entry = (u64, u32);

/// The calls of a thread.
#[derive(Debug, Default)]
struct Calls {
    /// All but those for memory.
    plain: Vec<Entry>,
    /// Those for memory.
    memory: Vec<Entry>,
}

/// The calls of a run, thread by thread.
#[derive(Debug, Default)]
pub struct Outline {
    /// By thread id: its descent, and how many others it has made.
    descents: FxHashMap<u32, (u64, u64)>,
    /// By descent.
    threads: FxHashMap<u64, Calls>,
    calls: u32,
}

impl Outline {
    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        let is_first = self.descents.is_empty();
        if is_first {
            self.descents.insert(event.tid, (0, 0));
        }
        match event.kind {
            Kind::Fork => {
                let child = event.ret.and_then(|tid| u32::try_from(tid).ok());
                let parent = self.descents.get_mut(&event.tid);
                if let (Some(child), Some((descent, made))) = (child, parent) {
                    *made += 1;
                    let own = hash(&(*descent, *made));
                    self.descents.insert(child, (own, 0));
                }
            }
            Kind::Syscall => {
                let number = self.calls;
                self.calls = self.calls.saturating_add(1);
                if let Some((descent, _)) = self.descents.get(&event.tid).filter(|_| (number as usize) < MOST)
                {
                    // What is behind a descriptor may have another name each time.
                    let path = event.path.filter(|path| !path.is_empty());
                    let path = path.and_then(|path| event.path_abs.or(Some(path)));
                    let like = hash(&(event.nr, event.abi, path, event.errno()));
                    let calls = self.threads.entry(*descent).or_default();
                    let spec = lookup(event.abi, event.nr);
                    let is_memory =
                        spec.is_some_and(|spec| matches!(spec.family, Family::Memory | Family::Futex));
                    let list = if is_memory { &mut calls.memory } else { &mut calls.plain };
                    list.push((like, number));
                }
            }
            _ => {}
        }
    }

    /// How many calls there are.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls as usize
    }

    /// For each call, the one of another run that is its counterpart, if there is one.
    #[must_use]
    pub fn counterparts(&self, other: &Self) -> Vec<Option<u32>> {
        let mut all = vec![None; self.calls()];
        for (descent, calls) in &self.threads {
            let Some(others) = other.threads.get(descent) else { continue };
            let mut anchors = Vec::with_capacity(calls.plain.len());
            pair(&calls.plain, &others.plain, |here, there| anchors.push((here, there)));
            let mut known = |here: u32, there: u32| {
                if let Some(known) = all.get_mut(here as usize) {
                    *known = Some(there);
                }
            };
            pair_between(&calls.memory, &others.memory, &anchors, &mut known);
            for (here, there) in anchors {
                known(here, there);
            }
        }
        all
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Tells each pair of calls that belong together, in order.
fn pair(mut one: &[Entry], mut other: &[Entry], mut tell: impl FnMut(u32, u32)) {
    while let ([(a, here), rest @ ..], [(b, there), others @ ..]) = (one, other) {
        if a == b {
            tell(*here, *there);
            (one, other) = (rest, others);
            continue;
        }
        let Some((skip, skip_other)) = next_agreement(one, other) else { return };
        (one, other) = (&one[skip..], &other[skip_other..]);
    }
}

/// Tells pairs of calls that lie between the same pairs of others, the anchors; all lists are in order.
fn pair_between(
    mut one: &[Entry],
    mut other: &[Entry],
    anchors: &[(u32, u32)],
    tell: &mut impl FnMut(u32, u32),
) {
    for (here, there) in anchors.iter().copied().chain([(u32::MAX, u32::MAX)]) {
        let (before, after) = one.split_at(one.partition_point(|(_, number)| *number < here));
        let (others, others_after) = other.split_at(other.partition_point(|(_, number)| *number < there));
        let mut rest = others;
        for (like, number) in before {
            if let Some(at) = rest.iter().position(|(known, _)| known == like) {
                tell(*number, rest[at].1);
                rest = &rest[at + 1..];
            }
        }
        (one, other) = (after, others_after);
    }
}

/// How many calls are to be skipped on either side until both agree: as few as possible in all.
fn next_agreement(one: &[Entry], other: &[Entry]) -> Option<(usize, usize)> {
    let agrees = |at: usize, at_other: usize| {
        let pairs = one[at..].iter().zip(&other[at_other..]).take(AGREE);
        let agreeing = pairs.clone().take_while(|((a, _), (b, _))| a == b).count();
        // At the end fewer must do.
        agreeing > 0 && agreeing == pairs.count()
    };
    (1..FARTHEST).find_map(|skipped| {
        (0..=skipped)
            .map(|skip| (skip, skipped - skip))
            .filter(|&(skip, skip_other)| skip < one.len() && skip_other < other.len())
            .find(|&(skip, skip_other)| agrees(skip, skip_other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::call;

    fn outline(paths: &str) -> Outline {
        let mut outline = Outline::default();
        for path in paths.split(' ') {
            outline.add(&Event { path: Some(path.as_bytes()), ..call("newfstatat", 0, 0, 0) });
        }
        outline
    }

    fn counterparts(one: &str, other: &str) -> Vec<Option<u32>> {
        outline(one).counterparts(&outline(other))
    }

    #[test]
    fn like_runs_are_alike_throughout() {
        assert_eq!(counterparts("a b c a", "a b c a"), [0, 1, 2, 3].map(Some));
    }

    #[test]
    fn what_one_run_has_alone_has_no_counterpart() {
        assert_eq!(
            counterparts("a b x c d e f", "a b c d e f"),
            [Some(0), Some(1), None, Some(2), Some(3), Some(4), Some(5)]
        );
        assert_eq!(counterparts("a b c d e f", "a b y z c d e f"), [0, 1, 4, 5, 6, 7].map(Some));
        assert_eq!(
            counterparts("a x b c d e", "a y b c d e"),
            [Some(0), None, Some(2), Some(3), Some(4), Some(5)]
        );
        assert_eq!(counterparts("a b", "c d"), [None, None]);
    }

    #[test]
    fn calls_for_memory_do_not_hide_others() {
        let run = |calls: &str| {
            let mut outline = Outline::default();
            for name in calls.split(' ') {
                outline.add(&call(name, 0, 0, 0));
            }
            outline
        };
        let one = run("getpid brk write write lseek fsync munmap close");
        let other = run("getpid write mmap write lseek fsync munmap mmap close");
        let found = one.counterparts(&other);
        assert_eq!(found, [Some(0), None, Some(1), Some(3), Some(4), Some(5), Some(6), Some(8)]);
    }

    #[test]
    fn a_thread_is_known_by_its_descent() {
        let run = |tids: [u32; 3]| {
            let mut outline = Outline::default();
            let of = |tid, path: &'static str| Event {
                tid,
                path: Some(path.as_bytes()),
                ..call("newfstatat", 0, 0, 0)
            };
            let fork = |tid, child: u32| Event { tid, ret: Some(child.into()), ..Event::new(Kind::Fork) };
            let [first, second, third] = tids;
            let order = if first < second { [second, third] } else { [third, second] };
            outline.add(&of(first, "a"));
            outline.add(&fork(first, second));
            outline.add(&fork(first, third));
            for tid in order {
                outline.add(&of(tid, if tid == second { "b" } else { "c" }));
            }
            // Nobody has made this one.
            outline.add(&of(99, "a"));
            outline
        };
        let (one, other) = (run([1, 2, 3]), run([9, 5, 4]));
        assert_eq!(one.counterparts(&other), [Some(0), Some(2), Some(1), None]);
    }
}
