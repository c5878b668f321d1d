//! `io_uring_setup(2)` and `io_uring_register(2)`. Their structures are the same for all programs.

use super::layout::Show::{Address, Flags, Hex, Int, Nested, Own, Uint, Words};
use super::layout::Size::{B1, B2, B4, B8};
use super::layout::{Layout, layouts};
use super::net::{word16, word32, word64};
use super::special::Form;
use super::{Decoder, Phase};
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{
    FlagSet, IO_URING_REGISTER, URING_FEATURES, URING_OP, URING_OP_FLAGS, URING_RESOURCE, URING_RESTRICTION,
    URING_SETUP, URING_SQE_FLAGS, URING_WORKERS, write_hex, write_number, write_radix,
};

layouts! {
    /// `struct io_uring_params`, as much of it as is passed.
    PARAMS: 120/120 {
        always flags @ 8/8 Flags(&URING_SETUP, B4);
        always sq_thread_cpu @ 12/12 Hex(B4);
        always sq_thread_idle @ 16/16 Uint(B4);
        has(attaches) wq_fd @ 24/24 super::layout::Show::Descriptor;
        set(12) resv @ 28/28 Words(B4, 3);
    }
    /// All of it.
    PARAMS_FILLED: 120/120 {
        always flags @ 8/8 Flags(&URING_SETUP, B4);
        always sq_thread_cpu @ 12/12 Hex(B4);
        always sq_thread_idle @ 16/16 Uint(B4);
        has(attaches) wq_fd @ 24/24 super::layout::Show::Descriptor;
        set(12) resv @ 28/28 Words(B4, 3);
        always sq_entries @ 0/0 Uint(B4);
        always cq_entries @ 4/4 Uint(B4);
        always features @ 20/20 Flags(&URING_FEATURES, B4);
        always sq_off @ 40/40 Nested(&SUBMISSIONS);
        always cq_off @ 80/80 Nested(&COMPLETIONS);
    }
    /// `struct io_sqring_offsets`.
    SUBMISSIONS: 40/40 {
        always head @ 0/0 Uint(B4);
        always tail @ 4/4 Uint(B4);
        always ring_mask @ 8/8 Uint(B4);
        always ring_entries @ 12/12 Uint(B4);
        always flags @ 16/16 Uint(B4);
        always dropped @ 20/20 Uint(B4);
        always array @ 24/24 Uint(B4);
        set(4) resv1 @ 28/28 Hex(B4);
        set(8) resv2 @ 32/32 Hex(B8);
    }
    /// `struct io_cqring_offsets`.
    COMPLETIONS: 40/40 {
        always head @ 0/0 Uint(B4);
        always tail @ 4/4 Uint(B4);
        always ring_mask @ 8/8 Uint(B4);
        always ring_entries @ 12/12 Uint(B4);
        always overflow @ 16/16 Uint(B4);
        always cqes @ 20/20 Uint(B4);
        always flags @ 24/24 Uint(B4);
        set(4) resv1 @ 28/28 Hex(B4);
        set(8) resv2 @ 32/32 Hex(B8);
    }
    /// `struct io_uring_files_update`.
    FILES_UPDATE: 16/16 {
        always offset @ 0/0 Uint(B4);
        set(4) resv @ 4/4 Hex(B4);
        always fds @ 8/8 Own(write_files);
    }
    /// `struct io_uring_probe` without its operations.
    PROBE: 16/16 {
        always last_op @ 0/0 Own(write_operation);
        always ops_len @ 1/1 Uint(B1);
        set(2) resv @ 2/2 Hex(B2);
        set(12) resv2 @ 4/4 Words(B4, 3);
    }
    /// `struct io_uring_probe_op`.
    PROBE_OP: 8/8 {
        always op @ 0/0 Own(write_operation);
        set(1) resv @ 1/1 Hex(B1);
        always flags @ 2/2 Flags(&URING_OP_FLAGS, B2);
        set(4) resv2 @ 4/4 Hex(B4);
    }
    /// `struct io_uring_restriction` behind what it is of.
    RESTRICTION: 16/16 {
        set(1) resv @ 3/3 Hex(B1);
        set(12) resv2 @ 4/4 Words(B4, 3);
    }
    /// `struct io_uring_rsrc_register`.
    RESOURCES: 32/32 {
        always nr @ 0/0 Uint(B4);
        always flags @ 4/4 Flags(&URING_RESOURCE, B4);
        set(8) resv2 @ 8/8 Hex(B8);
        always data @ 16/16 Own(write_registered);
        always tags @ 24/24 Own(write_registered_tags);
    }
    /// `struct io_uring_rsrc_update2`, from its third member on.
    RESOURCES_UPDATE: 32/32 {
        always offset @ 0/0 Uint(B4);
        set(4) resv @ 4/4 Hex(B4);
        always data @ 8/8 Own(write_updated);
        always tags @ 16/16 Own(write_updated_tags);
        always nr @ 24/24 Uint(B4);
        set(4) resv2 @ 28/28 Hex(B4);
    }
    /// `struct io_uring_rsrc_update` with a ring in it.
    RING: 16/16 {
        always offset @ 0/0 Int(B4);
        set(4) resv @ 4/4 Hex(B4);
        always data @ 8/8 super::layout::Show::Descriptor;
    }
    /// The same without.
    NO_RING: 16/16 {
        always offset @ 0/0 Int(B4);
        set(4) resv @ 4/4 Hex(B4);
        set(8) data @ 8/8 Hex(B8);
    }
    /// `struct io_uring_buf_reg`.
    BUFFERS: 40/40 {
        always ring_addr @ 0/0 Address;
        always ring_entries @ 8/8 Uint(B4);
        always bgid @ 12/12 Uint(B2);
        set(2) pad @ 14/14 Hex(B2);
        set(24) resv @ 16/16 Words(B8, 3);
    }
}

/// Opcodes of `io_uring_register`.
mod opcode {
    pub(super) const BUFFERS: u32 = 0;
    pub(super) const FILES: u32 = 2;
    pub(super) const EVENTFD: u32 = 4;
    pub(super) const FILES_UPDATE: u32 = 6;
    pub(super) const EVENTFD_ASYNC: u32 = 7;
    pub(super) const PROBE: u32 = 8;
    pub(super) const RESTRICTIONS: u32 = 11;
    pub(super) const FILES2: u32 = 13;
    pub(super) const FILES_UPDATE2: u32 = 14;
    pub(super) const BUFFERS2: u32 = 15;
    pub(super) const BUFFERS_UPDATE: u32 = 16;
    pub(super) const WORKERS_AFFINITY: u32 = 17;
    pub(super) const MOST_WORKERS: u32 = 19;
    pub(super) const RING_FDS: u32 = 20;
    pub(super) const NO_RING_FDS: u32 = 21;
    pub(super) const BUFFER_RING: u32 = 22;
    pub(super) const NO_BUFFER_RING: u32 = 23;
}

/// How an argument of one of these calls is shown.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    match (spec.name, index) {
        ("io_uring_setup", 1) => Some(Form::OwnLate(write_params)),
        ("io_uring_register", 2) => match event.args[1] as u32 {
            opcode::PROBE | opcode::MOST_WORKERS => Some(Form::OwnLate(write_registration)),
            _ => Some(Form::Own(write_registration)),
        },
        _ => None,
    }
}

/// Reads at the entry what is shown, or compared, at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name == "io_uring_register" {
        match call.arg(1) as u32 {
            opcode::MOST_WORKERS => write_workers(call, &mut Vec::new()),
            opcode::PROBE => write_registration(call, &mut Vec::new(), 2),
            _ => {}
        }
    }
}

/// Whether the ring uses the workers of another (`IORING_SETUP_ATTACH_WQ`).
fn attaches(params: &[u8]) -> bool {
    word32(params, 8) & 0x20 != 0
}

fn write_params(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let layout = if call.succeeded() { &PARAMS_FILLED } else { &PARAMS };
    call.write_layout(out, call.arg(index), layout);
}

/// What is registered, by the opcode. A line or two for each.
fn write_registration(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, count) = (call.arg(index), u64::from(call.arg(index + 1) as u32));
    match call.arg(1) as u32 {
        opcode::BUFFERS => write_buffers(call, out, address, count),
        opcode::FILES | opcode::EVENTFD | opcode::EVENTFD_ASYNC => {
            call.write_descriptors(out, address, count, 4);
        }
        opcode::FILES_UPDATE => call.write_layout(out, address, &FILES_UPDATE),
        opcode::PROBE => write_probe(call, out, address, count),
        opcode::RESTRICTIONS => {
            call.write_array(out, address, count, RESTRICTION.size[0], &mut write_restriction);
        }
        opcode::FILES2 | opcode::BUFFERS2 => call.write_grown(out, address, &RESOURCES, count),
        opcode::FILES_UPDATE2 | opcode::BUFFERS_UPDATE => {
            call.write_grown(out, address, &RESOURCES_UPDATE, count);
        }
        opcode::WORKERS_AFFINITY => call.write_cpu_set(out, address, count),
        opcode::MOST_WORKERS => write_most_workers(call, out, address),
        opcode::RING_FDS => write_rings(call, out, address, count, &RING),
        opcode::NO_RING_FDS => write_rings(call, out, address, count, &NO_RING),
        opcode::BUFFER_RING | opcode::NO_BUFFER_RING => call.write_layout(out, address, &BUFFERS),
        _ => call.write_address(out, address),
    }
}

fn write_rings(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64, layout: &Layout) {
    call.write_array(out, address, count, layout.size[0], &mut |call, out, bytes| {
        call.write_members(out, layout, bytes);
    });
}

fn write_buffers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64) {
    call.write_iovecs(out, address, count, 0, false, None);
}

/// Descriptors of which the number is an argument of the call.
fn write_files(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    /// In the place of a descriptor that stays as it is.
    const SKIPPED: i32 = -2;
    let count = u64::from(call.arg(3) as u32);
    call.write_array(out, word64(bytes, 0), count, 4, &mut |call, out, bytes| match word32(bytes, 0)
        .cast_signed()
    {
        SKIPPED => {
            let number = |out: &mut Vec<u8>| write_number(out, i64::from(SKIPPED));
            let name = |out: &mut Vec<u8>| out.extend_from_slice(b"IORING_REGISTER_FILES_SKIP");
            call.style.constants.write(out, number, name);
        }
        fd => call.write_descriptor(out, fd),
    });
}

/// Descriptors or buffers, as the opcode says.
fn write_resources(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u32) {
    match call.arg(1) as u32 {
        opcode::FILES2 | opcode::FILES_UPDATE2 => call.write_descriptors(out, address, u64::from(count), 4),
        _ => write_buffers(call, out, address, u64::from(count)),
    }
}

fn write_tags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u32) {
    call.write_array(out, address, u64::from(count), 8, &mut |_, out, bytes| {
        write_hex(out, word64(bytes, 0));
    });
}

/// `data` of `struct io_uring_rsrc_register`, whose number stands before it.
fn write_registered(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let count = member(call, 0);
    write_resources(call, out, word64(bytes, 0), count);
}

fn write_registered_tags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let count = member(call, 0);
    write_tags(call, out, word64(bytes, 0), count);
}

/// `data` of `struct io_uring_rsrc_update2`, whose number stands behind it.
fn write_updated(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_resources(call, out, word64(bytes, 0), word32(bytes, 16));
}

fn write_updated_tags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_tags(call, out, word64(bytes, 0), word32(bytes, 8));
}

/// A member of the structure that the call is passed.
fn member(call: &mut Decoder<'_, '_>, at: u64) -> u32 {
    call.read_u32_at(call.phase, call.arg(2).wrapping_add(at)).unwrap_or(0)
}

/// `IORING_OP_NOP`, or `77 /* IORING_OP_??? */`.
fn write_operation(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let operation = u64::from(bytes.first().copied().unwrap_or(0));
    write_decimal(call, out, &URING_OP, operation);
}

/// A named number that is decimal where it has no name.
fn write_decimal(call: &Decoder<'_, '_>, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
    let number = |out: &mut Vec<u8>| write_radix(out, value, 10, 1);
    call.style.constants.write(out, number, |out| {
        if let Some(name) = set.name(value) {
            return out.extend_from_slice(name.as_bytes());
        }
        number(out);
        out.extend_from_slice(format!(" /* {} */", set.unknown).as_bytes());
    });
}

/// What was asked, which is to be all zeros and is shown if it is not; ` => ` and what was answered.
fn write_probe(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64) {
    /// More than a byte can tell apart.
    const MOST: u64 = 256;
    let mut asked = vec![0; PROBE.size[0] + PROBE_OP.size[0] * count.min(MOST) as usize];
    let is_looked_at = address != 0 && !call.style.addresses && count <= MOST;
    if !is_looked_at || call.memory.read(Phase::Entry, address, &mut asked) < asked.len() {
        return call.write_address(out, address);
    }
    let is_empty = asked.iter().all(|&byte| byte == 0);
    if !is_empty {
        let now = std::mem::replace(&mut call.phase, Phase::Entry);
        write_probed(call, out, &asked, address, count);
        call.phase = now;
    }
    if call.phase == Phase::Entry {
        return;
    }
    let mut answer = asked;
    if call.succeeded() && call.memory.read(Phase::Exit, address, &mut answer) == answer.len() {
        if !is_empty {
            out.extend_from_slice(b" => ");
        }
        write_probed(call, out, &answer, address, count);
    } else if is_empty {
        call.write_address(out, address);
    }
}

/// `{last_op=IORING_OP_NOP, ops_len=1, ops=[{op=IORING_OP_NOP, flags=IO_URING_OP_SUPPORTED}]}`: as many operations as
/// were asked for, or answered.
fn write_probed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, probe: &[u8], address: u64, count: u64) {
    let told = u64::from(probe[1]);
    let is_cut = call.phase == Phase::Exit && count < told;
    let shown = if call.phase == Phase::Exit { count.min(told) } else { count };
    out.push(b'{');
    call.write_some(out, &PROBE, probe, probe.len());
    out.extend_from_slice(b", ops=");
    write_rings(call, out, address.wrapping_add(PROBE.size[0] as u64), shown, &PROBE_OP);
    if is_cut && !out.ends_with(b"...]") {
        out.pop();
        out.extend_from_slice(if shown == 0 { b"...]" } else { b", ...]" });
    }
    out.push(b'}');
}

/// `{opcode=IORING_RESTRICTION_SQE_OP, sqe_op=IORING_OP_WRITEV}`
fn write_restriction(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (kind, what) = (word16(bytes, 0), u64::from(bytes[2]));
    let constants = call.style.constants;
    out.extend_from_slice(b"{opcode=");
    constants.one(out, &URING_RESTRICTION, u64::from(kind));
    match kind {
        0 => {
            out.extend_from_slice(b", register_op=");
            constants.one(out, &IO_URING_REGISTER, what);
        }
        1 => {
            out.extend_from_slice(b", sqe_op=");
            constants.one(out, &URING_OP, what);
        }
        2 | 3 => {
            out.extend_from_slice(b", sqe_flags=");
            constants.bits(out, &URING_SQE_FLAGS, what);
        }
        _ => {
            out.extend_from_slice(b" /* op: ");
            write_hex(out, what);
            out.extend_from_slice(b" */");
        }
    }
    call.write_some(out, &RESTRICTION, bytes, bytes.len());
    out.push(b'}');
}

/// `[[IO_WQ_BOUND]=3, [IO_WQ_UNBOUND]=4] => [[IO_WQ_BOUND]=8, [IO_WQ_UNBOUND]=96365]`
fn write_most_workers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let start = out.len();
    let now = std::mem::replace(&mut call.phase, Phase::Entry);
    write_workers(call, out);
    call.phase = now;
    if out[start..].starts_with(b"[") {
        out.extend_from_slice(b" => ");
        if call.succeeded() { write_workers(call, out) } else { call.write_address(out, address) }
    }
}

fn write_workers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let mut index = 0;
    let count = u64::from(call.arg(3) as u32);
    call.write_array(out, call.arg(2), count, 4, &mut |call, out, bytes| {
        out.push(b'[');
        write_decimal(call, out, &URING_WORKERS, index);
        out.extend_from_slice(b"]=");
        write_number(out, i64::from(word32(bytes, 0)));
        index += 1;
    });
}
