//! Logs, ours and strace's, as plans.

use std::io::Cursor;

use proptest::prelude::*;
use trace_replay::{At, AttributeCall, CopyCall, Offset, Op, RangeLock, Scope, SharedPart};

use super::*;
use crate::log::Source;

fn plan_of(text: &str, cwd: Option<&str>) -> Planned {
    let mut source =
        Source::new(Cursor::new(text.as_bytes().to_vec()), cwd.map(str::as_bytes)).expect("strace's text");
    let mut builder = Planner::new(source.header(), None, None).expect("no root");
    source.for_each(|event| builder.add(event).expect("it is small")).expect("memory can be read");
    builder.finish()
}

fn ops(planned: &Planned) -> Vec<Op> {
    planned.plan.call_ids().filter_map(|id| planned.plan.op(id).copied()).collect()
}

#[test]
fn calls_are_what_they_were() {
    let planned = plan_of(
        "execve(\"/bin/x\", [\"x\"], 0x7f /* 3 vars */) = 0\n\
         openat(AT_FDCWD, \"a\", O_RDONLY|O_CLOEXEC) = 3\n\
         newfstatat(3, \"\", {st_mode=S_IFREG|0644, st_size=7, ...}, AT_EMPTY_PATH) = 0\n\
         read(3, \"abc\"..., 4096) = 7\n\
         pread64(3, \"abc\"..., 4096, 2) = 5\n\
         lseek(3, 0, SEEK_SET) = 0\n\
         mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000\n\
         close(3) = 0\n\
         stat(\"b\", 0x7f) = -1 ENOENT (No such file or directory)\n\
         readlink(\"/proc/self/exe\", \"/bin/x\", 4095) = 6\n\
         getpid() = 1\n\
         write(1, \"x\", 1) = 1\n\
         futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 0\n\
         mkdir(\"c\", 0777) = 0\n\
         exit_group(0) = ?\n",
        Some("/home"),
    );
    let ops = ops(&planned);
    let path = |index: usize| match ops[index] {
        Op::Open { path, .. } | Op::Stat { path, .. } | Op::ReadLink { path, .. } => {
            planned.plan.path(path).to_vec()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(ops[0], Op::Exec);
    assert!(matches!(ops[1], Op::Open { at: At::Cwd, flags: 0o2_000_000, .. }) && path(1) == b"a");
    assert!(matches!(ops[2], Op::Stat { at: At::Fd(3), flags: 0x1000, .. }) && path(2).is_empty());
    assert_eq!(ops[3], Op::Read { fd: 3, count: 4096 });
    assert_eq!(ops[4], Op::Pread { fd: 3, count: 4096, offset: 2 });
    assert_eq!(ops[5], Op::Seek { fd: 3, offset: 0, whence: 0 });
    assert_eq!(ops[6], Op::Map { fd: 3 });
    assert_eq!(ops[7], Op::Close { fd: 3 });
    assert!(matches!(ops[8], Op::Stat { at: At::Cwd, flags: 0, .. }));
    assert_eq!(path(9), b"/proc/self/exe");
    assert_eq!(ops[10], Op::Inert);
    assert_eq!(ops[11], Op::Write { fd: 1, count: 1, scope: Scope::All });
    assert_eq!(ops[12], Op::Unknown(Scope::All));
    assert!(matches!(ops[13], Op::MakeDir { at: At::Cwd, mode: 0o777, .. }));
    assert_eq!((planned.calls, planned.timed_calls, planned.plan.len()), (15, 0, 15));
    let ids: Vec<_> = planned.plan.call_ids().collect();
    let fstat = planned.plan.recorded(ids[2]).unwrap();
    assert_eq!(fstat.stat, StatFacts { mode: Some(0o100_644), size: Some(7), nlink: None, file: None });
    assert_eq!(planned.plan.recorded(ids[8]).unwrap().ret, Some(-2));
    assert_eq!(planned.plan.recorded(ids[14]).unwrap().ret, Some(0), "exit_group is as it should be");
}

#[test]
fn what_is_passed_by_address_is_told() {
    let lock = "{l_type=F_WRLCK, l_whence=SEEK_END, l_start=-8, l_len=0}";
    let planned = plan_of(
        &format!(
            "openat(AT_FDCWD, \"n\", O_RDWR|O_CREAT|O_EXCL, 0666) = 3\n\
             fcntl(3, F_SETLKW, {lock}) = 0\n\
             fcntl(3, F_OFD_GETLK, {{l_type=F_RDLCK, l_whence=SEEK_SET, l_start=1, l_len=2, l_pid=0}}) = 0\n\
             copy_file_range(3, [5], 4, [0], 100, 0) = 100\n\
             copy_file_range(3, [5] => [7], 4, NULL, 2, 0) = 2\n\
             copy_file_range(3, NULL, 4, [9], 2, 0) = 2\n\
             sendfile(4</n>, 3, [7] => [8], 1) = 1\n\
             ioctl(4, BTRFS_IOC_CLONE or FICLONE, 3) = 0\n\
             ioctl(4, BTRFS_IOC_CLONE_RANGE or FICLONERANGE, {{src_fd=3, src_offset=4096, src_length=0, dest_offset=8192}}) = 0\n\
             fcntl(3, F_SETLK, 0x7ffc00000000) = 0\n\
             copy_file_range(3, 0x7ffc00000000, 4, NULL, 100, 0) = 100\n\
             copy_file_range(3, [-5], 4, NULL, 100, 0) = -1 EINVAL (Invalid argument)\n"
        ),
        Some("/home"),
    );
    let ops = ops(&planned);
    let at = |bytes| Offset::at(bytes).expect("it is in a file");
    let locked = RangeLock { asks: false, of_description: false, kind: 1, whence: 2, start: -8, length: 0 };
    assert_eq!(ops[1], Op::LockRange { fd: 3, lock: locked });
    let asked = RangeLock { asks: true, of_description: true, kind: 0, whence: 0, start: 1, length: 2 };
    assert_eq!(ops[2], Op::LockRange { fd: 3, lock: asked });
    let copied = |from_offset, to_offset, count, call| Op::Copy {
        from: 3,
        from_offset,
        to: 4,
        to_offset,
        count,
        call,
    };
    assert_eq!(ops[3], copied(at(5), at(0), 100, CopyCall::Range));
    assert_eq!(ops[4], copied(at(5), Offset::OWN, 2, CopyCall::Range));
    assert_eq!(ops[5], copied(Offset::OWN, at(9), 2, CopyCall::Range));
    assert_eq!(ops[6], copied(at(7), Offset::OWN, 1, CopyCall::Send));
    assert_eq!(ops[7], Op::Clone { from: 3, to: 4 });
    let part = SharedPart { from: 4096, length: 0, to: 8192 };
    assert_eq!(ops[8], Op::CloneRange { from: 3, to: 4, part });
    assert_eq!(ops[9..12], [Op::Unknown(Scope::Process); 3], "what was passed is not known");
}

#[test]
fn calls_that_change_files_are_what_they_were() {
    let planned = plan_of(
        "umask(027) = 022\n\
         openat(AT_FDCWD, \"n\", O_WRONLY|O_CREAT|O_EXCL, 0666) = 3\n\
         writev(3, [{iov_base=\"abc\", iov_len=3}], 1) = 3\n\
         pwrite64(3, \"abc\", 3, 10) = 3\n\
         ftruncate(3, 100) = 0\n\
         fallocate(3, 0, 0, 4096) = 0\n\
         fchmod(3, 0755) = 0\n\
         fchown(3, 0, 0) = 0\n\
         fsync(3) = 0\n\
         fdatasync(3) = 0\n\
         utimensat(3, NULL, [UTIME_OMIT, UTIME_NOW], 0) = 0\n\
         rename(\"n\", \"m\") = 0\n\
         renameat2(AT_FDCWD, \"m\", 4, \"n\", RENAME_NOREPLACE) = 0\n\
         linkat(AT_FDCWD, \"n\", AT_FDCWD, \"o\", 0) = 0\n\
         symlink(\"to\", \"from\") = 0\n\
         unlinkat(4, \"d\", AT_REMOVEDIR) = 0\n\
         rmdir(\"e\") = 0\n\
         chmod(\"n\", 0600) = 0\n\
         lchown(\"n\", 1, 2) = 0\n\
         copy_file_range(3, NULL, 4, NULL, 100, 0) = 100\n\
         truncate(\"n\", 5) = 0\n\
         setxattr(\"n\", \"user.a\", \"hello\", 5, XATTR_CREATE) = 0\n\
         lgetxattr(\"n\", \"user.a\", 0x7f, 128) = 5\n\
         flistxattr(3, \"user.a\\0\", 256) = 7\n\
         removexattr(\"n\", \"user.a\") = 0\n\
         statfs(\"n\", {f_type=EXT2_SUPER_MAGIC}) = 0\n\
         fstatfs(3, {f_type=EXT2_SUPER_MAGIC}) = 0\n",
        Some("/home"),
    );
    let ops = ops(&planned);
    assert!(planned.refused.is_empty(), "{:?}", planned.refused);
    assert_eq!(ops[0], Op::Umask { mask: 0o027 });
    assert_eq!(ops[2], Op::Write { fd: 3, count: 3, scope: Scope::Process });
    assert_eq!(ops[3], Op::Pwrite { fd: 3, count: 3, offset: 10 });
    assert_eq!(ops[4], Op::Ftruncate { fd: 3, length: 100 });
    assert_eq!(ops[5], Op::Allocate { fd: 3, mode: 0, offset: 0, length: 4096 });
    assert_eq!(ops[6..8], [Op::Fchmod { fd: 3, mode: 0o755 }, Op::Fchown { fd: 3, owner: 0, group: 0 }]);
    assert_eq!(ops[8..10], [false, true].map(|data_only| Op::Sync { fd: 3, data_only }));
    assert_eq!(ops[10], Op::FsetTimes { fd: 3 });
    let path = |id| planned.plan.path(id);
    assert!(
        matches!(ops[11], Op::Rename { from, to, flags: 0, .. } if (path(from), path(to)) == (b"n", b"m"))
    );
    assert!(matches!(ops[12], Op::Rename { to_at: At::Fd(4), flags: 1, .. }), "{:?}", ops[12]);
    assert!(matches!(ops[13], Op::Link { from, to, .. } if (path(from), path(to)) == (b"n", b"o")));
    assert!(
        matches!(ops[14], Op::Symlink { target, path: at, .. } if (path(target), path(at)) == (b"to", b"from"))
    );
    let removed = |op: &Op| matches!(op, Op::Unlink { flags: 0x200, .. });
    assert!(removed(&ops[15]) && removed(&ops[16]), "{:?}", &ops[15..17]);
    assert!(matches!(ops[17], Op::Chmod { mode: 0o600, .. }));
    assert!(matches!(ops[18], Op::Chown { owner: 1, group: 2, flags: 0x100, .. }), "{:?}", ops[18]);
    let (from_offset, to_offset) = (Offset::OWN, Offset::OWN);
    let copied = Op::Copy { from: 3, from_offset, to: 4, to_offset, count: 100, call: CopyCall::Range };
    assert_eq!(ops[19], copied);
    assert!(matches!(ops[20], Op::Truncate { length: 5, .. }));
    let attributes = ops[21..25].iter().map(|op| match *op {
        Op::Attribute { path: of, nofollow, call, name, size, flags, .. } => {
            (call, path(of), path(name), size, flags, nofollow)
        }
        ref other => panic!("{other:?}"),
    });
    let expected = [
        (AttributeCall::Set, &b"n"[..], &b"user.a"[..], 5, 1, false),
        (AttributeCall::Get, b"n", b"user.a", 128, 0, true),
        (AttributeCall::List, b"", b"", 256, 0, false),
        (AttributeCall::Remove, b"n", b"user.a", 0, 0, false),
    ];
    assert!(attributes.eq(expected), "{:?}", &ops[21..25]);
    assert!(matches!(ops[25], Op::FileSystem { at: At::Cwd, .. }));
    assert!(matches!(ops[26], Op::FileSystem { at: At::Fd(3), .. }));
}

#[test]
fn children_and_their_ends_are_told() {
    let planned = plan_of(
        "1 vfork( <unfinished ...>\n\
         2 openat(AT_FDCWD, \"/etc/x\", O_RDONLY) = 3\n\
         2 exit_group(0) = ?\n\
         2 +++ exited with 0 +++\n\
         1 <... vfork resumed>) = 2\n\
         1 wait4(-1, NULL, 0, NULL) = 2\n\
         1 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 3\n\
         3 close(3) = 0\n\
         3 execve(\"/bin/y\", [\"y\"], 0x7f <unfinished ...>\n\
         1 +++ superseded by execve in pid 3 +++\n\
         1 <... execve resumed>) = 0\n\
         1 close(4) = -1 EBADF (Bad file descriptor)\n",
        None,
    );
    assert_eq!((planned.plan.processes(), planned.plan.threads()), (2, 3));
    assert!(matches!(ops(&planned)[3], Op::Wait { .. }), "{:?}", ops(&planned));
    assert!(planned.refused.is_empty(), "{:?}", planned.refused);
}

#[test]
fn a_thread_that_made_itself_is_counted_and_the_rest_is_there() {
    let planned = plan_of(
        "1 clone(child_stack=NULL, flags=SIGCHLD) = 1\n\
         1 openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n\
         1 clone(child_stack=NULL, flags=SIGCHLD) = 2\n\
         2 clone(child_stack=NULL, flags=SIGCHLD) = 1\n\
         1 close(3) = 0\n",
        None,
    );
    assert_eq!(planned.refused.into_iter().collect::<Vec<_>>(), [(MADE_ITSELF.to_owned(), 1)]);
    let opened = planned.plan.call_ids().filter(|id| matches!(planned.plan.op(*id), Some(Op::Open { .. })));
    assert_eq!((opened.count(), planned.plan.threads()), (1, 3));
}

#[test]
fn what_cannot_be_is_counted_with_its_reason() {
    let deep = "a/".repeat(1500);
    let text = format!(
        "read(3, \"\", 10) = 1152921504606846976\nstat(\"{deep}\", 0x7f) = -1 ENOENT (No such file or directory)\n\
         openat(AT_FDCWD, \"x\", O_NEWER) = 3\nthis is none\n"
    );
    let planned = plan_of(&text, Some("/"));
    assert_eq!(ops(&planned), [Op::Unknown(Scope::Process); 3]);
    assert_eq!(planned.refused.values().sum::<u64>(), 2, "{:?}", planned.refused);
    assert_eq!(planned.lost, Some(1));
}

#[test]
fn our_own_log_becomes_a_plan() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/logs/pip-install.trace");
    let mut source = Source::open(path.as_ref(), None).unwrap();
    let mut builder = Planner::new(source.header(), None, None).unwrap();
    source.for_each(|event| builder.add(event).unwrap()).unwrap();
    let planned = builder.finish();
    assert_eq!(planned.calls, planned.plan.len() as u64);
    assert!(planned.timed_calls > planned.calls / 2);
    let reads = ops(&planned).iter().filter(|op| matches!(op, Op::Open { .. } | Op::Stat { .. })).count();
    assert!(reads > 100, "{reads}");
    assert!(planned.refused.is_empty(), "{:?}", planned.refused);
}

/// Calls with places for paths, descriptors, numbers and results.
const CALLS: [&str; 26] = [
    "openat(AT_FDCWD, \"{p}\", O_RDONLY) = {fd}",
    "openat(AT_FDCWD, \"{p}\", O_RDWR|O_CREAT|O_TRUNC, 0666) = {fd}",
    "openat(3, \"{p}\", O_WRONLY|O_CREAT|O_EXCL, 0600) = {fd}",
    "openat(AT_FDCWD, \"{p}\", O_RDONLY|O_DIRECTORY) = {fd}",
    "mkdir(\"{p}\", 0777) = {e}",
    "rmdir(\"{p}\") = {e}",
    "unlink(\"{p}\") = {e}",
    "rename(\"{p}\", \"{q}\") = {e}",
    "renameat2(AT_FDCWD, \"{p}\", AT_FDCWD, \"{q}\", RENAME_EXCHANGE) = {e}",
    "link(\"{p}\", \"{q}\") = {e}",
    "symlink(\"{p}\", \"{q}\") = {e}",
    "write({fd}, \"\"..., {n}) = {n}",
    "pwrite64({fd}, \"\"..., {n}, {m}) = {n}",
    "read({fd}, \"\"..., {n}) = {n}",
    "lseek({fd}, {n}, SEEK_SET) = {n}",
    "ftruncate({fd}, {n}) = {e}",
    "getdents64({fd}, 0x7f /* 3 entries */, 32768) = {n}",
    "stat(\"{p}\", {st_mode=S_IFREG|0644, st_size={n}, ...}) = 0",
    "lstat(\"{p}\", {st_mode=S_IFLNK|0777, st_size={n}, ...}) = 0",
    "stat(\"{p}\", 0x7f) = {e}",
    "readlink(\"{p}\", \"{q}\", 4095) = 1",
    "chdir(\"{p}\") = {e}",
    "fchdir({fd}) = {e}",
    "close({fd}) = 0",
    "dup2({fd}, 3) = 3",
    "fsync({fd}) = {e}",
];
const NAMES: [&str; 13] = [
    "a",
    "b",
    "a/b",
    "a/b/c",
    "/",
    "..",
    "../../x",
    "/proc/self/root/x",
    "/dev/null",
    "/.trace-scratch/x",
    "",
    "a/",
    ".",
];
const RESULTS: [&str; 5] = ["0", "-1 ENOENT (x)", "-1 EEXIST (x)", "-1 ENOTDIR (x)", "-1 ENOTEMPTY (x)"];
const NUMBERS: [i64; 10] = [0, 1, 3, 4, 10, 4096, i64::MAX, i64::MIN, -1, 1 << 60];

/// A line that a log may have, of any of these: what lines do to each other is nobody's plan.
fn line() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(&NAMES[..]);
    let number = || prop::sample::select(&NUMBERS[..]);
    let parts = (
        prop::sample::select(&CALLS[..]),
        name(),
        name(),
        number(),
        number(),
        3..6,
        prop::sample::select(&RESULTS[..]),
    );
    parts.prop_map(|(call, p, q, n, m, fd, e): (&str, &str, &str, i64, i64, i32, &str)| {
        let call = call.replace("{p}", p).replace("{q}", q).replace("{e}", e);
        call.replace("{n}", &n.to_string()).replace("{m}", &m.to_string()).replace("{fd}", &fd.to_string())
    })
}

proptest! {
    /// A log of anything becomes a plan, and the plan a tree, or an error: within the limits, in no time, without a file
    /// being made.
    #[test]
    fn any_log_becomes_a_tree_or_an_error(lines in prop::collection::vec(line(), 1..60)) {
        let planned = plan_of(&(lines.join("\n") + "\n"), Some("/w"));
        let limits = trace_replay::ScratchLimits {
            entries: 500,
            depth: 20,
            file_bytes: 1 << 20,
            written_bytes: 1 << 22,
            ..Default::default()
        };
        if let Ok(needs) = trace_replay::needs(&planned.plan, &limits) {
            prop_assert!(needs.entries <= limits.entries && needs.bytes <= limits.written_bytes, "{needs:?}");
            prop_assert!(needs.calls <= planned.plan.len());
        }
    }
}

#[test]
fn calls_that_do_nothing_tell_what_being_called_took() {
    let timed = |calls: &[(&str, &str)]| -> String {
        let line =
            |(at, (call, took)): (usize, &(&str, &str))| format!("1 10.00{at}000 {call}() = 1 <{took}>\n");
        calls.iter().enumerate().map(line).collect()
    };
    let four =
        [("getpid", "0.000003"), ("getuid", "0.000001"), ("gettid", "0.000002"), ("geteuid", "0.000009")];
    let planned = plan_of(&timed(&four), None);
    assert_eq!((planned.timed_calls, planned.null_ns), (4, Some(3000)));
    assert_eq!(plan_of(&timed(&four[..3]), None).null_ns, None, "too few");
}
