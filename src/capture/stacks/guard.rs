//! Libraries that read what a traced program is made of: its files, its memory. A program can be made to break them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::super::sys::file_faults;

thread_local! {
    /// Whether such a library is at work.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// What such a library finds; a panic in it is nothing found, and so is a file that is cut short while it is read. What it
/// has changed by then is memory of its own, which may give wrong answers about this program alone.
pub fn guarded<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    keep_quiet();
    let before = file_faults::count();
    let outer = AT_WORK.replace(true);
    let found = catch_unwind(AssertUnwindSafe(work)).ok().flatten();
    AT_WORK.set(outer);
    found.filter(|_| file_faults::count() == before)
}

/// A panic that is caught here is told to nobody: it is the program's fault, and its frames are unknown then.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            if !AT_WORK.get() {
                tell(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_found() {
        assert_eq!(guarded(|| Some(1)), Some(1));
        assert_eq!(guarded(|| -> Option<u8> { panic!("by a file that is made for it") }), None);
        assert_eq!(guarded(|| guarded(|| -> Option<u8> { panic!("within") }).or(Some(2))), Some(2));
        assert!(!AT_WORK.get(), "as before");
    }
}
