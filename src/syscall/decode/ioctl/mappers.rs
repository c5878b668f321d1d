//! Operations of the device mapper: a head, the same for all of them, and what is behind it.

use super::super::Decoder;
use super::super::layout::Show::{Device, Flags, Int, Text, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::memory::Phase;
use super::super::net::{word32, word64};
use super::super::text::LONGEST;
use super::Row;
use super::Use::Parts;
use crate::syscall::flags::{MAPPER_FLAGS, write_radix};

const MAPPED: super::Use = Parts(write_passed_head, write_answered_head);

// Numbers of the operations, the last byte.
const REMOVE_ALL: u8 = 0x01;
const LIST_DEVICES: u8 = 0x02;
const DEV_REMOVE: u8 = 0x04;
const DEV_RENAME: u8 = 0x05;
const DEV_SUSPEND: u8 = 0x06;
const DEV_WAIT: u8 = 0x08;
const TABLE_LOAD: u8 = 0x09;
const TABLE_DEPS: u8 = 0x0b;
const TABLE_STATUS: u8 = 0x0c;
const LIST_VERSIONS: u8 = 0x0d;
const TARGET_MESSAGE: u8 = 0x0e;
const SET_GEOMETRY: u8 = 0x0f;

pub(super) static ROWS: &[Row] = &[
    (0xc138_fd00, MAPPED), // DM_VERSION
    (0xc138_fd01, MAPPED), // DM_REMOVE_ALL
    (0xc138_fd02, MAPPED), // DM_LIST_DEVICES
    (0xc138_fd03, MAPPED), // DM_DEV_CREATE
    (0xc138_fd04, MAPPED), // DM_DEV_REMOVE
    (0xc138_fd05, MAPPED), // DM_DEV_RENAME
    (0xc138_fd06, MAPPED), // DM_DEV_SUSPEND
    (0xc138_fd07, MAPPED), // DM_DEV_STATUS
    (0xc138_fd08, MAPPED), // DM_DEV_WAIT
    (0xc138_fd09, MAPPED), // DM_TABLE_LOAD
    (0xc138_fd0a, MAPPED), // DM_TABLE_CLEAR
    (0xc138_fd0b, MAPPED), // DM_TABLE_DEPS
    (0xc138_fd0c, MAPPED), // DM_TABLE_STATUS
    (0xc138_fd0d, MAPPED), // DM_LIST_VERSIONS
    (0xc138_fd0e, MAPPED), // DM_TARGET_MSG
    (0xc138_fd0f, MAPPED), // DM_DEV_SET_GEOMETRY
    (0xc138_fd10, MAPPED), // DM_DEV_ARM_POLL
];

/// Bytes of `struct dm_ioctl` up to its data.
const HEAD: usize = 305;

/// The version of the interface that these structures are of.
const MAJOR: u32 = 4;

layouts! {
    /// The device of `struct dm_ioctl`.
    DEVICE: 305/305 {
        has(has_device) dev @ 40/40 Device(B8);
        has(has_name) name @ 48/48 Text(128);
        has(has_uuid) uuid @ 176/176 Text(129);
    }
    START: 305/305 { always data_start @ 16/16 Uint(B4); }
    TARGETS: 305/305 { always target_count @ 20/20 Uint(B4); }
    EVENT: 305/305 { always event_nr @ 32/32 Uint(B4); }
    /// What is told of a device.
    STATE: 305/305 {
        always target_count @ 20/20 Uint(B4);
        always open_count @ 24/24 Int(B4);
        always event_nr @ 32/32 Uint(B4);
    }
    STATE_FLAGS: 305/305 { always flags @ 28/28 Flags(&MAPPER_FLAGS, B4); }
    /// `struct dm_target_spec`.
    TARGET: 40/40 {
        always sector_start @ 0/0 Uint(B8);
        always length @ 8/8 Uint(B8);
        filled status @ 16/16 Int(B4);
        always target_type @ 24/24 Text(16);
    }
    /// `struct dm_target_msg`.
    MESSAGE: 8/8 { always sector @ 0/0 Uint(B8); }
}

fn has_device(head: &[u8]) -> bool {
    word64(head, 40) != 0
}

fn has_name(head: &[u8]) -> bool {
    head.get(48).is_some_and(|&byte| byte != 0)
}

fn has_uuid(head: &[u8]) -> bool {
    head.get(176).is_some_and(|&byte| byte != 0)
}

/// What an operation has behind its head.
struct Data {
    address: u64,
    start: u32,
    /// Bytes, with the head.
    size: u32,
    targets: u32,
}

impl Data {
    fn of(head: &[u8], address: u64) -> Self {
        Self { address, start: word32(head, 16), size: word32(head, 12), targets: word32(head, 20) }
    }

    /// The end of so many bytes at an offset, if they are in the data.
    fn end(&self, offset: u64, size: usize) -> Option<u64> {
        let end = offset + size as u64;
        (end <= u64::from(self.size)).then_some(end)
    }

    fn at(&self, offset: u64) -> u64 {
        self.address.wrapping_add(offset)
    }
}

fn read_head(call: &mut Decoder<'_, '_>, phase: Phase, address: u64) -> Option<[u8; HEAD]> {
    let mut head = [0; HEAD];
    let is_looked_at = address != 0 && !call.style.addresses;
    let is_there = is_looked_at && call.memory.read(phase, address, &mut head) == HEAD;
    // One that says it has no bytes is none to strace.
    (is_there && word32(&head, 12) != 0).then_some(head)
}

fn write_passed_head(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match read_head(call, call.phase, address) {
        Some(head) => write_head(call, out, &head, address),
        // strace takes it for a number where it takes nothing apart.
        None if address == 0 => out.push(b'0'),
        None => call.write_address(out, address),
    }
}

/// ` => [{version=[4, 47, 0], ...}]`
fn write_answered_head(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.succeeded() || read_head(call, Phase::Entry, address).is_none() {
        return;
    }
    out.extend_from_slice(b" => ");
    match read_head(call, call.phase, address) {
        Some(head) => write_head(call, out, &head, address),
        None => call.write_address(out, address),
    }
}

fn write_head(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, head: &[u8; HEAD], address: u64) {
    out.extend_from_slice(b"[{version=");
    write_version(out, head);
    let data = Data::of(head, address);
    if word32(head, 0) != MAJOR {
        return out.extend_from_slice(b" /* unsupported device mapper ABI version */}]");
    }
    out.extend_from_slice(b", data_size=");
    write_radix(out, data.size.into(), 10, 1);
    if (data.size as usize) < HEAD {
        return out.extend_from_slice(b" /* data_size too small */}]");
    }
    write_about(call, out, head);
    out.push(b'}');
    write_data(call, out, &data);
    out.push(b']');
}

/// `[4, 1, 2]`
fn write_version(out: &mut Vec<u8>, version: &[u8]) {
    for index in 0..3 {
        out.extend_from_slice(if index == 0 { b"[" } else { b", " });
        write_radix(out, word32(version, 4 * index).into(), 10, 1);
    }
    out.push(b']');
}

/// The number of the operation in hand.
fn operation(call: &Decoder<'_, '_>) -> u8 {
    call.arg(1) as u8
}

/// `, dev=makedev(0xfd, 0), name="root", flags=0`: what of the head belongs to the operation.
fn write_about(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, head: &[u8; HEAD]) {
    let operation = operation(call);
    let has_start = matches!(
        operation,
        LIST_DEVICES | DEV_RENAME | DEV_WAIT
            ..=TABLE_LOAD | TABLE_DEPS | TABLE_STATUS | LIST_VERSIONS | TARGET_MESSAGE | SET_GEOMETRY
    );
    let has_device = !matches!(operation, REMOVE_ALL | LIST_DEVICES | LIST_VERSIONS);
    let is_suspended = word32(head, 28) & 2 != 0;
    let about = match (call.phase, operation) {
        (Phase::Entry, TABLE_LOAD) => Some(&TARGETS),
        (Phase::Entry, DEV_SUSPEND) if is_suspended => None,
        (Phase::Entry, DEV_SUSPEND | DEV_RENAME | DEV_REMOVE | DEV_WAIT) => Some(&EVENT),
        (Phase::Exit, 0x03 | DEV_RENAME..=TARGET_MESSAGE) if operation != LIST_VERSIONS => Some(&STATE),
        _ => None,
    };
    let parts = [has_start.then_some(&START), has_device.then_some(&DEVICE), about, Some(&STATE_FLAGS)];
    for layout in parts.into_iter().flatten() {
        call.write_some(out, layout, head, usize::MAX);
    }
}

fn write_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    let write: fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &Data) = match (call.phase, operation(call)) {
        (Phase::Entry, TABLE_LOAD) | (Phase::Exit, TABLE_STATUS) if data.targets == 0 => return,
        (Phase::Entry, TABLE_LOAD) | (Phase::Exit, TABLE_STATUS) => write_targets,
        (Phase::Entry, TARGET_MESSAGE) => write_message,
        (Phase::Entry, DEV_RENAME | SET_GEOMETRY) => write_string,
        (Phase::Exit, TABLE_DEPS) => write_dependencies,
        (Phase::Exit, LIST_DEVICES) => write_devices,
        (Phase::Exit, LIST_VERSIONS) => write_versions,
        _ => return,
    };
    if call.style.verbose {
        write(call, out, data);
    } else {
        out.extend_from_slice(b", ...");
    }
}

fn write_misplaced(out: &mut Vec<u8>, what: &str) {
    out.extend_from_slice(b"??? /* misplaced ");
    out.extend_from_slice(what.as_bytes());
    out.extend_from_slice(b" */");
}

/// A string that ends with a NUL byte or with the data.
fn write_rest(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data, offset: u64) {
    let room = usize::try_from(u64::from(data.size).saturating_sub(offset)).unwrap_or(usize::MAX);
    let size = room.min(LONGEST);
    let shown = size.min(call.style.strings);
    let mut bytes = vec![0; size.min(shown + 1)];
    let read = call.memory.read(call.phase, data.at(offset), &mut bytes);
    match bytes[..read].iter().position(|&byte| byte == 0) {
        Some(end) => call.write_text(out, &bytes[..end.min(shown)], end > shown),
        None if read < bytes.len() => call.write_address(out, data.at(offset)),
        None => call.write_text(out, &bytes[..shown], size > shown),
    }
}

/// What a list of structures, which each tell where the next one is, has in a place: its bytes, and where they end.
/// `None` where the list is at its end, for there are not as many bytes or they cannot be read.
fn next_item<const N: usize>(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    data: &Data,
    offset: u64,
    what: &str,
) -> Option<([u8; N], u64)> {
    out.extend_from_slice(b", ");
    let Some(end) = data.end(offset, N) else {
        write_misplaced(out, what);
        return None;
    };
    let mut bytes = [0; N];
    if call.memory.read(call.phase, data.at(offset), &mut bytes) < N {
        call.write_address(out, data.at(offset));
        return None;
    }
    Some((bytes, end))
}

/// `, {sector_start=0, length=32, target_type="linear", string="8:0 0"}`
fn write_targets(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    const WHAT: &str = "struct dm_target_spec";
    let start = u64::from(data.start);
    let mut offset = start;
    for index in 0..data.targets as usize {
        if index >= call.style.strings {
            return out.extend_from_slice(b", ...");
        }
        let Some((target, end)) = next_item::<40>(call, out, data, offset, WHAT) else { return };
        call.write_members(out, &TARGET, &target);
        out.pop();
        out.extend_from_slice(b", string=");
        write_rest(call, out, data, end);
        out.push(b'}');
        let from = if call.phase == Phase::Entry { offset } else { start };
        offset = from + u64::from(word32(&target, 20));
        if offset < end && index + 1 < data.targets as usize {
            out.extend_from_slice(b", ");
            return write_misplaced(out, WHAT);
        }
    }
}

/// `, {sector=0, message="resume"}`
fn write_message(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    let item = next_item::<8>(call, out, data, data.start.into(), "struct dm_target_msg");
    let Some((message, end)) = item else { return };
    call.write_members(out, &MESSAGE, &message);
    out.pop();
    out.extend_from_slice(b", message=");
    write_rest(call, out, data, end);
    out.push(b'}');
}

/// `, {string="root"}`
fn write_string(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    if data.start > data.size {
        out.extend_from_slice(b", ");
        return write_misplaced(out, "string");
    }
    out.extend_from_slice(b", {string=");
    write_rest(call, out, data, data.start.into());
    out.push(b'}');
}

/// `, {count=1, deps=[makedev(0x8, 0x1)]}`
fn write_dependencies(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    const WHAT: &str = "struct dm_target_deps";
    let Some((head, end)) = next_item::<8>(call, out, data, data.start.into(), WHAT) else { return };
    let count = u64::from(word32(&head, 0));
    if count > (u64::from(data.size) - end) / 8 {
        return write_misplaced(out, WHAT);
    }
    out.extend_from_slice(b"{count=");
    write_radix(out, count, 10, 1);
    out.extend_from_slice(b", deps=");
    call.write_array(out, data.at(end), count, 8, &mut |call, out, device| {
        call.style.constants.device(out, word64(device, 0));
    });
    out.push(b'}');
}

/// `, {dev=makedev(0xfd, 0), name="root"}`
fn write_devices(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    write_list::<12>(call, out, data, "struct dm_name_list", |call, out, item, name| {
        out.extend_from_slice(b"{dev=");
        call.style.constants.device(out, word64(item, 0));
        out.extend_from_slice(b", name=");
        write_rest(call, out, data, name);
        out.push(b'}');
        word32(item, 8)
    });
}

/// `, {name="linear", version=[1, 4, 0]}`
fn write_versions(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &Data) {
    write_list::<16>(call, out, data, "struct dm_target_versions", |call, out, item, name| {
        out.extend_from_slice(b"{name=");
        write_rest(call, out, data, name);
        out.extend_from_slice(b", version=");
        write_version(out, &item[4..]);
        out.push(b'}');
        word32(item, 0)
    });
}

/// A list of what is written with its bytes and the offset behind them, and says how far it is to the next one.
fn write_list<const N: usize>(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    data: &Data,
    what: &str,
    mut write: impl FnMut(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8; N], u64) -> u32,
) {
    let mut offset = u64::from(data.start);
    for _ in 0..call.style.strings {
        let Some((item, end)) = next_item::<N>(call, out, data, offset, what) else { return };
        let distance = write(call, out, &item, end);
        if distance == 0 {
            return;
        }
        offset += u64::from(distance);
        if offset < end {
            out.extend_from_slice(b", ");
            return write_misplaced(out, what);
        }
    }
    out.extend_from_slice(b", ...");
}
