//! The rehearsal: every step once, serially, in log order, with every check there is; what passes is the
//! [`Program`].
//!
//! A log is hostile input. So nothing is opened by the path in it: the path is looked up with `O_PATH`, which acts on
//! nothing; the file found is examined; and that file, not the path, is opened. The results are compared
//! with the log's. A call that has another result here is left out, and so is what depends on it: the timed
//! runs then repeat exactly what was seen here, and any deviation there is the engine's.

mod places;
#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, IntoRawFd, OwnedFd};

use rustc_hash::FxHashSet;

use crate::bind::{Action, Bound, Handle, Skip, Start, Step, bind};
use crate::guard::{Guard, Readable};
use crate::plan::{Call, CallId, PathId, Plan, StatFacts};
use crate::program::{Program, room};
use crate::session::most_open;
use crate::sys::calls::{Descriptors, Observed, Scratch, perform};
use crate::sys::files::{Identity, identity, reopen};
use crate::sys::rest::go_on;
use crate::sys::usage::descriptor_limit;
use crate::{ReplayError, verify};

/// How many calls with other results than in the log are kept for the report, of all that are counted.
pub(crate) const DIFFERENCES_KEPT: usize = 100;

/// A call whose result here is not the log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which call.
    pub call: CallId,
    /// What the log says it returned.
    pub recorded: i64,
    /// What it returned here: a negative errno for a failure.
    pub here: i64,
    /// What differs.
    pub what: verify::What,
}

/// What a rehearsal found.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    pub(crate) program: Program,
    /// The first calls that have other results here.
    pub(crate) differences: Vec<Difference>,
    /// Files that the timed runs may read.
    pub(crate) readable: Readable,
    /// The regular files that were opened, if they were to be kept.
    pub(crate) files: Vec<OwnedFd>,
}

/// Files kept open at most: their pages are dropped before a cold run, those of others are not.
const FILES_KEPT: usize = 10_000;

const NO_LIMIT: &str = "the limit of descriptors";

/// Rehearses a plan. The thread must be forbidden to write already.
pub(crate) fn rehearse(plan: Plan, guard: Guard, keep_files: bool) -> Result<Rehearsed, ReplayError> {
    places::proc_is_there().map_err(ReplayError::NoProc)?;
    let bound = bind(&plan)?;
    let room = room(&bound.steps);
    let mut rehearsal = Rehearsal {
        descriptors: Descriptors::new(bound.handles),
        open: bound.initial.len(),
        most_open: most_open(descriptor_limit().map_err(ReplayError::io(NO_LIMIT))?),
        spoiled: vec![false; bound.handles],
        readable: Readable::new(guard)?,
        guard,
        allowed: FxHashSet::default(),
        looked_up: FxHashSet::default(),
        scratch: Scratch::new(room),
        differences: Vec::new(),
        files: keep_files.then(Vec::new),
        skips: bound.skips.clone(),
        bound: &bound,
        plan: &plan,
    };
    let initial = rehearsal.open_initial();
    let (steps, expected) = rehearsal.run()?;
    let Rehearsal { differences, skips, readable, descriptors, files, .. } = rehearsal;
    let files = files.unwrap_or_default();
    descriptors.close_all();
    let Bound { handles, descriptions, .. } = bound;
    let program = Program { plan, steps, expected, handles, descriptions, initial, skips, accesses: None };
    Ok(Rehearsed { program, differences, readable, files })
}

/// Lets a directory be listed that no call of the plan lists, if it is within limits.
pub(crate) fn allow_listing(directory: &std::ffi::CStr, readable: &mut Readable) -> Result<(), ReplayError> {
    if let Ok(Ok(directory)) = places::find(libc::AT_FDCWD, directory, libc::O_DIRECTORY, 0) {
        readable.allow(directory.as_fd(), true)?;
    }
    Ok(())
}

struct Rehearsal<'a> {
    plan: &'a Plan,
    bound: &'a Bound,
    descriptors: Descriptors,
    /// How many of them are open, and may be.
    open: usize,
    most_open: usize,
    /// Of each open file description: whether its offset is no longer the one of the log.
    spoiled: Vec<bool>,
    readable: Readable,
    guard: Guard,
    /// Files in `readable` (device, inode).
    allowed: FxHashSet<(u64, u64)>,
    /// Lookups known to be within limits.
    looked_up: FxHashSet<(Start, PathId, bool)>,
    scratch: Scratch,
    /// Opened files, if they are to be kept.
    files: Option<Vec<OwnedFd>>,
    differences: Vec<Difference>,
    skips: Vec<Option<Skip>>,
}

impl Rehearsal<'_> {
    /// Directories and files that are open before the first call; those that cannot be are missing.
    fn open_initial(&mut self) -> Vec<(Handle, PathId)> {
        let mut opened = Vec::new();
        for &(handle, path) in &self.bound.initial {
            let found = places::find(libc::AT_FDCWD, self.plan.paths.c_str(path), 0, 0);
            let Ok(Ok(file)) = found else { continue };
            let readable = identity(file.as_fd()).map_err(|_| Skip::Differs).and_then(|identity| {
                self.check_kind(&identity)?;
                self.allow(&file, &identity).map_err(|_| Skip::Differs)
            });
            if readable.is_ok()
                && let Ok(file) = reopen(file.as_fd(), libc::O_RDONLY)
            {
                self.descriptors.set(handle, file.into_raw_fd());
                opened.push((handle, path));
            }
        }
        opened
    }

    fn run(&mut self) -> Result<(Vec<Step>, Vec<Observed>), ReplayError> {
        let mut steps = Vec::with_capacity(self.bound.steps.len());
        let mut expected = Vec::with_capacity(self.bound.steps.len());
        for step in &self.bound.steps {
            match self.step(step)? {
                Ok(observed) => {
                    self.open += usize::from(step.action.defines().is_some());
                    self.open = self.open.saturating_sub(usize::from(step.action.closes().is_some()));
                    steps.push(Step { action: self.harmless(step.action), ..*step });
                    expected.push(observed);
                }
                Err(skip) => {
                    if let Some(place) = self.skips.get_mut(step.call as usize) {
                        *place = Some(skip);
                    }
                }
            }
        }
        Ok((steps, expected))
    }

    /// By the time it is replayed, a path may lead to something else. Landlock refuses that; where there is none, an
    /// open at least does not wait for a FIFO's other end, and makes no terminal ours.
    fn harmless(&self, mut action: Action) -> Action {
        if let Action::Open { flags, .. } = &mut action
            && self.guard == Guard::None
            && *flags & libc::O_PATH as u32 == 0
        {
            *flags |= (libc::O_NONBLOCK | libc::O_NOCTTY) as u32;
        }
        action
    }

    fn step(&mut self, step: &Step) -> Result<Result<Observed, Skip>, ReplayError> {
        let mut needed = step.action.uses().into_iter().flatten().chain(step.action.closes());
        if needed.any(|handle| self.descriptors.get(handle) < 0) {
            return Ok(Err(Skip::DependsOnSkipped));
        }
        if self.moves_spoiled_offset(&step.action) {
            return Ok(Err(Skip::DependsOnSkipped));
        }
        if step.action.defines().is_some() && self.open >= self.most_open {
            return Ok(Err(Skip::NoDescriptor));
        }
        let mut observed = match self.execute(&step.action) {
            Ok(observed) => observed,
            Err(Refusal::Skip(skip)) => return Ok(Err(skip)),
            Err(Refusal::Landlock(error)) => return Err(error.into()),
        };
        let wanted = || self.plan.calls.get(step.call as usize).map_or(0, |call| call.ret);
        go_on(&step.action, wanted, &self.descriptors, &mut observed, &mut self.scratch);
        Ok(self.compare(step, observed))
    }

    fn moves_spoiled_offset(&self, action: &Action) -> bool {
        let mut handles = action.moves_offsets_of().into_iter().flatten();
        handles.any(|handle| self.spoiled[self.bound.descriptions[handle.index()] as usize])
    }

    fn execute(&mut self, action: &Action) -> Result<Observed, Refusal> {
        match *action {
            Action::Open { start, path, flags, resolve, into } => {
                return self.open(start, path, flags as i32, resolve, into);
            }
            Action::EnterPath { start, path, into } => {
                return self.open(start, path, libc::O_PATH | libc::O_DIRECTORY, 0, into);
            }
            Action::Stat { start, path, flags, .. } | Action::Access { start, path, flags, .. } => {
                self.check_lookup(start, path, flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0)?;
            }
            Action::ReadLink { start, path, .. } => self.check_lookup(start, path, false)?,
            _ => {}
        }
        Ok(perform(action, &self.plan.paths, &self.descriptors, &mut self.scratch))
    }

    /// A lookup is done again in the timed runs, by path; it reads no contents, so where it leads is all there
    /// is to check.
    fn check_lookup(&mut self, start: Start, path: PathId, follow: bool) -> Result<(), Skip> {
        let key = (start, path, follow);
        if self.looked_up.contains(&key) {
            return Ok(());
        }
        let flags = if follow { 0 } else { libc::O_NOFOLLOW };
        let (from, name) = (self.descriptors.start(start), self.plan.paths.c_str(path));
        if name.is_empty() {
            let directory = crate::sys::files::borrow(from).ok_or(Skip::DependsOnSkipped)?;
            places::check(directory)?;
        } else {
            let _ = places::find(from, name, flags, 0)?;
        }
        self.looked_up.insert(key);
        Ok(())
    }

    fn open(
        &mut self,
        start: Start,
        path: PathId,
        flags: i32,
        resolve: u16,
        into: Option<Handle>,
    ) -> Result<Observed, Refusal> {
        let lookup_flags = flags & (libc::O_NOFOLLOW | libc::O_DIRECTORY);
        let name = self.plan.paths.c_str(path);
        let found = places::find(self.descriptors.start(start), name, lookup_flags, resolve)?;
        let opened = match found {
            Ok(file) => self.open_found(file, flags)?,
            Err(error) => Err(error),
        };
        match opened {
            Ok(file) => {
                if let Some(into) = into {
                    self.descriptors.set(into, file.into_raw_fd());
                }
                Ok(Observed::default())
            }
            Err(error) => Ok(Observed::failed(error.raw_os_error().unwrap_or(libc::EIO))),
        }
    }

    fn open_found(&mut self, file: OwnedFd, flags: i32) -> Result<std::io::Result<OwnedFd>, Refusal> {
        if flags & libc::O_PATH != 0 {
            return Ok(Ok(file));
        }
        let identity = match identity(file.as_fd()) {
            Ok(identity) => identity,
            Err(error) => return Ok(Err(error)),
        };
        self.check_kind(&identity)?;
        let opened = reopen(file.as_fd(), flags & !libc::O_NOFOLLOW);
        if opened.is_ok() {
            self.allow(&file, &identity)?;
        }
        Ok(opened)
    }

    fn check_kind(&self, identity: &Identity) -> Result<(), Skip> {
        let _ = self;
        match identity.mode & libc::S_IFMT {
            libc::S_IFREG | libc::S_IFDIR => Ok(()),
            _ => Err(Skip::SpecialFile),
        }
    }

    fn allow(&mut self, file: &OwnedFd, identity: &Identity) -> Result<(), landlock::RulesetError> {
        if self.allowed.insert((identity.device, identity.inode)) {
            let is_directory = identity.mode & libc::S_IFMT == libc::S_IFDIR;
            self.readable.allow(file.as_fd(), is_directory)?;
            if let Some(files) = self.files.as_mut().filter(|files| !is_directory && files.len() < FILES_KEPT)
            {
                files.extend(reopen(file.as_fd(), libc::O_RDONLY));
            }
        }
        Ok(())
    }

    /// Against the log. What differs is left out of the program, and is put right here as far as other calls see it.
    fn compare(&mut self, step: &Step, observed: Observed) -> Result<Observed, Skip> {
        let Some(call) = self.plan.calls.get(step.call as usize) else { return Ok(observed) };
        if !step.action.is_executed() {
            // It has no result here, and stays: it orders others.
            return Ok(observed);
        }
        let facts = self.plan.stats.get(call.stat as usize).copied().unwrap_or_default();
        let Some(what) =
            verify::against_log(call, &step.action, observed, || self.facts_here(&step.action, &facts))
        else {
            return Ok(observed);
        };
        self.note(step, call, observed, what);
        for handle in step.action.moves_offsets_of().into_iter().flatten() {
            self.spoiled[self.bound.descriptions[handle.index()] as usize] = true;
        }
        if let Some(handle) = step.action.defines() {
            let fd = self.descriptors.take(handle);
            if fd >= 0 {
                crate::sys::calls::close(fd);
            }
        }
        Err(Skip::Differs)
    }

    fn note(&mut self, step: &Step, call: &Call, observed: Observed, what: verify::What) {
        if self.differences.len() < DIFFERENCES_KEPT {
            let difference =
                Difference { call: CallId(step.call), recorded: call.ret, here: observed.ret, what };
            self.differences.push(difference);
        }
    }

    /// The fields of a stat here that are not those of the log.
    fn facts_here(&self, action: &Action, recorded: &StatFacts) -> Option<verify::What> {
        if *recorded == StatFacts::default() {
            return None;
        }
        let file = match *action {
            Action::Fstat { handle } => {
                let file = crate::sys::files::borrow(self.descriptors.get(handle))?;
                return verify::facts(recorded, &identity(file).ok()?);
            }
            Action::Stat { start, path, flags, .. } => {
                let from = self.descriptors.start(start);
                let name = self.plan.paths.c_str(path);
                if name.is_empty() {
                    return verify::facts(recorded, &identity(crate::sys::files::borrow(from)?).ok()?);
                }
                let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
                crate::sys::files::locate(from, name, if follow { 0 } else { libc::O_NOFOLLOW }, 0).ok()?
            }
            _ => return None,
        };
        verify::facts(recorded, &identity(file.as_fd()).ok()?)
    }
}

/// Why a call was not made.
enum Refusal {
    Skip(Skip),
    Landlock(landlock::RulesetError),
}

impl From<Skip> for Refusal {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

impl From<landlock::RulesetError> for Refusal {
    fn from(error: landlock::RulesetError) -> Self {
        Self::Landlock(error)
    }
}
