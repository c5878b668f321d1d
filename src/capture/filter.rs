//! A seccomp filter that stops a process only at calls that are wanted (`--seccomp-bpf` of the link).
//!
//! Calls that are not wanted run at their own speed. Those that change what is tracked of a process (descriptors,
//! directories, children, programs) stop it in any case. Nothing is ever refused or killed: a call of a convention
//! that is not known here stops, too. A filtered process whose tracer is gone would get `ENOSYS` from calls that
//! stop it, which is why it is then killed by the kernel (`PTRACE_O_EXITKILL`).

use super::decode::effect::Effect;
use super::decode::plan;
use crate::event::Abi;
use crate::syscall::X32_BIT;

/// An instruction of a filter, as the kernel takes it (`struct sock_filter`).
pub type Instruction = libc::sock_filter;

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_I386` of `linux/audit.h`.
const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
/// Offsets of `nr` and `arch` in `struct seccomp_data`.
const NR: u32 = 0;
const ARCH: u32 = 4;
/// Above all numbers of today, which are told apart.
const NUMBERS: u32 = 600;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const IF_ABOVE: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;

fn instruction(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

/// The filter that stops at the calls that this function wants, by convention and number.
#[must_use]
pub fn program(wants: impl Fn(Abi, u32) -> bool) -> Vec<Instruction> {
    let stops = |abi: Abi, nr: u32| wants(abi, nr) || plan::of(abi, nr).effect != Effect::None;
    let sections = [Abi::X86_64, Abi::I386].map(|abi| section(&ranges(|nr| stops(abi, nr))));
    let [first, second] = sections;
    let mut program = vec![
        instruction(LOAD, ARCH, 0, 0),
        instruction(IF_EQUAL, X86_64, 0, 1),
        instruction(JUMP, 3, 0, 0),
        instruction(IF_EQUAL, I386, 0, 1),
        instruction(JUMP, 1 + first.len() as u32, 0, 0),
        instruction(RETURN, libc::SECCOMP_RET_TRACE, 0, 0),
    ];
    program.extend(first);
    program.extend(second);
    program
}

/// The numbers for which this holds, as ranges; all that are above those of today, too.
fn ranges(stops: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for nr in (0..NUMBERS).filter(|&nr| stops(nr)).chain([NUMBERS]) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == nr => *last = nr,
            _ => ranges.push((nr, nr)),
        }
    }
    if let Some((_, last)) = ranges.last_mut() {
        *last = u32::MAX;
    }
    ranges
}

/// Looks at the number: stops where it is in one of these, in ascending order.
fn section(ranges: &[(u32, u32)]) -> Vec<Instruction> {
    debug_assert!(ranges.iter().any(|(from, to)| (*from..=*to).contains(&X32_BIT)), "x32 stops");
    let mut section = vec![instruction(LOAD, NR, 0, 0)];
    for &(from, to) in ranges {
        section.push(instruction(IF_AT_LEAST, from, 0, 2));
        section.push(instruction(IF_ABOVE, to, 1, 0));
        section.push(instruction(RETURN, libc::SECCOMP_RET_TRACE, 0, 0));
    }
    section.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall;

    /// What the kernel would do with a call.
    fn run(program: &[Instruction], arch: u32, nr: u32) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { jt } else { jf });
            match code {
                LOAD => value = if k == NR { nr } else { arch },
                RETURN => return k,
                JUMP => at += k as usize,
                IF_EQUAL => at += jump(value == k),
                IF_AT_LEAST => at += jump(value >= k),
                IF_ABOVE => at += jump(value > k),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn what_is_wanted_or_tracked_stops_and_the_rest_does_not() {
        let open = |abi: Abi, nr| syscall::lookup(abi, nr).is_some_and(|spec| spec.name == "openat");
        let program = program(open);
        assert!(program.len() < 4096, "the kernel takes no longer one");
        for (arch, abi) in [(X86_64, Abi::X86_64), (I386, Abi::I386)] {
            let does = |name: &str| {
                let nr =
                    (0..NUMBERS).find(|&nr| syscall::lookup(abi, nr).is_some_and(|spec| spec.name == name));
                run(&program, arch, nr.expect(name))
            };
            for name in ["openat", "close", "execve", "fork", "clone3", "chdir", "dup2"] {
                assert_eq!(does(name), libc::SECCOMP_RET_TRACE, "{name}");
            }
            for name in ["read", "write", "getpid", "futex", "brk"] {
                assert_eq!(does(name), libc::SECCOMP_RET_ALLOW, "{name}");
            }
        }
        for nr in [X32_BIT, X32_BIT | 1, 0xffff_ffff, 601] {
            assert_eq!(run(&program, X86_64, nr), libc::SECCOMP_RET_TRACE, "{nr:#x}");
        }
        assert_eq!(run(&program, 0x1234, 0), libc::SECCOMP_RET_TRACE, "a convention that is not known");
    }
}
