//! Does a replay predict what a change of a real program saves?
//!
//! ```text
//! cargo bench --bench intervention [-- cold]
//! ```
//!
//! `git diff-files` looks at every file of its index: one `lstat` after the other, or (`core.preloadIndex`) from up to
//! twenty threads. The first way is recorded and replayed with as many threads, by `trace` as anybody would use it; what
//! that says of the whole program is held against what the second way takes. Both ways run in turn, and the log and its replay
//! come right after: a machine may be half as fast a minute later. All of that is done several times. With `cold` the kernel's caches are emptied before each run, which needs root.
//!
//! The measure is the error of the *change*: of a program that hardly changes, "no change" is right by accident.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

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
    /// Milliseconds.
    plain: f64,
    changed: f64,
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
    let (plain, changed) = (median(plain), median(changed));
    let log = place.join("git.trace");
    record(repository, &log, cold);
    Seen { plain, changed, replay: replay(&log, plain, cold) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

/// Milliseconds.
fn run(repository: &Path, preload: bool, cold: bool) -> f64 {
    empty_caches(cold);
    let begin = Instant::now();
    let done = git(repository, preload).status().expect("git");
    let took = begin.elapsed().as_secs_f64() * 1e3;
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

fn replay(log: &Path, wall_ms: f64, cold: bool) -> serde_json::Value {
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
    command.arg("--wall").arg(format!("{wall_ms:.3}ms")).args(cold.then_some("--cold")).arg(log);
    let done = command.stderr(Stdio::inherit()).output().expect("trace");
    assert!(done.status.success(), "{}", done.status);
    serde_json::from_slice(&done.stdout).expect("JSON")
}

/// The projected wall time of a row, in milliseconds.
fn projected(row: &serde_json::Value, what: &str) -> f64 {
    row["projection"]["wall_ns"][what].as_f64().expect("a projection") / 1e6
}

impl Seen {
    fn rows(&self) -> &[serde_json::Value] {
        self.replay["rows"].as_array().expect("rows")
    }

    fn threads(&self) -> &serde_json::Value {
        self.rows().iter().find(|row| row["way"] == "threads").expect("threads were asked for")
    }

    /// The part of the program that its calls have, by the log, and with the replay's cost of them in its place.
    fn calls(&self) -> [f64; 2] {
        let calls = 1.0 - projected(&self.rows()[0], "median") / self.plain;
        let here = self.replay["gate"]["replayed_ns"].as_f64().unwrap_or(f64::NAN) / 1e6 / self.plain;
        [calls, here]
    }

    /// What the calls take from threads, in parts of what they take one after the other.
    fn ratio(&self) -> f64 {
        self.threads()["measured"]["against_serial"]["median"].as_f64().expect("a measured row")
    }
}

fn report(seen: &[Seen], cold: bool) {
    let middle = |of: &dyn Fn(&Seen) -> f64| median(seen.iter().map(of).collect());
    let caches = if cold { "cold" } else { "warm" };
    println!(
        "git diff-files of {FILES} files, caches {caches}, medians of {TIMES} times {ROUNDS} runs in turn"
    );
    let plain = middle(&|one| one.plain);
    println!(
        "one lstat after the other         {plain:8.2} ms, {:.0} % of it in calls that can be replayed",
        middle(&|one| one.calls()[0]) * 100.0
    );
    let (predicted, changed) =
        (middle(&|one| projected(one.threads(), "median")), middle(&|one| one.changed));
    println!(
        "with {THREADS} threads, predicted        {predicted:8.2} ms ({:.2} to {:.2}), {:.2} times as fast",
        middle(&|one| projected(one.threads(), "low")),
        middle(&|one| projected(one.threads(), "high")),
        plain / predicted
    );
    println!(
        "with {THREADS} threads, actual           {changed:8.2} ms, {:.2} times as fast",
        plain / changed
    );
    let change = middle(&|one| one.plain - one.changed);
    let error = |of: &dyn Fn(&Seen) -> f64| (middle(of) / change).abs() * 100.0;
    println!(
        "error of the change               {:8.0} % (saying that nothing changes: 100 %)",
        error(&|one| projected(one.threads(), "median") - one.changed)
    );
    println!(
        "  without scaling                 {:8.0} %",
        error(&|one| one.plain * (1.0 - one.calls()[1] * (1.0 - one.ratio())) - one.changed)
    );
    for one in seen {
        let coverage = &one.replay["coverage"];
        println!(
            "coverage {}, fidelity {}, gate {}",
            coverage["share"], coverage["fidelity"], one.replay["gate"]
        );
    }
}
