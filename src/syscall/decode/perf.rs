//! `perf_event_open(2)`: `struct perf_event_attr`, which has its size in it. It is the same for all programs.

use super::constants::Constants;
use super::layout::Show::{Enum, Flags, Hex, Own, Uint};
use super::layout::Size::{B4, B8};
use super::layout::layouts;
use super::net::{word16, word32, word64};
use super::{Decoder, Phase};
use crate::syscall::flags::{
    CLOCK, FlagSet, PERF_BRANCH, PERF_BREAKPOINT, PERF_CACHE, PERF_CACHE_OP, PERF_CACHE_RESULT, PERF_FORMAT,
    PERF_HARDWARE, PERF_SAMPLE, PERF_SIZE, PERF_SOFTWARE, PERF_TYPE, write_hex, write_radix,
};

/// The first version's size (`PERF_ATTR_SIZE_VER0`), and that of what is known here.
const FIRST: usize = 64;
const KNOWN: usize = 128;

layouts! {
    /// What stands before the bits.
    HEAD: 128/128 {
        always type @ 0/0 Enum(&PERF_TYPE, B4);
        always size @ 4/4 Own(write_size);
        always config @ 0/0 Own(write_event);
        has(is_periodic) sample_period @ 16/16 Uint(B8);
        has(has_frequency) sample_freq @ 16/16 Uint(B8);
        always sample_type @ 24/24 Flags(&PERF_SAMPLE, B8);
        always read_format @ 32/32 Flags(&PERF_FORMAT, B8);
    }
    /// What stands behind them.
    TAIL: 128/128 {
        v(0, counts_events) wakeup_events @ 48/48 Uint(B4);
        v(0, has_watermark) wakeup_watermark @ 48/48 Uint(B4);
        v(0, is_breakpoint) bp_type @ 52/52 Own(write_breakpoint);
        v(0, is_breakpoint) bp_addr @ 56/56 Hex(B8);
        v(0, is_other) config1 @ 56/56 Hex(B8);
        v(64, is_breakpoint) bp_len @ 64/64 Uint(B8);
        v(64, is_other) config2 @ 64/64 Hex(B8);
        v(72, has_branches) branch_sample_type @ 72/72 Flags(&PERF_BRANCH, B8);
        v(80, always) sample_regs_user @ 80/80 Hex(B8);
        v(88, has_stack) sample_stack_user @ 88/88 Hex(B4);
        v(92, has_clock) clockid @ 92/92 Enum(&CLOCK, B4);
        v(96, always) sample_regs_intr @ 96/96 Hex(B8);
        v(104, always) aux_watermark @ 104/104 Uint(B4);
        v(108, always) sample_max_stack @ 108/108 Own(write_most_stack);
        v(112, always) aux_sample_size @ 112/112 Own(write_aux_size);
        v(120, always) sig_data @ 120/120 Hex(B8);
    }
}

/// The bits, from the lowest on; `precise_ip` takes two.
const BITS: [&str; 37] = [
    "disabled",
    "inherit",
    "pinned",
    "exclusive",
    "exclude_user",
    "exclude_kernel",
    "exclude_hv",
    "exclude_idle",
    "mmap",
    "comm",
    "freq",
    "inherit_stat",
    "enable_on_exec",
    "task",
    "watermark",
    "precise_ip",
    "mmap_data",
    "sample_id_all",
    "exclude_host",
    "exclude_guest",
    "exclude_callchain_kernel",
    "exclude_callchain_user",
    "mmap2",
    "comm_exec",
    "use_clockid",
    "context_switch",
    "write_backward",
    "namespaces",
    "ksymbol",
    "bpf_event",
    "aux_output",
    "cgroup",
    "text_poke",
    "build_id",
    "inherit_thread",
    "remove_on_exec",
    "sigtrap",
];

/// What the values of `precise_ip` ask for.
const SKIDS: [&str; 4] = ["arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid"];

fn bits(attr: &[u8]) -> u64 {
    word64(attr, 40)
}

fn has_frequency(attr: &[u8]) -> bool {
    bits(attr) & 1 << 10 != 0
}

fn is_periodic(attr: &[u8]) -> bool {
    !has_frequency(attr)
}

fn has_watermark(attr: &[u8]) -> bool {
    bits(attr) & 1 << 14 != 0
}

fn counts_events(attr: &[u8]) -> bool {
    !has_watermark(attr)
}

fn has_clock(attr: &[u8]) -> bool {
    bits(attr) & 1 << 25 != 0
}

/// `PERF_TYPE_BREAKPOINT`.
fn is_breakpoint(attr: &[u8]) -> bool {
    word32(attr, 0) == 5
}

fn is_other(attr: &[u8]) -> bool {
    !is_breakpoint(attr)
}

/// `PERF_SAMPLE_BRANCH_STACK`.
fn has_branches(attr: &[u8]) -> bool {
    word64(attr, 24) & 1 << 11 != 0
}

/// `PERF_SAMPLE_STACK_USER`.
fn has_stack(attr: &[u8]) -> bool {
    word64(attr, 24) & 1 << 13 != 0
}

fn always(_: &[u8]) -> bool {
    true
}

/// Reads at the entry what is shown at the exit, since the kernel says which size it knows.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name == "perf_event_open" {
        read(call);
    }
}

/// The structure as it is passed, with zeros behind it, and its size. `None`: it cannot be read, or has no version.
fn read(call: &mut Decoder<'_, '_>) -> Option<([u8; KNOWN], usize)> {
    let address = call.arg(place(call));
    let size = call.read_u32_at(Phase::Entry, address.wrapping_add(4)).filter(|_| address != 0)?;
    // No size is the first version's.
    let given = if size == 0 { FIRST } else { size as usize };
    let mut bytes = [0; KNOWN];
    let attr = &mut bytes[..given.min(KNOWN)];
    let is_there = given >= FIRST && call.memory.read(Phase::Entry, address, attr) == attr.len();
    is_there.then_some((bytes, given))
}

/// Which argument it is.
fn place(call: &Decoder<'_, '_>) -> usize {
    if call.spec.name == "ioctl" { 2 } else { 0 }
}

/// `{type=PERF_TYPE_HARDWARE, size=PERF_ATTR_SIZE_VER5, ...}`
pub(super) fn write_attributes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let attr = if call.style.addresses { None } else { read(call) };
    let Some((bytes, given)) = attr else { return call.write_address(out, call.arg(index)) };
    out.push(b'{');
    call.write_some(out, &HEAD, &bytes, given);
    write_bits(call.style.verbose, out, bits(&bytes));
    let is_cut = call.write_some(out, &TAIL, &bytes, given) || given > KNOWN;
    out.extend_from_slice(if is_cut { b", ...}" } else { b"}" });
}

/// The size, and that which the kernel knows where it is less.
fn write_size(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    /// `E2BIG`.
    const TOO_LARGE: i32 = 7;
    let passed = word32(bytes, 0);
    call.style.constants.one(out, &PERF_SIZE, u64::from(passed));
    let known = call.read_u32_at(Phase::Exit, call.arg(place(call)).wrapping_add(4));
    if let Some(known) = known.filter(|&known| known != passed && call.event.errno() == Some(TOO_LARGE)) {
        out.extend_from_slice(b" => ");
        call.style.constants.one(out, &PERF_SIZE, u64::from(known));
    }
}

/// `, disabled=1, precise_ip=0 /* arbitrary skid */`: all of them, or those that are set.
fn write_bits(all: bool, out: &mut Vec<u8>, bits: u64) {
    /// `precise_ip`.
    const WIDE: &str = "precise_ip";
    let mut at = 0;
    for name in BITS {
        let width = if name == WIDE { 2 } else { 1 };
        let value = bits >> at & ((1 << width) - 1);
        at += width;
        if !all && value == 0 && name != WIDE {
            continue;
        }
        out.extend_from_slice(format!(", {name}={value}").as_bytes());
        if name == WIDE {
            out.extend_from_slice(format!(" /* {} */", SKIDS[value as usize]).as_bytes());
        }
    }
    let rest = bits >> at;
    if rest != 0 {
        out.extend_from_slice(format!(", __reserved_1={rest:#x} /* Bits 63..{at} */").as_bytes());
    }
}

/// What is counted, by the type.
fn write_event(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, attr: &[u8]) {
    let (config, constants) = (word64(attr, 8), call.style.constants);
    let write_high = |out: &mut Vec<u8>, shift: u32, mask: u64| {
        let value = config >> shift & mask;
        if value != 0 {
            write_hex(out, value);
            out.extend_from_slice(format!("<<{shift}|").as_bytes());
        }
    };
    match word32(attr, 0) {
        0 => {
            write_high(out, 32, 0xffff_ffff);
            constants.one(out, &PERF_HARDWARE, config);
        }
        1 => constants.one(out, &PERF_SOFTWARE, config),
        2 => write_radix(out, config, 10, 1),
        3 => {
            write_high(out, 32, 0xffff_ffff);
            write_high(out, 24, 0xff);
            let parts: [(u32, &FlagSet); 2] = [(16, &PERF_CACHE_RESULT), (8, &PERF_CACHE_OP)];
            for (shift, set) in parts {
                constants.one(out, set, config >> shift & 0xff);
                out.extend_from_slice(format!("<<{shift}|").as_bytes());
            }
            constants.one(out, &PERF_CACHE, config & 0xff);
        }
        _ => write_hex(out, config),
    }
}

fn write_breakpoint(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    /// `HW_BREAKPOINT_RW` and `HW_BREAKPOINT_X` at once.
    const INVALID: std::ops::RangeInclusive<u32> = 5..=7;
    let kind = word32(bytes, 0);
    if INVALID.contains(&kind) && call.style.constants != Constants::Numbers {
        write_hex(out, u64::from(kind));
        out.extend_from_slice(b" /* HW_BREAKPOINT_INVALID */");
    } else {
        call.style.constants.one(out, &PERF_BREAKPOINT, u64::from(kind));
    }
}

fn write_most_stack(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_radix(out, u64::from(word16(bytes, 0)), 10, 1);
    write_reserved(out, 110, u64::from(word16(bytes, 2)), 2);
}

fn write_aux_size(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_radix(out, u64::from(word32(bytes, 0)), 10, 1);
    write_reserved(out, 116, u64::from(word32(bytes, 4)), 4);
}

/// ` /* bytes 116..119: 0x5 */`: what should be 0.
fn write_reserved(out: &mut Vec<u8>, at: usize, value: u64, size: usize) {
    if value != 0 {
        out.extend_from_slice(format!(" /* bytes {at}..{}: {value:#x} */", at + size - 1).as_bytes());
    }
}
