//! Logs that write, replayed in scratch trees: ordinary ones here, hostile ones and those that are too much in `hostile`, in
//! every order in `orders` and `names`, of programs drawn at random in `random`, without some calls in `fewer`.

mod attributes;
mod fewer;
mod hostile;
mod names;
mod orders;
mod random;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Scratch, ScratchLimits, replay_in_scratch};
use crate::guard::Guard;
use crate::measure::Options;
use crate::plan::{
    At, CopyCall, Offset, Op, Plan, PlanBuilder, Recorded, Scope, StatCall, StatFacts, ThreadId,
};
use crate::{ReplayError, Skip, Strategy};

const CREATE: u32 = (libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL) as u32;
const ENOENT: i64 = -(libc::ENOENT as i64);

/// A log in the making, whose process works in `/w`.
struct Log {
    builder: PlanBuilder,
    main: ThreadId,
}

impl Log {
    fn new() -> Self {
        let mut builder = PlanBuilder::default();
        let main = builder.process(Some(b"/w")).unwrap();
        Self { builder, main }
    }

    fn path(&mut self, path: &str) -> crate::PathId {
        self.builder.path(path.as_bytes()).unwrap()
    }

    fn by(&mut self, thread: ThreadId, op: Op, ret: i64) {
        self.builder.call(thread, op, Recorded::returned(ret)).unwrap();
    }

    fn call(&mut self, op: Op, ret: i64) {
        self.by(self.main, op, ret);
    }

    fn open(&mut self, path: &str, flags: u32, ret: i64) {
        let path = self.path(path);
        self.call(Op::Open { at: At::Cwd, path, flags, mode: 0o666, resolve: 0 }, ret);
    }

    fn stat(&mut self, path: &str, ret: i64, stat: StatFacts) {
        let path = self.path(path);
        let op = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
        self.builder.call(self.main, op, Recorded::returned(ret).with_stat(stat)).unwrap();
    }

    fn mkdir(&mut self, path: &str, ret: i64) {
        let path = self.path(path);
        self.call(Op::MakeDir { at: At::Cwd, path, mode: 0o777 }, ret);
    }

    fn rename(&mut self, from: &str, to: &str, ret: i64) {
        let (from, to) = (self.path(from), self.path(to));
        self.call(Op::Rename { from_at: At::Cwd, from, to_at: At::Cwd, to, flags: 0 }, ret);
    }

    fn link(&mut self, from: &str, to: &str, ret: i64) {
        let (from, to) = (self.path(from), self.path(to));
        self.call(Op::Link { from_at: At::Cwd, from, to_at: At::Cwd, to, flags: 0 }, ret);
    }

    fn symlink(&mut self, target: &str, path: &str, ret: i64) {
        let (target, path) = (self.path(target), self.path(path));
        self.call(Op::Symlink { target, at: At::Cwd, path }, ret);
    }

    fn unlink(&mut self, path: &str, flags: i32, ret: i64) {
        let path = self.path(path);
        self.call(Op::Unlink { at: At::Cwd, path, flags: flags as u32 }, ret);
    }

    fn write(&mut self, fd: i32, count: u64) {
        self.call(Op::Write { fd, count, scope: Scope::Process }, count as i64);
    }

    fn close(&mut self, fd: i32) {
        self.call(Op::Close { fd }, 0);
    }

    fn create(&mut self, path: &str, bytes: u64) {
        self.open(path, CREATE, 9);
        self.write(9, bytes);
        self.close(9);
    }

    fn plan(self) -> Plan {
        self.builder.build()
    }
}

fn copied(from: i32, to: i32, count: u64) -> Op {
    let (from_offset, to_offset) = (Offset::OWN, Offset::OWN);
    Op::Copy { from, from_offset, to, to_offset, count, call: CopyCall::Range }
}

fn file(mode: u32, size: u64, nlink: u32) -> StatFacts {
    StatFacts { mode: Some(libc::S_IFREG | mode), size: Some(size), nlink: Some(nlink), file: None }
}

/// An install: into a directory that is there, of files that are there and new ones.
fn install() -> Log {
    let mut log = Log::new();
    log.stat("target", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    log.stat("target/pkg", ENOENT, StatFacts::default());
    log.mkdir("target/pkg", 0);
    log.mkdir("target/pkg", -i64::from(libc::EEXIST));
    log.open("package", 0, 3);
    let package = StatFacts { file: Some((1, 7)), ..file(0o640, 5000, 2) };
    log.builder.call(log.main, Op::Fstat { fd: 3 }, Recorded::returned(0).with_stat(package)).unwrap();
    for number in 0..5 {
        log.call(Op::Read { fd: 3, count: 1000 }, 1000);
        let (temporary, end) = (format!("target/pkg/.{number}"), format!("target/pkg/{number}.py"));
        log.open(&temporary, CREATE, 4);
        log.write(4, 1000 + number);
        log.write(4, 10);
        log.call(Op::Ftruncate { fd: 4, length: 900 }, 0);
        log.call(Op::Pwrite { fd: 4, count: 8, offset: 100 }, 8);
        log.call(Op::Fchmod { fd: 4, mode: 0o755 }, 0);
        log.call(Op::FsetTimes { fd: 4 }, 0);
        log.call(Op::Sync { fd: 4, data_only: false }, 0);
        log.close(4);
        log.rename(&temporary, &end, 0);
        log.stat(&end, 0, file(0o755, 900, 1));
    }
    log.call(Op::Read { fd: 3, count: 1000 }, 0);
    log.close(3);
    let tool = log.path("/bin/tool");
    log.call(Op::Access { at: At::Cwd, path: tool, mode: libc::X_OK as u32, flags: 0 }, 0);
    log.link("target/pkg/0.py", "target/pkg/same.py", 0);
    log.stat("target/pkg/0.py", 0, file(0o755, 900, 2));
    log.symlink("pkg", "target/current", 0);
    log.open("target/current/1.py", libc::O_RDONLY as u32, 3);
    log.open("copy", CREATE, 4);
    log.call(copied(3, 4, 4096), 900);
    log.close(3);
    log.close(4);
    log.unlink("target/pkg/2.py", 0, 0);
    log.stat("target/pkg/2.py", ENOENT, StatFacts::default());
    log.mkdir("old", 0);
    log.unlink("old", libc::AT_REMOVEDIR, 0);
    log.unlink("target", libc::AT_REMOVEDIR, -i64::from(libc::ENOTEMPTY));
    log
}

/// What came of a plan, as text: calls replayed and left out, then each strategy that is void.
fn replay(plan: Plan, guard: Guard, everywhere: &Path) -> Result<String, ReplayError> {
    let mut options = Options { blocks: 1, ..Options::default() };
    options.strategies.extend(Options::strategies_for_writes());
    options.strategies.extend(Options::tuned_strategies());
    let limits = ScratchLimits {
        entries: 10_000,
        file_bytes: 1 << 30,
        written_bytes: 64 << 20,
        depth: 60,
        ..ScratchLimits::default()
    };
    let scratch =
        Scratch { directory: Some(everywhere.to_owned()), limits, confinement: Some(guard), stop: None };
    let report = replay_in_scratch(
        plan,
        &options,
        &scratch,
        |_| (),
        |outcome| {
            let mut text = format!("{} replayed", outcome.coverage.replayed);
            for (skip, calls) in outcome.coverage.skipped.iter().filter(|(skip, _)| *skip != Skip::OrdersOnly)
            {
                let _ = write!(text, ", {calls} {}", skip.reason());
            }
            for (strategy, reason) in
                outcome.unavailable.iter().filter(|(_, reason)| !is_nothing_to_do(reason))
            {
                let is_known = matches!(strategy, Strategy::Memo { .. } | Strategy::Thinking { .. });
                assert!(is_known, "{strategy}: {reason}");
            }
            for row in &outcome.rows {
                if let Err(void) = &row.figures {
                    let _ = write!(text, "; {} is void: {void:?}", row.strategy);
                }
            }
            assert_eq!(outcome.guard, guard);
            text.into_bytes()
        },
    )?;
    assert!(
        fs::read_dir(everywhere).unwrap().all(|one| !name(&one).starts_with("trace-scratch-")),
        "it is gone"
    );
    Ok(String::from_utf8(report).unwrap())
}

/// Why a bound on fewer calls may not be measured.
fn is_nothing_to_do(reason: &str) -> bool {
    ["no such calls", "no directory is named twice"].iter().any(|one| reason.contains(one))
        || reason.contains("no reflinks")
}

fn name(entry: &std::io::Result<fs::DirEntry>) -> String {
    entry.as_ref().unwrap().file_name().to_string_lossy().into_owned()
}

/// What confines here; the test says so if one of the two does not work.
fn guards() -> Vec<Guard> {
    let base = tempfile::tempdir().unwrap();
    let works = |guard: &Guard| {
        let mut log = Log::new();
        log.create("a", 1);
        let outcome = replay(log.plan(), *guard, base.path());
        if let Err(error) = &outcome {
            eprintln!("skipped: {guard:?}: {error}");
        }
        outcome.is_ok()
    };
    [Guard::Namespaces, Guard::Landlock].into_iter().filter(works).collect()
}

#[test]
fn an_install_comes_to_the_same_in_every_way_of_making_its_calls() {
    let base = tempfile::tempdir().unwrap();
    for guard in guards() {
        let told = replay(install().plan(), guard, base.path()).unwrap();
        let calls = install().plan().len();
        let expected = match guard {
            Guard::Namespaces => format!("{calls} replayed"),
            // Without modes and times: five files, and the stats that see them.
            _ => format!("{} replayed, 10 sets attributes", calls - 16),
        };
        assert!(told.starts_with(&expected), "{guard:?}: {told}");
        assert!(!told.contains("void"), "{guard:?}: {told}");
    }
}
