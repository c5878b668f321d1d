//! What a captured stack costs, and a CPU sample, beside `perf record` and `py-spy record` in the same run.
//!
//! ```text
//! cargo bench --bench stacks             # five rounds
//! cargo bench --bench stacks -- 1        # to see that it works
//! ```
//!
//! Stacks of calls: a Python that imports a few modules, under `trace record --backend ptrace` with and without `--stacks`; what
//! counts is the median added time a call that has a stack. Samples: a Python that computes, untraced and under each recorder
//! at the same rate; what counts is the median added wall time a sample, and how many samples there are. Then, of a run of some
//! ten seconds under each, the shares of the five functions in which most samples are, beside perf's for machine code and
//! py-spy's for Python: the goal is 3 points, and the standard error of the difference, by the numbers of samples, stands beside.
//! py-spy is installed into a place of its own, from the package index; what cannot be had is left out, and named.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trace::event::Kind;
use trace::log::Reader;

#[allow(dead_code, reason = "other benches need the rest")]
mod support;

use support::{median, python};

/// Unless another number is given.
const ROUNDS: usize = 5;
/// Functions that are compared.
const TOP: usize = 5;
/// Points that shares may be apart.
const GOAL: f64 = 3.0;
/// Samples a second.
const HZ: &str = "997";
const IMPORTS: &str = "import json, http.client, asyncio, unittest";
const COMPUTES: &str = "\
import json
data = {str(n): [n, n * 2, str(n)] for n in range(2000)}
total = 0
for round in range(240):
    total += len(json.dumps(json.loads(json.dumps(data)))) + sum(int(key) % 7 for key in data)
";
/// The script whose functions are compared: some ten seconds of functions in Python, next to nothing of it in the kernel, since
/// py-spy counts elapsed time and ptrace user mode only.
const COMPARED: &str = "\
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def strings():
    return sum(len(str(i)) + hash(str(i * 3)) % 3 for i in range(15000))
def ordered():
    return sorted(str(i) for i in range(6000))
def matrix(n):
    a = [[i * j % 7 for j in range(n)] for i in range(n)]
    t = 0
    for i in range(n):
        for j in range(n):
            t += a[i][j] * a[j][i]
    return t
for _ in range(2000):
    fib(16)
    strings()
    ordered()
    matrix(60)
";

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let script = place.path().join("computes.py");
    std::fs::write(&script, COMPUTES).expect("a script");
    let python = python().expect("a python");
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    stacks(&python, place.path(), rounds);
    samples(&python, &script, place.path(), rounds);
    std::fs::write(&script, COMPARED).expect("a script");
    shares_beside_peers(&python, &script, place.path());
}

/// py-spy's program; installed once.
fn py_spy(python: &Path) -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("py-spy");
    let program = place.join("bin/py-spy");
    if !program.exists() {
        let quiet = |command: &mut Command| time(command).map(drop);
        quiet(Command::new(python).args(["-m", "venv"]).arg(&place))?;
        quiet(Command::new(place.join("bin/python")).args(["-m", "pip", "install", "-q", "py-spy"]))?;
    }
    Some(program)
}

/// How long a command takes; `None`: it cannot be run, or fails.
fn time(command: &mut Command) -> Option<Duration> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| begin.elapsed())
}

/// The median times of some commands, run in turn.
fn times(commands: &mut [Command], rounds: usize) -> Vec<Option<f64>> {
    let mut all: Vec<Vec<f64>> = commands.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (command, times) in commands.iter_mut().zip(&mut all) {
            times.extend(time(command).map(|time| time.as_secs_f64()));
        }
    }
    all.into_iter().map(|times| (times.len() == rounds).then(|| median(times))).collect()
}

fn trace(options: &[&str], log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.args(["record", "-q"]).args(options).arg("-o").arg(log);
    command
}

/// Rows of a log that have a stack: calls and samples.
fn with_stack(log: &Path) -> u64 {
    rows(log, &[Kind::Syscall, Kind::Sample])
}

/// The samples among them.
fn with_samples(log: &Path) -> u64 {
    rows(log, &[Kind::Sample])
}

fn rows(log: &Path, kinds: &[Kind]) -> u64 {
    let mut rows = 0;
    let reader = Reader::open(log);
    let ending = reader.and_then(|mut reader| {
        reader.for_each(|event| {
            rows += u64::from(event.stack.is_some() && kinds.contains(&event.kind));
        })
    });
    ending.expect("a log");
    rows
}

fn stacks(python: &Path, place: &Path, rounds: usize) {
    println!("{:<28} {:>10} {:>10} {:>14}", "stacks of calls", "time", "stacks", "each adds");
    let kinds = ["python", "native", "both"];
    let logs = kinds.map(|kind| place.join(kind));
    let mut commands = vec![trace(&["--backend", "ptrace"], &place.join("plain"))];
    commands.extend(kinds.iter().zip(&logs).map(|(kind, log)| trace(&["--stacks", kind], log)));
    for command in &mut commands {
        command.arg(python).args(["-c", IMPORTS]);
    }
    let times = times(&mut commands, rounds);
    let plain = times[0].expect("recording without stacks works");
    println!("{:<28} {:>7.1} ms", "without", plain * 1e3);
    for ((kind, log), time) in kinds.iter().zip(&logs).zip(&times[1..]) {
        let (time, stacks) = (time.expect("recording with stacks works"), with_stack(log));
        let each = (time - plain) * 1e6 / stacks.max(1) as f64;
        println!("{kind:<28} {:>7.1} ms {stacks:>10} {each:>11.1} µs", time * 1e3);
    }
}

/// A recorder of samples: its name, its command up to the program, and how many samples it has recorded.
type Recorder<'a> = (&'a str, Command, Box<dyn Fn() -> u64 + 'a>);

fn samples(python: &Path, script: &Path, place: &Path, rounds: usize) {
    println!("\n{:<28} {:>10} {:>10} {:>14}", "CPU samples", "time", "samples", "each adds");
    let [ours, stopped, data, folded] =
        ["samples", "stopped", "perf.data", "py-spy.txt"].map(|name| place.join(name));
    let recorders: [Recorder<'_>; 4] = [
        ("trace record --sample", trace(&["--sample", HZ], &ours), Box::new(|| with_samples(&ours))),
        (
            "  by ptrace, Python's frames",
            trace(&["--sample", HZ, "--stacks", "python"], &stopped),
            Box::new(|| with_samples(&stopped)),
        ),
        ("perf record", perf(&data), Box::new(|| samples_of_perf(&data))),
        ("py-spy record", spy(python, &folded), Box::new(|| samples_of_py_spy(&folded))),
    ];
    let (names, mut commands): (Vec<_>, Vec<_>) =
        recorders.into_iter().map(|(name, command, count)| ((name, count), command)).unzip();
    commands.insert(0, Command::new(python));
    for (at, command) in commands.iter_mut().enumerate() {
        // Behind a recorder's own words stands the program.
        if at > 0 {
            command.arg(python);
        }
        command.arg(script);
    }
    let times = times(&mut commands, rounds);
    let plain = times[0].expect("python runs");
    println!("{:<28} {:>7.1} ms", "untraced", plain * 1e3);
    for ((name, count), time) in names.iter().zip(&times[1..]) {
        let Some(time) = time else {
            println!("{name:<28} cannot be had, or fails here");
            continue;
        };
        let samples = count();
        let each = (time - plain) * 1e6 / samples.max(1) as f64;
        println!("{name:<28} {:>7.1} ms {samples:>10} {each:>11.1} µs", time * 1e3);
    }
}

/// Compares what takes most of a long run with what perf and py-spy say.
fn shares_beside_peers(python: &Path, script: &Path, place: &Path) {
    let [ours, data, folded] = ["shares", "shares.data", "shares.txt"].map(|name| place.join(name));
    let runs = |mut command: Command| time(command.arg(python).arg(script)).is_some();
    if runs(perf(&data)) && runs(trace(&["--sample", HZ], &ours)) {
        let samples = [samples_of_perf(&data), with_samples(&ours)];
        compare("perf", samples, &shares_of_perf(&data), &shares(&folded_by_trace(&ours)));
    } else {
        println!("\nperf cannot be had, or fails here");
    }
    if runs(spy(python, &folded)) && runs(trace(&["--sample", HZ, "--stacks", "python"], &ours)) {
        let text = std::fs::read_to_string(&folded).unwrap_or_default();
        let samples = [samples_of_py_spy(&folded), with_samples(&ours)];
        compare("py-spy", samples, &shares(&text), &shares(&folded_by_trace(&ours)));
    } else {
        println!("\npy-spy cannot be had, or fails here");
    }
}

fn perf(data: &Path) -> Command {
    let mut perf = Command::new("perf");
    perf.args(["record", "-q", "-e", "cpu-clock", "-F", HZ, "--call-graph", "dwarf,8192", "-o"]);
    perf.arg(data).arg("--");
    perf
}

fn spy(python: &Path, folded: &Path) -> Command {
    let mut spy = Command::new(py_spy(python).unwrap_or_else(|| "py-spy".into()));
    spy.args(["record", "-F", "-r", HZ, "-f", "raw", "-o"]).arg(folded).arg("--");
    spy
}

/// The functions in which a peer has most samples, and the shares of both; `samples` are the peer's and ours.
fn compare(peer: &str, samples: [u64; 2], theirs: &HashMap<String, f64>, ours: &HashMap<String, f64>) {
    let [their_count, our_count] = samples;
    println!(
        "\n{:<44} {peer:>8} {:>8} {:>12} {:>14}",
        "innermost function", "trace", "points apart", "standard error"
    );
    println!("{:<44} {their_count:>8} {our_count:>8}", "samples");
    let mut names: Vec<&String> = theirs.keys().collect();
    names.sort_by(|a, b| theirs[*b].total_cmp(&theirs[*a]));
    let mut most: f64 = 0.0;
    for name in names.into_iter().take(TOP) {
        let (their, our) = (theirs[name], ours.get(name).copied().unwrap_or(0.0));
        most = most.max((our - their).abs());
        // sqrt(p (1 - p) / n) of each side, together, in points.
        let variance = |share: f64, count: u64| share * (100.0 - share) / count.max(1) as f64;
        let error = (variance(their, their_count) + variance(our, our_count)).sqrt();
        println!("{name:<44} {their:>6.1} % {our:>6.1} % {:>+12.1} {error:>14.1}", our - their);
    }
    println!("most: {most:.1} points, {} the goal of {GOAL}", if most <= GOAL { "within" } else { "beyond" });
}

/// The samples of a log as folded stacks.
fn folded_by_trace(log: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    let output = command.args(["flame", "--by", "stack", "--metric", "cpu", "--folded"]).arg(log).output();
    String::from_utf8_lossy(&output.expect("trace runs").stdout).into_owned()
}

/// Shares of the innermost functions of folded stacks, in per cent.
fn shares(folded: &str) -> HashMap<String, f64> {
    per_cent(folded.lines().filter_map(|line| {
        let (stack, number) = line.rsplit_once(' ')?;
        Some((plain_name(stack.rsplit(';').next()?), number.parse().ok()?))
    }))
}

/// `f (package/file.py:3)` as `f (file.py)`: what both sides know.
fn plain_name(frame: &str) -> String {
    let Some((name, place)) = frame.split_once(" (") else { return frame.to_owned() };
    let file = place.trim_end_matches(')').rsplit('/').next().unwrap_or_default();
    let file = file.rsplit_once(':').map_or(file, |(file, _)| file);
    format!("{name} ({file})")
}

/// The same of a recording of perf's.
fn shares_of_perf(data: &Path) -> HashMap<String, f64> {
    let output = Command::new("perf").args(["script", "-F", "ip,sym", "-i"]).arg(data).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let innermost = text.split("\n\n").filter_map(|sample| sample.trim_start().lines().next());
    let name = |line: &str| Some(line.trim().split_once(' ')?.1.trim_end_matches(" (inlined)").to_owned());
    per_cent(innermost.filter_map(|line| Some((name(line)?, 1.0))))
}

fn per_cent(values: impl Iterator<Item = (String, f64)>) -> HashMap<String, f64> {
    let mut sums: HashMap<String, f64> = HashMap::new();
    for (name, value) in values {
        *sums.entry(name).or_default() += value;
    }
    let all: f64 = sums.values().sum();
    for value in sums.values_mut() {
        *value *= 100.0 / all.max(1.0);
    }
    sums
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
