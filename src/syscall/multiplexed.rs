//! Calls of i386 that stand for others: `socketcall(2)` and `ipc(2)`, which are told by the call they make, and those of
//! the first Linux whose arguments are in memory, `mmap` and `select`.
//!
//! Glibc of 32-bit programs still makes them, although kernels have had numbers of their own for the same since 4.3 and
//! 5.1. What such a call stands for is the line of the table that has this number; those that have none are in [`PARTS`].

use super::spec::{Spec, syscalls};
use super::{Abi, lookup};
use crate::event::Event;

/// Numbers of the calls that stand for others.
const SELECT: u32 = 82;
const MMAP: u32 = 90;
const SOCKETCALL: u32 = 102;
const IPC: u32 = 117;

/// Where the numbers begin that only we give: the kernel has none so high.
const OURS: u32 = 560;

/// Calls that have no number of their own, and with their own numbers those whose arguments are in memory.
static PARTS: &[Spec] = syscalls! {
    use x86;

    82 select(nfds: Int, readfds: InOut(FdSet), writefds: InOut(FdSet), exceptfds: InOut(FdSet), timeout: InOut(Timeval)) -> Int, Poll, [DESC];
    90 mmap(addr: Addr, length: Size, prot: Flags(&PROT), flags: Flags(&MAP), fd: Fd, offset: Word) -> Addr, Memory, [DESC MEMORY];
    560 accept(sockfd: Fd, addr: Out(Sockaddr), addrlen: InOut(Integer)) -> Fd, Network, [NETWORK];
    561 send(sockfd: Fd, buf: Buf, len: Size, flags: Flags(&MSG)) -> Size, Network, [NETWORK];
    562 recv(sockfd: Fd, buf: OutBuf, len: Size, flags: Flags(&MSG)) -> Size, Network, [NETWORK];
    563 semop(semid: Int, sops: In(Other), nsops: Uint) -> Int, Ipc, [IPC];
    564 semtimedop(semid: Int, sops: In(Other), nsops: Uint, timeout: In(Timespec)) -> Int, Ipc, [IPC];
    565 msgrcv(msqid: Int, msgp: Addr, msgsz: Size, msgflg: Flags(&MSGRCV)) -> Size, Ipc, [IPC];
};

/// The number of `msgrcv` where the pointer to its message cannot be read.
const MSGRCV_OF_NOTHING: u32 = 565;

/// Numbers of what the operations of `socketcall` stand for, from 1 on (`linux/net.h`).
const OF_SOCKETCALL: [u32; 20] =
    [359, 361, 362, 363, 560, 367, 368, 360, 561, 562, 369, 371, 373, 366, 365, 370, 372, 364, 337, 345];

/// The same of `ipc` (`linux/ipc.h`), and where each has its arguments: numbers of those behind the operation.
const OF_IPC: [(u32, u32, &[usize]); 12] = [
    (1, 563, &[1, 4, 2]),
    (2, 393, &[1, 2, 3]),
    (3, 394, &[1, 2, 3, 4]),
    (4, 564, &[1, 4, 2, 5]),
    (11, 400, &[1, 4, 2, 3]),
    (12, 401, &[1, 4, 2, 5, 3]),
    (13, 399, &[1, 2]),
    (14, 402, &[1, 2, 4]),
    // The address goes to where the last of them says.
    (21, 397, &[1, 4, 2, 3]),
    (22, 398, &[4]),
    (23, 395, &[1, 2, 3]),
    (24, 396, &[1, 2, 4]),
];

/// The operation of `ipc`; above it stands which version of the arguments is passed.
const OPERATION: u64 = 0xffff;
const MSGRCV: u64 = 12;
const SEMCTL: u64 = 3;

/// The part with this number.
pub(crate) fn part(nr: u32) -> Option<&'static Spec> {
    PARTS.iter().find(|part| part.nr == nr).or_else(|| lookup(Abi::I386, nr))
}

/// Numbers of parts, those that only we give.
pub(crate) fn own_numbers() -> impl Iterator<Item = &'static Spec> {
    PARTS.iter().filter(|part| part.nr >= OURS)
}

/// Numbers of the calls that a call of this number may stand for.
pub(crate) fn numbers(abi: Abi, nr: u32) -> impl Iterator<Item = u32> {
    let of = move |wanted| abi == Abi::I386 && nr == wanted;
    let sockets = OF_SOCKETCALL.iter().copied().filter(move |_| of(SOCKETCALL));
    sockets.chain(OF_IPC.iter().map(|(_, part, _)| *part).filter(move |_| of(IPC)))
}

/// Whether the call of i386 with this number has its own arguments in memory, and stands for nothing else.
pub(crate) fn has_block(nr: u32) -> bool {
    matches!(nr, SELECT | MMAP)
}

/// The number of what a call stands for, as far as its registers tell.
pub(crate) fn number(event: &Event<'_>) -> Option<u32> {
    if event.abi != Abi::I386 {
        return None;
    }
    match event.nr {
        SOCKETCALL => of_socketcall(event.args[0]),
        IPC => of_ipc(event.args[0]).map(|(part, _)| part),
        _ => None,
    }
}

fn of_socketcall(operation: u64) -> Option<u32> {
    let index = usize::try_from(operation).ok()?.checked_sub(1)?;
    OF_SOCKETCALL.get(index).copied()
}

fn of_ipc(operation: u64) -> Option<(u32, &'static [usize])> {
    let row = OF_IPC.iter().find(|(known, ..)| u64::from(*known) == operation & OPERATION);
    row.map(|(_, part, order)| (*part, *order))
}

/// What a call stands for, with its arguments, of which some are in memory (`read` reads a word); `None`: it stands for
/// itself, or they cannot be read.
pub(crate) fn resolve(
    event: &Event<'_>,
    mut read: impl FnMut(u64) -> Option<u64>,
) -> Option<(&'static Spec, [u64; 6])> {
    if event.abi != Abi::I386 {
        return None;
    }
    let mut in_memory = |number: u32, from: u64| {
        let spec = part(number)?;
        let mut args = [0; 6];
        for (index, arg) in args.iter_mut().enumerate().take(spec.args.len()) {
            *arg = read(from.wrapping_add(4 * index as u64))?;
        }
        Some((spec, args))
    };
    match event.nr {
        SELECT | MMAP => in_memory(event.nr, event.args[0]),
        SOCKETCALL => in_memory(of_socketcall(event.args[0])?, event.args[1]),
        IPC => {
            let (number, order) = of_ipc(event.args[0])?;
            let mut args = [0; 6];
            for (arg, from) in args.iter_mut().zip(order) {
                *arg = event.args[*from];
            }
            match event.args[0] {
                // Without a version the message and its type are behind a pointer.
                MSGRCV => match (read(args[1]), read(args[1].wrapping_add(4))) {
                    (Some(message), Some(kind)) => (args[1], args[3]) = (message, kind),
                    _ => return Some((part(MSGRCV_OF_NOTHING)?, [args[0], args[1], args[2], args[4], 0, 0])),
                },
                operation if operation & OPERATION == SEMCTL => args[3] = read(args[3]).unwrap_or(args[3]),
                _ => {}
            }
            Some((part(number)?, args))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    fn event(nr: u32, args: [u64; 6]) -> Event<'static> {
        Event { abi: Abi::I386, nr, args, ..Event::new(Kind::Syscall) }
    }

    #[test]
    fn operations_are_the_calls_of_these_names() {
        let names = [
            "socket",
            "bind",
            "connect",
            "listen",
            "accept",
            "getsockname",
            "getpeername",
            "socketpair",
            "send",
            "recv",
            "sendto",
            "recvfrom",
            "shutdown",
            "setsockopt",
            "getsockopt",
            "sendmsg",
            "recvmsg",
            "accept4",
            "recvmmsg",
            "sendmmsg",
        ];
        for (operation, name) in (1..).zip(names) {
            let number = number(&event(SOCKETCALL, [operation, 0, 0, 0, 0, 0])).expect("an operation");
            assert_eq!(part(number).expect("a part").name, name);
        }
        let names = [
            "semop",
            "semget",
            "semctl",
            "semtimedop",
            "msgsnd",
            "msgrcv",
            "msgget",
            "msgctl",
            "shmat",
            "shmdt",
            "shmget",
            "shmctl",
        ];
        for ((_, number, order), name) in OF_IPC.iter().zip(names) {
            let part = part(*number).expect("a part");
            assert_eq!(part.name, name);
            assert!(part.args.len() <= order.len());
        }
        assert_eq!(number(&event(SOCKETCALL, [21; 6])), None);
        assert_eq!(number(&event(IPC, [5; 6])), None);
    }

    #[test]
    fn arguments_are_read_in_the_order_of_the_call() {
        let read = |address: u64| (address < 0x100).then_some(address / 4);
        let resolved = |nr, args| resolve(&event(nr, args), read).map(|(spec, args)| (spec.name, args));
        assert_eq!(resolved(SOCKETCALL, [3, 0x20, 0, 0, 0, 0]), Some(("connect", [8, 9, 10, 0, 0, 0])));
        assert_eq!(resolved(SOCKETCALL, [3, 0xfc, 0, 0, 0, 0]), None);
        assert_eq!(resolved(IPC, [1, 7, 2, 0, 0x40, 0]), Some(("semop", [7, 0x40, 2, 0, 0, 0])));
        assert_eq!(resolved(IPC, [12, 7, 2, 5, 0x40, 9]), Some(("msgrcv", [7, 16, 2, 17, 5, 0])));
        assert_eq!(resolved(IPC, [0x1_000c, 7, 2, 5, 0x40, 9]), Some(("msgrcv", [7, 0x40, 2, 9, 5, 0])));
        assert_eq!(resolved(MMAP, [0x10, 0, 0, 0, 0, 0]), Some(("mmap", [4, 5, 6, 7, 8, 9])));
        assert_eq!(resolved(6, [0; 6]), None);
    }
}
