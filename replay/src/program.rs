//! A plan that is ready to run: the steps that are executed, with the result each must have.

use crate::bind::{Action, Handle, Skip, Step};
use crate::plan::{Call, PathId, Plan};
use crate::scratch::Accesses;
use crate::sys::calls::{Observed, Room};

/// Longest pauses of a program, all together, that a replay waits for: a log may say that it slept for years.
const MOST_THINKING_NS: u64 = 2_000_000_000;

/// Bytes that a name takes in a listing, at most.
pub(crate) const LONGEST_ENTRY: i64 = 280;

/// What every engine runs. Made by `rehearse`; immutable while engines run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) plan: Plan,
    /// In log order: what is executed, and what orders it.
    pub(crate) steps: Vec<Step>,
    /// What each step must come to: what the rehearsal saw, which is what the log says as far as it says it.
    pub(crate) expected: Vec<Observed>,
    pub(crate) handles: usize,
    pub(crate) descriptions: Vec<u32>,
    /// Open before the run begins.
    pub(crate) initial: Vec<(Handle, PathId)>,
    /// Of each call, why it is not executed.
    pub(crate) skips: Vec<Option<Skip>>,
    /// What each step reads and writes, where steps change files; those that only read wait for nobody.
    pub(crate) accesses: Option<Accesses>,
}

/// The most bytes that one of some steps transfers.
pub(crate) fn room(steps: &[Step]) -> Room {
    let most = |of: fn(&Action) -> u32| steps.iter().map(|step| of(&step.action)).max().unwrap_or(0) as usize;
    Room { read: most(Action::room), written: most(Action::written) }
}

impl Program {
    /// Whether what came of a step is what had to.
    pub(crate) fn matches(&self, step: usize, observed: Observed) -> bool {
        let expected = self.expected[step];
        if self.steps[step].action.defines().is_some() {
            return observed.ret >= 0;
        }
        if self.accesses.is_some() && matches!(self.steps[step].action, Action::ListDir { .. }) {
            // Files of a scratch tree are made anew: their inodes differ, and with them the order of the names. How many
            // fit into one call can differ then, if not all do.
            let is_cut = expected.ret + LONGEST_ENTRY > i64::from(self.steps[step].action.room());
            return if is_cut { observed.ret > 0 } else { expected.ret == observed.ret };
        }
        expected == observed
    }

    /// How many steps are executed.
    pub(crate) fn executed(&self) -> usize {
        self.steps.iter().filter(|step| step.action.is_executed()).count()
    }

    /// The most bytes that one step transfers.
    pub(crate) fn room(&self) -> Room {
        room(&self.steps)
    }

    /// The directory that most relative paths start from, of those that are open before the first step.
    pub(crate) fn home(&self) -> Option<(Handle, PathId)> {
        let steps = self.steps.iter().filter(|step| step.action.is_executed());
        let mut uses = vec![0_u32; self.handles];
        for handle in steps.filter_map(|step| step.action.lookup()?.0) {
            uses[handle.index()] += 1;
        }
        let is_absolute = |path: PathId| self.plan.paths.bytes(path).starts_with(b"/");
        let initial = self.initial.iter().copied();
        let known = initial.filter(|&(handle, path)| uses[handle.index()] > 0 && is_absolute(path));
        known.max_by_key(|(handle, _)| uses[handle.index()])
    }

    /// Whether a step changes files.
    pub(crate) fn changes_files(&self) -> bool {
        self.steps.iter().any(Step::changes_files)
    }

    /// Of each step: the time its thread spent since its last executed step (or its first sign of life) on
    /// anything else; `None` if a call has no times, or if these pauses are too long to be waited for in each run.
    pub(crate) fn think_ns(&self) -> Option<Vec<u64>> {
        let mut last_end: Vec<Option<u64>> = vec![None; self.plan.threads.len()];
        let mut think = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let timed = self.plan.calls.get(step.call as usize).filter(|_| step.action.is_executed());
            let Some(call) = timed else {
                think.push(0);
                continue;
            };
            if call.start_ns == Call::NO_TIME {
                return None;
            }
            let last = &mut last_end[step.thread as usize];
            think.push(last.map_or(0, |last| call.start_ns.saturating_sub(last)));
            *last = Some(last.unwrap_or(0).max(call.end_ns));
        }
        let all = think.iter().fold(0_u64, |all, pause| all.saturating_add(*pause));
        (all <= MOST_THINKING_NS).then_some(think)
    }

    /// The time the log gives for the executed calls, summed; `None` without times.
    pub(crate) fn recorded_ns(&self) -> Option<u64> {
        let executed = self.steps.iter().filter(|step| step.action.is_executed());
        let mut calls = executed.filter_map(|step| self.plan.calls.get(step.call as usize));
        calls.try_fold(0_u64, |sum, call| {
            let took = (call.start_ns != Call::NO_TIME).then(|| call.end_ns - call.start_ns)?;
            Some(sum.saturating_add(took))
        })
    }

    pub(crate) fn action(&self, step: u32) -> &Action {
        &self.steps[step as usize].action
    }
}
