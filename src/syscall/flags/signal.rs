//! Signals by number. The numbers are those of x86, arm and most others (not alpha, mips, parisc, sparc).

use super::{flag_sets, write_hex, write_number};

flag_sets! {
    /// `sigprocmask(2)` operations.
    SIGMASK: int "SIG_???" { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 }
}

const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// First real-time signal of the kernel (the C library keeps the first two for itself).
const RTMIN: u32 = 32;
const RTMAX: u32 = 64;

/// The name of a signal that has one of its own: 1 to 31.
#[must_use]
pub fn signal_name(signal: u32) -> Option<&'static str> {
    NAMES.get((signal as usize).wrapping_sub(1)).copied()
}

/// Writes `SIGCHLD`, `SIGRTMIN`, `SIGRT_5`, or the number of what is no signal.
pub fn write_signal(out: &mut Vec<u8>, signal: u32) {
    match signal {
        RTMIN => out.extend_from_slice(b"SIGRTMIN"),
        33..=RTMAX => {
            out.extend_from_slice(b"SIGRT_");
            write_number(out, i64::from(signal - RTMIN));
        }
        _ => match signal_name(signal) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => write_number(out, i64::from(signal as i32)),
        },
    }
}

/// `si_code` values that any signal can have (`asm-generic/siginfo.h`).
const CODES: [(i32, &str); 10] = [
    (0, "SI_USER"),
    (0x80, "SI_KERNEL"),
    (-1, "SI_QUEUE"),
    (-2, "SI_TIMER"),
    (-3, "SI_MESGQ"),
    (-4, "SI_ASYNCIO"),
    (-5, "SI_SIGIO"),
    (-6, "SI_TKILL"),
    (-7, "SI_DETHREAD"),
    (-60, "SI_ASYNCNL"),
];

/// `si_code` values of single signals, from 1 upwards.
const ILL: &[&str] = &[
    "ILL_ILLOPC",
    "ILL_ILLOPN",
    "ILL_ILLADR",
    "ILL_ILLTRP",
    "ILL_PRVOPC",
    "ILL_PRVREG",
    "ILL_COPROC",
    "ILL_BADSTK",
];
const TRAP: &[&str] = &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"];
const BUS: &[&str] = &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"];
const FPE: &[&str] = &[
    "FPE_INTDIV",
    "FPE_INTOVF",
    "FPE_FLTDIV",
    "FPE_FLTOVF",
    "FPE_FLTUND",
    "FPE_FLTRES",
    "FPE_FLTINV",
    "FPE_FLTSUB",
];
const SEGV: &[&str] = &[
    "SEGV_MAPERR",
    "SEGV_ACCERR",
    "SEGV_BNDERR",
    "SEGV_PKUERR",
    "SEGV_ACCADI",
    "SEGV_ADIDERR",
    "SEGV_ADIPERR",
    "SEGV_MTEAERR",
    "SEGV_MTESERR",
    "SEGV_CPERR",
];
const CHLD: &[&str] =
    &["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"];
const POLL: &[&str] = &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"];
const SYS: &[&str] = &["SYS_SECCOMP", "SYS_USER_DISPATCH"];

/// Writes why a signal was sent: `SI_USER`, `CLD_EXITED`, or the number where it has no name.
pub fn write_si_code(out: &mut Vec<u8>, signal: u32, code: i32) {
    let own = match signal {
        4 => ILL,
        5 => TRAP,
        7 => BUS,
        8 => FPE,
        11 => SEGV,
        17 => CHLD,
        29 => POLL,
        31 => SYS,
        _ => &[],
    };
    let index = usize::try_from(code).ok().and_then(|code| code.checked_sub(1));
    let own = index.and_then(|index| own.get(index));
    let any = || CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| name);
    match own.or_else(any) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_hex(out, u64::from(code.cast_unsigned())),
    }
}

/// The number of a signal by its name, with or without `SIG` before it, or by its number.
#[must_use]
pub fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=RTMAX.cast_signed()).contains(&number).then_some(number);
    }
    let text = text.to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    let own = NAMES.iter().position(|known| &known[3..] == name).map(|at| at as i32 + 1);
    own.or_else(|| match name {
        "RTMIN" => Some(RTMIN.cast_signed()),
        _ => name.strip_prefix("RT_")?.parse().ok().map(|offset: i32| RTMIN.cast_signed() + offset),
    })
}
