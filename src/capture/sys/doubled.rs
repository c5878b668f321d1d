//! Which signals have reached the command by themselves.
//!
//! ```text
//! kill(-group) ──┬─> command ── its tracer sees the delivery ── seen ───┐
//!                └─> trace ──── handler ── ask ── timer ── settle ──────┴─> the same one: nothing to do
//! kill(trace) ─────> trace ──── handler ── ask ── timer ── settle ────────> not seen: handed on
//! ```
//!
//! What is sent to a whole process group reaches the command as well as `trace`, and handed on by `trace`
//! it would come twice. From the signal alone the two cannot be told apart, so each waits a moment: if
//! the command gets the same signal of the same sender meanwhile, or has it pending, it was the group's.
//! All of this runs in signal handlers: atomics and async-signal-safe calls only.

use std::ffi::c_int;
use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use super::clock::monotonic_ns;
use super::process::process_group;
use super::process_state::State;
use super::startup::SIGNALS;

/// The timer's signal. Its default action is to be ignored, so that a handler for it changes nothing else.
pub const TICK: c_int = libc::SIGURG;
/// How long a signal waits. The kernel sends a group's signal to all members within microseconds, but the command may
/// lose its CPU between taking it and stopping for its tracer.
const GRACE_MS: u32 = 20;
/// How often the timer ticks when it repeats.
const REPEAT_MS: u32 = 200;
/// How long it waits at least for a command that is being stopped, perhaps to have a signal delivered.
const PATIENCE_MS: u32 = 300;
/// The same where the tracer has not seen [`TURN`] changes meanwhile, because it has no CPU.
const MOST_PATIENCE_MS: u32 = 5000;
/// Changes of threads after which the tracer has seen those that waited when it began: it takes up to 64 at once.
const TURN: u32 = 128;
/// What the command got this long before us may have been the same.
const EARLIER_MS: u32 = 20;
/// Most that are remembered of each signal.
const SLOTS: usize = 32;

/// One signal a slot: its sender and when; 0: none.
type Slots = [AtomicU64; SLOTS];

static ASKED: [Slots; SIGNALS as usize + 1] = [const { [const { AtomicU64::new(0) }; SLOTS] }; _];
static SEEN: [Slots; SIGNALS as usize + 1] = [const { [const { AtomicU64::new(0) }; SLOTS] }; _];
/// What [`CHANGES`] was when that was stored.
static ASKED_AT: [[AtomicU32; SLOTS]; SIGNALS as usize + 1] =
    [const { [const { AtomicU32::new(0) }; SLOTS] }; _];
/// Changes of threads that the tracer has seen.
static CHANGES: AtomicU32 = AtomicU32::new(0);
/// Whether the timer is to tick.
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether the command is about to get this signal from us.
static HANDED_ON: [AtomicBool; SIGNALS as usize + 1] = [const { AtomicBool::new(false) }; _];

/// Marks a slot as taken.
const TAKEN: u64 = 1 << 63;
/// Where a sender is not known: any.
pub const ANYBODY: i32 = -1;

fn pack(sender: i32, now_ms: u32) -> u64 {
    TAKEN | u64::from(now_ms) | (u64::from(sender.cast_unsigned()) & 0x7fff_ffff) << 32
}

fn sender(slot: u64) -> u64 {
    (slot & !TAKEN) >> 32
}

/// Milliseconds from one slot's time to another's, negative if the other is earlier.
fn between(from: u64, to: u64) -> i32 {
    (to as u32).wrapping_sub(from as u32).cast_signed()
}

fn now_ms() -> u32 {
    (monotonic_ns() / 1_000_000) as u32
}

/// The tracer has seen a thread change.
pub fn moved_on() {
    CHANGES.fetch_add(1, Relaxed);
}

/// The command has got this signal.
pub fn seen(signal: c_int, sender: i32) {
    let Ok(index) = usize::try_from(signal) else { return };
    let (Some(slots), Some(handed_on)) = (SEEN.get(index), HANDED_ON.get(index)) else { return };
    if sender == ANYBODY && handed_on.swap(false, SeqCst) {
        return;
    }
    let new = pack(sender, now_ms());
    if ASKED.get(index).is_some_and(|asked| answer(asked, new)) {
        return;
    }
    // The oldest one makes room.
    let age = |slot: &&AtomicU64| match slot.load(SeqCst) {
        0 => i32::MAX,
        old => between(old, new),
    };
    if let Some(slot) = slots.iter().max_by_key(age) {
        slot.store(new, SeqCst);
    }
}

/// While it lives, signals can be told apart.
pub struct Timer(libc::timer_t);

// SAFETY: the kernel's name for a timer of this process, which any thread may use.
unsafe impl Send for Timer {}

impl Timer {
    /// Makes the timer; [`TICK`] has its handler already.
    pub fn new() -> io::Result<Self> {
        ASKED.iter().chain(&SEEN).flatten().for_each(|slot| slot.store(0, SeqCst));
        ARMED.store(false, SeqCst);
        for handed_on in &HANDED_ON {
            handed_on.store(false, SeqCst);
        }
        let mut timer = MaybeUninit::<libc::timer_t>::uninit();
        // SAFETY: all zeroes is a valid sigevent; the call fills `timer` or fails.
        unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_SIGNAL;
            event.sigev_signo = TICK;
            if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, timer.as_mut_ptr()) == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(timer.assume_init()))
        }
    }

    /// The timer ticks every now and then.
    pub fn repeat(&self) {
        set(self.0, REPEAT_MS, REPEAT_MS);
    }

    /// The timer as a number other than 0 (which is the kernel's first), for a handler.
    pub fn number(&self) -> usize {
        (self.0 as usize).wrapping_add(1)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: made in `new`, and deleted only here.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// Asks whether the command has got this signal too. False: nobody will know, it is to be handed on now.
pub fn ask(timer: usize, command: i32, signal: c_int, sender: i32) -> bool {
    if timer == 0 || process_group(command) != process_group(0) {
        return false;
    }
    let Ok(index) = usize::try_from(signal) else { return false };
    let (Some(slots), Some(moments)) = (ASKED.get(index), ASKED_AT.get(index)) else { return false };
    let new = pack(sender, now_ms());
    if was_seen(signal, new) {
        return true;
    }
    let kept = slots.iter().zip(moments).any(|(slot, at)| {
        let is_free = slot.compare_exchange(0, new, SeqCst, SeqCst).is_ok();
        if is_free {
            at.store(CHANGES.load(Relaxed), SeqCst);
        }
        is_free
    });
    kept && arm(timer)
}

/// The timer ticks once, soon after the first of those that wait has come.
fn arm(timer: usize) -> bool {
    ARMED.swap(true, SeqCst) || set(timer.wrapping_sub(1) as libc::timer_t, GRACE_MS, 0)
}

fn set(timer: libc::timer_t, first_ms: u32, interval_ms: u32) -> bool {
    let time = |ms| libc::timespec { tv_sec: 0, tv_nsec: i64::from(ms) * 1_000_000 };
    let new = libc::itimerspec { it_interval: time(interval_ms), it_value: time(first_ms) };
    // SAFETY: `timer` is one of ours that lives as long as its number is known to the handler; the call is
    // async-signal-safe and reads `new`.
    unsafe { libc::timer_settime(timer, 0, &raw const new, ptr::null_mut()) == 0 }
}

/// Decides on all that wait: those that the command has not got are handed on.
pub fn settle(timer: usize, command: i32) {
    ARMED.store(false, SeqCst);
    let now = pack(0, now_ms());
    let mut some_wait = false;
    for (((signal, slots), times), handed_on) in (0..).zip(&ASKED).zip(&ASKED_AT).zip(&HANDED_ON) {
        for (slot, at) in slots.iter().zip(times) {
            let asked = slot.load(SeqCst);
            let changes = CHANGES.load(Relaxed).wrapping_sub(at.load(SeqCst));
            match decide(command, signal, asked, now, changes) {
                Decision::Wait => some_wait |= asked != 0,
                Decision::Drop => slot.store(0, SeqCst),
                Decision::HandOn => {
                    slot.store(0, SeqCst);
                    handed_on.store(true, SeqCst);
                    // SAFETY: takes no pointers.
                    unsafe { libc::kill(command, signal) };
                }
            }
        }
    }
    if some_wait {
        arm(timer);
    }
}

enum Decision {
    Wait,
    Drop,
    HandOn,
}

fn decide(command: i32, signal: c_int, asked: u64, now: u64, changes: u32) -> Decision {
    let waited = between(asked, now);
    if asked == 0 {
        return Decision::Wait;
    }
    if command == 0 || was_seen(signal, asked) {
        return Decision::Drop;
    }
    if waited < GRACE_MS.cast_signed() {
        return Decision::Wait;
    }
    match State::of(command) {
        Some(state) if state.has_pending(signal) => Decision::Drop,
        Some(state) if state.is_stopping && waited < patience_ms(changes) => Decision::Wait,
        _ => Decision::HandOn,
    }
}

fn patience_ms(changes: u32) -> i32 {
    if changes < TURN { MOST_PATIENCE_MS.cast_signed() } else { PATIENCE_MS.cast_signed() }
}

/// Answers one of those that wait, if one is of the same sender.
fn answer(asked: &Slots, seen: u64) -> bool {
    asked.iter().any(|slot| {
        let asked = slot.load(SeqCst);
        asked != 0 && is_same(seen, asked) && slot.compare_exchange(asked, 0, SeqCst, SeqCst).is_ok()
    })
}

/// Whether a signal that was seen is of the sender of one that waits.
fn is_same(seen: u64, asked: u64) -> bool {
    sender(seen) == sender(asked) || sender(seen) == sender(pack(ANYBODY, 0))
}

/// Whether the command got the signal too; that one answers no other question.
fn was_seen(signal: c_int, asked: u64) -> bool {
    let slots = SEEN.get(signal as usize).into_iter().flatten();
    slots.into_iter().any(|slot| {
        let seen = slot.load(SeqCst);
        seen != 0
            && is_same(seen, asked)
            && between(seen, asked) <= EARLIER_MS.cast_signed()
            && slot.compare_exchange(seen, 0, SeqCst, SeqCst).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNAL: c_int = 40;

    #[test]
    fn what_was_seen_answers_one_question_of_the_same_sender() {
        let asked = pack(7, now_ms());
        assert!(!was_seen(SIGNAL, asked));
        seen(SIGNAL, 8);
        assert!(!was_seen(SIGNAL, asked), "another sender's");
        seen(SIGNAL, 7);
        assert!(was_seen(SIGNAL, asked));
        assert!(!was_seen(SIGNAL, asked), "answered before");
        seen(SIGNAL, ANYBODY);
        assert!(was_seen(SIGNAL, asked), "whoever sent it");
        seen(SIGNAL, 7);
        let much_later = pack(7, now_ms().wrapping_add(1000));
        assert!(!was_seen(SIGNAL, much_later), "long ago");
    }
}
