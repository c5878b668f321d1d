//! Processes and threads: limits, ends, clones, ids, and the directories and terminals they use.

use super::Decoder;
use super::call::write_address64;
use super::memory::Phase;
use super::text::write_text;
use crate::syscall::flags::{
    CAPABILITIES, CLONE3, FILE_TYPE, MPOL, write_hex, write_number, write_radix, write_signal,
};

/// Bytes of the name of a thread, its NUL included.
const THREAD_NAME: usize = 16;

fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn write_limit(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    if call.half() == 0 {
        return write_limit64(call, out, bytes);
    }
    let limit = word(bytes, 0);
    call.style.constants.limit(out, limit.into(), (limit == u32::MAX).then_some("RLIM_INFINITY"));
}

pub(super) fn write_limit64(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let limit = long(bytes, 0);
    call.style.constants.limit(out, limit, (limit == u64::MAX).then_some("RLIM64_INFINITY"));
}

/// The name that prctl gives a thread, as much of it as the kernel takes.
pub(super) fn write_thread_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let mut name = [0; THREAD_NAME];
    let got = if address == 0 { 0 } else { call.memory.read(call.phase, address, &mut name) };
    // strace looks at as many bytes as the kernel takes, and finds no end where there are as many.
    let end = name[..got.min(THREAD_NAME - 1)].iter().position(|&byte| byte == 0);
    match end {
        Some(end) => {
            let shown = end.min(call.style.strings);
            write_text(out, &name[..shown], call.style.hex, shown < end);
        }
        None if got >= THREAD_NAME - 1 => {
            let shown = call.style.strings.min(THREAD_NAME - 1);
            write_text(out, &name[..shown], call.style.hex, true);
        }
        None => call.write_address(out, address),
    }
}

/// Nodes of a memory policy: words in hexadecimal, as many as the number of nodes in the next argument needs.
pub(super) fn write_nodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_nodes_at(call, out, call.arg(index), call.arg(index + 1));
}

/// The same, with the number of nodes.
pub(super) fn write_nodes_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, nodes: u64) {
    let bits = 8 * call.word_size() as u64;
    let words = nodes.saturating_sub(1).div_ceil(bits);
    let size = call.word_size();
    // The number is one more than there are nodes.
    if matches!(nodes, 1 | u64::MAX) {
        return call.write_address(out, address);
    }
    call.write_array(out, address, words, size, &mut |_, out, bytes| {
        let mut word = [0; 8];
        word[..size].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        // As wide as the word with and without its 0x.
        if word == 0 {
            write_radix(out, 0, 16, 2 * size);
        } else {
            out.extend_from_slice(b"0x");
            write_radix(out, word, 16, 2 * size - 2);
        }
    });
}

/// The policy in force, which the kernel fills in.
pub(super) fn write_policy(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.read_u32_at(call.phase, call.arg(index)).filter(|_| call.succeeded() && !call.style.addresses)
    {
        Some(policy) => {
            out.push(b'[');
            call.style.constants.one(out, &MPOL, u64::from(policy));
            out.push(b']');
        }
        None => call.write_address(out, call.arg(index)),
    }
}

/// The nodes it is for.
pub(super) fn write_filled_nodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.succeeded() || call.arg(index + 1) == 0 {
        write_nodes(call, out, index);
    } else {
        call.write_address(out, call.arg(index));
    }
}

/// `NGROUPS_MAX`.
const MOST_GROUPS: u64 = 65536;

/// Members of `struct clone_args` behind its flags: name, offset, and whether it is always shown.
const CLONE_MEMBERS: [(&str, usize, bool); 7] = [
    ("pidfd", 8, false),
    ("child_tid", 16, false),
    ("parent_tid", 24, false),
    ("exit_signal", 32, true),
    ("stack", 40, true),
    ("stack_size", 48, true),
    ("tls", 56, false),
];

/// Which flags of clone make use of a member.
fn is_used(member: &str, flags: u64) -> bool {
    match member {
        "pidfd" => flags & 0x1000 != 0,
        "child_tid" => flags & (0x0100_0000 | 0x0020_0000) != 0,
        "parent_tid" => flags & 0x0010_0000 != 0,
        "tls" => flags & 0x0008_0000 != 0,
        _ => false,
    }
}

/// Bytes of `struct clone_args` in its first version, without which there is none.
const CLONE_ARGS: usize = 64;

/// `{flags=CLONE_VM|.., exit_signal=0, stack=0x.., stack_size=0x..}`
pub(super) fn write_clone3(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let (address, size) = (call.arg(0), call.arg(1));
    let mut bytes = [0; 88];
    let length = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len());
    let is_readable = address != 0
        && length >= CLONE_ARGS
        && call.memory.read(Phase::Entry, address, &mut bytes[..length]) == length;
    if !is_readable {
        return call.write_address(out, address);
    }
    let flags = long(&bytes, 0);
    out.extend_from_slice(b"{flags=");
    call.style.constants.bits(out, &CLONE3, flags);
    for (name, at, is_always) in CLONE_MEMBERS {
        let value = long(&bytes, at);
        if !is_always && !is_used(name, flags) {
            continue;
        }
        out.extend_from_slice(b", ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        match name {
            "exit_signal" if value > 64 => write_radix(out, value, 10, 1),
            "exit_signal" => call.style.constants.signal(out, value as u32),
            "stack_size" => write_hex(out, value),
            _ => write_address64(out, value),
        }
    }
    write_clone_set(call, out, &bytes[..length]);
    call.write_rest(out, address, bytes.len() as u64, size);
    out.push(b'}');
}

/// Thread ids that are asked for, and the cgroup.
/// Most levels of namespaces that a process can be asked to have an id in.
const MOST_LEVELS: u64 = 32;

fn write_clone_set(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (set_tid, set_tid_size) = (long(bytes, 64), long(bytes, 72));
    if bytes.len() >= 72 && (set_tid != 0 || set_tid_size != 0) {
        out.extend_from_slice(b", set_tid=");
        if set_tid == 0 || set_tid_size == 0 || set_tid_size > MOST_LEVELS {
            write_address64(out, set_tid);
        } else {
            call.write_array(out, set_tid, set_tid_size, 4, &mut |_, out, bytes| {
                write_number(out, i64::from(word(bytes, 0).cast_signed()));
            });
        }
        out.extend_from_slice(b", set_tid_size=");
        write_radix(out, set_tid_size, 10, 1);
    }
    if bytes.len() >= 88 && (long(bytes, 0) & 0x2_0000_0000 != 0 || long(bytes, 80) != 0) {
        out.extend_from_slice(b", cgroup=");
        write_radix(out, long(bytes, 80), 10, 1);
    }
}

/// ` => {parent_tid=[4165]}, 88`
pub(super) fn write_clone3_results(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let (mut bytes, (address, size)) = ([0; 88], (call.arg(0), call.arg(1)));
    let known = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len());
    let is_readable =
        known >= CLONE_ARGS && call.memory.read(Phase::Entry, address, &mut bytes[..known]) == known;
    let flags = long(&bytes, 0);
    if is_readable && call.succeeded() {
        let mut told = Vec::new();
        for (name, at) in [("pidfd", 8), ("parent_tid", 24)] {
            if !is_used(name, flags) {
                continue;
            }
            told.extend_from_slice(if told.is_empty() { b"{" } else { b", " });
            told.extend_from_slice(name.as_bytes());
            told.push(b'=');
            let at = long(&bytes, at);
            match call.read_u32_at(Phase::Exit, at) {
                Some(id) => {
                    told.push(b'[');
                    write_number(&mut told, i64::from(id.cast_signed()));
                    if name == "pidfd" {
                        call.phase = Phase::Exit;
                        call.write_behind(&mut told, id.cast_signed());
                    }
                    told.push(b']');
                }
                None => write_address64(&mut told, at),
            }
        }
        // strace shows what is behind the structure once more.
        let mut rest = Vec::new();
        call.write_rest(&mut rest, address, bytes.len() as u64, size);
        if told.is_empty() && !rest.is_empty() {
            told.push(b'{');
            rest.drain(..2);
        }
        told.extend_from_slice(&rest);
        if !told.is_empty() {
            out.extend_from_slice(b" => ");
            out.extend_from_slice(&told);
            out.push(b'}');
        }
    }
    out.extend_from_slice(b", ");
    write_radix(out, call.arg(1), 10, 1);
}

impl Decoder<'_, '_> {
    /// `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]` (wait(2)).
    pub(super) fn write_wait_status(&mut self, out: &mut Vec<u8>, address: u64) {
        let status = self.read_u32_at(self.phase, address).filter(|_| self.event.ret != Some(0));
        let Some(status) = status else { return self.write_address(out, address) };
        let signal = status & 0x7f;
        out.extend_from_slice(b"[{");
        if status == 0xffff {
            out.extend_from_slice(b"WIFCONTINUED(s)");
        } else if signal == 0x7f {
            out.extend_from_slice(b"WIFSTOPPED(s) && WSTOPSIG(s) == ");
            write_signal(out, status >> 8 & 0xff);
        } else if signal == 0 {
            out.extend_from_slice(b"WIFEXITED(s) && WEXITSTATUS(s) == ");
            write_radix(out, u64::from(status >> 8 & 0xff), 10, 1);
        } else {
            out.extend_from_slice(b"WIFSIGNALED(s) && WTERMSIG(s) == ");
            write_signal(out, signal);
            if status & 0x80 != 0 {
                out.extend_from_slice(b" && WCOREDUMP(s)");
            }
        }
        out.extend_from_slice(b"}]");
    }

    /// `[0, 4]`: the groups returned or passed.
    pub(super) fn write_groups(&mut self, out: &mut Vec<u8>, address: u64, size: usize) {
        let count = if self.phase == Phase::Exit {
            self.event.ret.unwrap_or(0).unsigned_abs()
        } else {
            u64::from(self.arg(0) as u32)
        };
        // More than the kernel takes.
        if count > MOST_GROUPS {
            return self.write_address(out, address);
        }
        // Asks for their number only.
        if self.phase == Phase::Exit && self.arg(0) as i32 == 0 && count != 0 {
            return self.write_address(out, address);
        }
        self.write_array(out, address, count, size, &mut |_, out, bytes| {
            let id =
                word(bytes, 0) | if size == 2 { u32::from(bytes[0]) | u32::from(bytes[1]) << 8 } else { 0 };
            match (id, size) {
                (u32::MAX, 4) | (0xffff, 2) => out.extend_from_slice(b"-1"),
                _ => write_radix(out, u64::from(id), 10, 1),
            }
        });
    }

    /// `{effective=1<<CAP_CHOWN, permitted=0, inheritable=0}` (capget(2)).
    pub(super) fn write_capabilities(&mut self, out: &mut Vec<u8>, address: u64) {
        /// Versions after the first have two halves.
        const LATER: [u32; 2] = [0x2007_1026, 0x2008_0522];
        let Some(version) = self.read_u32_at(Phase::Entry, self.arg(0)) else {
            return self.write_address(out, address);
        };
        let is_long = LATER.contains(&version);
        let mut bytes = [0; 24];
        let size = if is_long { 24 } else { 12 };
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        for (index, name) in ["effective", "permitted", "inheritable"].iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"{" } else { b", " });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            let set = u64::from(word(&bytes, 4 * index)) | u64::from(word(&bytes, 12 + 4 * index)) << 32;
            self.style.constants.bits(out, &CAPABILITIES, set);
        }
        out.push(b'}');
    }

    /// `[0]`: the static priority.
    pub(super) fn write_priority(&mut self, out: &mut Vec<u8>, address: u64) {
        self.write_integer(out, address, 4);
    }

    /// `[0 1 2 3]`: the CPUs of a set.
    pub(super) fn write_cpus(&mut self, out: &mut Vec<u8>, index: usize) {
        let size = if self.phase == Phase::Exit {
            self.event.ret.unwrap_or(0).unsigned_abs()
        } else {
            u64::from(self.arg(index - 1) as u32)
        };
        self.write_cpu_set(out, self.arg(index), size);
    }

    /// The processors of a set of so many bytes.
    pub(super) fn write_cpu_set(&mut self, out: &mut Vec<u8>, address: u64, size: u64) {
        /// What the kernel has room for; strace asks it, and shows that there is more of it.
        const MOST: usize = 128;
        let given = usize::try_from(size).unwrap_or(usize::MAX);
        let size = given.min(MOST);
        let mut set = vec![0; size];
        let is_looked_at = address != 0 && !self.style.addresses;
        if !is_looked_at || self.memory.read(self.phase, address, &mut set) < size {
            return self.write_address(out, address);
        }
        out.push(b'[');
        let mut is_first = true;
        for cpu in (0..8 * size).filter(|cpu| set[cpu / 8] >> (cpu % 8) & 1 != 0) {
            if !is_first {
                out.push(b' ');
            }
            is_first = false;
            write_radix(out, cpu as u64, 10, 1);
        }
        if given > MOST {
            out.extend_from_slice(if is_first { b"..." } else { b" ..." });
        }
        out.push(b']');
    }

    /// `{sigmask=[CHLD], sigsetsize=8}` (pselect6).
    pub(super) fn write_sigmask(&mut self, out: &mut Vec<u8>, address: u64) {
        let word = self.word_size();
        let (set, size) = (self.read_word(address), self.read_word(address.wrapping_add(word as u64)));
        let (Some(set), Some(size)) = (set, size) else { return self.write_address(out, address) };
        out.extend_from_slice(b"{sigmask=");
        self.write_signal_set(out, set, size);
        out.extend_from_slice(b", sigsetsize=");
        write_radix(out, size, 10, 1);
        out.push(b'}');
    }

    /// The entries of a directory, or how many there are.
    pub(super) fn write_directory(&mut self, out: &mut Vec<u8>, address: u64, length: u64) {
        /// What the kernel fills at most for who asks for much.
        const MOST: usize = 256 << 10;
        let is_64 = self.spec.name == "getdents64";
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(MOST)];
        let is_unread = !self.is_deep() || length > 0 && address == 0;
        if is_unread || self.memory.read(self.phase, address, &mut bytes) < bytes.len() {
            return self.write_address(out, address);
        }
        let mut entries = Vec::new();
        let mut rest = &bytes[..];
        let word = if is_64 { 8 } else { self.word_size() };
        while let Some(size) = rest.get(2 * word..2 * word + 2) {
            let size = usize::from(u16::from_le_bytes([size[0], size[1]]));
            if size < 2 * word + 3 || size > rest.len() {
                break;
            }
            entries.push(&rest[..size]);
            rest = &rest[size..];
        }
        if self.style.addresses {
            return self.write_address(out, address);
        }
        if !self.style.verbose {
            self.write_address(out, address);
            out.extend_from_slice(b" /* ");
            write_radix(out, entries.len() as u64, 10, 1);
            let one = entries.len() == 1;
            return out.extend_from_slice(if one { b" entry */" } else { b" entries */" });
        }
        out.push(b'[');
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            self.write_entry(out, entry, is_64, word);
        }
        out.push(b']');
    }

    /// One entry: inode, offset, size, and for getdents64 the type before the name, otherwise behind it.
    fn write_entry(&self, out: &mut Vec<u8>, entry: &[u8], is_64: bool, word: usize) {
        let number = |at: usize| {
            let mut value = [0; 8];
            value[..word].copy_from_slice(&entry[at..at + word]);
            u64::from_le_bytes(value)
        };
        let head = 2 * word + 2;
        let kind = u64::from(if is_64 { entry[head] } else { entry[entry.len() - 1] });
        let name = &entry[head + usize::from(is_64)..entry.len() - usize::from(!is_64)];
        let name = &name[..name.iter().position(|&byte| byte == 0).unwrap_or(name.len())];
        out.extend_from_slice(b"{d_ino=");
        write_radix(out, number(0), 10, 1);
        out.extend_from_slice(b", d_off=");
        if is_64 {
            write_number(out, number(word) as i64);
        } else {
            write_radix(out, number(word), 10, 1);
        }
        out.extend_from_slice(b", d_reclen=");
        write_radix(out, entry.len() as u64, 10, 1);
        if is_64 {
            out.extend_from_slice(b", d_type=");
            self.style.constants.one(out, &FILE_TYPE, kind);
        }
        out.extend_from_slice(b", d_name=");
        write_text(out, name, self.style.hex, false);
        if !is_64 {
            out.extend_from_slice(b", d_type=");
            self.style.constants.one(out, &FILE_TYPE, kind);
        }
        out.push(b'}');
    }
}
