//! Tracer and tracee on one CPU, while nobody can tell.
//!
//! A ptrace stop hands the CPU to the tracer and back. On one CPU that is two context switches; on two it
//! is two wake-ups of an idle CPU, several times dearer. So while the tree is one thread, both are
//! pinned to one CPU. The traced program must never see it: its own mask is put back before a call
//! that could show it or that makes the tree parallel, because sizes of thread pools hang on it. It is
//! put back, too, when the tracer is killed: a watchdog child sees to that.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

use super::super::sys::affinity::{CpuMask, current_cpu};
use super::super::sys::process::{become_background, fork_child, kill, pidfd_of_self, reap, wait_until_gone};
use super::super::sys::shared::Shared;

/// Most threads that are pinned at once: the first and a chain of vfork children.
const MOST: usize = 8;

/// Pinned threads, as the watchdog sees them; 0 marks a free place.
type Pinned = [AtomicI32; MOST];

/// A tree that is pinned to one CPU.
pub struct Pinning {
    original: CpuMask,
    one: CpuMask,
    pinned: Shared<Pinned>,
    watchdog: i32,
}

impl Pinning {
    /// Pins the calling thread and `first`. `None` where there is only one CPU to begin with.
    pub fn start(first: i32) -> io::Result<Option<Self>> {
        let original = CpuMask::of(0)?;
        let (true, Some(cpu)) = (original.count() > 1, current_cpu()) else {
            return Ok(None);
        };
        let pinned = Shared::<Pinned>::zeroed()?;
        let watchdog = start_watchdog(&original, &pinned)?;
        let mut pinning = Self { original, one: CpuMask::only(cpu), pinned, watchdog };
        pinning.one.apply(0)?;
        pinning.add(first);
        Ok(Some(pinning))
    }

    /// Pins one more thread, or notes that it has inherited the mask. False: there is no room.
    pub fn add(&mut self, tid: i32) -> bool {
        let Some(place) = self.pinned.iter().find(|place| place.load(Ordering::Relaxed) == 0) else {
            return false;
        };
        place.store(tid, Ordering::Release);
        // A thread that has just been killed cannot be pinned, and need not be.
        self.one.apply(tid).is_ok() || !std::path::Path::new(&format!("/proc/{tid}")).exists()
    }

    /// The thread is gone.
    pub fn remove(&mut self, tid: i32) {
        for place in self.pinned.iter() {
            if place.load(Ordering::Relaxed) == tid {
                place.store(0, Ordering::Release);
            }
        }
    }
}

impl Drop for Pinning {
    /// Puts every mask back.
    fn drop(&mut self) {
        release(&self.original, &self.pinned);
        // The calling thread's own: it was allowed these CPUs before.
        let _ = self.original.apply(0);
        kill(self.watchdog, libc::SIGKILL);
        reap(self.watchdog);
    }
}

fn release(original: &CpuMask, pinned: &Pinned) {
    for place in pinned {
        let tid = place.swap(0, Ordering::AcqRel);
        if tid != 0 {
            // Fails only for a thread that is gone.
            let _ = original.apply(tid);
        }
    }
}

/// A child that outlives a killed tracer by as long as it takes to put the masks back.
fn start_watchdog(original: &CpuMask, pinned: &Shared<Pinned>) -> io::Result<i32> {
    let tracer = pidfd_of_self()?;
    let child = fork_child(|| {
        become_background(tracer);
        wait_until_gone(tracer);
        release(original, pinned);
    });
    let closed = nix::unistd::close(tracer);
    debug_assert!(closed.is_ok());
    child
}
