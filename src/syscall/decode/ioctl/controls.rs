//! Operations on controls of video devices (V4L2).

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Int, Own, Text, Uint, Words};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::memory::Phase;
use super::super::net::{word32, word64};
use super::super::{Constants, structures};
use super::Use;
use super::Use::Parts;
use crate::syscall::flags::{self, write_hex, write_number, write_radix};

pub(super) const TOLD: Use = parts!(CONTROL, VALUE);
pub(super) const CHANGED: Use = Parts(
    |call, out, index| call.write_passed(out, index, &CONTROL_CHANGED),
    |call, out, index| {
        call.write_changed(out, index, &CONTROL_CHANGED, 4, |out, value| {
            write_number(out, value.cast_signed().into());
        });
    },
);
pub(super) const QUERIED: Use = parts!(QUERY, DESCRIPTION);
pub(super) const QUERIED_MORE: Use = parts!(QUERY_MORE, DESCRIPTION_MORE);
pub(super) const MANY_TOLD: Use = Parts(|call, out, index| call.write_passed(out, index, &MANY), write_told);
pub(super) const MANY_CHANGED: Use = Parts(write_many, write_many_then);

/// Bytes of `struct v4l2_ext_control`.
const CONTROL_SIZE: usize = 20;
/// Most dimensions of a control.
const MOST_DIMENSIONS: usize = 4;

layouts! {
    /// `struct v4l2_control`.
    CONTROL: 8/8 { always id @ 0/0 Own(write_id); }
    VALUE: 8/8 { always value @ 4/4 Int(B4); }
    CONTROL_CHANGED: 8/8 {
        always id @ 0/0 Own(write_id);
        always value @ 4/4 Int(B4);
    }
    /// `struct v4l2_queryctrl`.
    QUERY: 68/68 { always id @ 0/0 Own(write_query); }
    DESCRIPTION: 68/68 {
        always type @ 4/4 Enum(&flags::CONTROL_TYPE, B4);
        always name @ 8/8 Text(32);
        v minimum @ 40/40 Int(B4);
        v maximum @ 44/44 Int(B4);
        v step @ 48/48 Int(B4);
        v default_value @ 52/52 Int(B4);
        v flags @ 56/56 Flags(&flags::CONTROL_STATE, B4);
        v(|query| query[60..68].iter().any(|&byte| byte != 0)) reserved @ 60/60 Words(B4, 2);
    }
    /// `struct v4l2_query_ext_ctrl`.
    QUERY_MORE: 232/232 { always id @ 0/0 Own(write_query); }
    DESCRIPTION_MORE: 232/232 {
        always type @ 4/4 Enum(&flags::CONTROL_TYPE, B4);
        always name @ 8/8 Text(32);
        v minimum @ 40/40 Int(B8);
        v maximum @ 48/48 Int(B8);
        v step @ 56/56 Uint(B8);
        v default_value @ 64/64 Int(B8);
        v flags @ 72/72 Flags(&flags::CONTROL_STATE, B4);
        v elem_size @ 76/76 Uint(B4);
        v elems @ 80/80 Uint(B4);
        v nr_of_dims @ 84/84 Uint(B4);
        v dims @ 84/84 Own(write_dimensions);
        v(|query| query[104..232].iter().any(|&byte| byte != 0)) reserved @ 104/104 Words(B4, 32);
    }
    /// `struct v4l2_ext_controls`.
    MANY: 32/24 {
        always ctrl_class @ 0/0 Enum(&flags::CONTROL_CLASS, B4);
        always count @ 4/4 Uint(B4);
    }
    /// Which of them could not be set.
    FAULT: 32/24 { always error_idx @ 8/8 Uint(B4); }
}

/// `V4L2_CID_BRIGHTNESS`, `V4L2_CTRL_CLASS_USER+0x1`
fn write_id(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_control(out, word32(bytes, 0), call.style.constants);
}

fn write_control(out: &mut Vec<u8>, id: u32, constants: Constants) {
    let (class, rest) = (id & 0xffff_0000, id & 0xffff);
    let class = flags::CONTROL_CLASS.name(class.into());
    match class.filter(|_| flags::CONTROL.name(id.into()).is_none()) {
        None => constants.one(out, &flags::CONTROL, id.into()),
        Some(class) => {
            let name = |out: &mut Vec<u8>| {
                out.extend_from_slice(class.as_bytes());
                out.push(b'+');
                write_hex(out, rest.into());
            };
            constants.write(out, |out| write_hex(out, id.into()), name);
        }
    }
}

/// The same, with what is asked for behind it: `V4L2_CTRL_FLAG_NEXT_CTRL|V4L2_CID_BRIGHTNESS`.
fn write_query(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const NEXT: u32 = 0xc000_0000;
    let id = word32(bytes, 0);
    let constants = call.style.constants;
    if constants == Constants::Numbers || id & NEXT == 0 {
        return write_control(out, id, constants);
    }
    constants.bits(out, &flags::CONTROL_NEXT, (id & NEXT).into());
    out.push(b'|');
    write_control(out, id & !NEXT, constants);
}

/// The sizes of the dimensions of a control, of which the number is before them.
fn write_dimensions(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let count = (word32(bytes, 0) as usize).min(MOST_DIMENSIONS);
    let sizes = bytes[4..].chunks_exact(4).take(count);
    call.write_items(out, sizes, |_, out, size| write_radix(out, word32(size, 0).into(), 10, 1));
}

/// Where the controls are that a call passes, and how many.
fn controls(call: &mut Decoder<'_, '_>, phase: Phase, address: u64) -> Option<(u64, u64)> {
    let mut many = [0; 32];
    let many = &mut many[..MANY.size[call.half()]];
    if call.memory.read(phase, address, many) < many.len() {
        return None;
    }
    let pointer = &many[[24, 20][call.half()]..];
    Some((structures::number(pointer, call.word_size()), word32(many, 4).into()))
}

/// `controls=[{id=V4L2_CID_BRIGHTNESS, size=0, value=1, value64=1}]`
fn write_controls(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64) {
    out.extend_from_slice(b"controls=");
    call.write_array(out, address, count, CONTROL_SIZE, &mut |call, out, control| {
        out.extend_from_slice(b"{id=");
        write_id(call, out, control);
        let size = word32(control, 4);
        out.extend_from_slice(b", size=");
        write_radix(out, size.into(), 10, 1);
        if size == 0 {
            out.extend_from_slice(b", value=");
            write_number(out, word32(control, 12).cast_signed().into());
            out.extend_from_slice(b", value64=");
            write_number(out, word64(control, 12).cast_signed());
        } else {
            out.extend_from_slice(b", string=");
            let text = structures::number(&control[12..], call.word_size());
            call.write_buffer(out, text, size.into());
        }
        out.push(b'}');
    });
}

/// `{ctrl_class=V4L2_CTRL_CLASS_USER, count=1, controls=[...]}`
fn write_many(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    call.write_layout(out, address, &MANY);
    if let Some((controls, count)) = controls(call, Phase::Entry, address)
        && call.was_readable(address, &MANY)
        && count > 0
    {
        out.pop();
        out.extend_from_slice(b", ");
        write_controls(call, out, controls, count);
        out.push(b'}');
    }
}

/// ` => {controls=[...], error_idx=0}`, where all that were passed could be read.
fn write_many_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let Some((passed, count)) = controls(call, Phase::Entry, address) else { return };
    if !call.was_readable(address, &MANY) || !call.was_whole(passed, count, CONTROL_SIZE) {
        return;
    }
    let Some((filled, count)) = controls(call, Phase::Exit, address) else { return };
    out.extend_from_slice(b" => {");
    write_controls(call, out, filled, count);
    write_fault(call, out, address);
}

/// `, controls=[...], error_idx=0}`
fn write_told(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &MANY) {
        return;
    }
    match controls(call, Phase::Exit, address) {
        Some((filled, count)) if count > 0 => {
            out.extend_from_slice(b", ");
            write_controls(call, out, filled, count);
            write_fault(call, out, address);
        }
        _ => out.push(b'}'),
    }
}

/// `, error_idx=0}`, of a call that has failed.
fn write_fault(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut many = [0; 24];
    if !call.succeeded() && call.memory.read(Phase::Exit, address, &mut many) == many.len() {
        call.write_some(out, &FAULT, &many, usize::MAX);
    }
    out.push(b'}');
}
