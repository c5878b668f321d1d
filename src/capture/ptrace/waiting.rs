//! The next change of any traced thread, fairly and without needless sleeping.

use std::collections::VecDeque;
use std::io;

use super::super::sys::{doubled, wait};
use super::stop::Change;

/// Most changes taken from the kernel before the first of them is handled.
const MOST_QUEUED: usize = 64;
/// How often to ask before going to sleep, when the tree runs beside the tracer on other CPUs: a wake-up
/// from sleep costs more than these, see `docs/overhead.md`.
const POLLS: u32 = 200;

/// What waiting came to.
pub enum Next {
    /// This.
    Change(Change),
    /// A signal handler ran.
    Interrupted,
    /// There is no thread left.
    Nobody,
}

/// Takes changes from the kernel. The kernel looks for one from the first thread on every time, so that
/// a busy first thread would hide the others: with several threads, all that wait are taken at once.
pub struct Waiting {
    queue: VecDeque<Change>,
    /// Whether times are asked for with each change.
    usage: bool,
}

impl Waiting {
    /// With `usage`, times are asked for with each change.
    pub fn new(usage: bool) -> Self {
        Self { queue: VecDeque::new(), usage }
    }

    /// The next change. `on_quiet` is called when none is waiting.
    /// The waiting is also interrupted where it is `due`.
    pub fn next(
        &mut self,
        several: bool,
        beside: bool,
        due: &dyn Fn() -> bool,
        on_quiet: impl FnOnce(),
    ) -> io::Result<Next> {
        if self.queue.is_empty() {
            match self.take(several, beside, due, on_quiet) {
                Ok(()) => {}
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(Next::Nobody),
                Err(error) => return Err(error),
            }
        }
        doubled::moved_on();
        Ok(self.queue.pop_front().map_or(Next::Interrupted, Next::Change))
    }

    /// A change that was taken from the kernel and not handled yet.
    pub fn take_queued(&mut self) -> Option<Change> {
        self.queue.pop_front()
    }

    fn take(
        &mut self,
        several: bool,
        beside: bool,
        due: &dyn Fn() -> bool,
        on_quiet: impl FnOnce(),
    ) -> io::Result<()> {
        if several || beside {
            self.take_waiting(if beside { POLLS } else { 1 }, due)?;
        }
        if self.queue.is_empty() {
            on_quiet();
        }
        if self.queue.is_empty() && !due() {
            self.queue.extend(wait::any(true, self.usage)?.and_then(Change::decode));
        }
        Ok(())
    }

    fn take_waiting(&mut self, polls: u32, due: &dyn Fn() -> bool) -> io::Result<()> {
        let mut polls = polls;
        while polls > 0 && self.queue.len() < MOST_QUEUED {
            match wait::any(false, self.usage) {
                Ok(Some(change)) => self.queue.extend(Change::decode(change)),
                // What is queued comes first, the end of the last thread included.
                Ok(None) | Err(_) if !self.queue.is_empty() => break,
                Err(error) => return Err(error),
                Ok(None) if due() => break,
                Ok(None) => {
                    polls -= 1;
                    std::thread::yield_now();
                }
            }
        }
        Ok(())
    }
}
