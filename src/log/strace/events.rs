//! Each kind of line as events: calls on one line or two, signals, ends, and what a call brings with it (a new
//! program, a new thread).

use super::call::Call;
use super::facts::Fields;
use super::line::{self, Line};
use super::prefix::{self, Prefix};
use super::tasks::{Comm, Open, Pending, Task};
use super::text::{Items, number};
use super::{MOST_PENDING, MOST_SHOWN, Reader, SHOWN_LEN, Seen, value};
use crate::event::{Abi, Event, Flags, Kind, loss, mark};
use crate::syscall::effect::Effect;
use crate::syscall::plan;

impl Reader {
    pub(super) fn unreadable(&mut self, number: u64, line: &[u8], sink: &mut Sink<'_>) {
        self.lineage.unreadable += 1;
        self.lineage.ours |= prefix::take(line).1.starts_with(b"*** ") && line.ends_with(b" ***");
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

    pub(super) fn line(
        &mut self,
        line: &[u8],
        tid: Option<u32>,
        is_whole: bool,
        sink: &mut Sink<'_>,
    ) -> Seen {
        if line.starts_with(b" > ") {
            return Seen::Stack;
        }
        if self.is_in_summary(line) || is_content(line) {
            // Tables of `-C`, and contents of buffers (`-e read=`).
            return Seen::Note;
        }
        if let Some(tid) = self.broken.take()
            && let Some(read) = self.continued(tid, line, sink)
        {
            return read;
        }
        if line.starts_with(b")")
            && let Some(read) = self.closed(line, sink)
        {
            return read;
        }
        let (mut prefix, mut body) = prefix::take(line);
        while let Some(behind) = behind_unknown(body) {
            (prefix, body) = behind;
        }
        if body.is_empty() || is_note(body) {
            self.mode(body);
            self.attached(body);
            return Seen::Note;
        }
        let at_ns = prefix.time.map_or(self.clock.now, |stamp| self.clock.at(stamp));
        let is_unnamed = prefix.tid.or(tid).is_none();
        self.lineage.joined |= is_unnamed && self.unnamed_ended;
        self.unnamed_ended |=
            is_unnamed && (body.starts_with(b"+++ exited ") || body.starts_with(b"+++ killed "));
        let tid = prefix.tid.or(tid).unwrap_or_else(|| self.tasks.only());
        if !self.tasks.knows(tid) {
            self.appeared(tid, at_ns, sink);
        }
        if let Some(comm) = prefix.comm {
            self.tasks.get(tid).comm = Comm::escaped(comm);
        }
        let read = if let Some(how) = body.strip_prefix(b"+++ ") {
            self.ended(tid, at_ns, how, sink)
        } else if let Some(what) = body.strip_prefix(b"--- ") {
            return self.signal(tid, at_ns, what, sink);
        } else if let Some(rest) = body.strip_prefix(b"<... ") {
            self.resumed(tid, at_ns, &prefix, rest, sink)
        } else if let Some(begin) = unfinished(body) {
            self.broken = Some(tid);
            self.begun(tid, at_ns, &prefix, begin, sink)
        } else {
            self.complete(tid, at_ns, None, &prefix, body, sink)
        };
        match read {
            Some(()) => Seen::Call,
            None if is_whole && self.is_open(body) => {
                self.open(tid, at_ns, &prefix, line, sink);
                Seen::Open
            }
            None => Seen::Unreadable,
        }
    }

    /// Whether a line is of a call whose arguments do not end: where strace and the command write to one place, the output
    /// of a call may stand before their end, with a newline.
    fn is_open(&self, body: &[u8]) -> bool {
        let Some((name, arguments)) = line::name(body) else { return false };
        let mut items = Items::new(arguments, b')');
        items.by_ref().for_each(drop);
        items.rest().is_none() && self.names.call(Abi::X86_64, name).is_some()
    }

    fn open(&mut self, tid: u32, at_ns: u64, prefix: &Prefix<'_>, line: &[u8], sink: &mut Sink<'_>) {
        self.never_closed(sink);
        let call =
            Pending { text: line.to_vec(), start_ns: at_ns, ip: prefix.ip.unwrap_or(0), nr: prefix.nr };
        self.open = Some(Open { tid, number: self.lineage.lines, call });
    }

    /// The end of a call that is open: `)  = 1`. `None`: there is no such one.
    fn closed(&mut self, line: &[u8], sink: &mut Sink<'_>) -> Option<Seen> {
        let Open { tid, number, call } = self.open.take()?;
        let body = prefix::take(&call.text).1;
        let text = [body, line].concat();
        let prefix = Prefix { ip: Some(call.ip), nr: call.nr, ..Prefix::default() };
        if self.complete(tid, call.start_ns, None, &prefix, &text, sink).is_none() {
            self.unreadable(number, &call.text, sink);
            return Some(Seen::Unreadable);
        }
        Some(Seen::Call)
    }

    /// What was taken for the beginning of a call is none.
    pub(super) fn never_closed(&mut self, sink: &mut Sink<'_>) {
        if let Some(Open { number, call, .. }) = self.open.take() {
            self.unreadable(number, &call.text, sink);
        }
    }

    /// Whether a line is of the table that `-C` has at the end.
    fn is_in_summary(&mut self, line: &[u8]) -> bool {
        let was_in = self.in_summary;
        self.in_summary = if was_in { !is_total(line) } else { is_head_of_summary(line) };
        was_in || self.in_summary
    }

    /// Whose lines are those that name no thread, where the first line says who was attached to: `Process 123 attached`.
    fn attached(&mut self, note: &[u8]) {
        const NEWS: &[u8] = b"Process ";
        let Some(at) = note.windows(NEWS.len()).position(|word| word == NEWS) else { return };
        if let Some((tid, b" attached")) = number(&note[at + NEWS.len()..]) {
            self.tasks.begins_with(tid as u32);
        }
    }

    /// The rest of a line that was broken into two: by the news of a child (`, child_tidptr=0x7f...) = 123`), or where lines wait
    /// until a call's outcome is known (`-z`; `NULL, 0, NULL) = 123`). `None`: the line is another one.
    fn continued(&mut self, tid: u32, line: &[u8], sink: &mut Sink<'_>) -> Option<Seen> {
        // `[8], 8) = 0` may look like a number of a call (`-n`).
        let body = prefix::take(line).1;
        let is_other = line::name(body).is_some() || OTHERS.iter().any(|begin| body.starts_with(begin));
        if is_other || !self.tasks.get(tid).goes_on_with(line, &self.names) {
            return None;
        }
        let Pending { mut text, start_ns, ip, nr } = self.tasks.take_call(tid)?;
        self.pending_len -= weight(&text);
        text.extend_from_slice(line);
        let prefix = Prefix { ip: Some(ip), nr, ..Prefix::default() };
        // When it returned is not told.
        let read = self.complete(tid, start_ns, None, &prefix, &text, sink);
        self.tasks.reuse(text);
        Some(if read.is_some() { Seen::Call } else { Seen::Unreadable })
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
        let named = line::name(begin).and_then(|(name, _)| self.names.call(Abi::X86_64, name));
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

    /// `exited with 0 +++`, `killed by SIGSEGV (core dumped) +++`, `superseded by execve in pid 123 +++`, and `ended +++`
    /// where a log of ours does not know how
    fn ended(&mut self, tid: u32, at_ns: u64, how: &[u8], sink: &mut Sink<'_>) -> Option<()> {
        // Otherwise the log is cut here.
        how.strip_suffix(b" +++")?;
        let superseded = how.strip_prefix(b"superseded by execve in pid ");
        let ret = if let Some(status) = how.strip_prefix(b"exited with ") {
            Some(number(status)?.0 as i64)
        } else if let Some(signal) = how.strip_prefix(b"killed by ") {
            let end = signal.iter().position(|&byte| byte == b' ')?;
            Some(-i64::from(value::signal(&signal[..end])?))
        } else if how == b"ended +++" {
            None
        } else {
            superseded?;
            None
        };
        self.never_returned(tid, sink);
        let task = self.tasks.end(tid)?;
        let successor = superseded.and_then(number).map_or(0, |(tid, _)| tid);
        let args = [u64::from(how.ends_with(b" (core dumped) +++")), successor, 0, 0, 0, 0];
        sink.push(&Event { args, ret, ..point(Kind::Exit, tid, &task, at_ns) });
        if let Some((other, _)) = superseded.and_then(number)
            && let Some(other) = self.tasks.end(other as u32)
        {
            // It goes on under the number of the thread whose place it takes.
            self.tasks.put(tid, other);
        }
        Some(())
    }

    /// A thread's call that has not returned, and never will.
    pub(super) fn never_returned(&mut self, tid: u32, sink: &mut Sink<'_>) {
        let Some(pending) = self.tasks.take_call(tid) else { return };
        let Pending { mut text, start_ns, ip, nr } = pending;
        self.pending_len -= weight(&text);
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
        if let Some(signal) = what.strip_prefix(b"stopped by ") {
            return self.stopped(tid, at_ns, signal, sink);
        }
        let end = what.iter().position(|&byte| byte == b' ').unwrap_or(what.len());
        let Some(signal) = value::signal(&what[..end]) else { return Seen::Unreadable };
        let details = Fields(what[end..].trim_ascii_start());
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

    /// `SIGSTOP ---`
    fn stopped(&mut self, tid: u32, at_ns: u64, signal: &[u8], sink: &mut Sink<'_>) -> Seen {
        let Some(nr) = signal.strip_suffix(b" ---").and_then(value::signal) else { return Seen::Unreadable };
        let text = Some(mark::STOPPED.as_bytes());
        sink.push(&Event { nr, text, ..point(Kind::Mark, tid, self.tasks.get(tid), at_ns) });
        Seen::Call
    }

    /// A call begins here and returns on a later line.
    fn begun(
        &mut self,
        tid: u32,
        at_ns: u64,
        prefix: &Prefix<'_>,
        begin: &[u8],
        sink: &mut Sink<'_>,
    ) -> Option<()> {
        line::name(begin)?;
        // As where a number was given to another thread, whose predecessor's end the log does not have.
        self.never_returned(tid, sink);
        if self.pending_len + weight(begin) > MOST_PENDING {
            return None;
        }
        let mut text = self.tasks.buffer();
        text.extend_from_slice(begin);
        let (start_ns, ip, nr) = (at_ns, prefix.ip.unwrap_or(0), prefix.nr);
        self.pending_len += weight(&text);
        let makes_child = self.makes_child(&text);
        self.tasks.begin(tid, Pending { text, start_ns, ip, nr }, makes_child);
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
        self.pending_len -= pending.as_ref().map_or(0, |pending| weight(&pending.text));
        let Some(Pending { mut text, start_ns, ip, nr }) = pending else {
            return self.without_entry(tid, at_ns, name, rest, sink);
        };
        if line::name(&text).is_none_or(|(begun, _)| begun != name) {
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
            flags: Flags(line.outcome.flags.0 | Flags::NO_ENTRY.0),
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
pub struct Sink<'a> {
    /// Takes them.
    pub function: &'a mut dyn FnMut(&Event<'_>),
    /// How many there were.
    pub events: u64,
}

impl Sink<'_> {
    /// Gives one on.
    pub fn push(&mut self, event: &Event<'_>) {
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

/// The part of a call that is there, where its return is on a later line or on none; and whether the news of a child has
/// broken the line; the next one may go on with it.
fn unfinished(body: &[u8]) -> Option<&[u8]> {
    const CHANGED: &[u8] = b" <pid changed to ";
    const NEWS: &[u8] = b"strace: Process ";
    let begin = body.strip_suffix(b" <unfinished ...>").or_else(|| body.strip_suffix(b" <detached ...>"));
    if let Some(begin) = begin {
        return Some(begin);
    }
    // A thread that is not the first executes a program, and goes on by the first one's number.
    if body.ends_with(b" ...>")
        && let Some(at) = body.windows(CHANGED.len()).rposition(|words| words == CHANGED)
    {
        return Some(&body[..at]);
    }
    // On a terminal the news of a child breaks into a line, and `<unfinished ...>` gets one by itself.
    body.strip_suffix(b" attached").or_else(|| body.strip_suffix(b" detached"))?;
    let at = body.windows(NEWS.len()).rposition(|words| words == NEWS)?;
    Some(without_directory(&body[..at])).filter(|begin| !begin.is_empty())
}

/// What a call that waits for its return is counted with against [`MOST_PENDING`]: its text, and the thread that is kept for it.
fn weight(text: &[u8]) -> usize {
    text.len() + size_of::<Task>()
}

/// What lines begin with that are no rest of another one.
const OTHERS: [&[u8]; 4] = [b"+++ ", b"--- ", b"<... ", b"strace: "];

/// Whether a line is of what was read or written (`-e read=`): a part of it, or which of several buffers comes.
fn is_content(line: &[u8]) -> bool {
    line.starts_with(b" | ")
        || line
            .strip_prefix(b" * ")
            .is_some_and(|rest| rest.windows(17).any(|words| words == b" bytes in buffer "))
}

/// Whether a line has the titles of a summary's columns (`-U`), the name of the call among them.
fn is_head_of_summary(line: &[u8]) -> bool {
    // Most lines end in another way.
    let may_be = line.last().is_some_and(|byte| b"ledst".contains(byte));
    may_be && line.split(|&byte| byte == b' ').any(|word| word == b"syscall") && has_titles_only(line)
}

/// Whether a line has titles of such columns, and nothing else.
pub fn has_titles_only(line: &[u8]) -> bool {
    const TITLES: [&[u8]; 9] =
        [b"%", b"time", b"seconds", b"shortest", b"longest", b"usecs/call", b"calls", b"errors", b"syscall"];
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| TITLES.contains(&word))
}

/// Whether a line of a summary is the last one.
fn is_total(line: &[u8]) -> bool {
    line.split(|&byte| byte == b' ').any(|word| word == b"total")
}

/// strace tells its news by the name it was called by, which may have a directory: `SIGCHLD/usr/bin/`.
fn without_directory(text: &[u8]) -> &[u8] {
    if !text.ends_with(b"/") {
        return text;
    }
    let is_in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(byte);
    let path = text.iter().rposition(|byte| !is_in_path(byte)).map_or(0, |at| at + 1);
    let root = text[path..].iter().position(|&byte| byte == b'/').map_or(text.len(), |at| path + at);
    &text[..root]
}

/// The line of another thread behind `???(`: where lines wait for a call's outcome (`-z`), nothing ends the one of a call
/// whose thread was killed before strace could ask which it is.
fn behind_unknown(body: &[u8]) -> Option<(Prefix<'_>, &[u8])> {
    let behind = prefix::take(body.strip_prefix(b"???(")?);
    behind.0.tid.is_some().then_some(behind)
}

/// Lines of strace's own, on a terminal between the others.
fn is_note(body: &[u8]) -> bool {
    let first = body.split(|&byte| byte == b' ').next().unwrap_or_default();
    matches!(body.trim_ascii(), b"<unfinished ...>" | b"<detached ...>")
        || first == b"strace:"
        || first.ends_with(b"/strace:")
        || body.starts_with(b"Process ")
        || body.starts_with(b"[ Process PID=")
        // A call whose thread was killed before strace could ask which it is.
        || body.starts_with(b"???")
        || body.starts_with(b"<... ???")
}
