//! Logs, ours and strace's, as plans.

use std::io::Cursor;

use trace_replay::{At, Op, Scope};

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
    assert_eq!(ops[11..14], [Op::Unknown(Scope::All), Op::Unknown(Scope::All), Op::Unknown(Scope::Process)]);
    assert_eq!((planned.calls, planned.timed_calls, planned.plan.len()), (15, 0, 15));
    let ids: Vec<_> = planned.plan.call_ids().collect();
    let fstat = planned.plan.recorded(ids[2]).unwrap();
    assert_eq!(fstat.stat, StatFacts { mode: Some(0o100_644), size: Some(7), nlink: None, file: None });
    assert_eq!(planned.plan.recorded(ids[8]).unwrap().ret, Some(-2));
    assert_eq!(planned.plan.recorded(ids[14]).unwrap().ret, Some(0), "exit_group is as it should be");
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
