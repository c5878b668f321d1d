//! What a ring will at least hand to worker threads, found out without privilege.
//!
//! The kernel's tracepoint counts it exactly, for root. Anybody can ask by `openat2(2)` with `RESOLVE_CACHED` (Linux
//! 5.12) whether an open would have to wait: `EAGAIN` there is what makes a ring hand the open over. A `statx`
//! it always hands over. Of reads nobody is asked, so that the figure is a lower bound.

use crate::bind::Action;
use crate::engine::{Counts, Strategy};
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::files::is_cached;

/// What the steps of a program are to a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cached {
    /// Opens, reads and closes.
    inline: u64,
    /// Opens that the kernel could not do at once.
    waiting_opens: u64,
}

impl Cached {
    /// Asks before each open of a serial run; `None`: this kernel cannot be asked.
    pub(crate) fn of(run: &Run) -> Option<Self> {
        run.reset().ok()?;
        let mut scratch = Scratch::new(run.program.room());
        let mut found = Self { inline: 0, waiting_opens: 0 };
        for (index, step) in
            run.program.steps.iter().enumerate().filter(|(_, step)| step.action.is_executed())
        {
            match step.action {
                Action::Open { start, path, flags, .. } => {
                    let path = run.program.plan.paths.c_str(path);
                    found.inline += 1;
                    let cached = is_cached(run.descriptors.start(start), path, flags as i32)?;
                    found.waiting_opens += u64::from(!cached);
                }
                Action::EnterPath { .. }
                | Action::Close { .. }
                | Action::Read { .. }
                | Action::Pread { .. } => found.inline += 1,
                _ => {}
            }
            run.perform(index as u32, &mut scratch);
        }
        Some(found)
    }

    /// What goes to workers at least, of so many operations.
    pub(crate) fn at_least(self, strategy: Strategy, counts: Counts) -> Option<u64> {
        match strategy {
            Strategy::Ring { .. } | Strategy::RingOne => {
                Some(counts.submissions.saturating_sub(self.inline) + self.waiting_opens)
            }
            Strategy::Hybrid { .. } => Some(self.waiting_opens),
            _ => None,
        }
    }
}
