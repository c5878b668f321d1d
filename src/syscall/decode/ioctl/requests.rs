//! Requests to SCSI devices (`SG_IO`), of both versions of their structure.

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Hex, Int, Own, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::memory::Phase;
use super::super::net::{word16, word32, word64};
use super::super::text::Hex as Text;
use crate::syscall::flags::{
    SCSI_DIRECTION, SCSI_FLAGS, SCSI_INFO, SCSI_ORDER, SCSI_PART, SCSI_PROTOCOL, write_radix,
};

/// What `dxfer_direction` says.
const TO_DEVICE: u32 = 2_u32.wrapping_neg();
const BOTH_WAYS: u32 = 4_u32.wrapping_neg();

layouts! {
    /// What is passed in `struct sg_io_hdr`.
    THIRD: 88/64 {
        always interface_id @ 0/0 Own(write_letter);
        always dxfer_direction @ 4/4 Enum(&SCSI_DIRECTION, B4);
        always cmd_len @ 8/8 Uint(B1);
        always cmdp @ 0/0 Own(write_third_command);
        always mx_sb_len @ 9/9 Uint(B1);
        always iovec_count @ 10/10 Uint(B2);
        always dxfer_len @ 12/12 Uint(B4);
        always timeout @ 40/28 Uint(B4);
        always flags @ 44/32 Flags(&SCSI_FLAGS, B4);
        has(is_written) dxferp @ 0/0 Own(write_third_data);
    }
    /// What is filled in it.
    THIRD_DONE: 88/64 {
        has(is_only_read) dxferp @ 0/0 Own(write_third_data);
        always status @ 64/44 Hex(B1);
        always masked_status @ 65/45 Hex(B1);
        always msg_status @ 66/46 Hex(B1);
        always sb_len_wr @ 67/47 Uint(B1);
        always sbp @ 0/0 Own(write_third_sense);
        always host_status @ 68/48 Hex(B2);
        always driver_status @ 70/50 Hex(B2);
        always resid @ 72/52 Int(B4);
        always duration @ 76/56 Uint(B4);
        always info @ 80/60 Flags(&SCSI_INFO, B4);
    }
    /// What is passed in `struct sg_io_v4`.
    FOURTH: 160/160 {
        always guard @ 0/0 Own(write_letter);
        always protocol @ 4/4 Enum(&SCSI_PROTOCOL, B4);
        always subprotocol @ 8/8 Enum(&SCSI_PART, B4);
        always request_len @ 12/12 Uint(B4);
        always request @ 0/0 Own(write_fourth_request);
        always request_tag @ 24/24 Hex(B8);
        always request_attr @ 32/32 Uint(B4);
        always request_priority @ 36/36 Uint(B4);
        always request_extra @ 40/40 Uint(B4);
        always max_response_len @ 44/44 Uint(B4);
        always dout_iovec_count @ 56/56 Uint(B4);
        always dout_xfer_len @ 60/60 Uint(B4);
        always din_iovec_count @ 64/64 Uint(B4);
        always din_xfer_len @ 68/68 Uint(B4);
        always dout_xferp @ 0/0 Own(write_fourth_out);
        always timeout @ 88/88 Uint(B4);
        always flags @ 92/92 Flags(&SCSI_ORDER, B4);
        always usr_ptr @ 96/96 Hex(B8);
    }
    /// What is filled in it.
    FOURTH_DONE: 160/160 {
        always response_len @ 132/132 Uint(B4);
        always response @ 0/0 Own(write_fourth_response);
        always din_xferp @ 0/0 Own(write_fourth_in);
        always driver_status @ 108/108 Hex(B4);
        always transport_status @ 112/112 Hex(B4);
        always device_status @ 116/116 Hex(B4);
        always retry_delay @ 120/120 Uint(B4);
        always info @ 124/124 Flags(&SCSI_INFO, B4);
        always duration @ 128/128 Uint(B4);
        always response_len @ 132/132 Uint(B4);
        always din_resid @ 136/136 Int(B4);
        always dout_resid @ 140/140 Int(B4);
        always generated_tag @ 144/144 Hex(B8);
    }
}

/// `'S'`: the version, in its first member.
fn write_letter(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend([b'\'', bytes[0], b'\'']);
}

fn is_written(request: &[u8]) -> bool {
    matches!(word32(request, 4), TO_DEVICE | BOTH_WAYS)
}

fn is_only_read(request: &[u8]) -> bool {
    !is_written(request)
}

/// A pointer of `struct sg_io_hdr`, the first of three being the data's.
fn pointer(call: &Decoder<'_, '_>, request: &[u8], index: usize) -> u64 {
    if call.half() == 0 { word64(request, 16 + 8 * index) } else { word32(request, 16 + 4 * index).into() }
}

fn write_third_command(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    call.write_buffer_as(out, pointer(call, request, 1), request[8].into(), Text::All);
}

fn write_third_sense(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let written = request[if call.half() == 0 { 67 } else { 47 }];
    call.write_buffer_as(out, pointer(call, request, 2), written.into(), Text::All);
}

/// How many bytes have been transferred, of so many that were asked for.
fn transferred(asked: u32, left: u32) -> u32 {
    if left.cast_signed() > 0 { asked.checked_sub(left).unwrap_or(asked) } else { asked }
}

/// How many bytes there are of the data of `struct sg_io_hdr`.
fn third_length(call: &Decoder<'_, '_>, request: &[u8]) -> u32 {
    let asked = word32(request, 12);
    let left = word32(request, if call.half() == 0 { 72 } else { 52 });
    if call.phase == Phase::Entry { asked } else { transferred(asked, left) }
}

fn write_third_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let address = pointer(call, request, 0);
    let length = third_length(call, request);
    write_data(call, out, address, word16(request, 10).into(), length);
}

/// A buffer, or several of them where they are counted.
fn write_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, pieces: u32, length: u32) {
    if pieces > 0 {
        call.write_iovecs(out, address, pieces.into(), length.into(), true, None);
    } else {
        call.write_buffer_as(out, address, length.into(), Text::All);
    }
}

fn write_fourth_request(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    call.write_buffer_as(out, word64(request, 16), word32(request, 12).into(), Text::All);
}

fn write_fourth_response(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    call.write_buffer_as(out, word64(request, 48), word32(request, 132).into(), Text::All);
}

fn write_fourth_out(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    write_data(call, out, word64(request, 72), word32(request, 56), word32(request, 60));
}

fn write_fourth_in(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let length = transferred(word32(request, 68), word32(request, 136));
    write_data(call, out, word64(request, 80), word32(request, 64), length);
}

/// The structures of a version, by the letter in the first member: what is passed, and what is filled.
fn version(letter: u32) -> Option<(&'static Layout, &'static Layout)> {
    match u8::try_from(letter).ok()? {
        b'S' => Some((&THIRD, &THIRD_DONE)),
        b'Q' => Some((&FOURTH, &FOURTH_DONE)),
        _ => None,
    }
}

pub(super) fn write_request(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let letter = call.read_u32_at(Phase::Entry, address).filter(|_| !call.style.addresses);
    let Some(letter) = letter else { return call.write_address(out, address) };
    match version(letter) {
        None => {
            out.push(b'[');
            write_radix(out, letter.into(), 10, 1);
            out.push(b']');
        }
        Some((passed, _)) if call.try_layout(out, address, passed).is_some() => {
            out.pop();
        }
        Some((passed, _)) => {
            out.push(b'{');
            out.extend_from_slice(passed.members[0].name.as_bytes());
            out.push(b'=');
            write_letter(call, out, &letter.to_le_bytes());
            out.extend_from_slice(b", ");
            call.write_address(out, address.wrapping_add(4));
            out.push(b'}');
        }
    }
}

/// `, status=0, ...}`: what came of it, whether it has succeeded or not.
pub(super) fn write_outcome(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let letter = call.read_u32_at(Phase::Entry, address);
    let Some((passed, filled)) = letter.and_then(version) else { return };
    if !call.was_readable(address, passed) {
        return;
    }
    write_read_back(call, out, address, filled);
    let start = out.len();
    if call.try_layout(out, address, filled).is_some() {
        out.splice(start..=start, *b", ");
    } else {
        out.push(b'}');
    }
}

/// ` => dxferp="\x00"`: what was read into data that had been written.
fn write_read_back(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, filled: &Layout) {
    let mut request = [0; 160];
    let size = filled.size[call.half()];
    let read = call.memory.read(call.phase, address, &mut request[..size]);
    let is_third = request[0] == b'S' && read == size;
    if is_third && word32(&request, 4) == BOTH_WAYS && third_length(call, &request) > 0 {
        out.extend_from_slice(b" => dxferp=");
        write_third_data(call, out, &request[..size]);
    }
}
