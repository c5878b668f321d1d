//! One call: what its line says as the fields of an event.

use std::ops::Range;

use super::facts::{Fields, stat};
use super::line::Line;
use super::tasks::Task;
use super::text::{Items, file_behind, number, quoted, unescape};
use super::value;
use crate::event::{Abi, Event, FileStat, Flags, Kind, UNKNOWN_ADDRESS};
use crate::syscall::effect::Effect;
use crate::syscall::flags::{CLONE, RESOLVE};
use crate::syscall::passed::{CloneRange, CopyOffsets, FICLONERANGE, FileLock, is_lock_command};
use crate::syscall::paths::push_absolute;
use crate::syscall::plan::{self, PathArg, Plan, ResultFact};
use crate::syscall::{Arg, Struct, decode, open_flags};

const AT_FDCWD: i32 = -100;

type Text = Option<Range<usize>>;

/// What an event is made of; texts are ranges of the buffer it was read into.
#[derive(Clone, Debug)]
pub struct Call {
    pub abi: Abi,
    pub nr: u32,
    pub plan: &'static Plan,
    pub args: [u64; 6],
    pub ret: Option<i64>,
    pub paths: [Text; 2],
    pub absolute: [Text; 2],
    pub files: [Text; 2],
    /// The file behind the descriptor that was returned stands on the line.
    pub returned: Text,
    text: Text,
    peer: Text,
    pub argv: Text,
    stat: Option<FileStat>,
    pub flags: Flags,
    /// Flags of the child it makes.
    pub clone_flags: u64,
}

impl Call {
    /// Reads a line's fields, texts into `arena`.
    pub fn of(line: &Line<'_>, task: &Task, arena: &mut Vec<u8>) -> Self {
        let mut reading = Reading { line, task, arena, call: Self::new(line) };
        if reading.call.plan.effect == Effect::Clone {
            reading.clone();
        } else {
            reading.arguments();
        }
        reading.files();
        reading.paths();
        reading.result();
        reading.call
    }

    fn new(line: &Line<'_>) -> Self {
        let plan = plan::of(line.abi, line.nr);
        let mut flags = line.outcome.flags;
        if line.spec.is_some_and(|spec| spec.name == "restart_syscall") {
            flags.set(Flags::RESTARTED);
        }
        Self {
            abi: line.abi,
            nr: line.nr,
            plan,
            args: [0; 6],
            ret: line.outcome.ret,
            paths: [None, None],
            absolute: [None, None],
            files: [None, None],
            returned: None,
            text: None,
            peer: None,
            argv: None,
            stat: None,
            flags,
            clone_flags: if plan.effect == Effect::Vfork { 0x4100 } else { 0 },
        }
    }

    /// Whether it succeeded.
    pub fn succeeded(&self) -> bool {
        self.ret.is_some_and(|ret| !(-4095..0).contains(&ret))
    }

    /// An argument as a descriptor.
    pub fn fd(&self, index: usize) -> i32 {
        self.args[index] as i32
    }

    /// The event, without times and thread.
    pub fn event<'a>(&self, arena: &'a [u8]) -> Event<'a> {
        let text = |range: &Text| range.clone().map(|range| &arena[range]);
        Event {
            abi: self.abi,
            nr: self.nr,
            args: self.args,
            ret: self.ret,
            path: text(&self.paths[0]),
            path_abs: text(&self.absolute[0]),
            path2: text(&self.paths[1]),
            path2_abs: text(&self.absolute[1]),
            file: text(&self.files[0]),
            file2: text(&self.files[1]),
            text: text(&self.text),
            peer: text(&self.peer),
            argv: text(&self.argv),
            stat: self.stat,
            flags: self.flags,
            ..Event::new(Kind::Syscall)
        }
    }
}

struct Reading<'a> {
    line: &'a Line<'a>,
    task: &'a Task,
    arena: &'a mut Vec<u8>,
    call: Call,
}

impl Reading<'_> {
    fn arguments(&mut self) {
        let specs = self.line.spec.map_or(&[][..], |spec| spec.args);
        let leaves_out = self.line.spec.is_some_and(decode::leaves_out);
        let mut at = 0;
        for &text in self.line.args() {
            while specs.get(at).is_some_and(|spec| spec.arg == Arg::Unused) {
                at += 1;
            }
            if leaves_out {
                at = self.next_printed(at);
            }
            let kind = specs.get(at).map_or(Arg::Word, |spec| spec.arg);
            if at >= self.call.args.len() {
                break;
            }
            let value = value::value(kind, self.line.abi, text).or_else(|| self.chosen(at, kind, text));
            // strace puts the halves together.
            let is_split = matches!(kind, Arg::OffsetLow | Arg::OffsetHigh) && at + 1 < self.call.args.len();
            match value {
                None if text.starts_with(b"<...") => self.call.flags.set(Flags::RESTARTED),
                None => {
                    self.call.args[at..=at + usize::from(is_split)].fill(UNKNOWN_ADDRESS);
                    self.call.flags.set(Flags::ARGUMENT_UNKNOWN);
                }
                Some(value) if is_split => {
                    let (low, high) = (value & 0xffff_ffff, value >> 32);
                    let halves = if kind == Arg::OffsetLow { [low, high] } else { [high, low] };
                    self.call.args[at..at + 2].copy_from_slice(&halves);
                }
                Some(value) if kind == Arg::PageOffset => self.call.args[at] = value >> 12,
                Some(value) => self.call.args[at] = value,
            }
            if value.is_some() {
                if value == Some(UNKNOWN_ADDRESS) && !matches!(text[0], b'0'..=b'9' | b'-') {
                    self.call.flags.set(Flags::ADDRESS_UNKNOWN);
                }
                self.structure(at, kind, text);
            }
            at += 1 + usize::from(is_split);
        }
        if self.call.flags.has(Flags::ARGUMENT_UNKNOWN) {
            // It could say that there are more, or which; or the line ends here.
            self.call.args[at.min(6)..specs.len().clamp(at.min(6), 6)].fill(UNKNOWN_ADDRESS);
        }
    }

    /// The first argument from this one on that is printed.
    #[cold]
    fn next_printed(&self, from: usize) -> usize {
        self.line.spec.map_or(from, |spec| decode::next_printed(&self.so_far(), spec, from))
    }

    /// The value of an argument by names that the ones before it choose.
    #[cold]
    fn chosen(&self, at: usize, kind: Arg, text: &[u8]) -> Option<u64> {
        let spec = self.line.spec?;
        let kind = decode::chosen_kind(&self.so_far(), spec, at).unwrap_or(kind);
        value::value_among(kind, decode::more_sets(spec, at), self.line.abi, text)
    }

    /// The call with the arguments that have been read.
    fn so_far(&self) -> Event<'static> {
        Event { abi: self.call.abi, nr: self.call.nr, args: self.call.args, ..Event::new(Kind::Syscall) }
    }

    /// What is inside an argument that is more than a number.
    fn structure(&mut self, at: usize, kind: Arg, text: &[u8]) {
        let plan = self.call.plan;
        let index = at as u8;
        if plan.string == Some(index) {
            self.call.text = self.string(text);
        } else if plan.argv == Some(index) {
            self.call.argv = self.strings(text);
        } else if plan.peer == Some(index) || plan.result == ResultFact::Peer(index) {
            self.call.peer = self.peer(text);
        } else if kind == Arg::In(Struct::OpenHow) {
            self.call.text = self.open_how(text);
        } else if text.starts_with(b"[") || text.starts_with(b"{") {
            self.passed(at, text);
        }
        if plan.effect == Effect::Clone3 && at == 0 {
            self.call.clone_flags = Fields(text).find(b"flags").map_or(0, |flags| value::bits(&CLONE, flags));
        }
    }

    /// `clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD, child_tidptr=0x7f..)`: the order differs from that
    /// of the arguments.
    fn clone(&mut self) {
        let order = if self.line.abi == Abi::I386 { [0, 1, 2, 4, 3] } else { [0, 1, 2, 3, 4] };
        let mut is_told = [false; 5];
        let names: [&[u8]; 5] = [b"flags", b"child_stack", b"parent_tid", b"child_tidptr", b"tls"];
        for &text in self.line.args() {
            let Some(equals) = text.iter().position(|&byte| byte == b'=') else { continue };
            let (name, text) = (&text[..equals], &text[equals + 1..]);
            let Some(at) = names.iter().position(|known| *known == name) else { continue };
            let kind = if at == 0 { Arg::Flags(&CLONE) } else { Arg::Addr };
            let value = value::value(kind, self.line.abi, text);
            self.call.args[order[at]] = value.unwrap_or(UNKNOWN_ADDRESS);
            is_told[order[at]] = true;
            if at == 0 {
                self.call.clone_flags = value::bits(&CLONE, text);
            }
            if value.is_none() {
                self.call.flags.set(Flags::ARGUMENT_UNKNOWN);
            }
        }
        if self.call.flags.has(Flags::ARGUMENT_UNKNOWN) || !is_told[0] {
            for (arg, _) in self.call.args.iter_mut().zip(is_told).filter(|(_, is_told)| !is_told) {
                *arg = UNKNOWN_ADDRESS;
            }
        }
        if self.call.args.contains(&UNKNOWN_ADDRESS) {
            self.call.flags.set(Flags::ADDRESS_UNKNOWN);
        }
    }

    /// The files behind descriptors: as the line says, or as calls before it tell.
    fn files(&mut self) {
        for (slot, index) in self.call.plan.fds.into_iter().enumerate() {
            let Some(index) = index.map(usize::from) else { continue };
            let fd = self.call.fd(index);
            if fd < 0 || index >= self.line.args().len() {
                continue;
            }
            self.call.files[slot] = self.file(self.line.args()[index], fd);
        }
    }

    fn file(&mut self, text: &[u8], fd: i32) -> Text {
        if let Some(named) = self.named_file(text) {
            return Some(named);
        }
        let known = self.task.files.borrow().get(fd)?;
        Some(self.push(&known))
    }

    /// `3</etc/passwd>`
    fn named_file(&mut self, text: &[u8]) -> Text {
        let (name, deleted) = file_behind(text)?;
        let begin = self.arena.len();
        unescape(name, self.arena);
        if deleted {
            self.arena.extend_from_slice(b" (deleted)");
        }
        Some(begin..self.arena.len())
    }

    fn push(&mut self, text: &[u8]) -> Range<usize> {
        let begin = self.arena.len();
        self.arena.extend_from_slice(text);
        begin..self.arena.len()
    }

    fn string(&mut self, text: &[u8]) -> Text {
        let (inner, is_cut) = quoted(text)?;
        if is_cut {
            self.call.flags.set(Flags::TRUNCATED);
        }
        let begin = self.arena.len();
        unescape(inner, self.arena);
        Some(begin..self.arena.len())
    }

    /// `["ls", "-l"]`, each string ended by NUL.
    fn strings(&mut self, text: &[u8]) -> Text {
        let begin = self.arena.len();
        for item in Items::within(text, b'[', b']') {
            if self.string(item).is_none() {
                // `...`, or an address that could not be read: what follows has another place.
                self.call.flags.set(Flags::TRUNCATED);
                break;
            }
            self.arena.push(0);
        }
        text.starts_with(b"[").then_some(begin..self.arena.len())
    }

    fn paths(&mut self) {
        for (slot, path) in self.call.plan.paths.into_iter().enumerate() {
            let Some(PathArg { arg, dirfd }) = path else { continue };
            let Some(&text) = self.line.args().get(usize::from(arg)) else { continue };
            let Some(range) = self.string(text) else {
                if self.call.args[usize::from(arg)] != 0 {
                    self.call.flags.set([Flags::PATH_UNREADABLE, Flags::PATH2_UNREADABLE][slot]);
                }
                continue;
            };
            self.call.absolute[slot] = self.absolute(&range, dirfd.map(usize::from));
            if self.call.absolute[slot].is_none() && !range.is_empty() {
                self.call.flags.set(Flags::BASE_UNKNOWN);
            }
            self.call.paths[slot] = Some(range);
        }
    }

    fn absolute(&mut self, path: &Range<usize>, dirfd: Option<usize>) -> Text {
        if self.task.chrooted {
            return None;
        }
        let is_absolute = self.arena.get(path.start) == Some(&b'/') && !path.is_empty();
        let base = match dirfd {
            _ if is_absolute => None,
            Some(index) if self.call.fd(index) != AT_FDCWD => {
                let slot = usize::from(self.call.plan.fds[0] != Some(index as u8));
                let is_base =
                    |base: &Range<usize>| path.is_empty() || self.arena.get(base.start) == Some(&b'/');
                Some(self.call.files[slot].clone().filter(is_base)?)
            }
            _ if path.is_empty() => return None,
            Some(index) if self.line.args()[index].ends_with(b">") => {
                Some(self.named_file(self.line.args()[index])?)
            }
            _ => {
                let cwd = self.task.cwd.borrow().clone()?;
                Some(self.push(&cwd))
            }
        };
        // Bases are short; a copy keeps the borrow apart.
        let base = base.map_or_else(Vec::new, |base| self.arena[base].to_vec());
        let begin = self.arena.len();
        push_absolute(self.arena, b"", &base, path.clone());
        Some(begin..self.arena.len())
    }

    fn result(&mut self) {
        if self.call.plan.makes_fd && self.call.succeeded() {
            self.call.returned = self.named_file(self.line.outcome.after);
        }
        if !self.call.succeeded() {
            return;
        }
        let arg = |index: u8| self.line.args().get(usize::from(index)).copied().unwrap_or_default();
        match self.call.plan.result {
            ResultFact::Stat(_, index) => self.call.stat = stat(arg(index)),
            ResultFact::Text(index) | ResultFact::Cwd(index) => self.call.text = self.string(arg(index)),
            ResultFact::Peer(_) | ResultFact::None => {}
        }
    }

    /// The same of what else a replay has to know, of 64-bit programs as captures do.
    fn passed(&mut self, at: usize, text: &[u8]) {
        if self.line.abi != Abi::X86_64 {
            return;
        }
        let fields = Fields(text);
        let field = |name: &[u8]| number(fields.find(name)?).map(|(value, _)| value as i64);
        let [_, command, ..] = self.call.args;
        let arena = &mut *self.arena;
        // `[5]`, and behind it, where it was told, what became of it.
        let offset = || number(text.strip_prefix(b"[")?).map(|(value, _)| value as i64);
        let before = |text: &Text, arena: &[u8]| {
            text.clone().map(|text| CopyOffsets::parse(&arena[text])).unwrap_or_default()
        };
        let read = match (self.call.plan.effect, at) {
            (Effect::Fcntl, 2) if is_lock_command(command) => {
                let kind = fields.find(b"l_type").and_then(value::lock_type);
                let whence = fields.find(b"l_whence").and_then(value::whence);
                let lock = (kind, whence, field(b"l_start"), field(b"l_len"));
                let (Some(kind), Some(whence), Some(start), Some(length)) = lock else { return };
                Some(FileLock { kind, whence, start, length }.push(arena))
            }
            (Effect::Ioctl, 2) if command as u32 == FICLONERANGE => {
                let part = [&b"src_fd"[..], b"src_offset", b"src_length", b"dest_offset"].map(field);
                let [Some(fd), Some(from), Some(length), Some(to)] = part else { return };
                Some(CloneRange { fd, from, length, to }.push(arena))
            }
            (Effect::CopyRange, 1) | (Effect::SendFile, 2) => {
                CopyOffsets { from: offset(), to: None }.push(arena)
            }
            (Effect::CopyRange, 3) => {
                let from = before(&self.call.text, arena).from;
                CopyOffsets { from, to: offset() }.push(arena)
            }
            _ => return,
        };
        self.call.text = read;
    }

    /// In the form that a capture keeps.
    fn open_how(&mut self, text: &[u8]) -> Text {
        let fields = Fields(text);
        let flags = value::bits(open_flags(self.line.abi), fields.find(b"flags")?);
        let mode = fields.find(b"mode").and_then(value::mode).unwrap_or(0);
        let resolve = fields.find(b"resolve").map_or(0, |resolve| value::bits(&RESOLVE, resolve));
        let how = format!("flags={flags:#x} mode={mode:#o} resolve={resolve:#x}");
        Some(self.push(how.as_bytes()))
    }

    /// `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`
    fn peer(&mut self, text: &[u8]) -> Text {
        let fields = Fields(text);
        let begin = self.arena.len();
        match fields.find(b"sa_family")? {
            b"AF_UNIX" => {
                let name = fields.find(b"sun_path").unwrap_or_default();
                self.arena.extend_from_slice(if name.starts_with(b"@") { b"unix:@" } else { b"unix:" });
                self.string(name);
            }
            b"AF_INET" => {
                self.arena.extend_from_slice(b"inet:");
                self.string(fields.find(b"sin_addr")?.strip_prefix(b"inet_addr(")?)?;
                self.port(fields.find(b"sin_port")?)?;
            }
            b"AF_INET6" => {
                let host = Items::within(text, b'{', b'}')
                    .find_map(|item| item.strip_prefix(b"inet_pton(AF_INET6, "));
                self.arena.extend_from_slice(b"inet6:[");
                self.string(host?)?;
                self.arena.push(b']');
                self.port(fields.find(b"sin6_port")?)?;
            }
            b"AF_NETLINK" => {
                self.arena.extend_from_slice(b"netlink:");
                self.push(fields.find(b"nl_pid")?);
            }
            b"AF_UNSPEC" => self.arena.extend_from_slice(b"unspec"),
            _ => return None,
        }
        Some(begin..self.arena.len())
    }

    fn port(&mut self, text: &[u8]) -> Option<()> {
        let digits = text.strip_prefix(b"htons(")?.strip_suffix(b")")?;
        self.arena.push(b':');
        self.push(digits);
        Some(())
    }
}
