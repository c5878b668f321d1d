//! `bpf(2)`: `union bpf_attr` by its command. It is the same for all programs, and grew from version to version, so
//! that as much of it is shown as the program has passed.
//!
//! ```text
//!  command ── COMMANDS ──> a table ([`Layout`]), in a structure of this name or none, before or after the call
//!                            ├─ program   instructions
//!                            └─ info      what the kernel tells of an object
//! ```

mod info;
mod program;

use std::ops::Range;

use super::layout::Show::{Address, Descriptor, Enum, Flags, Hex, Interface, Own, Text, Uint};
use super::layout::Size::{B4, B8};
use super::layout::{Layout, layouts};
use super::net::{word32, word64};
use super::special::Form;
use super::text::{Hex as InHex, write_text};
use super::{Constants, Decoder, Phase};
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{
    BPF_ATTACH_FLAGS, BPF_ATTACH_TYPE, BPF_ELEMENT, BPF_FD_TYPE, BPF_FILE_MODE, BPF_LOCK, BPF_MAP_FLAGS,
    BPF_MAP_TYPE, BPF_MULTI, BPF_PROG_FLAGS, BPF_PROG_TYPE, BPF_QUERY, BPF_TEST, write_hex, write_radix,
};

/// The kernel takes a page (`bpf_check_uarg_tail_zero`).
const MOST: usize = 4096;

layouts! {
    MAP_CREATE: 72/72 {
        always map_type @ 0/0 Enum(&BPF_MAP_TYPE, B4);
        always key_size @ 4/4 Uint(B4);
        always value_size @ 8/8 Uint(B4);
        always max_entries @ 12/12 Uint(B4);
        beyond(16) map_flags @ 16/16 Flags(&BPF_MAP_FLAGS, B4);
        beyond(20) inner_map_fd @ 20/20 Descriptor;
        beyond(24, has_node) numa_node @ 24/24 Own(write_node);
        beyond(28) map_name @ 28/28 Text(16);
        beyond(44) map_ifindex @ 44/44 Interface;
        beyond(48) btf_fd @ 48/48 Descriptor;
        beyond(48) btf_key_type_id @ 52/52 Uint(B4);
        beyond(48) btf_value_type_id @ 56/56 Uint(B4);
        beyond(60) btf_vmlinux_value_type_id @ 60/60 Uint(B4);
        beyond(64) map_extra @ 64/64 Uint(B8);
    }
    MAP_LOOKUP: 32/32 {
        always map_fd @ 0/0 Descriptor;
        always key @ 8/8 Address;
        always value @ 16/16 Address;
        beyond(24) flags @ 24/24 Flags(&BPF_LOCK, B8);
    }
    MAP_UPDATE: 32/32 {
        always map_fd @ 0/0 Descriptor;
        always key @ 8/8 Address;
        always value @ 16/16 Address;
        always flags @ 24/24 Enum(&BPF_ELEMENT, B8);
    }
    MAP_DELETE: 16/16 {
        always map_fd @ 0/0 Descriptor;
        always key @ 8/8 Address;
    }
    MAP_NEXT_KEY: 24/24 {
        always map_fd @ 0/0 Descriptor;
        always key @ 8/8 Address;
        always next_key @ 16/16 Address;
    }
    MAP_FREEZE: 4/4 {
        always map_fd @ 0/0 Descriptor;
    }
    PROG_LOAD: 128/128 {
        always prog_type @ 0/0 Enum(&BPF_PROG_TYPE, B4);
        always insn_cnt @ 4/4 Uint(B4);
        always insns @ 4/4 Own(program::write_loaded);
        always license @ 16/16 Own(write_string);
        beyond(24) log_level @ 24/24 Uint(B4);
        beyond(24) log_size @ 28/28 Uint(B4);
        beyond(24) log_buf @ 28/28 Own(write_log);
        beyond(40) kern_version @ 40/40 Own(write_version);
        beyond(44) prog_flags @ 44/44 Flags(&BPF_PROG_FLAGS, B4);
        beyond(48) prog_name @ 48/48 Text(16);
        beyond(64) prog_ifindex @ 64/64 Interface;
        beyond(68) expected_attach_type @ 68/68 Enum(&BPF_ATTACH_TYPE, B4);
        beyond(72) prog_btf_fd @ 72/72 Descriptor;
        beyond(72) func_info_rec_size @ 76/76 Uint(B4);
        beyond(72) func_info @ 80/80 Address;
        beyond(72) func_info_cnt @ 88/88 Uint(B4);
        beyond(72) line_info_rec_size @ 92/92 Uint(B4);
        beyond(72) line_info @ 96/96 Address;
        beyond(72) line_info_cnt @ 104/104 Uint(B4);
        beyond(108) attach_btf_id @ 108/108 Uint(B4);
        beyond(112) attach_prog_fd @ 112/112 Descriptor;
        beyond(120) fd_array @ 120/120 Address;
    }
    OBJECT: 16/16 {
        always pathname @ 0/0 Own(write_path);
        always bpf_fd @ 8/8 Descriptor;
        beyond(12) file_flags @ 12/12 Flags(&BPF_FILE_MODE, B4);
    }
    ATTACH: 20/20 {
        always target_fd @ 0/0 Descriptor;
        always attach_bpf_fd @ 4/4 Descriptor;
        always attach_type @ 8/8 Enum(&BPF_ATTACH_TYPE, B4);
        always attach_flags @ 12/12 Flags(&BPF_ATTACH_FLAGS, B4);
        beyond(16) replace_bpf_fd @ 16/16 Descriptor;
    }
    DETACH: 12/12 {
        always target_fd @ 0/0 Descriptor;
        always attach_type @ 8/8 Enum(&BPF_ATTACH_TYPE, B4);
    }
    TEST_RUN: 76/76 {
        always prog_fd @ 0/0 Descriptor;
        always retval @ 4/4 Uint(B4);
        always data_size_in @ 8/8 Uint(B4);
        always data_size_out @ 12/12 Uint(B4);
        always data_in @ 16/16 Address;
        always data_out @ 24/24 Address;
        always repeat @ 32/32 Uint(B4);
        always duration @ 36/36 Uint(B4);
        beyond(40) ctx_size_in @ 40/40 Uint(B4);
        beyond(40) ctx_size_out @ 44/44 Uint(B4);
        beyond(40) ctx_in @ 48/48 Address;
        beyond(40) ctx_out @ 56/56 Address;
        beyond(64) flags @ 64/64 Flags(&BPF_TEST, B4);
        beyond(64) cpu @ 68/68 Uint(B4);
        beyond(72) batch_size @ 72/72 Uint(B4);
    }
    NEXT_ID: 12/12 {
        always start_id @ 0/0 Uint(B4);
        always next_id @ 4/4 Own(|call, out, _| write_changed(call, out, 4));
        beyond(8) open_flags @ 8/8 Flags(&BPF_FILE_MODE, B4);
    }
    PROG_ID: 12/12 {
        always prog_id @ 0/0 Uint(B4);
        always next_id @ 4/4 Uint(B4);
        beyond(8) open_flags @ 8/8 Flags(&BPF_FILE_MODE, B4);
    }
    MAP_ID: 12/12 {
        always map_id @ 0/0 Uint(B4);
        always next_id @ 4/4 Uint(B4);
        beyond(8) open_flags @ 8/8 Flags(&BPF_FILE_MODE, B4);
    }
    BTF_ID: 4/4 {
        always btf_id @ 0/0 Uint(B4);
    }
    LINK_ID: 4/4 {
        always link_id @ 0/0 Uint(B4);
    }
    INFO: 16/16 {
        always bpf_fd @ 0/0 Descriptor;
        always info_len @ 4/4 Own(|call, out, _| write_changed(call, out, 4));
        always info @ 0/0 Own(info::write);
    }
    QUERY: 28/28 {
        always target_fd @ 0/0 Descriptor;
        always attach_type @ 4/4 Enum(&BPF_ATTACH_TYPE, B4);
        always query_flags @ 8/8 Flags(&BPF_QUERY, B4);
        always attach_flags @ 12/12 Flags(&BPF_ATTACH_FLAGS, B4);
        always prog_ids @ 16/16 Own(write_program_ids);
        always prog_cnt @ 24/24 Own(|call, out, _| write_changed(call, out, 24));
    }
    RAW_TRACEPOINT: 12/12 {
        always name @ 0/0 Own(write_string);
        always prog_fd @ 8/8 Descriptor;
    }
    BTF_LOAD: 28/28 {
        always btf @ 0/0 Own(write_types);
        always btf_log_buf @ 8/8 Address;
        always btf_size @ 16/16 Uint(B4);
        always btf_log_size @ 20/20 Uint(B4);
        always btf_log_level @ 24/24 Uint(B4);
    }
    TASK_FD: 48/48 {
        always pid @ 0/0 Uint(B4);
        always fd @ 4/4 Descriptor;
        always flags @ 8/8 Uint(B4);
        always buf_len @ 12/12 Own(|call, out, _| write_changed(call, out, 12));
        always buf @ 12/12 Own(write_name);
        always prog_id @ 24/24 Uint(B4);
        always fd_type @ 28/28 Enum(&BPF_FD_TYPE, B4);
        always probe_offset @ 32/32 Hex(B8);
        always probe_addr @ 40/40 Hex(B8);
    }
    BATCH_LOOKUP: 56/56 {
        always in_batch @ 0/0 Address;
        always out_batch @ 8/8 Address;
        always keys @ 16/16 Address;
        always values @ 24/24 Address;
        always count @ 32/32 Uint(B4);
        always map_fd @ 36/36 Descriptor;
        always elem_flags @ 40/40 Flags(&BPF_LOCK, B8);
        always flags @ 48/48 Hex(B8);
    }
    BATCH_UPDATE: 56/56 {
        always keys @ 16/16 Address;
        always values @ 24/24 Address;
        always count @ 32/32 Uint(B4);
        always map_fd @ 36/36 Descriptor;
        always elem_flags @ 40/40 Flags(&BPF_LOCK, B8);
        always flags @ 48/48 Hex(B8);
    }
    BATCH_DELETE: 56/56 {
        always keys @ 16/16 Address;
        always count @ 32/32 Uint(B4);
        always map_fd @ 36/36 Descriptor;
        always elem_flags @ 40/40 Flags(&BPF_LOCK, B8);
        always flags @ 48/48 Hex(B8);
    }
    LINK_CREATE: 48/48 {
        always prog_fd @ 0/0 Descriptor;
        always target_fd @ 4/4 Descriptor;
        always attach_type @ 8/8 Enum(&BPF_ATTACH_TYPE, B4);
        always flags @ 12/12 Hex(B4);
        beyond(16, has_target) target_btf_id @ 16/16 Uint(B4);
        beyond(16, is_iterator) iter_info @ 16/16 Own(write_iterated);
        beyond(16, is_iterator) iter_info_len @ 24/24 Uint(B4);
        beyond(16, is_counter) perf_event @ 16/16 super::layout::Show::Nested(&COUNTER);
        beyond(16, has_probes) kprobe_multi @ 16/16 super::layout::Show::Nested(&PROBES);
    }
    COUNTER: 8/8 {
        always bpf_cookie @ 0/0 Hex(B8);
    }
    PROBES: 32/32 {
        always flags @ 0/0 Flags(&BPF_MULTI, B4);
        always cnt @ 4/4 Uint(B4);
        always syms @ 4/4 Own(|call, out, bytes| write_probes(call, out, bytes, 4, true));
        always addrs @ 4/4 Own(|call, out, bytes| write_probes(call, out, bytes, 12, false));
        always cookies @ 4/4 Own(|call, out, bytes| write_probes(call, out, bytes, 20, false));
    }
    LINK_UPDATE: 16/16 {
        always link_fd @ 0/0 Descriptor;
        always new_prog_fd @ 4/4 Descriptor;
        always flags @ 8/8 Flags(&BPF_ATTACH_FLAGS, B4);
        has(replaces) old_prog_fd @ 12/12 Descriptor;
    }
}

/// A command's number, the member of the union that its structure is, the structure, and whether the kernel fills it.
type Command = (u32, &'static str, &'static Layout, bool);

/// A line a command.
static COMMANDS: [Command; 32] = [
    (0, "", &MAP_CREATE, false),
    (1, "", &MAP_LOOKUP, false),
    (2, "", &MAP_UPDATE, false),
    (3, "", &MAP_DELETE, false),
    (4, "", &MAP_NEXT_KEY, false),
    (5, "", &PROG_LOAD, false),
    (6, "", &OBJECT, false),
    (7, "", &OBJECT, false),
    (8, "", &ATTACH, false),
    (9, "", &DETACH, false),
    (10, "test", &TEST_RUN, false),
    (11, "", &NEXT_ID, true),
    (12, "", &NEXT_ID, true),
    (13, "", &PROG_ID, false),
    (14, "", &MAP_ID, false),
    (15, "info", &INFO, true),
    (16, "query", &QUERY, true),
    (17, "raw_tracepoint", &RAW_TRACEPOINT, false),
    (18, "", &BTF_LOAD, false),
    (19, "", &BTF_ID, false),
    (20, "task_fd_query", &TASK_FD, true),
    (21, "", &MAP_LOOKUP, false),
    (22, "", &MAP_FREEZE, false),
    (23, "", &NEXT_ID, true),
    (24, BATCH, &BATCH_LOOKUP, true),
    (25, BATCH, &BATCH_LOOKUP, true),
    (26, BATCH, &BATCH_UPDATE, true),
    (27, BATCH, &BATCH_DELETE, true),
    (28, "link_create", &LINK_CREATE, false),
    (29, "link_update", &LINK_UPDATE, false),
    (30, "", &LINK_ID, false),
    (31, "", &NEXT_ID, true),
];

/// What works on several elements, and changes how many they are.
const BATCH: &str = "batch";
const BATCH_COUNT: u64 = 32;

fn command(number: u64) -> Option<&'static Command> {
    COMMANDS.iter().find(|(known, ..)| *known == number as u32)
}

/// How the structure is shown.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    if spec.name != "bpf" || index != 1 {
        return None;
    }
    let is_filled = command(event.args[0]).is_some_and(|(.., is_filled)| *is_filled);
    Some(if is_filled { Form::OwnLate(write) } else { Form::Own(write) })
}

/// Whether the call is a command that makes a descriptor, which the table of calls does not know.
pub(super) fn returns_descriptor(event: &Event<'_>, spec: &Spec) -> bool {
    /// `BPF_MAP_CREATE`, `BPF_PROG_LOAD`, `BPF_OBJ_GET`, `BPF_BTF_LOAD`, and those that get one by its id.
    const MAKERS: [u32; 8] = [0, 5, 7, 13, 14, 18, 19, 30];
    spec.name == "bpf" && MAKERS.contains(&(event.args[0] as u32))
}

/// Reads at the entry what is shown, or compared, at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name != "bpf" {
        return;
    }
    match command(call.arg(0)) {
        Some((_, BATCH, ..)) => write(call, &mut Vec::new(), 1),
        Some((.., true)) => {
            if let Some(bytes) = read(call, call.arg(1), call.arg(2)) {
                info::look_ahead(call, &bytes);
            }
        }
        _ => {}
    }
}

/// Bytes of a structure of a size that a program says, with zeros behind them; `None`: they cannot be read, or the
/// kernel would not.
fn read(call: &mut Decoder<'_, '_>, address: u64, size: u64) -> Option<Vec<u8>> {
    let size = usize::try_from(size as u32).ok().filter(|size| (1..=MOST).contains(size))?;
    let mut bytes = vec![0; size];
    let is_looked_at = address != 0 && !call.style.addresses;
    (is_looked_at && call.memory.read(call.phase, address, &mut bytes) == size).then_some(bytes)
}

/// `{map_type=BPF_MAP_TYPE_ARRAY, key_size=4, ...}`
fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let Some((_, group, layout, _)) = command(call.arg(0)) else { return call.write_address(out, address) };
    let now = call.phase;
    if *group == BATCH {
        call.phase = Phase::Entry;
    }
    let bytes = read(call, address, call.arg(index + 1));
    let Some(bytes) = bytes else {
        call.phase = now;
        return call.write_address(out, address);
    };
    out.push(b'{');
    if !group.is_empty() {
        out.extend_from_slice(group.as_bytes());
        out.extend_from_slice(b"={");
    }
    let known = write_known(call, out, layout, &bytes);
    if !group.is_empty() {
        out.push(b'}');
    }
    write_rest(call, out, &bytes, known);
    out.push(b'}');
    call.phase = now;
    if *group == BATCH {
        write_count(call, out);
    }
}

/// The members of a structure, as many as there are; the bytes of them.
fn write_known(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, layout: &Layout, bytes: &[u8]) -> usize {
    let size = layout.size[0];
    let mut whole = bytes.to_vec();
    whole.resize(size.max(bytes.len()), 0);
    call.write_some(out, layout, &whole[..size], bytes.len());
    if std::ptr::eq(layout, &raw const LINK_CREATE) { linked(&whole) } else { size }
}

/// What is behind the members that are known, if any of it is not 0.
fn write_rest(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8], known: usize) {
    let Some(rest) = bytes.get(known..).filter(|rest| rest.iter().any(|&byte| byte != 0)) else { return };
    if !call.style.verbose {
        return out.extend_from_slice(b", ...");
    }
    let Range { start, end } = known..bytes.len();
    out.extend_from_slice(b", extra_data=");
    write_text(out, rest, InHex::All, false);
    out.extend_from_slice(format!(" /* bytes {start}..{} */", end - 1).as_bytes());
}

/// ` => {batch={count=3}}`, if the kernel has changed it.
fn write_count(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let at = call.arg(1).wrapping_add(BATCH_COUNT);
    let is_there = u64::from(call.arg(2) as u32) > BATCH_COUNT;
    let [before, after] = [Phase::Entry, Phase::Exit].map(|phase| call.read_u32_at(phase, at));
    if let Some(after) = after.filter(|_| is_there && before != after) {
        out.extend_from_slice(format!(" => {{batch={{count={after}}}}}").as_bytes());
    }
}

/// A number of the structure, and what it became: `next_id=0 => 17`.
fn write_changed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, at: u64) {
    write_changed_at(call, out, call.arg(1).wrapping_add(at), at + 4 <= u64::from(call.arg(2) as u32));
}

/// The same of any number that is there, or is 0 since the program's structure ends before it.
fn write_changed_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, at: u64, is_there: bool) {
    let mut number = |phase| call.read_u32_at(phase, at).filter(|_| is_there).unwrap_or(0);
    let (before, after) = (number(Phase::Entry), number(Phase::Exit));
    write_radix(out, u64::from(before), 10, 1);
    if after != before {
        out.extend_from_slice(b" => ");
        write_radix(out, u64::from(after), 10, 1);
    }
}

/// `BPF_F_NUMA_NODE`.
fn has_node(attr: &[u8]) -> bool {
    word32(attr, 16) & 4 != 0
}

/// `BPF_F_REPLACE`.
fn replaces(attr: &[u8]) -> bool {
    word32(attr, 8) & 4 != 0
}

fn attach_type(attr: &[u8]) -> u32 {
    word32(attr, 8)
}

fn has_target(attr: &[u8]) -> bool {
    attach_type(attr) == 0 && word32(attr, 16) != 0
}

/// `BPF_TRACE_ITER`.
fn is_iterator(attr: &[u8]) -> bool {
    attach_type(attr) == 28
}

/// `BPF_PERF_EVENT`.
fn is_counter(attr: &[u8]) -> bool {
    attach_type(attr) == 41
}

/// `BPF_TRACE_KPROBE_MULTI`.
fn has_probes(attr: &[u8]) -> bool {
    attach_type(attr) == 42
}

/// How much of the structure of a link is known, by what it is to.
fn linked(attr: &[u8]) -> usize {
    match attach_type(attr) {
        0 => 20,
        28 => 28,
        41 => 24,
        42 => 48,
        _ => 16,
    }
}

/// A string that a NUL byte ends.
fn write_string(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_c_string(out, word64(bytes, 0));
}

fn write_path(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_whole_path(out, word64(bytes, 0));
}

/// `log_buf`, behind its size.
fn write_log(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_string_of(out, word64(bytes, 4), word32(bytes, 0));
}

/// `buf`, behind its size.
fn write_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_string_of(out, word64(bytes, 4), word32(bytes, 0));
}

/// `btf`, before its size.
fn write_types(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_buffer(out, word64(bytes, 0), u64::from(word32(bytes, 16)));
}

/// `KERNEL_VERSION(6, 1, 3)`
pub(super) fn write_version(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let version = word32(bytes, 0);
    let name = format!("KERNEL_VERSION({}, {}, {})", version >> 16, version >> 8 & 0xff, version & 0xff);
    call.style.constants.write(
        out,
        |out| write_hex(out, u64::from(version)),
        |out| out.extend_from_slice(name.as_bytes()),
    );
}

/// The number of a node of memory, or none.
fn write_node(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let node = word32(bytes, 0);
    write_radix(out, node.into(), 10, 1);
    if node == u32::MAX && call.style.constants != Constants::Numbers {
        out.extend_from_slice(b" /* NUMA_NO_NODE */");
    }
}

/// `prog_ids`, before their number.
fn write_program_ids(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (address, count) = (word64(bytes, 0), word32(bytes, 8));
    if !call.succeeded() && count > 0 {
        return call.write_address(out, address);
    }
    write_ids(call, out, address, count);
}

fn write_ids(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u32) {
    call.write_array(out, address, u64::from(count), 4, &mut |_, out, bytes| {
        write_radix(out, u64::from(word32(bytes, 0)), 10, 1);
    });
}

/// `[{map={map_fd=3}}]`
fn write_iterated(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (address, count) = (word64(bytes, 0), word32(bytes, 8));
    call.write_array(out, address, u64::from(count), 4, &mut |call, out, bytes| {
        out.extend_from_slice(b"{map={map_fd=");
        call.write_descriptor(out, word32(bytes, 0).cast_signed());
        out.extend_from_slice(b"}}");
    });
}

/// Names of functions, their addresses, or what goes with them, from where their number stands.
fn write_probes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8], at: usize, are_pointers: bool) {
    let (address, count) = (word64(bytes, at), word32(bytes, 0));
    call.write_array(out, address, u64::from(count), 8, &mut |call, out, bytes| match word64(bytes, 0) {
        pointer if are_pointers => call.write_c_string(out, pointer),
        number => write_hex(out, number),
    });
}
