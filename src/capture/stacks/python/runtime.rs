//! Where a process has the run-time state of an interpreter.

use super::super::maps;
use super::super::object::Objects;
use super::memory::word;
use super::named_after_python;
use super::offsets::{self, Told};

/// Interpreters of a list at most.
const MOST: usize = 4096;

/// What the interpreter of a process tells of itself; `Told::Nothing`: it has none, or one that does not.
pub fn look(pid: i32, objects: &mut Objects) -> Told {
    let mut told = states(pid, objects).into_iter().map(|at| offsets::read(pid, at));
    told.find(|told| *told != Told::Nothing).unwrap_or(Told::Nothing)
}

/// Where a Python 3.7 to 3.12 has the pointer to the youngest of the interpreters that this one is among; `None`: not known.
pub fn head(pid: i32, minor: u64, interpreter: u64, objects: &mut Objects) -> Option<u64> {
    // `interpreters.head` in `struct pyruntimestate`.
    let offset = match minor {
        7 => 24,
        8..=10 => 32,
        11 | 12 => 40,
        _ => return None,
    };
    let leads_there = |at: &u64| {
        // The next one is the first field of an interpreter's state.
        let next = |at: &u64| word(pid, *at, 0).filter(|next| *next != 0);
        std::iter::successors(next(at), next).take(MOST).any(|known| known == interpreter)
    };
    states(pid, objects).into_iter().map(|state| state.wrapping_add(offset)).find(leads_there)
}

/// Where run-time states may be.
fn states(pid: i32, objects: &mut Objects) -> Vec<u64> {
    let Ok(text) = std::fs::read(format!("/proc/{pid}/maps")) else { return Vec::new() };
    let lines = maps::code(&text);
    let of_python = lines.filter(|line| named_after_python(&line.path)).filter_map(|line| {
        let id = objects.open(pid.cast_unsigned(), &line.path, line.range, line.identity)?;
        let object = objects.get(id);
        let (runtime, code) = object.python().zip(object.address(line.offset))?;
        Some(line.range.0.wrapping_sub(code).wrapping_add(runtime))
    });
    of_python.collect()
}
