//! Reading strace's own text as if it were a log of ours.
//!
//! ```text
//!   lines ─> prefix ─> line ─> call ─> events ─> Event
//!    one file or         │       │       └ tasks: where threads are, what their descriptors stand for
//!    those of -ff        │       └ facts, value: structures, flags
//!                        └ text: strings, lists, numbers
//! ```
//!
//! What is taken: `strace -f` or without, to a file or a terminal, with any of `-t -tt -ttt -r -T -y -yy -k -i -n
//! -Y -v -Z -C -X raw|abbrev|verbose -e read= -e write=`, calls on one line or on two. A line that cannot be read becomes a
//! [`Kind::Lost`] event with its number. What the text does not say (addresses of buffers, times where none were
//! asked for) is left out, never made up: see [`UNKNOWN_ADDRESS`](crate::event::UNKNOWN_ADDRESS). The text is
//! hostile input like any log. A line is read once, and costs no allocation unless a call is interrupted or opens
//! a file whose name later lines leave out.

mod beginning;
mod call;
mod clock;
mod events;
mod facts;
mod line;
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
use crate::event::{Event, Kind};
use beginning::Beginning;
pub use beginning::{RELATIVE, TIME_OF_DAY};
use clock::Clock;
use events::Sink;
use line::Names;
pub use lines::tid_of_file;
use lines::{Input, Lines};
use prefix::Stamp;
use tasks::{Open, Tasks};

/// What a header has as backend.
pub const BACKEND: &str = "strace";

/// Unreadable lines that are kept to be shown.
const MOST_SHOWN: usize = 5;
/// How much is kept of each.
const SHOWN_LEN: usize = 120;
/// Bytes of lines that wait for their calls to return, and of their threads.
const MOST_PENDING: usize = 64 << 20;

/// What was in a text besides calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// All lines.
    pub lines: u64,
    /// Lines of stacks (`-k`), which are not used.
    pub stack_lines: u64,
    /// Lines of strace's own, which tell nothing of calls (`Process 123 attached`).
    pub notes: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Of these, lines that are longer than a line may be.
    pub too_long: u64,
    /// The first of them: number and beginning.
    pub shown: Vec<(u64, Vec<u8>)>,
    /// Lines that name no thread go on after such a line has told of its thread's end, as in files of `-ff` that were put
    /// together into one: whose they are is not known.
    pub joined: bool,
    /// There are lines of the form in which `trace show` tells what strace has no line for (`*** new process 123 ***`).
    pub ours: bool,
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Call,
    /// A call that goes on behind what the command has written.
    Open,
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
    /// The thread of lines that name none has ended.
    unnamed_ended: bool,
    /// The thread whose line was left unfinished just before.
    broken: Option<u32>,
    /// A call whose end is to come, and the line that it is on.
    open: Option<Open>,
    /// Lines are of the table of `-C`.
    in_summary: bool,
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
        if beginning.calls == 0 && beginning.is_summary {
            return Err(Error::NotALog("it is a summary of strace -c, which has no calls: leave -c out"));
        }
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
                let earliest = beginning.earliest;
                let first: &mut Beginning = first.get_or_insert(beginning);
                // Where ids begin anew, the file of a child comes first.
                first.earliest = first.earliest.min(earliest);
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
            clock: Clock::beginning_at(beginning.earliest),
            lineage: Lineage::default(),
            arena: Vec::new(),
            pending_len: 0,
            unnamed_ended: false,
            broken: None,
            open: None,
            in_summary: false,
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
        self.never_closed(&mut sink);
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
        let mut cut = None;
        loop {
            let next = self.lines.advance();
            let failed = |source| Error::Read { offset: self.lines.offset(), source };
            let Some(at) = next.map_err(failed)? else { return Ok(cut) };
            let input = self.lines.input(at);
            let (line, tid, number) = (std::mem::take(&mut input.line), input.tid, input.number);
            let (too_long, is_whole) = (input.too_long, input.is_whole);
            self.lineage.lines += 1;
            self.lineage.too_long += u64::from(too_long);
            let seen = if too_long { Seen::Unreadable } else { self.line(&line, tid, is_whole, sink) };
            if matches!(seen, Seen::Call) {
                // The command's output is what cannot be read.
                self.never_closed(sink);
            }
            match seen {
                Seen::Call if !is_whole && may_go_on(&line) => cut = cut.or(Some(0)),
                Seen::Call | Seen::Open => {}
                Seen::Stack => self.lineage.stack_lines += 1,
                Seen::Note => self.lineage.notes += 1,
                Seen::Unreadable if !is_whole => cut = Some(cut.unwrap_or(0) + line.len() as u64),
                Seen::Unreadable => self.unreadable(number, &line, sink),
            }
            self.lines.input(at).line = line;
        }
    }
}

/// Whether a line without a newline may be cut, in a number or a name: brackets, `+++` and `---` end what they are of.
fn may_go_on(line: &[u8]) -> bool {
    line.last().is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'?')
}

/// The beginning of an input.
fn read_beginning(input: &mut dyn Read, names: &Names) -> Result<Beginning, Error> {
    Beginning::read(input, names).map_err(|source| Error::Read { offset: 0, source })
}
