//! Tracer and tracee on one CPU, while nobody can tell.
//!
//! A ptrace stop hands the CPU to the tracer and back. On one CPU that is two context switches; on two it
//! is two wake-ups of an idle CPU, several times dearer. So while one thread of the tree does all the
//! work (the others wait inside the kernel), it and the tracer are pinned to one CPU. As soon as another
//! thread stirs, or is about to be made, the thread's own mask is put back.
//!
//! The traced program must never see it, because sizes of thread pools hang on the mask: it is put back,
//! for good, before a call that could show it. It is put back, too, when the tracer is killed: a watchdog
//! child sees to that.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

use super::super::decode::effect::Effect;
use super::super::sys::affinity::{CpuMask, current_cpu};
use super::super::sys::capabilities::{CAP_SYS_NICE, CAP_SYS_PTRACE, has_capability};
use super::super::sys::offspring::each_child;
use super::super::sys::process::{
    Ending, be_first, become_background, fork_child, kill, pidfd_of_self, reap, wait_until_gone,
};
use super::super::sys::shared::Shared;

/// The pinned thread, as the watchdog sees it; 0: none.
type Pinned = AtomicI32;

/// How many generations of processes can be born, at most, while a killed tracer's watchdog wakes up.
const MOST_GENERATIONS: u32 = 20;

/// How many stops in a row one thread must make, all others being inside calls, before it is pinned.
const STREAK: u32 = 6;

/// A mask can be set with `CAP_SYS_NICE`, or by the thread's own user if that has all capabilities the thread
/// has (`cap_safe_nice` in the kernel).
#[derive(Clone, Copy, Debug)]
struct Hazards {
    /// A new program may gain capabilities, which it only does if we are permitted to trace it then.
    exec: bool,
    /// Another user namespace gives all capabilities there.
    namespace: bool,
}

/// Decides who is pinned, and undoes it.
#[derive(Debug)]
pub struct Pinning {
    original: CpuMask,
    pinned: Shared<Pinned>,
    watchdog: Option<i32>,
    /// Whether any thread is pinned now.
    active: bool,
    /// Which calls could take away our permission to put a mask back (`sched_setaffinity(2)`).
    hazards: Hazards,
    /// The thread that made the last stops, and how many.
    streak: (i32, u32),
}

impl Pinning {
    /// Gets ready, with nobody pinned; `is_guarded`: masks are put back if this process is killed, too. `None` where there is
    /// only one CPU to begin with.
    pub fn prepare(is_guarded: bool) -> io::Result<Option<Self>> {
        let original = CpuMask::of(0)?;
        if original.count() < 2 {
            return Ok(None);
        }
        let pinned = Shared::<Pinned>::zeroed()?;
        let watchdog = is_guarded.then(|| start_watchdog(&original, &pinned)).transpose()?;
        let namespace = !has_capability(CAP_SYS_NICE);
        let hazards = Hazards { exec: namespace && has_capability(CAP_SYS_PTRACE), namespace };
        Ok(Some(Self { original, pinned, watchdog, active: false, hazards, streak: (0, 0) }))
    }

    /// A call with this effect is about to be made.
    pub fn before(&mut self, effect: Effect) {
        let is_hazard = match effect {
            Effect::Exec => self.hazards.exec,
            Effect::Root | Effect::Unshare => self.hazards.namespace,
            _ => false,
        };
        if is_hazard {
            self.release();
        }
    }

    /// Whether the tree shares the tracer's CPU now.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The thread has stopped. `others_wait` tells whether all others are inside calls; it is asked only
    /// when that decides.
    pub fn stopped(&mut self, tid: i32, others_wait: impl FnOnce() -> bool) {
        if self.active {
            if self.pinned.load(Ordering::Relaxed) != tid {
                self.release();
            }
            return;
        }
        self.streak = if self.streak.0 == tid { (tid, self.streak.1 + 1) } else { (tid, 1) };
        if self.streak.1 >= STREAK {
            if others_wait() {
                self.pin(tid);
            }
            self.streak.1 = 0;
        }
    }

    /// Pins the thread and the tracer to the CPU the tracer is on.
    pub fn pin(&mut self, tid: i32) {
        let Some(one) = current_cpu().map(CpuMask::only) else { return };
        // Noted first, so that the watchdog knows of it whenever the tracer is killed.
        self.pinned.store(tid, Ordering::Release);
        self.active = true;
        // The thread's mask may have been forbidden or changed by others: then it stays as it is.
        if one.apply(tid).is_err() || one.apply(0).is_err() {
            self.release();
        }
    }

    /// Puts the masks of the thread and of the tracer back.
    pub fn release(&mut self) {
        if self.active {
            release(&self.original, &self.pinned);
            // Fails only if these CPUs are taken away meanwhile, and then there is nothing to put back.
            let _ = self.original.apply(0);
            self.active = false;
        }
    }

    /// The thread is gone, or goes on under another tid.
    pub fn rename(&mut self, tid: i32, new: Option<i32>) {
        if self.pinned.load(Ordering::Relaxed) == tid {
            self.pinned.store(new.unwrap_or(0), Ordering::Release);
        }
    }
}

impl Drop for Pinning {
    fn drop(&mut self) {
        self.release();
        if let Some(watchdog) = self.watchdog {
            kill(watchdog, libc::SIGKILL);
            reap(watchdog);
        }
    }
}

fn release(original: &CpuMask, pinned: &Pinned) {
    let tid = pinned.swap(0, Ordering::AcqRel);
    if tid != 0 {
        // Fails only for a thread that is gone.
        let _ = original.apply(tid);
    }
}

/// As [`release`], for a thread that runs on by itself: what it has forked meanwhile has its mask as well.
fn put_back(original: &CpuMask, pinned: &Pinned) {
    let tid = pinned.load(Ordering::Acquire);
    let narrow = CpuMask::of(tid);
    release(original, pinned);
    if let (1.., Ok(narrow)) = (tid, narrow)
        && narrow.count() == 1
    {
        // Again after those that were found, which may have forked in that moment.
        let _ = (0..MOST_GENERATIONS)
            .take_while(|_| widen_children(tid, &narrow, original, MOST_GENERATIONS))
            .count();
    }
}

/// Gives the children of a thread, and theirs, that have the narrow mask the original one. Whether there were any.
///
/// No allocation: this runs in the watchdog.
fn widen_children(tid: i32, narrow: &CpuMask, original: &CpuMask, generations: u32) -> bool {
    let mut found = false;
    each_child(tid, &mut |child| {
        let is_narrow = CpuMask::of(child).is_ok_and(|mask| mask == *narrow);
        found |= is_narrow && original.apply(child).is_ok();
        if generations > 0 {
            found |= widen_children(child, narrow, original, generations - 1);
        }
    });
    found
}

/// A child that outlives a killed tracer by as long as it takes to put the masks back.
fn start_watchdog(original: &CpuMask, pinned: &Shared<Pinned>) -> io::Result<i32> {
    let tracer = pidfd_of_self()?;
    let child = fork_child(Ending::Silent, || {
        become_background(c"affinity-guard", tracer);
        be_first();
        wait_until_gone(tracer);
        put_back(original, pinned);
    });
    let closed = nix::unistd::close(tracer);
    debug_assert!(closed.is_ok());
    child
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn what_was_forked_with_the_narrow_mask_gets_the_original_one() {
        let original = CpuMask::of(0).expect("our own");
        let Some(narrow) = current_cpu().map(CpuMask::only).filter(|_| original.count() > 1) else { return };
        let shell = "(sleep 60 & sleep 60 & echo; wait) & (sleep 60 & echo; wait) & wait";
        let mut command = Command::new("sh");
        command.args(["-c", shell]).stdout(Stdio::piped());
        let mut child = std::thread::scope(|scope| {
            let spawn = || {
                narrow.apply(0).expect("our own thread");
                command.spawn().expect("sh is everywhere")
            };
            scope.spawn(spawn).join().expect("no panic")
        });
        let mut ready = [0; 2];
        child.stdout.take().expect("piped").read_exact(&mut ready).expect("two lines");
        let tid = child.id().cast_signed();
        let mut all = vec![tid];
        let mut at = 0;
        while let Some(&parent) = all.get(at) {
            each_child(parent, &mut |child| all.push(child));
            at += 1;
        }
        assert_eq!(all.len(), 6, "the shell, its two and their three: {all:?}");
        let are = |mask: CpuMask| all.iter().all(|&tid| CpuMask::of(tid).expect("our own") == mask);
        assert!(are(narrow));
        let pinned = Shared::<Pinned>::zeroed().expect("memory");
        pinned.store(tid, Ordering::Release);
        put_back(&original, &pinned);
        assert!(are(original));
        for tid in all {
            kill(tid, libc::SIGKILL);
        }
        child.wait().expect("our own");
    }
}
