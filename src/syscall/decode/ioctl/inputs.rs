//! Operations on input devices.

use super::super::Decoder;
use super::super::layout::Show::{Address, Enum, Hex, Int, Nested, Uint, Words};
use super::super::layout::Size::{B1, B2, B4};
use super::super::layout::layouts;
use super::super::net::{word16, word32};
use super::Use::{In, Out};
use super::{Row, Use, What};
use crate::syscall::flags::{self, FlagSet, write_hex, write_number, write_radix};

pub(super) static ROWS: &[Row] = &[
    (0x8004_4501, Out(What::Hexadecimal(4))), // EVIOCGVERSION
    (0x8008_4502, Out(What::Of(&INPUT))),     // EVIOCGID
    (0x8008_4503, Out(What::Pair(4))),        // EVIOCGREP
    (0x4008_4503, In(What::Pair(4))),         // EVIOCSREP
    (0x8008_4504, Out(What::Own(write_key))), // EVIOCGKEYCODE
    (0x4008_4504, In(What::Own(write_key))),  // EVIOCSKEYCODE
    (0x8028_4504, Out(What::Of(&KEY))),       // EVIOCGKEYCODE_V2
    (0x4028_4504, In(What::Of(&KEY))),        // EVIOCSKEYCODE_V2
    (0x4030_4580, In(What::Of(&EFFECT))),     // EVIOCSFF
    (0x402c_4580, In(What::Of(&EFFECT))),
    (0x4004_4581, In(What::Value)),        // EVIOCRMFF
    (0x8004_4584, Out(What::Unsigned(4))), // EVIOCGEFFECTS
    (0x4004_4590, In(What::Number)),       // EVIOCGRAB
    (0x4004_4591, In(What::Number)),       // EVIOCREVOKE
    (0x4004_45a0, In(What::Unsigned(4))),  // EVIOCSCLOCKID
];

/// Those that have the size of the buffer, or what is asked for, in their number.
pub(super) fn ranged(op: u32) -> Option<Use> {
    const WRITES: u32 = 1;
    const READS: u32 = 2;
    let number = op & 0xff;
    Some(match (op >> 30, number) {
        (WRITES, 0xc0..) => In(What::Own(write_axis)),      // EVIOCSABS
        (READS, 0x06..=0x08) => Out(What::Own(write_name)), // EVIOCGNAME, EVIOCGPHYS, EVIOCGUNIQ
        (READS, 0x0a) => Out(What::Own(write_slots)),       // EVIOCGMTSLOTS
        (READS, 0x36) => Out(What::Integer(4)),             // EVIOCGBIT(EV_PWR)
        (READS, 0x40..=0x7f) => Out(What::Own(write_axis)), // EVIOCGABS
        (READS, number) if set_of(number).is_some() => Out(What::Own(write_set)),
        (READS, 0x20..=0x3f) => Out(What::Pointer), // EVIOCGBIT of what has no name
        _ => return None,
    })
}

/// A set of bits that is told: the names, and how many bits are looked at.
fn set_of(number: u32) -> Option<(&'static FlagSet, usize)> {
    Some(match number {
        0x09 => (&flags::INPUT_PROPERTY, 0x1f),      // EVIOCGPROP
        0x18 | 0x21 => (&flags::INPUT_KEY, 0x2ff),   // EVIOCGKEY, EVIOCGBIT(EV_KEY)
        0x19 | 0x31 => (&flags::INPUT_LIGHT, 0xf),   // EVIOCGLED, EVIOCGBIT(EV_LED)
        0x1a | 0x32 => (&flags::INPUT_SOUND, 7),     // EVIOCGSND, EVIOCGBIT(EV_SND)
        0x1b | 0x25 => (&flags::INPUT_SWITCH, 0x10), // EVIOCGSW, EVIOCGBIT(EV_SW)
        0x20 => (&flags::INPUT_EVENT, 0x1f),         // EVIOCGBIT(0)
        0x22 => (&flags::INPUT_MOTION, 0xf),
        0x23 => (&flags::INPUT_AXIS, 0x3f),
        0x24 => (&flags::INPUT_MISC, 7),
        0x34 => (&flags::INPUT_REPEAT, 1),
        0x35 => (&flags::INPUT_FORCE, 0x7f),
        0x37 => (&flags::INPUT_FORCE_STATE, 1),
        _ => return None,
    })
}

layouts! {
    /// `struct input_id`.
    INPUT: 8/8 {
        always bustype @ 0/0 Uint(B2);
        always vendor @ 2/2 Uint(B2);
        always product @ 4/4 Uint(B2);
        always version @ 6/6 Uint(B2);
    }
    /// `struct input_keymap_entry`.
    KEY: 40/40 {
        always flags @ 0/0 Uint(B1);
        always len @ 1/1 Uint(B1);
        v index @ 2/2 Uint(B2);
        v keycode @ 4/4 Enum(&flags::INPUT_KEY, B4);
        v scancode @ 8/8 Words(B1, 32);
    }
    /// `struct ff_effect`.
    EFFECT: 48/44 {
        always type @ 0/0 Enum(&flags::INPUT_FORCE, B2);
        always id @ 2/2 Int(B2);
        always direction @ 4/4 Uint(B2);
        v trigger @ 6/6 Nested(&TRIGGER);
        v replay @ 10/10 Nested(&REPLAY);
        v(|effect| word16(effect, 0) == RUMBLE) rumble @ 16/16 Nested(&RUMBLING);
        v(|effect| word16(effect, 0) == PERIODIC) periodic @ 16/16 Nested(&WAVE);
        v(|effect| word16(effect, 0) == CONSTANT) constant @ 16/16 Nested(&LEVEL);
        v(|effect| word16(effect, 0) == RAMP) ramp @ 16/16 Nested(&SLOPE);
    }
    /// `struct ff_trigger`.
    TRIGGER: 4/4 {
        always button @ 0/0 Uint(B2);
        always interval @ 2/2 Uint(B2);
    }
    /// `struct ff_replay`.
    REPLAY: 4/4 {
        always length @ 0/0 Uint(B2);
        always delay @ 2/2 Uint(B2);
    }
    /// `struct ff_envelope`.
    ENVELOPE: 8/8 {
        always attack_length @ 0/0 Uint(B2);
        always attack_level @ 2/2 Uint(B2);
        always fade_length @ 4/4 Uint(B2);
        always fade_level @ 6/6 Hex(B2);
    }
    /// `struct ff_rumble_effect`.
    RUMBLING: 4/4 {
        always strong_magnitude @ 0/0 Uint(B2);
        always weak_magnitude @ 2/2 Uint(B2);
    }
    /// `struct ff_periodic_effect`.
    WAVE: 32/28 {
        always waveform @ 0/0 Uint(B2);
        always period @ 2/2 Uint(B2);
        always magnitude @ 4/4 Int(B2);
        always offset @ 6/6 Int(B2);
        always phase @ 8/8 Uint(B2);
        always envelope @ 10/10 Nested(&ENVELOPE);
        always custom_len @ 20/20 Uint(B4);
        always custom_data @ 24/24 Address;
    }
    /// `struct ff_constant_effect`.
    LEVEL: 10/10 {
        always level @ 0/0 Int(B2);
        always envelope @ 2/2 Nested(&ENVELOPE);
    }
    /// `struct ff_ramp_effect`.
    SLOPE: 12/12 {
        always start_level @ 0/0 Int(B2);
        always end_level @ 2/2 Int(B2);
        always envelope @ 4/4 Nested(&ENVELOPE);
    }
}

const RUMBLE: u16 = 0x50;
const PERIODIC: u16 = 0x51;
const CONSTANT: u16 = 0x52;
const RAMP: u16 = 0x57;

/// The size of the buffer that the operation has in its number.
fn size(call: &Decoder<'_, '_>) -> usize {
    call.arg(1) as usize >> 16 & 0x3fff
}

/// How much the call says that it has filled.
fn filled(call: &Decoder<'_, '_>) -> u64 {
    call.event.ret.map_or(0, i64::cast_unsigned)
}

/// `[30, KEY_A]`: the number that a keyboard has for a key, and the key.
fn write_key(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut pair = [0; 8];
    if address == 0 || call.memory.read(call.phase, address, &mut pair) < pair.len() {
        return call.write_address(out, address);
    }
    out.push(b'[');
    write_radix(out, u64::from(word32(&pair, 0)), 10, 1);
    out.extend_from_slice(b", ");
    call.style.constants.one(out, &flags::INPUT_KEY, u64::from(word32(&pair, 4)));
    out.push(b']');
}

/// `"AT keyboard"`
fn write_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer(out, address, filled(call));
}

/// `{value=1, minimum=0, ...}`: as much as the operation asks for of `struct input_absinfo`.
fn write_axis(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    const MEMBERS: [&str; 6] = ["value=", "minimum=", "maximum=", "fuzz=", "flat=", "resolution="];
    /// The structure as it was first, and as it is.
    const SIZES: [usize; 2] = [20, 24];
    let (size, mut bytes) = (size(call), [0; SIZES[1]]);
    let known = size.min(SIZES[1]);
    let is_there = size >= SIZES[0] && address != 0;
    if !is_there || call.memory.read(call.phase, address, &mut bytes[..known]) < known {
        return call.write_address(out, address);
    }
    let shown = if call.style.verbose { known / 4 } else { 2 };
    for (index, (member, value)) in MEMBERS.iter().zip(bytes.chunks_exact(4)).take(shown).enumerate() {
        out.extend_from_slice(if index == 0 { b"{" } else { b", " });
        out.extend_from_slice(member.as_bytes());
        write_radix(out, u64::from(word32(value, 0)), 10, 1);
    }
    let is_cut = !call.style.verbose || !SIZES.contains(&size);
    out.extend_from_slice(if is_cut { b", ...}" } else { b"}" });
}

/// `{code=ABS_MT_SLOT, values=[1, 3]}`
fn write_slots(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut bytes = vec![0; size(call) / 4 * 4];
    let is_there = !bytes.is_empty() && address != 0;
    if !is_there || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    out.extend_from_slice(b"{code=");
    call.style.constants.one(out, &flags::INPUT_TOUCH, u64::from(word32(&bytes, 0)));
    out.extend_from_slice(b", values=");
    call.write_items(out, bytes[4..].chunks_exact(4), |_, out, value| {
        write_number(out, i64::from(word32(value, 0).cast_signed()));
    });
    out.push(b'}');
}

/// `[KEY_1 KEY_2]`, `[0xc]`: a set of bits, in words, as far as the call has filled it.
fn write_set(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    /// Bits that are shown.
    const SHOWN: usize = 4;
    let Some((names, most)) = set_of(call.arg(1) as u32 & 0xff) else { return };
    let word = call.word_size();
    let bits = usize::try_from(filled(call)).unwrap_or(usize::MAX).saturating_mul(8).min(most);
    let mut bytes = vec![0; bits.div_ceil(8 * word) * word];
    let is_there = bits > 0 && address != 0;
    if !is_there || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    let words = |call: &mut Decoder<'_, '_>, out: &mut Vec<u8>| {
        call.write_first_numbers(out, &bytes, word, bytes.len() / word, write_hex);
    };
    if call.style.constants == super::super::Constants::Numbers {
        return words(call, out);
    }
    out.push(b'[');
    let set = (0..bits).filter(|bit| bytes[bit / 8] >> (bit % 8) & 1 != 0);
    for (index, bit) in set.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if index >= SHOWN && !call.style.verbose {
            out.extend_from_slice(b"...");
            break;
        }
        call.style.constants.one(out, names, bit as u64);
    }
    out.push(b']');
    if call.style.constants == super::super::Constants::Both {
        out.extend_from_slice(b" /* ");
        words(call, out);
        out.extend_from_slice(b" */");
    }
}
