//! What operations on volumes of btrfs point to: items of its trees, paths, inodes and quota groups.

use super::super::layout::Show::{Nested, Own, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::memory::Phase;
use super::super::net::{word32, word64};
use super::super::{Decoder, structures};
use super::volumes;
use crate::syscall::flags::{self, FlagSet, write_radix};

/// Bytes of `struct btrfs_ioctl_search_key`, and of the whole of a search of the first version, which ends with its
/// items; the second has the size of its buffer behind the key, and its items behind that.
const KEY: usize = 104;
const WHOLE: u64 = 4096;
/// Bytes before the values of `struct btrfs_data_container`.
const CONTAINER: u64 = 16;

layouts! {
    /// `struct btrfs_ioctl_search_args`, without its items.
    SEARCH: 104/104 { always key @ 0/0 Nested(&SEARCH_KEY); }
    /// `struct btrfs_ioctl_search_key`.
    SEARCH_KEY: 104/104 {
        always tree_id @ 0/0 Own(write_object);
        v_or(|key| word64(key, 8) != 256) min_objectid @ 8/8 Own(write_object);
        always max_objectid @ 16/16 Own(write_object);
        always min_offset @ 24/24 Own(write_largest);
        always max_offset @ 32/32 Own(write_largest);
        always min_transid @ 40/40 Own(write_largest);
        always max_transid @ 48/48 Own(write_largest);
        always min_type @ 56/56 Own(write_type);
        always max_type @ 60/60 Own(write_type);
        always nr_items @ 64/64 Uint(B4);
    }
    /// What is told of it.
    FOUND: 104/104 { always key @ 0/0 Nested(&FOUND_KEY); }
    FOUND_KEY: 104/104 { always nr_items @ 64/64 Uint(B4); }
    /// `struct btrfs_ioctl_search_header`.
    ITEM: 32/32 {
        always transid @ 0/0 Uint(B8);
        always objectid @ 8/8 Own(write_object);
        always offset @ 16/16 Uint(B8);
        always type @ 24/24 Own(write_type);
        always len @ 28/28 Uint(B4);
    }
    /// `struct btrfs_ioctl_space_info`.
    SPACE: 24/24 {
        always flags @ 0/0 Own(|call, out, bytes| {
            call.style.constants.bits(out, &flags::BLOCK_GROUP, word64(bytes, 0));
        });
        always total_bytes @ 8/8 Uint(B8);
        always used_bytes @ 16/16 Uint(B8);
    }
    /// The head of `struct btrfs_data_container`.
    FILLED: 16/16 {
        always bytes_left @ 0/0 Uint(B4);
        always bytes_missing @ 4/4 Uint(B4);
        always elem_cnt @ 8/8 Uint(B4);
        always elem_missed @ 12/12 Uint(B4);
    }
    /// An inode, and where in it something is.
    INODE: 24/24 {
        always inum @ 0/0 Uint(B8);
        always offset @ 8/8 Uint(B8);
        always root @ 16/16 Uint(B8);
    }
    /// `struct btrfs_qgroup_inherit`.
    INHERITED: 72/72 {
        always flags @ 0/0 Own(|call, out, bytes| {
            call.style.constants.bits(out, &flags::QUOTA_INHERITED, word64(bytes, 0));
        });
        always num_qgroups @ 8/8 Uint(B8);
        always num_ref_copies @ 16/16 Uint(B8);
        always num_excl_copies @ 24/24 Uint(B8);
        always lim @ 32/32 Nested(&volumes::LIMIT);
    }
}

/// A number that is a decimal one, by its name.
pub(super) fn write_decimal(call: &Decoder<'_, '_>, out: &mut Vec<u8>, value: u64, names: &FlagSet) {
    let number = |out: &mut Vec<u8>| write_radix(out, value, 10, 1);
    match names.name(value) {
        Some(name) => call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes())),
        None => number(out),
    }
}

pub(super) fn write_object(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_decimal(call, out, word64(bytes, 0), &flags::VOLUME_OBJECT);
}

fn write_largest(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_decimal(call, out, word64(bytes, 0), &flags::LARGEST);
}

fn write_type(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_decimal(call, out, word32(bytes, 0).into(), &flags::VOLUME_ITEM);
}

/// Whether a search is of the second version, which says how large its buffer is.
fn has_size(call: &Decoder<'_, '_>) -> bool {
    call.arg(1) as u32 == 0xc070_9411
}

/// The key of a search, and the size of its buffer where it is told.
fn read_search(call: &mut Decoder<'_, '_>, phase: Phase, address: u64) -> Option<[u8; KEY + 8]> {
    let mut search = [0; KEY + 8];
    let size = if has_size(call) { KEY + 8 } else { WHOLE as usize };
    let is_looked_at = address != 0 && !call.style.addresses;
    let mut whole = vec![0; size];
    if !is_looked_at || call.memory.read(phase, address, &mut whole) < size {
        return None;
    }
    search.copy_from_slice(&whole[..KEY + 8]);
    Some(search)
}

fn write_size(call: &Decoder<'_, '_>, out: &mut Vec<u8>, search: &[u8]) {
    if has_size(call) {
        out.extend_from_slice(b", buf_size=");
        write_radix(out, word64(search, KEY), 10, 1);
    }
}

/// `{key={...}, buf_size=4096}`
pub(super) fn write_search(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let Some(search) = read_search(call, call.phase, address) else {
        return call.write_address(out, address);
    };
    out.push(b'{');
    call.write_some(out, &SEARCH, &search, usize::MAX);
    write_size(call, out, &search);
    out.push(b'}');
}

/// ` => {key={nr_items=1}, buf=[{...}]}`
pub(super) fn write_found(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.succeeded() || read_search(call, Phase::Entry, address).is_none() {
        return;
    }
    out.extend_from_slice(b" => ");
    let Some(search) = read_search(call, Phase::Exit, address) else {
        return call.write_address(out, address);
    };
    out.push(b'{');
    call.write_some(out, &FOUND, &search, usize::MAX);
    write_size(call, out, &search);
    if call.style.verbose {
        out.extend_from_slice(b", buf=[");
        write_items_found(call, out, address, &search);
        out.push(b']');
    } else {
        out.extend_from_slice(b", ...");
    }
    out.push(b'}');
}

/// The heads of the items: each has its content behind it, of which it tells the size.
fn write_items_found(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, search: &[u8]) {
    let (first, size) =
        if has_size(call) { (KEY + 8, word64(search, KEY)) } else { (KEY, WHOLE - KEY as u64) };
    let mut offset = 0;
    for index in 0..word32(search, 64) {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        let mut item = [0; 32];
        let at = address.wrapping_add(first as u64).wrapping_add(offset);
        let is_inside = offset + item.len() as u64 <= size;
        if !is_inside || call.memory.read(call.phase, at, &mut item) < item.len() {
            return out.extend_from_slice(b"...");
        }
        call.write_members(out, &ITEM, &item);
        offset += 32 + u64::from(word32(&item, 28));
    }
}

/// ` => {total_spaces=1, spaces=[{...}]}`
pub(super) fn write_spaces(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, mut head) = (call.arg(index), [0; 16]);
    let is_told = call.succeeded() && call.was_readable(address, &volumes::SPACE);
    if !is_told || call.memory.read(Phase::Exit, address, &mut head) < head.len() {
        return;
    }
    let (slots, total) = (word64(&head, 0), word64(&head, 8));
    out.extend_from_slice(b" => {total_spaces=");
    write_radix(out, total, 10, 1);
    match slots {
        0 => {}
        _ if !call.style.verbose => out.extend_from_slice(b", ..."),
        _ => {
            out.extend_from_slice(b", spaces=");
            let first = address.wrapping_add(head.len() as u64);
            call.write_array(out, first, total, SPACE.size[0], &mut |call, out, space| {
                call.write_members(out, &SPACE, space);
            });
        }
    }
    out.push(b'}');
}

/// Where something is, in 64 bits.
pub(super) fn write_place(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    super::super::call::write_address64(out, word64(bytes, 0));
}

/// `{bytes_left=5, ..., val=["path"]}`: strings, of which the values are offsets.
pub(super) fn write_paths(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_container(call, out, word64(bytes, 0), |call, out, first, count| {
        call.write_array(out, first, count, 8, &mut |call, out, offset| {
            call.write_c_string(out, first.wrapping_add(word64(offset, 0)));
        });
    });
}

/// `{bytes_left=5, ..., val=[{inum=256, offset=0, root=5}]}`: three values for each.
pub(super) fn write_inodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_container(call, out, word64(bytes, 0), |call, out, first, count| {
        call.write_array(out, first, count / 3, INODE.size[0], &mut |call, out, inode| {
            call.write_members(out, &INODE, inode);
        });
    });
}

fn write_container(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    address: u64,
    write: impl FnOnce(&mut Decoder<'_, '_>, &mut Vec<u8>, u64, u64),
) {
    let mut head = [0; CONTAINER as usize];
    if address == 0 || call.memory.read(call.phase, address, &mut head) < head.len() {
        return super::super::call::write_address64(out, address);
    }
    out.push(b'{');
    call.write_some(out, &FILLED, &head, usize::MAX);
    if call.style.verbose {
        out.extend_from_slice(b", val=");
        write(call, out, address.wrapping_add(CONTAINER), word32(&head, 8).into());
    } else {
        out.extend_from_slice(b", ...");
    }
    out.push(b'}');
}

/// `[256, 5]`: the volumes that what is sent can be taken from, behind their number.
pub(super) fn write_sources(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let address = structures::number(&bytes[8..], call.word_size());
    if !call.style.verbose {
        return call.write_address(out, address);
    }
    call.write_array(out, address, word64(bytes, 0), 8, &mut write_object);
}

/// `{flags=0, ..., qgroups=[5, 6]}`
pub(super) fn write_inherited(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (address, mut head) = (structures::number(bytes, call.word_size()), [0; 72]);
    if address == 0 || call.memory.read(call.phase, address, &mut head) < head.len() {
        return call.write_address(out, address);
    }
    out.push(b'{');
    call.write_some(out, &INHERITED, &head, usize::MAX);
    if call.style.verbose {
        out.extend_from_slice(b", qgroups=");
        let first = address.wrapping_add(head.len() as u64);
        call.write_array(out, first, word64(&head, 8), 8, &mut |_, out, group| {
            write_radix(out, word64(group, 0), 10, 1);
        });
    } else {
        out.extend_from_slice(b", ...");
    }
    out.push(b'}');
}
