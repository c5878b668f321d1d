//! Libraries that read what a traced program is made of: its files, its memory. A program can be made to break them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::sys::file_faults;

/// What such a library finds; a panic in it is nothing found, and so is a file that is cut short while it is read. What it
/// has changed by then is memory of its own, which may give wrong answers about this program alone.
pub fn guarded<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    let before = file_faults::count();
    let found = catch_unwind(AssertUnwindSafe(work)).ok().flatten();
    found.filter(|_| file_faults::count() == before)
}
