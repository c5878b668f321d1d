//! Permissions given to a file as it is made, instead of by a call of its own after.

use rustc_hash::FxHashMap;

use super::fewer::Otherwise;
use crate::bind::{Action, Change, Handle, Start};
use crate::plan::PathId;
use crate::program::Program;
use crate::rule::Rule;
use crate::scratch::{Accesses, Use};

/// A file that a step made, as later steps may name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Behind(Handle),
    At(Start, PathId),
}

/// The chmods of files that the program made before, if nobody looked at their permissions in between.
pub(super) fn without_chmods(program: &Program) -> Otherwise {
    let mut found = Otherwise::default();
    let Some(accesses) = &program.accesses else { return found };
    let mut makers: FxHashMap<Name, u32> = FxHashMap::default();
    // Who looked at a file's permissions last.
    let mut last_read: FxHashMap<u32, u32> = FxHashMap::default();
    let mut modes: FxHashMap<u32, u16> = FxHashMap::default();
    for step in 0..program.steps.len() as u32 {
        let Action::Change(change) = *program.action(step) else {
            last_read.extend(reads(accesses, step).map(|resource| (resource, step)));
            continue;
        };
        if let Change::Open { start, path, into: Some(into), .. } = change {
            if makes_name(accesses, step) {
                makers.insert(Name::Behind(into), step);
                makers.insert(Name::At(start, path), step);
            } else {
                makers.remove(&Name::At(start, path));
            }
        }
        let (name, mode) = match change {
            Change::Fchmod { handle, mode } => (Name::Behind(handle), mode),
            Change::Chmod { start, path, mode } => (Name::At(start, path), mode),
            _ => {
                last_read.extend(reads(accesses, step).map(|resource| (resource, step)));
                gone(&change).into_iter().flatten().for_each(|name| {
                    makers.remove(&name);
                });
                continue;
            }
        };
        let unseen = |maker: &u32| {
            let seen = writes(accesses, step).filter_map(|resource| last_read.get(&resource));
            seen.max().is_none_or(|last| last < maker)
        };
        let done = program.expected[step as usize].ret == 0;
        if let Some(maker) = makers.get(&name).copied().filter(unseen).filter(|_| done) {
            modes.insert(maker, mode & 0o7777);
            found.left_out.push(step);
        }
    }
    found.made = modes.into_iter().map(|(maker, mode)| (maker, made_with(program, maker, mode))).collect();
    found.made.sort_unstable_by_key(|(maker, _)| *maker);
    found
}

/// Names that stand for something else from now on.
fn gone(change: &Change) -> [Option<Name>; 2] {
    match *change {
        Change::Rename { from_start, from, to_start, to, .. } => {
            [Some(Name::At(from_start, from)), Some(Name::At(to_start, to))]
        }
        Change::Unlink { start, path, .. } => [Some(Name::At(start, path)), None],
        _ => [None, None],
    }
}

/// Whether an open has made its file, not found it.
pub(super) fn makes_name(accesses: &Accesses, step: u32) -> bool {
    let mut uses = accesses.of(step as usize);
    uses.any(|(resource, how)| how == Use::Write && accesses.rule(resource) == Rule::Entry)
}

fn reads(accesses: &Accesses, step: u32) -> impl Iterator<Item = u32> + '_ {
    attributes(accesses, step, Use::Read)
}

fn writes(accesses: &Accesses, step: u32) -> impl Iterator<Item = u32> + '_ {
    attributes(accesses, step, Use::Write)
}

fn attributes(accesses: &Accesses, step: u32, wanted: Use) -> impl Iterator<Item = u32> + '_ {
    let uses = accesses.of(step as usize);
    let uses =
        uses.filter(move |(resource, how)| *how == wanted && accesses.rule(*resource) == Rule::Attributes);
    uses.map(|(resource, _)| resource)
}

/// The open that makes the file, with these permissions.
fn made_with(program: &Program, maker: u32, mode: u16) -> Action {
    match *program.action(maker) {
        Action::Change(Change::Open { start, path, flags, resolve, into, .. }) => {
            Action::Change(Change::Open { start, path, flags, mode, resolve, into })
        }
        other => other,
    }
}
