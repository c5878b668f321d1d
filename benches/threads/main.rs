//! Does the schedule of a program's threads predict? `uv pip install`, and the same with dearer calls.
//!
//! ```text
//! cargo bench --bench threads -- UV PYTHON
//! ```
//!
//! `uv` installs wheels made here, by hard links, from a warm cache, with its own threads. A library that is loaded before
//! it makes each `link`, `mkdir` and `rename` take longer by a known time, spent on the processor. The install is
//! recorded without delay; what its schedule says of dearer calls is held against what they take, beside the
//! predictors that know no threads: that nothing changes, and that each delay comes on top.
//!
//! What an install takes drifts by more than that with what the file system did before (an ext4
//! passes over the inodes that were freed within the last minutes): so the delays take turns in being first, and each is held against the install without
//! delay of its own round.

#[path = "../../replay/examples/support/held.rs"]
mod held;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use held::{Held, median};
use trace::log::{Columns, Source};
use trace::plan::Planner;
use trace_replay::{CallCost, CallId, Estimate, Op, Plan, Schedule};

const WHEELS: usize = 30;
const FILES: usize = 60;
const ROUNDS: usize = 16;
/// Microseconds that a call takes longer; the first is the program as it is.
const DELAYS: [u64; 4] = [0, 20, 50, 100];
/// A log is of one run, and runs of threads differ.
const LOGS: usize = 5;

const MAKE_WHEELS: &str = include_str!("wheels.py");

struct Place {
    uv: PathBuf,
    python: PathBuf,
    directory: tempfile::TempDir,
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).filter(|word| word != "--bench");
    let (Some(uv), Some(python)) = (arguments.next(), arguments.next()) else {
        println!("skipped: say where uv and a Python are (cargo bench --bench threads -- UV PYTHON)");
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let place = Place { uv: uv.into(), python: python.into(), directory };
    place.make();
    let mut times = vec![Vec::new(); DELAYS.len()];
    let mut predictions: Vec<Vec<f64>> = vec![Vec::new(); DELAYS.len()];
    let mut calls = 0;
    for round in 0..=ROUNDS {
        for turn in 0..DELAYS.len() {
            let index = (round + turn) % DELAYS.len();
            place.uninstall();
            let begin = Instant::now();
            run(&mut place.install(DELAYS[index]));
            // The first round fills the caches.
            if round > 0 {
                times[index].push(begin.elapsed().as_secs_f64() * 1e6);
            }
        }
        if (1..=LOGS).contains(&round) {
            calls = place.predict(&mut predictions);
        }
    }
    report(&times, &predictions, calls);
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn make(&self) {
        let (wheels, source) = (self.path("wheels"), self.path("delay.c"));
        fs::create_dir(&wheels).expect("our own directory");
        let numbers = [WHEELS, FILES].map(|number| number.to_string());
        run(Command::new(&self.python).args(["-c", MAKE_WHEELS]).arg(&wheels).args(&numbers));
        fs::write(&source, include_str!("delay.c")).expect("our own file");
        let mut cc = Command::new("cc");
        run(cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(self.path("delay.so")).arg(&source).arg("-ldl"));
        run(self.uv().args(["venv", "-q", "--python"]).arg(&self.python).arg(self.path("venv")));
        // Fills the cache.
        run(&mut self.install(0));
    }

    fn uv(&self) -> Command {
        let mut command = Command::new(&self.uv);
        command.env("UV_CACHE_DIR", self.path("cache")).stdout(Stdio::null());
        command
    }

    fn packages() -> impl Iterator<Item = String> {
        (0..WHEELS).map(|wheel| format!("package{wheel}"))
    }

    fn arguments(&self) -> Vec<std::ffi::OsString> {
        let mut words: Vec<std::ffi::OsString> =
            ["pip", "install", "-q", "--offline", "--no-index", "--link-mode", "hardlink"]
                .map(Into::into)
                .into();
        words.extend(["--find-links".into(), self.path("wheels").into()]);
        words.extend(["--python".into(), self.path("venv/bin/python").into()]);
        words.extend(Self::packages().map(Into::into));
        words
    }

    fn install(&self, delay_us: u64) -> Command {
        let mut command = self.uv();
        command.args(self.arguments());
        command.env("LD_PRELOAD", self.path("delay.so")).env("TRACE_DELAY_NS", (delay_us * 1000).to_string());
        command
    }

    fn uninstall(&self) {
        let mut command = self.uv();
        command.args(["pip", "uninstall", "-q", "--python"]).arg(self.path("venv/bin/python"));
        run(command.args(Self::packages()));
    }

    /// How much longer the install takes with each delay, by one log's schedule; how many calls are delayed.
    fn predict(&self, predictions: &mut [Vec<f64>]) -> usize {
        self.uninstall();
        let log = self.path("uv.trace");
        let mut record = Command::new(env!("CARGO_BIN_EXE_trace"));
        record.args(["record", "-o"]).arg(&log).arg(&self.uv).args(self.arguments());
        record.env("UV_CACHE_DIR", self.path("cache")).env("LD_PRELOAD", self.path("delay.so"));
        run(record.stdout(Stdio::null()).stderr(Stdio::null()));
        let plan = plan_of(&log);
        let is_delayed = |id: CallId| {
            matches!(plan.op(id), Some(Op::Link { .. } | Op::MakeDir { .. } | Op::Rename { .. }))
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let schedule = Schedule::of(&plan, cores, is_delayed).expect("a log with times, of several threads");
        let takes = |delay: u64| {
            let cost = CallCost { more_ns: delay as f64 * 1e3, ..CallCost::LOGGED };
            schedule.makespan_ns(cost).expect("a log whose times can be") / 1e3
        };
        println!(
            "log of {} threads: {:.1} ms, scheduled {:.1} ms",
            schedule.threads(),
            schedule.logged_ns() / 1e6,
            takes(0) / 1e3
        );
        for (prediction, &delay) in predictions.iter_mut().zip(&DELAYS) {
            prediction.push(takes(delay) - takes(0));
        }
        plan.call_ids().filter(|&id| is_delayed(id)).count()
    }
}

fn plan_of(log: &Path) -> Plan {
    let mut source = Source::open(log, None).expect("our own log").with_columns(Columns::ALL);
    let mut planner = Planner::new(&source.header().clone(), None, None).expect("our own log");
    source
        .for_each(|event| planner.add(event).expect("a log of an install is not too large"))
        .expect("our own log");
    planner.finish().plan
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// The schedule's prediction of each delay, and what adding every delay up would say.
fn report(times: &[Vec<f64>], predictions: &[Vec<f64>], calls: usize) {
    let plain = median(times[0].clone());
    println!(
        "uv pip install, {WHEELS} wheels by hard links, {calls} calls delayed, {ROUNDS} rounds.\n\n{}",
        Held::HEAD
    );
    for (index, &delay) in DELAYS.iter().enumerate().skip(1) {
        let changes: Vec<f64> =
            times[index].iter().zip(&times[0]).map(|(delayed, plain)| delayed - plain).collect();
        let change = median(changes.clone());
        let on_top = (calls as u64 * delay) as f64;
        let what = format!(
            "uv pip install, {delay} µs more a call (every delay added up: {:.1} ms more, {:.0} %)",
            on_top / 1e3,
            ((on_top - change) / change).abs() * 100.0
        );
        let Estimate { median, low, high } =
            Estimate::of(&predictions[index]).expect("logs that were scheduled");
        let predicted = Estimate { median: plain + median, low: plain + low, high: plain + high };
        println!("{}", Held { what, plain, predicted, changes });
    }
}
