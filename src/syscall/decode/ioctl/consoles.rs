//! Operations on consoles and their keyboards.

use super::super::layout::Show::{Address, Hex as Bits, Int, Own, Uint};
use super::super::layout::Size::{B2, B4};
use super::super::layout::layouts;
use super::super::net::{word16, word32, word64};
use super::super::text::Hex;
use super::super::{Constants, Decoder};
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, What};
use crate::syscall::flags::{self, write_hex, write_number, write_radix, write_signal};

pub(super) static ROWS: &[Row] = &[
    (0x4b2f, In(What::Argument(write_sound))),            // KIOCSOUND
    (0x4b30, In(What::Argument(write_tone))),             // KDMKTONE
    (0x4b31, Out(What::Own(write_lights_at))),            // KDGETLED
    (0x4b32, In(What::Argument(write_lights))),           // KDSETLED
    (0x4b33, Out(What::One(&flags::KEYBOARD_KIND, 1))),   // KDGKBTYPE
    (0x4b34, In(What::Argument(write_port))),             // KDADDIO
    (0x4b35, In(What::Argument(write_port))),             // KDDELIO
    (0x4b36, Nothing),                                    // KDENABIO
    (0x4b37, Nothing),                                    // KDDISABIO
    (0x4b3a, In(What::Choice(&flags::CONSOLE_MODE))),     // KDSETMODE
    (0x4b3b, Out(What::One(&flags::CONSOLE_MODE, 4))),    // KDGETMODE
    (0x4b3c, Nothing),                                    // KDMAPDISP
    (0x4b3d, Nothing),                                    // KDUNMAPDISP
    (0x4b40, Out(What::Own(write_map))),                  // GIO_SCRNMAP
    (0x4b41, In(What::Own(write_map))),                   // PIO_SCRNMAP
    (0x4b44, Out(What::Own(write_mode_at))),              // KDGKBMODE
    (0x4b45, In(What::Argument(write_mode))),             // KDSKBMODE
    (0x4b46, Parts(write_entry, write_entry_value)),      // KDGKBENT
    (0x4b47, In(What::Own(write_whole_entry))),           // KDSKBENT
    (0x4b48, Parts(write_function, write_function_text)), // KDGKBSENT
    (0x4b49, In(What::Own(write_whole_function))),        // KDSKBSENT
    (0x4b4a, Out(What::Own(write_accents))),              // KDGKBDIACR
    (0x4b4b, In(What::Own(write_accents))),               // KDSKBDIACR
    (0x4b4c, Parts(write_code, write_code_then)),         // KDGETKEYCODE
    (0x4b4d, In(What::Of(&CODE))),                        // KDSETKEYCODE
    (0x4b4e, In(What::Argument(write_signal_wanted))),    // KDSIGACCEPT
    (0x4b52, answered!(REPETITION, REPETITION)),          // KDKBDREP
    (0x4b60, Out(What::Own(write_glyphs))),               // GIO_FONT
    (0x4b61, In(What::Own(write_glyphs))),                // PIO_FONT
    (0x4b62, Out(What::One(&flags::KEYBOARD_META, 4))),   // KDGKBMETA
    (0x4b63, In(What::Choice(&flags::KEYBOARD_META))),    // KDSKBMETA
    (0x4b64, Out(What::Own(write_locks_at))),             // KDGKBLED
    (0x4b65, In(What::Argument(write_locks))),            // KDSKBLED
    (0x4b66, Parts(write_room, write_pairs_then)),        // GIO_UNIMAP
    (0x4b67, In(What::Of(&PAIRS))),                       // PIO_UNIMAP
    (0x4b68, In(What::Of(&HASHED))),                      // PIO_UNIMAPCLR
    (0x4b69, Out(What::Own(write_wide_map))),             // GIO_UNISCRNMAP
    (0x4b6a, In(What::Own(write_wide_map))),              // PIO_UNISCRNMAP
    (0x4b6b, answered!(FONT_WANTED, FONT)),               // GIO_FONTX
    (0x4b6c, In(What::Of(&FONT))),                        // PIO_FONTX
    (0x4b6d, Nothing),                                    // PIO_FONTRESET
    (0x4b70, Out(What::Own(write_colours))),              // GIO_CMAP
    (0x4b71, In(What::Own(write_colours))),               // PIO_CMAP
    (0x4b72, Parts(write_font, write_font_then)),         // KDFONTOP
    (0x4bfa, Out(What::Own(write_wide_accents))),         // KDGKBDIACRUC
    (0x4bfb, In(What::Own(write_wide_accents))),          // KDSKBDIACRUC
];

/// Most accents that a keyboard has.
const MOST_ACCENTS: u64 = 256;
/// The frequency that sounds are divided from, in hertz.
const TICKS: u64 = 1_193_182;
/// Bytes of a glyph of a font, a line of eight dots each.
const GLYPH: u64 = 32;
/// Bytes of the text of a key, and of the longest name of a font, without the NUL byte.
const LONGEST_TEXT: usize = 512;
const LONGEST_NAME: usize = 31;

layouts! {
    /// `struct kbkeycode`.
    CODE: 8/8 {
        always scancode @ 0/0 Bits(B4);
        always keycode @ 4/4 Bits(B4);
    }
    /// `struct kbd_repeat`.
    REPETITION: 8/8 {
        always delay @ 0/0 Int(B4);
        always period @ 4/4 Int(B4);
    }
    /// `struct unimapdesc`.
    PAIRS: 16/8 {
        always entry_ct @ 0/0 Uint(B2);
        always entries @ 0/0 Own(write_pairs);
    }
    /// The same, of which only the number is shown.
    ROOM: 16/8 {
        always entry_ct @ 0/0 Uint(B2);
    }
    /// `struct unipair`.
    PAIR: 4/4 {
        always unicode @ 0/0 Bits(B2);
        always fontpos @ 2/2 Bits(B2);
    }
    /// `struct unimapinit`.
    HASHED: 6/6 {
        always advised_hashsize @ 0/0 Uint(B2);
        always advised_hashstep @ 2/2 Uint(B2);
        always advised_hashlevel @ 4/4 Uint(B2);
    }
    /// `struct consolefontdesc`, with the place for the glyphs.
    FONT_WANTED: 16/8 {
        always charcount @ 0/0 Uint(B2);
        always charheight @ 2/2 Uint(B2);
        always chardata @ 8/4 Address;
    }
    /// The same with the glyphs.
    FONT: 16/8 {
        always charcount @ 0/0 Uint(B2);
        always charheight @ 2/2 Uint(B2);
        always chardata @ 0/0 Own(write_font_glyphs);
    }
    /// The head of `struct console_font_op`.
    FONT_CALL: 32/24 {
        always op @ 0/0 Own(write_font_operation);
    }
    /// `struct kbdiacruc`.
    WIDE_ACCENT: 12/12 {
        always diacr @ 0/0 Bits(B4);
        always base @ 4/4 Bits(B4);
        always result @ 8/8 Bits(B4);
    }
}

/// A number, with what it means in a comment where numbers are not all that is wanted.
fn write_meaning(call: &Decoder<'_, '_>, out: &mut Vec<u8>, meaning: &str) {
    if call.style.constants != Constants::Numbers {
        out.extend_from_slice(format!(" /* {meaning} */").as_bytes());
    }
}

/// `440 /* 2711 Hz */`
fn write_sound(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, ticks: u64) {
    let ticks = super::super::call::word(call.event.abi, ticks);
    write_radix(out, ticks, 10, 1);
    match TICKS.checked_div(ticks) {
        None | Some(0) => write_meaning(call, out, "off"),
        Some(hertz) => write_meaning(call, out, &format!("{hertz} Hz")),
    }
}

/// `100<<16|440 /* 2711 Hz, 100 ms */`
fn write_tone(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, tone: u64) {
    let (length, ticks) = (tone >> 16 & 0xffff, tone & 0xffff);
    if length != 0 {
        out.extend_from_slice(format!("{length}<<16|").as_bytes());
    }
    write_radix(out, ticks, 10, 1);
    match TICKS.checked_div(ticks).filter(|_| length != 0) {
        None => write_meaning(call, out, "off"),
        Some(hertz) => write_meaning(call, out, &format!("{hertz} Hz, {length} ms")),
    }
}

fn write_lights(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, lights: u64) {
    call.style.constants.bits(out, &flags::KEYBOARD_LIGHTS, lights & 0xff);
}

fn write_lights_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_one_at(out, address, 1, write_lights);
}

fn write_locks(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, locks: u64) {
    call.style.constants.bits(out, &flags::KEYBOARD_LOCKS, locks & 0xff);
}

fn write_locks_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_one_at(out, address, 1, write_locks);
}

/// `0x3b4 /* GPFIRST + 0 */`: a port of the video card.
fn write_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, port: u64) {
    const FIRST: u64 = 0x3b4;
    const LAST: u64 = 0x3df;
    let port = super::super::call::word(call.event.abi, port);
    write_hex(out, port);
    if (FIRST..=LAST).contains(&port) {
        write_meaning(call, out, &format!("GPFIRST + {}", port - FIRST));
    }
}

/// `K_XLATE`; its number is a decimal one.
fn write_mode(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, mode: u64) {
    let mode = mode as u32;
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(mode.cast_signed()));
    let Some(name) = flags::KEYBOARD_MODE.name(u64::from(mode)) else {
        number(out);
        return write_meaning(call, out, flags::KEYBOARD_MODE.unknown);
    };
    call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
}

fn write_mode_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_one_at(out, address, 4, write_mode);
}

/// A signal, if it is one.
fn write_signal_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, signal: u64) {
    let signal = super::super::call::word(call.event.abi, signal);
    let number = |out: &mut Vec<u8>| write_radix(out, signal, 10, 1);
    match signal {
        1..=64 => call.style.constants.write(out, number, |out| write_signal(out, signal as u32)),
        _ => number(out),
    }
}

/// Bytes in hexadecimal.
fn write_map(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer_as(out, address, 256, Hex::All);
}

fn write_glyphs(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer_as(out, address, 256 * GLYPH, Hex::All);
}

fn write_colours(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer_as(out, address, 48, Hex::All);
}

/// `[0x41, 0xf015 /* UNI_DIRECT_BASE+0x15 */]`
fn write_wide_map(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    const BASE: u16 = 0xf000;
    const MASK: u16 = 0x1ff;
    call.write_array(out, address, 256, 2, &mut |call, out, bytes| {
        let character = word16(bytes, 0);
        let number = |out: &mut Vec<u8>| write_hex(out, u64::from(character));
        if character & !MASK != BASE {
            return number(out);
        }
        call.style.constants.write(out, number, |out| {
            out.extend_from_slice(b"UNI_DIRECT_BASE+");
            write_hex(out, u64::from(character & MASK));
        });
    });
}

/// `{kb_table=K_NORMTAB, kb_index=30`: the head of `struct kbentry`; `false`: its address.
fn write_entry_head(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) -> bool {
    let mut head = [0; 2];
    if address == 0 || call.memory.read(call.phase, address, &mut head) < head.len() {
        call.write_address(out, address);
        return false;
    }
    let table = u64::from(head[0]);
    let set = if flags::KEYBOARD_TABLE.name(table).is_some() {
        &flags::KEYBOARD_TABLE
    } else {
        &flags::KEYBOARD_HELD
    };
    out.extend_from_slice(b"{kb_table=");
    let number = |out: &mut Vec<u8>| write_hex(out, table);
    call.style.constants.write(out, number, |out| match set.name(table) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => set.write_bits(out, table),
    });
    out.extend_from_slice(format!(", kb_index={}", head[1]).as_bytes());
    true
}

/// `, kb_value=0x61 /* K(KT_LATIN, 'a') */}`
fn write_value(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut value = [0; 2];
    out.extend_from_slice(b", kb_value=");
    if call.memory.read(call.phase, address.wrapping_add(2), &mut value) < value.len() {
        return out.extend_from_slice(b"???}");
    }
    let value = word16(&value, 0);
    write_hex(out, u64::from(value));
    match flags::CONSOLE_KEY.name(u64::from(value)) {
        Some(name) => write_meaning(call, out, name),
        None => write_meaning(call, out, &kind_and_value(value)),
    }
    out.push(b'}');
}

/// `K(KT_LATIN, 'a')`
fn kind_and_value(value: u16) -> String {
    /// Kinds whose values are characters.
    const CHARACTERS: [u64; 4] = [0, 8, 0xb, 0xd];
    let [value, kind] = value.to_le_bytes();
    let kind = u64::from(kind);
    let name = flags::CONSOLE_KEY_KIND.name(kind).map_or_else(|| format!("{kind:#x}"), str::to_owned);
    if CHARACTERS.contains(&kind) {
        return format!("K({name}, {})", character(value));
    }
    let mut number = Vec::new();
    write_hex(&mut number, u64::from(value));
    format!("K({name}, {})", String::from_utf8_lossy(&number))
}

/// `'a'`, `'\x01'`
fn character(byte: u8) -> String {
    match byte {
        b'\\' | b'\'' => format!("'\\{}'", char::from(byte)),
        b'\t' => "'\\t'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        0x0b => "'\\v'".to_owned(),
        0x0c => "'\\f'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b' '..=b'~' => format!("'{}'", char::from(byte)),
        _ => format!("'\\x{byte:02x}'"),
    }
}

fn write_entry(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_entry_head(call, out, call.arg(index));
}

fn write_entry_value(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_there(address, 2) {
        return;
    }
    if call.succeeded() {
        return write_value(call, out, address);
    }
    out.push(b'}');
}

fn write_whole_entry(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    if write_entry_head(call, out, address) {
        write_value(call, out, address);
    }
}

/// `{kb_func=KVAL(K_F1)`: the head of `struct kbsentry`; `false`: its address.
fn write_function_head(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) -> bool {
    let mut function = [0; 1];
    if address == 0 || call.memory.read(call.phase, address, &mut function) < 1 {
        call.write_address(out, address);
        return false;
    }
    out.extend_from_slice(b"{kb_func=");
    let function = u64::from(function[0]);
    let number = |out: &mut Vec<u8>| write_hex(out, function);
    call.style.constants.write(out, number, |out| {
        let name = flags::CONSOLE_KEY.name(0x100 | function).unwrap_or_default();
        out.extend_from_slice(format!("KVAL({name})").as_bytes());
    });
    true
}

/// `, kb_string="ls"}`
fn write_text_of(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    out.extend_from_slice(b", kb_string=");
    let mut bytes = vec![0; LONGEST_TEXT.min(call.style.strings)];
    let read = call.memory.read(call.phase, address.wrapping_add(1), &mut bytes);
    match bytes[..read].iter().position(|&byte| byte == 0) {
        Some(end) => call.write_text(out, &bytes[..end], false),
        None if read == bytes.len() => call.write_text(out, &bytes, true),
        None => out.extend_from_slice(b"???"),
    }
    out.push(b'}');
}

fn write_function(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_function_head(call, out, call.arg(index));
}

fn write_function_text(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_there(address, 1) {
        return;
    }
    if call.succeeded() {
        return write_text_of(call, out, address);
    }
    out.push(b'}');
}

fn write_whole_function(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    if write_function_head(call, out, address) {
        write_text_of(call, out, address);
    }
}

/// `{kb_cnt=1, kbdiacr=[{diacr='^', base='a', result='\xe2'}]}`
fn write_accents(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    write_counted(call, out, address, "kbdiacr", 3, |_, out, accent| {
        let [diacr, base, result] = [0, 1, 2].map(|at| character(accent[at]));
        out.extend_from_slice(format!("{{diacr={diacr}, base={base}, result={result}}}").as_bytes());
    });
}

fn write_wide_accents(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    write_counted(call, out, address, "kbdiacruc", 12, |call, out, accent| {
        call.write_members(out, &WIDE_ACCENT, accent);
    });
}

/// `{kb_cnt=1, name=[...]}`
fn write_counted(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    address: u64,
    name: &str,
    size: usize,
    mut write: impl FnMut(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8]),
) {
    let Some(count) = call.read_u32_at(call.phase, address) else { return call.write_address(out, address) };
    out.extend_from_slice(format!("{{kb_cnt={count}, {name}=").as_bytes());
    let shown = u64::from(count).min(MOST_ACCENTS);
    call.write_array(out, address.wrapping_add(4), shown, size, &mut |call, out, bytes| {
        write(call, out, bytes);
    });
    // There are no more than these, whatever the number says.
    if u64::from(count) > shown && out.ends_with(b"}]") {
        out.pop();
        out.extend_from_slice(b", ...]");
    }
    out.push(b'}');
}

/// `{scancode=0x1, keycode=0`
fn write_code(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &CODE);
}

/// ` => 0x1e}`
fn write_code_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &CODE) {
        return;
    }
    let code = call.read_u32_at(call.phase, address.wrapping_add(4));
    if let Some(code) = code.filter(|_| call.succeeded()) {
        out.extend_from_slice(b" => ");
        write_hex(out, u64::from(code));
    }
    out.push(b'}');
}

/// A pointer in a structure.
fn pointer(call: &Decoder<'_, '_>, bytes: &[u8], at: [usize; 2]) -> u64 {
    match call.half() {
        0 => word64(bytes, at[0]),
        _ => u64::from(word32(bytes, at[1])),
    }
}

/// `{entry_ct=2`
fn write_room(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &ROOM);
}

/// ` => 2, entries=[{unicode=0x41, fontpos=0x41}, ...]}`
fn write_pairs_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, mut bytes) = (call.arg(index), [0; 16]);
    let size = ROOM.size[call.half()];
    if !call.was_readable(address, &ROOM) {
        return;
    }
    if call.memory.read(call.phase, address, &mut bytes[..size]) < size {
        return out.push(b'}');
    }
    out.extend_from_slice(format!(" => {}, entries=", word16(&bytes, 0)).as_bytes());
    if call.succeeded() {
        write_pairs(call, out, &bytes);
    } else {
        call.write_address(out, pointer(call, &bytes, [8, 4]));
    }
    out.push(b'}');
}

fn write_pairs(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (count, address) = (u64::from(word16(bytes, 0)), pointer(call, bytes, [8, 4]));
    call.write_array(out, address, count, 4, &mut |call, out, pair| call.write_members(out, &PAIR, pair));
}

fn write_font_glyphs(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (count, address) = (u64::from(word16(bytes, 0)), pointer(call, bytes, [8, 4]));
    call.write_buffer_as(out, address, count * GLYPH, Hex::All);
}

const SET: u32 = 0;
const GET: u32 = 1;
const SET_DEFAULT: u32 = 2;
const COPY: u32 = 3;

/// `struct console_font_op`, by what it is to do.
fn write_font_operation(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let operation = word32(bytes, 0);
    call.style.constants.one(out, &flags::FONT_OPERATION, u64::from(operation));
    if !matches!(operation, SET_DEFAULT | COPY) {
        out.extend_from_slice(b", flags=");
        call.style.constants.bits(out, &flags::FONT_FLAGS, u64::from(word32(bytes, 4)));
    }
    if operation != COPY {
        out.extend_from_slice(format!(", width={}", word32(bytes, 8)).as_bytes());
    }
    out.extend_from_slice(format!(", height={}", word32(bytes, 12)).as_bytes());
    if !matches!(operation, SET_DEFAULT | COPY) {
        out.extend_from_slice(format!(", charcount={}", word32(bytes, 16)).as_bytes());
    }
    let data = pointer(call, bytes, [24, 20]);
    match operation {
        COPY => {}
        SET => write_font_data(call, out, bytes),
        SET_DEFAULT => {
            out.extend_from_slice(b", data=");
            call.write_string_up_to(out, data, LONGEST_NAME.min(call.style.strings));
        }
        _ => {
            out.extend_from_slice(b", data=");
            call.write_address(out, data);
        }
    }
}

/// `, data="\x00"...`: glyphs of so many bytes as the width needs.
fn write_font_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (width, count) = (u64::from(word32(bytes, 8)), u64::from(word32(bytes, 16)));
    let size = width.div_ceil(8).saturating_mul(GLYPH).saturating_mul(count);
    out.extend_from_slice(b", data=");
    call.write_buffer_as(out, pointer(call, bytes, [24, 20]), size, Hex::All);
}

fn write_font(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_layout(out, call.arg(index), &FONT_CALL);
}

/// ` => {width=8, height=16, charcount=256, data="\x00"...}`: what is filled.
fn write_font_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, mut bytes) = (call.arg(index), [0; 32]);
    let size = FONT_CALL.size[call.half()];
    let is_told = call.succeeded() && call.was_readable(address, &FONT_CALL);
    if !is_told || call.memory.read(call.phase, address, &mut bytes[..size]) < size {
        return;
    }
    let operation = word32(&bytes, 0);
    if matches!(operation, SET | COPY) {
        return;
    }
    out.extend_from_slice(
        format!(" => {{width={}, height={}", word32(&bytes, 8), word32(&bytes, 12)).as_bytes(),
    );
    if operation != SET_DEFAULT {
        out.extend_from_slice(format!(", charcount={}", word32(&bytes, 16)).as_bytes());
    }
    match operation {
        SET_DEFAULT => {}
        GET => write_font_data(call, out, &bytes),
        _ => {
            out.extend_from_slice(b", data=");
            call.write_address(out, pointer(call, &bytes, [24, 20]));
        }
    }
    out.push(b'}');
}
