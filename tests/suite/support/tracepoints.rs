//! The kernel's own word on which calls were made: the `raw_syscalls` tracepoints, in a tracing instance
//! of our own that covers one command and what descends from it (Documentation/trace/ftrace.rst).
//!
//! They see every call that gets past seccomp, in the order of each thread, whoever else traces it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, io};

use super::programs::program;

const TRACEFS: &str = "/sys/kernel/tracing";
/// How the names of ours begin; the process id follows, and a number.
const NAME: &str = "suite";
/// Kilobytes for each CPU; nothing may be overwritten.
const BUFFER_KB: u32 = 192 << 10;

/// One call as the tracepoints tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// Number.
    pub nr: i64,
    /// Arguments: all six registers, or those that the call takes.
    pub args: Vec<u64>,
    /// What it returned, if it did.
    pub ret: Option<i64>,
}

/// An instance, removed when dropped.
pub struct Instance(PathBuf);

impl Instance {
    /// A new one.
    ///
    /// # Errors
    /// Why there cannot be one: not root, or a kernel without.
    pub fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static SWEEP: Once = Once::new();
        if !nix::unistd::geteuid().is_root() {
            return Err("needs root".into());
        }
        let root = Path::new(TRACEFS);
        if !root.join("instances").exists() {
            // Fails where there is none, which the next step then says.
            let _ = Command::new("mount").args(["-t", "tracefs", "tracefs", TRACEFS]).status();
        }
        SWEEP.call_once(|| sweep(&root.join("instances")));
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = root.join(format!("instances/{NAME}-{}-{number}", std::process::id()));
        fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let instance = Self(dir);
        let buffer = BUFFER_KB.to_string();
        for (file, text) in
            [("buffer_size_kb", buffer.as_str()), ("trace_clock", "mono"), ("options/event-fork", "1")]
        {
            instance
                .write(file, text)
                .map_err(|error| format!("{}/{file}: {error}", instance.0.display()))?;
        }
        Ok(instance)
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.0.join(file), text)
    }

    /// The words to put before a command, so that it and its descendants are covered.
    pub fn prefix(&self) -> [PathBuf; 2] {
        [program("enlist"), self.0.clone()]
    }

    /// The calls of each thread, in order, from the command's execve on. Panics if any was lost.
    pub fn calls(&self) -> HashMap<u32, Vec<Traced>> {
        let without_time = |calls: Vec<(u64, Traced)>| calls.into_iter().map(|(_, call)| call).collect();
        self.timed_calls().into_iter().map(|(tid, calls)| (tid, without_time(calls))).collect()
    }

    /// The same, each with the time of its entry: the monotonic clock in nanoseconds, to the microsecond.
    pub fn timed_calls(&self) -> HashMap<u32, Vec<(u64, Traced)>> {
        self.write("tracing_on", "0").expect("our own instance");
        self.assert_complete();
        let bytes = fs::read(self.0.join("trace")).expect("our own instance");
        let text = String::from_utf8_lossy(&bytes);
        let mut calls: HashMap<u32, Vec<(u64, Traced)>> = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (tid, at_ns, event) = parse(line).unwrap_or_else(|| panic!("tracepoint: {line}"));
            let of_thread = calls.entry(tid).or_default();
            match event {
                Event::Enter(nr, args) => of_thread.push((at_ns, Traced { nr, args, ret: None })),
                Event::Exit(ret) => {
                    // Without its entry: a child leaving its parent's fork, or the call that began all.
                    if let Some((_, last)) = of_thread.last_mut().filter(|(_, last)| last.ret.is_none()) {
                        last.ret = Some(ret);
                    }
                }
            }
        }
        calls
    }

    fn assert_complete(&self) {
        let cpus = fs::read_dir(self.0.join("per_cpu")).expect("our own instance");
        for cpu in cpus.flatten() {
            let stats = fs::read_to_string(cpu.path().join("stats")).expect("our own instance");
            for line in stats.lines().filter(|line| line.contains("overrun") || line.contains("dropped")) {
                assert!(line.ends_with(": 0"), "the kernel's buffer was too small: {line}");
            }
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Ends the instances of test processes that were killed: as long as one is on, it slows down every system call of
/// the machine.
fn sweep(instances: &Path) {
    for entry in fs::read_dir(instances).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(NAME)?.strip_prefix('-')?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

fn remove(instance: &Path) {
    for (file, text) in [("tracing_on", "0"), ("events/enable", "0"), ("set_event_pid", "")] {
        let _ = fs::write(instance.join(file), text);
    }
    // It is busy as long as a process that was told to enlist itself has a file of it open.
    for _ in 0..20 {
        if fs::remove_dir(instance).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

enum Event {
    Enter(i64, Vec<u64>),
    Exit(i64),
}

/// `  name-123   [001] .....  1.234567: sys_exit: NR 39 = 5`, where the name may hold anything.
fn parse(line: &str) -> Option<(u32, u64, Event)> {
    let (before, event) = match line.rfind(": sys_enter: NR ") {
        Some(at) => (&line[..at], &line[at + 16..]),
        None => line.rfind(": sys_exit: NR ").map(|at| (&line[..at], &line[at + 15..]))?,
    };
    let (task, _) = before.rsplit_once(" [")?;
    let (seconds, fraction) = before.rsplit_once(' ')?.1.split_once('.')?;
    let digits: u32 = fraction.len().try_into().ok()?;
    let fraction_ns = fraction.parse::<u64>().ok()? * 10u64.checked_pow(9u32.checked_sub(digits)?)?;
    let at_ns = seconds.parse::<u64>().ok()? * 1_000_000_000 + fraction_ns;
    let tid = task.trim_end().rsplit_once('-')?.1.parse().ok()?;
    if let Some((_, ret)) = event.split_once(" = ") {
        return Some((tid, at_ns, Event::Exit(ret.trim().parse().ok()?)));
    }
    let (nr, args) = event.split_once(' ')?;
    let args = args.trim().strip_prefix('(')?.strip_suffix(')')?.split(", ");
    let args = args.map(|arg| u64::from_str_radix(arg, 16)).collect::<Result<_, _>>().ok()?;
    Some((tid, at_ns, Event::Enter(nr.parse().ok()?, args)))
}

#[test]
fn lines_are_read_whatever_the_name() {
    let enter = parse("  a - [b]-1 c-77   [001] .....   5.500000: sys_enter: NR 59 (1, 2, 3, 4, 5, 6)");
    assert!(matches!(enter, Some((77, 5_500_000_000, Event::Enter(59, args))) if args == [1, 2, 3, 4, 5, 6]));
    let exit = parse("    sh-78      [000] .....   5.600000: sys_exit: NR 59 = -2");
    assert!(matches!(exit, Some((78, 5_600_000_000, Event::Exit(-2)))));
}
