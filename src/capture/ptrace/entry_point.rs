//! Where the dynamic loader hands over to the program: `AT_ENTRY` of the auxiliary vector (getauxval(3)).
//!
//! The first perf event of any task makes the kernel wait for a grace period, tens of milliseconds
//! (`account_event` in `kernel/events/core.c`), which must not fall into the traced program's first exec.
//! So one event that counts nothing is opened beforehand and kept: [`prepare`], or
//! [`prepare_in_background`] where the command must not wait; an exec before it is ready gets no mark.

use std::sync::OnceLock;

use super::super::sys::breakpoint::{Breakpoint, KeepReady};

/// `None` inside: perf events are not permitted.
static READY: OnceLock<Option<KeepReady>> = OnceLock::new();

/// Gets ready to note entry points. Takes tens of milliseconds where nobody else uses perf events.
pub fn prepare() {
    READY.get_or_init(|| KeepReady::open().ok());
}

/// As [`prepare`], without waiting for it.
pub fn prepare_in_background() {
    // Without a thread for it, it is done when it is needed.
    let _ = std::thread::Builder::new().spawn(prepare);
}

/// Arms a breakpoint at the entry point of the program that the thread has just begun to run. `None`
/// where nothing is ready yet or the kernel does not permit one (perf events forbidden, no debug register
/// free).
pub(super) fn arm(tid: i32, address: u64) -> Option<Breakpoint> {
    READY.get()?.as_ref()?;
    Breakpoint::arm(tid, address).ok()
}
