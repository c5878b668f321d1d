//! What a captured stack costs, and a CPU sample, beside `perf record` and `py-spy record` in the same run.
//!
//! ```text
//! cargo bench --bench stacks
//! ```
//!
//! Stacks of calls: a Python that imports a few modules, under `trace record --backend ptrace` with and without `--stacks`; what
//! counts is the median added time a call that has a stack. Samples: a Python that computes, untraced and under each recorder
//! at the same rate; what counts is the median added wall time a sample, and how many samples there are. What is not
//! installed is left out, and named.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trace::event::Kind;
use trace::log::Reader;

mod support;

use support::{median, python};

const ROUNDS: usize = 5;
/// Samples a second.
const HZ: &str = "997";
const IMPORTS: &str = "import json, http.client, asyncio, unittest";
const COMPUTES: &str = "\
import json
data = {str(n): [n, n * 2, str(n)] for n in range(2000)}
total = 0
for round in range(60):
    total += len(json.dumps(json.loads(json.dumps(data)))) + sum(int(key) % 7 for key in data)
";

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let script = place.path().join("computes.py");
    std::fs::write(&script, COMPUTES).expect("a script");
    let python = python().expect("a python");
    stacks(&python, place.path());
    samples(&python, &script, place.path());
}

/// How long a command takes; `None`: it cannot be run, or fails.
fn time(command: &mut Command) -> Option<Duration> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| begin.elapsed())
}

/// The median times of some commands, run in turn.
fn times(commands: &mut [Command]) -> Vec<Option<f64>> {
    let mut all: Vec<Vec<f64>> = commands.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (command, times) in commands.iter_mut().zip(&mut all) {
            times.extend(time(command).map(|time| time.as_secs_f64()));
        }
    }
    all.into_iter().map(|times| (times.len() == ROUNDS).then(|| median(times))).collect()
}

fn trace(options: &[&str], log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.args(["record", "-q"]).args(options).arg("-o").arg(log);
    command
}

/// Rows of a log that have a stack.
fn with_stack(log: &Path) -> u64 {
    let mut rows = 0;
    let reader = Reader::open(log);
    let ending = reader.and_then(|mut reader| {
        reader.for_each(|event| {
            rows += u64::from(event.stack.is_some() && matches!(event.kind, Kind::Syscall | Kind::Sample));
        })
    });
    ending.expect("a log");
    rows
}

fn stacks(python: &Path, place: &Path) {
    println!("{:<28} {:>10} {:>10} {:>14}", "stacks of calls", "time", "stacks", "each adds");
    let kinds = ["python", "native", "both"];
    let logs = kinds.map(|kind| place.join(kind));
    let mut commands = vec![trace(&["--backend", "ptrace"], &place.join("plain"))];
    commands.extend(kinds.iter().zip(&logs).map(|(kind, log)| trace(&["--stacks", kind], log)));
    for command in &mut commands {
        command.arg(python).args(["-c", IMPORTS]);
    }
    let times = times(&mut commands);
    let plain = times[0].expect("recording without stacks works");
    println!("{:<28} {:>7.1} ms", "without", plain * 1e3);
    for ((kind, log), time) in kinds.iter().zip(&logs).zip(&times[1..]) {
        let (time, stacks) = (time.expect("recording with stacks works"), with_stack(log));
        let each = (time - plain) * 1e6 / stacks.max(1) as f64;
        println!("{kind:<28} {:>7.1} ms {stacks:>10} {each:>11.1} µs", time * 1e3);
    }
}

fn samples(python: &Path, script: &Path, place: &Path) {
    println!("\n{:<28} {:>10} {:>10} {:>14}", "CPU samples", "time", "samples", "each adds");
    let [ours, perf, spy] = ["samples", "perf.data", "py-spy.txt"].map(|name| place.join(name));
    let mut commands =
        [Command::new(python), trace(&["--sample", HZ], &ours), Command::new("perf"), Command::new("py-spy")];
    commands[1].arg(python);
    commands[2]
        .args(["record", "-q", "-e", "cpu-clock", "-F", HZ, "--call-graph", "dwarf,8192", "-o"])
        .arg(&perf);
    commands[2].arg("--").arg(python);
    commands[3].args(["record", "-r", HZ, "-f", "raw", "-o"]).arg(&spy).arg("--").arg(python);
    for command in &mut commands {
        command.arg(script);
    }
    let times = times(&mut commands);
    let plain = times[0].expect("python runs");
    println!("{:<28} {:>7.1} ms", "untraced", plain * 1e3);
    let counts: [(&str, &dyn Fn() -> u64); 3] = [
        ("trace record --sample", &|| with_stack(&ours)),
        ("perf record", &|| samples_of_perf(&perf)),
        ("py-spy record", &|| samples_of_py_spy(&spy)),
    ];
    for ((name, count), time) in counts.iter().zip(&times[1..]) {
        let Some(time) = time else {
            println!("{name:<28} is not installed, or fails here");
            continue;
        };
        let samples = count();
        let each = (time - plain) * 1e6 / samples.max(1) as f64;
        println!("{name:<28} {:>7.1} ms {samples:>10} {each:>11.1} µs", time * 1e3);
    }
}

/// Samples in a recording of perf's.
fn samples_of_perf(data: &Path) -> u64 {
    let output = Command::new("perf").args(["script", "-F", "time", "-G", "-i"]).arg(data).output();
    output.map_or(0, |output| {
        output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64
    })
}

/// Samples in folded stacks: the sum of the numbers.
fn samples_of_py_spy(folded: &Path) -> u64 {
    let text = std::fs::read_to_string(folded).unwrap_or_default();
    text.lines().filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
