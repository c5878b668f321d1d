//! Expected lines, one by one.

use super::super::{Options, Relative, Time, Who, line};
use crate::event::{Abi, Event, FileStat, Flags, Kind, mark};
use crate::syscall;
use crate::syscall::decode::Style;

/// A call by name, that took 12 µs and succeeded with 0.
fn call<'a>(name: &str, args: &[u64]) -> Event<'a> {
    call_of(Abi::X86_64, name, args)
}

fn call_of<'a>(abi: Abi, name: &str, args: &[u64]) -> Event<'a> {
    let mut event = Event::new(Kind::Syscall);
    event.args[..args.len()].copy_from_slice(args);
    let nr = syscall::by_name(abi, name).unwrap_or_else(|| panic!("no {name}")).nr;
    Event {
        pid: 4164,
        tid: 4164,
        abi,
        nr,
        start_ns: 1_234_567,
        end_ns: Some(1_246_999),
        ret: Some(0),
        ..event
    }
}

fn text(event: &Event<'_>, options: &Options) -> String {
    let mut out = Vec::new();
    line(&mut out, event, options);
    String::from_utf8(out).expect("lines are ASCII")
}

const FILES: Style = Style { files: true, ..Style::PLAIN };

/// The line without who, when and how long.
fn bare(event: &Event<'_>) -> String {
    text(event, &Options { who: Who::Hidden, time: Time::Hidden, duration: false, style: FILES })
}

const AT_FDCWD: u64 = -100_i64 as u64;
const O_CLOEXEC: u64 = 0o2_000_000;
const ENOENT: Option<i64> = Some(-2);

#[test]
fn open_with_everything() {
    let event = Event {
        path: Some(b"cache.db"),
        path_abs: Some(b"/work dir/cache.db"),
        file: Some(b"/work dir/cache.db"),
        ret: Some(3),
        comm: b"python3",
        ..call("openat", &[AT_FDCWD, 0x7f00, O_CLOEXEC])
    };
    assert_eq!(
        text(&event, &Options::default()),
        r#"4164 0.001234 openat(AT_FDCWD</work dir>, "cache.db", O_RDONLY|O_CLOEXEC) = 3</work dir/cache.db> <0.000012>"#
    );
    let options = Options {
        who: Who::Named,
        time: Time::Epoch(1_700_000_000_999_000_000),
        duration: false,
        style: Style::default(),
    };
    assert_eq!(
        text(&event, &options),
        r#"4164<python3> 1700000001.000234 openat(AT_FDCWD, "cache.db", O_RDONLY|O_CLOEXEC) = 3"#
    );
    let options = Options { who: Who::Hidden, time: Time::Since(1_000_000), ..Options::default() };
    assert!(text(&event, &options).starts_with("0.000234 openat("));
    let options = Options { time: Time::Since(2_000_000), ..options };
    assert!(text(&event, &options).starts_with("0.000000 openat("), "it began before");
}

#[test]
fn open_in_other_ways() {
    let path = Some(&b"/etc/ld.so.cache"[..]);
    let event = Event { path, path_abs: path, ret: ENOENT, ..call("openat", &[AT_FDCWD, 1, O_CLOEXEC]) };
    assert_eq!(
        bare(&event),
        r#"openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)"#
    );
    // A directory descriptor has its file, so the one returned is the second.
    let event = Event {
        path: Some(b"x"),
        path_abs: Some(b"/d/x"),
        file: Some(b"/d"),
        file2: Some(b"/d/x"),
        ret: Some(6),
        ..call("openat", &[5, 1, 0o102, 0o644])
    };
    assert_eq!(bare(&event), r#"openat(5</d>, "x", O_RDWR|O_CREAT, 0644) = 6</d/x>"#);
    let event =
        Event { path, file: path, ret: Some(4), ..call_of(Abi::I386, "open", &[0xffff_d000, 0o100_000]) };
    assert_eq!(bare(&event), r#"open("/etc/ld.so.cache", O_RDONLY|O_LARGEFILE) = 4</etc/ld.so.cache>"#);
    let event = Event {
        path: Some(b"a"),
        path_abs: Some(b"/a"),
        text: Some(b"flags=0x80000 mode=0o0 resolve=0x8"),
        ret: Some(4),
        ..call("openat2", &[AT_FDCWD, 1, 2, 24])
    };
    assert_eq!(
        bare(&event),
        r#"openat2(AT_FDCWD</>, "a", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_BENEATH}, 24) = 4"#
    );
}

#[test]
fn paths_that_are_not_known() {
    let event = Event { ret: Some(-14), flags: Flags::PATH_UNREADABLE, ..call("access", &[0xdead, 4]) };
    assert_eq!(bare(&event), "access(0xdead, R_OK) = -1 EFAULT (Bad address)");
    let event = Event { ret: Some(-14), ..call("chdir", &[0]) };
    assert_eq!(bare(&event), "chdir(NULL) = -1 EFAULT (Bad address)");
    let cut = [b'a'; 4095];
    let event = Event { path: Some(&cut), flags: Flags::TRUNCATED, ret: Some(-36), ..call("chdir", &[1]) };
    assert!(bare(&event).ends_with(r#"aaa"...) = -1 ENAMETOOLONG (File name too long)"#));
}

#[test]
fn descriptors() {
    let file = Some(&b"/tmp/a"[..]);
    assert_eq!(bare(&Event { file, ..call("close", &[3]) }), "close(3</tmp/a>) = 0");
    assert_eq!(
        bare(&Event { ret: Some(-9), ..call("close", &[u64::MAX]) }),
        "close(-1) = -1 EBADF (Bad file descriptor)"
    );
    let event = Event { file, file2: Some(b"/dev/pts/0"), ret: Some(1), ..call("dup2", &[3, 1]) };
    assert_eq!(bare(&event), "dup2(3</tmp/a>, 1</dev/pts/0>) = 1</tmp/a>");
    let event = Event { file, ret: Some(7), ..call("fcntl", &[3, 1030, 5]) };
    assert_eq!(bare(&event), "fcntl(3</tmp/a>, F_DUPFD_CLOEXEC, 5) = 7</tmp/a>");
    let event = Event { file, ret: Some(0x8000), ..call("fcntl", &[3, 3]) };
    assert_eq!(bare(&event), "fcntl(3</tmp/a>, F_GETFL) = 0x8000 (flags O_RDONLY|O_LARGEFILE)");
    let event = Event { file, ret: Some(1), ..call("fcntl", &[3, 1]) };
    assert_eq!(bare(&event), "fcntl(3</tmp/a>, F_GETFD) = 0x1 (flags FD_CLOEXEC)");
    assert_eq!(bare(&Event { ret: Some(0), ..event }), "fcntl(3</tmp/a>, F_GETFD) = 0");
    assert_eq!(
        bare(&Event { file, ..call("fcntl", &[3, 2, 1]) }),
        "fcntl(3</tmp/a>, F_SETFD, FD_CLOEXEC) = 0"
    );
    assert_eq!(
        bare(&Event { file, ..call("fcntl", &[3, 4, 0o4002]) }),
        "fcntl(3</tmp/a>, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
    );
    let event = Event {
        file: Some(b"/a"),
        file2: Some(b"pipe:[12]"),
        ret: Some(9),
        ..call("splice", &[3, 0, 4, 0, 9, 1])
    };
    assert_eq!(bare(&event), "splice(3</a>, NULL, 4<pipe:[12]>, NULL, 9, SPLICE_F_MOVE) = 9");
    let event =
        Event { file: Some(b"socket:[8]"), file2: Some(b"socket:[9]"), ret: Some(5), ..call("accept", &[4]) };
    assert_eq!(bare(&event), "accept(4<socket:[8]>, NULL, NULL) = 5<socket:[9]>");
    assert_eq!(bare(&call("pipe2", &[0x7ffc, O_CLOEXEC])), "pipe2(0x7ffc, O_CLOEXEC) = 0");
    let event = Event {
        file: Some(b"/usr/lib/libc.so.6"),
        ret: Some(0x7f12_0000),
        ..call("mmap", &[0, 8192, 5, 0x812, 3, 0x28000])
    };
    assert_eq!(
        bare(&event),
        "mmap(NULL, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3</usr/lib/libc.so.6>, 0x28000) = 0x7f120000"
    );
}

#[test]
fn two_paths() {
    let event = Event {
        path: Some(b"a"),
        path_abs: Some(b"/d/a"),
        path2: Some(b"b"),
        path2_abs: Some(b"/e/b"),
        file2: Some(b"/e"),
        ret: Some(-18),
        ..call("renameat2", &[AT_FDCWD, 1, 4, 2, 1])
    };
    assert_eq!(
        bare(&event),
        r#"renameat2(AT_FDCWD</d>, "a", 4</e>, "b", RENAME_NOREPLACE) = -1 EXDEV (Invalid cross-device link)"#
    );
    let event =
        Event { path: Some(b"l"), path_abs: Some(b"/d/l"), ..call("symlinkat", &[0x1000, AT_FDCWD, 2]) };
    assert_eq!(bare(&event), r#"symlinkat(0x1000, AT_FDCWD</d>, "l") = 0"#);
    let event = Event { text: Some(b"../t"), ..event };
    assert_eq!(bare(&event), r#"symlinkat("../t", AT_FDCWD</d>, "l") = 0"#);
    let event = Event { path: Some(b"/mnt"), ..call("mount", &[0x10, 0x20, 0x30, 0x1000, 0]) };
    assert_eq!(bare(&event), r#"mount(0x10, "/mnt", 0x30, MS_BIND, NULL) = 0"#);
}

#[test]
fn results_of_stat() {
    let stat = Some(FileStat { mode: 0o100_644, size: 2996, ..FileStat::default() });
    let path = Some(&b"/etc/passwd"[..]);
    let event = Event { path, stat, ..call("newfstatat", &[AT_FDCWD, 1, 0x7ffd, 0]) };
    assert_eq!(
        bare(&event),
        r#"newfstatat(AT_FDCWD, "/etc/passwd", {st_mode=S_IFREG|0644, st_size=2996, ...}, 0) = 0"#
    );
    let event = Event { path, stat, ..call("statx", &[AT_FDCWD, 1, 0, 0x7ff, 0x7ffd]) };
    assert_eq!(
        bare(&event),
        r#"statx(AT_FDCWD, "/etc/passwd", AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, {stx_mode=S_IFREG|0644, stx_size=2996, ...}) = 0"#
    );
    let event = Event { path, stat, ..call_of(Abi::I386, "stat64", &[1, 0xffff_0000]) };
    assert_eq!(bare(&event), r#"stat64("/etc/passwd", {st_mode=S_IFREG|0644, st_size=2996, ...}) = 0"#);
    let device = Some(FileStat { mode: 0o020_620, ..FileStat::default() });
    let event = Event { file: Some(b"/dev/pts/0"), stat: device, ..call("fstat", &[1, 2]) };
    assert_eq!(bare(&event), "fstat(1</dev/pts/0>, {st_mode=S_IFCHR|0620, ...}) = 0");
    let sticky = Some(FileStat { mode: 0o041_777, size: 40, ..FileStat::default() });
    let event = Event { path: Some(b"/tmp"), stat: sticky, ..call("lstat", &[1, 2]) };
    assert_eq!(bare(&event), r#"lstat("/tmp", {st_mode=S_IFDIR|S_ISVTX|0777, st_size=40, ...}) = 0"#);
    let event = Event { path, ret: ENOENT, ..call("stat", &[1, 0x7ffd]) };
    assert_eq!(bare(&event), r#"stat("/etc/passwd", 0x7ffd) = -1 ENOENT (No such file or directory)"#);
}

#[test]
fn texts_returned() {
    let event = Event {
        path: Some(b"/proc/self/exe"),
        text: Some(b"/usr/bin/python3.11"),
        ret: Some(19),
        ..call("readlink", &[1, 0x7ffd, 4096])
    };
    assert_eq!(bare(&event), r#"readlink("/proc/self/exe", "/usr/bin/python3.11", 4096) = 19"#);
    let event = Event { text: Some(b"/work"), ret: Some(6), ..call("getcwd", &[0x7ffd, 1024]) };
    assert_eq!(bare(&event), r#"getcwd("/work", 1024) = 6"#);
    let event = Event { path: Some(b"/x"), ret: Some(-22), ..call("readlink", &[1, 0x7ffd, 4096]) };
    assert_eq!(bare(&event), r#"readlink("/x", 0x7ffd, 4096) = -1 EINVAL (Invalid argument)"#);
}

#[test]
fn socket_addresses() {
    let connect = |peer| bare(&Event { peer: Some(peer), ..call("connect", &[3, 0x7ffd, 16]) });
    assert_eq!(
        connect(b"inet:127.0.0.1:80"),
        r#"connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0"#
    );
    assert_eq!(
        connect(b"inet6:[::1]:443"),
        r#"connect(3, {sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "::1"), ...}, 16) = 0"#
    );
    assert_eq!(connect(b"unix:/run/x"), r#"connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 16) = 0"#);
    assert_eq!(connect(b"unix:@bus"), r#"connect(3, {sa_family=AF_UNIX, sun_path=@"bus"}, 16) = 0"#);
    assert_eq!(connect(b"unix:"), "connect(3, {sa_family=AF_UNIX}, 16) = 0");
    assert_eq!(connect(b"netlink:7"), "connect(3, {sa_family=AF_NETLINK, nl_pid=7, ...}, 16) = 0");
    assert_eq!(connect(b"unspec"), "connect(3, {sa_family=AF_UNSPEC, ...}, 16) = 0");
    assert_eq!(connect(b"family:17"), "connect(3, {family:17}, 16) = 0");
    assert_eq!(connect(b"inet:\x1b[2J:80"), r"connect(3, {inet:\33[2J:80}, 16) = 0");
    assert_eq!(connect(b"inet:1.2.3.4:\x07"), r"connect(3, {inet:1.2.3.4:\7}, 16) = 0");
}

#[test]
fn programs() {
    let event = Event {
        path: Some(b"/usr/bin/python3"),
        argv: Some(b"python3\0-c\0print(\"\xc3\xa9\")\0"),
        ..call("execve", &[1, 2, 0x7ffe])
    };
    assert_eq!(
        bare(&event),
        r#"execve("/usr/bin/python3", ["python3", "-c", "print(\"\303\251\")"], 0x7ffe) = 0"#
    );
    let event = Event { flags: Flags::TRUNCATED, argv: Some(b"a\0b"), ..event };
    assert_eq!(bare(&event), r#"execve("/usr/bin/python3", ["a", "b"...], 0x7ffe) = 0"#);
    let event = Event { argv: Some(b""), flags: Flags(0), ..event };
    assert_eq!(bare(&event), r#"execve("/usr/bin/python3", [], 0x7ffe) = 0"#);
    let event = Event { argv: Some(b"\0"), ..event };
    assert_eq!(bare(&event), r#"execve("/usr/bin/python3", [""], 0x7ffe) = 0"#);
    let flags = 0x120_0011;
    let event = Event { ret: Some(4165), ..call("clone", &[flags, 0, 0, 0x7f10, 0]) };
    assert_eq!(
        bare(&event),
        "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f10) = 4165"
    );
    // On i386 the last two arguments are the other way round.
    let event = Event { ret: Some(4165), ..call_of(Abi::I386, "clone", &[flags, 0, 0, 0, 0x7f10]) };
    assert!(bare(&event).ends_with("child_tidptr=0x7f10) = 4165"));
    let event = Event { ret: None, end_ns: None, ..call("exit_group", &[0]) };
    assert_eq!(text(&event, &Options::default()), "4164 0.001234 exit_group(0) = ?");
}

#[test]
fn i386_halves() {
    let event = call_of(Abi::I386, "fallocate", &[3, 0, 1, 2, 0xffff_ffff, 0xffff_ffff]);
    assert_eq!(bare(&event), "fallocate(3, 0, 8589934593, -1) = 0");
    let event = call_of(Abi::I386, "_llseek", &[3, 1, 2, 0x1000, 1]);
    assert_eq!(bare(&event), "_llseek(3, 4294967298, 0x1000, SEEK_CUR) = 0");
    let event = call_of(Abi::I386, "lseek", &[3, 0xffff_ffff, 2]);
    assert_eq!(bare(&event), "lseek(3, -1, SEEK_END) = 0");
    let event = Event { ret: Some(0xf7f0_0000), ..call_of(Abi::I386, "mmap2", &[0, 4096, 1, 2, 3, 0x10]) };
    assert_eq!(bare(&event), "mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0x10000) = 0xf7f00000");
    let event = call_of(Abi::I386, "chown", &[0, 0xffff, 7]);
    assert_eq!(bare(&event), "chown(NULL, -1, 7) = 0");
}

#[test]
fn ways_to_end() {
    let read = call("read", &[0, 0x1000, 10]);
    assert_eq!(
        bare(&Event { ret: Some(-512), ..read }),
        "read(0, 0x1000, 10) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"
    );
    assert_eq!(
        bare(&Event { ret: Some(-516), ..read }),
        "read(0, 0x1000, 10) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)"
    );
    assert_eq!(
        bare(&Event { ret: Some(-4), ..read }),
        "read(0, 0x1000, 10) = -1 EINTR (Interrupted system call)"
    );
    assert_eq!(bare(&Event { ret: Some(-4000), ..read }), "read(0, 0x1000, 10) = -1 (errno 4000)");
    assert_eq!(bare(&Event { ret: None, ..read }), "read(0, 0x1000, 10) = ?");
    assert_eq!(bare(&Event { ret: Some(5), flags: Flags::NO_ENTRY, ..read }), "<... read resumed>) = 5");
    assert_eq!(bare(&Event { ret: Some(0o22), ..call("umask", &[0o77]) }), "umask(077) = 022");
    assert_eq!(bare(&Event { ret: Some(0x5000), ..call("brk", &[0]) }), "brk(NULL) = 0x5000");
    let unknown = Event { nr: 0x1ff, args: [1, 0, 0, 0, 0, 0xabc], ret: Some(-38), ..read };
    assert_eq!(
        bare(&unknown),
        "syscall_0x1ff(0x1, 0, 0, 0, 0, 0xabc) = -1 ENOSYS (Function not implemented)"
    );
}

#[test]
fn signals_and_exits() {
    let signal = |nr, code: i32, sender| {
        let args = [code as u64, sender, 0, 0, 0, 0];
        bare(&Event { nr, args, ..Event::new(Kind::Signal) })
    };
    assert_eq!(signal(17, 1, 12), "--- SIGCHLD {si_code=CLD_EXITED, si_pid=12} ---");
    assert_eq!(signal(15, 0, 4000), "--- SIGTERM {si_code=SI_USER, si_pid=4000} ---");
    assert_eq!(signal(11, 1, 0), "--- SIGSEGV {si_code=SEGV_MAPERR} ---");
    assert_eq!(signal(34, -1, 7), "--- SIGRT_2 {si_code=SI_QUEUE, si_pid=7} ---");
    assert_eq!(signal(28, 0x80, 0), "--- SIGWINCH {si_code=SI_KERNEL} ---");
    let exit = |ret| bare(&Event { ret, ..Event::new(Kind::Exit) });
    assert_eq!(exit(Some(0)), "+++ exited with 0 +++");
    assert_eq!(exit(Some(-9)), "+++ killed by SIGKILL +++");
    assert_eq!(exit(None), "+++ ended +++");
}

#[test]
fn own_kinds() {
    let event = Event { path: Some(b"/bin/sh"), argv: Some(b"sh\0-c\0"), ..Event::new(Kind::Exec) };
    assert_eq!(bare(&event), r#"*** exec "/bin/sh" ["sh", "-c"] ***"#);
    assert_eq!(bare(&Event::new(Kind::Exec)), "*** exec ? ***");
    let fork = Event { ret: Some(4165), args: [0x11, 4165, 0, 0, 0, 0], ..Event::new(Kind::Fork) };
    assert_eq!(bare(&fork), "*** new process 4165, flags SIGCHLD ***");
    let thread = Event { args: [0x1_0100, 4164, 0, 0, 0, 0], ..fork };
    assert_eq!(bare(&thread), "*** new thread 4165, flags CLONE_VM|CLONE_THREAD ***");
    let text = Some(mark::ENTRY.as_bytes());
    assert_eq!(bare(&Event { text, ..Event::new(Kind::Mark) }), "*** mark entry ***");
    let text = Some(mark::STOPPED.as_bytes());
    assert_eq!(bare(&Event { text, nr: 19, ..Event::new(Kind::Mark) }), "--- stopped by SIGSTOP ---");
    let lost = |ret| bare(&Event { text: Some(b"ring full"), ret, ..Event::new(Kind::Lost) });
    assert_eq!(lost(Some(12)), "*** lost 12 events: ring full ***");
    assert_eq!(lost(Some(1)), "*** lost 1 event: ring full ***");
    assert_eq!(lost(Some(-1)), "*** lost events, number unknown: ring full ***");
    let total = Event { text: Some(b"syscalls"), ret: Some(3191), ..Event::new(Kind::Total) };
    assert_eq!(bare(&total), "*** total syscalls = 3191 ***");
    assert_eq!(bare(&Event { ret: Some(-1), ..total }), "*** total syscalls = unknown ***");
}

#[test]
fn other_forms() {
    assert_eq!(bare(&call("ioctl", &[1, 0x5401, 0x7ffd])), "ioctl(1, TCGETS, 0x7ffd) = 0");
    assert_eq!(
        bare(&call("ioctl", &[1, 0x8004_fa30, 1])),
        "ioctl(1, _IOC(_IOC_READ, 0xfa, 0x30, 0x4), 0x1) = 0"
    );
    assert_eq!(bare(&call("ioctl", &[3, 0x5451])), "ioctl(3, FIOCLEX) = 0");
    assert_eq!(
        bare(&call("futex", &[0x7f00, 0x189, 0, 0, 0, 0xffff_ffff])),
        "futex(0x7f00, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY) = 0"
    );
    assert_eq!(bare(&call("futex", &[0x7f00, 0x81, 1])), "futex(0x7f00, FUTEX_WAKE_PRIVATE, 1) = 0");
    assert_eq!(
        bare(&call("socket", &[2, 0o2_000_001, 6])),
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 0"
    );
    assert_eq!(bare(&call("socket", &[16, 3, 0])), "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 0");
    assert_eq!(bare(&call("socket", &[1, 1, 0])), "socket(AF_UNIX, SOCK_STREAM, 0) = 0");
    assert_eq!(
        bare(&call("setsockopt", &[3, 1, 9, 0x7ffd, 4])),
        "setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, 0x7ffd, 4) = 0"
    );
    assert_eq!(
        bare(&call("setsockopt", &[3, 6, 1, 0x7ffd, 4])),
        "setsockopt(3, SOL_TCP, TCP_NODELAY, 0x7ffd, 4) = 0"
    );
    assert_eq!(
        bare(&call("setsockopt", &[3, 41, 26, 0x7ffd, 4])),
        "setsockopt(3, SOL_IPV6, IPV6_V6ONLY, 0x7ffd, 4) = 0"
    );
    assert_eq!(bare(&call("prctl", &[15, 0x7ffd])), "prctl(PR_SET_NAME, 0x7ffd) = 0");
    assert_eq!(bare(&call("prctl", &[38, 1])), "prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) = 0");
    assert_eq!(
        bare(&call("quotactl", &[0x8000_0700, 0, 5, 0])),
        "quotactl(QCMD(Q_GETQUOTA, USRQUOTA), NULL, 5, NULL) = 0"
    );
    assert_eq!(
        bare(&call("mknod", &[0, 0o020_600, 0x103])),
        "mknod(NULL, S_IFCHR|0600, makedev(0x1, 0x3)) = 0"
    );
    assert_eq!(bare(&call("mknod", &[0, 0o010_600, 0])), "mknod(NULL, S_IFIFO|0600) = 0");
    assert_eq!(
        bare(&call("wait4", &[u64::MAX, 0x7ffd, 0x4000_0001, 0])),
        "wait4(-1, 0x7ffd, WNOHANG|__WALL, NULL) = 0"
    );
    assert_eq!(bare(&call("personality", &[0xffff_ffff])), "personality(0xffffffff) = 0");
    assert_eq!(bare(&call("preadv2", &[3, 0x10, 1, 7, 9, 8])), "preadv2(3, 0x10, 1, 7, RWF_NOWAIT) = 0");
    let x32 = Event { abi: Abi::X32, nr: syscall::X32_BIT + 520, ..call("getpid", &[]) };
    assert_eq!(bare(&x32), "execve(NULL, NULL, NULL) = 0");
}

#[test]
fn relative_times_are_never_negative_and_add_up() {
    let mut relative = Relative::default();
    // A wait that begins at 200 and ends last stands behind the calls of the child.
    let times = [100, 150, 300, 900, 200, 1_000].map(|start_ns| match relative.next(start_ns) {
        Time::Since(moment) => start_ns.saturating_sub(moment),
        other => panic!("{other:?}"),
    });
    assert_eq!(times, [0, 50, 150, 600, 0, 100]);
    assert_eq!(times.iter().sum::<u64>(), 900, "from the first to the last");
}

#[test]
fn a_closed_directory_that_an_absolute_path_does_not_need() {
    let path = Some(&b"/etc/passwd"[..]);
    let event = Event { path, path_abs: path, file: path, ret: Some(3), ..call("openat", &[999, 0x1000]) };
    assert_eq!(bare(&event), r#"openat(999, "/etc/passwd", O_RDONLY) = 3</etc/passwd>"#);
    let event = Event { file: Some(b"/dir"), file2: path, ..event };
    assert_eq!(bare(&event), r#"openat(999</dir>, "/etc/passwd", O_RDONLY) = 3</etc/passwd>"#);
}

#[test]
fn only_the_path_that_was_cut_is_said_to_be() {
    let long = [b'a'; 4095];
    let event = Event {
        path: Some(b"short"),
        path2: Some(&long),
        flags: Flags::TRUNCATED,
        ret: Some(-36),
        ..call("rename", &[0x1000, 0x2000])
    };
    let line = bare(&event);
    assert!(
        line.contains(r#"rename("short", "aaa"#) && line.contains(r#"aaa"...) = -1 ENAMETOOLONG"#),
        "{line}"
    );
}
