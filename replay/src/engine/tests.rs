//! Every engine on the same program: every step executed, every result as it has to be.

use std::sync::Arc;

use super::mock::Mock;
use super::*;
use crate::graph::{Graph, Lookahead};
use crate::guard::Guard;
use crate::plan::{At, Op, Scope};
use crate::program::Program;
use crate::sys::calls::Observed;
use crate::testing::{DIRECTORY, Script};

const ENOENT: i64 = -libc::ENOENT as i64;

/// All kinds of calls, in two processes, with barriers, reused numbers and directories.
fn varied() -> (Arc<Program>, tempfile::TempDir) {
    let mut script = Script::new();
    let main = script.main;
    for index in 0..20_u16 {
        script.write(&format!("d/file{index}"), &"x".repeat(usize::from(index) * 100));
    }
    script.call(main, Op::Unknown(Scope::Process), 0);
    for index in 0..20_u16 {
        let name = format!("d/file{index}");
        script.stat(main, &format!("elsewhere/{index}"), ENOENT);
        script.stat(main, &name, 0);
        script.open(main, &name, 0, 3);
        script.call(main, Op::Fstat { fd: 3 }, 0);
        script.read(main, 3, 4096, i64::from(index) * 100);
        script.read(main, 3, 4096, 0);
        script.call(main, Op::Seek { fd: 3, offset: 0, whence: 0 }, 0);
        script.call(main, Op::Pread { fd: 3, count: 50, offset: 50 }, if index == 0 { 0 } else { 50 });
        script.close(main, 3);
    }
    let child = script.fork(main);
    for thread in [main, child] {
        script.chdir(thread, "d");
        script.open(thread, ".", DIRECTORY, 3);
        script.call(thread, Op::Dup { fd: 3, cloexec: false }, 4);
        let room = 32768;
        let bytes = listing_bytes(&script.path().join("d"));
        script.call(thread, Op::ListDir { fd: 3, count: room }, bytes);
        script.call(thread, Op::ListDir { fd: 4, count: room }, 0);
        script.close(thread, 3);
        script.stat(thread, "file3", 0);
        let path = script.builder.path(b"file4").unwrap();
        script.call(thread, Op::Access { at: At::Fd(4), path, mode: 0, flags: 0 }, 0);
        script.call(thread, Op::Access { at: At::Fd(4), path, mode: libc::R_OK as u32, flags: 0 }, 0);
        script.call(thread, Op::ReadLink { at: At::Fd(4), path, size: 64 }, -i64::from(libc::EINVAL));
        script.call(thread, Op::Fchdir { fd: 4 }, 0);
        script.close(thread, 4);
    }
    let process = script.builder.process_of(child).unwrap();
    script.builder.exit(child).unwrap();
    script.call(main, Op::Wait { child: process }, 0);
    script.stat(main, "../d/file5", 0);
    let (plan, directory) = script.build();
    let rehearsed = crate::rehearse::rehearse(plan, Guard::None, false).unwrap();
    assert_eq!(rehearsed.differences, []);
    (Arc::new(rehearsed.program), directory)
}

fn listing_bytes(directory: &std::path::Path) -> i64 {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().len());
    entries.chain([1, 2]).map(|length| (19 + length + 1).next_multiple_of(8) as i64).sum()
}

/// Runs a strategy some times; its counts.
fn check(program: &Arc<Program>, strategy: Strategy) -> Counts {
    let think = vec![2000; program.steps.len()];
    let mut graph = |lookahead| Arc::new(Graph::new(program, lookahead, 100));
    let mut kit = Kit { program, graph: &mut graph, shares_blocks: false, think: Some(&think) };
    let mut engine = make(strategy, &mut kit).unwrap().unwrap();
    let run = Arc::new(Run::new(Arc::clone(program)));
    let mut counts = Counts::default();
    for _ in 0..20 {
        run.reset().unwrap();
        engine.prepare().unwrap();
        counts = engine.run(&run).unwrap();
        assert_eq!(run.mismatches().next(), None, "{strategy}");
        assert_eq!(run.descriptors.close_all(), 0, "{strategy}: every descriptor is closed");
    }
    counts
}

fn lookaheads() -> [Lookahead; 3] {
    [Lookahead::FAITHFUL, Lookahead::calls(4), Lookahead::ALL]
}

#[test]
fn serial_ones() {
    let (mut program, _directory) = varied();
    close_everything_at_the_end(&mut program);
    let executed = program.executed() as u64;
    let strategies =
        [Strategy::Serial, Strategy::Thinking { disturb: false }, Strategy::Thinking { disturb: true }];
    for strategy in strategies {
        let counts = check(&program, strategy);
        assert_eq!(counts.kernel_entries, executed);
        assert_eq!(counts.calls_ns.is_some(), strategy != Strategy::Serial);
    }
}

/// The plan's main thread does not exit; what it has open is closed by the run's end.
fn close_everything_at_the_end(program: &mut Arc<Program>) {
    let program = Arc::get_mut(program).unwrap();
    let mut open = std::collections::BTreeSet::new();
    open.extend(program.initial.iter().map(|(handle, _)| handle.0));
    for step in &program.steps {
        open.extend(step.action.defines().map(|handle| handle.0));
        if let Some(handle) = step.action.closes() {
            open.remove(&handle.0);
        }
    }
    for handle in open {
        let action = crate::bind::Action::Close { handle: crate::bind::Handle(handle) };
        program.steps.push(crate::bind::Step { action, call: crate::bind::Step::IMPLICIT, thread: 0 });
        program.expected.push(Observed::default());
    }
}

#[test]
fn threads_of_any_number() {
    let (mut program, _directory) = varied();
    close_everything_at_the_end(&mut program);
    for lookahead in lookaheads() {
        for threads in [1, 2, 4, 8] {
            let counts = check(&program, Strategy::Threads { threads, lookahead });
            assert_eq!(counts.kernel_entries, program.executed() as u64);
        }
    }
    for (threads, started) in
        [1, 2, 3, 8, 40].into_iter().flat_map(|threads| [(threads, false), (threads, true)])
    {
        let counts = check(&program, Strategy::Divided { threads, started });
        assert_eq!(counts.kernel_entries, program.executed() as u64);
    }
}

#[test]
fn lookups_once() {
    let (mut program, _directory) = varied();
    close_everything_at_the_end(&mut program);
    let all = program.executed() as u64;
    let once = check(&program, Strategy::Memo { listings: false });
    assert_eq!((once.kernel_entries + once.answered_from_memory, once.answered_from_memory), (all, 0));

    let mut script = Script::new();
    let main = script.main;
    script.write("a", "1");
    let absolute = script.path().to_str().unwrap().to_owned();
    let lookups = |script: &mut Script| {
        for name in ["a", "b", "c", "d", "a"] {
            let missing = if name == "a" { 0 } else { ENOENT };
            script.stat(main, &format!("{absolute}/{name}"), missing);
        }
    };
    lookups(&mut script);
    lookups(&mut script);
    script.call(main, Op::Unknown(Scope::Process), 0);
    lookups(&mut script);
    let (plan, _directory) = script.build();
    let rehearsed = crate::rehearse::rehearse(plan, Guard::None, false).unwrap();
    let mut program = Arc::new(rehearsed.program);
    close_everything_at_the_end(&mut program);
    let once = check(&program, Strategy::Memo { listings: false });
    // The directory that was open before is closed at the end.
    assert_eq!((once.kernel_entries, once.answered_from_memory), (8 + 1, 7));
    // Twice: a, and open, two lists, close.
    let listed = check(&program, Strategy::Memo { listings: true });
    assert_eq!((listed.kernel_entries, listed.answered_from_memory), (10 + 1, 13));
}

#[test]
fn tokio() {
    let (mut program, _directory) = varied();
    close_everything_at_the_end(&mut program);
    for lookahead in lookaheads() {
        check(&program, Strategy::TokioBlocking { lookahead });
        if has_ring() {
            check(&program, Strategy::TokioUring { depth: 64, lookahead });
        }
    }
}

/// Whether there are rings here; where not, says that tests of them are skipped.
fn has_ring() -> bool {
    let probed = crate::sys::ring::probe();
    if let Err(reason) = &probed {
        eprintln!("skipped: io_uring is {reason}");
    }
    probed.is_ok()
}

#[test]
fn rings_of_any_depth() {
    if !has_ring() {
        return;
    }
    let (mut program, _directory) = varied();
    close_everything_at_the_end(&mut program);
    let one = check(&program, Strategy::RingOne);
    assert_eq!(one.kernel_entries, program.executed() as u64);
    assert!(one.stand_ins == 2 && one.submissions > 150, "{one:?}");
    for lookahead in lookaheads() {
        for depth in [1, 8, 128] {
            let waves = check(&program, Strategy::Ring { depth, lookahead });
            assert_eq!((waves.submissions, waves.stand_ins), (one.submissions, 2));
            check(&program, Strategy::Hybrid { depth, lookahead });
            check(&program, Strategy::Chains { depth, lookahead });
            for tuning in Tuning::ALL {
                check(&program, Strategy::Tuned { tuning, depth, lookahead });
            }
        }
    }
    let wide = check(&program, Strategy::Ring { depth: 128, lookahead: Lookahead::ALL });
    assert!(wide.kernel_entries < one.kernel_entries, "{wide:?}");
}

#[test]
fn a_file_is_one_chain() {
    if !has_ring() {
        return;
    }
    let mut script = Script::new();
    let main = script.main;
    for index in 0..40 {
        let name = format!("file{index}");
        script.write(&name, "12345");
        script.open(main, &name, libc::O_CLOEXEC as u32, 3);
        script.read(main, 3, 100, 5);
        script.read(main, 3, 100, 0);
        script.close(main, 3);
    }
    let (plan, _directory) = script.build();
    let rehearsed = crate::rehearse::rehearse(plan, Guard::None, false).unwrap();
    let mut program = Arc::new(rehearsed.program);
    close_everything_at_the_end(&mut program);
    let one = check(&program, Strategy::Chains { depth: 16, lookahead: Lookahead::FAITHFUL });
    assert_eq!((one.chains, one.submissions), (40, 161));
    let all = check(&program, Strategy::Chains { depth: 64, lookahead: Lookahead::ALL });
    assert_eq!(all.chains, 40);
    assert!(all.kernel_entries < one.kernel_entries, "{all:?}");
}

#[test]
fn what_an_engine_gets_wrong_is_seen() {
    let (program, _directory) = varied();
    let run = Arc::new(Run::new(Arc::clone(&program)));
    let check = |mut mock: Mock| {
        run.reset().unwrap();
        mock.run(&run).unwrap();
        let mut wrong = run.mismatches();
        let first = wrong.next();
        (usize::from(first.is_some()) + wrong.count(), first)
    };
    assert_eq!(check(Mock::default()), (0, None));
    let wrong = Observed { ret: -5, digest: 0 };
    assert_eq!(check(Mock { wrong: vec![(3, wrong)], ..Mock::default() }), (1, Some((3, Some(wrong)))));
    let stat = program.steps.iter().position(|step| matches!(step.action, crate::bind::Action::Fstat { .. }));
    let stat = stat.unwrap() as u32;
    let other_size = Observed { ret: 0, digest: 1 };
    assert_eq!(
        check(Mock { wrong: vec![(stat, other_size)], ..Mock::default() }),
        (1, Some((stat, Some(other_size))))
    );
    assert_eq!(check(Mock { forgotten: vec![7, 9], ..Mock::default() }), (2, Some((7, None))));
}

#[test]
fn names_are_looked_up_from_directories_that_are_held() {
    let mut script = Script::new();
    let main = script.main;
    for name in ["a/b/one", "a/b/two", "a/three"] {
        script.write(name, "1");
    }
    // Held from its first call on, which fails for the last name; named once is not worth it.
    for (name, ret) in [("a/b/one", 0), ("a/b/two", 0), ("a/b/none", ENOENT), ("a/three", 0)] {
        script.stat(main, name, ret);
    }
    script.open(main, "a/b/one", 0, 3);
    script.read(main, 3, 10, 1);
    script.close(main, 3);
    // Nothing to hold.
    for name in ["none/one", "none/two"] {
        script.stat(main, name, ENOENT);
    }
    let (plan, _directory) = script.build();
    let rehearsed = crate::rehearse::rehearse(plan, Guard::None, false).unwrap();
    assert_eq!(rehearsed.differences, []);
    let mut program = Arc::new(rehearsed.program);
    close_everything_at_the_end(&mut program);
    let counts = check(&program, Strategy::Relative);
    assert_eq!(counts.kernel_entries, program.executed() as u64 + 2, "one directory is opened and closed");
}

/// A ring that is closed leaves work for its thread, some tens of milliseconds later, which cuts a listing short.
#[test]
fn a_closed_ring_cuts_no_listing() {
    let mut script = Script::new();
    let main = script.main;
    for index in 0..2000 {
        script.write(&format!("d/file{index}"), "");
    }
    let bytes = listing_bytes(&script.path().join("d"));
    script.open(main, "d", DIRECTORY, 3);
    let count = 1 << 17;
    script.call(main, Op::ListDir { fd: 3, count }, bytes);
    script.close(main, 3);
    let (plan, _directory) = script.build();
    let program = Arc::new(crate::rehearse::rehearse(plan, Guard::None, false).unwrap().program);
    assert_eq!(program.executed(), 3);
    let mut engine = Serial::new(&program);
    let run = Arc::new(Run::new(Arc::clone(&program)));
    for _ in 0..10 {
        if crate::sys::ring::probe().is_err() {
            eprintln!("skipped: no ring here");
            return;
        }
        let closed = std::time::Instant::now();
        while closed.elapsed() < std::time::Duration::from_millis(100) {
            run.reset().unwrap();
            engine.run(&run).unwrap();
            assert_eq!(run.mismatches().next(), None);
        }
    }
}
