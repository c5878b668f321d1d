//! `trace show --strace`: a log's lines where strace has them.
//!
//! A log has calls in the order in which they end, so a child's first lines come before that of the call that made it.
//! strace tells of that call when it begins; who reads the text knows by it whose child it is, and so where it is and
//! which files it has open. Such calls are told in two parts, then, the first where the child was made.

use std::io::{self, Write};

use super::lines::Lines;
use crate::event::{Event, Kind};
use crate::syscall::effect::Effect;
use crate::syscall::flags::CLONE;
use crate::syscall::plan;

/// Text that is held back until the calls that make children have returned; beyond it they are told where they return.
const MOST_HELD: usize = 4 << 20;
/// Calls that make children at the same time.
const MOST_MAKERS: usize = 64;

/// The part of clone's flags that is a signal (`CSIGNAL`); clone3 has it apart.
const EXIT_SIGNAL: u64 = 0xff;

/// A thread that is making a child: its call is told where it returns, and begins here.
struct Maker {
    tid: u32,
    child: i64,
    /// Flags of `clone(2)`.
    flags: u64,
    /// Place in the text that is held.
    at: usize,
}

/// Lines that wait, in the order in which strace tells them.
pub struct StraceText {
    lines: Lines,
    makers: Vec<Maker>,
    text: Vec<u8>,
    /// The thread that executes a program in another's place, and the id it has from then on.
    renamed: Option<(u32, u32)>,
}

impl StraceText {
    /// Tells events by these lines.
    pub fn new(lines: Lines) -> Self {
        Self { lines, makers: Vec::new(), text: Vec::new(), renamed: None }
    }

    /// Takes note of an event that is perhaps not told.
    pub fn saw(&mut self, event: &Event<'_>) {
        self.lines.saw(event);
        match event.kind {
            Kind::Fork if self.makers.len() < MOST_MAKERS => {
                let child = event.ret.unwrap_or_default();
                self.makers.push(Maker { tid: event.tid, child, flags: event.args[0], at: self.text.len() });
            }
            Kind::Exit => {
                self.makers.retain(|maker| maker.tid != event.tid);
                if event.ret.is_none() && event.args[1] != 0 {
                    self.renamed = Some((event.args[1] as u32, event.tid));
                }
            }
            _ => {}
        }
    }

    /// Tells an event that strace has a line for, if it is to be told; what waits no longer is written.
    pub fn write(&mut self, out: &mut dyn Write, event: &Event<'_>, is_told: bool) -> io::Result<()> {
        let maker = self.maker(event);
        match maker {
            _ if !is_told => {}
            Some(maker) => self.write_maker(&maker, event)?,
            None => {
                let event = self.renamed(event);
                self.lines.write(&mut self.text, &event)?;
            }
        }
        if self.makers.is_empty() || self.text.len() > MOST_HELD {
            return self.finish(out);
        }
        Ok(())
    }

    /// Writes all that waits.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.makers.clear();
        out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    /// The maker whose call this is.
    fn maker(&mut self, event: &Event<'_>) -> Option<Maker> {
        let returns = |maker: &Maker| {
            event.kind == Kind::Syscall && maker.tid == event.tid && event.ret == Some(maker.child)
        };
        let at = self.makers.iter().position(returns)?;
        Some(self.makers.remove(at))
    }

    /// A call that has made a child, in two parts if something was told meanwhile.
    fn write_maker(&mut self, maker: &Maker, event: &Event<'_>) -> io::Result<()> {
        let mut begun = Vec::new();
        if maker.at < self.text.len() {
            self.lines.write_parts(&mut begun, &mut self.text, event)?;
        } else {
            self.lines.write(&mut begun, event)?;
        }
        if event.memory.is_none() {
            tell_flags(&mut begun, maker.flags);
        }
        for other in self.makers.iter_mut().filter(|other| other.at > maker.at) {
            other.at += begun.len();
        }
        self.text.splice(maker.at..maker.at, begun);
        Ok(())
    }

    /// The execve of a thread that was not the first of its process returns under the first one's id.
    fn renamed<'a>(&mut self, event: &Event<'a>) -> Event<'a> {
        let is_of = |&(former, _): &(u32, u32)| event.kind == Kind::Syscall && event.tid == former;
        let tid = match self.renamed.filter(is_of) {
            Some((_, tid)) if plan::of(event.abi, event.nr).effect == Effect::Exec => {
                self.renamed = None;
                tid
            }
            _ => event.tid,
        };
        Event { tid, ..*event }
    }
}

/// Puts the flags, which the log has from the child, in place of the address of clone3's structure: who reads the text
/// knows a thread by them.
fn tell_flags(line: &mut Vec<u8>, flags: u64) {
    const CALL: &[u8] = b"clone3(";
    let Some(from) = line.windows(CALL.len()).position(|text| text == CALL).map(|at| at + CALL.len()) else {
        return;
    };
    let Some(len) = line[from..].iter().position(|&byte| byte == b',') else { return };
    let mut structure = b"{flags=".to_vec();
    CLONE.write_bits(&mut structure, flags & !EXIT_SIGNAL);
    structure.extend_from_slice(b", ...}");
    line.splice(from..from + len, structure);
}
