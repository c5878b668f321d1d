//! The batch being filled: events taken apart into columns.
//!
//! [`Rows::push`] is on the tracer's hot path: it appends to vectors that keep their memory from
//! batch to batch and looks texts up in [`Interner`](super::intern::Interner)s. What becomes of the columns is
//! [`super::encode`]'s part.

use std::fmt::Write as _;

use super::columns::{BytesColumn, ListColumn, NullableColumn, TextColumn};
use crate::event::{Event, FileStat, Flags, Kind};
use crate::log::counts::Counts;
use crate::log::schema::{PATH_ABSENT, PATH2_ABSENT};
use crate::log::{MAX_ARGV_LEN, MAX_MEMORY_LEN, MAX_TEXT_LEN};
use crate::syscall;

/// A batch is full at this many events. Twice as many would save 2 % of the log of a `pip install`
/// and take twice the memory (the writer needs some 15 MiB in all).
pub(in crate::log) const MAX_ROWS: usize = 16 * 1024;

/// Room that the first batch has from the beginning: enough for the start of most programs, and little to ask the kernel for.
pub(super) const FIRST_ROWS: usize = 2 * 1024;

/// A batch is full, too, when its texts take this many bytes.
const FULL_TEXT: usize = 8 << 20;

/// See the module. The fields are the columns of [`crate::log::schema::Column`].
#[derive(Debug)]
pub(in crate::log) struct Rows {
    pub(in crate::log) counts: Counts,
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
    pub(super) stack: NullableColumn<u32>,
    /// Written only where the header says so.
    pub(super) replayed: NullableColumn<u64>,
    /// Empty rows in most logs, which have no such column.
    pub(super) memory: BytesColumn,
    /// Reused to make up names.
    name: String,
}

impl Rows {
    /// With room for as many rows in memory that is ready; more is made as it is needed.
    pub(in crate::log) fn with_room(seed: u64, rows: usize) -> Self {
        Self {
            counts: Counts::default(),
            kind: Vec::with_capacity(rows),
            pid: Vec::with_capacity(rows),
            tid: Vec::with_capacity(rows),
            comm: TextColumn::new(seed, rows),
            start: Vec::with_capacity(rows),
            duration: NullableColumn::new(rows),
            syscall: TextColumn::new(seed, rows),
            family: Vec::with_capacity(rows),
            abi: Vec::with_capacity(rows),
            nr: Vec::with_capacity(rows),
            args: std::array::from_fn(|_| Vec::with_capacity(rows)),
            ret: NullableColumn::new(rows),
            errno: TextColumn::new(seed, rows),
            ip: Vec::with_capacity(rows),
            texts: std::array::from_fn(|_| TextColumn::new(seed, rows)),
            argv: ListColumn::new(),
            stat_valid: Vec::with_capacity(rows),
            mode: Vec::with_capacity(rows),
            nlink: Vec::with_capacity(rows),
            size: Vec::with_capacity(rows),
            mtime: Vec::with_capacity(rows),
            ino: Vec::with_capacity(rows),
            dev: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            stack: NullableColumn::new(rows),
            replayed: NullableColumn::new(rows),
            memory: BytesColumn::new(),
            name: String::new(),
        }
    }

    pub(in crate::log) fn len(&self) -> usize {
        self.kind.len()
    }

    /// What the first rows come to.
    pub(super) fn counts_of_first(&self, rows: usize) -> Counts {
        let mut counts = Counts::default();
        for row in 0..rows.min(self.len()) {
            let kind = Kind::ALL.into_iter().find(|kind| *kind as i8 == self.kind[row]);
            let ret = Some(self.ret.values[row]).filter(|_| self.ret.valid[row]);
            counts.add_event(&Event { ret, ..Event::new(kind.unwrap_or(Kind::Syscall)) });
        }
        counts
    }

    pub(in crate::log) fn is_full(&self) -> bool {
        self.len() >= MAX_ROWS || self.text_len() >= FULL_TEXT
    }

    fn text_len(&self) -> usize {
        let texts: usize = self.texts.iter().map(|column| column.dictionary.text_len()).sum();
        let lists = self.argv.text.len() + size_of_val(&self.argv.item_offsets[..]);
        texts + lists + self.comm.dictionary.text_len() + self.memory.bytes.len()
    }

    /// Appends an event.
    pub(in crate::log) fn push(&mut self, event: &Event<'_>) {
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
        self.replayed.push(event.replayed_ns);
        self.push_names(event);
        self.push_texts(event);
        self.push_stat(event.stat);
        self.stack.push(event.stack);
        self.memory.push(event.memory.filter(|memory| memory.len() <= MAX_MEMORY_LEN));
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
    pub(in crate::log) fn clear(&mut self) {
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
            stack,
            replayed,
            memory,
            name: _,
        } = self;
        *counts = Counts::default();
        [kind, family, abi].into_iter().for_each(Vec::clear);
        [pid, tid, nr, mode, nlink, flags].into_iter().for_each(Vec::clear);
        [start, ip, ino, dev].into_iter().chain(args).for_each(Vec::clear);
        [size, mtime].into_iter().for_each(Vec::clear);
        [comm, syscall, errno].into_iter().chain(texts).for_each(TextColumn::clear);
        duration.clear();
        replayed.clear();
        ret.clear();
        stack.clear();
        argv.clear();
        stat_valid.clear();
        memory.clear();
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
