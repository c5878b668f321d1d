//! What the kernel tells of a map or a program (`BPF_OBJ_GET_INFO_BY_FD`): structures that are passed and filled.

use super::super::Decoder;
use super::super::descriptors::Question;
use super::super::layout::Show::{Address, Device, Enum, Flags, Interface, Own, Text, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::memory::Phase;
use super::super::net::{word32, word64};
use super::super::text::{Hex, write_text};
use super::{program, write_changed_at, write_ids, write_known, write_rest};
use crate::syscall::flags::{BPF_MAP_FLAGS, BPF_MAP_TYPE, BPF_PROG_TYPE, write_radix};

layouts! {
    /// `struct bpf_map_info`.
    MAP: 88/88 {
        always type @ 0/0 Enum(&BPF_MAP_TYPE, B4);
        always id @ 4/4 Uint(B4);
        always key_size @ 8/8 Uint(B4);
        always value_size @ 12/12 Uint(B4);
        always max_entries @ 16/16 Uint(B4);
        always map_flags @ 20/20 Flags(&BPF_MAP_FLAGS, B4);
        beyond(24) name @ 24/24 Text(16);
        beyond(40) ifindex @ 40/40 Interface;
        beyond(40) btf_vmlinux_value_type_id @ 44/44 Uint(B4);
        beyond(40) netns_dev @ 48/48 Device(B8);
        beyond(40) netns_ino @ 56/56 Uint(B8);
        beyond(64) btf_id @ 64/64 Uint(B4);
        beyond(64) btf_key_type_id @ 68/68 Uint(B4);
        beyond(64) btf_value_type_id @ 72/72 Uint(B4);
    }
    /// `struct bpf_prog_info`.
    PROGRAM: 220/220 {
        always type @ 0/0 Enum(&BPF_PROG_TYPE, B4);
        always id @ 4/4 Uint(B4);
        always tag @ 8/8 Own(write_tag);
        always jited_prog_len @ 16/16 Own(|call, out, _| write_changed(call, out, 16));
        always jited_prog_insns @ 16/16 Own(write_machine_code);
        always xlated_prog_len @ 20/20 Own(|call, out, _| write_changed(call, out, 20));
        always xlated_prog_insns @ 20/20 Own(write_instructions);
        beyond(40) load_time @ 40/40 Uint(B8);
        beyond(40) created_by_uid @ 48/48 Uint(B4);
        beyond(40) nr_map_ids @ 52/52 Own(|call, out, _| write_changed(call, out, 52));
        beyond(40) map_ids @ 52/52 Own(write_maps);
        beyond(40) name @ 64/64 Text(16);
        beyond(80) ifindex @ 80/80 Interface;
        beyond(80) gpl_compatible @ 84/84 Own(write_bit);
        beyond(80) netns_dev @ 88/88 Device(B8);
        beyond(80) netns_ino @ 96/96 Uint(B8);
        beyond(104) nr_jited_ksyms @ 104/104 Own(|call, out, _| write_changed(call, out, 104));
        beyond(104) nr_jited_func_lens @ 108/108 Own(|call, out, _| write_changed(call, out, 108));
        beyond(104) jited_ksyms @ 112/112 Address;
        beyond(104) jited_func_lens @ 120/120 Address;
        beyond(128) btf_id @ 128/128 Uint(B4);
        beyond(128) func_info_rec_size @ 132/132 Own(|call, out, _| write_changed(call, out, 132));
        beyond(128) func_info @ 136/136 Address;
        beyond(128) nr_func_info @ 144/144 Own(|call, out, _| write_changed(call, out, 144));
        beyond(128) nr_line_info @ 148/148 Own(|call, out, _| write_changed(call, out, 148));
        beyond(128) line_info @ 152/152 Address;
        beyond(128) jited_line_info @ 160/160 Address;
        beyond(128) nr_jited_line_info @ 168/168 Own(|call, out, _| write_changed(call, out, 168));
        beyond(128) line_info_rec_size @ 172/172 Own(|call, out, _| write_changed(call, out, 172));
        beyond(128) jited_line_info_rec_size @ 176/176 Own(|call, out, _| write_changed(call, out, 176));
        beyond(128) nr_prog_tags @ 180/180 Own(|call, out, _| write_changed(call, out, 180));
        beyond(128) prog_tags @ 184/184 Address;
        beyond(192) run_time_ns @ 192/192 Uint(B8);
        beyond(192) run_cnt @ 200/200 Uint(B8);
        beyond(208) recursion_misses @ 208/208 Uint(B8);
        beyond(216) verified_insns @ 216/216 Uint(B4);
    }
}

/// What is behind a descriptor, and the structure of it.
const KINDS: [(&[u8], &Layout); 2] = [(b"anon_inode:bpf-map", &MAP), (b"anon_inode:bpf-prog", &PROGRAM)];

/// Where `union bpf_attr` has the length and the address of the structure.
const LENGTH: usize = 4;
const ADDRESS: usize = 8;

/// Reads at the entry what the structure has then.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>, attr: &[u8]) {
    if call.style.verbose && call.arg(0) == 15 {
        super::read(call, word64(attr, ADDRESS), u64::from(word32(attr, LENGTH)));
    }
}

/// `info={type=BPF_MAP_TYPE_ARRAY, ...}`, or its address.
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, attr: &[u8]) {
    let address = word64(attr, ADDRESS);
    let layout = if call.style.verbose { kind(call, word32(attr, 0).cast_signed()) } else { None };
    let Some(layout) = layout else { return call.write_address(out, address) };
    match super::read(call, address, u64::from(word32(attr, LENGTH))) {
        Some(bytes) => {
            out.push(b'{');
            let known = write_known(call, out, layout, &bytes);
            write_rest(call, out, &bytes, known);
            out.push(b'}');
        }
        None => call.write_address(out, address),
    }
}

/// What is told of this descriptor.
fn kind(call: &mut Decoder<'_, '_>, fd: i32) -> Option<&'static Layout> {
    let path = call.ask(Question::Path(fd))?;
    KINDS.iter().find(|(name, _)| *name == path).map(|(_, layout)| *layout)
}

/// The address and the length of the structure.
fn place(call: &mut Decoder<'_, '_>) -> (u64, u32) {
    let attr = call.arg(1);
    let mut bytes = [0; 16];
    call.memory.read(call.phase, attr, &mut bytes);
    (word64(&bytes, ADDRESS), word32(&bytes, LENGTH))
}

fn write_changed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, at: u32) {
    let (address, length) = place(call);
    write_changed_at(call, out, address.wrapping_add(u64::from(at)), at + 4 <= length);
}

/// Bytes, each in hexadecimal.
fn write_tag(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_text(out, &bytes[..bytes.len().min(8)], Hex::All, false);
}

/// The lowest bit.
fn write_bit(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_radix(out, u64::from(word32(bytes, 0) & 1), 10, 1);
}

/// `jited_prog_insns`, behind their length and that of the others.
fn write_machine_code(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_buffer_as(out, word64(bytes, 8), u64::from(word32(bytes, 0)), Hex::All);
}

/// `xlated_prog_insns`, behind their length: as many as there was room for.
fn write_instructions(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let at = place(call).0.wrapping_add(20);
    let room = call.read_u32_at(Phase::Entry, at).unwrap_or(0);
    program::write(call, out, word64(bytes, 12), word32(bytes, 0).min(room) / 8);
}

/// `map_ids`, behind their number.
fn write_maps(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (address, count) = (word64(bytes, 4), word32(bytes, 0));
    write_ids(call, out, address, count);
}
