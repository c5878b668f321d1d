//! `prctl(2)`: what the arguments are, how many are looked at, and what is returned, by the operation.

use super::call::word;
use super::process::write_thread_name;
use super::special::Form;
use super::{Constants, Decoder, filter};
use crate::syscall::flags::{
    CAPABILITY, FlagSet, PID_TYPE, PR_AMBIENT, PR_CORE, PR_DISPATCH, PR_ENABLED_KEYS, PR_FP_MODE, PR_KEYS,
    PR_MCE, PR_MCE_POLICY, PR_MEMORY, PR_SME, PR_SPECULATION, PR_SPECULATION_CONTROL, PR_SPECULATION_STATE,
    PR_SVE, PR_TAG_CHECK, PR_TSC, PR_UNALIGN, PR_VMA, SECCOMP_MODE, SECUREBITS, SUID_DUMP, write_hex,
    write_number, write_radix,
};
use crate::syscall::{Arg, Struct};

const HEX: Form = Form::As(Arg::Word);
const ADDRESS: Form = Form::As(Arg::Addr);
const UNSIGNED: Form = Form::Own(write_unsigned);
const FILLED: Form = Form::OwnLate(write_integer);

/// The arguments of an operation behind it: all that are looked at. A line an operation.
static OPERATIONS: &[(u32, &[Form])] = &[
    (1, &[Form::Own(write_signal_at_end)]),          // PR_SET_PDEATHSIG
    (2, &[Form::OwnLate(write_signal)]),             // PR_GET_PDEATHSIG
    (3, &[]),                                        // PR_GET_DUMPABLE
    (4, &[Form::As(Arg::Enum(&SUID_DUMP))]),         // PR_SET_DUMPABLE
    (5, &[Form::OwnLate(write_alignment)]),          // PR_GET_UNALIGN
    (6, &[Form::Bits(&PR_UNALIGN)]),                 // PR_SET_UNALIGN
    (7, &[]),                                        // PR_GET_KEEPCAPS
    (8, &[UNSIGNED]),                                // PR_SET_KEEPCAPS
    (9, &[FILLED]),                                  // PR_GET_FPEMU
    (10, &[UNSIGNED]),                               // PR_SET_FPEMU
    (11, &[FILLED]),                                 // PR_GET_FPEXC
    (12, &[UNSIGNED]),                               // PR_SET_FPEXC
    (13, &[]),                                       // PR_GET_TIMING
    (14, &[UNSIGNED]),                               // PR_SET_TIMING
    (15, &[Form::Own(write_thread_name)]),           // PR_SET_NAME
    (16, &[Form::As(Arg::Out(Struct::ThreadName))]), // PR_GET_NAME
    (19, &[FILLED]),                                 // PR_GET_ENDIAN
    (20, &[UNSIGNED]),                               // PR_SET_ENDIAN
    (21, &[]),                                       // PR_GET_SECCOMP
    (23, &[Form::As(Arg::Enum(&CAPABILITY))]),       // PR_CAPBSET_READ
    (24, &[Form::As(Arg::Enum(&CAPABILITY))]),       // PR_CAPBSET_DROP
    (25, &[Form::OwnLate(write_cycles)]),            // PR_GET_TSC
    (26, &[Form::As(Arg::Enum(&PR_TSC))]),           // PR_SET_TSC
    (27, &[]),                                       // PR_GET_SECUREBITS
    (28, &[Form::Bits(&SECUREBITS)]),                // PR_SET_SECUREBITS
    (29, &[UNSIGNED]),                               // PR_SET_TIMERSLACK
    (30, &[]),                                       // PR_GET_TIMERSLACK
    (31, &[]),                                       // PR_TASK_PERF_EVENTS_DISABLE
    (32, &[]),                                       // PR_TASK_PERF_EVENTS_ENABLE
    (33, &[Form::As(Arg::Enum(&PR_MCE)), Form::Own(write_policy), HEX, HEX]), // PR_MCE_KILL
    (35, &[Form::As(Arg::Enum(&PR_MEMORY)), HEX, HEX, HEX]), // PR_SET_MM
    (36, &[UNSIGNED]),                               // PR_SET_CHILD_SUBREAPER
    (37, &[FILLED]),                                 // PR_GET_CHILD_SUBREAPER
    (38, &[UNSIGNED, HEX, HEX, HEX]),                // PR_SET_NO_NEW_PRIVS
    (40, &[Form::OwnLate(write_pointer)]),           // PR_GET_TID_ADDRESS
    (41, &[UNSIGNED, HEX, HEX, HEX]),                // PR_SET_THP_DISABLE
    (45, &[Form::Bits(&PR_FP_MODE)]),                // PR_SET_FP_MODE
    (46, &[]),                                       // PR_GET_FP_MODE
    (47, &[Form::As(Arg::Enum(&PR_AMBIENT)), Form::Own(write_capability), HEX, HEX]), // PR_CAP_AMBIENT
    (50, &[Form::Own(write_vector)]),                // PR_SVE_SET_VL
    (51, &[]),                                       // PR_SVE_GET_VL
    (52, &[Form::As(Arg::Enum(&PR_SPECULATION))]),   // PR_GET_SPECULATION_CTRL
    (53, &[Form::As(Arg::Enum(&PR_SPECULATION)), Form::Own(write_control)]), // PR_SET_SPECULATION_CTRL
    (54, &[Form::Bits(&PR_KEYS), HEX, HEX, HEX]),    // PR_PAC_RESET_KEYS
    (55, &[Form::Own(write_tagging), HEX, HEX, HEX]), // PR_SET_TAGGED_ADDR_CTRL
    (57, &[UNSIGNED, HEX, HEX, HEX]),                // PR_SET_IO_FLUSHER
    (59, &[Form::As(Arg::Enum(&PR_DISPATCH)), HEX, HEX, ADDRESS]), // PR_SET_SYSCALL_USER_DISPATCH
    (60, &[Form::Bits(&PR_ENABLED_KEYS), Form::Bits(&PR_ENABLED_KEYS), HEX, HEX]), // PR_PAC_SET_ENABLED_KEYS
    (63, &[Form::Own(write_streaming_vector)]),      // PR_SME_SET_VL
    (64, &[]),                                       // PR_SME_GET_VL
    (
        0x5356_4d41,
        &[
            Form::As(Arg::Enum(&PR_VMA)),
            ADDRESS,
            Form::Own(write_mapping_size),
            Form::Own(write_mapping_name),
        ],
    ), // PR_SET_VMA
    (0x5961_6d61, &[Form::Own(write_tracer)]),       // PR_SET_PTRACER
];

/// Sets of which the writers here print names.
pub(super) static SETS: &[&FlagSet] =
    &[&CAPABILITY, &PR_MCE_POLICY, &PR_SPECULATION_CONTROL, &PR_SVE, &PR_SME, &PR_TAG_CHECK, &PID_TYPE];

const SET_SECCOMP: u32 = 22;
const SCHED_CORE: u32 = 62;

/// What is not in the table: all arguments are numbers.
const OTHERS: &[Form] = &[HEX; 4];

/// `SECCOMP_MODE_STRICT`, `SECCOMP_MODE_FILTER`, and those that are none.
static STRICT: &[Form] = &[Form::As(Arg::Enum(&SECCOMP_MODE))];
static FILTERED: &[Form] = &[Form::As(Arg::Enum(&SECCOMP_MODE)), Form::Own(write_filter)];
static UNFILTERED: &[Form] = &[Form::As(Arg::Enum(&SECCOMP_MODE)), HEX, HEX, HEX];

/// `PR_SCHED_CORE_GET`, and the others.
static CORE_ASKED: &[Form] = &[
    Form::As(Arg::Enum(&PR_CORE)),
    Form::As(Arg::Pid),
    Form::Own(write_kind_of_id),
    Form::OwnLate(write_cookie),
];
static CORE_SET: &[Form] =
    &[Form::As(Arg::Enum(&PR_CORE)), Form::As(Arg::Pid), Form::Own(write_kind_of_id), ADDRESS];

fn forms(args: &[u64; 6]) -> &'static [Form] {
    if args[0] as u32 == SCHED_CORE {
        return if args[1] as u32 == 0 { CORE_ASKED } else { CORE_SET };
    }
    match (args[0] as u32, args[1]) {
        (SET_SECCOMP, 1) => STRICT,
        (SET_SECCOMP, 2) => FILTERED,
        (SET_SECCOMP, _) => UNFILTERED,
        (operation, _) => {
            OPERATIONS.iter().find(|(known, _)| *known == operation).map_or(OTHERS, |(_, forms)| forms)
        }
    }
}

/// How many arguments the call has, the operation among them.
pub(super) fn count(args: &[u64; 6]) -> usize {
    1 + forms(args).len()
}

/// How an argument behind the operation is shown.
pub(super) fn form(args: &[u64; 6], index: usize) -> Option<Form> {
    forms(args).get(index.checked_sub(1)?).copied()
}

/// What a number that is returned means.
#[derive(Clone, Copy)]
enum Meaning {
    /// One of several values.
    One(&'static FlagSet),
    /// A set of bits.
    Bits(&'static FlagSet),
    /// The length of vectors, and such bits.
    Vector(&'static FlagSet),
    /// What is done about tags of addresses.
    Tagging,
}

fn meaning(args: &[u64; 6]) -> Option<Meaning> {
    Some(match args[0] as u32 {
        3 => Meaning::One(&SUID_DUMP),
        27 => Meaning::Bits(&SECUREBITS),
        34 => Meaning::One(&PR_MCE_POLICY),
        46 => Meaning::Bits(&PR_FP_MODE),
        50 | 51 => Meaning::Vector(&PR_SVE),
        52 if PR_SPECULATION.name(args[1]).is_some() => Meaning::Bits(&PR_SPECULATION_STATE),
        56 => Meaning::Tagging,
        61 => Meaning::Bits(&PR_ENABLED_KEYS),
        63 | 64 => Meaning::Vector(&PR_SME),
        _ => return None,
    })
}

/// The signal that the end of the parent sends; what can be none is a number.
fn write_signal_at_end(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const LARGEST: u64 = 128;
    match word(call.event.abi, call.arg(index)) {
        signal @ 0..=LARGEST => call.style.constants.signal(out, signal as u32),
        number => write_radix(out, number, 10, 1),
    }
}

/// Whether what is returned is shown in hexadecimal.
pub(super) fn returns_bits(args: &[u64; 6]) -> bool {
    meaning(args).is_some_and(|meaning| !matches!(meaning, Meaning::One(_)))
}

/// ` (SUID_DUMP_USER)`, behind the number that was returned, where it has a meaning.
pub(super) fn write_meaning(call: &Decoder<'_, '_>, out: &mut Vec<u8>) {
    let value = call.event.ret.unwrap_or(0).unsigned_abs();
    let Some(meaning) = meaning(&call.event.args) else { return };
    if call.style.constants == Constants::Numbers && !matches!(meaning, Meaning::One(_)) {
        return;
    }
    let start = out.len();
    out.extend_from_slice(b" (");
    match meaning {
        Meaning::One(set) => set.write_one(out, value),
        Meaning::Bits(set) if set.names_some(value) => set.write_bits(out, value),
        Meaning::Vector(set) if value & !VECTOR_LENGTH != 0 => name_vector(out, value, set),
        Meaning::Tagging => name_tagging(out, value),
        Meaning::Bits(_) | Meaning::Vector(_) => return out.truncate(start),
    }
    out.push(b')');
}

fn write_unsigned(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_radix(out, word(call.event.abi, call.arg(index)), 10, 1);
}

/// `[1]`, in this form, where the kernel has filled it.
fn write_filled(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    index: usize,
    write: impl FnOnce(&Decoder<'_, '_>, &mut Vec<u8>, u32),
) {
    let address = call.arg(index);
    match call.read_u32_at(call.phase, address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(value) => {
            out.push(b'[');
            write(call, out, value);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

fn write_integer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_filled(call, out, index, |_, out, value| write_number(out, i64::from(value.cast_signed())));
}

fn write_signal(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_filled(call, out, index, |call, out, value| call.style.constants.signal(out, value));
}

fn write_alignment(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_filled(call, out, index, |call, out, value| {
        call.style.constants.bits(out, &PR_UNALIGN, u64::from(value));
    });
}

fn write_cycles(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_filled(call, out, index, |call, out, value| {
        call.style.constants.one(out, &PR_TSC, u64::from(value));
    });
}

fn write_pointer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(pointer) => {
            out.push(b'[');
            call.write_address(out, pointer);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

fn write_cookie(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(cookie) => {
            out.push(b'[');
            write_hex(out, cookie);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

/// `PR_MCE_KILL_EARLY`, where one is set.
fn write_policy(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(index - 1) {
        1 => call.style.constants.one(out, &PR_MCE_POLICY, call.arg(index)),
        _ => write_hex(out, call.arg(index)),
    }
}

/// A capability, where it is about one.
fn write_capability(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(index - 1) {
        1..=3 => call.style.constants.one(out, &CAPABILITY, call.arg(index)),
        _ => write_hex(out, call.arg(index)),
    }
}

/// What is done about a kind of speculation that is known.
fn write_control(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match PR_SPECULATION.name(call.arg(index - 1)) {
        Some(_) => call.style.constants.one(out, &PR_SPECULATION_CONTROL, call.arg(index)),
        None => write_hex(out, call.arg(index)),
    }
}

/// `0x1 /* PIDTYPE_TGID */`
fn write_kind_of_id(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.style.constants.with_numbers().one(out, &PID_TYPE, call.arg(index));
}

/// The bits of what `PR_SVE_SET_VL` passes that are the length of a vector.
const VECTOR_LENGTH: u64 = 0xffff;

fn write_vector(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_vector_of(call, out, index, &PR_SVE);
}

fn write_streaming_vector(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_vector_of(call, out, index, &PR_SME);
}

fn write_vector_of(call: &Decoder<'_, '_>, out: &mut Vec<u8>, index: usize, set: &FlagSet) {
    let value = call.arg(index);
    match call.style.constants {
        Constants::Names => name_vector(out, value, set),
        Constants::Both if value & !VECTOR_LENGTH != 0 => {
            write_hex(out, value);
            out.extend_from_slice(b" /* ");
            name_vector(out, value, set);
            out.extend_from_slice(b" */");
        }
        Constants::Both | Constants::Numbers => write_hex(out, value),
    }
}

/// `PR_SVE_VL_INHERIT|0x40`
fn name_vector(out: &mut Vec<u8>, value: u64, set: &FlagSet) {
    if value & !VECTOR_LENGTH != 0 {
        set.write_bits(out, value & !VECTOR_LENGTH);
        out.push(b'|');
    }
    write_hex(out, value & VECTOR_LENGTH);
}

fn write_tagging(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let value = call.arg(index);
    call.style.constants.write(out, |out| write_hex(out, value), |out| name_tagging(out, value));
}

/// `PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_SYNC|0xfffe<<PR_MTE_TAG_SHIFT`
fn name_tagging(out: &mut Vec<u8>, value: u64) {
    /// `PR_MTE_TAG_SHIFT`, and the bits from there on that are tags.
    const SHIFT: u32 = 3;
    const TAGS: u64 = 0xffff << SHIFT;
    let check = value & 6;
    let rest = value & !(TAGS | 7);
    if value & 1 == 0 {
        out.push(b'!');
    }
    out.extend_from_slice(b"PR_TAGGED_ADDR_ENABLE|");
    PR_TAG_CHECK.write_one(out, check);
    if value & TAGS != 0 {
        out.push(b'|');
        write_hex(out, (value & TAGS) >> SHIFT);
        out.extend_from_slice(b"<<PR_MTE_TAG_SHIFT");
    }
    if rest != 0 {
        out.push(b'|');
        write_hex(out, rest);
    }
}

/// The size of a mapping that is given a name.
fn write_mapping_size(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(1) {
        0 => write_unsigned(call, out, index),
        _ => write_hex(out, call.arg(index)),
    }
}

/// The name of a mapping.
fn write_mapping_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(1) {
        0 => call.write_c_string(out, call.arg(index)),
        _ => write_hex(out, call.arg(index)),
    }
}

/// Who may trace the process.
fn write_tracer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(index) {
        any if any as u32 == u32::MAX => {
            let name = |out: &mut Vec<u8>| out.extend_from_slice(b"PR_SET_PTRACER_ANY");
            call.style.constants.write(out, |out| out.extend_from_slice(b"-1"), name);
        }
        pid => call.write_pid(out, pid as i32),
    }
}

/// A program that decides what is done to calls.
fn write_filter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    filter::write(call, out, call.arg(index), filter::Of::Seccomp);
}
