//! What is done to a call: instead of it, to its memory, before and behind it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::super::sys::ptrace as request;
use super::super::sys::signals::end_was_asked;
use super::super::{Intervention, Poke, PokeError, Sink};
use super::call::Call;
use super::entry::{self, Entry};
use super::session::Session;
use super::stop::{Stop, unless_gone};
use crate::event::Flags;
use crate::syscall;

impl<S: Sink> Session<'_, S> {
    /// Notes what is to be done to the call that the thread is about to make, and changes its memory. What is captured of the call
    /// is what the kernel finds then.
    pub(super) fn prepare(&mut self, tid: i32, entry: &Entry, intervention: Intervention) {
        let is_poked = self.poke(tid, intervention.poke_enter);
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if is_poked {
            entry::capture(thread, entry);
            thread.call.flags.set(Flags::ARGUMENTS_INJECTED);
        }
        if intervention.result.is_some() {
            thread.call.flags.set(Flags::INJECTED);
        }
        if intervention.is_value && intervention.result.is_some_and(super::exit::is_error) {
            thread.call.flags.set(Flags::NO_ERROR);
        }
        if intervention.delay_enter.is_some() || intervention.delay_exit.is_some() {
            thread.call.flags.set(Flags::DELAYED);
        }
        thread.call.intervention = intervention;
    }

    /// Changes the memory of a thread whose call has returned.
    pub(super) fn poke_exit(&mut self, tid: i32) {
        let Some(thread) = self.threads.get(&tid) else { return };
        if self.poke(tid, thread.call.intervention.poke_exit)
            && let Some(thread) = self.threads.get_mut(&tid)
        {
            thread.call.flags.set(Flags::ARGUMENTS_INJECTED);
        }
    }

    /// Whether any of it could be done; what could not is told.
    fn poke(&mut self, tid: i32, pokes: &[Poke]) -> bool {
        let mut is_done = false;
        for poke in pokes {
            let Some(thread) = self.threads.get(&tid) else { break };
            match write_to(&thread.call, poke) {
                Ok(()) => is_done = true,
                Err(error) => self.sink.not_poked(tid, error),
            }
        }
        is_done
    }
}

fn write_to(call: &Call, poke: &Poke) -> Result<(), PokeError> {
    let count = usize::from(call.plan.arg_count);
    if poke.argument > count {
        let call = syscall::lookup(call.abi, call.nr).map_or("?", |spec| spec.name);
        return Err(PokeError::NoArgument { argument: poke.argument, call, count });
    }
    // By this file a tracer may write to what the process itself may only read, as it is with ptrace(2) itself.
    let memory = OpenOptions::new().write(true).open(format!("/proc/{}/mem", call.tid));
    let written = memory.and_then(|memory| memory.write_all_at(&poke.bytes, call.args[poke.argument - 1]));
    written.map_err(|_| PokeError::NoMemory)
}

/// Lets the thread go on into its call, or past it. Everything else waits meanwhile.
pub fn enter(call: &Call, stop: Stop) -> io::Result<()> {
    let intervention = call.intervention;
    if intervention.result.is_some() {
        let done = match intervention.instead {
            Some(nr) => request::replace_call(stop.tid(), nr),
            None => request::skip_call(stop.tid()),
        };
        unless_gone(done)?;
    }
    if let Some(delay) = intervention.delay_enter {
        wait(delay);
    }
    stop.resume(intervention.signal.unwrap_or(0))
}

/// How long a delay goes on at most after an end was asked for.
const DELAY_STEP: Duration = Duration::from_millis(20);

/// Waits for so long, or until somebody wants the command to end: by a signal that a waiting tracer would keep from it.
pub fn wait(delay: Duration) {
    let begin = Instant::now();
    while let Some(rest) = delay.checked_sub(begin.elapsed()).filter(|rest| !rest.is_zero()) {
        if end_was_asked() {
            return;
        }
        std::thread::sleep(rest.min(DELAY_STEP));
    }
}
