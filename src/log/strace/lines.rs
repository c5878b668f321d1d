//! The lines of one file, or of the files that `strace -ff` writes, one a thread, put back into one order.
//!
//! With times the lines of several files are merged by them. Without, a child's lines follow the call that made it:
//! an order that could have been, which is all there is to know.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::prefix::{self, Stamp};

/// Longer lines are left out: `-s` may be large, and each byte of a string takes up to four, but a file may also have no
/// newline at all.
pub const MAX_LINE_LEN: usize = 64 << 20;
/// What the present lines of several files may take together.
const MAX_LINES_LEN: usize = 256 << 20;
/// How much is kept of a line that is too long.
const KEPT_LEN: usize = 4096;
/// Room for a line that is not given back.
const USUAL_LEN: usize = 1 << 20;

/// A file being read.
pub struct Input {
    read: BufReader<Box<dyn Read + Send>>,
    /// The present line without its newline.
    pub line: Vec<u8>,
    /// Its number, from 1.
    pub number: u64,
    /// Whether it is longer than it may be, and only its beginning is here.
    pub too_long: bool,
    /// How long a line may be.
    max_len: usize,
    /// Whether it has a newline: the last one of a log that was cut short has none.
    pub is_whole: bool,
    /// Whose file it is (`-ff`).
    pub tid: Option<u32>,
    /// Its end was reached.
    is_read: bool,
    /// Bytes read.
    pub offset: u64,
}

impl Input {
    pub fn new(read: Box<dyn Read + Send>, tid: Option<u32>) -> Self {
        let read = BufReader::with_capacity(256 << 10, read);
        Self {
            read,
            line: Vec::new(),
            number: 0,
            too_long: false,
            max_len: MAX_LINE_LEN,
            is_whole: false,
            tid,
            is_read: false,
            offset: 0,
        }
    }

    /// Goes to the next line; `false`: there is none.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.line.shrink_to(USUAL_LEN);
        let read = (&mut self.read).take(self.max_len as u64).read_until(b'\n', &mut self.line)?;
        self.offset += read as u64;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        self.is_whole = self.line.last() == Some(&b'\n');
        self.too_long = !self.is_whole && read == self.max_len;
        if self.too_long {
            self.line.truncate(KEPT_LEN);
            self.is_whole = self.skip_line()?;
        } else if self.is_whole {
            self.line.pop();
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(true)
    }

    /// Skips up to and with the next newline; `false`: there is none.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let buffer = self.read.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let newline = buffer.iter().position(|&byte| byte == b'\n');
            let skipped = newline.map_or(buffer.len(), |at| at + 1);
            self.read.consume(skipped);
            self.offset += skipped as u64;
            if newline.is_some() {
                return Ok(true);
            }
        }
    }
}

/// Which line comes next.
enum Order {
    /// There is one file.
    One,
    /// That with the smallest time: files whose present line is not yet given out.
    Times(BinaryHeap<Reverse<(u64, usize)>>, Option<usize>),
    /// That of the youngest thread: files being read, the present one last.
    Nested(Vec<usize>),
}

/// Lines of all inputs in one order.
pub struct Lines {
    inputs: Vec<Input>,
    order: Order,
}

impl Lines {
    pub fn one(input: Input) -> Self {
        Self { inputs: vec![input], order: Order::One }
    }

    /// Lines of several files, of which the first is read first.
    pub fn many(mut inputs: Vec<Input>, have_times: bool) -> io::Result<Self> {
        let max_len = (MAX_LINES_LEN / inputs.len().max(1)).clamp(USUAL_LEN, MAX_LINE_LEN);
        for input in &mut inputs {
            input.max_len = max_len;
        }
        let order = if have_times {
            let mut heap = BinaryHeap::new();
            for (at, input) in inputs.iter_mut().enumerate() {
                if input.advance()? {
                    heap.push(Reverse((time(input), at)));
                }
            }
            Order::Times(heap, None)
        } else {
            Order::Nested(vec![0])
        };
        Ok(Self { inputs, order })
    }

    /// Goes to the next line of any input.
    pub fn advance(&mut self) -> io::Result<Option<usize>> {
        match &mut self.order {
            Order::One => Ok(self.inputs[0].advance()?.then_some(0)),
            Order::Times(heap, present) => {
                if let Some(at) = present.take()
                    && self.inputs[at].advance()?
                {
                    heap.push(Reverse((time(&self.inputs[at]), at)));
                }
                *present = heap.pop().map(|Reverse((_, at))| at);
                Ok(*present)
            }
            Order::Nested(stack) => loop {
                while let Some(&at) = stack.last() {
                    if self.inputs[at].advance()? {
                        return Ok(Some(at));
                    }
                    self.inputs[at].is_read = true;
                    stack.pop();
                }
                // Threads whose maker's file does not tell of them.
                let unread = |input: &Input| input.number == 0 && !input.is_read;
                let Some(at) = self.inputs.iter().position(unread) else { return Ok(None) };
                stack.push(at);
            },
        }
    }

    /// A child was made: its lines come next, where nothing else tells.
    pub fn follow(&mut self, tid: u32) {
        if let Order::Nested(stack) = &mut self.order
            && let Some(at) = self.inputs.iter().position(|input| input.tid == Some(tid) && input.number == 0)
        {
            stack.push(at);
        }
    }

    /// An input.
    pub fn input(&mut self, at: usize) -> &mut Input {
        &mut self.inputs[at]
    }

    /// Bytes read of all of them.
    pub fn offset(&self) -> u64 {
        self.inputs.iter().map(|input| input.offset).sum()
    }
}

/// The time on an input's line; lines without (stacks) belong to the one before.
fn time(input: &Input) -> u64 {
    match prefix::take(&input.line).0.time {
        Some(Stamp::Day(ns) | Stamp::Epoch(ns)) => ns,
        _ => 0,
    }
}

/// Most files of `-ff` that are read together.
const MOST_FILES: usize = 4096;

/// The files that `strace -ff -o NAME` wrote, with their threads, in the order of thread ids.
pub fn files_of(name: &Path) -> Vec<(u32, PathBuf)> {
    let directory = match name.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Some(stem) = name.file_name().map(|name| [name.as_encoded_bytes(), b"."].concat()) else {
        return Vec::new();
    };
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let tid = entry.file_name().as_encoded_bytes().strip_prefix(stem.as_slice()).and_then(tid_of)?;
            Some((tid, entry.path()))
        })
        .take(MOST_FILES)
        .collect();
    files.sort_unstable();
    files
}

/// The thread whose file ends in `.123`.
#[must_use]
pub fn tid_of_file(name: &Path) -> Option<u32> {
    tid_of(name.extension()?.as_encoded_bytes())
}

fn tid_of(digits: &[u8]) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// Opens a file.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(File::open(path)?))
}
