//! What descriptor numbers stand for.

use super::*;
use crate::plan::{PlanBuilder, Recorded, ThreadId};

const CLOEXEC: u32 = libc::O_CLOEXEC as u32;

fn open(builder: &mut PlanBuilder, thread: ThreadId, path: &[u8], flags: u32, fd: i64) {
    let path = builder.path(path).unwrap();
    let op = Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 };
    builder.call(thread, op, Recorded::returned(fd)).unwrap();
}

fn call(builder: &mut PlanBuilder, thread: ThreadId, op: Op, ret: i64) {
    builder.call(thread, op, Recorded::returned(ret)).unwrap();
}

/// The steps in short: what they do, and with which handles.
fn steps(builder: PlanBuilder) -> (Vec<String>, Vec<Option<Skip>>) {
    let bound = bind(&builder.build()).unwrap();
    let name = |handle: Option<Handle>| handle.map_or(String::new(), |handle| handle.0.to_string());
    let text = |step: &Step| {
        let kind = format!("{:?}", step.action);
        let kind = kind.split([' ', '(']).next().unwrap_or_default().to_owned();
        let action = &step.action;
        format!("{kind}:{}>{}x{}", name(action.uses()[0]), name(action.defines()), name(action.closes()))
    };
    (bound.steps.iter().map(text).collect(), bound.skips)
}

#[test]
fn a_reused_number_is_another_handle() {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(None).unwrap();
    for _ in 0..2 {
        open(&mut builder, thread, b"/a", 0, 3);
        call(&mut builder, thread, Op::Fstat { fd: 3 }, 0);
        call(&mut builder, thread, Op::Close { fd: 3 }, 0);
    }
    let (steps, _) = steps(builder);
    assert_eq!(steps, ["Open:>0x", "Fstat:0>x", "Close:>x0", "Open:>1x", "Fstat:1>x", "Close:>x1"]);
}

#[test]
fn dup2_closes_its_target_and_dups_share_a_description() {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(None).unwrap();
    open(&mut builder, thread, b"/a", 0, 3);
    open(&mut builder, thread, b"/b", 0, 4);
    call(&mut builder, thread, Op::DupTo { fd: 3, to: 4, cloexec: false }, 4);
    let plan = builder.build();
    let bound = bind(&plan).unwrap();
    assert_eq!(bound.descriptions, [0, 1, 0]);
    assert!(matches!(bound.steps[3].action, Action::Close { handle: Handle(1) }));
    assert_eq!(bound.steps[3].call, Step::IMPLICIT);
}

#[test]
fn a_fork_copies_the_table_and_only_the_last_close_counts() {
    let mut builder = PlanBuilder::default();
    let parent = builder.process(None).unwrap();
    open(&mut builder, parent, b"/a", 0, 3);
    let child = builder.child(parent, crate::plan::Share::default()).unwrap();
    call(&mut builder, child, Op::Close { fd: 3 }, 0);
    call(&mut builder, parent, Op::Read { fd: 3, count: 9 }, 9);
    call(&mut builder, parent, Op::Close { fd: 3 }, 0);
    let (steps, skips) = steps(builder);
    assert_eq!(steps, ["Open:>0x", "Order:>x", "Read:0>x", "Close:>x0"]);
    assert_eq!(skips, [None, Some(Skip::StaysOpen), None, None]);
}

#[test]
fn a_thread_shares_the_table() {
    let mut builder = PlanBuilder::default();
    let parent = builder.process(None).unwrap();
    let share = crate::plan::Share { thread: true, files: true, fs: true };
    let child = builder.child(parent, share).unwrap();
    open(&mut builder, child, b"/a", 0, 3);
    builder.exit(child).unwrap();
    call(&mut builder, parent, Op::Close { fd: 3 }, 0);
    let (steps, _) = steps(builder);
    assert_eq!(steps, ["Order:>x", "Open:>0x", "Close:>x0"]);
}

/// Calls stand in a log by their ends; a number is free when its close begins.
#[test]
fn a_close_that_ends_after_another_thread_has_got_the_number_is_of_what_was_there_before() {
    let mut builder = PlanBuilder::default();
    let one = builder.process(None).unwrap();
    let share = crate::plan::Share { thread: true, files: true, fs: true };
    let other = builder.child(one, share).unwrap();
    open(&mut builder, one, b"/a", 0, 3);
    open(&mut builder, other, b"/b", 0, 3);
    call(&mut builder, one, Op::Close { fd: 3 }, 0);
    call(&mut builder, other, Op::Fstat { fd: 3 }, 0);
    call(&mut builder, other, Op::Close { fd: 3 }, 0);
    // One that never comes.
    open(&mut builder, one, b"/a", 0, 3);
    open(&mut builder, other, b"/b", 0, 3);
    builder.exit(other).unwrap();
    builder.exit(one).unwrap();
    let (steps, skips) = steps(builder);
    let first = ["Order:>x", "Open:>0x", "Open:>1x", "Close:>x0", "Fstat:1>x", "Close:>x1"];
    assert_eq!(steps[..6], first);
    assert_eq!(steps[6..], ["Open:>2x", "Open:>3x", "Close:>x3", "Close:>x2"]);
    assert!(skips.iter().all(Option::is_none), "{skips:?}");
}

#[test]
fn exec_and_exit_close_what_is_left() {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/")).unwrap();
    open(&mut builder, thread, b"/a", CLOEXEC, 3);
    open(&mut builder, thread, b"/b", 0, 4);
    call(&mut builder, thread, Op::Exec, 0);
    call(&mut builder, thread, Op::Fstat { fd: 3 }, -9);
    builder.exit(thread).unwrap();
    let (steps, skips) = steps(builder);
    assert_eq!(steps, ["Open:>1x", "Open:>2x", "Order:>x", "Close:>x1", "Close:>x2", "Close:>x0"]);
    assert_eq!(skips, [None, None, Some(Skip::OrdersOnly), Some(Skip::InheritedDescriptor)]);
}

#[test]
fn each_chdir_is_a_new_directory() {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/")).unwrap();
    open(&mut builder, thread, b"a", 0, 3);
    let path = builder.path(b"etc").unwrap();
    call(&mut builder, thread, Op::Chdir { path }, 0);
    open(&mut builder, thread, b"a", 0, 4);
    call(&mut builder, thread, Op::Fchdir { fd: 3 }, 0);
    open(&mut builder, thread, b"a", 0, 5);
    let (steps, _) = steps(builder);
    let expected = [
        "Open:0>1x",
        "EnterPath:0>2x",
        "Close:>x0",
        "Open:2>3x",
        "EnterHandle:1>4x",
        "Close:>x2",
        "Open:4>5x",
    ];
    assert_eq!(steps, expected);
}

#[test]
fn what_may_write_is_left_out_and_all_that_hangs_on_it() {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(None).unwrap();
    let flags = [libc::O_TRUNC, libc::O_CREAT, libc::O_RDWR, libc::O_WRONLY, libc::O_TMPFILE, libc::O_APPEND];
    for flags in flags {
        open(&mut builder, thread, b"/a", flags as u32, 3);
    }
    call(&mut builder, thread, Op::Read { fd: 3, count: 9 }, 9);
    call(&mut builder, thread, Op::Close { fd: 3 }, 0);
    open(&mut builder, thread, b"relative", 0, 3);
    call(&mut builder, thread, Op::Fstat { fd: 1 }, 0);
    open(&mut builder, thread, b"/dir", libc::O_DIRECTORY as u32, 4);
    let (steps, skips) = steps(builder);
    assert_eq!(steps, ["Open:>7x"]);
    let mut expected = vec![Some(Skip::Writes); 6];
    expected.extend([Skip::DependsOnSkipped, Skip::DependsOnSkipped, Skip::UnknownDirectory].map(Some));
    expected.extend([Some(Skip::InheritedDescriptor), None]);
    assert_eq!(skips, expected);
}

#[test]
fn forks_of_large_tables_are_limited() {
    let limits = crate::plan::Limits { copied_descriptors: 5, ..crate::plan::Limits::default() };
    let mut builder = PlanBuilder::new(limits);
    let thread = builder.process(None).unwrap();
    (3..6).for_each(|fd| open(&mut builder, thread, b"/a", 0, fd));
    for _ in 0..2 {
        builder.child(thread, crate::plan::Share::default()).unwrap();
    }
    assert_eq!(bind(&builder.build()).unwrap_err(), PlanError::TooManyDescriptors(5));

    let mut builder = PlanBuilder::new(limits);
    let thread = builder.process(None).unwrap();
    (3..6).for_each(|fd| open(&mut builder, thread, b"/a", 0, fd));
    (0..2).for_each(|_| call(&mut builder, thread, Op::Exec, 0));
    assert_eq!(bind(&builder.build()).unwrap_err(), PlanError::TooManyDescriptors(5));
}

#[test]
fn writes_to_what_a_path_was_opened_for_wait_for_nobody() {
    let write = |fd| Op::Write { fd, count: 1, scope: Scope::All };
    let mut builder = PlanBuilder::default();
    let thread = builder.process(None).unwrap();
    // In place it is not opened again.
    open(&mut builder, thread, b"/a", libc::O_WRONLY as u32, 3);
    call(&mut builder, thread, Op::DupTo { fd: 3, to: 4, cloexec: false }, 4);
    // A pipe, as far as anybody knows.
    call(&mut builder, thread, Op::DupTo { fd: 7, to: 5, cloexec: false }, 5);
    for fd in [3, 4, 5, 8] {
        call(&mut builder, thread, write(fd), 1);
    }
    let (_, skips) = steps(builder);
    let expected = [Skip::Writes, Skip::Writes, Skip::Meets, Skip::Meets];
    assert_eq!(skips[3..], expected.map(Some));
}
