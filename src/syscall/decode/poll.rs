//! poll, select and epoll: what is waited for, and what came.

use super::Decoder;
use super::memory::Phase;
use super::structures::{TIMESPEC, TIMESPEC64, TIMEVAL};
use crate::syscall::flags::{POLL, write_number, write_radix};

/// Bytes of `struct pollfd`.
const POLLFD: usize = 8;

/// Most descriptors of a set, whatever the program says.
const MOST_DESCRIPTORS: usize = 1 << 20;

fn descriptor(bytes: &[u8]) -> i32 {
    bytes.first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes))
}

fn events(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 2).map_or(0, |bytes| u64::from(bytes[0]) | u64::from(bytes[1]) << 8)
}

impl Decoder<'_, '_> {
    /// `[{fd=3, events=POLLIN}, {fd=-1}]`
    pub(super) fn write_pollfds(&mut self, out: &mut Vec<u8>, address: u64, count: u64) {
        self.write_array(out, address, count, POLLFD, &mut |call, out, bytes| {
            out.extend_from_slice(b"{fd=");
            call.write_descriptor(out, descriptor(bytes));
            if descriptor(bytes) >= 0 {
                out.extend_from_slice(b", events=");
                call.style.constants.bits(out, &POLL, events(bytes, 4));
            }
            out.push(b'}');
        });
    }

    fn read_set(&mut self, address: u64, descriptors: usize) -> Option<Vec<u8>> {
        let word = self.word_size();
        let size = descriptors.div_ceil(8 * word) * word;
        let mut bytes = vec![0; size];
        let is_number = !(self.arg(0) as i32).is_negative();
        (is_number && size > 0 && address != 0 && self.memory.read(self.phase, address, &mut bytes) == size)
            .then_some(bytes)
    }

    /// How many descriptors a select looks at.
    fn selected(&self) -> usize {
        usize::try_from(self.arg(0) as i32).unwrap_or(0).min(MOST_DESCRIPTORS)
    }

    /// `[3 4]`
    pub(super) fn write_descriptor_set(&mut self, out: &mut Vec<u8>, address: u64) {
        let count = self.selected();
        match self.read_set(address, count) {
            Some(set) => {
                out.push(b'[');
                let mut is_first = true;
                for fd in members(&set, count) {
                    if !is_first {
                        out.push(b' ');
                    }
                    is_first = false;
                    self.write_descriptor(out, fd as i32);
                }
                out.push(b']');
            }
            None => self.write_address(out, address),
        }
    }
}

/// The descriptors that a poll looks at, as far as they can be read, and no more than `most`.
pub(super) fn polled(call: &mut Decoder<'_, '_>, most: usize) -> Vec<i32> {
    let (address, count) = (call.arg(0), (call.arg(1) as u32 as usize).min(most));
    let mut found = Vec::new();
    let mut bytes = [0; POLLFD];
    while found.len() < count
        && call.memory.read(call.phase, address.wrapping_add((found.len() * POLLFD) as u64), &mut bytes)
            == POLLFD
    {
        found.push(descriptor(&bytes));
    }
    found
}

/// The descriptors that a select looks at, no more than `most`.
pub(super) fn in_sets(call: &mut Decoder<'_, '_>, most: usize) -> Vec<i32> {
    let count = call.selected();
    let mut found = Vec::new();
    for index in 1..=3 {
        let set = call.read_set(call.arg(index), count).unwrap_or_default();
        found.extend(members(&set, count).map(|fd| fd as i32).take(most - found.len()));
    }
    found
}

/// The descriptors of a set.
fn members(set: &[u8], count: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(|fd| set.get(fd / 8).is_some_and(|byte| byte >> (fd % 8) & 1 != 0))
}

fn write_set(out: &mut Vec<u8>, set: &[u8], count: usize) {
    out.push(b'[');
    let mut is_first = true;
    for fd in members(set, count) {
        if !is_first {
            out.push(b' ');
        }
        is_first = false;
        write_radix(out, fd as u64, 10, 1);
    }
    out.push(b']');
}

/// ` ([{fd=3, revents=POLLIN}], left {tv_sec=0, tv_nsec=5})`, or ` (Timeout)`.
pub(super) fn write_polled(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    if call.event.ret == Some(0) {
        return out.extend_from_slice(b" (Timeout)");
    }
    let (address, count) = (call.arg(0), u64::from(call.arg(1) as u32));
    if address == 0 {
        return;
    }
    out.extend_from_slice(b" ([");
    let mut shown = 0;
    for index in 0..count.min(1 << 16) {
        let mut bytes = [0; POLLFD];
        let at = address.wrapping_add(index * POLLFD as u64);
        if call.memory.read(Phase::Exit, at, &mut bytes) < POLLFD {
            break;
        }
        if descriptor(&bytes) < 0 || events(&bytes, 6) == 0 {
            continue;
        }
        if shown > 0 {
            out.extend_from_slice(b", ");
        }
        if shown >= call.most_elements() {
            out.extend_from_slice(b"...");
            break;
        }
        shown += 1;
        out.extend_from_slice(b"{fd=");
        write_number(out, i64::from(descriptor(&bytes)));
        out.extend_from_slice(b", revents=");
        call.style.constants.bits(out, &POLL, events(&bytes, 6));
        out.push(b'}');
    }
    out.push(b']');
    if call.spec.name != "poll" && call.arg(2) != 0 {
        let layout = if call.spec.name == "ppoll" { &TIMESPEC } else { &TIMESPEC64 };
        let mut left = Vec::new();
        if call.try_layout(&mut left, call.arg(2), layout).is_some() {
            out.extend_from_slice(b", left ");
            out.extend_from_slice(&left);
        }
    }
    out.push(b')');
}

/// ` (in [3], left {tv_sec=0, tv_nsec=5})`, or ` (Timeout)`.
pub(super) fn write_selected(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    if call.event.ret == Some(0) {
        return out.extend_from_slice(b" (Timeout)");
    }
    let count = call.selected();
    let mut told = Vec::new();
    for (index, name) in [(1, "in "), (2, "out "), (3, "except ")] {
        let Some(set) = call.read_set(call.arg(index), count) else { continue };
        if set.iter().all(|&byte| byte == 0) {
            continue;
        }
        separate(&mut told);
        told.extend_from_slice(name.as_bytes());
        write_set(&mut told, &set, count);
    }
    if call.arg(4) != 0 {
        let layout = match call.spec.name {
            "pselect6" => &TIMESPEC,
            "pselect6_time64" => &TIMESPEC64,
            _ => &TIMEVAL,
        };
        separate(&mut told);
        told.extend_from_slice(b"left ");
        call.write_layout(&mut told, call.arg(4), layout);
    }
    out.extend_from_slice(b" (");
    out.extend_from_slice(&told);
    out.push(b')');
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.extend_from_slice(b", ");
    }
}
