//! How values are printed, and that the values are those of the C library.

use super::x86::*;
use super::*;

fn bits(set: &FlagSet, value: u64) -> String {
    let mut out = Vec::new();
    set.write_bits(&mut out, value);
    String::from_utf8(out).expect("names are ASCII")
}

fn one(set: &FlagSet, value: u64) -> String {
    let mut out = Vec::new();
    set.write_one(&mut out, value);
    String::from_utf8(out).expect("names are ASCII")
}

#[test]
fn open_flags() {
    assert_eq!(bits(&OPEN, 0), "O_RDONLY");
    assert_eq!(bits(&OPEN, 0o2_000_101), "O_WRONLY|O_CREAT|O_CLOEXEC");
    assert_eq!(bits(&OPEN, 3), "O_ACCMODE");
    assert_eq!(bits(&OPEN, 0x8000_0000), "O_RDONLY|0x80000000");
    assert_eq!(bits(&OPEN, 0o20_200_002), "O_RDWR|O_TMPFILE");
    assert_eq!(bits(&OPEN, 0o200_000), "O_RDONLY|O_DIRECTORY");
    assert_eq!(bits(&OPEN, 0o4_010_000), "O_RDONLY|O_SYNC");
    assert_eq!(bits(&OPEN, 0o10_000), "O_RDONLY|O_DSYNC");
    // The kernel takes an int: what a 64-bit register has above it is nothing.
    assert_eq!(bits(&OPEN, 0xffff_ffff_0000_0001), "O_WRONLY");
}

#[test]
fn values_without_a_name() {
    assert_eq!(bits(&AT, 0), "0");
    assert_eq!(bits(&AT, 0x4000_0000), "0x40000000 /* AT_??? */");
    assert_eq!(bits(&AT, 0x4000_0100), "AT_SYMLINK_NOFOLLOW|0x40000000");
    assert_eq!(one(&SEEK, 2), "SEEK_END");
    assert_eq!(one(&SEEK, 7), "0x7 /* SEEK_??? */");
    assert_eq!(one(&FCNTL, u64::MAX), "0xffffffff /* F_??? */");
    assert_eq!(one(&IPC_KEY, 0x1234), "0x1234", "a set without a name for the unknown has no comment");
}

#[test]
fn zero_may_have_a_name() {
    assert_eq!(bits(&ACCESS, 0), "F_OK");
    assert_eq!(bits(&ACCESS, 5), "R_OK|X_OK");
    assert_eq!(bits(&PROT, 0), "PROT_NONE");
    assert_eq!(bits(&PROT, 0x8_0000_0001), "PROT_READ|0x800000000", "an unsigned long");
}

#[test]
fn fields() {
    assert_eq!(bits(&MAP, 0x22), "MAP_PRIVATE|MAP_ANONYMOUS");
    assert_eq!(bits(&MAP, 21 << 26 | 0x4_0022), "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT");
    assert_eq!(bits(&CLONE, 0x120_0011), "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD");
    assert_eq!(bits(&CLONE, 0), "0");
    assert_eq!(bits(&SOCKET_TYPE, 0o2_000_001), "SOCK_STREAM|SOCK_CLOEXEC");
    assert_eq!(bits(&SOCKET_TYPE, 0o2_000_000), "SOCK_CLOEXEC");
    assert_eq!(bits(&SOCKET_TYPE, 9), "0x9 /* SOCK_??? */");
    assert_eq!(bits(&SHMGET, 0o1600), "IPC_CREAT|0600");
    assert_eq!(bits(&SHMGET, 0), "000");
    assert_eq!(bits(&SEMCTL, 0x102), "IPC_64|IPC_STAT");
    assert_eq!(bits(&FUTEX, 0x189), "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME");
    assert_eq!(bits(&AT_STATX, 0x900), "AT_STATX_SYNC_AS_STAT|AT_SYMLINK_NOFOLLOW|AT_NO_AUTOMOUNT");
    assert_eq!(bits(&STATX, 0xfff), "STATX_ALL");
    assert_eq!(one(&SCHED, 1), "SCHED_FIFO", "a choice is found among the fields, too");
}

#[test]
fn signals() {
    let name = |signal| {
        let mut out = Vec::new();
        write_signal(&mut out, signal);
        String::from_utf8(out).expect("names are ASCII")
    };
    for signal in nix::sys::signal::Signal::iterator() {
        assert_eq!(name(signal as u32), signal.as_str());
    }
    assert_eq!(
        (name(0), name(32), name(34), name(64)),
        ("0".into(), "SIGRTMIN".into(), "SIGRT_2".into(), "SIGRT_32".into())
    );
    assert_eq!((name(65), name(u32::MAX)), ("65".to_owned(), "-1".to_owned()));
    assert_eq!(signal_name(9), Some("SIGKILL"));
    assert_eq!(signal_name(0), None);
    let code = |signal, code| {
        let mut out = Vec::new();
        write_si_code(&mut out, signal, code);
        String::from_utf8(out).expect("names are ASCII")
    };
    assert_eq!(code(17, 1), "CLD_EXITED");
    assert_eq!(code(11, 2), "SEGV_ACCERR");
    assert_eq!(code(11, 128), "SI_KERNEL");
    assert_eq!(code(15, 0), "SI_USER");
    assert_eq!(code(15, -6), "SI_TKILL");
    assert_eq!(code(15, -99), "0xffffff9d");
    assert_eq!(code(15, 1), "0x1");
}

#[test]
fn numbers() {
    let mut out = Vec::new();
    write_number(&mut out, i64::MIN);
    out.push(b' ');
    write_hex(&mut out, u64::MAX);
    out.push(b' ');
    write_radix(&mut out, u64::MAX, 2, 1000);
    assert_eq!(out, format!("{} {:#x} {:b}", i64::MIN, u64::MAX, u64::MAX).into_bytes());
}

/// Looks each name up in its set by the value that the C library gives it.
macro_rules! check {
    ($($set:ident: $($name:ident)*;)*) => {
        $($(assert!(
            has(&$set, i128::from(libc::$name) as u64, stringify!($name)),
            "{} is {:#x}", stringify!($name), libc::$name
        );)*)*
    };
}

fn has(set: &FlagSet, value: u64, name: &str) -> bool {
    // Those that are an int there have its sign.
    let value = if value >> 32 == 0xffff_ffff { value & 0xffff_ffff } else { value };
    let fields = set.fields.iter().flat_map(|field| field.values);
    set.values.iter().chain(fields).any(|known| *known == (value, name))
}

#[test]
fn values_are_those_of_the_c_library() {
    check! {
        OPEN: O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC O_SYNC
            O_DIRECT O_DIRECTORY O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH O_TMPFILE;
        ACCESS: F_OK R_OK W_OK X_OK;
        AT: AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE;
        AT_ACCESS: AT_EACCESS;
        AT_STATX: AT_STATX_SYNC_AS_STAT AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC;
        STATX: STATX_TYPE STATX_MODE STATX_NLINK STATX_UID STATX_GID STATX_ATIME STATX_MTIME STATX_CTIME
            STATX_INO STATX_SIZE STATX_BLOCKS STATX_BASIC_STATS STATX_BTIME STATX_ALL STATX_MNT_ID;
        RENAME: RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT;
        XATTR: XATTR_CREATE XATTR_REPLACE;
        FALLOCATE: FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE FALLOC_FL_COLLAPSE_RANGE FALLOC_FL_ZERO_RANGE
            FALLOC_FL_INSERT_RANGE FALLOC_FL_UNSHARE_RANGE;
        RESOLVE: RESOLVE_NO_XDEV RESOLVE_NO_MAGICLINKS RESOLVE_NO_SYMLINKS RESOLVE_BENEATH RESOLVE_IN_ROOT
            RESOLVE_CACHED;
        SEEK: SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE;
        FCNTL: F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_OFD_GETLK
            F_OFD_SETLK F_OFD_SETLKW F_SETLEASE F_GETLEASE F_NOTIFY F_DUPFD_CLOEXEC F_SETPIPE_SZ
            F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS;
        FD_FLAGS: FD_CLOEXEC;
        SEALS: F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE;
        FLOCK: LOCK_SH LOCK_EX LOCK_NB LOCK_UN;
        SPLICE: SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE SPLICE_F_GIFT;
        SYNC_FILE_RANGE: SYNC_FILE_RANGE_WAIT_BEFORE SYNC_FILE_RANGE_WRITE SYNC_FILE_RANGE_WAIT_AFTER;
        FADVISE: POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED
            POSIX_FADV_DONTNEED POSIX_FADV_NOREUSE;
        EVENTFD: EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK;
        SIGNALFD: SFD_CLOEXEC SFD_NONBLOCK;
        TIMERFD: TFD_TIMER_ABSTIME TFD_CLOEXEC TFD_NONBLOCK;
        EPOLL_CREATE: EPOLL_CLOEXEC;
        EPOLL_CTL: EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL;
        INOTIFY_INIT: IN_CLOEXEC IN_NONBLOCK;
        INOTIFY: IN_ACCESS IN_MODIFY IN_ATTRIB IN_CLOSE_WRITE IN_CLOSE_NOWRITE IN_OPEN IN_MOVED_FROM IN_MOVED_TO
            IN_CREATE IN_DELETE IN_DELETE_SELF IN_MOVE_SELF IN_ONLYDIR IN_DONT_FOLLOW IN_MASK_ADD IN_ISDIR
            IN_ONESHOT;
        FANOTIFY: FAN_ACCESS FAN_MODIFY FAN_CLOSE_WRITE FAN_CLOSE_NOWRITE FAN_OPEN FAN_OPEN_PERM FAN_ONDIR
            FAN_EVENT_ON_CHILD;
        PROT: PROT_NONE PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP;
        MAP: MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_32BIT MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE
            MAP_LOCKED MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC
            MAP_FIXED_NOREPLACE;
        MREMAP: MREMAP_MAYMOVE MREMAP_FIXED;
        MSYNC: MS_ASYNC MS_INVALIDATE MS_SYNC;
        MADVISE: MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE
            MADV_DONTFORK MADV_DOFORK MADV_MERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP
            MADV_HWPOISON;
        MEMFD: MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB;
        MOUNT: MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_SYNCHRONOUS MS_REMOUNT MS_MANDLOCK MS_DIRSYNC
            MS_NOATIME MS_NODIRATIME MS_BIND MS_MOVE MS_REC MS_SILENT MS_PRIVATE MS_SLAVE MS_SHARED
            MS_RELATIME MS_I_VERSION MS_STRICTATIME;
        UMOUNT: MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW;
        CLONE: CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT
            CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID
            CLONE_UNTRACED CLONE_CHILD_SETTID CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC
            CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO;
        WAIT: WNOHANG WSTOPPED WEXITED WCONTINUED WNOWAIT __WNOTHREAD __WALL __WCLONE;
        WAITID: P_ALL P_PID P_PGID P_PIDFD;
        SIGMASK: SIG_BLOCK SIG_UNBLOCK SIG_SETMASK;
        CLOCK: CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID
            CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_TAI;
        RLIMIT: RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC
            RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING RLIMIT_MSGQUEUE
            RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME;
        RUSAGE: RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD;
        SOCKET_DOMAIN: AF_UNSPEC AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_ALG AF_VSOCK AF_XDP;
        SOCKET_TYPE: SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_CLOEXEC SOCK_NONBLOCK;
        SOCKET_PROTOCOL: IPPROTO_IP IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPPROTO_RAW IPPROTO_SCTP
            IPPROTO_MPTCP;
        SOCKET_LEVEL: SOL_SOCKET SOL_TCP SOL_UDP SOL_IPV6 SOL_NETLINK SOL_ALG;
        SOCKET_OPTION: SO_REUSEADDR SO_TYPE SO_ERROR SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_LINGER
            SO_REUSEPORT SO_PASSCRED SO_PEERCRED SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN SO_INCOMING_CPU;
        TCP_OPTION: TCP_NODELAY TCP_MAXSEG TCP_CORK TCP_KEEPIDLE TCP_INFO TCP_FASTOPEN TCP_ULP;
        MSG: MSG_OOB MSG_PEEK MSG_DONTROUTE MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_EOR MSG_WAITALL MSG_NOSIGNAL
            MSG_MORE MSG_FASTOPEN MSG_CMSG_CLOEXEC;
        SHUTDOWN: SHUT_RD SHUT_WR SHUT_RDWR;
        PRCTL: PR_SET_PDEATHSIG PR_SET_NAME PR_GET_NAME PR_SET_SECCOMP PR_SET_NO_NEW_PRIVS PR_SET_MM
            PR_SET_CHILD_SUBREAPER PR_CAP_AMBIENT PR_SET_PTRACER PR_SET_VMA;
        FUTEX: FUTEX_WAIT FUTEX_WAKE FUTEX_REQUEUE FUTEX_WAIT_BITSET FUTEX_CLOCK_REALTIME;
        SECCOMP: SECCOMP_SET_MODE_STRICT SECCOMP_SET_MODE_FILTER SECCOMP_GET_ACTION_AVAIL;
        GETRANDOM: GRND_NONBLOCK GRND_RANDOM;
        PTRACE: PTRACE_TRACEME PTRACE_PEEKDATA PTRACE_CONT PTRACE_ATTACH PTRACE_SEIZE PTRACE_SYSCALL
            PTRACE_GETREGS PTRACE_SETOPTIONS PTRACE_GET_SYSCALL_INFO;
        PERSONALITY: ADDR_NO_RANDOMIZE READ_IMPLIES_EXEC ADDR_COMPAT_LAYOUT MMAP_PAGE_ZERO;
        CLOSE_RANGE: CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC;
    }
}
