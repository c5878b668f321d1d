//! `ptrace(2)`: what its third and fourth argument are, by the operation.

use super::Decoder;
use super::special::Form;
use crate::event::{Abi, Event};
use crate::syscall::flags::{NOTE, PTRACE_OPTION, write_radix};
use crate::syscall::{Arg, Spec};

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

/// How an argument is printed.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    if spec.name != "ptrace" {
        return None;
    }
    match (event.args[0], index) {
        // PEEKUSER, POKEUSER.
        (3 | 6, 2) => Some(Form::Own(write_register)),
        // GETREGSET, SETREGSET.
        (0x4204 | 0x4205, 2) => Some(Form::As(Arg::Enum(&NOTE))),
        // Sizes: of masks, filters and what a stop tells.
        (0x420a..=0x420e, 2) => Some(Form::As(Arg::Size)),
        // OLDSETOPTIONS, SETOPTIONS, SEIZE.
        (21 | 0x4200 | 0x4206, 3) => Some(Form::Bits(&PTRACE_OPTION)),
        // CONT, SINGLESTEP, DETACH, SYSCALL, SYSEMU, SYSEMU_SINGLESTEP, SINGLEBLOCK.
        (7 | 9 | 17 | 24 | 31..=33, 3) => Some(Form::As(Arg::Signal)),
        _ => None,
    }
}

/// The registers of `struct user_regs_struct`, in its order.
const REGISTERS: [&str; 21] = [
    "R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX", "RSI", "RDI",
    "ORIG_RAX", "RIP", "CS", "EFL", "RSP", "SS",
];

/// `8*RIP`, `8*RIP+4`: where in `struct user` a register is, of those with a name in strace.
fn write_register(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let at = call.arg(index);
    let register = REGISTERS.get((at / 8) as usize).filter(|_| call.event.abi == Abi::X86_64);
    match register {
        Some(register) => {
            out.extend_from_slice(b"8*");
            out.extend_from_slice(register.as_bytes());
            if at % 8 != 0 {
                out.push(b'+');
                write_radix(out, at % 8, 10, 1);
            }
        }
        None => call.write_address(out, at),
    }
}
