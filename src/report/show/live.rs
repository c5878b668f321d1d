//! Calls as strace prints them while they happen: a line begins when a call begins, and ends when it ends.
//!
//! Where somebody else's line comes between, the first is left with `<unfinished ...>` and taken up again with
//! `<... name resumed>`. One value is one stream of lines; what is to be shown at all is the caller's affair.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::escape::write_bracketed;
use super::filter::CallSet;
use super::modes::Modes;
use super::{kinds, result, write_decimals, write_time_of_day};
use crate::event::{Event, Flags, Kind};
use crate::syscall::Ret;
use crate::syscall::decode::{
    Decoder, Memory, NoMemory, Returned, Snapshot, Style, write_unknown, write_unknown_name,
};
use crate::syscall::flags::write_radix;

/// How lines are begun and filled up.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Look {
    /// Who did it.
    pub who: Who,
    /// When.
    pub time: Time,
    /// Since the line before, with so many decimals (`-r`); in brackets behind another time.
    pub relative: Option<usize>,
    /// The number of the call (`-n`).
    pub number: bool,
    /// Where in the program (`-i`).
    pub pointer: bool,
    /// A change of the calling convention (`[ Process PID=1 runs in 32 bit mode. ]`).
    pub modes: bool,
    /// How long it took, in seconds with so many decimals (`-T`).
    pub duration: Option<usize>,
    /// The column of the results (`-a`).
    pub column: usize,
    /// How arguments are shown.
    pub style: Style,
}

/// Which calls are printed in another way than the others.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// As registers (`-e raw=`).
    pub raw: Option<CallSet>,
    /// With structures (`-e verbose=`); `None`: all.
    pub structures: Option<CallSet>,
    /// With few members of them (`-e abbrev=`); `None`: all, or as the style says.
    pub abbreviated: Option<CallSet>,
}

impl Choices {
    fn style(&self, style: Style, event: &Event<'_>) -> Style {
        let has = |set: &Option<CallSet>| set.as_ref().map(|set| set.contains(event.abi, event.nr));
        Style {
            raw: has(&self.raw).unwrap_or(false),
            addresses: !has(&self.structures).unwrap_or(true),
            verbose: has(&self.abbreviated).map_or(style.verbose, |is_abbreviated| !is_abbreviated),
            ..style
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Not told.
    Hidden,
    /// `[pid 1234] `, while there are several.
    Several,
    /// `1234 `, always.
    Always,
}

/// When it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Not told.
    Hidden,
    /// Since the epoch.
    Epoch {
        /// The realtime clock at the log's time 0, in nanoseconds.
        origin_ns: u64,
        /// Decimals of the seconds.
        decimals: usize,
    },
    /// The time of day.
    Day {
        /// The realtime clock at the log's time 0, in nanoseconds.
        origin_ns: u64,
        /// How far the local time is ahead of UTC, in seconds.
        offset_s: i64,
        /// Decimals of the seconds.
        decimals: usize,
    },
}

/// A thread that is known.
#[derive(Default)]
struct Task {
    /// Its call has begun a line.
    has_begun: bool,
    /// The number of its last call.
    nr: u32,
    /// The name of the call that is to be restarted.
    interrupted: Option<&'static str>,
}

/// The call by which a thread runs another program in the place of its process's first one, as far as it is printed.
pub struct Superseding(Task);

/// A stream of lines.
pub struct Live {
    look: Look,
    choices: Option<Rc<Choices>>,
    /// Text since it was taken last.
    out: Vec<u8>,
    /// Length of the line that is not ended.
    column: usize,
    /// Whose line that is.
    writer: u32,
    tasks: FxHashMap<u32, Task>,
    modes: Modes,
    /// The thread that has last taken another's place, and that one: its call still has the old id.
    renamed: Option<(u32, u32)>,
    latest_ns: Option<u64>,
}

impl Live {
    /// An empty stream.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self {
            look,
            choices: None,
            out: Vec::new(),
            column: 0,
            writer: 0,
            tasks: FxHashMap::default(),
            modes: Modes::default(),
            renamed: None,
            latest_ns: None,
        }
    }

    /// Prints some calls in another way.
    #[must_use]
    pub fn with_choices(mut self, choices: Rc<Choices>) -> Self {
        self.choices = Some(choices);
        self
    }

    /// What has been printed since this was called last.
    pub fn take(&mut self, write: impl FnOnce(&[u8])) {
        if !self.out.is_empty() {
            write(&self.out);
            self.out.clear();
        }
    }

    /// A thread is there, from now on.
    pub fn joined(&mut self, tid: u32) {
        self.tasks.entry(tid).or_default();
    }

    /// A thread makes a call, which is shown or not.
    pub fn saw(&mut self, event: &Event<'_>) {
        self.tasks.entry(event.tid).or_default().nr = event.nr;
    }

    /// A thread has made another, which begins in the same mode.
    pub fn forked(&mut self, event: &Event<'_>) {
        self.modes.change(event);
    }

    /// A call begins.
    pub fn entered(&mut self, event: &Event<'_>) {
        self.change_of_mode(event);
        self.head(event, event.start_ns);
        let mut text = Vec::new();
        self.write_entry(&mut text, event);
        self.emit(&text);
        self.tasks.entry(event.tid).or_default().has_begun = true;
    }

    /// A call is over, or never will be: its line is ended.
    pub fn finished(&mut self, event: &Event<'_>) {
        let renamed = self.renamed.filter(|(former, _)| *former == event.tid);
        let event = &Event { tid: renamed.map_or(event.tid, |(_, tid)| tid), ..*event };
        let task = self.tasks.entry(event.tid).or_default();
        let has_begun = std::mem::take(&mut task.has_begun);
        if has_begun && self.writer == event.tid && self.column > 0 {
            // It goes on where it stopped.
        } else if has_begun {
            self.head(event, event.end_ns.unwrap_or(event.start_ns));
            let mut text = b"<... ".to_vec();
            write_name(&mut text, event);
            text.extend_from_slice(b" resumed>");
            self.emit(&text);
        } else {
            self.change_of_mode(event);
            self.head(event, event.start_ns);
            let mut text = Vec::new();
            self.write_entry(&mut text, event);
            self.emit(&text);
        }
        self.write_end(event);
        let name = if event.errno() == Some(516) { name_of(event) } else { None };
        self.tasks.entry(event.tid).or_default().interrupted = name;
    }

    /// A signal is about to be delivered.
    pub fn signal(&mut self, event: &Event<'_>) {
        let constants = self.look.style.constants;
        self.line(event, |out, event| kinds::write_signal_line(out, event, constants));
    }

    /// A signal has stopped the thread's process.
    pub fn stopped(&mut self, event: &Event<'_>) {
        self.line(event, |out, event| kinds::write_stop(out, event.nr));
    }

    /// A thread has ended, which is told unless it is not to be.
    pub fn ended(&mut self, event: &Event<'_>, is_told: bool) {
        if is_told {
            self.line(event, kinds::write_exit);
        }
        self.tasks.remove(&event.tid);
        self.modes.change(event);
    }

    /// A thread has run another program, in the place of its process's first one.
    pub fn superseded(&mut self, event: &Event<'_>, is_told: bool) {
        let former = event.args[1] as u32;
        let call = self.leaves(former, event.tid);
        self.takes(event, call, is_told);
        self.renamed = Some((former, event.tid));
    }

    /// The same, where the lines of that thread have been elsewhere (`-ff`): what it leaves there.
    pub fn leaves(&mut self, former: u32, tid: u32) -> Superseding {
        if self.column > 0 && self.writer == former {
            self.emit(format!(" <pid changed to {tid} ...>\n").as_bytes());
        }
        Superseding(self.tasks.remove(&former).unwrap_or_default())
    }

    /// And what goes on here.
    pub fn takes(&mut self, event: &Event<'_>, call: Superseding, is_told: bool) {
        self.tasks.insert(event.tid, call.0);
        if is_told {
            self.line(event, kinds::write_exit);
        }
    }

    /// Other text, a line of its own.
    pub fn line(&mut self, event: &Event<'_>, write: impl FnOnce(&mut Vec<u8>, &Event<'_>)) {
        self.head(event, event.start_ns);
        let mut text = Vec::new();
        write(&mut text, event);
        text.push(b'\n');
        self.emit(&text);
    }

    /// Whole lines that belong to the one before.
    pub fn below(&mut self, lines: &[u8]) {
        if self.column == 0 {
            self.emit(lines);
        }
    }

    /// A thread that ran before is there. Of the call that it restarts, strace has the first name of its table.
    pub fn attached(&mut self, tid: u32) {
        self.tasks.entry(tid).or_default().interrupted = Some("read");
    }

    /// Ends the line of a thread that goes on unseen.
    pub fn detached(&mut self, tid: u32) {
        if self.column > 0 && self.writer == tid {
            self.emit(b" <detached ...>\n");
        }
        self.tasks.remove(&tid);
    }

    /// A call of a thread that goes on unseen, where lines are not begun before outcomes are known.
    pub fn left(&mut self, event: &Event<'_>) {
        self.joined(event.tid);
        self.entered(event);
        self.detached(event.tid);
    }

    /// From now on lines tell who it was.
    pub fn tell_who(&mut self) {
        self.look.who = Who::Always;
    }

    /// How this call is printed.
    fn style(&self, event: &Event<'_>) -> Style {
        self.choices.as_ref().map_or(self.look.style, |choices| choices.style(self.look.style, event))
    }

    fn change_of_mode(&mut self, event: &Event<'_>) {
        if let Some(mode) = self.modes.change(event).filter(|_| self.look.modes) {
            self.interrupt();
            let text = format!("[ Process PID={} runs in {mode} mode. ]\n", event.tid);
            self.line_head(event, event.start_ns);
            self.emit(text.as_bytes());
        }
    }

    /// Leaves the line that is not ended.
    fn interrupt(&mut self) {
        if self.column > 0 {
            self.emit(b" <unfinished ...>\n");
        }
    }

    fn head(&mut self, event: &Event<'_>, at_ns: u64) {
        self.interrupt();
        self.line_head(event, at_ns);
    }

    fn line_head(&mut self, event: &Event<'_>, at_ns: u64) {
        self.writer = event.tid;
        let mut text = Vec::new();
        self.write_who(&mut text, event);
        self.write_time(&mut text, at_ns);
        if self.look.number {
            let last = self.tasks.get(&event.tid).map_or(0, |task| task.nr);
            let number = if event.kind == Kind::Syscall { event.nr } else { last };
            text.extend_from_slice(format!("[{number:4}] ").as_bytes());
        }
        if self.look.pointer {
            text.push(b'[');
            if event.ip == 0 {
                text.extend_from_slice(b"????????????????");
            } else {
                write_radix(&mut text, event.ip, 16, 16);
            }
            text.extend_from_slice(b"] ");
        }
        self.emit(&text);
    }

    fn write_who(&self, out: &mut Vec<u8>, event: &Event<'_>) {
        let named = |out: &mut Vec<u8>| {
            if self.look.style.names {
                write_bracketed(out, event.comm);
            }
        };
        match self.look.who {
            Who::Several if self.tasks.len() > 1 => {
                out.extend_from_slice(format!("[pid {:5}", event.tid).as_bytes());
                named(out);
                out.extend_from_slice(b"] ");
            }
            Who::Hidden | Who::Several => {}
            Who::Always => {
                let width = if self.look.style.names { 0 } else { 5 };
                out.extend_from_slice(format!("{:<width$}", event.tid).as_bytes());
                named(out);
                out.push(b' ');
            }
        }
    }

    fn write_time(&mut self, out: &mut Vec<u8>, at_ns: u64) {
        match self.look.time {
            Time::Hidden => {}
            Time::Epoch { origin_ns, decimals } => {
                write_seconds(out, origin_ns.saturating_add(at_ns), decimals, 1);
            }
            Time::Day { origin_ns, offset_s, decimals } => {
                write_time_of_day(out, origin_ns.saturating_add(at_ns), offset_s, decimals);
            }
        }
        if self.look.time != Time::Hidden {
            out.push(b' ');
        }
        if let Some(decimals) = self.look.relative {
            let since = at_ns.saturating_sub(self.latest_ns.unwrap_or(at_ns));
            self.latest_ns = Some(at_ns.max(self.latest_ns.unwrap_or(0)));
            let (before, behind): (&[u8], &[u8]) = match self.look.time {
                Time::Hidden => (b"", b" "),
                _ => (b"(+", b") "),
            };
            out.extend_from_slice(before);
            write_seconds(out, since, decimals, 6);
            out.extend_from_slice(behind);
        }
    }

    fn emit(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
        match text.iter().rposition(|&byte| byte == b'\n') {
            Some(end) => self.column = text.len() - end - 1,
            None => self.column += text.len(),
        }
    }

    /// `openat(AT_FDCWD, "x", O_RDONLY`
    fn write_entry(&self, out: &mut Vec<u8>, event: &Event<'_>) {
        write_name(out, event);
        out.push(b'(');
        let interrupted = self.tasks.get(&event.tid).and_then(|task| task.interrupted);
        if let Some(name) = interrupted.filter(|_| is_restart(event)) {
            out.extend_from_slice(b"<... resuming interrupted ");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b" ...>");
            return;
        }
        let style = self.style(event);
        with_memory(event, |memory| match Decoder::new(event, &style, memory) {
            Some(mut call) => call.entry(out),
            None => write_unknown(out, event),
        });
    }

    /// What stands behind the arguments known at the entry, to the end of the line.
    fn write_end(&mut self, event: &Event<'_>) {
        let (mut arguments, mut after) = (Vec::new(), Vec::new());
        let mut returned = Returned::Value(Ret::Int);
        let has_returned = event.ret.is_some();
        let style = self.style(event);
        let (mut described, mut dump) = (Vec::new(), Vec::new());
        let is_resumed =
            is_restart(event) && self.tasks.get(&event.tid).is_some_and(|task| task.interrupted.is_some());
        with_memory(event, |memory| {
            let Some(mut call) = Decoder::new(event, &style, memory) else { return };
            returned = call.returned();
            call.describe_returned(&mut described);
            call.dump(&mut dump);
            if has_returned && !event.flags.has(Flags::NO_ENTRY) {
                call.exit(&mut arguments);
                call.after(&mut after);
            } else if call.tells_more() && !is_resumed {
                arguments.extend_from_slice(b" <unfinished ...>");
            }
        });
        if !described.is_empty() {
            returned = Returned::Described(&described);
        }
        arguments.extend_from_slice(b") ");
        self.emit(&arguments);
        let mut rest = vec![b' '; self.look.column.saturating_sub(self.column)];
        // It begins with a space of its own.
        let mut value = Vec::new();
        result::write(&mut value, event, returned, &style);
        rest.extend_from_slice(value.strip_prefix(b" ").unwrap_or(&value));
        rest.extend_from_slice(&after);
        result::write_markers(&mut rest, event);
        let taken = event.duration_ns().filter(|_| event.ret.is_some());
        if let (Some(ns), Some(decimals)) = (taken, self.look.duration) {
            rest.extend_from_slice(b" <");
            write_seconds(&mut rest, ns, decimals, 1);
            rest.push(b'>');
        }
        rest.push(b'\n');
        rest.extend_from_slice(&dump);
        self.emit(&rest);
    }
}

/// Seconds, as wide as this, with so many decimals, cut.
fn write_seconds(out: &mut Vec<u8>, ns: u64, decimals: usize, width: usize) {
    let seconds = ns / 1_000_000_000;
    out.extend_from_slice(format!("{seconds:width$}").as_bytes());
    write_decimals(out, ns, decimals);
}

/// The name of a call, of one that stands for another that of the other.
fn name_of(event: &Event<'_>) -> Option<&'static str> {
    let mut name = None;
    with_memory(event, |memory| name = Decoder::new(event, &Style::PLAIN, memory).map(|call| call.name()));
    name
}

fn write_name(out: &mut Vec<u8>, event: &Event<'_>) {
    if let Some(name) = name_of(event) {
        out.extend_from_slice(name.as_bytes());
    } else {
        write_unknown_name(out, event.nr);
    }
}

fn is_restart(event: &Event<'_>) -> bool {
    crate::syscall::lookup(event.abi, event.nr).is_some_and(|spec| spec.name == "restart_syscall")
}

fn with_memory(event: &Event<'_>, decode: impl FnOnce(&mut dyn Memory)) {
    match event.memory {
        Some(kept) => decode(&mut Snapshot(kept)),
        None => decode(&mut NoMemory),
    }
}
