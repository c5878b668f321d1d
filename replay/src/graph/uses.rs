//! Reads and writes of files: who waits for whom on one resource.
//!
//! Uses of one kind go together (reads with reads, changes that may come in any order with their like), a write alone:
//! so the uses of a resource are groups in a row, and each waits for the group before its own.

use crate::scratch::{Accesses, Use};

/// Each member of a group waits for each of the group before, up to so many; then the others wait for the first.
const WIDEST: usize = 64;

/// The last groups of a resource.
#[derive(Clone)]
struct Groups {
    how: Use,
    before: Vec<u32>,
    last: Vec<u32>,
}

/// The state of all resources at one step.
pub(super) struct FileUses {
    groups: Vec<Groups>,
}

impl FileUses {
    pub(super) fn new(accesses: &Accesses) -> Self {
        let none = Groups { how: Use::Write, before: Vec::new(), last: Vec::new() };
        Self { groups: vec![none; accesses.resources()] }
    }

    /// A step uses a resource; whom it waits for is told.
    pub(super) fn add(&mut self, step: u32, resource: u32, how: Use, mut after: impl FnMut(u32)) {
        let groups = &mut self.groups[resource as usize];
        if groups.how != how || how == Use::Write {
            groups.how = how;
            std::mem::swap(&mut groups.before, &mut groups.last);
            groups.last.clear();
        }
        match groups.last.first() {
            Some(&first) if groups.before.len() > WIDEST => after(first),
            _ => groups.before.iter().for_each(|&before| after(before)),
        }
        groups.last.push(step);
    }
}
