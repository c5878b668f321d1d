//! Programs drawn at random, of few names: made for real in a directory, and then replayed from what came of them.
//!
//! They do what people do not think of, and what came of it is known: so all of it has to come to the same in a scratch
//! tree, in every order that the rules allow.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::PathBuf;

use super::orders::{orders_match, with_differences};
use super::*;
use crate::plan::Seen;
use crate::rule::Rules;
use crate::scratch::model::entry_bytes;

const CALLS: usize = 150;
const NAMES: [&str; 12] = ["p/a", "p/b", "p/c", "p/d", "q/a", "q/b", "q/c", "q/d", "a", "b", "c", "d"];
const ROOM: u64 = 32768;

/// What there is before the first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Directories that the log made.
    Made,
    /// And every name was one once.
    Removed,
    /// Directories, files and links that the log finds.
    There,
}

/// A program that runs.
struct Program {
    log: Log,
    random: fastrand::Rng,
    directory: tempfile::TempDir,
    open: Vec<File>,
}

impl Program {
    fn run(seed: u64, before: Before) -> Log {
        let mut program = Self {
            log: Log::new(),
            random: fastrand::Rng::with_seed(seed),
            directory: tempfile::tempdir().unwrap(),
            open: Vec::new(),
        };
        program.begin(before);
        for _ in 0..CALLS {
            program.call();
        }
        program.log
    }

    fn begin(&mut self, before: Before) {
        let umask = umask();
        self.log.call(Op::Umask { mask: 0o22 }, umask);
        // The test cannot change its own, for others run beside it.
        self.log.call(Op::Umask { mask: umask as u16 }, 0o22);
        if before == Before::There {
            for directory in ["p", "q"] {
                fs::create_dir(self.at(directory)).unwrap();
            }
            for name in NAMES.iter().step_by(3) {
                fs::write(self.at(name), "contents").unwrap();
            }
            for name in NAMES.iter().skip(1).step_by(4) {
                let _ = symlink("a", self.at(name));
            }
            return;
        }
        for name in ["p", "q"] {
            self.mkdir(name);
        }
        if before == Before::Removed {
            for name in NAMES {
                self.mkdir(name);
                self.rmdir(name);
            }
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.random.usize(..NAMES.len())]
    }

    fn call(&mut self) {
        let (name, other) = (self.name(), self.name());
        match self.random.u8(..20) {
            0..3 => self.open_to_write(name),
            3..5 => self.write(),
            5 => self.close(),
            6 => {
                let ret = returned(&fs::rename(self.at(name), self.at(other)));
                self.log.rename(name, other, ret);
            }
            7 => {
                let ret = returned(&fs::remove_file(self.at(name)));
                self.log.unlink(name, 0, ret);
            }
            8 => {
                let ret = returned(&fs::hard_link(self.at(name), self.at(other)));
                self.log.link(name, other, ret);
            }
            9 => {
                let target = ["a", "b", "../p/c", "d"][self.random.usize(..4)];
                let ret = returned(&symlink(target, self.at(name)));
                self.log.symlink(target, name, ret);
            }
            10 => self.mkdir(name),
            11 => self.rmdir(name),
            12 => {
                let mode = [0o600, 0o644, 0o755][self.random.usize(..3)];
                let ret = returned(&fs::set_permissions(self.at(name), Permissions::from_mode(mode)));
                let path = self.log.path(name);
                self.log.call(Op::Chmod { at: At::Cwd, path, mode: mode as u16 }, ret);
            }
            13 => self.stat(name, true),
            14 => self.stat(name, false),
            15 => {
                let name = ["p", "q", ".", name, other][self.random.usize(..5)];
                if self.at(name).is_dir() {
                    self.list(name);
                }
            }
            16 => self.read_link(name),
            17 => self.truncate(),
            18 => self.read_at(),
            _ => self.read(name),
        }
    }

    fn open_to_write(&mut self, name: &'static str) {
        let mut options = OpenOptions::new();
        let flags = match self.random.u8(..4) {
            0 => {
                options.write(true).create(true);
                libc::O_WRONLY | libc::O_CREAT
            }
            1 => {
                options.read(true).write(true).create_new(true);
                libc::O_RDWR | libc::O_CREAT | libc::O_EXCL
            }
            2 => {
                options.read(true).write(true).create(true).truncate(true);
                libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC
            }
            _ => {
                options.append(true);
                libc::O_WRONLY | libc::O_APPEND
            }
        };
        let opened = options.mode(0o644).open(self.at(name));
        self.opened(name, flags, 0o644, &opened);
        self.open.extend(opened);
    }

    /// An open, and where it led.
    fn opened(&mut self, name: &str, flags: i32, mode: u16, opened: &io::Result<File>) {
        if let Ok(file) = opened {
            let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
            if let Ok(below) = real.strip_prefix(self.directory.path().canonicalize().unwrap()) {
                let (path, real) = (format!("/w/{name}"), format!("/w/{}", below.display()));
                self.log.builder.seen(path.as_bytes(), Seen::Opened(real.as_bytes())).unwrap();
            }
        }
        let ret = opened.as_ref().map_or_else(errno, |file| i64::from(file.as_raw_fd()));
        let path = self.log.path(name);
        let flags = (flags | libc::O_CLOEXEC) as u32;
        self.log.call(Op::Open { at: At::Cwd, path, flags, mode, resolve: 0 }, ret);
    }

    fn any_open(&mut self) -> Option<usize> {
        (!self.open.is_empty()).then(|| self.random.usize(..self.open.len()))
    }

    fn write(&mut self) {
        let Some(index) = self.any_open() else { return };
        let bytes = self.random.usize(..5000);
        let written = self.open[index].write(&vec![b'x'; bytes]);
        let fd = self.open[index].as_raw_fd();
        let op = Op::Write { fd, count: bytes as u64, scope: Scope::Process };
        self.log.call(op, moved(&written));
    }

    fn close(&mut self) {
        let Some(index) = self.any_open() else { return };
        let fd = self.open.swap_remove(index).as_raw_fd();
        self.log.close(fd);
    }

    fn truncate(&mut self) {
        let Some(index) = self.any_open() else { return };
        let length = self.random.u64(..3000);
        let ret = returned(&self.open[index].set_len(length));
        let fd = self.open[index].as_raw_fd();
        self.log.call(Op::Ftruncate { fd, length: length as i64 }, ret);
    }

    fn read_at(&mut self) {
        let Some(index) = self.any_open() else { return };
        let fd = self.open[index].as_raw_fd();
        let facts = facts(&self.open[index].metadata().unwrap());
        let recorded = Recorded::returned(0).with_stat(facts);
        self.log.builder.call(self.log.main, Op::Fstat { fd }, recorded).unwrap();
        let read = self.open[index].read_at(&mut [0; 1000], 0);
        self.log.call(Op::Pread { fd, count: 1000, offset: 0 }, moved(&read));
    }

    fn read(&mut self, name: &str) {
        let mut opened = File::open(self.at(name));
        self.opened(name, libc::O_RDONLY, 0, &opened);
        if let Ok(file) = &mut opened {
            let read = moved(&file.read(&mut [0; 4000]));
            let fd = file.as_raw_fd();
            self.log.call(Op::Read { fd, count: 4000 }, read);
            self.log.close(fd);
        }
    }

    fn mkdir(&mut self, name: &str) {
        let ret = returned(&fs::DirBuilder::new().mode(0o755).create(self.at(name)));
        let path = self.log.path(name);
        self.log.call(Op::MakeDir { at: At::Cwd, path, mode: 0o755 }, ret);
    }

    fn rmdir(&mut self, name: &str) {
        let ret = returned(&fs::remove_dir(self.at(name)));
        self.log.unlink(name, libc::AT_REMOVEDIR, ret);
    }

    fn stat(&mut self, name: &str, follow: bool) {
        let path = self.at(name);
        let seen = if follow { path.metadata() } else { path.symlink_metadata() };
        let ret = seen.as_ref().map_or_else(errno, |_| 0);
        let recorded = Recorded::returned(ret)
            .with_stat(seen.map_or_else(|_| StatFacts::default(), |seen| facts(&seen)));
        let path = self.log.path(name);
        let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW as u32 };
        let op = Op::Stat { at: At::Cwd, path, flags, call: StatCall::Stat };
        self.log.builder.call(self.log.main, op, recorded).unwrap();
    }

    fn read_link(&mut self, name: &str) {
        let target = fs::read_link(self.at(name)).map(|target| target.to_str().unwrap().to_owned());
        let path = format!("/w/{name}");
        match &target {
            Ok(target) => self.log.builder.seen(path.as_bytes(), Seen::Holds(target.as_bytes())).unwrap(),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                self.log.builder.seen(path.as_bytes(), Seen::NoLink).unwrap();
            }
            Err(_) => {}
        }
        let ret = target.as_ref().map_or_else(errno, |target| target.len() as i64);
        let path = self.log.path(name);
        self.log.call(Op::ReadLink { at: At::Cwd, path, size: 4096 }, ret);
    }

    fn list(&mut self, name: &str) {
        let directory = File::open(self.at(name));
        self.opened(name, libc::O_RDONLY | libc::O_DIRECTORY, 0, &directory);
        let Ok(directory) = directory else { return };
        let names = fs::read_dir(self.at(name)).unwrap().map(|entry| entry.unwrap().file_name().len());
        let bytes = names.chain([1, 2]).map(entry_bytes).sum::<u64>();
        let fd = directory.as_raw_fd();
        self.log.call(Op::ListDir { fd, count: ROOM }, bytes as i64);
        self.log.call(Op::ListDir { fd, count: ROOM }, 0);
        self.log.close(fd);
    }
}

fn errno(error: &io::Error) -> i64 {
    -i64::from(error.raw_os_error().unwrap())
}

fn returned(done: &io::Result<()>) -> i64 {
    done.as_ref().map_or_else(errno, |()| 0)
}

fn moved(done: &io::Result<usize>) -> i64 {
    done.as_ref().map_or_else(errno, |&bytes| bytes as i64)
}

fn facts(seen: &fs::Metadata) -> StatFacts {
    StatFacts {
        mode: Some(seen.mode()),
        size: Some(seen.size()),
        nlink: Some(seen.nlink() as u32),
        file: Some((seen.dev(), seen.ino())),
    }
}

/// This process's umask, without changing it.
fn umask() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    i64::from_str_radix(umask.trim(), 8).unwrap()
}

/// Each call that is left out, and what came of it here; then whether all orders match.
fn replayed(log: Log, orders: u64) -> (Vec<String>, bool) {
    let base = tempfile::tempdir().unwrap();
    let (run, differences) = with_differences(log.plan(), base.path());
    let plan = &run.program.plan;
    let skips = plan.call_ids().zip(&run.program.skips);
    let left_out =
        skips.filter_map(|(call, skip)| Some((call, skip.filter(|skip| *skip != Skip::OrdersOnly)?)));
    let left_out = left_out.map(|(call, skip)| {
        let here = differences.iter().find(|one| one.call == call);
        let op = plan.op(call).unwrap();
        let paths: Vec<_> =
            op.paths().map(|path| String::from_utf8_lossy(plan.path(path)).into_owned()).collect();
        format!("{}: {op:?} {paths:?}: {skip:?} {here:?}", call.index())
    });
    (left_out.collect(), orders_match(&run, Rules::ALL, orders))
}

#[test]
fn programs_drawn_at_random_come_to_the_same_in_every_order() {
    for before in [Before::Made, Before::Removed] {
        for seed in 0..25 {
            let (left_out, matches) = replayed(Program::run(seed, before), 10);
            assert!(left_out.is_empty(), "{before:?}, {seed}: {left_out:#?}");
            assert!(matches, "{before:?}, {seed}");
        }
    }
}

/// Not all that was there shows: where a link led that was moved before anybody followed it, for example. What does not
/// come to the same for that is left out, and the rest is in order.
#[test]
fn so_do_nearly_all_calls_of_those_that_find_files() {
    let mut all_left_out = 0;
    for seed in 0..25 {
        let (left_out, matches) = replayed(Program::run(seed, Before::There), 10);
        assert!(matches, "{seed}: {left_out:#?}");
        all_left_out += left_out.len();
    }
    assert!(all_left_out < 25 * CALLS / 20, "{all_left_out}");
}

#[test]
fn programs_drawn_at_random_come_to_the_same_in_every_way() {
    let base = tempfile::tempdir().unwrap();
    for guard in guards() {
        for seed in 100..103 {
            let told = replay(Program::run(seed, Before::Removed).plan(), guard, base.path()).unwrap();
            assert!(!told.contains("void"), "{seed}, {guard:?}: {told}");
            // Without chmod, stats see other modes.
            let differs = told.contains(Skip::Differs.reason());
            assert!(guard != Guard::Namespaces || !differs, "{seed}: {told}");
        }
    }
}
