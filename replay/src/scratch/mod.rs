//! Replays that change files: in a tree made from the log, by a process that can reach nothing else.
//!
//! ```text
//! caller ──> home (a directory of its own) ──> watch: removes it when nobody is left
//!   │ fork
//!   └──> confined process: tree as root ──> model ──> tree made ──> rehearsal ──> engines ──> report
//!            └── frames: progress, the report ──> caller
//! ```
//!
//! A log is hostile input, and its calls that write are made. So they are made where there is nothing but the tree: in a
//! user and mount namespace whose root it is, or, where there can be none, below it under Landlock, without the
//! calls that Landlock does not govern. With neither there is no replay.

mod confined;
mod home;
mod limits;
mod manifest;
mod model;
mod place;
mod rehearse;
#[cfg(test)]
mod tests;
mod tree;
mod wire;

use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use limits::{ScratchLimits, TooMuch};
pub(crate) use model::access::{Accesses, Use};
pub(crate) use tree::{State, Tree, first_difference, first_other_name};

use crate::ReplayError;
use crate::bind::{Bound, bind_all};
use crate::guard::Guard;
use crate::measure::Options;
use crate::plan::Plan;
use crate::run::{Place, Run};
use crate::session::{Outcome, Prepared, Progress, ScratchTree, Session};
use crate::sys::confine::{
    close_all_but, comes_first, die_with_parent, fork_to, ignore_size_limit, kill, process_id, signal_of,
    wait,
};
use confined::{await_mapping, confine, map_ids};
use home::Watch;
use place::Base;
use wire::Frame;

const NOT_RESTORED: &str = "the scratch tree could not be put back as it was";
const NOT_LOOKED_AT: &str = "the scratch tree could not be looked at";
const NO_CHILD: &str = "the confined process could not be started";

/// Where and how large a scratch tree may be.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The directory that it is made in; `None`: one on the same file system as what the log made.
    pub directory: Option<PathBuf>,
    /// What it may take.
    pub limits: ScratchLimits,
    /// What must confine the replay; `None`: whatever does here, namespaces first.
    pub confinement: Option<Guard>,
    /// When this becomes readable, the replay ends, with [`ReplayError::Stopped`].
    pub stop: Option<Arc<OwnedFd>>,
}

/// Replays a plan with the calls that change files, in a scratch tree, and compares strategies.
///
/// All of it happens in a process of its own, which can reach nothing but the tree; so what is to be told of the outcome
/// is put into words there, by `report`, which must not need any file. `progress` is called here. The tree is gone
/// when this returns, also when it was stopped.
pub fn replay_in_scratch(
    plan: Plan,
    options: &Options,
    scratch: &Scratch,
    mut progress: impl FnMut(Progress),
    report: impl FnOnce(&Outcome) -> Vec<u8>,
) -> Result<Vec<u8>, ReplayError> {
    let base = place::choose(&plan, scratch.directory.as_deref());
    let directory = base.directory.clone();
    let left = |path| progress(Progress::Left(path));
    let watch = Watch::new(&directory, base.passes_freed_inodes, left)
        .map_err(|error| ReplayError::Base { directory: directory.display().to_string(), error })?;
    let outcome = replay_watched(plan, options, scratch, base, &watch, &mut progress, report);
    if let Some(left) = watch.remove() {
        progress(Progress::Left(left));
    }
    outcome
}

/// The same in a directory that somebody removes.
fn replay_watched(
    plan: Plan,
    options: &Options,
    scratch: &Scratch,
    base: Base,
    watch: &Watch,
    progress: &mut impl FnMut(Progress),
    report: impl FnOnce(&Outcome) -> Vec<u8>,
) -> Result<Vec<u8>, ReplayError> {
    let (mut frames, told) = io::pipe().map_err(ReplayError::io(NO_CHILD))?;
    let (answers, mut answer) = io::pipe().map_err(ReplayError::io(NO_CHILD))?;
    let parent = process_id();
    let child = Child { plan, options, scratch, base, watch, parent };
    // What the child has is moved into the closure, and dropped here as soon as it runs.
    let pid = fork_to(move || child.live(told, answers, report)).map_err(ReplayError::io(NO_CHILD))?;
    let mut outcome = Err(ReplayError::Panicked);
    let stop = scratch.stop.as_ref().map(AsRawFd::as_raw_fd);
    loop {
        if stop.is_some_and(|stop| comes_first(stop, frames.as_raw_fd())) {
            progress(Progress::Stopping);
            kill(pid);
            outcome = Err(ReplayError::Stopped);
            break;
        }
        let Ok(Some(frame)) = Frame::read(&mut frames) else { break };
        match frame {
            Frame::Progress(how_far) => progress(how_far),
            Frame::Namespaces => {
                let _ = answer.write_all(&[u8::from(map_ids(pid).is_ok())]);
            }
            Frame::Report(report) => outcome = Ok(report),
            Frame::Error(error) => outcome = Err(ReplayError::Confined(error)),
        }
    }
    let status = wait(pid).map_err(ReplayError::io("the confined process was not waited for"))?;
    match signal_of(status) {
        Some(signal) if matches!(outcome, Err(ReplayError::Panicked)) => Err(ReplayError::Killed(signal)),
        _ => outcome,
    }
}

/// What a scratch tree for a plan takes, found out without making anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Files, directories and links.
    pub entries: usize,
    /// Bytes of contents.
    pub bytes: u64,
    /// Calls that could be made in it.
    pub calls: usize,
}

/// Works out the scratch tree for a plan, and makes nothing.
pub fn needs(plan: &Plan, limits: &ScratchLimits) -> Result<Needs, ReplayError> {
    let bound = bind_all(plan)?;
    let modelled = model::model(plan, &bound, *limits, true)?;
    let items = manifest::manifest(&modelled, limits)?;
    let filled = items.iter().map(|item| match item.what {
        manifest::Made::File { filled, .. } => filled,
        _ => 0,
    });
    let calls = modelled.skips.iter().filter(|skip| skip.is_none()).count();
    Ok(Needs { entries: items.len(), bytes: filled.sum(), calls })
}

/// The confined process.
struct Child<'a> {
    plan: Plan,
    options: &'a Options,
    scratch: &'a Scratch,
    base: Base,
    watch: &'a Watch,
    parent: libc::pid_t,
}

impl Child<'_> {
    /// All that it ever does.
    fn live(
        self,
        mut told: io::PipeWriter,
        answers: io::PipeReader,
        report: impl FnOnce(&Outcome) -> Vec<u8>,
    ) {
        let done = catch_unwind(AssertUnwindSafe(|| self.replay(&told, answers, report)));
        let last = match done {
            Ok(Ok(report)) => Frame::Report(report),
            Ok(Err(error)) => Frame::Error(error.to_string()),
            Err(_) => Frame::Error(ReplayError::Panicked.to_string()),
        };
        // Nobody is left to be told if that fails.
        let _ = last.write(&mut told);
    }

    fn replay(
        self,
        told: &io::PipeWriter,
        answers: io::PipeReader,
        report: impl FnOnce(&Outcome) -> Vec<u8>,
    ) -> Result<Vec<u8>, ReplayError> {
        die_with_parent(self.parent).map_err(ReplayError::io(NO_CHILD))?;
        ignore_size_limit();
        let home = &self.watch.home;
        let kept = [
            Some(told.as_raw_fd()),
            Some(answers.as_raw_fd()),
            Some(home.lock().as_raw_fd()),
            self.watch.held(),
        ];
        let kept: Vec<i32> = kept.into_iter().flatten().collect();
        close_all_but(&kept).map_err(ReplayError::io(NO_CHILD))?;
        let tell = |progress: Progress| drop(Frame::Progress(progress).write(&mut &*told));
        let prepared = Prepared::new(self.options)?;
        let ask = || {
            Frame::Namespaces.write(&mut &*told)?;
            await_mapping(answers)
        };
        let confined = confine(&home.tree(), home.token(), self.scratch.confinement, ask)
            .map_err(|error| ReplayError::Confined(error.to_string()))?;
        // New capabilities have made the kernel forget it (`commit_creds`).
        die_with_parent(self.parent).map_err(ReplayError::io(NO_CHILD))?;
        let options = self.options;
        let (limits, guard, most_open) = (&self.scratch.limits, confined.guard, prepared.most_open());
        let (run, differences, tree) =
            in_tree(self.plan, limits, &self.base, &confined.root, guard, most_open, tell)?;
        let session = Session::in_tree(options, prepared, run, differences, guard, tree, tell)?;
        Ok(report(&session.finish()?))
    }
}

/// From a plan to a run in its tree, with so many descriptors at most.
fn in_tree(
    mut plan: Plan,
    limits: &ScratchLimits,
    base: &Base,
    root: &Path,
    guard: Guard,
    most_open: usize,
    tell: impl Fn(Progress),
) -> Result<(Run, Vec<crate::rehearse::Difference>, ScratchTree), ReplayError> {
    use std::os::unix::ffi::OsStrExt;

    let bound = bind_all(&plan)?;
    let modelled = model::model(&plan, &bound, *limits, guard == Guard::Namespaces)?;
    let mut items = manifest::manifest(&modelled, limits)?;
    if root != Path::new("/") {
        let root = root.as_os_str().as_bytes();
        plan.paths.prefix(root).ok_or(crate::plan::PlanError::TooManyPaths(plan.limits.path_bytes))?;
        manifest::prefix_links(&mut items, root);
    }
    let root_mode = modelled.nodes[0].facts.mode.map_or(0o755, |mode| mode & 0o7777);
    let made = |done, of| tell(Progress::Making { done, of });
    let not_made = "the scratch tree could not be made (another directory: --scratch DIR, or TMPDIR=DIR)";
    let mut tree = Tree::make(root, root_mode, items, made).map_err(ReplayError::io(not_made))?;
    if base.passes_freed_inodes {
        tree.keep_inodes().map_err(ReplayError::io(not_made))?;
    }
    let facts = ScratchTree {
        file_system: base.file_system.clone(),
        original: base.original.clone(),
        entries: tree.entries(),
        bytes: tree.bytes(),
    };
    tell(Progress::Rehearsing);
    let Bound { handles, descriptions, .. } = bound;
    let rehearsed = rehearse::rehearse(plan, modelled, (handles, descriptions), most_open, &mut tree)?;
    let no_room = || ReplayError::NoRoom { directory: base.directory.display().to_string() };
    let rehearse::Rehearsed { program, differences, end } = rehearsed.ok_or_else(no_room)?;
    let run = Run::in_tree(Arc::new(program), Place { tree, end });
    Ok((run, differences, facts))
}
