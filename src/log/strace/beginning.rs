//! The beginning of a log, looked at before it is read: is it strace's, and what does it tell of the run?

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::call::Call;
use super::clock::DAY_NS;
use super::events::has_titles_only;
use super::line::{self, Line, Names};
use super::prefix::{self, Stamp};
use super::tasks::Tasks;
use crate::event::{Abi, escape};
use crate::log::{Clock, Environment, FORMAT_VERSION, Header, Host};
use crate::syscall::effect::Effect;
use crate::syscall::plan;

/// The clock of a header where lines have the time of the day, and where they have that since the one before.
pub const TIME_OF_DAY: &str = "time of day";
/// See [`TIME_OF_DAY`].
pub const RELATIVE: &str = "relative";

/// How much is looked at.
const LENGTH: u64 = 64 << 10;

/// What the first lines say.
#[derive(Debug, Default)]
pub struct Beginning {
    /// The bytes, which are still to be read.
    pub bytes: Vec<u8>,
    /// Lines that are calls, signals or ends.
    pub calls: usize,
    /// The first time.
    pub time: Option<Stamp>,
    /// The earliest of them, as the clock has it: in a text of ours a later line may tell of an earlier call.
    pub earliest: Option<u64>,
    moments: super::Clock,
    /// Calls have durations (`-T`).
    has_durations: bool,
    /// The thread whose lines name none.
    pub only: Option<u32>,
    cwd: Option<Vec<u8>>,
    command: Vec<String>,
    /// It is a table of `strace -c`.
    pub is_summary: bool,
}

impl Beginning {
    /// Reads the beginning of an input.
    pub fn read(input: &mut (impl Read + ?Sized), names: &Names) -> io::Result<Self> {
        let mut beginning = Self::default();
        let length = input.take(LENGTH).read_to_end(&mut beginning.bytes)?;
        let bytes = std::mem::take(&mut beginning.bytes);
        let is_all = length < LENGTH as usize;
        let whole = if is_all { length } else { bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0) };
        for line in bytes[..whole].split(|&byte| byte == b'\n') {
            beginning.line(line, names);
        }
        let mut lines = bytes[..whole].split(|&byte| byte == b'\n');
        let is_rule = |line: &[u8]| !line.is_empty() && line.iter().all(|byte| b"- ".contains(byte));
        beginning.is_summary = lines.next().is_some_and(has_titles_only) && lines.next().is_some_and(is_rule);
        if whole == 0 {
            beginning.long_line(&bytes, names);
        }
        beginning.bytes = bytes;
        Ok(beginning)
    }

    fn line(&mut self, line: &[u8], names: &Names) {
        let (prefix, body) = prefix::take(line);
        let joined;
        let body = match body.strip_suffix(b" <unfinished ...>") {
            Some(begin) => {
                joined = [begin, b") = ?"].concat();
                &joined
            }
            None => body,
        };
        let line = Line::of(body, prefix.nr, Abi::X86_64, names);
        if line.is_some() || is_event(body) {
            self.calls += 1;
            self.time = self.time.or(prefix.time);
            let moment = prefix.time.and_then(|stamp| self.moments.moment(stamp).ok());
            self.earliest = self.earliest.into_iter().chain(moment).min();
        }
        let Some(line) = line else { return };
        self.has_durations |= line.outcome.duration_ns.is_some();
        if prefix.tid.is_none() && self.only.is_none() && body.starts_with(b"set_tid_address(") {
            self.only = line.outcome.ret.and_then(|tid| u32::try_from(tid).ok());
        }
        let is_exec = plan::of(line.abi, line.nr).effect == Effect::Exec;
        if self.command.is_empty() && is_exec || self.cwd.is_none() && body.starts_with(b"getcwd(") {
            self.details(&line);
        }
        if self.cwd.is_none() {
            self.cwd = line.cwd().map(std::borrow::Cow::into_owned);
        }
    }

    /// A line of which no end is in sight, as of a program with many arguments (`-s`): what it begins with has to do.
    fn long_line(&mut self, begin: &[u8], names: &Names) {
        let (prefix, body) = prefix::take(begin);
        if line::name(body).is_some_and(|(name, _)| names.call(Abi::X86_64, name).is_some()) {
            self.calls += 1;
            self.time = prefix.time;
        }
    }

    fn details(&mut self, line: &Line<'_>) {
        let mut arena = Vec::new();
        let call = Call::of(line, Tasks::new(None, 0).get(0), &mut arena);
        let event = call.event(&arena);
        if let Some(argv) = event.argv {
            let words = argv.strip_suffix(b"\0").unwrap_or(argv).split(|&byte| byte == 0);
            self.command = words.map(escape::text).collect();
        } else if call.succeeded() {
            self.cwd = event.text.filter(|cwd| cwd.starts_with(b"/")).map(<[u8]>::to_vec);
        }
    }

    /// The directory the command was started in: as the caller knows, or as the log says.
    pub fn cwd(&self, known: Option<&[u8]>) -> Option<Vec<u8>> {
        known.map(<[u8]>::to_vec).or_else(|| self.cwd.clone())
    }

    /// What a log of ours would say of itself.
    pub fn header(&self, cwd: Option<&[u8]>) -> Header {
        let (name, realtime_ns) = match self.time {
            None => ("", 0),
            Some(Stamp::Since(_)) => (RELATIVE, 0),
            Some(Stamp::Day(ns)) => (TIME_OF_DAY, self.earliest.unwrap_or(ns) % DAY_NS),
            Some(Stamp::Epoch(ns)) => ("realtime", self.earliest.unwrap_or(ns)),
        };
        let said = |known: bool| if known { "yes" } else { "no" }.to_owned();
        Header {
            format: FORMAT_VERSION,
            writer: "strace".to_owned(),
            command: self.command.clone(),
            cwd: cwd.map_or_else(String::new, |cwd| String::from_utf8_lossy(cwd).into_owned()),
            environment: Environment::default(),
            host: Host::default(),
            backend: super::BACKEND.to_owned(),
            clock: Clock { name: name.to_owned(), origin_ns: 0, realtime_ns },
            calibration: None,
            untraced: None,
            options: BTreeMap::from([
                ("times".to_owned(), said(self.time.is_some())),
                ("durations".to_owned(), said(self.has_durations)),
            ]),
            repeats: None,
            replayed: None,
        }
    }
}

/// Whether a line tells of a signal or an end, which is all there is where no call was chosen (`-e trace=none`).
fn is_event(body: &[u8]) -> bool {
    let is_end = body.starts_with(b"+++ exited with ") || body.starts_with(b"+++ killed by SIG");
    is_end && body.ends_with(b" +++") || body.starts_with(b"--- SIG") && body.ends_with(b" ---")
}
