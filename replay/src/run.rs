//! One run of a program: the descriptors it has open and what came of each step.

use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bind::{Action, Handle};
use crate::plan::PathId;
use crate::program::Program;
use crate::scratch::{State, Tree, first_difference, first_other_name};
use crate::sys::calls::{Descriptors, Observed, Room, Scratch, perform};
use crate::sys::rest::go_on;

/// Never a result of a call: the step was not executed.
const NOT_RUN: i64 = i64::MIN;

/// Directories that an engine may hold open besides the program's, behind handles after those.
pub(crate) const HELD_DIRECTORIES: usize = 64;

/// The state of a run, made once and reset before each: nothing is allocated while time is taken.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) program: Arc<Program>,
    pub(crate) descriptors: Descriptors,
    /// Stored with relaxed ordering: read only after the engine has ended.
    results: Vec<(AtomicI64, AtomicU64)>,
    /// Where the program changes files.
    place: Option<Mutex<Place>>,
}

/// A scratch tree, and what it must be after a run.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) tree: Tree,
    pub(crate) end: State,
}

impl Run {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        let results = program.steps.iter().map(|_| (AtomicI64::new(NOT_RUN), AtomicU64::new(0))).collect();
        Self {
            descriptors: Descriptors::new(program.handles + HELD_DIRECTORIES),
            program,
            results,
            place: None,
        }
    }

    /// By threads that are in a handle's directory.
    pub(crate) fn standing_in(mut self, here: Handle) -> Self {
        self.descriptors = std::mem::take(&mut self.descriptors).standing_in(here);
        self
    }

    /// Of a program that changes files, in this tree.
    pub(crate) fn in_tree(program: Arc<Program>, place: Place) -> Self {
        let mut run = Self::new(program);
        run.place = Some(Mutex::new(place));
        run
    }

    /// Forgets results, closes what is open, puts the tree back, and opens what is open before the first step.
    pub(crate) fn reset(&self) -> io::Result<()> {
        self.descriptors.close_all();
        if let Some(place) = &self.place {
            place.lock().unwrap_or_else(PoisonError::into_inner).tree.restore()?;
        }
        for (ret, digest) in &self.results {
            ret.store(NOT_RUN, Ordering::Relaxed);
            digest.store(0, Ordering::Relaxed);
        }
        let mut scratch = Scratch::new(Room::default());
        for &(handle, path) in &self.program.initial {
            perform(&open_initial(handle, path), &self.program.plan.paths, &self.descriptors, &mut scratch);
        }
        Ok(())
    }

    /// Whether files can share blocks where this run makes its own.
    pub(crate) fn shares_blocks(&self) -> bool {
        let place = self.place.as_ref().map(|place| place.lock().unwrap_or_else(PoisonError::into_inner));
        place.is_some_and(|place| place.tree.shares_blocks())
    }

    /// The first file that is not as it must be after a run.
    /// `names_only`: whether it is there at all.
    pub(crate) fn wrong_file(&self, names_only: bool) -> io::Result<Option<Box<[u8]>>> {
        let Some(place) = &self.place else { return Ok(None) };
        let place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = if names_only { first_other_name } else { first_difference };
        Ok(differs(&place.end, &place.tree.state()?))
    }

    /// Keeps what came of a step.
    #[inline]
    pub(crate) fn record(&self, step: u32, observed: Observed) {
        let (ret, digest) = &self.results[step as usize];
        ret.store(observed.ret, Ordering::Relaxed);
        digest.store(observed.digest, Ordering::Relaxed);
    }

    /// Makes a step's plain call and keeps what came of it; how many calls it took: one, but for what was cut short.
    #[inline]
    pub(crate) fn perform(&self, step: u32, scratch: &mut Scratch) -> u64 {
        let action = self.program.action(step);
        let mut observed = perform(action, &self.program.plan.paths, &self.descriptors, scratch);
        let wanted = || self.program.expected[step as usize].ret;
        let more = go_on(action, wanted, &self.descriptors, &mut observed, scratch);
        self.record(step, observed);
        1 + more
    }

    /// Makes another call in place of a step's, with the same outcome.
    pub(crate) fn perform_as(&self, step: u32, action: &Action, scratch: &mut Scratch) -> Observed {
        let observed = perform(action, &self.program.plan.paths, &self.descriptors, scratch);
        self.record(step, observed);
        observed
    }

    /// What came of a step; `None` if it was not executed.
    pub(crate) fn result(&self, step: usize) -> Option<Observed> {
        let (ret, digest) = &self.results[step];
        let ret = ret.load(Ordering::Relaxed);
        (ret != NOT_RUN).then(|| Observed { ret, digest: digest.load(Ordering::Relaxed) })
    }

    /// The executed steps that did not come to what they had to, with what they came to.
    pub(crate) fn mismatches(&self) -> impl Iterator<Item = (u32, Option<Observed>)> + '_ {
        let steps = self.program.steps.iter().enumerate().filter(|(_, step)| step.action.is_executed());
        steps.filter_map(|(index, _)| {
            let result = self.result(index);
            let matches = result.is_some_and(|observed| self.program.matches(index, observed));
            (!matches).then_some((index as u32, result))
        })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.descriptors.close_all();
    }
}

/// The call that opens what is open before the first step.
pub(crate) fn open_initial(handle: Handle, path: PathId) -> Action {
    let flags = (libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY) as u32;
    Action::Open { start: None, path, flags, resolve: 0, into: Some(handle) }
}
