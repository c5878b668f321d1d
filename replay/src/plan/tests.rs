//! What the builder takes, and what it refuses.

use super::*;

fn with_process() -> (PlanBuilder, ThreadId) {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/")).unwrap();
    (builder, thread)
}

#[test]
fn a_plan_gives_back_what_was_put_in() {
    let (mut builder, thread) = with_process();
    let path = builder.path(b"/etc/passwd").unwrap();
    let op = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
    let facts = StatFacts { mode: Some(0o100_644), size: Some(7), nlink: None, file: None };
    let recorded = Recorded::returned(0).at(10, 12).with_stat(facts);
    let id = builder.call(thread, op, recorded).unwrap();
    let other = builder.call(thread, Op::Getcwd, Recorded::default()).unwrap();
    let plan = builder.build();
    assert_eq!((plan.len(), plan.threads(), plan.processes(), plan.distinct_paths()), (2, 1, 1, 2));
    assert_eq!(plan.op(id), Some(&op));
    assert_eq!(plan.recorded(id), Some(recorded));
    assert_eq!(plan.recorded(other), Some(Recorded::default()));
    assert_eq!(plan.path(path), b"/etc/passwd");
}

#[test]
fn absurd_input_is_refused_and_changes_nothing() {
    let (mut builder, thread) = with_process();
    assert_eq!(builder.path(&[b'x'; 5000]), Err(PlanError::PathTooLong(5000)));
    assert_eq!(builder.path(&b"a/".repeat(2000)), Err(PlanError::PathTooDeep(1024)));
    assert_eq!(builder.path(b"a\0b"), Err(PlanError::PathHasNul));
    assert_eq!(builder.process(Some(b"home")), Err(PlanError::NotAbsolute));
    let mut refused = |op, recorded: Recorded| builder.call(thread, op, recorded).unwrap_err();
    let exabyte = 1 << 60;
    let read = Op::Read { fd: 3, count: exabyte };
    assert_eq!(refused(read, Recorded::returned(exabyte as i64)), PlanError::AbsurdTransfer(exabyte));
    assert_eq!(refused(Op::Read { fd: 3, count: 1 }, Recorded::returned(2)), PlanError::AbsurdTransfer(2));
    assert_eq!(refused(read, Recorded::returned(i64::MIN)), PlanError::AbsurdReturn(i64::MIN));
    assert_eq!(refused(Op::Getcwd, Recorded::returned(0).at(2, 1)), PlanError::EndsBeforeItBegins);
    let dup = Op::Dup { fd: 1, cloexec: false };
    assert_eq!(refused(dup, Recorded::returned(1 << 40)), PlanError::AbsurdReturn(1 << 40));
    assert_eq!(refused(Op::Chdir { path: PathId(9) }, Recorded::default()), PlanError::ForeignId);
    assert_eq!(refused(Op::Wait { child: ProcessId(9) }, Recorded::default()), PlanError::ForeignId);
    assert_eq!(builder.child(ThreadId(4), Share::default()), Err(PlanError::ForeignId));
    builder.exit(thread).unwrap();
    assert_eq!(builder.call(thread, Op::Getcwd, Recorded::default()), Err(PlanError::AfterExit));
    assert!(builder.build().is_empty());
}

#[test]
fn there_are_limits() {
    let limits = Limits { calls: 1, threads: 1, path_bytes: 8, ..Limits::default() };
    let mut builder = PlanBuilder::new(limits);
    let thread = builder.process(None).unwrap();
    builder.call(thread, Op::Inert, Recorded::default()).unwrap();
    assert_eq!(builder.call(thread, Op::Inert, Recorded::default()), Err(PlanError::TooManyCalls(1)));
    assert_eq!(builder.process(None), Err(PlanError::TooManyThreads(1)));
    assert_eq!(builder.path(b"/a/long/path"), Err(PlanError::TooManyPaths(8)));
}

#[test]
fn a_root_goes_before_absolute_paths_only() {
    let mut builder = PlanBuilder::default();
    builder.set_root(b"/srv/copy/").unwrap();
    let ids = [builder.path(b"/etc").unwrap(), builder.path(b"etc").unwrap()];
    let plan = builder.build();
    assert_eq!(ids.map(|id| plan.path(id)), [&b"/srv/copy/etc"[..], b"etc"]);
}

#[test]
fn a_call_is_small() {
    assert!(size_of::<Call>() <= 72, "{}", size_of::<Call>());
    assert!(size_of::<Event>() <= 16, "{}", size_of::<Event>());
}
