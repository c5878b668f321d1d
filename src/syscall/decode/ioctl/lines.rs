//! Operations on lines of a chip (GPIO), of both versions of the interface.

use super::super::Decoder;
use super::super::layout::Show::{Descriptor, Flags, Hex, Nested, Own, Text, Uint, Words};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::Use::{In, Out};
use super::{Row, What};
use crate::syscall::flags::{LINE_EDGES, LINE_FLAGS, LINE_REQUEST, LINE2_FLAGS, write_hex, write_radix};

pub(super) static ROWS: &[Row] = &[
    (0x8044_b401, Out(What::Of(&CHIP))),             // GPIO_GET_CHIPINFO_IOCTL
    (0xc048_b402, answered!(LINE_WANTED, LINE)),     // GPIO_GET_LINEINFO_IOCTL
    (0xc048_b40b, answered!(LINE_WANTED, LINE)),     // GPIO_GET_LINEINFO_WATCH_IOCTL
    (0xc004_b40c, In(What::Of(&UNWATCHED))),         // GPIO_GET_LINEINFO_UNWATCH_IOCTL
    (0xc16c_b403, answered!(HANDLE_WANTED, HANDLE)), // GPIO_GET_LINEHANDLE_IOCTL
    (0xc030_b404, answered!(EVENT_WANTED, EVENT)),   // GPIO_GET_LINEEVENT_IOCTL
    (0xc040_b408, Out(What::Of(&VALUES))),           // GPIOHANDLE_GET_LINE_VALUES_IOCTL
    (0xc040_b409, In(What::Of(&VALUES))),            // GPIOHANDLE_SET_LINE_VALUES_IOCTL
    (0xc054_b40a, In(What::Of(&HANDLE_CONFIG))),     // GPIOHANDLE_SET_CONFIG_IOCTL
    (0xc100_b405, answered!(LINE2_WANTED, LINE2)),   // GPIO_V2_GET_LINEINFO_IOCTL
    (0xc100_b406, answered!(LINE2_WANTED, LINE2)),   // GPIO_V2_GET_LINEINFO_WATCH_IOCTL
    (0xc250_b407, answered!(REQUEST_WANTED, REQUEST)), // GPIO_V2_GET_LINE_IOCTL
    (0xc110_b40d, In(What::Of(&CONFIG))),            // GPIO_V2_LINE_SET_CONFIG_IOCTL
    (0xc010_b40e, answered!(LINE_VALUES_WANTED, LINE_VALUES)), // GPIO_V2_LINE_GET_VALUES_IOCTL
    (0xc010_b40f, In(What::Of(&LINE_VALUES_SET))),   // GPIO_V2_LINE_SET_VALUES_IOCTL
];

/// Most lines of a request.
const MOST_LINES: usize = 64;
/// Most attributes of one.
const MOST_ATTRIBUTES: usize = 10;

layouts! {
    /// `struct gpiochip_info`.
    CHIP: 68/68 {
        always name @ 0/0 Text(32);
        always label @ 32/32 Text(32);
        always lines @ 64/64 Uint(B4);
    }
    /// `struct gpioline_info`: what is asked for.
    LINE_WANTED: 72/72 {
        always line_offset @ 0/0 Uint(B4);
    }
    /// What is told.
    LINE: 72/72 {
        always flags @ 4/4 Flags(&LINE_FLAGS, B4);
        always name @ 8/8 Text(32);
        always consumer @ 40/40 Text(32);
    }
    /// The number of a line that is not watched any more.
    UNWATCHED: 4/4 {
        always offset @ 0/0 Uint(B4);
    }
    /// `struct gpiohandle_request`: what is asked for.
    HANDLE_WANTED: 364/364 {
        always lines @ 356/356 Uint(B4);
        always lineoffsets @ 0/0 Own(write_line_numbers);
        always flags @ 256/256 Flags(&LINE_REQUEST, B4);
        always default_values @ 0/0 Own(write_first_values);
        always consumer_label @ 324/324 Text(32);
    }
    /// What there is then.
    HANDLE: 364/364 {
        always fd @ 360/360 Descriptor;
    }
    /// `struct gpioevent_request`: what is asked for.
    EVENT_WANTED: 48/48 {
        always lineoffset @ 0/0 Uint(B4);
        always handleflags @ 4/4 Flags(&LINE_REQUEST, B4);
        always eventflags @ 8/8 Flags(&LINE_EDGES, B4);
        always consumer_label @ 12/12 Text(32);
    }
    /// What there is then.
    EVENT: 48/48 {
        always fd @ 44/44 Descriptor;
    }
    /// `struct gpiohandle_data`.
    VALUES: 64/64 {
        always values @ 0/0 Own(write_values);
    }
    /// `struct gpiohandle_config`.
    HANDLE_CONFIG: 84/84 {
        always flags @ 0/0 Flags(&LINE_REQUEST, B4);
        always default_values @ 4/4 Own(write_values);
    }
    /// `struct gpio_v2_line_info`: what is asked for.
    LINE2_WANTED: 256/256 {
        always offset @ 64/64 Uint(B4);
    }
    /// What is told.
    LINE2: 256/256 {
        always name @ 0/0 Text(32);
        always consumer @ 32/32 Text(32);
        always flags @ 72/72 Flags(&LINE2_FLAGS, B8);
        always num_attrs @ 68/68 Uint(B4);
        has(|info| word32(info, 68) != 0) attrs @ 0/0 Own(write_attributes);
        set(16) padding @ 240/240 Words(B4, 4);
    }
    /// `struct gpio_v2_line_config`.
    CONFIG: 272/272 {
        always flags @ 0/0 Flags(&LINE2_FLAGS, B8);
        always num_attrs @ 8/8 Uint(B4);
        set(20) padding @ 12/12 Words(B4, 5);
        has(|config| word32(config, 8) != 0) attrs @ 0/0 Own(write_settings);
    }
    /// `struct gpio_v2_line_request`: what is asked for.
    REQUEST_WANTED: 592/592 {
        always num_lines @ 560/560 Uint(B4);
        always offsets @ 0/0 Own(write_requested);
        always consumer @ 256/256 Text(32);
        always config @ 288/288 Nested(&CONFIG);
        set(4) event_buffer_size @ 564/564 Uint(B4);
        set(20) padding @ 568/568 Words(B4, 5);
    }
    /// What there is then.
    REQUEST: 592/592 {
        always fd @ 588/588 Descriptor;
    }
    /// `struct gpio_v2_line_values`: what is asked for.
    LINE_VALUES_WANTED: 16/16 {
        always mask @ 8/8 Hex(B8);
    }
    /// What is told.
    LINE_VALUES: 16/16 {
        always bits @ 0/0 Hex(B8);
    }
    /// The same where they are set.
    LINE_VALUES_SET: 16/16 {
        always bits @ 0/0 Hex(B8);
        always mask @ 8/8 Hex(B8);
    }
    /// `struct gpio_v2_line_attribute` of a kind without a name.
    ATTRIBUTE: 16/16 {
        always id @ 0/0 Uint(B4);
        set(4) padding @ 4/4 Hex(B4);
        always data @ 8/8 Hex(B8);
    }
}

fn write_decimal(out: &mut Vec<u8>, value: u64) {
    write_radix(out, value, 10, 1);
}

/// Of `struct gpiohandle_request`.
fn write_line_numbers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let count = (word32(request, 356) as usize).min(MOST_LINES);
    call.write_first_numbers(out, request, 4, count, write_decimal);
}

fn write_first_values(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let count = (word32(request, 356) as usize).min(MOST_LINES);
    call.write_first_numbers(out, &request[260..], 1, count, write_decimal);
}

fn write_values(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_first_numbers(out, bytes, 1, MOST_LINES, write_decimal);
}

/// Of `struct gpio_v2_line_request`.
fn write_requested(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let count = (word32(request, 560) as usize).min(MOST_LINES);
    call.write_first_numbers(out, request, 4, count, write_decimal);
}

/// Of `struct gpio_v2_line_info`: `[{flags=...}, {debounce_period_us=5}]`.
fn write_attributes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, info: &[u8]) {
    let count = (word32(info, 68) as usize).min(MOST_ATTRIBUTES);
    call.write_items(out, info[80..].chunks_exact(16).take(count), |call, out, attribute| {
        out.push(b'{');
        if !write_attribute(call, out, attribute) {
            out.pop();
            return call.write_members(out, &ATTRIBUTE, attribute);
        }
        out.push(b'}');
    });
}

/// Of `struct gpio_v2_line_config`: the same for the lines of a mask, `[{flags=..., mask=0x1}]`.
fn write_settings(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, config: &[u8]) {
    let count = (word32(config, 8) as usize).min(MOST_ATTRIBUTES);
    call.write_items(out, config[32..272].chunks_exact(24).take(count), |call, out, setting| {
        out.push(b'{');
        if !write_attribute(call, out, setting) {
            out.extend_from_slice(b"attr=");
            call.write_members(out, &ATTRIBUTE, &setting[..16]);
        }
        out.extend_from_slice(b", mask=");
        write_hex(out, word64(setting, 16));
        out.push(b'}');
    });
}

/// `flags=...`, by the kind of an attribute; `false`: it has none.
fn write_attribute(call: &Decoder<'_, '_>, out: &mut Vec<u8>, attribute: &[u8]) -> bool {
    let (id, padding, data) = (word32(attribute, 0), word32(attribute, 4), word64(attribute, 8));
    match id {
        _ if padding != 0 => return false,
        1 => {
            out.extend_from_slice(b"flags=");
            call.style.constants.bits(out, &LINE2_FLAGS, data);
        }
        2 => {
            out.extend_from_slice(b"values=");
            write_hex(out, data);
        }
        3 => {
            out.extend_from_slice(b"debounce_period_us=");
            write_radix(out, data & 0xffff_ffff, 10, 1);
        }
        _ => return false,
    }
    true
}
