//! What is told of descriptors: the file behind each, and of sockets, devices and processes what they are.
//!
//! Structures have descriptors, too, so what is behind one is looked up where a call is decoded: at an address that no
//! program has, from a [`Memory`](super::Memory) that may know it. It is kept with the rest.

use super::escape::{write_escaped, write_printable};
use super::{Decoder, Phase, bpf, command, files};
use crate::syscall::flags::write_number;

/// What more is told of descriptors than paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Device numbers: `</dev/null<char 1:3>>`.
    pub devices: bool,
    /// Protocols and addresses: `<TCP:[127.0.0.1:80]>`.
    pub sockets: bool,
    /// Processes: `<pid:17>`.
    pub processes: bool,
}

impl Details {
    /// All of them.
    pub const ALL: Self = Self { devices: true, sockets: true, processes: true };

    /// Whether there is any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }
}

/// A set of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// In ascending order; kept until the end, for a command line is read once.
    listed: &'static [i32],
    /// All but those.
    is_inverted: bool,
}

impl Descriptors {
    /// None.
    pub const NONE: Self = Self { listed: &[], is_inverted: false };

    /// `3,5`, `!3`, `all`, `none`; the part that is wrong otherwise.
    ///
    /// # Errors
    /// What is no descriptor's number.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let (is_inverted, list) = text.strip_prefix('!').map_or((false, text), |list| (true, list));
        let (mut listed, mut is_all) = (Vec::new(), false);
        for item in list.split(',') {
            match item {
                "all" => is_all = true,
                "none" => {}
                item => listed.push(item.parse().ok().filter(|&fd: &i32| fd >= 0).ok_or(item)?),
            }
        }
        if is_all {
            listed.clear();
        }
        listed.sort_unstable();
        Ok(Self { listed: listed.leak(), is_inverted: is_inverted != is_all })
    }

    /// Whether this one is in it.
    #[must_use]
    pub fn has(&self, fd: i32) -> bool {
        fd >= 0 && self.listed.binary_search(&fd).is_ok() != self.is_inverted
    }
}

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// A thread.
    Thread,
    /// A process.
    Process,
    /// A process group.
    Group,
    /// A session.
    Session,
}

/// What a decoder asks of a descriptor or an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What is behind a descriptor, as far as is to be told ([`Described`]).
    Behind(i32),
    /// The protocol of a netlink socket: four bytes, -1 where it is not bound; of anything else none.
    Netlink(i32),
    /// The name of the network interface of this number.
    Interface(i32),
    /// The path of the file behind a descriptor, whatever is to be told of it.
    Path(i32),
    /// What is told of an id: a name, and what it is elsewhere; as it is to be printed.
    Id(IdKind, i32),
    /// What is behind a descriptor of the process that the first argument is a descriptor of.
    Beyond(i32),
    /// The same of the process whose id the first argument is.
    OfFirst(i32),
    /// The same of the process whose id the second argument is.
    OfSecond(i32),
    /// The path that the file behind a descriptor had when it was removed; of one that is there, none.
    Removed(i32),
}

/// Where answers to questions of a kind begin.
type Base = (u64, fn(i32) -> Question);
/// Where a [`Memory`](super::Memory) has answers, 64 KiB for each.
const BASES: [Base; 12] = [
    (0xffff_0000_0000_0000, Question::Behind),
    (0xfffe_0000_0000_0000, Question::Netlink),
    (0xfffd_0000_0000_0000, Question::Interface),
    (0xfffc_0000_0000_0000, Question::Path),
    (0xfffb_0000_0000_0000, |id| Question::Id(IdKind::Thread, id)),
    (0xfffa_0000_0000_0000, Question::Removed),
    (0xfff9_0000_0000_0000, Question::Beyond),
    (0xfff8_0000_0000_0000, |id| Question::Id(IdKind::Process, id)),
    (0xfff7_0000_0000_0000, |id| Question::Id(IdKind::Group, id)),
    (0xfff6_0000_0000_0000, |id| Question::Id(IdKind::Session, id)),
    (0xfff5_0000_0000_0000, Question::OfFirst),
    (0xfff4_0000_0000_0000, Question::OfSecond),
];
const SHIFT: u32 = 16;
/// Before the answer stands its length.
const TEXT: u64 = 8;
/// The longest answer.
const LONGEST: usize = 5000;

impl Question {
    fn address(self) -> u64 {
        let (base, number) = match self {
            Self::Behind(fd) => (BASES[0].0, fd),
            Self::Netlink(fd) => (BASES[1].0, fd),
            Self::Interface(index) => (BASES[2].0, index),
            Self::Path(fd) => (BASES[3].0, fd),
            Self::Id(IdKind::Thread, id) => (BASES[4].0, id),
            Self::Id(IdKind::Process, id) => (BASES[7].0, id),
            Self::Id(IdKind::Group, id) => (BASES[8].0, id),
            Self::Id(IdKind::Session, id) => (BASES[9].0, id),
            Self::Removed(fd) => (BASES[5].0, fd),
            Self::Beyond(fd) => (BASES[6].0, fd),
            Self::OfFirst(fd) => (BASES[10].0, fd),
            Self::OfSecond(fd) => (BASES[11].0, fd),
        };
        base + (u64::from(number.cast_unsigned()) << SHIFT)
    }

    /// What an address asks, and from which byte of the answer on; `None`: it is an address of the program's.
    #[must_use]
    pub fn at(address: u64) -> Option<(Self, usize)> {
        let (base, question) = BASES.iter().find(|(base, _)| address >= *base)?;
        let number = i32::try_from((address - base) >> SHIFT).ok()?;
        Some((question(number), (address & 0xffff) as usize))
    }
}

/// What a memory has of an answer, from an offset on.
pub fn read_answer(answer: &[u8], offset: usize, buffer: &mut [u8]) -> usize {
    let answer = &answer[..answer.len().min(LONGEST)];
    let head = (answer.len() as u64).to_le_bytes();
    let mut count = 0;
    for (to, from) in buffer.iter_mut().zip(head.iter().chain(answer).skip(offset)) {
        *to = *from;
        count += 1;
    }
    count
}

/// What is behind a descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The path of the file, or what stands in its place.
    pub path: Vec<u8>,
    /// What is printed as it is, behind the path.
    pub more: Vec<u8>,
}

impl Described {
    /// As an answer.
    #[must_use]
    pub fn answer(&self) -> Vec<u8> {
        [&self.path[..], &[0], &self.more].concat()
    }
}

impl Decoder<'_, '_> {
    /// A descriptor inside of a structure, with what is behind it.
    pub(super) fn write_descriptor(&mut self, out: &mut Vec<u8>, fd: i32) {
        write_number(out, i64::from(fd));
        self.write_behind(out, fd);
    }

    /// The id of a process, with its name (`-Y`) and what it is in our namespace.
    pub(super) fn write_pid(&mut self, out: &mut Vec<u8>, pid: i32) {
        self.write_id(out, IdKind::Process, pid);
    }

    /// An id, with what is told of it.
    pub(super) fn write_id(&mut self, out: &mut Vec<u8>, kind: IdKind, id: i32) {
        write_number(out, i64::from(id));
        match kind {
            // A group, for `kill` and `wait4`.
            IdKind::Process if id < -1 => self.write_about(out, IdKind::Group, id.saturating_neg()),
            _ => self.write_about(out, kind, id),
        }
    }

    /// `<sh> /* 1234 in strace's PID NS */`, behind an id.
    pub(super) fn write_about(&mut self, out: &mut Vec<u8>, kind: IdKind, id: i32) {
        let is_told =
            self.style.namespaces || self.style.names && matches!(kind, IdKind::Thread | IdKind::Process);
        if id > 0
            && is_told
            && let Some(text) = self.ask(Question::Id(kind, id))
        {
            write_printable(out, &text);
        }
    }

    /// The answer to a question.
    pub(super) fn ask(&mut self, question: Question) -> Option<Vec<u8>> {
        let at = question.address();
        let length = self.read_u32_at(self.phase, at)?;
        let mut text = vec![0; (length as usize).min(LONGEST)];
        (self.memory.read(self.phase, at + TEXT, &mut text) == text.len()).then_some(text)
    }

    /// `</dev/null<char 1:3>>`; `false`: nothing is known, or wanted.
    pub(super) fn write_behind(&mut self, out: &mut Vec<u8>, fd: i32) -> bool {
        if fd < 0 || !self.style.files && !self.style.details.is_any() {
            return false;
        }
        self.write_removed(out, fd) || self.write_answer(out, Question::Behind(fd))
    }

    /// A descriptor of the process that the first argument is a descriptor of.
    pub(super) fn write_beyond(&mut self, out: &mut Vec<u8>, fd: i32) {
        self.write_descriptor_of(out, Question::Beyond(fd));
    }

    /// A descriptor of another process, with the answer to what is behind it.
    pub(super) fn write_descriptor_of(&mut self, out: &mut Vec<u8>, question: Question) {
        let (Question::Beyond(fd) | Question::OfFirst(fd) | Question::OfSecond(fd)) = question else {
            return;
        };
        write_number(out, i64::from(fd));
        if fd >= 0 && (self.style.files || self.style.details.is_any()) {
            self.write_answer(out, question);
        }
    }

    fn write_answer(&mut self, out: &mut Vec<u8>, question: Question) -> bool {
        let Some(text) = self.ask(question) else { return false };
        let (path, more) = match text.iter().position(|&byte| byte == 0) {
            Some(end) => (&text[..end], &text[end + 1..]),
            None => return false,
        };
        if path.is_empty() && more.is_empty() {
            return false;
        }
        let start = out.len();
        if path.is_empty() {
            out.extend_from_slice(b"<>");
        } else {
            files::write_file_name(out, path, self.style.hex);
        }
        let end = out.len() - 1;
        out.truncate(end);
        // The marks around are ours; whatever else is in there is not to end a line.
        if more.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            out.extend_from_slice(more);
        } else {
            write_escaped(out, more, b"<>");
        }
        out.push(b'>');
        debug_assert!(out.len() > start);
        true
    }

    /// `</tmp/x>(deleted)`; `false`: the file is there, or has no path.
    pub(super) fn write_removed(&mut self, out: &mut Vec<u8>, fd: i32) -> bool {
        let path = if fd >= 0 && self.style.files { self.ask(Question::Removed(fd)) } else { None };
        if let Some(path) = &path {
            files::write_file_name(out, path, self.style.hex);
            out.extend_from_slice(b"(deleted)");
        }
        path.is_some()
    }

    /// What the id is of that the call has returned; of what has gone nothing is told.
    fn returned_id(&self) -> Option<IdKind> {
        if !self.succeeded() {
            return None;
        }
        match self.spec.name {
            "getpid" | "getppid" | "fork" | "vfork" | "wait4" | "waitpid" => Some(IdKind::Process),
            "gettid" | "set_tid_address" | "clone" | "clone3" => Some(IdKind::Thread),
            "getpgrp" | "getpgid" => Some(IdKind::Group),
            "getsid" | "setsid" => Some(IdKind::Session),
            // A group has no positive number.
            "fcntl" | "fcntl64" if self.arg(1) as u32 == command::GETOWN => Some(IdKind::Process),
            _ => None,
        }
    }

    /// What is behind the descriptor that the call has returned, where more than its path is to be told.
    pub fn describe_returned(&mut self, out: &mut Vec<u8>) {
        if let Some(kind) = self.returned_id() {
            self.phase = Phase::Exit;
            let id = self.event.ret.and_then(|id| i32::try_from(id).ok());
            return self.write_about(out, kind, id.unwrap_or(0));
        }
        // The capture knows no more than the path, and that only where the table says that there is a descriptor.
        let is_told =
            self.style.details.is_any() || self.style.files && (self.is_part || self.spec.name == "ioctl");
        let returns_one = matches!(self.returned(), super::Returned::Fd(_));
        let Some(Ok(fd)) = self.event.ret.filter(|_| self.succeeded()).map(i32::try_from) else { return };
        self.phase = Phase::Exit;
        if returns_one && is_told || bpf::returns_descriptor(&self.event, self.spec) {
            self.write_behind(out, fd);
        } else if returns_one {
            self.write_removed(out, fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_descriptors() {
        let has = |text| Descriptors::parse(text).map(|set| [0, 3, 64, 2000, -1].map(|fd| set.has(fd)));
        assert_eq!(has("3,64"), Ok([false, true, true, false, false]));
        assert_eq!(has("!3"), Ok([true, false, true, true, false]));
        assert_eq!(has("all"), Ok([true, true, true, true, false]));
        assert_eq!(has("none"), Ok([false; 5]));
        assert_eq!(has("1,x"), Err("x"));
        assert_eq!(has("99999,2000"), Ok([false, false, false, true, false]));
        assert_eq!(has("-1"), Err("-1"));
    }

    #[test]
    fn questions_are_at_addresses_of_no_program() {
        for question in [
            Question::Behind(5),
            Question::Netlink(0),
            Question::Interface(i32::MAX),
            Question::Path(7),
            Question::Removed(1),
        ] {
            assert_eq!(Question::at(question.address() + 8), Some((question, 8)));
        }
        assert_eq!(Question::at(0x7fff_ffff_ffff), None);
        assert_eq!(Question::at(u64::MAX), None);
        let mut buffer = [0; 4];
        assert_eq!(read_answer(b"lo", 8, &mut buffer), 2);
        assert_eq!(&buffer, b"lo\0\0");
    }
}
