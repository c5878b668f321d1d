//! Operations on precise clocks (PTP), and the parameters of those that keep the time of day (RTC).

use super::super::layout::Show::{Enum, Flags, Hex, Int, Own, Text, Uint, Words};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::super::time;
use super::super::{Constants, Decoder};
use super::Use::{In, Out};
use super::{Row, What};
use crate::syscall::flags::{
    CLOCK_BACKUP, CLOCK_FEATURES, CLOCK_PARAMETER, PULSE_IN, PULSE_OUT, PULSE_PIN, write_hex,
};

pub(super) static ROWS: &[Row] = &[
    (0x8050_3d01, Out(What::Of(&ABILITIES))),         // PTP_CLOCK_GETCAPS
    (0x8050_3d0a, Out(What::Of(&ABILITIES))),         // PTP_CLOCK_GETCAPS2
    (0x4010_3d02, In(What::Of(&STAMPS_OLD))),         // PTP_EXTTS_REQUEST
    (0x4010_3d0b, In(What::Of(&STAMPS))),             // PTP_EXTTS_REQUEST2
    (0x4038_3d03, In(What::Of(&PULSES_OLD))),         // PTP_PEROUT_REQUEST
    (0x4038_3d0c, In(What::Of(&PULSES))),             // PTP_PEROUT_REQUEST2
    (0x4340_3d05, parts!(SAMPLES_WANTED, SAMPLES)),   // PTP_SYS_OFFSET
    (0x4340_3d0e, parts!(SAMPLES_WANTED, SAMPLES)),   // PTP_SYS_OFFSET2
    (0xc060_3d06, parts!(PIN_WANTED_OLD, PIN)),       // PTP_PIN_GETFUNC
    (0xc060_3d0f, parts!(PIN_WANTED, PIN)),           // PTP_PIN_GETFUNC2
    (0x4060_3d07, In(What::Of(&PIN_SET_OLD))),        // PTP_PIN_SETFUNC
    (0x4060_3d10, In(What::Of(&PIN_SET))),            // PTP_PIN_SETFUNC2
    (0xc040_3d08, Out(What::Of(&CROSS))),             // PTP_SYS_OFFSET_PRECISE
    (0xc040_3d11, Out(What::Of(&CROSS))),             // PTP_SYS_OFFSET_PRECISE2
    (0xc4c0_3d09, parts!(EXTENDED_WANTED, EXTENDED)), // PTP_SYS_OFFSET_EXTENDED
    (0xc4c0_3d12, parts!(EXTENDED_WANTED, EXTENDED)), // PTP_SYS_OFFSET_EXTENDED2
];

/// Most samples that a clock takes.
const MOST_SAMPLES: usize = 25;
/// `PTP_PEROUT_DUTY_CYCLE` and `PTP_PEROUT_PHASE`.
const DUTY_CYCLE: u32 = 2;
const PHASE: u32 = 4;

layouts! {
    /// `struct ptp_clock_caps`.
    ABILITIES: 80/80 {
        always max_adj @ 0/0 Int(B4);
        always n_alarm @ 4/4 Int(B4);
        always n_ext_ts @ 8/8 Int(B4);
        always n_per_out @ 12/12 Int(B4);
        always pps @ 16/16 Int(B4);
        always n_pins @ 20/20 Int(B4);
        always cross_timestamping @ 24/24 Int(B4);
        always adjust_phase @ 28/28 Int(B4);
        set(48) rsv @ 32/32 Words(B4, 12);
    }
    /// `struct ptp_clock_time`.
    TIME: 16/16 {
        always sec @ 0/0 Int(B8);
        always nsec @ 8/8 Uint(B4);
        set(4) reserved @ 12/12 Hex(B4);
    }
    /// `struct ptp_extts_request` as it was first.
    STAMPS_OLD: 16/16 {
        always index @ 0/0 Uint(B4);
        always flags @ 4/4 Flags(&PULSE_IN, B4);
    }
    /// `struct ptp_extts_request`.
    STAMPS: 16/16 {
        always index @ 0/0 Uint(B4);
        always flags @ 4/4 Flags(&PULSE_IN, B4);
        set(8) rsv @ 8/8 Words(B4, 2);
    }
    /// `struct ptp_perout_request` as it was first.
    PULSES_OLD: 56/56 {
        has(|pulses| word32(pulses, 36) & PHASE == 0) start @ 0/0 Own(write_moment);
        has(|pulses| word32(pulses, 36) & PHASE != 0) phase @ 0/0 Own(write_span);
        always period @ 16/16 Own(write_span);
        always index @ 32/32 Uint(B4);
        always flags @ 36/36 Flags(&PULSE_OUT, B4);
        has(|pulses| word32(pulses, 36) & DUTY_CYCLE != 0) on @ 40/40 Own(write_span);
    }
    /// `struct ptp_perout_request`.
    PULSES: 56/56 {
        has(|pulses| word32(pulses, 36) & PHASE == 0) start @ 0/0 Own(write_moment);
        has(|pulses| word32(pulses, 36) & PHASE != 0) phase @ 0/0 Own(write_span);
        always period @ 16/16 Own(write_span);
        always index @ 32/32 Uint(B4);
        always flags @ 36/36 Flags(&PULSE_OUT, B4);
        has(|pulses| word32(pulses, 36) & DUTY_CYCLE != 0) on @ 40/40 Own(write_span);
        has(has_rest) rsv @ 40/40 Words(B4, 4);
    }
    /// `struct ptp_sys_offset`: what is asked for.
    SAMPLES_WANTED: 832/832 {
        always n_samples @ 0/0 Uint(B4);
        set(12) rsv @ 4/4 Words(B4, 3);
    }
    /// What is told: the system's time before, between and behind the clock's.
    SAMPLES: 832/832 {
        always ts @ 0/0 Own(write_samples);
    }
    /// `struct ptp_sys_offset_extended`: what is asked for.
    EXTENDED_WANTED: 1216/1216 {
        always n_samples @ 0/0 Uint(B4);
        set(12) rsv @ 4/4 Words(B4, 3);
    }
    /// What is told: times by three.
    EXTENDED: 1216/1216 {
        always ts @ 0/0 Own(write_extended);
    }
    /// `struct ptp_pin_desc` as it was first: which one.
    PIN_WANTED_OLD: 96/96 {
        always index @ 64/64 Uint(B4);
    }
    /// `struct ptp_pin_desc`: which one.
    PIN_WANTED: 96/96 {
        always index @ 64/64 Uint(B4);
        set(20) rsv @ 76/76 Words(B4, 5);
    }
    /// What is told of it.
    PIN: 96/96 {
        always name @ 0/0 Text(64);
        always func @ 68/68 Enum(&PULSE_PIN, B4);
        always chan @ 72/72 Uint(B4);
    }
    /// The same where it is set, as it was first.
    PIN_SET_OLD: 96/96 {
        always index @ 64/64 Uint(B4);
        always func @ 68/68 Enum(&PULSE_PIN, B4);
        always chan @ 72/72 Uint(B4);
    }
    /// The same where it is set.
    PIN_SET: 96/96 {
        always index @ 64/64 Uint(B4);
        always func @ 68/68 Enum(&PULSE_PIN, B4);
        always chan @ 72/72 Uint(B4);
        set(20) rsv @ 76/76 Words(B4, 5);
    }
    /// `struct ptp_sys_offset_precise`.
    CROSS: 64/64 {
        always device @ 0/0 Own(write_moment);
        always sys_realtime @ 16/16 Own(write_moment);
        always sys_monoraw @ 32/32 Own(write_span);
        set(16) rsv @ 48/48 Words(B4, 4);
    }
}

layouts! {
    /// `struct rtc_param`: which one.
    PARAMETER_WANTED: 24/24 {
        always param @ 0/0 Enum(&CLOCK_PARAMETER, B8);
        always index @ 16/16 Uint(B4);
        set(4) __pad @ 20/20 Hex(B4);
    }
    /// What is told of it.
    PARAMETER: 24/24 {
        has(is_signed) svalue @ 8/8 Int(B8);
        has(|parameter| !is_signed(parameter)) uvalue @ 0/0 Own(write_parameter_value);
        set(4) __pad @ 20/20 Hex(B4);
    }
    /// The same where it is set.
    PARAMETER_SET: 24/24 {
        always param @ 0/0 Enum(&CLOCK_PARAMETER, B8);
        has(is_signed) svalue @ 8/8 Int(B8);
        has(|parameter| !is_signed(parameter)) uvalue @ 0/0 Own(write_parameter_value);
        always index @ 16/16 Uint(B4);
        set(4) __pad @ 20/20 Hex(B4);
    }
}

/// Whether a parameter is a number with a sign: `RTC_PARAM_CORRECTION`.
fn is_signed(parameter: &[u8]) -> bool {
    word64(parameter, 0) == 1
}

fn write_parameter_value(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, parameter: &[u8]) {
    let value = word64(parameter, 8);
    match word64(parameter, 0) {
        0 => call.style.constants.bits(out, &CLOCK_FEATURES, value),
        2 => call.style.constants.one(out, &CLOCK_BACKUP, value),
        _ => write_hex(out, value),
    }
}

pub(super) fn write_parameter_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_layout(out, call.arg(index), &PARAMETER_WANTED);
}

/// ` => {uvalue=5}`, the address where the call has failed.
pub(super) fn write_parameter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_answer_or_address(out, index, &PARAMETER_WANTED, &PARAMETER);
}

/// Whether there is something where a request without a duty cycle has nothing.
fn has_rest(pulses: &[u8]) -> bool {
    word32(pulses, 36) & DUTY_CYCLE == 0 && pulses[40..56].iter().any(|&byte| byte != 0)
}

/// `{sec=1, nsec=2}`
fn write_span(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_members(out, &TIME, &bytes[..16]);
}

/// `{sec=1, nsec=2} /* 1970-01-01T00:00:01.000000002+0000 */`; of numbers only (`-X raw`) the moment is not told.
fn write_moment(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_span(call, out, bytes);
    if call.style.constants == Constants::Numbers {
        return;
    }
    time::write_comment(out, word64(bytes, 0).cast_signed(), u64::from(word32(bytes, 8)), 9);
}

fn write_samples(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, samples: &[u8]) {
    let count = 2 * (word32(samples, 0) as usize).min(MOST_SAMPLES) + 1;
    call.write_items(out, samples[16..].chunks_exact(16).take(count), write_moment);
}

fn write_extended(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, samples: &[u8]) {
    let count = (word32(samples, 0) as usize).min(MOST_SAMPLES);
    call.write_items(out, samples[16..].chunks_exact(48).take(count), |call, out, times| {
        call.write_items(out, times.chunks_exact(16), write_moment);
    });
}
