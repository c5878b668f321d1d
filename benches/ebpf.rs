//! What recording by eBPF costs, beside strace, perf trace and bpftrace in the same run. Needs root.
//!
//! ```text
//! cargo bench --bench ebpf [-- PART...]
//! ```
//!
//! Parts: `calls` (added time per call, without and with a path, and the BPF programs' own time as the kernel counts
//! it), `install` (pip and uv, local wheels that are made here), `packages` (the same, wheels of the package index),
//! `load`, `memory`, `storm` (16 threads, 10 s, with and without `--lossless`). Peers that are not installed are left
//! out, and that is said.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use aya::programs::loaded_programs;
use trace::analysis::compare::ratio;
use trace::capture::ebpf::Recorder;
use trace::event::{Kind, mark};
use trace::log::Reader;

mod support;

use support::{largest_resident_set, median, pip_install, python};

const ROUNDS: usize = 5;
/// Seconds that an install has run untraced at least.
const LONG_ENOUGH: f64 = 4.0;
/// `CALLS:KIND`: makes this program itself make so many calls, print the nanoseconds of one, and wait for its
/// standard input's end.
const WORK: &str = "TRACE_BENCH_WORK";
/// A path of usual length; there is no such file.
const PATH: &str = "/usr/lib/python3/dist-packages/no_such_module/__init__.py";

type Part = fn(&Path);

fn main() {
    if let Ok(work) = std::env::var(WORK) {
        return make_calls(&work);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let place = tempfile::tempdir().expect("a temporary directory");
    let parts: [(&str, Part); 6] = [
        ("calls", calls),
        ("install", install),
        ("packages", packages),
        ("load", load),
        ("memory", memory),
        ("storm", storm),
    ];
    for (name, part) in parts {
        if wanted.is_empty() && name == "memory" {
            // In a process of its own, whose only child is the recorder.
            let me = std::env::current_exe().expect("our own path");
            assert!(Command::new(me).arg(name).status().expect("runs").success());
        } else if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            part(place.path());
        }
    }
}

fn make_calls(work: &str) {
    let (count, kind) = work.split_once(':').expect("CALLS:KIND");
    let count: u32 = count.parse().expect("a number of calls");
    let begin = Instant::now();
    for _ in 0..count {
        match kind {
            "path" => drop(nix::sys::stat::stat(PATH)),
            _ => drop(nix::unistd::getppid()),
        }
    }
    println!("{}", begin.elapsed().as_nanos() as f64 / f64::from(count));
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// A tracer in front of the command, and how many calls it can be given in reasonable time.
struct Tracer {
    name: &'static str,
    words: Vec<String>,
    calls: u32,
}

fn tracers(place: &Path, path: bool) -> Vec<Tracer> {
    let out = |name: &str| place.join(name).display().to_string();
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let script = if path {
        "tracepoint:syscalls:sys_enter_newfstatat /pid == cpid/ { printf(\"%d %s\\n\", tid, str(args->filename)); }
         tracepoint:syscalls:sys_exit_newfstatat /pid == cpid/ { printf(\"%d %d\\n\", tid, args->ret); }"
    } else {
        "tracepoint:raw_syscalls:sys_enter /pid == cpid/ { printf(\"%d %d\\n\", tid, args->id); }
         tracepoint:raw_syscalls:sys_exit /pid == cpid/ { printf(\"%d %d\\n\", tid, args->ret); }"
    };
    let bench = std::env::current_exe().expect("our own path").display().to_string();
    let mut all = vec![
        Tracer { name: "untraced", words: vec![bench.clone()], calls: 1_000_000 },
        Tracer {
            name: OURS,
            words: words(&[TRACE, "record", "--backend", "ebpf", "-qo", &out("log"), &bench]),
            calls: 1_000_000,
        },
    ];
    let peers = [
        ("bpftrace", words(&["-q", "-o", &out("bpftrace"), "-e", script, "-c", &bench]), 200_000),
        ("perf", words(&["trace", "-o", &out("perf"), &bench]), 50_000),
        ("strace", words(&["-f", "-o", &out("strace"), &bench]), 10_000),
    ];
    for (name, rest, calls) in peers {
        if is_installed(name) {
            let words = std::iter::once(name.to_owned()).chain(rest).collect();
            all.push(Tracer { name, words, calls });
        } else {
            println!("  ({name} is not installed)");
        }
    }
    all
}

const OURS: &str = "trace (ebpf)";
const TRACE: &str = env!("CARGO_BIN_EXE_trace");

fn is_installed(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).exists()))
}

/// Added time per call, each tracer in turn, several times over.
fn calls(place: &Path) {
    for (kind, goal) in [("getppid", 0.5), ("path", 0.7)] {
        let tracers = tracers(place, kind == "path");
        let mut times = vec![Vec::new(); tracers.len()];
        let mut own = Vec::new();
        for _ in 0..ROUNDS {
            for (tracer, times) in tracers.iter().zip(&mut times) {
                let mut running = Running::start(tracer, kind);
                times.extend(running.nanoseconds());
                running.end();
            }
            own.extend(
                tracers.iter().find(|tracer| tracer.name == OURS).map(|ours| programs_time(ours, kind)),
            );
        }
        let untraced = median(times[0].clone());
        println!("{kind:<8} untraced {untraced:.0} ns a call");
        for (tracer, times) in tracers.iter().zip(times).skip(1) {
            if times.len() < ROUNDS {
                println!("  ({} does not work here)", tracer.name);
                continue;
            }
            let added = (median(times) - untraced) / 1e3;
            let goal = if tracer.name == OURS { format!("   goal {goal}") } else { String::new() };
            println!("  {:<14} adds {added:>8.2} µs a call{goal}", tracer.name);
        }
        println!("  of ours, the BPF programs take {:.2} µs a call (bpf_stats_enabled)", median(own) / 1e3);
    }
}

/// Nanoseconds that the BPF programs take of a call, in a run of its own: that the kernel counts it costs time, too.
fn programs_time(ours: &Tracer, kind: &str) -> f64 {
    let counting = CountedPrograms::begin();
    let mut running = Running::start(ours, kind);
    running.nanoseconds();
    let time = counting.nanoseconds();
    running.end();
    time
}

/// A traced program that has made its calls and waits.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(tracer: &Tracer, kind: &str) -> Self {
        let mut child = Command::new(&tracer.words[0])
            .args(&tracer.words[1..])
            .env(WORK, format!("{}:{kind}", tracer.calls))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", tracer.words));
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// None where the tracer does not work here.
    fn nanoseconds(&mut self) -> Option<f64> {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        line.trim().parse().ok()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("our own child");
    }
}

/// The kernel's own count of the time that BPF programs take (`kernel.bpf_stats_enabled`), put back at the end.
struct CountedPrograms {
    before: String,
    /// The newest program's number at the beginning.
    newest: u32,
}

const STATS: &str = "/proc/sys/kernel/bpf_stats_enabled";

impl CountedPrograms {
    fn begin() -> Self {
        let before = std::fs::read_to_string(STATS).expect("readable");
        std::fs::write(STATS, "1").expect("root may set it");
        let newest = loaded_programs().filter_map(|info| Some(info.ok()?.id())).max().unwrap_or(0);
        Self { before, newest }
    }

    /// What the programs `enter` and `leave` that were loaded since take together, on average.
    fn nanoseconds(&self) -> f64 {
        let ours = loaded_programs()
            .filter_map(Result::ok)
            .filter(|info| info.id() > self.newest && matches!(info.name_as_str(), Some("enter" | "leave")));
        ours.map(|info| info.run_time().as_nanos() as f64 / info.run_count().max(1) as f64).sum()
    }
}

impl Drop for CountedPrograms {
    fn drop(&mut self) {
        let _ = std::fs::write(STATS, &self.before);
    }
}

/// Time of installs under the recorder, as a multiple of their time without.
/// Small packages, made here: little but calls.
fn install(place: &Path) {
    let Some(python) = python() else { return println!("install: no python3") };
    let target = place.join("target");
    println!("install of five packages made for this, which are little but calls");
    compare_installs(place, &target, &pip_install(&python, place, &target));
}

/// Packages from the package index, which are fetched once, below the build directory.
fn packages(place: &Path) {
    let Some(python) = python() else { return println!("packages: no python3") };
    let wheels = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-wheels");
    if !wheels.exists() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fetch_wheels.sh");
        let fetched = Command::new(script).arg(&wheels).stdout(Stdio::null()).status();
        if !fetched.is_ok_and(|status| status.success()) {
            let _ = std::fs::remove_dir_all(&wheels);
            return println!("packages: they cannot be fetched from the package index");
        }
    }
    let target = place.join("target");
    let mut command: Vec<OsString> = vec![python.into()];
    command.extend(["-m", "pip", "install", "--quiet", "--no-index", "--find-links"].map(OsString::from));
    command.extend([wheels.into(), "--target".into(), target.clone().into_os_string()]);
    command.extend(["requests", "rich", "jinja2", "pyyaml", "six"].map(OsString::from));
    println!("install of requests, rich, jinja2, pyyaml and six");
    compare_installs(place, &target, &command);
}

/// By pip's command, and by uv with the same words.
fn compare_installs(place: &Path, target: &Path, pip: &[OsString]) {
    let mut commands = vec![("pip install", pip.to_vec())];
    if is_installed("uv") {
        let from_pip = pip.iter().position(|word| word == "pip").expect("it is pip's");
        let mut uv: Vec<_> = vec!["uv".into()];
        uv.extend(pip[from_pip..].iter().cloned());
        commands.push(("uv pip install", uv));
    } else {
        println!("  (uv is not installed)");
    }
    for (name, command) in commands {
        let mut both = [false, true].map(|is_traced| (is_traced, Vec::new()));
        let mut events = 0;
        while both[0].1.len() < 2 * ROUNDS || both[0].1.iter().sum::<f64>() < LONG_ENOUGH {
            for (is_traced, times) in &mut both {
                let _ = std::fs::remove_dir_all(target);
                let mut run = Command::new(if *is_traced { TRACE.as_ref() } else { command[0].as_os_str() });
                if *is_traced {
                    run.args(["record", "--backend", "ebpf", "-qo"]).arg(place.join("log")).args(&command);
                } else {
                    run.args(&command[1..]);
                }
                run.stdout(Stdio::null()).stderr(Stdio::null());
                let begin = Instant::now();
                assert!(run.status().expect("runs").success(), "{run:?}");
                let mut elapsed = begin.elapsed().as_secs_f64();
                if *is_traced {
                    // The command's own time: that of loading stands apart.
                    (elapsed, events) = seen_in_log(&place.join("log"));
                }
                times.push(elapsed);
            }
        }
        let [untraced, traced] = both.map(|(_, times)| times);
        let ratio = ratio(&untraced, &traced, true).expect("an install takes time");
        let interval = ratio.interval.expect("rounds enough");
        let untraced = median(untraced);
        println!(
            "{name:<16} untraced {:.0} ms, {:.0} events a ms, traced x{:.3} ({:.3} to {:.3}; goal 1.03)",
            untraced * 1e3,
            events as f64 / (untraced * 1e3),
            ratio.value,
            interval.low,
            interval.high
        );
    }
}

/// Seconds from the first event to the last one, and how many there are.
fn seen_in_log(log: &Path) -> (f64, u64) {
    let mut reader = Reader::open(log).expect("a log");
    let (mut first, mut last) = (u64::MAX, 0);
    let mut see = |begin: u64, end: Option<u64>| {
        first = first.min(begin);
        last = last.max(end.unwrap_or(begin));
    };
    reader
        .for_each(|event| match event.kind {
            Kind::Total | Kind::Lost => {}
            _ => see(event.start_ns, event.end_ns),
        })
        .expect("a log");
    ((last - first) as f64 / 1e9, reader.events_read())
}

/// Loading and attaching, in this process.
fn load(_place: &Path) {
    let mut times = Vec::new();
    for _ in 0..4 * ROUNDS {
        let begin = Instant::now();
        let recorder = Recorder::load().unwrap_or_else(|error| panic!("{error}"));
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        drop(recorder);
    }
    println!("load and attach  {:.1} ms (goal 40)", median(times));
}

/// The recorder's memory over five million calls.
fn memory(place: &Path) {
    let log = place.join("log");
    let mut run = Command::new(TRACE);
    run.args(["record", "--backend", "ebpf", "-qo"])
        .arg(&log)
        .arg(std::env::current_exe().expect("our own path"));
    run.env(WORK, "5000000:getppid").stdin(Stdio::null()).stdout(Stdio::null());
    assert!(run.status().expect("runs").success());
    println!(
        "5 million calls: largest resident set {} MiB (goal 64); lost {}",
        largest_resident_set(),
        recorded(&log).1
    );
}

/// 16 threads that make failing calls as fast as they can.
fn storm(place: &Path) {
    let program = place.join("storm");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/programs/storm.c");
    let built = Command::new("cc").args(["-O1", "-pthread"]).arg(source).arg("-o").arg(&program).status();
    assert!(built.expect("cc is there").success());
    let log = place.join("log");
    for (name, options) in [("--lossless", vec!["--lossless"]), ("without", vec![])] {
        let mut run = Command::new(TRACE);
        run.args(["record", "--backend", "ebpf", "-qo"]).arg(&log).args(options);
        let output = run.arg(&program).args(["16", "10000", "5000"]).output().expect("runs");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        let made: u64 = text.lines().nth(1).and_then(|line| line.parse().ok()).expect("a count");
        let (calls, lost, held) = recorded(&log);
        println!(
            "storm {name:<10}: made {made}, recorded {calls}, counted as lost {lost}, stopped {held} times; missing {}",
            made.cast_signed() - (calls + lost).cast_signed()
        );
    }
}

/// Failing calls of the storm in a log, records counted as lost, marks of stops.
fn recorded(log: &Path) -> (u64, u64, u64) {
    let mut reader = Reader::open(log).expect("a log");
    let (mut calls, mut lost, mut held) = (0, 0, 0);
    reader
        .for_each(|event| match event.kind {
            Kind::Syscall => calls += u64::from(event.path == Some(b"/no/such/file/storm")),
            Kind::Lost => lost += event.ret.map_or(0, i64::cast_unsigned),
            Kind::Mark => held += u64::from(event.text == Some(mark::HELD.as_bytes())),
            _ => {}
        })
        .expect("a log");
    (calls, lost, held)
}
