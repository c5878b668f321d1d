//! Files that are second names of others, or share their blocks, instead of copies of them.
//!
//! The open that makes the copy becomes a `link` of what is copied; all that is then done with the copy's descriptor is not
//! needed, nor is that of the original, if nothing else is done with it.

use super::fewer::Otherwise;
use super::without_chmod::makes_name;
use crate::bind::{Action, Change, Handle, Start};
use crate::plan::{Offset, PathId};
use crate::program::Program;
use crate::rule::Rule;
use crate::scratch::{Accesses, Use};

/// What is done with a descriptor.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    /// The step that opens it.
    opened: Option<u32>,
    /// The step that closes it.
    closed: Option<u32>,
    /// What is copied into it.
    from: Option<Handle>,
    /// The last copy.
    copied: u32,
    /// Something is done with it that a name more cannot stand for.
    other: bool,
}

/// The copies of whole files, if neither file is written after that.
pub(super) fn without_copies(program: &Program) -> Otherwise {
    let mut found = Otherwise::default();
    let Some(accesses) = &program.accesses else { return found };
    let lives = lives(program);
    let last_written = last_writes(program, accesses);
    let mut needless = vec![false; lives.len()];
    for (to, life) in lives.iter().enumerate() {
        let Some((maker, link)) = as_link(program, accesses, &lives, life) else { continue };
        let copied = accesses.of(life.copied as usize);
        let mut files = copied.filter(|(resource, _)| accesses.rule(*resource) == Rule::Data);
        if files.any(|(resource, _)| last_written[resource as usize] > life.copied) {
            continue;
        }
        found.made.push((maker, link));
        needless[to] = true;
        // The original's descriptor, if it was there for this only.
        if let Some(from) = life.from.filter(|from| !lives[from.index()].other) {
            needless[from.index()] = true;
        }
    }
    found.made.sort_unstable_by_key(|(maker, _)| *maker);
    let is_made = |step: &u32| found.made.binary_search_by_key(step, |(maker, _)| *maker).is_ok();
    let mut left_out = Vec::new();
    let is_needless = |handle: Handle| needless[handle.index()];
    for step in 0..program.steps.len() as u32 {
        let action = program.action(step);
        let about = action.defines().or(action.closes()).or(action.uses()[0]);
        let is_of_copy = if let Action::Change(
            Change::Copy { to, .. } | Change::Clone { to, .. } | Change::CloneRange { to, .. },
        ) = *action
        {
            is_needless(to)
        } else {
            let is_lookup = action.lookup().is_some() && !asks_of_descriptor(program, action);
            about.is_some_and(is_needless) && (!is_lookup || action.defines().is_some())
        };
        if is_of_copy && !is_made(&step) {
            left_out.push(step);
        }
    }
    found.left_out = left_out;
    found
}

/// The copies of whole files into new ones, each as one call that shares the blocks.
pub(crate) fn with_shared_blocks(program: &Program) -> Otherwise {
    let mut found = Otherwise::default();
    let Some(accesses) = &program.accesses else { return found };
    let lives = lives(program);
    let is_new = |life: &Life| life.opened.is_some_and(|opened| makes_name(accesses, opened));
    let is_whole = |life: &Life| {
        let from_start = life.from.is_some_and(|from| !lives[from.index()].other);
        !life.other && from_start && is_new(life) && reaches_end(program, life.copied)
    };
    let mut shared = vec![false; lives.len()];
    for step in 0..program.steps.len() as u32 {
        let Action::Change(Change::Copy { from, to, .. }) = *program.action(step) else { continue };
        if !is_whole(&lives[to.index()]) {
            continue;
        }
        if std::mem::replace(&mut shared[to.index()], true) {
            found.left_out.push(step);
        } else {
            found.made.push((step, Action::Change(Change::Clone { from, to })));
        }
    }
    found
}

/// Whether a copy found the end of its file: there was less than was asked for.
fn reaches_end(program: &Program, step: u32) -> bool {
    match *program.action(step) {
        Action::Change(Change::Copy { count, .. }) => {
            let moved = program.expected[step as usize].ret;
            moved >= 0 && moved < i64::from(count)
        }
        _ => false,
    }
}

/// What each descriptor is used for.
fn lives(program: &Program) -> Vec<Life> {
    let mut lives = vec![Life::default(); program.handles];
    for step in 0..program.steps.len() as u32 {
        let action = program.action(step);
        if let Some(handle) = action.defines() {
            lives[handle.index()].opened = Some(step);
        }
        if let Some(handle) = action.closes() {
            lives[handle.index()].closed = Some(step);
        }
        match *action {
            Action::Change(
                Change::Copy { from, from_offset: Offset::OWN, to, to_offset: Offset::OWN, .. }
                | Change::Clone { from, to },
            ) => {
                let life = &mut lives[to.index()];
                life.other |= life.from.is_some_and(|before| before != from) || from == to;
                (life.from, life.copied) = (Some(from), step);
            }
            Action::Change(
                Change::Fchmod { .. }
                | Change::Fchown { .. }
                | Change::FsetTimes { .. }
                | Change::Sync { .. },
            )
            | Action::Fstat { .. } => {}
            _ if asks_of_descriptor(program, action) => {}
            _ => action.uses().into_iter().flatten().for_each(|handle| lives[handle.index()].other = true),
        }
    }
    lives
}

/// Whether it is a `stat` of a descriptor by an empty path (`AT_EMPTY_PATH`).
fn asks_of_descriptor(program: &Program, action: &Action) -> bool {
    matches!(*action, Action::Stat { start: Some(_), path, .. } if program.plan.paths.bytes(path).is_empty())
}

/// Of each file, the last step that writes it.
fn last_writes(program: &Program, accesses: &Accesses) -> Vec<u32> {
    let mut last = vec![0; accesses.resources()];
    for step in 0..program.steps.len() as u32 {
        for (resource, how) in accesses.of(step as usize) {
            if how == Use::Write {
                last[resource as usize] = step;
            }
        }
    }
    last
}

/// The step that makes a copy, and the link that does as well.
fn as_link(program: &Program, accesses: &Accesses, lives: &[Life], copy: &Life) -> Option<(u32, Action)> {
    let (maker, from) = (copy.opened?, copy.from.filter(|_| !copy.other)?);
    let Action::Change(Change::Open { start: to_start, path: to, .. }) = *program.action(maker) else {
        return None;
    };
    let (from_start, from) = named(program, lives, from, maker)?;
    let link = Change::Link { from_start, from, to_start, to, flags: libc::AT_SYMLINK_FOLLOW as u32 };
    makes_name(accesses, maker).then_some((maker, Action::Change(link)))
}

/// The name that a file was opened by, if it stands for it at this step.
fn named(program: &Program, lives: &[Life], handle: Handle, at: u32) -> Option<(Start, PathId)> {
    let opened = lives[handle.index()].opened.filter(|opened| *opened < at)?;
    let Action::Open { start, path, .. } = *program.action(opened) else { return None };
    let is_open = |start: Handle| lives[start.index()].closed.is_none_or(|closed| closed > at);
    start.is_none_or(is_open).then_some((start, path))
}
