//! The batch being filled: events taken apart into columns.
//!
//! [`Rows::push`] is on the tracer's hot path: it appends to vectors that keep their memory from
//! batch to batch and looks texts up in [`Interner`]s. What becomes of the columns is
//! [`super::encode`]'s part.

use std::fmt::Write as _;

use super::intern::Interner;
use super::schema::{PATH_ABSENT, PATH2_ABSENT};
use super::{MAX_ARGV_LEN, MAX_TEXT_LEN, escape};
use crate::event::{Event, FileStat, Flags, Kind};
use crate::syscall;

/// A batch is full at this many events. Larger batches compress a little better (3 % from 16 Ki to
/// 64 Ki on the log of a `pip install`) and cost memory.
pub(super) const MAX_ROWS: usize = 32 * 1024;

/// A batch is full, too, when its texts take this many bytes.
const FULL_TEXT: usize = 8 << 20;

/// A text column: a number into the dictionary per row, -1 for null.
#[derive(Debug)]
pub(super) struct TextColumn {
    pub(super) keys: Vec<i32>,
    pub(super) dictionary: Interner,
}

impl TextColumn {
    fn new(seed: u64) -> Self {
        Self { keys: Vec::with_capacity(MAX_ROWS), dictionary: Interner::new(seed) }
    }

    fn push(&mut self, text: Option<&[u8]>) {
        let key = text.map_or(-1, |text| self.dictionary.intern(text));
        self.keys.push(key);
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.dictionary.clear();
    }
}

/// A column of numbers, some of them null.
#[derive(Debug)]
pub(super) struct NullableColumn<T> {
    /// 0 where null.
    pub(super) values: Vec<T>,
    pub(super) valid: Vec<bool>,
}

impl<T: Default> NullableColumn<T> {
    fn new() -> Self {
        Self { values: Vec::with_capacity(MAX_ROWS), valid: Vec::with_capacity(MAX_ROWS) }
    }

    fn push(&mut self, value: Option<T>) {
        self.valid.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    fn clear(&mut self) {
        self.values.clear();
        self.valid.clear();
    }
}

/// The `argv` column: a list of texts per row.
#[derive(Debug)]
pub(super) struct ListColumn {
    pub(super) valid: Vec<bool>,
    /// Where each row's texts begin in `item_ends`, and the end of the last row's.
    pub(super) offsets: Vec<i32>,
    /// Where each text begins in `text`, and the end of the last one.
    pub(super) item_offsets: Vec<i32>,
    pub(super) text: String,
}

impl ListColumn {
    fn new() -> Self {
        Self {
            valid: Vec::with_capacity(MAX_ROWS),
            offsets: vec![0],
            item_offsets: vec![0],
            text: String::new(),
        }
    }

    /// Appends an argument list, each argument ended by NUL.
    fn push(&mut self, list: Option<&[u8]>) {
        self.valid.push(list.is_some());
        if let Some((&last, rest)) = list.and_then(<[u8]>::split_last) {
            let (whole, cut) = if last == 0 { (rest, false) } else { (list.unwrap_or_default(), true) };
            for item in whole.split(|&byte| byte == 0) {
                escape::escape(item, &mut self.text);
                self.item_offsets.push(self.text.len() as i32);
            }
            if cut && let Some(end) = self.item_offsets.last_mut() {
                self.text.push(escape::UNTERMINATED);
                *end = self.text.len() as i32;
            }
        }
        self.offsets.push(self.item_offsets.len() as i32 - 1);
    }

    fn clear(&mut self) {
        self.valid.clear();
        self.offsets.truncate(1);
        self.item_offsets.truncate(1);
        self.text.clear();
    }
}

/// What the totals at the end of the log are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Rows that are no totals.
    pub(super) events: u64,
    /// Sum of the losses of known size.
    pub(super) lost: u64,
    /// Whether there is a loss of unknown size.
    pub(super) lost_unknown: bool,
}

impl Counts {
    fn add_event(&mut self, event: &Event<'_>) {
        self.events += u64::from(event.kind != Kind::Total);
        if event.kind == Kind::Lost {
            match event.ret.and_then(|lost| u64::try_from(lost).ok()) {
                Some(lost) => self.lost = self.lost.saturating_add(lost),
                None => self.lost_unknown = true,
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.lost = self.lost.saturating_add(other.lost);
        self.lost_unknown |= other.lost_unknown;
    }

    /// The loss as it stands in a total: -1 if some of it is unknown.
    pub(super) fn lost_total(self) -> i64 {
        if self.lost_unknown { -1 } else { i64::try_from(self.lost).unwrap_or(i64::MAX) }
    }
}

/// See the module. The fields are the columns of [`super::schema::Column`].
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) counts: Counts,
    pub(super) kind: Vec<i8>,
    pub(super) pid: Vec<u32>,
    pub(super) tid: Vec<u32>,
    pub(super) comm: TextColumn,
    pub(super) start: Vec<u64>,
    pub(super) duration: NullableColumn<u64>,
    pub(super) syscall: TextColumn,
    /// -1 for null.
    pub(super) family: Vec<i8>,
    pub(super) abi: Vec<i8>,
    pub(super) nr: Vec<u32>,
    pub(super) args: [Vec<u64>; 6],
    pub(super) ret: NullableColumn<i64>,
    pub(super) errno: TextColumn,
    pub(super) ip: Vec<u64>,
    /// `path`, `path_abs`, `path2`, `path2_abs`, `file`, `file2`, `text`, `peer`.
    pub(super) texts: [TextColumn; 8],
    pub(super) argv: ListColumn,
    /// Of all stat columns.
    pub(super) stat_valid: Vec<bool>,
    pub(super) mode: Vec<u32>,
    pub(super) nlink: Vec<u32>,
    pub(super) size: Vec<i64>,
    pub(super) mtime: Vec<i64>,
    pub(super) ino: Vec<u64>,
    pub(super) dev: Vec<u64>,
    pub(super) flags: Vec<u32>,
    /// Reused to make up names.
    name: String,
}

fn vector<T>() -> Vec<T> {
    Vec::with_capacity(MAX_ROWS)
}

impl Rows {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            counts: Counts::default(),
            kind: vector(),
            pid: vector(),
            tid: vector(),
            comm: TextColumn::new(seed),
            start: vector(),
            duration: NullableColumn::new(),
            syscall: TextColumn::new(seed),
            family: vector(),
            abi: vector(),
            nr: vector(),
            args: std::array::from_fn(|_| vector()),
            ret: NullableColumn::new(),
            errno: TextColumn::new(seed),
            ip: vector(),
            texts: std::array::from_fn(|_| TextColumn::new(seed)),
            argv: ListColumn::new(),
            stat_valid: vector(),
            mode: vector(),
            nlink: vector(),
            size: vector(),
            mtime: vector(),
            ino: vector(),
            dev: vector(),
            flags: vector(),
            name: String::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.kind.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= MAX_ROWS || self.text_len() >= FULL_TEXT
    }

    fn text_len(&self) -> usize {
        let texts: usize = self.texts.iter().map(|column| column.dictionary.text_len()).sum();
        let lists = self.argv.text.len() + size_of_val(&self.argv.item_offsets[..]);
        texts + lists + self.comm.dictionary.text_len()
    }

    /// Appends an event.
    pub(super) fn push(&mut self, event: &Event<'_>) {
        self.counts.add_event(event);
        self.kind.push(event.kind as i8);
        self.pid.push(event.pid);
        self.tid.push(event.tid);
        self.start.push(event.start_ns);
        // Wrapping, so that any pair of times survives, even an end before its start.
        self.duration.push(event.end_ns.map(|end| end.wrapping_sub(event.start_ns)));
        self.abi.push(event.abi as i8);
        self.nr.push(event.nr);
        for (column, &arg) in self.args.iter_mut().zip(&event.args) {
            column.push(arg);
        }
        self.ret.push(event.ret);
        self.ip.push(event.ip);
        self.push_names(event);
        self.push_texts(event);
        self.push_stat(event.stat);
    }

    /// The columns that repeat in words what `nr`, `abi` and `ret` say.
    fn push_names(&mut self, event: &Event<'_>) {
        if event.kind != Kind::Syscall {
            self.syscall.push(None);
            self.family.push(-1);
            self.errno.push(None);
            return;
        }
        if let Some(spec) = syscall::lookup(event.abi, event.nr) {
            self.syscall.push(Some(spec.name.as_bytes()));
            self.family.push(spec.family as i8);
        } else {
            self.name.clear();
            // Writing to a string cannot fail.
            let _ = write!(self.name, "syscall_{:#x}", event.nr);
            self.syscall.push(Some(self.name.as_bytes()));
            self.family.push(-1);
        }
        let errno = event.errno();
        match errno.and_then(|errno| syscalls::Errno::new(errno).name()) {
            Some(name) => self.errno.push(Some(name.as_bytes())),
            None if errno.is_some() => {
                self.name.clear();
                let _ = write!(self.name, "errno_{}", errno.unwrap_or_default());
                self.errno.push(Some(self.name.as_bytes()));
            }
            None => self.errno.push(None),
        }
    }

    fn push_texts(&mut self, event: &Event<'_>) {
        let mut flags = event.flags;
        let mut bounded = |text| bound(text, MAX_TEXT_LEN, &mut flags);
        let path_abs = bounded(event.path_abs);
        let path2_abs = bounded(event.path2_abs);
        let (path, path_absent) = unless_same(bounded(event.path), path_abs);
        let (path2, path2_absent) = unless_same(bounded(event.path2), path2_abs);
        let texts = [
            path,
            path_abs,
            path2,
            path2_abs,
            bounded(event.file),
            bounded(event.file2),
            bounded(event.text),
            bounded(event.peer),
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text);
        }
        self.comm.push(bounded(Some(event.comm)));
        self.argv.push(bound(event.argv, MAX_ARGV_LEN, &mut flags));
        let absent = if path_absent { PATH_ABSENT } else { 0 } | if path2_absent { PATH2_ABSENT } else { 0 };
        self.flags.push(u32::from(flags.0) | absent);
    }

    fn push_stat(&mut self, stat: Option<FileStat>) {
        self.stat_valid.push(stat.is_some());
        let stat = stat.unwrap_or_default();
        self.mode.push(stat.mode);
        self.nlink.push(stat.nlink);
        self.size.push(stat.size);
        self.mtime.push(stat.mtime_ns);
        self.ino.push(stat.ino);
        self.dev.push(stat.dev);
    }

    /// Forgets all events, keeps the memory.
    pub(super) fn clear(&mut self) {
        let Self {
            counts,
            kind,
            pid,
            tid,
            comm,
            start,
            duration,
            syscall,
            family,
            abi,
            nr,
            args,
            ret,
            errno,
            ip,
            texts,
            argv,
            stat_valid,
            mode,
            nlink,
            size,
            mtime,
            ino,
            dev,
            flags,
            name: _,
        } = self;
        *counts = Counts::default();
        [kind, family, abi].into_iter().for_each(Vec::clear);
        [pid, tid, nr, mode, nlink, flags].into_iter().for_each(Vec::clear);
        [start, ip, ino, dev].into_iter().chain(args).for_each(Vec::clear);
        [size, mtime].into_iter().for_each(Vec::clear);
        [comm, syscall, errno].into_iter().chain(texts).for_each(TextColumn::clear);
        duration.clear();
        ret.clear();
        argv.clear();
        stat_valid.clear();
    }
}

/// Cuts a text that no kernel can have given us, so that one event cannot outgrow a batch.
fn bound<'a>(text: Option<&'a [u8]>, max_len: usize, flags: &mut Flags) -> Option<&'a [u8]> {
    match text {
        Some(long) if long.len() > max_len => {
            flags.set(Flags::TRUNCATED);
            Some(&long[..max_len])
        }
        other => other,
    }
}

/// What to store of a path as passed: nothing where it equals the absolute one. The second value
/// says that there is no path at all beside an absolute one.
fn unless_same<'a>(path: Option<&'a [u8]>, path_abs: Option<&[u8]>) -> (Option<&'a [u8]>, bool) {
    match path {
        Some(_) if path == path_abs => (None, false),
        None => (None, path_abs.is_some()),
        Some(_) => (path, false),
    }
}
