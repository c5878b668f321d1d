//! Operations on trusted environments (TEE).

use super::super::Decoder;
use super::super::layout::Show::{Descriptor, Enum, Flags, Hex, Int, Own, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::memory::Phase;
use super::super::net::{word32, word64};
use super::Use::{In, Out, Parts};
use super::{Row, Use, What, write_uuid};
use crate::syscall::flags::{self, TRUSTED_MEMORY, write_hex, write_radix};

const CALLED: Use = Parts(write_call, write_results);

const OPEN_SESSION: u32 = 0x8010_a402;
const INVOKE: u32 = 0x8010_a403;
const RECEIVE: u32 = 0x8010_a406;
const SEND: u32 = 0x8010_a407;

pub(super) static ROWS: &[Row] = &[
    (0x800c_a400, Out(What::Of(&VERSION))),             // TEE_IOC_VERSION
    (0xc010_a401, answered!(ALLOCATED, ALLOCATION)),    // TEE_IOC_SHM_ALLOC
    (OPEN_SESSION, CALLED),                             // TEE_IOC_OPEN_SESSION
    (INVOKE, CALLED),                                   // TEE_IOC_INVOKE
    (0x8008_a404, In(What::Of(&CANCELLED))),            // TEE_IOC_CANCEL
    (0x8004_a405, In(What::Of(&CLOSED))),               // TEE_IOC_CLOSE_SESSION
    (RECEIVE, CALLED),                                  // TEE_IOC_SUPPL_RECV
    (SEND, CALLED),                                     // TEE_IOC_SUPPL_SEND
    (0xc020_a408, answered!(GIVEN, TAKEN)),             // TEE_IOC_SHM_REGISTER_FD
    (0xc018_a409, answered!(REGISTERED, REGISTRATION)), // TEE_IOC_SHM_REGISTER
];

/// Bytes of `struct tee_ioctl_param`, and of `struct tee_ioctl_buf_data`.
const PARAMETER: usize = 32;
const BUFFER: usize = 16;

layouts! {
    /// `struct tee_ioctl_shm_alloc_data`.
    ALLOCATED: 16/16 {
        always size @ 0/0 Hex(B8);
        always flags @ 8/8 Flags(&TRUSTED_MEMORY, B4);
    }
    /// The same, filled.
    ALLOCATION: 16/16 {
        always size @ 0/0 Hex(B8);
        always flags @ 8/8 Flags(&TRUSTED_MEMORY, B4);
        always id @ 12/12 Int(B4);
    }
    /// `struct tee_ioctl_cancel_arg`.
    CANCELLED: 8/8 {
        always cancel_id @ 0/0 Uint(B4);
        always session @ 4/4 Hex(B4);
    }
    /// `struct tee_ioctl_close_session_arg`.
    CLOSED: 4/4 { always session @ 0/0 Hex(B4); }
    /// `struct tee_ioctl_shm_register_fd_data`.
    GIVEN: 32/32 {
        always fd @ 0/0 Descriptor;
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
    }
    /// What of it is filled.
    TAKEN: 32/32 {
        always size @ 8/8 Hex(B8);
        always id @ 24/24 Int(B4);
    }
    /// `struct tee_ioctl_shm_register_data`.
    REGISTERED: 24/24 {
        always addr @ 0/0 Hex(B8);
        always length @ 8/8 Hex(B8);
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
    }
    /// The same, filled.
    REGISTRATION: 24/24 {
        always length @ 8/8 Hex(B8);
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
        always id @ 20/20 Int(B4);
    }
    /// `struct tee_ioctl_version_data`.
    VERSION: 12/12 {
        always impl_id @ 0/0 Enum(&flags::TRUSTED_KIND, B4);
        always gen_caps @ 8/8 Flags(&flags::TRUSTED_ABILITY, B4);
        always impl_caps @ 0/0 Own(write_abilities);
    }
    /// `struct tee_ioctl_open_session_arg`: what is passed.
    OPENED: 56/56 {
        always uuid @ 0/0 Own(write_uuid);
        always clnt_login @ 32/32 Enum(&flags::TRUSTED_LOGIN, B4);
        has(|session| !matches!(word32(session, 32), 0 | 1 | 4 | 5)) clnt_uuid @ 16/16 Own(write_client);
        always cancel_id @ 36/36 Uint(B4);
        always num_params @ 52/52 Uint(B4);
    }
    /// What is told of it.
    SESSION: 56/56 {
        always session @ 40/40 Hex(B4);
        always ret @ 44/44 Uint(B4);
        always ret_origin @ 48/48 Enum(&flags::TRUSTED_ORIGIN, B4);
    }
    /// `struct tee_ioctl_invoke_arg`: what is passed.
    INVOKED: 24/24 {
        always func @ 0/0 Uint(B4);
        always session @ 4/4 Hex(B4);
        always cancel_id @ 8/8 Uint(B4);
        always num_params @ 20/20 Uint(B4);
    }
    /// What is told of it.
    RESULT: 24/24 {
        always ret @ 12/12 Uint(B4);
        always ret_origin @ 16/16 Enum(&flags::TRUSTED_ORIGIN, B4);
    }
    /// `struct tee_iocl_supp_recv_arg`: what is passed.
    RECEIVED: 8/8 {
        always func @ 0/0 Uint(B4);
        always num_params @ 4/4 Uint(B4);
    }
    /// The head of what has no other, and what is told of a request.
    COUNTED: 8/8 { always num_params @ 4/4 Uint(B4); }
    /// `struct tee_iocl_supp_send_arg`: what is told of it.
    SENT: 8/8 { always ret @ 0/0 Uint(B4); }
    /// The three values of a parameter.
    VALUES: 32/32 {
        always a @ 8/8 Hex(B8);
        always b @ 16/16 Hex(B8);
        always c @ 24/24 Hex(B8);
    }
    /// The same of one that is in shared memory.
    MEMORY: 32/32 {
        always shm_offs @ 8/8 Hex(B8);
        always size @ 16/16 Hex(B8);
        always shm_id @ 24/24 Uint(B8);
    }
}

/// What is passed to an operation, and what it tells; both have the number of parameters at their end.
fn heads(operation: u32) -> [&'static Layout; 2] {
    match operation {
        OPEN_SESSION => [&OPENED, &SESSION],
        INVOKE => [&INVOKED, &RESULT],
        RECEIVE => [&RECEIVED, &COUNTED],
        _ => [&COUNTED, &SENT],
    }
}

/// The buffer of a call that has as many parameters behind its head as it says: where it is, and the head.
fn read_buffer(
    call: &mut Decoder<'_, '_>,
    phase: Phase,
    index: usize,
    layout: &Layout,
) -> Option<(u64, Vec<u8>)> {
    let mut data = [0; BUFFER];
    if call.style.addresses || call.memory.read(phase, call.arg(index), &mut data) < BUFFER {
        return None;
    }
    let (address, length) = (word64(&data, 0), word64(&data, 8));
    let mut head = vec![0; layout.size[0]];
    let is_read = address != 0 && call.memory.read(phase, address, &mut head) == head.len();
    let whole = (head.len() + count(&head) as usize * PARAMETER) as u64;
    (is_read && length == whole).then_some((address, head))
}

fn count(head: &[u8]) -> u32 {
    word32(head, head.len() - 4)
}

/// `{buf_len=88, buf_ptr={func=1, ..., params=[...]}`: the last bracket comes when the call has returned.
fn write_call(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let mut data = [0; BUFFER];
    let address = call.arg(index);
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut data) < BUFFER {
        return call.write_address(out, address);
    }
    out.extend_from_slice(b"{buf_len=");
    write_radix(out, word64(&data, 8), 10, 1);
    out.extend_from_slice(b", buf_ptr=");
    let [passed, _] = heads(call.arg(1) as u32);
    if let Some((buffer, head)) = read_buffer(call, call.phase, index, passed) {
        write_with_parameters(call, out, passed, buffer, &head);
    } else {
        super::super::call::write_address64(out, word64(&data, 0));
        out.push(b'}');
    }
}

/// ` => {ret=0, ..., params=[...]}}`
fn write_results(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let [passed, told] = heads(call.arg(1) as u32);
    if read_buffer(call, Phase::Entry, index, passed).is_none() {
        return;
    }
    if call.succeeded()
        && let Some((buffer, head)) = read_buffer(call, Phase::Exit, index, told)
    {
        out.extend_from_slice(b" => ");
        write_with_parameters(call, out, told, buffer, &head);
    }
    out.push(b'}');
}

fn write_with_parameters(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    layout: &Layout,
    buffer: u64,
    head: &[u8],
) {
    out.push(b'{');
    call.write_some(out, layout, head, usize::MAX);
    out.extend_from_slice(b", params=");
    match count(head) {
        0 => call.write_address(out, 0),
        count => {
            let first = buffer.wrapping_add(head.len() as u64);
            call.write_array(out, first, count.into(), PARAMETER, &mut write_parameter);
        }
    }
    out.push(b'}');
}

/// `{attr=TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, a=0x1, b=0x2, c=0x3}`
fn write_parameter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    /// `TEE_IOCTL_PARAM_ATTR_META`.
    const META: u64 = 0x100;
    let attribute = word64(bytes, 0);
    out.extend_from_slice(b"{attr=");
    call.style.constants.one(out, &flags::TRUSTED_PARAMETER, attribute & !META);
    if attribute & META != 0 {
        out.extend_from_slice(b"|TEE_IOCTL_PARAM_ATTR_META");
    }
    match attribute & !META {
        0 => {}
        5..=7 => _ = call.write_some(out, &MEMORY, bytes, usize::MAX),
        _ => _ = call.write_some(out, &VALUES, bytes, usize::MAX),
    }
    out.push(b'}');
}

/// What an implementation can do, where that is one that is known.
fn write_abilities(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let abilities = word32(bytes, 4).into();
    match word32(bytes, 0) {
        1 => call.style.constants.bits(out, &flags::TRUSTED_OPTEE, abilities),
        _ => write_hex(out, abilities),
    }
}

/// The group of a client that logs in as one, or bytes that say who it is.
fn write_client(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match word32(bytes, 16) {
        2 | 6 => write_radix(out, word32(bytes, 0).into(), 10, 1),
        // All of them, however many elements of arrays are shown.
        _ => {
            for (index, &byte) in bytes.iter().take(16).enumerate() {
                out.extend_from_slice(if index == 0 { b"[" } else { b", " });
                write_hex(out, byte.into());
            }
            out.push(b']');
        }
    }
}
