//! Logs that write, replayed in scratch trees: ordinary ones, hostile ones, and those that are too much.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use super::{Scratch, ScratchLimits, in_tree, needs, place::Base, replay_in_scratch};
use crate::bind::{Action, Order};
use crate::graph::{Graph, Lookahead, Rule, Rules};
use crate::guard::Guard;
use crate::measure::Options;
use crate::plan::{
    At, CopyCall, Op, Plan, PlanBuilder, Recorded, Scope, Share, StatCall, StatFacts, ThreadId,
};
use crate::run::Run;
use crate::sys::calls::Scratch as Buffers;
use crate::{Counts, ReplayError, Skip, Strategy, Without};

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
    log.call(Op::Copy { from: 3, to: 4, count: 4096, call: CopyCall::Range }, 900);
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
    let limits = ScratchLimits { entries: 10_000, file_bytes: 1 << 30, written_bytes: 64 << 20, depth: 60 };
    let scratch = Scratch { directory: Some(everywhere.to_owned()), limits, confinement: Some(guard) };
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
                outcome.unavailable.iter().filter(|(_, reason)| !reason.contains("no such calls"))
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

/// What strategies did with a plan, none of them void.
fn counts(plan: Plan, strategies: &[Strategy]) -> Vec<Counts> {
    let base = tempfile::tempdir().unwrap();
    let Some(&guard) = guards().first() else { return Vec::new() };
    let options = Options { strategies: strategies.to_vec(), blocks: 1, ..Options::default() };
    let scratch =
        Scratch { directory: Some(base.path().to_owned()), confinement: Some(guard), ..Scratch::default() };
    let told = replay_in_scratch(
        plan,
        &options,
        &scratch,
        |_| (),
        |outcome| {
            let told = strategies.iter().filter_map(|&strategy| {
                let row = outcome.row(strategy)?;
                assert!(row.figures.is_ok(), "{strategy}: {:?}", row.figures);
                let Counts { chains, answered_from_memory, .. } = row.counts;
                Some(format!("{chains} {answered_from_memory}"))
            });
            told.collect::<Vec<_>>().join("\n").into_bytes()
        },
    );
    let told = String::from_utf8(told.unwrap()).unwrap();
    let numbers = |line: &str| {
        let (chains, answered) = line.split_once(' ').unwrap();
        let (chains, answered_from_memory) = (chains.parse().unwrap(), answered.parse().unwrap());
        Counts { chains, answered_from_memory, ..Counts::default() }
    };
    told.lines().map(numbers).collect()
}

#[test]
fn a_file_that_is_made_written_closed_and_renamed_is_one_chain() {
    if let Err(reason) = crate::sys::ring::probe() {
        eprintln!("skipped: io_uring is {reason}");
        return;
    }
    let mut log = Log::new();
    for number in 0..10 {
        let (temporary, end) = (format!("{number}.new"), format!("{number}"));
        log.create(&temporary, 100);
        log.rename(&temporary, &end, 0);
    }
    let ways =
        [Lookahead::FAITHFUL, Lookahead::ALL].map(|lookahead| Strategy::Chains { depth: 64, lookahead });
    for counts in counts(log.plan(), &ways) {
        assert_eq!(counts.chains, 10);
    }
}

#[test]
fn permissions_are_given_as_files_are_made_where_nobody_looks_in_between() {
    let mut log = Log::new();
    for (number, looks) in [false, true, false, true, false].into_iter().enumerate() {
        let name = number.to_string();
        log.open(&name, CREATE, 4);
        if looks {
            log.builder.call(log.main, Op::Fstat { fd: 4 }, Recorded::returned(0)).unwrap();
        }
        log.call(Op::Fchmod { fd: 4, mode: 0o751 }, 0);
        log.close(4);
        log.stat(&name, 0, file(0o751, 0, 1));
    }
    // A file that was there before has its permissions already.
    log.stat("old", 0, file(0o644, 3, 1));
    log.open("old", (libc::O_WRONLY | libc::O_CREAT) as u32, 4);
    log.call(Op::Fchmod { fd: 4, mode: 0o700 }, 0);
    log.close(4);
    let without = [Strategy::Fewer(Without::Chmods)];
    if guards().first() == Some(&Guard::Namespaces) {
        assert_eq!(counts(log.plan(), &without)[0].answered_from_memory, 3);
    }
}

/// Everything below a directory: names, contents, modes, times of change.
fn everything(dir: &Path) -> Vec<(String, Vec<u8>, u32, i64, i64)> {
    let mut all = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                open.push(path.clone());
            }
            let content = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            all.push((path.display().to_string(), content, meta.mode(), meta.ctime(), meta.ctime_nsec()));
        }
    }
    all.sort();
    all
}

/// Logs that try to get out of their tree, each as if all it did had succeeded.
fn hostile(canary: &str) -> Vec<Log> {
    let up = "../".repeat(40);
    let outside = [
        canary.to_owned(),
        format!("{up}{}", &canary[1..]),
        format!("/proc/self/root{canary}"),
        format!("/proc/self/cwd/{up}{}", &canary[1..]),
        format!("/proc/1/root{canary}"),
        format!("/dev/fd/3/{up}{}", &canary[1..]),
    ];
    let mut logs: Vec<Log> = outside
        .iter()
        .map(|outside| {
            let mut log = Log::new();
            log.open(&format!("{outside}/file"), (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
            log.write(3, 100);
            log.call(Op::Fchmod { fd: 3, mode: 0o777 }, 0);
            log.create(&format!("{outside}/new"), 10);
            log.rename(&format!("{outside}/file"), &format!("{outside}/moved"), 0);
            log.unlink(&format!("{outside}/moved"), 0, 0);
            log.unlink(&format!("{outside}/file"), 0, 0);
            log.link(&format!("{outside}/file"), "here", 0);
            log.open("here", (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
            log
        })
        .collect();
    // Links to there, followed by whatever writes.
    let mut log = Log::new();
    log.symlink(canary, "link", 0);
    log.symlink("/", "root", 0);
    log.symlink(&format!("{up}{}", &canary[1..]), "relative", 0);
    for link in ["link", "relative", &format!("root{canary}")] {
        log.open(&format!("{link}/file"), (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
        log.write(3, 100);
        log.create(&format!("{link}/new"), 10);
        log.mkdir(&format!("{link}/directory"), 0);
        log.unlink(&format!("{link}/file"), 0, 0);
        log.rename("link", &format!("{link}/file"), 0);
        for path in [format!("{link}/file"), link.to_owned()] {
            let path = log.path(&path);
            log.call(Op::Chmod { at: At::Cwd, path, mode: 0 }, 0);
            log.call(Op::SetTimes { at: At::Cwd, path, flags: 0 }, 0);
            log.call(Op::Chown { at: At::Cwd, path, owner: 65534, group: 65534, flags: 0 }, 0);
            log.call(Op::Truncate { path, length: 0 }, 0);
        }
    }
    logs.push(log);
    // A directory of the tree becomes a link while it is held open, and below it files are to be put back.
    let mut log = Log::new();
    log.open("d/file", 0, 3);
    log.call(Op::Read { fd: 3, count: 4 }, 4);
    log.rename("d", "e", 0);
    log.symlink(canary, "d", 0);
    log.open("d/file", (libc::O_WRONLY | libc::O_TRUNC) as u32, 4);
    logs.push(log);
    // The root itself, the marker, devices.
    let mut log = Log::new();
    log.rename("/.trace-scratch", "/w/mine", 0);
    log.unlink("/.trace-scratch/marker", 0, 0);
    log.rename("/", "/w/root", 0);
    log.unlink("/", libc::AT_REMOVEDIR, 0);
    for device in ["/dev/null", "/dev/sda", "/dev/tty", "/proc/sysrq-trigger", "/sys/power/state"] {
        log.open(device, libc::O_WRONLY as u32, 5);
        log.write(5, 1);
    }
    logs.push(log);
    logs
}

#[test]
fn hostile_logs_reach_nothing_outside() {
    let outside = tempfile::tempdir().unwrap();
    let base = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "precious").unwrap();
    fs::create_dir(outside.path().join("d")).unwrap();
    symlink("/proc/self/root", outside.path().join("link")).unwrap();
    let fifo = std::ffi::CString::new(outside.path().join("fifo").to_str().unwrap()).unwrap();
    crate::sys::files::tests_support::make_fifo(&fifo);
    let before = everything(outside.path());
    let canary = outside.path().to_str().unwrap();
    for guard in guards() {
        for (number, log) in hostile(canary).into_iter().enumerate() {
            // All right, or nothing left to replay: no harm is what counts.
            let told = replay(log.plan(), guard, base.path());
            let nothing =
                matches!(&told, Err(ReplayError::Confined(error)) if error.contains("can be replayed"));
            assert!(nothing || told.is_ok(), "{guard:?}, {number}: {told:?}");
            assert_eq!(everything(outside.path()), before, "{guard:?}, {number}");
        }
    }
}

#[test]
fn what_is_too_much_is_an_error_before_anything_is_made() {
    let limits = ScratchLimits { entries: 1000, depth: 50, file_bytes: 1 << 30, written_bytes: 1 << 20 };
    let exabyte = 1_i64 << 60;
    let error = |change: &dyn Fn(&mut Log)| {
        let mut log = Log::new();
        log.open("a", CREATE, 3);
        change(&mut log);
        needs(&log.plan(), &limits).unwrap_err().to_string()
    };
    let sparse = error(&|log| log.call(Op::Ftruncate { fd: 3, length: exabyte }, 0));
    assert!(sparse.contains("1152921504606846976 bytes"), "{sparse}");
    let far = error(&|log| log.call(Op::Pwrite { fd: 3, count: 1, offset: exabyte }, 1));
    assert_eq!(far, sparse.replace("1152921504606846976", "1152921504606846977"));
    let sought = error(&|log| {
        log.call(Op::Seek { fd: 3, offset: exabyte, whence: 0 }, exabyte);
        log.write(3, 1);
    });
    assert_eq!(sought, far);
    let said = error(&|log| log.stat("b", 0, file(0o644, exabyte as u64, 1)));
    assert_eq!(said, sparse);
    let allocated = error(&|log| log.call(Op::Allocate { fd: 3, mode: 0, offset: 0, length: 2 << 20 }, 0));
    assert!(allocated.contains("more than 1048576 bytes together"), "{allocated}");
    let written = error(&|log| (0..17).for_each(|_| log.write(3, 1 << 16)));
    assert_eq!(written, allocated);
    let deep = error(&|log| log.stat(&"d/".repeat(60), 0, StatFacts::default()));
    assert!(deep.contains("more than 50 deep"), "{deep}");
    let many = error(&|log| (0..1100).for_each(|number| log.stat(&number.to_string(), 0, file(0o644, 1, 1))));
    assert!(many.contains("more than 1000 files"), "{many}");
    let listed = error(&|log| {
        log.open("/list", libc::O_DIRECTORY as u32, 4);
        (0..100).for_each(|_| log.call(Op::ListDir { fd: 4, count: 1 << 20 }, 1 << 20));
        log.call(Op::ListDir { fd: 4, count: 1 << 20 }, 0);
    });
    assert_eq!(listed, many);
}

/// A run in a tree of its own, without confinement: for plans of these tests only.
fn in_own_tree(plan: Plan, base: &Path) -> Run {
    fs::create_dir(base.join(super::manifest::OWN_DIRECTORY)).unwrap();
    let here = Base { directory: base.to_owned(), file_system: String::new(), original: None };
    in_tree(plan, &ScratchLimits::default(), &here, base, Guard::Namespaces, |_| ()).unwrap().0
}

/// What a log has.
type Write = fn(&mut Log);

/// Whether so many random orders that the graph allows all come to the log's results and the same tree.
fn all_orders_match(log: Log, rules: Rules) -> bool {
    let base = tempfile::tempdir().unwrap();
    let run = in_own_tree(log.plan(), base.path());
    let graph = Graph::with_rules(&run.program, Lookahead::ALL, 1000, rules);
    let mut buffers = Buffers::new(run.program.room());
    (0..200).all(|seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        run.reset().unwrap();
        let mut waits = graph.waits.clone();
        let mut ready: Vec<u32> = graph.roots().collect();
        while !ready.is_empty() {
            let step = ready.swap_remove(random.usize(..ready.len()));
            if !matches!(
                run.program.action(step),
                Action::Order(Order::Start { .. } | Order::Wait { .. } | Order::Barrier(_))
            ) {
                run.perform(step, &mut buffers);
            }
            for &successor in graph.successors(step) {
                waits[successor as usize] -= 1;
                if waits[successor as usize] == 0 {
                    ready.push(successor);
                }
            }
        }
        run.mismatches().next().is_none() && run.wrong_file().unwrap().is_none()
    })
}

#[test]
fn every_order_that_the_rules_allow_comes_to_the_same() {
    assert!(all_orders_match(install(), Rules::ALL));
}

#[test]
fn every_rule_about_files_is_needed() {
    let logs: [(Rule, Write); 4] = [
        (Rule::Data, |log| {
            log.open("a", CREATE, 3);
            log.open("a", libc::O_RDONLY as u32, 4);
            log.call(Op::Pwrite { fd: 3, count: 10, offset: 0 }, 10);
            log.call(Op::Pread { fd: 4, count: 20, offset: 0 }, 10);
        }),
        (Rule::Entry, |log| {
            log.stat("a", ENOENT, StatFacts::default());
            log.mkdir("a", 0);
            log.mkdir("a/b", 0);
        }),
        (Rule::Listing, |log| {
            log.mkdir("a", 0);
            log.open("a", libc::O_DIRECTORY as u32, 4);
            log.create("a/b", 1);
            log.call(Op::ListDir { fd: 4, count: 4096 }, 72);
        }),
        (Rule::Attributes, |log| {
            log.create("a", 3);
            let path = log.path("a");
            log.stat("a", 0, file(0o644, 3, 1));
            log.call(Op::Chmod { at: At::Cwd, path, mode: 0o600 }, 0);
            log.stat("a", 0, file(0o600, 3, 1));
        }),
    ];
    for (rule, write) in logs {
        let log = || {
            let mut log = Log::new();
            log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
            write(&mut log);
            log
        };
        assert!(all_orders_match(log(), Rules::ALL), "{rule:?}");
        assert!(!all_orders_match(log(), Rules::without(rule)), "{rule:?} is not needed");
    }
}

#[test]
fn threads_of_a_log_keep_what_they_did_to_each_other() {
    let mut log = Log::new();
    log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    let share = Share { thread: true, files: true, fs: true };
    let workers: Vec<ThreadId> = (0..4).map(|_| log.builder.child(log.main, share).unwrap()).collect();
    log.mkdir("out", 0);
    for round in 0..6 {
        for (number, &worker) in workers.iter().enumerate() {
            let path = log.path(&format!("out/{round}-{number}"));
            let fd = 10 + number as i32;
            log.by(
                worker,
                Op::Open { at: At::Cwd, path, flags: CREATE, mode: 0o600, resolve: 0 },
                i64::from(fd),
            );
            log.by(worker, Op::Write { fd, count: 50, scope: Scope::Process }, 50);
            log.by(worker, Op::Close { fd }, 0);
            let (from, to) = (path, log.path(&format!("out/{number}")));
            log.by(worker, Op::Rename { from_at: At::Cwd, from, to_at: At::Cwd, to, flags: 0 }, 0);
        }
    }
    log.rename("out", "done", 0);
    log.stat("done/3", 0, file(0o600, 50, 1));
    assert!(all_orders_match(log, Rules::ALL));
}
