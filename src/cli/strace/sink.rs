//! Events to lines, as the options choose them, to where they say.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use nix::errno::Errno;
use rustc_hash::FxHashMap;

use super::options::{Clock, Options};
use super::stacks::Stacks;
use super::summary::Summary;
use crate::capture::{AttachError, Intervention, PokeError, Sink, local_offset_s};
use crate::cli::text_output::{Mode, TextOutput};
use crate::event::{Event, Kind, mark};
use crate::report::show::error_sentence;
use crate::report::show::live::{Live, Look, Time, Who};

/// One stream of lines and where it goes.
struct Stream {
    live: Live,
    output: TextOutput,
}

impl Stream {
    fn flush(&mut self) {
        let output = &mut self.output;
        self.live.take(|text| output.write(text));
    }
}

/// Prints what strace prints.
pub struct StraceSink {
    pub options: Options,
    look: Look,
    /// One for all, or (`-ff`) one for each thread.
    streams: FxHashMap<u32, Stream>,
    summary: Summary,
    stacks: Stacks,
    /// Time in the kernel of each thread's process, when its call began and now.
    system: FxHashMap<u32, (u64, u64)>,
    /// Where calls are chosen by path: whether the call that each thread is in was.
    chosen: FxHashMap<u32, bool>,
    /// Our name, which the command's first process has until it runs the command.
    own_name: Option<Vec<u8>>,
    /// How many processes or threads were there before.
    running: usize,
    /// The command's first process, if there is a command.
    leader: Option<u32>,
    /// What became of the execve that makes it the command.
    start: Start,
    /// The last thread that was let go on untraced.
    let_go: Option<u32>,
    /// With `-ff`, the last thread that has run another program, and whose lines its own are among since.
    renamed: Option<(u32, u32)>,
    failed: Option<anyhow::Error>,
}

/// How far the command's first process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It has not executed the command.
    Waits,
    /// That failed with this error.
    Failed(i64),
    /// It is the command, or was.
    Done,
}

/// The stream of all threads, where there is one for all.
const ALL: u32 = 0;

impl StraceSink {
    /// For a recording that begins at this time.
    pub fn new(options: Options, realtime_ns: u64) -> anyhow::Result<Self> {
        let is_pipe =
            options.output.as_ref().is_some_and(|name| matches!(name.as_bytes(), [b'|' | b'!', ..]));
        if is_pipe && options.separately {
            let help = super::try_help();
            anyhow::bail!("piping the output and -ff/--output-separately are mutually exclusive\n{help}");
        }
        let look = look(&options, realtime_ns);
        let summary = Summary::new(options.layout.clone());
        let mut sink = Self {
            options,
            look,
            streams: FxHashMap::default(),
            summary,
            stacks: Stacks::default(),
            system: FxHashMap::default(),
            chosen: FxHashMap::default(),
            own_name: None,
            running: 0,
            leader: None,
            start: Start::Waits,
            let_go: None,
            renamed: None,
            failed: None,
        };
        if !sink.options.separately {
            let output = sink.open(None)?;
            let live = sink.live();
            sink.streams.insert(ALL, Stream { live, output });
        }
        Ok(sink)
    }

    fn live(&self) -> Live {
        match &self.options.choices {
            Some(choices) => Live::new(self.look).with_choices(Rc::clone(choices)),
            None => Live::new(self.look),
        }
    }

    fn open(&self, tid: Option<u32>) -> anyhow::Result<TextOutput> {
        let Some(name) = &self.options.output else { return Ok(TextOutput::to(io::stderr())) };
        let mode = if self.options.append { Mode::Append } else { Mode::Replace };
        let name: OsString = match tid {
            Some(tid) => [name.as_os_str(), OsStr::new(&format!(".{tid}"))].into_iter().collect(),
            None => name.clone(),
        };
        let name = match name.as_bytes() {
            // Another name of strace's for a pipe.
            [b'!', command @ ..] => [OsStr::new("|"), OsStr::from_bytes(command)].into_iter().collect(),
            // No name for the standard output.
            b"-" => OsString::from("./-"),
            _ => name,
        };
        TextOutput::open_for_all(&name, mode).map_err(|error| {
            match error.root_cause().downcast_ref::<io::Error>() {
                Some(why) => {
                    let why = error_sentence(why.raw_os_error().unwrap_or(0));
                    anyhow::anyhow!("Can't fopen '{}': {why}", name.to_string_lossy())
                }
                None => error,
            }
        })
    }

    /// Fails where options exclude each other of which strace says so only now.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.options.quiet_twice {
            anyhow::bail!("-q and -e quiet/--quiet cannot be provided simultaneously");
        }
        Ok(())
    }

    /// The command's first process is this one. Fails where its lines have no place to go.
    pub fn started(&mut self, pid: i32) -> anyhow::Result<()> {
        self.joined(pid.cast_unsigned());
        self.leader = Some(pid.cast_unsigned());
        self.own_name = std::fs::read("/proc/self/comm").ok().map(|name| name.trim_ascii_end().to_vec());
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Whether it was said that the command cannot be executed.
    pub fn has_told_failure(&self) -> bool {
        matches!(self.start, Start::Failed(_))
    }

    fn joined(&mut self, tid: u32) {
        self.renamed = self.renamed.filter(|(former, _)| *former != tid);
        if let Some(stream) = self.stream(tid) {
            stream.live.joined(tid);
        }
    }

    fn say_attached(&self, tid: u32, threads: usize) {
        if self.options.quiet.attach() {
            return;
        }
        match threads {
            0 | 1 => super::tell(&format!("Process {tid} attached")),
            _ => super::tell(&format!("Process {tid} attached with {threads} threads")),
        }
    }

    fn stream(&mut self, tid: u32) -> Option<&mut Stream> {
        let key = if self.options.separately { tid } else { ALL };
        if !self.streams.contains_key(&key) {
            let output = match self.open(Some(tid)) {
                Ok(output) => output,
                Err(error) => {
                    self.failed.get_or_insert(error);
                    return None;
                }
            };
            let live = self.live();
            self.streams.insert(key, Stream { live, output });
        }
        self.streams.get_mut(&key)
    }

    fn with(&mut self, event: &Event<'_>, print: impl FnOnce(&mut Live)) {
        if let Some(stream) = self.stream(event.tid) {
            print(&mut stream.live);
            stream.flush();
        }
    }

    /// Whether a call that begins is shown.
    fn choose(&mut self, event: &Event<'_>) -> bool {
        let is_shown = self.options.filter.matches(event);
        if self.options.filter.has_paths() {
            self.chosen.insert(event.tid, is_shown);
        }
        is_shown
    }

    /// Whether a call that ends is: what it has opened is not what it was asked for.
    fn is_shown(&mut self, event: &Event<'_>) -> bool {
        self.chosen.remove(&event.tid).unwrap_or_else(|| self.options.filter.matches(event))
    }

    fn call(&mut self, event: &Event<'_>) {
        let own_name = self.own_name.take();
        let event = &Event { comm: own_name.as_deref().unwrap_or(event.comm), ..*event };
        if self.leader == Some(event.tid)
            && self.start == Start::Waits
            && let Some(error @ -4095..0) = event.ret
        {
            self.start = Start::Failed(error);
        }
        if event.ret.is_none() && self.let_go == Some(event.tid) {
            // Its line was ended, if it was begun.
            let statuses = self.options.statuses;
            if self.options.lines && !statuses.are_all() && statuses.has_detached() && self.is_shown(event) {
                self.with(event, |live| live.left(event));
            }
            return;
        }
        if !self.is_shown(event) {
            return;
        }
        if self.options.summary && event.ret.is_some() {
            let in_kernel = self.system.get(&event.tid).map_or(0, |(at_entry, now)| now - at_entry);
            let system_ns = Some(in_kernel).filter(|_| !self.options.wall);
            self.summary.add(event, system_ns);
        }
        let renamed = self.renamed.filter(|(former, _)| *former == event.tid);
        let event = &Event { tid: renamed.map_or(event.tid, |(_, tid)| tid), ..*event };
        if self.options.lines && self.options.statuses.has(event) {
            let stack = event.stack.map(|stack| self.stacks.text(stack)).unwrap_or_default();
            self.with(event, |live| {
                live.finished(event);
                live.below(stack.as_bytes());
            });
        }
    }

    fn ended(&mut self, event: &Event<'_>) {
        if let Start::Failed(error) = self.start
            && self.leader == Some(event.tid)
            && event.ret.is_some_and(|status| status >= 0)
        {
            super::tell(&format!("exec: {}", error_sentence(-error as i32)));
            // What it has ended by.
            let last = Event { nr: libc::SYS_exit_group as u32, ..*event };
            if let Some(stream) = self.stream(event.tid) {
                stream.live.saw(&last);
            }
        }
        // Who was killed by a signal that is not to be shown is not told of either; that is no exit to be quiet about.
        let is_shown = match event.ret {
            Some(status) if status < 0 => self.options.signals.has(status.unsigned_abs() as u32),
            _ => !self.options.quiet.exit(),
        };
        let is_told = self.options.lines && is_shown;
        if event.ret.is_none() && event.args[1] != 0 {
            let is_told = self.options.lines && !self.options.quiet.thread_execve();
            return self.superseded(event, is_told);
        }
        self.with(event, |live| live.ended(event, is_told));
        if self.options.separately {
            self.close(event.tid);
        }
    }

    /// A thread has run another program: it goes on as its process's first one, where that one's lines are.
    fn superseded(&mut self, event: &Event<'_>, is_told: bool) {
        let former = event.args[1] as u32;
        if !self.options.separately {
            return self.with(event, |live| live.superseded(event, is_told));
        }
        if let Some(stream) = self.stream(former) {
            let call = stream.live.leaves(former, event.tid);
            stream.flush();
            self.with(event, |live| live.takes(event, call, is_told));
        }
        self.close(former);
        self.renamed = Some((former, event.tid));
    }

    /// Ends the lines of one thread.
    fn close(&mut self, tid: u32) {
        if let Some(stream) = self.streams.remove(&tid)
            && let Some(error) = stream.output.end()
        {
            self.could_not_write(&error);
        }
    }

    fn could_not_write(&mut self, error: &io::Error) {
        let name = self.options.output.as_ref().map(|name| name.to_string_lossy()).unwrap_or_default();
        let why = error_sentence(error.raw_os_error().unwrap_or(0));
        self.failed.get_or_insert(anyhow::anyhow!("{name}: {why}"));
    }

    /// The summary, and what went wrong.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let summary = self.options.summary.then(|| self.summary.text());
        for stream in std::mem::take(&mut self.streams).into_values() {
            let Stream { mut output, .. } = stream;
            if let Some(summary) = &summary {
                output.write(summary.as_bytes());
            }
            // As under strace, nobody is told of a standard error that is gone.
            if let Some(error) = output.end().filter(|_| self.options.output.is_some()) {
                self.could_not_write(&error);
            }
        }
        // What strace says goes out before its status.
        let _ = io::stderr().flush();
        self.failed.map_or(Ok(()), Err)
    }
}

impl Sink for StraceSink {
    fn push(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Syscall => self.call(event),
            Kind::Signal if self.options.lines && self.options.signals.has(event.nr) => {
                self.with(event, |live| live.signal(event));
            }
            Kind::Exit => self.ended(event),
            Kind::Fork => {
                let child = event.ret.unwrap_or(0) as u32;
                self.say_attached(child, 1);
                self.joined(child);
                self.with(event, |live| live.forked(event));
            }
            Kind::Exec if self.leader == Some(event.tid) => self.start = Start::Done,
            Kind::Frame | Kind::Stack => self.stacks.add(event),
            Kind::Mark if event.text == Some(mark::ATTACHED.as_bytes()) => {
                self.joined(event.tid);
                self.with(event, |live| live.attached(event.tid));
            }
            Kind::Lost => super::tell("threads were lost: somebody else has waited for them"),
            _ => {}
        }
    }

    fn used(&mut self, tid: u32, system_ns: u64) {
        let (_, now) = self.system.entry(tid).or_default();
        *now = system_ns.max(*now);
    }

    fn intervention(&mut self, event: &Event<'_>) -> Intervention {
        // Nothing is done to calls that are not traced.
        if self.options.filter.may_show_call(event.abi, event.nr) {
            self.options.injections.of(event)
        } else {
            Intervention::default()
        }
    }

    fn not_poked(&mut self, tid: u32, error: PokeError) {
        super::tell(&match error {
            PokeError::Short { written, length, address } => {
                format!("upoken: pid:{tid} short write ({written} < {length}) @{address:#x}")
            }
            error => format!("poke_tcb: Failed to tamper with process {tid}: {error}"),
        });
    }

    fn entered(&mut self, event: &Event<'_>) {
        if let Some((at_entry, now)) = self.system.get_mut(&event.tid) {
            *at_entry = *now;
        }
        if let Some(stream) = self.stream(event.tid) {
            stream.live.saw(event);
        }
        let is_shown = self.choose(event);
        if self.options.lines && self.options.statuses.are_all() && is_shown {
            self.with(event, |live| live.entered(event));
        }
    }

    fn unknown(&mut self, pid: u32, has_ended: bool) {
        match has_ended {
            true if !self.options.quiet.exit() => super::tell(&format!("Exit of unknown pid {pid} ignored")),
            false if !self.options.quiet.attach() => super::tell(&format!("Detached unknown pid {pid}")),
            _ => {}
        }
    }

    fn attached(&mut self, pid: u32, threads: usize) {
        if self.leader != Some(pid) {
            self.running += 1;
        }
        let is_one_of_several = self.running > usize::from(self.leader.is_none());
        if is_one_of_several && self.options.output.is_some() && !self.options.separately {
            self.look.who = Who::Always;
            self.streams.values_mut().for_each(|stream| stream.live.tell_who());
        }
        self.say_attached(pid, threads);
    }

    fn not_attached(&mut self, error: &AttachError) {
        let (pid, why) = match error {
            AttachError::NoProcess(pid) => (pid, Errno::ESRCH),
            AttachError::Traced { pid, .. } | AttachError::NotPermitted { pid, .. } => (pid, Errno::EPERM),
            error => return super::tell(&error.to_string()),
        };
        super::tell(&format!("attach: ptrace(PTRACE_SEIZE, {pid}): {}", error_sentence(why as i32)));
    }

    fn lets_go(&mut self, tid: u32) {
        self.let_go = Some(tid);
        if !self.options.quiet.attach() {
            super::tell(&format!("Process {tid} detached"));
        }
        if let Some(stream) = self.stream(tid) {
            stream.live.detached(tid);
            stream.flush();
        }
    }

    fn stopped(&mut self, event: &Event<'_>) {
        if self.options.lines && self.options.signals.has(event.nr) {
            self.with(event, |live| live.stopped(event));
        }
    }
}

fn look(options: &Options, realtime_ns: u64) -> Look {
    let origin_ns = realtime_ns;
    Look {
        who: match (options.follow, &options.output, options.separately) {
            (_, _, true) => Who::Hidden,
            (true, Some(_), false) => Who::Always,
            _ => Who::Several,
        },
        time: match options.clock {
            Clock::None => Time::Hidden,
            Clock::Day { decimals } => Time::Day { origin_ns, offset_s: local_offset_s(), decimals },
            Clock::Epoch { decimals } => Time::Epoch { origin_ns, decimals },
        },
        relative: options.relative,
        number: options.number,
        pointer: options.pointer,
        modes: !options.quiet.personality(),
        duration: options.duration,
        column: options.column,
        style: options.style,
    }
}
