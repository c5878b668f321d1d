//! The rehearsal in a scratch tree: every step once, serially, in log order, until all that are left have the log's
//! results.
//!
//! A call with another result is left out. What it changed, and the log's did not, would put everything after it
//! wrong; so the tree is put back, and the rest is rehearsed again.

use std::os::fd::AsFd;

use super::model::{Modelled, follow};
use super::tree::{State, Tree};
use crate::ReplayError;
use crate::bind::{Action, Change, Skip, Step};
use crate::plan::{Call, CallId, PathId, Plan, StatFacts};
use crate::program::{LONGEST_ENTRY, Program, room};
use crate::rehearse::{DIFFERENCES_KEPT, Difference};
use crate::run::open_initial;
use crate::sys::calls::{Descriptors, Observed, Scratch, perform};
use crate::sys::files::{Identity, borrow, free_bytes, identity, locate};
use crate::sys::rest::go_on;
use crate::verify::{self, What};

/// Rounds that begin anew after the first change that the log's call did not make.
const CAREFUL_ROUNDS: usize = 12;

/// What a rehearsal came to.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    pub(crate) program: Program,
    pub(crate) differences: Vec<Difference>,
    /// The tree after it.
    pub(crate) end: State,
}

/// Rehearses the modelled steps in their tree, with so many descriptors at most. `None`: there is no room for what they write.
pub(crate) fn rehearse(
    plan: Plan,
    modelled: Modelled,
    shape: (usize, Vec<u32>),
    most_open: usize,
    tree: &mut Tree,
) -> Result<Option<Rehearsed>, ReplayError> {
    let (handles, descriptions) = shape;
    let steps = modelled.steps.len();
    let mut rehearsal = Rehearsal {
        keep: vec![true; steps],
        expected: vec![Observed::default(); steps],
        skips: modelled.skips,
        differences: Vec::new(),
        steps: &modelled.steps,
        opened: &modelled.opened,
        descriptors: Descriptors::new(handles),
        open: 0,
        most_open,
        is_full: false,
        scratch: Scratch::new(room(&modelled.steps)),
        plan: &plan,
    };
    let mut rounds = 0;
    while !rehearsal.round(rounds < CAREFUL_ROUNDS) {
        if rehearsal.is_full {
            return Ok(None);
        }
        rounds += 1;
        tree.restore().map_err(ReplayError::io(super::NOT_RESTORED))?;
    }
    let Rehearsal { keep, expected, skips, mut differences, .. } = rehearsal;
    let end = tree.state().map_err(ReplayError::io(super::NOT_LOOKED_AT))?;
    differences.sort_unstable_by_key(|difference| difference.call);
    differences.truncate(DIFFERENCES_KEPT);
    let kept = |index: &usize| keep[*index];
    let expected = (0..steps).filter(kept).map(|index| expected[index]).collect();
    let steps: Vec<Step> = (0..steps).filter(kept).map(|index| modelled.steps[index]).collect();
    let accesses = follow(&plan, (handles, &descriptions), tree.made_of(), &modelled.opened, &steps)?;
    let program = Program {
        steps,
        expected,
        accesses: Some(accesses),
        plan,
        handles,
        descriptions,
        initial: modelled.opened,
        skips,
    };
    Ok(Some(Rehearsed { program, differences, end }))
}

struct Rehearsal<'a> {
    plan: &'a Plan,
    steps: &'a [Step],
    opened: &'a [(crate::bind::Handle, PathId)],
    keep: Vec<bool>,
    expected: Vec<Observed>,
    skips: Vec<Option<Skip>>,
    differences: Vec<Difference>,
    descriptors: Descriptors,
    /// How many of them are open, and may be.
    open: usize,
    most_open: usize,
    /// A call found no room for what it writes, as the log's did.
    is_full: bool,
    scratch: Scratch,
}

impl Rehearsal<'_> {
    /// All steps that are left; whether each had the log's result.
    fn round(&mut self, careful: bool) -> bool {
        self.descriptors.close_all();
        for &(handle, path) in self.opened {
            perform(&open_initial(handle, path), &self.plan.paths, &self.descriptors, &mut self.scratch);
        }
        self.open = self.opened.len();
        let mut all = true;
        for index in 0..self.steps.len() {
            if !self.keep[index] || !self.steps[index].action.is_executed() {
                continue;
            }
            let Err(skip) = self.step(index) else { continue };
            all = false;
            self.drop_step(index, skip);
            if self.is_full {
                break;
            }
            let changed = self.steps[index].changes_files() && self.expected[index].ret >= 0;
            if careful && changed && skip == Skip::Differs {
                break;
            }
        }
        self.descriptors.close_all();
        all
    }

    fn step(&mut self, index: usize) -> Result<(), Skip> {
        let step = self.steps[index];
        let mut needed = step.action.uses().into_iter().flatten().chain(step.action.closes());
        if needed.any(|handle| self.descriptors.get(handle) < 0) {
            return Err(Skip::DependsOnSkipped);
        }
        if step.action.defines().is_some() && self.open >= self.most_open {
            return Err(Skip::NoDescriptor);
        }
        let mut observed = perform(&step.action, &self.plan.paths, &self.descriptors, &mut self.scratch);
        let call = self.plan.calls.get(step.call as usize);
        let wanted = || match step.action {
            // The log has other names, and with them another number of bytes.
            Action::ListDir { count, .. } => i64::from(count) - LONGEST_ENTRY,
            _ => call.map_or(0, |call| call.ret),
        };
        go_on(&step.action, wanted, &self.descriptors, &mut observed, &mut self.scratch);
        self.expected[index] = observed;
        let differs = call.and_then(|call| Some((call, self.compare(call, &step.action, observed)?)));
        let Some((call, what)) = differs else {
            self.open += usize::from(step.action.defines().is_some());
            self.open = self.open.saturating_sub(usize::from(step.action.closes().is_some()));
            return Ok(());
        };
        if let Some(handle) = step.action.defines() {
            let fd = self.descriptors.take(handle);
            if fd >= 0 {
                crate::sys::calls::close(fd);
            }
        }
        self.is_full |= self.found_no_room(&step.action, call.ret, observed.ret);
        let call_id = CallId(step.call);
        self.differences.push(Difference { call: call_id, recorded: call.ret, here: observed.ret, what });
        Err(Skip::Differs)
    }

    /// Whether a call that came to something else failed, or wrote less, because the file system is full.
    fn found_no_room(&self, action: &Action, recorded: i64, here: i64) -> bool {
        match action {
            // What does not fit into one inode is said to have no room, too.
            Action::Change(Change::Attribute { .. }) => false,
            Action::Change(
                Change::Write { handle, .. }
                | Change::Pwrite { handle, .. }
                | Change::Copy { to: handle, .. },
            ) if here >= 0 => {
                let free = borrow(self.descriptors.get(*handle)).map(free_bytes).transpose().ok().flatten();
                free.is_some_and(|free| recorded - here > free as i64)
            }
            Action::Change(_) => [libc::ENOSPC, libc::EDQUOT].iter().any(|&errno| here == -i64::from(errno)),
            _ => false,
        }
    }

    fn drop_step(&mut self, index: usize, skip: Skip) {
        self.keep[index] = false;
        if let Some(place) = self.skips.get_mut(self.steps[index].call as usize) {
            *place = Some(skip);
        }
    }

    /// Names in a listing are as many as in the log, not the same: how many bytes of them a call returns
    /// depends on their lengths, that there are some does not.
    fn compare(&self, call: &Call, action: &Action, observed: Observed) -> Option<What> {
        if matches!(action, Action::ListDir { .. }) && (call.ret > 0) == (observed.ret > 0) && call.ret >= 0 {
            return None;
        }
        let facts = self.plan.stats.get(call.stat as usize).copied().unwrap_or_default();
        verify::against_log(call, action, observed, || self.facts_here(action, facts))
    }

    fn facts_here(&self, action: &Action, mut recorded: StatFacts) -> Option<What> {
        if recorded == StatFacts::default() {
            return None;
        }
        if recorded.mode.is_some_and(|mode| mode & libc::S_IFMT == libc::S_IFDIR) {
            // Of a directory the tree has what the log saw of it: fewer directories in it, maybe.
            (recorded.size, recorded.nlink) = (None, None);
        }
        verify::facts(&recorded, &self.identity(action)?)
    }

    fn identity(&self, action: &Action) -> Option<Identity> {
        match *action {
            Action::Fstat { handle } => identity(borrow(self.descriptors.get(handle))?).ok(),
            Action::Stat { start, path, flags, .. } => {
                let (from, name) = (self.descriptors.start(start), self.plan.paths.c_str(path));
                if name.is_empty() {
                    return identity(borrow(from)?).ok();
                }
                let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
                let file = locate(from, name, if follow { 0 } else { libc::O_NOFOLLOW }, 0).ok()?;
                identity(file.as_fd()).ok()
            }
            _ => None,
        }
    }
}
