//! Operations on files and file systems.

use super::super::layout::Show::{Descriptor, Flags, Hex, Int, Uint};
use super::super::layout::Size::{B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::word16;
use super::super::text::write_text;
use super::super::{Decoder, Phase};
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, What};
use crate::syscall::flags::{EXTENT, EXTENT_MAP, EXTENT_STATE, INODE_FLAGS};

pub(super) static ROWS: &[Row] = &[
    (0xc004_5877, Nothing),                              // FIFREEZE
    (0xc004_5878, Nothing),                              // FITHAW
    (0xc018_5879, In(What::Of(&TRIMMED))),               // FITRIM
    (0x801c_581f, Out(What::Of(&EXTENDED))),             // FS_IOC_FSGETXATTR
    (0x401c_5820, In(What::Of(&EXTENDED_SET))),          // FS_IOC_FSSETXATTR
    (0x8008_6601, Out(What::Bits(&INODE_FLAGS))),        // FS_IOC_GETFLAGS
    (0x4008_6602, In(What::Bits(&INODE_FLAGS))),         // FS_IOC_SETFLAGS
    (0x8004_6601, Out(What::Bits(&INODE_FLAGS))),        // FS_IOC32_GETFLAGS
    (0x4004_6602, In(What::Bits(&INODE_FLAGS))),         // FS_IOC32_SETFLAGS
    (0xc020_660b, Parts(write_map_wanted, write_map)),   // FS_IOC_FIEMAP
    (0x4004_9409, In(What::Value)),                      // FICLONE
    (0x4020_940d, In(What::Of(&CLONED))),                // FICLONERANGE
    (0xc018_9436, Parts(write_same_wanted, write_same)), // FIDEDUPERANGE
    (0x8100_9431, Out(What::Own(write_label))),          // FS_IOC_GETFSLABEL
    (0x4100_9432, In(What::Own(write_label))),           // FS_IOC_SETFSLABEL
];

layouts! {
    /// `struct fstrim_range`.
    TRIMMED: 24/24 {
        always start @ 0/0 Hex(B8);
        always len @ 8/8 Uint(B8);
        always minlen @ 16/16 Uint(B8);
    }
    /// `struct fsxattr`.
    EXTENDED: 28/28 {
        always fsx_xflags @ 0/0 Flags(&EXTENT, B4);
        always fsx_extsize @ 4/4 Uint(B4);
        always fsx_nextents @ 8/8 Uint(B4);
        always fsx_projid @ 12/12 Hex(B4);
        always fsx_cowextsize @ 16/16 Uint(B4);
    }
    /// The same where it is passed.
    EXTENDED_SET: 28/28 {
        always fsx_xflags @ 0/0 Flags(&EXTENT, B4);
        always fsx_extsize @ 4/4 Uint(B4);
        always fsx_projid @ 12/12 Hex(B4);
        always fsx_cowextsize @ 16/16 Uint(B4);
    }
    /// `struct file_clone_range`.
    CLONED: 32/32 {
        always src_fd @ 0/0 Descriptor;
        always src_offset @ 8/8 Uint(B8);
        always src_length @ 16/16 Uint(B8);
        always dest_offset @ 24/24 Uint(B8);
    }
    /// `struct fiemap`: what is asked for.
    MAP_WANTED: 32/32 {
        always fm_start @ 0/0 Uint(B8);
        always fm_length @ 8/8 Uint(B8);
        always fm_flags @ 16/16 Flags(&EXTENT_MAP, B4);
        always fm_extent_count @ 24/24 Uint(B4);
    }
    /// What is told.
    MAP: 32/32 {
        always fm_flags @ 16/16 Flags(&EXTENT_MAP, B4);
        always fm_mapped_extents @ 20/20 Uint(B4);
    }
    /// `struct fiemap_extent`.
    MAPPED: 56/56 {
        always fe_logical @ 0/0 Uint(B8);
        always fe_physical @ 8/8 Uint(B8);
        always fe_length @ 16/16 Uint(B8);
        always fe_flags @ 40/40 Flags(&EXTENT_STATE, B4);
    }
    /// `struct file_dedupe_range`.
    SAME: 24/24 {
        always src_offset @ 0/0 Uint(B8);
        always src_length @ 8/8 Uint(B8);
        always dest_count @ 16/16 Uint(B2);
    }
    /// `struct file_dedupe_range_info`: where it is to be the same.
    SAME_WHERE: 32/32 {
        always dest_fd @ 0/0 Descriptor;
        always dest_offset @ 8/8 Uint(B8);
    }
    /// What came of it.
    SAME_RESULT: 32/32 {
        always bytes_deduped @ 16/16 Uint(B8);
        always status @ 24/24 Int(B4);
    }
}

/// Bytes of a file system's name (`FSLABEL_MAX`).
const LABEL: usize = 256;

fn write_label(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut label = [0; LABEL];
    if address == 0 || call.memory.read(call.phase, address, &mut label) < LABEL {
        return call.write_address(out, address);
    }
    let end = label.iter().position(|&byte| byte == 0);
    let shown = end.unwrap_or(LABEL - 1);
    write_text(out, &label[..shown], call.style.hex, end.is_none());
}

fn write_map_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_layout(out, call.arg(index), &MAP_WANTED);
}

/// ` => {fm_flags=0, fm_mapped_extents=1, ...}`
fn write_map(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &MAP_WANTED) || !call.succeeded() {
        return;
    }
    out.extend_from_slice(b" => ");
    if call.try_layout(out, address, &MAP).is_none() {
        return call.write_address(out, address);
    }
    out.pop();
    if call.style.verbose {
        let count = call.read_u32_at(Phase::Exit, address.wrapping_add(20)).unwrap_or(0);
        out.extend_from_slice(b", fm_extents=");
        let first = address.wrapping_add(MAP.size[0] as u64);
        call.write_array(out, first, count.into(), MAPPED.size[0], &mut |call, out, bytes| {
            call.write_members(out, &MAPPED, bytes);
        });
    } else {
        out.extend_from_slice(b", ...");
    }
    out.push(b'}');
}

/// How many ranges there are, where that can be read.
fn same_count(call: &mut Decoder<'_, '_>, phase: Phase, address: u64) -> u16 {
    let mut head = [0; 24];
    let read = call.memory.read(phase, address, &mut head);
    word16(&head[..read], 16)
}

fn write_same_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if call.try_layout(out, address, &SAME).is_none() {
        return call.write_address(out, address);
    }
    out.pop();
    out.extend_from_slice(b", info=");
    write_ranges(call, out, address, &SAME_WHERE);
    out.push(b'}');
}

/// ` => {info=[{bytes_deduped=4096, status=0}]}`
fn write_same(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &SAME) || !call.succeeded() {
        return;
    }
    // strace tells nothing where the ranges that were passed could not all be read.
    let count = same_count(call, Phase::Entry, address);
    let first = address.wrapping_add(SAME.size[0] as u64);
    if count > 0 && !call.was_whole(first, shown(call, count).into(), SAME_WHERE.size[0]) {
        return;
    }
    out.extend_from_slice(b" => {info=");
    write_ranges(call, out, address, &SAME_RESULT);
    out.push(b'}');
}

/// How many of so many ranges are shown.
fn shown(call: &Decoder<'_, '_>, count: u16) -> u16 {
    if call.style.verbose { count } else { count.min(2) }
}

/// The ranges behind the head, two of them unless all are to be shown.
fn write_ranges(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    address: u64,
    layout: &super::super::layout::Layout,
) {
    let phase = call.phase;
    let count = same_count(call, phase, address);
    let shown = shown(call, count);
    let first = address.wrapping_add(SAME.size[0] as u64);
    call.write_array(out, first, shown.into(), layout.size[0], &mut |call, out, bytes| {
        call.write_members(out, layout, bytes);
    });
    if shown < count && out.ends_with(b"]") {
        out.pop();
        out.extend_from_slice(b", ...]");
    }
}
