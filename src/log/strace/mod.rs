//! Reading strace's own text as if it were a log of ours.
//!
//! ```text
//!   lines ─> prefix ─> call ─> tasks ─> Event
//!    one file or        │        └ where threads are, what their descriptors stand for
//!    those of -ff       └ text, value: strings, flags, structures
//! ```
//!
//! What is taken: `strace -f` or without, to a file or a terminal, with any of `-t -tt -ttt -r -T -y -yy -k -i -n
//! -Y -v -Z -X raw|abbrev|verbose`, calls on one line or on two. A line that cannot be read becomes a
//! [`Kind::Lost`] event with its number. What the text does not say (addresses of buffers, times where none were
//! asked for) is left out, never made up: see [`UNKNOWN_ADDRESS`](crate::event::UNKNOWN_ADDRESS). The text is
//! hostile input like any log. A line is read once, and costs no allocation unless a call is interrupted or opens
//! a file whose name later lines leave out.

mod beginning;
mod call;
mod lines;
mod prefix;
mod tasks;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::io::{Cursor, Read};
use std::path::Path;

use super::{Ending, Error, Header};
use crate::event::{Abi, Event, Flags, Kind, loss};
use crate::syscall::effect::Effect;
use crate::syscall::plan;
use beginning::Beginning;
use call::{Call, Line, Names};
pub use lines::tid_of_file;
use lines::{Input, Lines};
use prefix::{Prefix, Stamp};
use tasks::{Comm, Pending, Task, Tasks};
use text::number;

/// What a header has as backend.
pub const BACKEND: &str = "strace";

/// Unreadable lines that are kept to be shown.
const MOST_SHOWN: usize = 5;
/// How much is kept of each.
const SHOWN_LEN: usize = 120;
/// Bytes of lines that wait for their calls to return.
const MOST_PENDING: usize = 64 << 20;

/// What was in a text besides calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// All lines.
    pub lines: u64,
    /// Lines of stacks (`-k`), which are not used.
    pub stack_lines: u64,
    /// Lines of strace's own, which tell nothing of calls (`Process 123 attached`, `stopped by SIGTTIN`).
    pub notes: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// The first of them: number and beginning.
    pub shown: Vec<(u64, Vec<u8>)>,
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Call,
    Stack,
    Note,
    Unreadable,
}

/// Reads strace's text from its beginning to its end.
pub struct Reader {
    lines: Lines,
    header: Header,
    names: Names,
    tasks: Tasks,
    clock: Clock,
    lineage: Lineage,
    /// Texts of the event in the making.
    arena: Vec<u8>,
    /// Bytes of lines that wait.
    pending_len: usize,
    ending: Option<Ending>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.header)
            .field("lineage", &self.lineage)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads text from a stream. `cwd` is where the command was started, if one knows; `tid` the thread of a
    /// file of `-ff`. Gives the input back, from its beginning, if it is not strace's text.
    pub fn new(
        mut input: Box<dyn Read + Send>,
        cwd: Option<&[u8]>,
        tid: Option<u32>,
    ) -> Result<Result<Self, Box<dyn Read + Send>>, Error> {
        let names = Names::new();
        let mut beginning = read_beginning(&mut input, &names)?;
        let bytes = Cursor::new(std::mem::take(&mut beginning.bytes));
        let whole: Box<dyn Read + Send> = Box::new(bytes.chain(input));
        if beginning.calls == 0 {
            return Ok(Err(whole));
        }
        Ok(Ok(Self::with(Lines::one(Input::new(whole, tid)), names, &beginning, cwd, tid)))
    }

    /// Reads the files that `strace -ff -o NAME` wrote; `None`: there are none.
    pub fn files(name: &Path, cwd: Option<&[u8]>) -> Result<Option<Self>, Error> {
        let names = Names::new();
        let (mut inputs, mut first) = (Vec::new(), None);
        for (tid, path) in lines::files_of(name) {
            let failed = |source| Error::Open { path: path.clone(), source };
            let mut input = lines::open(&path).map_err(failed)?;
            let mut beginning = read_beginning(&mut input, &names)?;
            let bytes = Cursor::new(std::mem::take(&mut beginning.bytes));
            inputs.push(Input::new(Box::new(bytes.chain(input)), Some(tid)));
            if beginning.calls > 0 {
                first.get_or_insert(beginning);
            }
        }
        let Some(beginning) = first else { return Ok(None) };
        let have_times = matches!(beginning.time, Some(Stamp::Day(_) | Stamp::Epoch(_)));
        let lines = Lines::many(inputs, have_times).map_err(|source| Error::Read { offset: 0, source })?;
        Ok(Some(Self::with(lines, names, &beginning, cwd, None)))
    }

    fn with(lines: Lines, names: Names, beginning: &Beginning, cwd: Option<&[u8]>, tid: Option<u32>) -> Self {
        let cwd = beginning.cwd(cwd);
        Self {
            lines,
            header: beginning.header(cwd.as_deref()),
            names,
            tasks: Tasks::new(cwd.as_deref(), tid.or(beginning.only).unwrap_or(1)),
            clock: Clock::default(),
            lineage: Lineage::default(),
            arena: Vec::new(),
            pending_len: 0,
            ending: None,
        }
    }

    /// What a log of ours would say of itself, as far as the text tells.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was read so far besides calls.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Calls a function with every event, totals at the end, and returns how the text ended.
    pub fn for_each(&mut self, mut function: impl FnMut(&Event<'_>)) -> Result<Ending, Error> {
        if let Some(ending) = self.ending {
            return Ok(ending);
        }
        let mut sink = Sink { function: &mut function, events: 0 };
        let cut = self.read_lines(&mut sink)?;
        for tid in self.tasks.unfinished() {
            self.never_returned(tid, &mut sink);
        }
        let (events, lost) = (sink.events, self.lineage.unreadable);
        if cut.is_none() {
            for (name, value) in [(super::TOTAL_EVENTS, events), (super::TOTAL_LOST, lost)] {
                let value = Some(value as i64);
                (sink.function)(&Event {
                    text: Some(name.as_bytes()),
                    ret: value,
                    ..Event::new(Kind::Total)
                });
            }
        }
        let ending = match cut {
            Some(unread) => Ending::Cut { events, unread },
            None => Ending::Complete { events, lost: Some(lost) },
        };
        self.ending = Some(ending);
        Ok(ending)
    }

    /// Reads all lines. Gives the length of the last one if it was cut off.
    fn read_lines(&mut self, sink: &mut Sink<'_>) -> Result<Option<u64>, Error> {
        loop {
            let next = self.lines.advance();
            let failed = |source| Error::Read { offset: self.lines.offset(), source };
            let Some(at) = next.map_err(failed)? else { return Ok(None) };
            let input = self.lines.input(at);
            let (line, tid, number) = (std::mem::take(&mut input.line), input.tid, input.number);
            let (too_long, is_whole) = (input.too_long, input.is_whole);
            self.lineage.lines += 1;
            let seen = if too_long { Seen::Unreadable } else { self.line(&line, tid, sink) };
            match seen {
                Seen::Call => {}
                Seen::Stack => self.lineage.stack_lines += 1,
                Seen::Note => self.lineage.notes += 1,
                Seen::Unreadable if !is_whole => return Ok(Some(line.len() as u64)),
                Seen::Unreadable => self.unreadable(number, &line, sink),
            }
            self.lines.input(at).line = line;
        }
    }

    fn unreadable(&mut self, number: u64, line: &[u8], sink: &mut Sink<'_>) {
        self.lineage.unreadable += 1;
        if self.lineage.shown.len() < MOST_SHOWN {
            self.lineage.shown.push((number, line[..line.len().min(SHOWN_LEN)].to_vec()));
        }
        let now = self.clock.now;
        sink.push(&Event {
            text: Some(loss::LINE.as_bytes()),
            ret: Some(1),
            args: [number, 0, 0, 0, 0, 0],
            start_ns: now,
            end_ns: Some(now),
            ..Event::new(Kind::Lost)
        });
    }

    fn line(&mut self, line: &[u8], tid: Option<u32>, sink: &mut Sink<'_>) -> Seen {
        if line.starts_with(b" > ") {
            return Seen::Stack;
        }
        let (prefix, body) = prefix::take(line);
        if body.is_empty() || is_note(body) {
            self.mode(body);
            return Seen::Note;
        }
        let at_ns = prefix.time.map_or(self.clock.now, |stamp| self.clock.at(stamp));
        let tid = prefix.tid.or(tid).unwrap_or_else(|| self.tasks.only());
        if !self.tasks.knows(tid) {
            self.appeared(tid, at_ns, sink);
        }
        if let Some(comm) = prefix.comm {
            self.tasks.get(tid).comm = Comm::of(comm);
        }
        let read = if let Some(how) = body.strip_prefix(b"+++ ") {
            self.ended(tid, at_ns, how, sink)
        } else if let Some(what) = body.strip_prefix(b"--- ") {
            return self.signal(tid, at_ns, what, sink);
        } else if let Some(rest) = body.strip_prefix(b"<... ") {
            self.resumed(tid, at_ns, &prefix, rest, sink)
        } else if let Some(begin) = unfinished(body) {
            self.begun(tid, at_ns, &prefix, begin)
        } else {
            self.complete(tid, at_ns, None, &prefix, body, sink)
        };
        if read.is_some() { Seen::Call } else { Seen::Unreadable }
    }

    /// `[ Process PID=123 runs in 32 bit mode. ]`
    fn mode(&mut self, note: &[u8]) {
        let Some(at) = note.windows(4).position(|word| word == b"PID=") else { return };
        let Some((tid, rest)) = number(&note[at + 4..]) else { return };
        let task = self.tasks.get(tid as u32);
        if let Some(mode) = rest.strip_prefix(b" runs in ") {
            task.abi = if mode.starts_with(b"32 ") { Abi::I386 } else { Abi::X86_64 };
        }
    }

    /// A thread is seen for the first time: the child of the one that is making one, if there is such a one.
    fn appeared(&mut self, tid: u32, at_ns: u64, sink: &mut Sink<'_>) {
        let Some(parent) = self.tasks.making_child() else {
            self.tasks.appear(tid);
            return;
        };
        self.arena.clear();
        let task = self.tasks.get(parent);
        let text =
            task.pending.as_ref().map_or_else(Vec::new, |pending| [&pending.text[..], b") = ?"].concat());
        let line = Line::of(&text, None, task.abi, &self.names);
        let flags = line.map_or(0, |line| Call::of(&line, task, &mut self.arena).clone_flags);
        self.tasks.fork(parent, tid, flags);
        self.tasks.get(parent).early_child = Some(tid);
        self.forked(parent, tid, flags, at_ns, sink);
    }

    /// Whether a call that begins so makes a child.
    fn makes_child(&self, begin: &[u8]) -> bool {
        let named = call::name(begin).and_then(|(name, _)| self.names.call(Abi::X86_64, name));
        named.is_some_and(|(abi, spec)| plan::of(abi, spec.nr).effect.makes_child())
    }

    fn forked(&mut self, parent: u32, child: u32, flags: u64, at_ns: u64, sink: &mut Sink<'_>) {
        self.lines.follow(child);
        let pid = self.tasks.get(child).pid;
        let maker = self.tasks.get(parent);
        sink.push(&Event {
            ret: Some(i64::from(child)),
            args: [flags, u64::from(pid), 0, 0, 0, 0],
            ..point(Kind::Fork, parent, maker, at_ns)
        });
    }

    /// `exited with 0 +++`, `killed by SIGSEGV (core dumped) +++`, `superseded by execve in pid 123 +++`
    fn ended(&mut self, tid: u32, at_ns: u64, how: &[u8], sink: &mut Sink<'_>) -> Option<()> {
        let superseded = how.strip_prefix(b"superseded by execve in pid ");
        let ret = if let Some(status) = how.strip_prefix(b"exited with ") {
            Some(number(status)?.0 as i64)
        } else if let Some(signal) = how.strip_prefix(b"killed by ") {
            let end = signal.iter().position(|&byte| byte == b' ')?;
            Some(-i64::from(value::signal(&signal[..end])?))
        } else {
            superseded?;
            None
        };
        self.never_returned(tid, sink);
        let task = self.tasks.end(tid)?;
        sink.push(&Event { ret, ..point(Kind::Exit, tid, &task, at_ns) });
        if let Some((other, _)) = superseded.and_then(number)
            && let Some(other) = self.tasks.end(other as u32)
        {
            // It goes on under the number of the thread whose place it takes.
            self.tasks.put(tid, other);
        }
        Some(())
    }

    /// A thread's call that has not returned, and never will.
    fn never_returned(&mut self, tid: u32, sink: &mut Sink<'_>) {
        let Some(pending) = self.tasks.take_call(tid) else { return };
        let Pending { mut text, start_ns, ip, nr } = pending;
        self.pending_len -= text.len();
        text.extend_from_slice(b") = ?");
        let prefix = Prefix { ip: Some(ip), nr, ..Prefix::default() };
        let end_ns = self.clock.now;
        if self.complete(tid, end_ns, Some(start_ns), &prefix, &text, sink).is_none() {
            self.unreadable(self.lineage.lines, &text, sink);
        }
        self.tasks.reuse(text);
    }

    /// `SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, ...} ---`
    fn signal(&mut self, tid: u32, at_ns: u64, what: &[u8], sink: &mut Sink<'_>) -> Seen {
        if what.starts_with(b"stopped by ") {
            return Seen::Note;
        }
        let end = what.iter().position(|&byte| byte == b' ').unwrap_or(what.len());
        let Some(signal) = value::signal(&what[..end]) else { return Seen::Unreadable };
        let details = call::Fields(what[end..].trim_ascii_start());
        let code = details.find(b"si_code").and_then(|name| value::signal_code(signal, name)).unwrap_or(0);
        let sender = details.find(b"si_pid").and_then(number).map_or(0, |(pid, _)| pid);
        let task = self.tasks.get(tid);
        sink.push(&Event {
            nr: signal,
            args: [i64::from(code) as u64, sender, 0, 0, 0, 0],
            ..point(Kind::Signal, tid, task, at_ns)
        });
        Seen::Call
    }

    /// A call begins here and returns on a later line.
    fn begun(&mut self, tid: u32, at_ns: u64, prefix: &Prefix<'_>, begin: &[u8]) -> Option<()> {
        call::name(begin)?;
        if self.pending_len + begin.len() > MOST_PENDING {
            return None;
        }
        let mut text = self.tasks.buffer();
        text.extend_from_slice(begin);
        let (start_ns, ip, nr) = (at_ns, prefix.ip.unwrap_or(0), prefix.nr);
        self.pending_len += text.len();
        let makes_child = self.makes_child(&text);
        let former = self.tasks.begin(tid, Pending { text, start_ns, ip, nr }, makes_child);
        self.pending_len -= former.map_or(0, |former| former.text.len());
        Some(())
    }

    /// `read resumed>"...", 832) = 832`
    fn resumed(
        &mut self,
        tid: u32,
        at_ns: u64,
        prefix: &Prefix<'_>,
        rest: &[u8],
        sink: &mut Sink<'_>,
    ) -> Option<()> {
        let end = rest.windows(9).position(|word| word == b" resumed>")?;
        let (name, rest) = (&rest[..end], &rest[end + 9..]);
        let pending = self.tasks.take_call(tid);
        self.pending_len -= pending.as_ref().map_or(0, |pending| pending.text.len());
        let Some(Pending { mut text, start_ns, ip, nr }) = pending else {
            return self.without_entry(tid, at_ns, name, rest, sink);
        };
        if call::name(&text).is_none_or(|(begun, _)| begun != name) {
            return None;
        }
        text.extend_from_slice(rest);
        let prefix = Prefix { ip: Some(ip), nr: nr.or(prefix.nr), ..Prefix::default() };
        let read = self.complete(tid, at_ns, Some(start_ns), &prefix, &text, sink);
        self.tasks.reuse(text);
        read
    }

    /// A call returns that began before the log.
    fn without_entry(
        &mut self,
        tid: u32,
        at_ns: u64,
        name: &[u8],
        rest: &[u8],
        sink: &mut Sink<'_>,
    ) -> Option<()> {
        let text = [name, b"(", rest].concat();
        let task = self.tasks.get(tid);
        let line = Line::of(&text, None, task.abi, &self.names)?;
        sink.push(&Event {
            abi: line.abi,
            nr: line.nr,
            ret: line.outcome.ret,
            end_ns: self.clock.is_running.then_some(at_ns),
            flags: Flags::NO_ENTRY,
            ..point(Kind::Syscall, tid, task, at_ns)
        });
        Some(())
    }

    /// A whole call. `began_ns` is when it began, where that was on another line.
    fn complete(
        &mut self,
        tid: u32,
        at_ns: u64,
        began_ns: Option<u64>,
        prefix: &Prefix<'_>,
        body: &[u8],
        sink: &mut Sink<'_>,
    ) -> Option<()> {
        self.arena.clear();
        let task = self.tasks.get(tid);
        let line = Line::of(body, prefix.nr, task.abi, &self.names)?;
        if let Some(cwd) = line.cwd() {
            task.is_in(&cwd);
        }
        let mut call = Call::of(&line, task, &mut self.arena);
        let start_ns = began_ns.unwrap_or(at_ns);
        let end_ns = match (line.outcome.duration_ns, began_ns) {
            _ if call.ret.is_none() => None,
            (Some(duration_ns), _) => Some(start_ns.saturating_add(duration_ns)),
            (None, Some(_)) if self.clock.is_running => Some(at_ns.max(start_ns)),
            (None, _) => None,
        };
        self.before(tid, &mut call, end_ns.unwrap_or(at_ns), sink);
        let Self { tasks, arena, .. } = self;
        let task = tasks.get(tid);
        sink.push(&Event {
            pid: task.pid,
            tid,
            comm: task.comm.bytes(),
            start_ns,
            end_ns,
            ip: prefix.ip.unwrap_or(0),
            ..call.event(arena)
        });
        Some(())
    }

    /// What a call changes, and the events that go before its own: a new program, a new thread.
    fn before(&mut self, tid: u32, call: &mut Call, at_ns: u64, sink: &mut Sink<'_>) {
        if call.plan.effect == Effect::Exec && call.ret == Some(0) {
            let task = self.tasks.get(tid);
            task.exec(call, &self.arena);
            let event = call.event(&self.arena);
            let path = event.path_abs.or(event.path).or(event.file);
            sink.push(&Event {
                path,
                path_abs: event.path_abs.or(event.file),
                argv: event.argv,
                flags: Flags(event.flags.0 & Flags::TRUNCATED.0),
                ..point(Kind::Exec, tid, task, at_ns)
            });
        } else if call.plan.effect.makes_child() && call.ret.is_some_and(|child| child > 0) {
            let child = call.ret.unwrap_or_default() as u32;
            if self.tasks.fork(tid, child, call.clone_flags) {
                self.forked(tid, child, call.clone_flags, at_ns, sink);
            }
        } else {
            self.tasks.get(tid).apply(call, &self.arena);
        }
    }
}

/// Where events go.
struct Sink<'a> {
    function: &'a mut dyn FnMut(&Event<'_>),
    events: u64,
}

impl Sink<'_> {
    fn push(&mut self, event: &Event<'_>) {
        self.events += 1;
        (self.function)(event);
    }
}

/// An event of a thread at a moment.
fn point(kind: Kind, tid: u32, task: &Task, at_ns: u64) -> Event<'_> {
    Event {
        pid: task.pid,
        tid,
        comm: task.comm.bytes(),
        start_ns: at_ns,
        end_ns: Some(at_ns),
        ..Event::new(kind)
    }
}

/// The part of a call that is there, where its return is on a later line or on none.
fn unfinished(body: &[u8]) -> Option<&[u8]> {
    let begin = body.strip_suffix(b" <unfinished ...>").or_else(|| body.strip_suffix(b" <detached ...>"));
    begin.or_else(|| {
        // On a terminal the news of a child breaks into a line, and `<unfinished ...>` gets one by itself.
        const NEWS: &[u8] = b"strace: Process ";
        body.strip_suffix(b" attached")?;
        let at = body.windows(NEWS.len()).rposition(|words| words == NEWS)?;
        (at > 0).then(|| &body[..at])
    })
}

/// Lines of strace's own, on a terminal between the others.
fn is_note(body: &[u8]) -> bool {
    body.trim_ascii() == b"<unfinished ...>"
        || body.starts_with(b"strace: ")
        || body.starts_with(b"Process ")
        || body.starts_with(b"[ Process PID=")
}

/// Times of lines as nanoseconds since the first.
#[derive(Debug, Default)]
struct Clock {
    /// There are times.
    is_running: bool,
    origin: u64,
    last: u64,
    days: u64,
    now: u64,
}

impl Clock {
    fn at(&mut self, stamp: Stamp) -> u64 {
        const DAY_NS: u64 = 86_400_000_000_000;
        let raw = match stamp {
            Stamp::Since(ns) => {
                self.is_running = true;
                self.now = self.now.saturating_add(ns);
                return self.now;
            }
            Stamp::Epoch(ns) => ns,
            Stamp::Day(ns) => {
                if ns.saturating_add(DAY_NS / 2) < self.last {
                    self.days += 1;
                }
                self.last = ns;
                ns.saturating_add(self.days.saturating_mul(DAY_NS))
            }
        };
        if !self.is_running {
            self.is_running = true;
            self.origin = raw;
        }
        self.now = raw.saturating_sub(self.origin);
        self.now
    }
}

/// The beginning of an input.
fn read_beginning(input: &mut dyn Read, names: &Names) -> Result<Beginning, Error> {
    Beginning::read(input, names).map_err(|source| Error::Read { offset: 0, source })
}
