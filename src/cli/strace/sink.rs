//! Events to lines, as the options choose them, to where they say.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::options::{Clock, Options};
use super::stacks::Stacks;
use super::summary::Summary;
use crate::capture::{Intervention, Sink, local_offset_s};
use crate::cli::text_output::{Mode, TextOutput};
use crate::event::{Event, Kind, mark};
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
    /// The last thread that was let go on untraced.
    let_go: Option<u32>,
    failed: Option<anyhow::Error>,
}

/// The stream of all threads, where there is one for all.
const ALL: u32 = 0;

impl StraceSink {
    /// For a recording that begins at this time.
    pub fn new(options: Options, realtime_ns: u64) -> anyhow::Result<Self> {
        let look = look(&options, realtime_ns);
        let mut sink = Self {
            options,
            look,
            streams: FxHashMap::default(),
            summary: Summary::default(),
            stacks: Stacks::default(),
            system: FxHashMap::default(),
            chosen: FxHashMap::default(),
            let_go: None,
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
        // Another name of strace's for a pipe.
        let name = match name.as_bytes().strip_prefix(b"!") {
            Some(command) => [OsStr::new("|"), OsStr::from_bytes(command)].into_iter().collect(),
            None => name,
        };
        TextOutput::open_for_all(&name, mode).map_err(|error| {
            match error.root_cause().downcast_ref::<io::Error>() {
                Some(why) => {
                    let why = nix::errno::Errno::from_raw(why.raw_os_error().unwrap_or(0)).desc();
                    anyhow::anyhow!("Can't fopen '{}': {why}", name.to_string_lossy())
                }
                None => error,
            }
        })
    }

    /// The command's first process is this one.
    pub fn started(&mut self, pid: i32) {
        self.joined(pid.cast_unsigned());
    }

    fn joined(&mut self, tid: u32) {
        if let Some(stream) = self.stream(tid) {
            stream.live.joined(tid);
        }
    }

    fn say_attached(&self, tid: u32) {
        if !self.options.quiet.attach() {
            super::tell(&format!("Process {tid} attached"));
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
        if event.ret.is_none() && self.let_go == Some(event.tid) {
            // Its line was ended.
            return;
        }
        if !self.is_shown(event) || !self.options.statuses.has(event) {
            return;
        }
        if self.options.summary && event.ret.is_some() {
            let in_kernel = self.system.get(&event.tid).map_or(0, |(at_entry, now)| now - at_entry);
            let system_ns = Some(in_kernel).filter(|_| !self.options.wall);
            self.summary.add(event, system_ns);
        }
        if self.options.lines {
            let stack = event.stack.map(|stack| self.stacks.text(stack)).unwrap_or_default();
            self.with(event, |live| {
                live.finished(event);
                live.below(stack.as_bytes());
            });
        }
    }

    fn ended(&mut self, event: &Event<'_>) {
        // Who was killed by a signal that is not to be shown is not told of either.
        let is_signal_shown = match event.ret {
            Some(status) if status < 0 => self.options.signals.has(status.unsigned_abs() as u32),
            _ => true,
        };
        let is_told = self.options.lines && !self.options.quiet.exit() && is_signal_shown;
        if event.ret.is_none() && event.args[1] != 0 {
            let is_told = self.options.lines && !self.options.quiet.thread_execve();
            return self.with(event, |live| live.superseded(event, is_told));
        }
        self.with(event, |live| live.ended(event, is_told));
        if self.options.separately
            && let Some(stream) = self.streams.remove(&event.tid)
            && let Some(error) = stream.output.finish()
        {
            self.failed.get_or_insert(error.into());
        }
    }

    /// The summary, and what went wrong.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let summary = self.options.summary.then(|| self.summary.text(&self.options.sort));
        for stream in self.streams.into_values() {
            let Stream { mut output, .. } = stream;
            if let Some(summary) = &summary {
                output.write(summary.as_bytes());
            }
            if let Some(error) = output.finish() {
                self.failed.get_or_insert(error.into());
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
                self.say_attached(child);
                self.joined(child);
                self.with(event, |live| live.forked(event));
            }
            Kind::Frame | Kind::Stack => self.stacks.add(event),
            Kind::Mark if event.text == Some(mark::ATTACHED.as_bytes()) && event.tid == event.pid => {
                self.joined(event.tid);
                self.with(event, |live| live.attached(event.tid));
                self.say_attached(event.tid);
            }
            Kind::Lost => super::tell("threads were lost: somebody else has waited for them"),
            _ => {}
        }
    }

    fn used(&mut self, tid: u32, system_ns: u64) {
        let (_, now) = self.system.entry(tid).or_default();
        *now = system_ns.max(*now);
    }

    fn entered(&mut self, event: &Event<'_>) -> Intervention {
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
        // Nothing is done to calls that are not traced.
        if self.options.filter.may_show_call(event.abi, event.nr) {
            self.options.injections.of(event)
        } else {
            Intervention::default()
        }
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
            (false, Some(_), false) if options.pids.len() > 1 => Who::Always,
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
