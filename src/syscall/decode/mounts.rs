//! Mounts, file systems before they are mounted, and handles of files.

use super::call::word;
use super::layout::Show::{Descriptor, Enum, Flags, Uint};
use super::layout::Size::B8;
use super::layout::layouts;
use super::net::word64;
use super::text::{Hex, write_text};
use super::{Decoder, Phase};
use crate::syscall::flags::{MOUNT_ATTR, PROPAGATION, write_number, write_radix};

layouts! {
    /// `struct mount_attr`.
    MOUNT_ATTRIBUTES: 32/32 {
        always attr_set @ 0/0 Flags(&MOUNT_ATTR, B8);
        always attr_clr @ 8/8 Flags(&MOUNT_ATTR, B8);
        always propagation @ 16/16 Enum(&PROPAGATION, B8);
        has(is_plain) userns_fd @ 24/24 Uint(B8);
        has(is_mapped) userns_fd @ 24/24 Descriptor;
    }
}

/// Whether the ids of a mount are mapped (`MOUNT_ATTR_IDMAP`) by a namespace that a descriptor is of.
fn is_mapped(attributes: &[u8]) -> bool {
    const MAPS: u64 = 0x10_0000;
    let flags = word64(attributes, 0) | word64(attributes, 8);
    flags & MAPS != 0 && i32::try_from(word64(attributes, 24)).is_ok()
}

fn is_plain(attributes: &[u8]) -> bool {
    !is_mapped(attributes)
}

/// `MS_BIND`, `MS_MOVE`, and those that change what is shared (`linux/mount.h`).
const WITHOUT_DATA: u64 = 0x1000 | 0x2000 | 0x2_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000;

/// `MS_REMOUNT`, which has data whatever else there is.
const REMOUNT: u64 = 0x20;

/// The flags of a mount, without the magic number that old programs pass before them.
fn mount_flags(call: &Decoder<'_, '_>) -> u64 {
    const MAGIC: u64 = 0xc0ed_0000;
    const WHERE: u64 = 0xffff_0000;
    let flags = call.arg(3);
    if flags & WHERE == MAGIC { flags & !WHERE } else { flags }
}

/// The type of a file system: text, unless the call is about something that is mounted already.
pub(super) fn write_mount_type(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if mount_flags(call) & (WITHOUT_DATA | REMOUNT) != 0 || !call.is_deep() {
        call.write_address(out, call.arg(index));
    } else {
        call.write_c_string(out, call.arg(index));
    }
}

/// What is for the file system: text, under the same condition.
pub(super) fn write_mount_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let is_without = mount_flags(call) & WITHOUT_DATA != 0 && mount_flags(call) & REMOUNT == 0;
    if address == 0 || is_without {
        call.write_address(out, address);
    } else {
        call.write_c_string(out, address);
    }
}

/// A structure whose size is the next argument.
pub(super) fn write_mount_attributes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let size = word(call.event.abi, call.arg(index + 1));
    call.write_grown(out, call.arg(index), &MOUNT_ATTRIBUTES, size);
}

/// What fsconfig sets, and to what, by the command.
pub(super) fn write_setting(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// strace shows no more.
    const LONGEST: usize = 256;
    let (command, value) = (call.arg(1) as u32, call.arg(index));
    match (command, index) {
        (0..=5, 2) | (1, 3) => call.write_string_within(out, value, LONGEST),
        // FSCONFIG_SET_BINARY; more than this the kernel does not take.
        (2, 3) if call.arg(4) as u32 > 1 << 20 => call.write_address(out, value),
        (2, 3) => call.write_buffer_as(out, value, u64::from(call.arg(4) as u32), Hex::All),
        // FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY.
        (3 | 4, 3) => call.write_whole_path(out, value),
        _ => call.write_address(out, value),
    }
}

/// The id of a mount, which strace tells only together with a handle.
pub(super) fn write_mount_id(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let has_handle = call.read_u32_at(Phase::Entry, call.arg(index - 1)).is_some();
    if call.succeeded() && has_handle {
        call.write_integer(out, call.arg(index), 4);
    } else {
        call.write_address(out, call.arg(index));
    }
}

/// `{handle_bytes=128 => 8, handle_type=1, f_handle="\x13.."}` (`open_by_handle_at(2)`).
pub(super) fn write_handle(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `EOVERFLOW`, `MAX_HANDLE_SZ`.
    const TOO_SMALL: i32 = 75;
    const MOST: usize = 128;
    let address = call.arg(index);
    let Some(size) = call.read_u32_at(Phase::Entry, address).filter(|_| !call.style.addresses) else {
        return call.write_address(out, address);
    };
    out.extend_from_slice(b"{handle_bytes=");
    write_radix(out, u64::from(size), 10, 1);
    let is_filled = call.phase == Phase::Exit;
    let needed = call.read_u32_at(call.phase, address).filter(|&needed| is_filled && needed != size);
    if let Some(needed) = needed.filter(|_| call.succeeded() || call.event.errno() == Some(TOO_SMALL)) {
        out.extend_from_slice(b" => ");
        write_radix(out, u64::from(needed), 10, 1);
    }
    let length = needed.unwrap_or(size) as usize;
    let mut bytes = vec![0; length.min(MOST)];
    let has_handle = !is_filled || call.succeeded();
    if has_handle
        && let Some(kind) = call.read_u32_at(call.phase, address.wrapping_add(4))
        && call.memory.read(call.phase, address.wrapping_add(8), &mut bytes) == bytes.len()
    {
        out.extend_from_slice(b", handle_type=");
        write_number(out, i64::from(kind.cast_signed()));
        out.extend_from_slice(b", f_handle=");
        write_text(out, &bytes, Hex::All, length > bytes.len());
    }
    out.push(b'}');
}
