//! The flags of terminals, which strace shows in a way of their own: each part by itself, and nothing for no bits.

use super::Decoder;
use super::constants::Constants;
use super::layout::Show::{Enum, Own, Uint};
use super::layout::Size::{B1, B4};
use super::layout::layouts;
use super::structures::number;
use crate::syscall::flags::{
    FlagSet, TERMIOS_C, TERMIOS_CC, TERMIOS_I, TERMIOS_L, TERMIOS_O, TTY_LINE, write_hex, write_radix,
};

layouts! {
    /// `struct termios` of the kernel.
    TERMIOS: 36/36 {
        always c_iflag @ 0/0 Own(write_input::<4>);
        always c_oflag @ 4/4 Own(write_output::<4>);
        always c_cflag @ 8/8 Own(write_line::<4>);
        always c_lflag @ 12/12 Own(write_local::<4>);
        v c_line @ 16/16 Enum(&TTY_LINE, B1);
        v c_cc @ 17/17 Own(write_characters::<19>);
    }
    /// `struct termios2` of the kernel.
    TERMIOS2: 44/44 {
        always c_iflag @ 0/0 Own(write_input::<4>);
        always c_oflag @ 4/4 Own(write_output::<4>);
        always c_cflag @ 8/8 Own(write_line::<4>);
        always c_lflag @ 12/12 Own(write_local::<4>);
        v c_line @ 16/16 Enum(&TTY_LINE, B1);
        v c_cc @ 17/17 Own(write_characters::<19>);
        v c_ispeed @ 36/36 Uint(B4);
        v c_ospeed @ 40/40 Uint(B4);
    }
    /// `struct termio`.
    TERMIO: 18/18 {
        always c_iflag @ 0/0 Own(write_input::<2>);
        always c_oflag @ 2/2 Own(write_output::<2>);
        always c_cflag @ 4/4 Own(write_line::<2>);
        always c_lflag @ 6/6 Own(write_local::<2>);
        v c_line @ 8/8 Enum(&TTY_LINE, B1);
        v c_cc @ 9/9 Own(write_characters::<8>);
    }
}

fn write_input<const SIZE: usize>(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_bits(call, out, &TERMIOS_I, number(bytes, SIZE));
}

fn write_local<const SIZE: usize>(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_bits(call, out, &TERMIOS_L, number(bytes, SIZE));
}

/// `NL0|CR0|TAB0|BS0|VT0|FF0|OPOST`: delays, each of which is one of several, and bits.
fn write_output<const SIZE: usize>(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let value = number(bytes, SIZE);
    let mut rest = value;
    for field in TERMIOS_O.fields {
        write_one(call, out, field.values, value & field.mask, field.unknown);
        out.push(b'|');
        rest &= !field.mask;
    }
    write_bits(call, out, &TERMIOS_O, rest);
}

/// `B38400|CS8|CREAD`: the speed, that of input if it is another one, the width, and bits.
fn write_line<const SIZE: usize>(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    /// `CIBAUD`, and where it begins.
    const INPUT: u64 = 0x100f_0000;
    const SHIFT: u64 = 16;
    let value = number(bytes, SIZE);
    let mut rest = value & !INPUT;
    for (index, field) in TERMIOS_C.fields.iter().enumerate() {
        write_one(call, out, field.values, value & field.mask, field.unknown);
        out.push(b'|');
        if index == 0 && value & INPUT != 0 {
            write_one(call, out, field.values, (value & INPUT) >> SHIFT, field.unknown);
            out.extend_from_slice(b"<<");
            let name = |out: &mut Vec<u8>| out.extend_from_slice(b"IBSHIFT");
            call.style.constants.write(out, |out| write_radix(out, SHIFT, 10, 1), name);
            out.push(b'|');
        }
        rest &= !field.mask;
    }
    write_bits(call, out, &TERMIOS_C, rest);
}

fn write_one(call: &Decoder<'_, '_>, out: &mut Vec<u8>, names: &[(u64, &str)], value: u64, unknown: &str) {
    let number = |out: &mut Vec<u8>| write_hex(out, value);
    let name = names.iter().find(|(known, _)| *known == value);
    call.style.constants.write(out, number, |out| {
        if let Some((_, name)) = name {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_hex(out, value);
            out.extend_from_slice(format!(" /* {unknown} */").as_bytes());
        }
    });
}

/// The bits that are set; nothing where none is.
fn write_bits(call: &Decoder<'_, '_>, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
    if value == 0 && call.style.constants == Constants::Names {
        return;
    }
    let bits = FlagSet { fields: &[], ..*set };
    let number = |out: &mut Vec<u8>| write_hex(out, value);
    call.style.constants.write(out, number, |out| bits.write_plain(out, value, false));
}

/// `[[VINTR]=0x3, ...]`
fn write_characters<const COUNT: usize>(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'[');
    for (index, byte) in bytes.iter().take(COUNT).enumerate() {
        out.extend_from_slice(if index == 0 { b"[" } else { b", [" });
        match TERMIOS_CC.name(index as u64) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => write_radix(out, index as u64, 10, 1),
        }
        out.extend_from_slice(b"]=");
        write_hex(out, u64::from(*byte));
    }
    out.push(b']');
}
