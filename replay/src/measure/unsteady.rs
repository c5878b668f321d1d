//! Calls whose files somebody else changes while they are replayed.
//!
//! A busy directory gets another size, number of links or list of entries between the rehearsal and a timed run. That
//! is no fault of the strategy that sees it first, and it changes nothing that other calls depend on: such a call is
//! set aside, which means that from then on only its success is verified, and it is named in the report. What counts
//! as proof is the file's own time of change, which nobody can set back.

use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use crate::bind::{Action, Handle, Start};
use crate::plan::{CallId, PathId};
use crate::program::Program;
use crate::sys::calls::Observed;
use crate::sys::files::locate;

/// Times of change are those of the last tick of the kernel's clock (`current_time()`, 10 ms at most).
const TICK: Duration = Duration::from_millis(20);
/// Opens upon opens that are followed to find the file behind a descriptor.
const DEEPEST: usize = 64;

/// What was set aside since the rehearsal began.
#[derive(Debug)]
pub(crate) struct Unsteady {
    since_ns: i128,
    steps: BTreeSet<u32>,
}

impl Unsteady {
    /// From now on.
    pub(crate) fn since_now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { since_ns: since.saturating_sub(TICK).as_nanos() as i128, steps: BTreeSet::new() }
    }

    /// Nothing is set aside: nobody else can change the files.
    pub(crate) fn never() -> Self {
        Self { since_ns: i128::MAX, steps: BTreeSet::new() }
    }

    /// Whether a step that came to something else than it had to is to be passed over, because its file was changed.
    pub(crate) fn excuses(&mut self, program: &Program, step: u32, observed: Option<Observed>) -> bool {
        let expected = program.expected[step as usize];
        if !observed.is_some_and(|observed| expected.ret >= 0 && observed.ret >= 0) {
            return false;
        }
        if self.steps.contains(&step) {
            return true;
        }
        let changed = file_of(program, step).and_then(changed_ns).is_some_and(|ns| ns >= self.since_ns);
        if changed {
            self.steps.insert(step);
        }
        changed
    }

    /// Whether a step was set aside.
    pub(crate) fn has(&self, step: u32) -> bool {
        self.steps.contains(&step)
    }

    /// The calls that were set aside, in the order of the plan.
    pub(crate) fn calls(&self, program: &Program) -> Vec<CallId> {
        let calls = self.steps.iter().map(|step| program.steps[*step as usize].call);
        calls.filter(|call| (*call as usize) < program.plan.len()).map(CallId).collect()
    }
}

/// The file that a call tells of, if its answer is nothing that other calls depend on.
fn file_of(program: &Program, step: u32) -> Option<OwnedFd> {
    match *program.action(step) {
        Action::Fstat { handle } | Action::ListDir { handle, .. } => behind(program, handle, DEEPEST),
        Action::Stat { start, path, flags, .. } if program.plan.paths.c_str(path).is_empty() => {
            behind(program, start?, DEEPEST).filter(|_| flags & libc::AT_EMPTY_PATH as u32 != 0)
        }
        Action::Stat { start, path, flags, .. } => {
            let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
            find(program, start, path, if follow { 0 } else { libc::O_NOFOLLOW }, DEEPEST)
        }
        _ => None,
    }
}

/// The file that a descriptor was opened on.
fn behind(program: &Program, handle: Handle, deepest: usize) -> Option<OwnedFd> {
    let deepest = deepest.checked_sub(1)?;
    if let Some((_, path)) = program.initial.iter().find(|(initial, _)| *initial == handle) {
        return find(program, None, *path, 0, deepest);
    }
    let opened = program.steps.iter().find(|step| step.action.defines() == Some(handle))?;
    match opened.action {
        Action::Open { start, path, .. } | Action::EnterPath { start, path, .. } => {
            find(program, start, path, 0, deepest)
        }
        Action::Dup { handle, .. } | Action::EnterHandle { handle, .. } => behind(program, handle, deepest),
        _ => None,
    }
}

fn find(program: &Program, start: Start, path: PathId, flags: i32, deepest: usize) -> Option<OwnedFd> {
    let from = match start {
        Some(handle) => Some(behind(program, handle, deepest)?),
        None => None,
    };
    let from = from.as_ref().map_or(libc::AT_FDCWD, AsRawFd::as_raw_fd);
    locate(from, program.plan.paths.c_str(path), flags, 0).ok()
}

/// When a file was last changed in any way, in nanoseconds since the epoch.
fn changed_ns(file: OwnedFd) -> Option<i128> {
    let metadata = std::fs::File::from(file).metadata().ok()?;
    Some(i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec()))
}
