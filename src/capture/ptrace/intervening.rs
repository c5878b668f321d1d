//! What is done to a call: instead of it, to its memory, before and behind it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;

use super::super::sys::ptrace as request;
use super::super::{Intervention, Poke, PokeError, Sink};
use super::call::Call;
use super::delays::Then;
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

    /// Whether any byte was changed; what could not be done is told.
    fn poke(&mut self, tid: i32, pokes: &[Poke]) -> bool {
        let mut is_done = false;
        for poke in pokes {
            let Some(thread) = self.threads.get(&tid) else { break };
            match write_to(&thread.call, poke) {
                Ok(()) => is_done = true,
                Err(error) => {
                    is_done |= matches!(error, PokeError::Short { .. });
                    self.sink.not_poked(tid, error);
                }
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
    let address = call.args[poke.argument - 1];
    let length = poke.bytes.len();
    match memory.and_then(|memory| memory.write_at(&poke.bytes, address)) {
        Ok(written) if written == length => Ok(()),
        Ok(written) if written > 0 => Err(PokeError::Short { written, length, address }),
        _ => Err(PokeError::NoMemory),
    }
}

impl<S: Sink> Session<'_, S> {
    /// Lets the thread go on into its call, or past it; with a delay when that is over.
    pub(super) fn enter(&mut self, stop: Stop, intervention: Intervention) -> io::Result<()> {
        if intervention.result.is_some() {
            let done = match intervention.instead {
                Some(nr) => request::replace_call(stop.tid(), nr),
                None => request::skip_call(stop.tid()),
            };
            unless_gone(done)?;
        }
        let signal = intervention.signal.unwrap_or(0);
        match intervention.delay_enter {
            Some(delay) => {
                self.delays.hold(stop, delay, Then::Enter(signal));
                Ok(())
            }
            None => stop.resume(signal),
        }
    }

    /// Lets those go on whose delays are over.
    pub(super) fn end_delays(&mut self) -> io::Result<()> {
        while let Some((stop, then)) = self.delays.take_due() {
            self.undelayed(stop, &then)?;
        }
        Ok(())
    }

    /// Lets all go on, before they are detached from.
    pub(super) fn drop_delays(&mut self) {
        while let Some((stop, then)) = self.delays.take_earliest() {
            // Who cannot go on cannot be detached from either, and the tracer's end lets it go.
            let _ = self.undelayed(stop, &then);
        }
    }

    fn undelayed(&mut self, stop: Stop, then: &Then) -> io::Result<()> {
        match *then {
            Then::Enter(signal) => stop.resume(signal),
            Then::Return(ret) => self.after(stop, ret),
        }
    }
}
