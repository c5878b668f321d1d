//! Pages of memory and the nodes they are on.

use super::rare::number;
use super::{Decoder, Phase, process};
use crate::syscall::flags::{write_number, write_radix};

/// `[1, 0]`: whether each page is in memory.
pub(super) fn write_residence(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const PAGE: u64 = 4096;
    let pages = call.arg(1).div_ceil(PAGE);
    if !call.succeeded() && pages != 0 {
        return call.write_address(out, call.arg(index));
    }
    call.write_array(out, call.arg(index), pages, 1, &mut |_, out, bytes| {
        write_radix(out, u64::from(bytes[0] & 1), 10, 1);
    });
}

/// Nodes, of which the number stands in the second argument.
pub(super) fn write_nodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    process::write_nodes_at(call, out, call.arg(index), call.arg(1));
}

/// `[0x7f0000]`: addresses of pages.
pub(super) fn write_pages(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let size = call.word_size();
    call.write_array(out, call.arg(index), call.arg(1), size, &mut |call, out, bytes| {
        call.write_address(out, number(bytes));
    });
}

/// `[0, -ENOENT]`: nodes, and what has come of each page.
pub(super) fn write_numbers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.phase == Phase::Exit && !call.succeeded() && call.arg(1) != 0 {
        return call.write_address(out, call.arg(index));
    }
    call.write_array(out, call.arg(index), call.arg(1), 4, &mut |call, out, bytes| {
        let value = number(bytes) as i32;
        let is_told = call.phase == Phase::Exit;
        let errno =
            (is_told && (-4095..0).contains(&value)).then(|| syscalls::Errno::new(-value).name()).flatten();
        match errno {
            Some(name) => {
                let number = |out: &mut Vec<u8>| write_number(out, i64::from(value));
                call.style.constants.write(out, number, |out| {
                    out.push(b'-');
                    out.extend_from_slice(name.as_bytes());
                });
            }
            None => write_number(out, i64::from(value)),
        }
    });
}
