//! Strategy 11: fewer calls. Each lookup is made once, and its answer kept; as a further bound, names that are not in
//! a directory are answered from one listing of it.
//!
//! Plain calls in log order otherwise. An answer is kept until a call of unknown effect: nothing that a plan
//! replays writes. Both are bounds, for the program would have to keep the answers.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Counts, Engine};
use crate::bind::{Action, Order, Start};
use crate::plan::PathId;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::{Observed, Scratch, list_directory};

/// What a listing is read with: as glibc and Python do.
const LISTING_ROOM: usize = 32 << 10;

const MISSING: Observed = Observed::failed(libc::ENOENT);

/// What is done for a step, in log order.
#[derive(Clone, Copy, Debug)]
enum Work {
    Call(u32),
    /// Answered as another step was.
    Kept {
        step: u32,
        from: u32,
    },
    /// A directory is listed, once.
    List(u32),
    /// Not in the listing.
    Missing(u32),
}

#[derive(Debug)]
pub(crate) struct Memo {
    work: Vec<Work>,
    directories: Vec<CString>,
    scratch: Scratch,
}

/// Two lookups with the same key have the same answer.
type Key = (u8, Start, PathId, u32, u32);

fn key(action: &Action) -> Option<Key> {
    Some(match *action {
        Action::Stat { start, path, flags, .. } => (0, start, path, flags, 0),
        Action::Access { start, path, mode, flags } => (1, start, path, flags, mode),
        Action::ReadLink { start, path, size } => (2, start, path, size, 0),
        Action::Open { start, path, flags, into: None, .. } => (3, start, path, flags, 0),
        _ => return None,
    })
}

/// The directory of a name that was looked up in vain by its absolute path.
fn missed_in(program: &Program, step: usize) -> Option<&[u8]> {
    if program.expected[step] != MISSING {
        return None;
    }
    let (start, path) = program.steps[step].action.lookup()?;
    let path = program.plan.paths.bytes(path);
    let slash = path.iter().rposition(|&byte| byte == b'/')?;
    // A name that ends with a slash is not one of its directory's names.
    (start.is_none() && slash > 0 && slash + 1 < path.len()).then(|| &path[..slash])
}

/// Directories in which more than one name was looked up in vain.
pub(crate) fn missed_directories(program: &Program) -> Vec<CString> {
    let mut misses: HashMap<&[u8], u32> = HashMap::new();
    for step in 0..program.steps.len() {
        if let Some(directory) = missed_in(program, step) {
            *misses.entry(directory).or_default() += 1;
        }
    }
    let several = misses.into_iter().filter(|(_, count)| *count > 1);
    let mut directories: Vec<CString> =
        several.filter_map(|(directory, _)| CString::new(directory).ok()).collect();
    directories.sort();
    directories
}

impl Memo {
    /// `listings`: misses are answered from listings, too.
    pub(crate) fn new(program: &Program, listings: bool) -> Self {
        let directories = if listings { missed_directories(program) } else { Vec::new() };
        let mut room = program.room();
        room.read = room.read.max(LISTING_ROOM);
        let mut memo =
            Self { work: Vec::with_capacity(program.steps.len()), directories, scratch: Scratch::new(room) };
        memo.find_work(program);
        memo
    }

    fn find_work(&mut self, program: &Program) {
        let places = self.directories.iter().zip(0_u32..);
        let places: HashMap<Vec<u8>, u32> =
            places.map(|(directory, place)| (directory.to_bytes().to_vec(), place)).collect();
        let mut kept: FxHashMap<Key, u32> = FxHashMap::default();
        let mut listed = vec![false; places.len()];
        for (index, step) in program.steps.iter().enumerate() {
            let number = index as u32;
            if matches!(step.action, Action::Order(Order::Barrier(_))) {
                kept.clear();
                listed.fill(false);
            }
            if !step.action.is_executed() {
                continue;
            }
            if let Some(&place) = missed_in(program, index).and_then(|directory| places.get(directory)) {
                if !std::mem::replace(&mut listed[place as usize], true) {
                    self.work.push(Work::List(place));
                }
                self.work.push(Work::Missing(number));
                continue;
            }
            match key(&step.action).map(|key| *kept.entry(key).or_insert(number)) {
                Some(from) if from != number => self.work.push(Work::Kept { step: number, from }),
                _ => self.work.push(Work::Call(number)),
            }
        }
    }
}

impl Engine for Memo {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut counts = Counts::default();
        for &work in &self.work {
            match work {
                Work::Call(step) => {
                    run.perform(step, &mut self.scratch);
                    counts.kernel_entries += 1;
                }
                Work::Kept { step, from } => {
                    run.record(step, run.result(from as usize).unwrap_or_default());
                    counts.answered_from_memory += 1;
                }
                Work::List(place) => {
                    let directory = &self.directories[place as usize];
                    counts.kernel_entries += list_directory(directory, &mut self.scratch);
                }
                Work::Missing(step) => {
                    run.record(step, MISSING);
                    counts.answered_from_memory += 1;
                }
            }
        }
        Ok(counts)
    }
}
