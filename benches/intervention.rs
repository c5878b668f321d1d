//! Does a replay predict what a change of a real program saves?
//!
//! ```text
//! cargo bench --bench intervention [-- cold]
//! ```
//!
//! `git diff-files` looks at every file of its index: one `lstat` after the other, or (`core.preloadIndex`) from up to
//! twenty threads, which it starts for that and gives each its part. The first way is recorded and replayed like that, by
//! `trace` as anybody would use it; what that says of the whole program is held against what the second way takes. Both ways run in turn, and the log and its replay
//! come right after: a machine may be half as fast a minute later. All of that is done several times. With `cold` the kernel's caches are emptied before each run, which needs root.

#[path = "../replay/examples/support/held.rs"]
mod held;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use held::{Held, median, middle};
use trace_replay::Estimate;

/// Files in the index. Git starts a thread for each five hundred, twenty at most.
const FILES: usize = 10_000;
const THREADS: usize = 20;
/// Runs of both ways, before each log.
const ROUNDS: usize = 9;
/// Logs and replays.
const TIMES: usize = 5;
/// Rounds of a replay.
const REPLAY_ROUNDS: &str = "12";

fn main() {
    let cold = std::env::args().any(|argument| argument == "cold");
    let place = tempfile::tempdir().expect("a temporary directory");
    let repository = place.path().join("repository");
    make_repository(&repository);
    let seen: Vec<Seen> = (0..TIMES).map(|_| see(place.path(), &repository, cold)).collect();
    report(&seen, cold);
}

/// What the program did, and what a replay of it right after says.
struct Seen {
    /// Microseconds.
    plain: f64,
    /// What the change took off or added, each in turn.
    changes: Vec<f64>,
    replay: serde_json::Value,
}

fn see(place: &Path, repository: &Path, cold: bool) -> Seen {
    let (mut plain, mut changed) = (Vec::new(), Vec::new());
    // The first of each fills the caches.
    for round in 0..=ROUNDS {
        for (preload, times) in [(false, &mut plain), (true, &mut changed)] {
            let took = run(repository, preload, cold);
            if round > 0 {
                times.push(took);
            }
        }
    }
    let differences = changed.iter().zip(&plain).map(|(changed, plain)| changed - plain).collect();
    let plain = median(plain);
    let log = place.join("git.trace");
    record(repository, &log, cold);
    Seen { plain, changes: differences, replay: replay(&log, plain, cold) }
}

fn git(repository: &Path, preload: bool) -> Command {
    let mut command = Command::new("git");
    let preload = format!("core.preloadIndex={preload}");
    command.current_dir(repository).args(["-c", &preload, "diff-files", "--quiet"]);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", repository).stdout(Stdio::null());
    command
}

fn make_repository(repository: &Path) {
    for index in 0..FILES {
        let directory = repository.join(format!("directory{}", index / 100));
        if index % 100 == 0 {
            fs::create_dir_all(&directory).expect("our own directory");
        }
        fs::write(directory.join(format!("file{index}")), index.to_string()).expect("our own file");
    }
    for arguments in [&["init", "-q"][..], &["add", "."]] {
        let done = Command::new("git").current_dir(repository).args(arguments).status().expect("git");
        assert!(done.success(), "git {arguments:?}: {done}");
    }
}

fn empty_caches(cold: bool) {
    if cold {
        nix::unistd::sync();
        fs::write("/proc/sys/vm/drop_caches", "3").expect("root, for a cold run");
    }
}

/// Microseconds.
fn run(repository: &Path, preload: bool, cold: bool) -> f64 {
    empty_caches(cold);
    let begin = Instant::now();
    let done = git(repository, preload).status().expect("git");
    let took = begin.elapsed().as_secs_f64() * 1e6;
    assert!(done.success(), "{done}");
    took
}

fn trace() -> Command {
    Command::new(env!("CARGO_BIN_EXE_trace"))
}

/// A log of a run with such caches as all have here. Of untraced times it has at most those of a warm program, which are
/// not used.
fn record(repository: &Path, log: &Path, cold: bool) {
    let plain = git(repository, false);
    let mut command = trace();
    let how: &[&str] = if cold { &["record"] } else { &["startup", "--runs", "3"] };
    command.current_dir(repository).args(how).arg("-o").arg(log);
    empty_caches(cold);
    command.arg("git").args(plain.get_args());
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", repository);
    let done = command.stdout(Stdio::null()).status().expect("trace");
    assert!(done.success(), "{done}");
}

fn replay(log: &Path, wall_us: f64, cold: bool) -> serde_json::Value {
    let mut command = trace();
    command
        .arg("replay")
        .arg("--json")
        .arg("--threads")
        .arg(THREADS.to_string())
        .arg("--lookahead")
        .arg("all")
        .arg("--runs")
        .arg(REPLAY_ROUNDS);
    command.arg("--wall").arg(format!("{:.3}ms", wall_us / 1e3)).args(cold.then_some("--cold")).arg(log);
    let done = command.stderr(Stdio::inherit()).output().expect("trace");
    assert!(done.status.success(), "{}", done.status);
    serde_json::from_slice(&done.stdout).expect("JSON")
}

/// The projected wall time of a row, in microseconds.
fn projected(row: &serde_json::Value) -> Estimate {
    let of = |end: &str| row["projection"]["wall_ns"][end].as_f64().expect("a projection") / 1e3;
    Estimate { median: of("median"), low: of("low"), high: of("high") }
}

impl Seen {
    fn row(&self, way: &str) -> &serde_json::Value {
        let rows = self.replay["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["way"] == way).expect("a way that was asked for")
    }

    /// The part of the program that its calls have, by the log.
    fn calls(&self) -> f64 {
        1.0 - projected(self.row("free")).median / self.plain
    }
}

fn report(seen: &[Seen], cold: bool) {
    let middle_of = |of: &dyn Fn(&Seen) -> f64| median(seen.iter().map(of).collect());
    let caches = if cold { "cold" } else { "warm" };
    let plain = middle_of(&|one| one.plain);
    println!(
        "git diff-files of {FILES} files, caches {caches}, {TIMES} times {ROUNDS} runs in turn: {:.0} % in calls that can be \
         replayed.\n\n{}",
        middle_of(&Seen::calls) * 100.0,
        Held::HEAD
    );
    // As git does it, and as it could be done at best.
    for (way, how) in [("threads, started for it", "as git does"), ("threads", "sharing as they go")] {
        let predicted: Vec<Estimate> = seen.iter().map(|one| projected(one.row(way))).collect();
        println!(
            "{}",
            Held {
                what: format!("git diff-files, {THREADS} threads, foreseen {how}, {caches}"),
                plain,
                predicted: middle(&predicted),
                changes: seen.iter().flat_map(|one| one.changes.iter().copied()).collect(),
            }
        );
    }
    println!();
    for one in seen {
        let coverage = &one.replay["coverage"];
        println!(
            "coverage {}, fidelity {}, gate {}",
            coverage["share"], coverage["fidelity"], one.replay["gate"]
        );
    }
}
