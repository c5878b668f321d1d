//! `ptrace(2)`: what its third and fourth argument are, by the operation.

use super::layout::Show::{Enum, Flags, Hex, Own, Uint, Words};
use super::layout::Size::{B1, B2, B4, B8};
use super::layout::{Layout, layouts};
use super::net::{word32, word64};
use super::special::Form;
use super::{Decoder, Phase, filter};
use crate::event::{Abi, Event};
use crate::syscall::flags::{
    AUDIT_ARCH, FlagSet, NOTE, PTRACE_OPTION, PTRACE_PEEK, PTRACE_STOP, SECCOMP_FILTER, write_hex,
    write_number, write_radix,
};
use crate::syscall::{self, Arg, Spec};

layouts! {
    /// `struct user_regs_struct` of 64-bit programs.
    REGISTERS: 216/216 {
        beyond(0) r15 @ 0/0 Hex(B8);
        beyond(8) r14 @ 8/8 Hex(B8);
        beyond(16) r13 @ 16/16 Hex(B8);
        beyond(24) r12 @ 24/24 Hex(B8);
        beyond(32) rbp @ 32/32 Hex(B8);
        beyond(40) rbx @ 40/40 Hex(B8);
        beyond(48) r11 @ 48/48 Hex(B8);
        beyond(56) r10 @ 56/56 Hex(B8);
        beyond(64) r9 @ 64/64 Hex(B8);
        beyond(72) r8 @ 72/72 Hex(B8);
        beyond(80) rax @ 80/80 Hex(B8);
        beyond(88) rcx @ 88/88 Hex(B8);
        beyond(96) rdx @ 96/96 Hex(B8);
        beyond(104) rsi @ 104/104 Hex(B8);
        beyond(112) rdi @ 112/112 Hex(B8);
        beyond(120) orig_rax @ 120/120 Hex(B8);
        beyond(128) rip @ 128/128 Hex(B8);
        beyond(136) cs @ 136/136 Hex(B8);
        beyond(144) eflags @ 144/144 Hex(B8);
        beyond(152) rsp @ 152/152 Hex(B8);
        beyond(160) ss @ 160/160 Hex(B8);
        beyond(168) fs_base @ 168/168 Hex(B8);
        beyond(176) gs_base @ 176/176 Hex(B8);
        beyond(184) ds @ 184/184 Hex(B8);
        beyond(192) es @ 192/192 Hex(B8);
        beyond(200) fs @ 200/200 Hex(B8);
        beyond(208) gs @ 208/208 Hex(B8);
    }
    /// The same of 32-bit ones.
    REGISTERS32: 68/68 {
        beyond(0) ebx @ 0/0 Hex(B4);
        beyond(4) ecx @ 4/4 Hex(B4);
        beyond(8) edx @ 8/8 Hex(B4);
        beyond(12) esi @ 12/12 Hex(B4);
        beyond(16) edi @ 16/16 Hex(B4);
        beyond(20) ebp @ 20/20 Hex(B4);
        beyond(24) eax @ 24/24 Hex(B4);
        beyond(28) xds @ 28/28 Hex(B4);
        beyond(32) xes @ 32/32 Hex(B4);
        beyond(36) xfs @ 36/36 Hex(B4);
        beyond(40) xgs @ 40/40 Hex(B4);
        beyond(44) orig_eax @ 44/44 Hex(B4);
        beyond(48) eip @ 48/48 Hex(B4);
        beyond(52) xcs @ 52/52 Hex(B4);
        beyond(56) eflags @ 56/56 Hex(B4);
        beyond(60) esp @ 60/60 Hex(B4);
        beyond(64) xss @ 64/64 Hex(B4);
    }
    /// `struct user_fpregs_struct` of 64-bit programs.
    FLOATING: 512/512 {
        beyond(0) cwd @ 0/0 Hex(B2);
        beyond(2) swd @ 2/2 Hex(B2);
        beyond(4) ftw @ 4/4 Hex(B2);
        beyond(6) fop @ 6/6 Hex(B2);
        beyond(8) rip @ 8/8 Hex(B8);
        beyond(16) rdp @ 16/16 Hex(B8);
        beyond(24) mxcsr @ 24/24 Hex(B4);
        beyond(28) mxcr_mask @ 28/28 Hex(B4);
        beyond(32) st_space @ 32/32 Words(B4, 32);
        beyond(160) xmm_space @ 160/160 Words(B4, 64);
        beyond(416) padding @ 416/416 Words(B4, 24);
    }
    /// The same of 32-bit ones.
    FLOATING32: 108/108 {
        beyond(0) cwd @ 0/0 Hex(B4);
        beyond(4) swd @ 4/4 Hex(B4);
        beyond(8) twd @ 8/8 Hex(B4);
        beyond(12) fip @ 12/12 Hex(B4);
        beyond(16) fcs @ 16/16 Hex(B4);
        beyond(20) foo @ 20/20 Hex(B4);
        beyond(24) fos @ 24/24 Hex(B4);
        beyond(28) st_space @ 28/28 Words(B4, 20);
    }
    /// `struct __ptrace_peeksiginfo_args`.
    PEEKED: 16/16 {
        always off @ 0/0 Uint(B8);
        always flags @ 8/8 Flags(&PTRACE_PEEK, B4);
        always nr @ 12/12 Uint(B4);
    }
    /// The head of `struct ptrace_syscall_info`.
    STOP: 24/24 {
        beyond(0) op @ 0/0 Enum(&PTRACE_STOP, B1);
        beyond(7) arch @ 4/4 Enum(&AUDIT_ARCH, B4);
        beyond(15) instruction_pointer @ 8/8 Own(write_pointer);
        beyond(23) stack_pointer @ 16/16 Own(write_pointer);
    }
}

/// Registers in 64- and 32-bit programs.
static GENERAL: [&Layout; 2] = [&REGISTERS, &REGISTERS32];
static FLOAT: [&Layout; 2] = [&FLOATING, &FLOATING32];

/// How many arguments an operation has.
pub(super) fn count(operation: u64) -> usize {
    match operation {
        // TRACEME.
        0 => 1,
        // KILL, ATTACH, INTERRUPT, LISTEN.
        8 | 16 | 0x4207 | 0x4208 => 2,
        _ => 4,
    }
}

/// Whether an operation does not look at its third argument: GETREGS, SETREGS, GETFPREGS, SETFPREGS.
pub(super) fn is_left_out(event: &Event<'_>, spec: &Spec, index: usize) -> bool {
    spec.name == "ptrace" && index == 2 && matches!(event.args[0], 12..=15)
}

/// What the fourth argument is. A line an operation.
static DATA: &[(u64, Form)] = &[
    (1, Form::OwnLate(write_word)),            // PEEKTEXT
    (2, Form::OwnLate(write_word)),            // PEEKDATA
    (3, Form::OwnLate(write_word)),            // PEEKUSER
    (7, Form::As(Arg::Signal)),                // CONT
    (9, Form::As(Arg::Signal)),                // SINGLESTEP
    (12, Form::OwnLate(write_general)),        // GETREGS
    (13, Form::Own(write_general)),            // SETREGS
    (14, Form::OwnLate(write_float)),          // GETFPREGS
    (15, Form::Own(write_float)),              // SETFPREGS
    (17, Form::As(Arg::Signal)),               // DETACH
    (21, Form::Bits(&PTRACE_OPTION)),          // OLDSETOPTIONS
    (24, Form::As(Arg::Signal)),               // SYSCALL
    (31, Form::As(Arg::Signal)),               // SYSEMU
    (32, Form::As(Arg::Signal)),               // SYSEMU_SINGLESTEP
    (33, Form::As(Arg::Signal)),               // SINGLEBLOCK
    (0x4200, Form::Bits(&PTRACE_OPTION)),      // SETOPTIONS
    (0x4201, Form::OwnLate(write_message)),    // GETEVENTMSG
    (0x4202, Form::OwnLate(write_signal)),     // GETSIGINFO
    (0x4203, Form::Own(write_signal)),         // SETSIGINFO
    (0x4204, Form::OwnLate(write_told_set)),   // GETREGSET
    (0x4205, Form::OwnLate(write_passed_set)), // SETREGSET
    (0x4206, Form::Bits(&PTRACE_OPTION)),      // SEIZE
    (0x4209, Form::OwnLate(write_signals)),    // PEEKSIGINFO
    (0x420a, Form::OwnLate(write_mask)),       // GETSIGMASK
    (0x420b, Form::Own(write_mask)),           // SETSIGMASK
    (0x420c, Form::OwnLate(write_filter)),     // SECCOMP_GET_FILTER
    (0x420d, Form::OwnLate(write_metadata)),   // SECCOMP_GET_METADATA
    (0x420e, Form::OwnLate(write_stop)),       // GET_SYSCALL_INFO
];

/// How an argument is printed.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    if spec.name != "ptrace" {
        return None;
    }
    match (event.args[0], index) {
        // PEEKUSER, POKEUSER.
        (3 | 6, 2) => Some(Form::Own(write_place)),
        // GETREGSET, SETREGSET.
        (0x4204 | 0x4205, 2) => Some(Form::As(Arg::Enum(&NOTE))),
        // PEEKSIGINFO.
        (0x4209, 2) => Some(Form::Own(write_peeked)),
        // Sizes: of masks, filters and what a stop tells.
        (0x420a..=0x420e, 2) => Some(Form::As(Arg::Size)),
        (operation, 3) => DATA.iter().find(|(known, _)| *known == operation).map(|(_, form)| *form),
        _ => None,
    }
}

/// Reads at the entry what is shown, or compared, at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name != "ptrace" {
        return;
    }
    match call.arg(0) {
        0x4204 => drop(pieces(call, Phase::Entry)),
        0x4205 => write_passed_set(call, &mut Vec::new(), 3),
        0x420d => drop(call.memory.read(Phase::Entry, call.arg(3), &mut [0; 8])),
        _ => {}
    }
}

/// What is in `struct user`, as strace names it: registers, and where other members are.
const PLACES: &[(u64, &str)] = &[
    (0, "8*R15"),
    (8, "8*R14"),
    (16, "8*R13"),
    (24, "8*R12"),
    (32, "8*RBP"),
    (40, "8*RBX"),
    (48, "8*R11"),
    (56, "8*R10"),
    (64, "8*R9"),
    (72, "8*R8"),
    (80, "8*RAX"),
    (88, "8*RCX"),
    (96, "8*RDX"),
    (104, "8*RSI"),
    (112, "8*RDI"),
    (120, "8*ORIG_RAX"),
    (128, "8*RIP"),
    (136, "8*CS"),
    (144, "8*EFL"),
    (152, "8*RSP"),
    (160, "8*SS"),
    (216, "offsetof(struct user, u_fpvalid)"),
    (224, "offsetof(struct user, i387)"),
    (736, "offsetof(struct user, u_tsize)"),
    (744, "offsetof(struct user, u_dsize)"),
    (752, "offsetof(struct user, u_ssize)"),
    (760, "offsetof(struct user, start_code)"),
    (768, "offsetof(struct user, start_stack)"),
    (776, "offsetof(struct user, signal)"),
    (784, "offsetof(struct user, reserved)"),
    (792, "offsetof(struct user, u_ar0)"),
    (800, "offsetof(struct user, u_fpstate)"),
    (808, "offsetof(struct user, magic)"),
    (816, "offsetof(struct user, u_comm)"),
    (848, "offsetof(struct user, u_debugreg)"),
    (SIZE_OF_USER, "sizeof(struct user)"),
];
const SIZE_OF_USER: u64 = 912;

/// `8*RIP`, `8*RIP+4`; strace has those of 64-bit programs for all.
fn write_place(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let at = super::call::word(call.event.abi, call.arg(index));
    let place = PLACES.iter().rev().find(|(from, _)| *from <= at).filter(|_| at <= SIZE_OF_USER);
    let Some((from, name)) = place else { return call.write_address(out, at) };
    let number = |out: &mut Vec<u8>| super::call::write_address64(out, at);
    call.style.constants.write(out, number, |out| {
        out.extend_from_slice(name.as_bytes());
        if at > *from {
            out.push(b'+');
            write_radix(out, at - from, 10, 1);
        }
    });
}

fn write_pointer(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    super::call::write_address64(out, word64(bytes, 0));
}

/// Whether what is behind a pointer is to be shown now.
fn is_shown(call: &Decoder<'_, '_>) -> bool {
    !call.style.addresses && (call.phase == Phase::Entry || call.succeeded())
}

/// `[0x7f454c46]`
fn write_word(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| is_shown(call)) {
        Some(word) => {
            out.push(b'[');
            super::call::write_address64(out, word);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

/// `[17]`
fn write_message(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| is_shown(call)) {
        Some(word) => {
            out.push(b'[');
            write_radix(out, word, 10, 1);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

fn write_signal(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if is_shown(call) {
        call.write_siginfo_at(out, call.arg(index));
    } else {
        call.write_address(out, call.arg(index));
    }
}

fn write_signals(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if !is_shown(call) {
        return call.write_address(out, call.arg(index));
    }
    let (mut at, count) = (call.arg(index), call.event.ret.unwrap_or(0).unsigned_abs());
    call.write_array(out, at, count, 128, &mut |call, out, bytes| {
        call.write_siginfo_at(out, at);
        at = at.wrapping_add(bytes.len() as u64);
    });
}

fn write_mask(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if is_shown(call) {
        call.write_signal_set(out, call.arg(index), call.arg(index - 1));
    } else {
        call.write_address(out, call.arg(index));
    }
}

fn write_peeked(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_layout(out, call.arg(index), &PEEKED);
}

/// As many instructions as are returned.
fn write_filter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let count = call.event.ret.unwrap_or(0).unsigned_abs() & 0xffff;
    if is_shown(call) {
        filter::write_program(call, out, call.arg(index), count, filter::Of::Seccomp);
    } else {
        call.write_address(out, call.arg(index));
    }
}

fn write_general(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let layout = GENERAL[call.half()];
    write_registers(call, out, call.arg(index), layout.size[0] as u64, layout);
}

fn write_float(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let layout = FLOAT[call.half()];
    write_registers(call, out, call.arg(index), layout.size[0] as u64, layout);
}

/// `{r15=0, r14=0x1, ...}`: registers in so many bytes, which are to be whole words.
fn write_registers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, size: u64, layout: &Layout) {
    let mut bytes = [0; 512];
    let known = usize::try_from(size).unwrap_or(usize::MAX).min(layout.size[0]);
    let is_whole = size > 0 && size.is_multiple_of(call.word_size() as u64);
    let is_looked_at = is_whole && address != 0 && is_shown(call);
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes[..known]) < known {
        return call.write_address(out, address);
    }
    out.push(b'{');
    call.write_some(out, layout, &bytes[..known], known);
    out.extend_from_slice(if size > known as u64 { b", ...}" } else { b"}" });
}

/// Where registers are, and in how many bytes: a `struct iovec`.
fn pieces(call: &mut Decoder<'_, '_>, phase: Phase) -> Option<(u64, u64)> {
    let (at, word) = (call.arg(3), call.word_size() as u64);
    Some((call.read_word_at(phase, at)?, call.read_word_at(phase, at.wrapping_add(word))?))
}

/// Registers of the kind in the third argument; of those that are not known the address.
fn write_set(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, (base, length): (u64, u64)) {
    let half = call.half();
    match call.arg(2) as u32 {
        1 => write_registers(call, out, base, length, GENERAL[half]),
        2 => write_registers(call, out, base, length, FLOAT[half]),
        _ => call.write_address(out, base),
    }
}

/// `{iov_base={..}, iov_len=512 => 216}`
fn write_told_set(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (Some((_, room)), Some(told)) = (pieces(call, Phase::Entry), pieces(call, Phase::Exit)) else {
        return call.write_address(out, call.arg(index));
    };
    out.extend_from_slice(b"{iov_base=");
    write_set(call, out, told);
    out.extend_from_slice(b", iov_len=");
    write_change(out, room, told.1);
    out.push(b'}');
}

/// The same, as it was passed.
fn write_passed_set(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let Some(passed) = pieces(call, Phase::Entry) else {
        return call.write_address(out, call.arg(index));
    };
    out.extend_from_slice(b"{iov_base=");
    let now = std::mem::replace(&mut call.phase, Phase::Entry);
    write_set(call, out, passed);
    call.phase = now;
    out.extend_from_slice(b", iov_len=");
    let after = pieces(call, Phase::Exit).map_or(passed.1, |(_, after)| after);
    write_change(out, passed.1, after);
    out.push(b'}');
}

fn write_change(out: &mut Vec<u8>, before: u64, after: u64) {
    write_radix(out, before, 10, 1);
    if before != after {
        out.extend_from_slice(b" => ");
        write_radix(out, after, 10, 1);
    }
}

/// `{filter_off=0, flags=SECCOMP_FILTER_FLAG_LOG}`
fn write_metadata(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const OFFSET: u64 = 8;
    let (address, room, mut bytes) = (call.arg(index), call.arg(2), [0; 16]);
    let is_looked_at = room >= OFFSET && address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(Phase::Entry, address, &mut bytes[..8]) < 8 {
        return call.write_address(out, address);
    }
    out.extend_from_slice(b"{filter_off=");
    write_radix(out, word64(&bytes, 0), 10, 1);
    let told = call.event.ret.filter(|_| call.succeeded()).map_or(0, i64::unsigned_abs);
    if told > OFFSET {
        let flags = address.wrapping_add(OFFSET);
        if told < 16 || call.memory.read(Phase::Exit, flags, &mut bytes[8..]) < 8 {
            out.extend_from_slice(b", ???");
        } else {
            out.extend_from_slice(b", flags=");
            let all = FlagSet { wide: true, ..SECCOMP_FILTER };
            call.style.constants.bits(out, &all, word64(&bytes, 8));
            if told > 16 {
                out.extend_from_slice(b", ...");
            }
        }
    }
    out.push(b'}');
}

/// Where `struct ptrace_syscall_info` has a call's number, its arguments, and what seccomp says of it; a result, and
/// whether that is an error.
const NUMBER: usize = 24;
const ARGUMENTS: usize = 32;
const RET_DATA: usize = 80;
const IS_ERROR: usize = 32;

/// `{op=PTRACE_SYSCALL_INFO_ENTRY, arch=AUDIT_ARCH_X86_64, ..., entry={nr=__NR_read, args=[..]}}`: as many bytes of it as
/// there are, and fit.
fn write_stop(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, mut bytes) = (call.arg(index), [0; 84]);
    let told = call.event.ret.unwrap_or(0).unsigned_abs().min(call.arg(2)).min(bytes.len() as u64) as usize;
    let is_looked_at = told > 0 && address != 0 && is_shown(call);
    if !is_looked_at || call.memory.read(Phase::Exit, address, &mut bytes[..told]) < told {
        return call.write_address(out, address);
    }
    out.push(b'{');
    call.write_some(out, &STOP, &bytes, told);
    if told >= ARGUMENTS {
        match bytes[0] {
            1 => write_stopped_call(call, out, "entry", &bytes[..told]),
            2 => write_stopped_result(call, out, &bytes[..told]),
            3 => write_stopped_call(call, out, "seccomp", &bytes[..told]),
            _ => {}
        }
    }
    out.push(b'}');
}

fn write_stopped_call(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let (number, arch) = (word64(bytes, NUMBER), word32(bytes, 4));
    out.extend_from_slice(format!(", {name}={{nr=").as_bytes());
    write_call_name(call, out, number, arch);
    let args = bytes[ARGUMENTS..bytes.len().min(RET_DATA)].chunks_exact(8);
    if args.len() > 0 {
        out.extend_from_slice(b", args=");
        call.write_items(out, args, |_, out, arg| write_hex(out, word64(arg, 0)));
    }
    if name == "seccomp" && bytes.len() > RET_DATA {
        out.extend_from_slice(format!(", ret_data={}", word32(bytes, RET_DATA)).as_bytes());
    }
    out.push(b'}');
}

/// `__NR_read`, or the number.
pub(super) fn write_call_name(call: &Decoder<'_, '_>, out: &mut Vec<u8>, number: u64, arch: u32) {
    let abi = match arch {
        0xc000_003e => Some(Abi::X86_64),
        0x4000_0003 => Some(Abi::I386),
        _ => None,
    };
    let spec = abi.zip(u32::try_from(number).ok()).and_then(|(abi, number)| syscall::lookup(abi, number));
    let write_number = |out: &mut Vec<u8>| write_radix(out, number, 10, 1);
    match spec {
        Some(spec) => call.style.constants.write(out, write_number, |out| {
            out.extend_from_slice(b"__NR_");
            out.extend_from_slice(spec.name.as_bytes());
        }),
        None => write_number(out),
    }
}

fn write_stopped_result(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let value = word64(bytes, NUMBER).cast_signed();
    let is_error = bytes.get(IS_ERROR).copied();
    out.extend_from_slice(b", exit={rval=");
    let errno = value.checked_neg().and_then(|errno| i32::try_from(errno).ok());
    let name = errno.filter(|_| is_error.is_some_and(|is_error| is_error != 0));
    match name.and_then(|errno| syscalls::Errno::new(errno).name()) {
        Some(name) => call.style.constants.write(
            out,
            |out| write_number(out, value),
            |out| {
                out.push(b'-');
                out.extend_from_slice(name.as_bytes());
            },
        ),
        None => write_number(out, value),
    }
    if let Some(is_error) = is_error {
        out.extend_from_slice(format!(", is_error={is_error}").as_bytes());
    }
    out.push(b'}');
}
