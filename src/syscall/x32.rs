//! The calls that the x32 convention has of its own: those with a structure that holds pointers or longs.
//!
//! x32 is the 64-bit entry with bit 30 of the number set; all other calls are the 64-bit ones, by the same
//! number. From `arch/x86/entry/syscalls/syscall_64.tbl`, the lines marked `x32`.

use super::spec::{Spec, syscalls};

pub(super) static TABLE: &[Spec] = syscalls! {
    use x86;

    512 rt_sigaction(signum: Signal, act: In(Sigaction), oldact: Out(Sigaction), sigsetsize: Size) -> Int, Signal, [SIGNAL];
    513 rt_sigreturn() -> Int, Signal, [SIGNAL];
    514 ioctl(fd: Fd, op: Operation, argp: Word) -> Int, Descriptor, [DESC];
    515 readv(fd: Fd, iov: In(Iovec), iovcnt: Size) -> Size, Read, [DESC];
    516 writev(fd: Fd, iov: In(Iovec), iovcnt: Size) -> Size, Write, [DESC];
    517 recvfrom(sockfd: Fd, buf: OutBuf, len: Size, flags: Flags(&MSG), src_addr: Out(Sockaddr), addrlen: InOut(Integer)) -> Size, Network, [NETWORK];
    518 sendmsg(sockfd: Fd, msg: In(Msghdr), flags: Flags(&MSG)) -> Size, Network, [NETWORK];
    519 recvmsg(sockfd: Fd, msg: InOut(Msghdr), flags: Flags(&MSG)) -> Size, Network, [NETWORK];
    520 execve(pathname: Path, argv: StrArray, envp: StrArray) -> Int, Process, [FILE PROCESS];
    521 ptrace(op: Enum(&PTRACE), pid: Pid, addr: Addr, data: Addr) -> Int, Process, [];
    522 rt_sigpending(set: Out(Sigset), sigsetsize: Size) -> Int, Signal, [SIGNAL];
    523 rt_sigtimedwait(set: In(Sigset), info: Out(Siginfo), timeout: In(Timespec), sigsetsize: Size) -> Int, Signal, [SIGNAL];
    524 rt_sigqueueinfo(tgid: Pid, sig: Signal, info: In(Siginfo)) -> Int, Signal, [PROCESS SIGNAL];
    525 sigaltstack(ss: In(SignalStack), old_ss: Out(SignalStack)) -> Int, Signal, [SIGNAL];
    526 timer_create(clockid: Enum(&CLOCK), sevp: In(Other), timerid: Out(Integer)) -> Int, Time, [];
    527 mq_notify(mqdes: Fd, sevp: In(Other)) -> Int, Ipc, [DESC];
    528 kexec_load(entry: Addr, nr_segments: Size, segments: In(Other), flags: Flags(&KEXEC)) -> Int, Other, [];
    529 waitid(idtype: Enum(&WAITID), id: Pid, infop: Out(Siginfo), options: Flags(&WAIT), rusage: Out(Rusage)) -> Int, Process, [PROCESS];
    530 set_robust_list(head: Addr, len: Size) -> Int, Process, [];
    531 get_robust_list(pid: Pid, head_ptr: Out(Other), sizep: Out(Integer)) -> Int, Process, [];
    532 vmsplice(fd: Fd, iov: In(Iovec), nr_segs: Size, flags: Flags(&SPLICE)) -> Size, Write, [DESC];
    533 move_pages(pid: Pid, count: Size, pages: In(Other), nodes: In(Other), status: Out(Other), flags: Flags(&MPOL_MF)) -> Int, Memory, [MEMORY];
    534 preadv(fd: Fd, iov: In(Iovec), iovcnt: Size, offset: Offset) -> Size, Read, [DESC];
    535 pwritev(fd: Fd, iov: In(Iovec), iovcnt: Size, offset: Offset) -> Size, Write, [DESC];
    536 rt_tgsigqueueinfo(tgid: Pid, tid: Pid, sig: Signal, info: In(Siginfo)) -> Int, Signal, [PROCESS SIGNAL];
    537 recvmmsg(sockfd: Fd, msgvec: InOut(Mmsghdr), vlen: Uint, flags: Flags(&MSG), timeout: In(Timespec)) -> Int, Network, [NETWORK];
    538 sendmmsg(sockfd: Fd, msgvec: InOut(Mmsghdr), vlen: Uint, flags: Flags(&MSG)) -> Int, Network, [NETWORK];
    539 process_vm_readv(pid: Pid, local_iov: In(Iovec), liovcnt: Size, remote_iov: In(Iovec), riovcnt: Size, flags: Size) -> Size, Memory, [];
    540 process_vm_writev(pid: Pid, local_iov: In(Iovec), liovcnt: Size, remote_iov: In(Iovec), riovcnt: Size, flags: Size) -> Size, Memory, [];
    541 setsockopt(sockfd: Fd, level: Enum(&SOCKET_LEVEL), optname: Int, optval: Buf, optlen: Int) -> Int, Network, [NETWORK];
    542 getsockopt(sockfd: Fd, level: Enum(&SOCKET_LEVEL), optname: Int, optval: OutBuf, optlen: InOut(Integer)) -> Int, Network, [NETWORK];
    543 io_setup(nr_events: Uint, ctx_idp: InOut(Integer)) -> Int, Other, [MEMORY];
    544 io_submit(ctx_id: Addr, nr: Long, iocbpp: In(Other)) -> Int, Other, [];
    545 execveat(dirfd: DirFd, pathname: Path, argv: StrArray, envp: StrArray, flags: Flags(&AT_EXEC)) -> Int, Process, [FILE DESC PROCESS];
    546 preadv2(fd: Fd, iov: In(Iovec), iovcnt: Size, offset: Offset, pos_h: Unused, flags: Flags(&RWF)) -> Size, Read, [DESC];
    547 pwritev2(fd: Fd, iov: In(Iovec), iovcnt: Size, offset: Offset, pos_h: Unused, flags: Flags(&RWF)) -> Size, Write, [DESC];
};
