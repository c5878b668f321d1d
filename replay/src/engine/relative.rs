//! Plain calls in log order, with names looked up from directories that are held open, instead of whole paths.
//!
//! ```text
//! stat("/a/b/x"), open("/a/b/y")  ─>  open("/a/b", O_PATH), fstatat(dir, "x"), openat(dir, "y"), close(dir)
//! ```
//!
//! A directory is opened where a lookup behind it succeeds that is not the last one, and given up where a name on the way to it
//! goes. By how many names one directory can be called is not worked out: what that leads astray shows as another
//! result, and makes the times void.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::serial::executed;
use super::{Counts, Engine};
use crate::bind::{Action, Change, Handle, Start};
use crate::plan::{PathId, Paths};
use crate::program::Program;
use crate::run::{HELD_DIRECTORIES, Run};
use crate::sys::calls::{Scratch, perform};

/// What is done, in order.
#[derive(Clone, Copy, Debug)]
enum Work {
    Call(u32),
    /// A call from a held directory.
    From(u32, Action),
    /// Opens or closes one.
    Hold(Action),
}

#[derive(Debug)]
pub(crate) struct Relative {
    work: Vec<Work>,
    /// Names and directories of the calls that are made otherwise.
    paths: Paths,
    scratch: Scratch,
}

/// A directory as calls name it, without its last slash.
type Directory<'a> = (Start, &'a [u8]);

impl Relative {
    /// `None`: no directory is named twice.
    pub(crate) fn new(program: &Program) -> Option<Self> {
        let mut planner = Planner {
            program,
            left: FxHashMap::default(),
            held: VecDeque::new(),
            free: (0..HELD_DIRECTORIES as u32).map(|held| Handle(program.handles as u32 + held)).collect(),
            paths: Paths::default(),
            work: Vec::new(),
        };
        let steps = executed(program);
        for &step in &steps {
            if let Some((directory, _)) = planner.split(program.action(step)) {
                *planner.left.entry(directory).or_default() += 1;
            }
        }
        for &step in &steps {
            planner.step(step);
        }
        planner.give_up(|_| true);
        let Planner { work, paths, .. } = planner;
        let is_any = work.iter().any(|work| matches!(work, Work::From(..)));
        is_any.then(|| Self { work, paths, scratch: Scratch::new(program.room()) })
    }
}

impl Engine for Relative {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        for work in &self.work {
            match work {
                Work::Call(step) => drop(run.perform(*step, &mut self.scratch)),
                Work::From(step, action) => {
                    let observed = perform(action, &self.paths, &run.descriptors, &mut self.scratch);
                    run.record(*step, observed);
                }
                Work::Hold(action) => {
                    perform(action, &self.paths, &run.descriptors, &mut self.scratch);
                }
            }
        }
        Ok(Counts { kernel_entries: self.work.len() as u64, ..Counts::default() })
    }
}

struct Planner<'a> {
    program: &'a Program,
    /// Lookups behind each directory that are still to come.
    left: FxHashMap<Directory<'a>, u32>,
    /// Those that are open, the oldest first.
    held: VecDeque<(Directory<'a>, Handle)>,
    free: Vec<Handle>,
    paths: Paths,
    work: Vec<Work>,
}

impl<'a> Planner<'a> {
    fn step(&mut self, step: u32) {
        let action = self.program.action(step);
        let succeeds = self.program.expected[step as usize].ret >= 0;
        let mut own = Work::Call(step);
        if let Some((directory, name)) = self.split(action) {
            let left = self.left.get_mut(&directory).map_or(0, |left| {
                *left -= 1;
                *left
            });
            if let Some(handle) = self.holding(directory, succeeds && left > 0)
                && let Some(name) = self.paths.intern(name)
            {
                own = Work::From(step, from(action, handle, name));
            }
        }
        self.work.push(own);
        if succeeds {
            for (start, path) in gone(action).into_iter().flatten() {
                let path = self.program.plan.paths.bytes(path);
                // Of names from another directory it is not known where they are.
                self.give_up(|(from, directory)| from != start || is_at_or_below(directory, path));
            }
        }
    }

    /// The directory and the name in it, of a call that looks up one path.
    fn split(&self, action: &Action) -> Option<(Directory<'a>, &'a [u8])> {
        let (start, path) = named(action)?;
        let path = self.program.plan.paths.bytes(path);
        let slash = path.iter().rposition(|&byte| byte == b'/').filter(|&slash| slash > 0)?;
        let name = &path[slash + 1..];
        (!matches!(name, b"" | b"." | b"..")).then_some(((start, &path[..slash]), name))
    }

    /// The handle of a directory; one that is not open is opened, if that is wanted.
    fn holding(&mut self, directory: Directory<'a>, open: bool) -> Option<Handle> {
        if let Some((_, handle)) = self.held.iter().find(|(held, _)| *held == directory) {
            return Some(*handle);
        }
        let (start, path) = (directory.0, self.paths.intern(directory.1).filter(|_| open)?);
        if self.free.is_empty()
            && let Some((_, oldest)) = self.held.pop_front()
        {
            self.close(oldest);
        }
        let into = self.free.pop()?;
        self.work.push(Work::Hold(Action::EnterPath { start, path, into: Some(into) }));
        self.held.push_back((directory, into));
        Some(into)
    }

    fn close(&mut self, handle: Handle) {
        self.work.push(Work::Hold(Action::Close { handle }));
        self.free.push(handle);
    }

    fn give_up(&mut self, is_meant: impl Fn(Directory<'a>) -> bool) {
        let (given_up, held): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.held).into_iter().partition(|(held, _)| is_meant(*held));
        self.held = held;
        for (_, handle) in given_up {
            self.close(handle);
        }
    }
}

/// Where a call with one path starts and what it looks up.
fn named(action: &Action) -> Option<(Start, PathId)> {
    match *action {
        Action::Open { start, path, resolve: 0, .. }
        | Action::Stat { start, path, .. }
        | Action::Access { start, path, .. }
        | Action::ReadLink { start, path, .. }
        | Action::Change(
            Change::Open { start, path, resolve: 0, .. }
            | Change::MakeDir { start, path, .. }
            | Change::Unlink { start, path, .. }
            | Change::Chmod { start, path, .. }
            | Change::Chown { start, path, .. }
            | Change::SetTimes { start, path, .. },
        ) => Some((start, path)),
        _ => None,
    }
}

/// The same call with the name looked up from a directory.
fn from(action: &Action, directory: Handle, name: PathId) -> Action {
    let mut changed = *action;
    match &mut changed {
        Action::Open { start, path, .. }
        | Action::Stat { start, path, .. }
        | Action::Access { start, path, .. }
        | Action::ReadLink { start, path, .. }
        | Action::Change(
            Change::Open { start, path, .. }
            | Change::MakeDir { start, path, .. }
            | Change::Unlink { start, path, .. }
            | Change::Chmod { start, path, .. }
            | Change::Chown { start, path, .. }
            | Change::SetTimes { start, path, .. },
        ) => (*start, *path) = (Some(directory), name),
        _ => {}
    }
    changed
}

/// Names that stand for something else after a call.
fn gone(action: &Action) -> [Option<(Start, PathId)>; 2] {
    match *action {
        Action::Change(Change::Rename { from_start, from, to_start, to, .. }) => {
            [Some((from_start, from)), Some((to_start, to))]
        }
        Action::Change(Change::Unlink { start, path, .. }) => [Some((start, path)), None],
        _ => [None, None],
    }
}

fn is_at_or_below(directory: &[u8], path: &[u8]) -> bool {
    directory.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
