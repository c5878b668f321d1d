//! Does a replay predict? A program with known pauses, written in several ways: plain calls in a row; half of them on a second
//! thread that is woken; all of them on two threads that are woken while the first waits, or that are started; tokio-uring.
//! The first is recorded and replayed; what the replay says of the others is held against what they take.
//!
//! Each is run twice in a row and timed the second time: what another way left in the processors' caches (a ring's workers
//! use the other one's) is a fifth of what the calls take. Two threads that are woken together may be put on one CPU, and
//! then nothing is gained until the kernel moves one of them; so it is told how often both halves were begun on the same.
//!
//! There are two such programs: one looks for modules and reads them, the other looks at five times as many files (`looks`).
//!
//! `cargo run --release --example proof -p trace-replay -- [looks] [cold]` (cold needs root)

#[path = "support/held.rs"]
mod held;

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use held::{Held, median, middle};
use trace_replay::{
    At, Cache, Estimate, Lookahead, Op, Options, Plan, PlanBuilder, Recorded, RecordedTimes, Strategy,
    ThreadId, replay,
};

/// Files that the program reads, or looks at.
const FILES: [usize; 2] = [400, 2000];
/// What it does after each, in microseconds.
const PAUSES: [u64; 2] = [10, 2];
/// How often each version runs in a round, and rounds of that and of replay.
const RUNS: usize = 9;
const ROUNDS: usize = 5;
/// What the program's own work walks through, as a program's data would evict the kernel's.
const MEMORY: usize = 4 << 20;

struct Program {
    files: Vec<Task>,
    /// After each file.
    pause: Duration,
    memory: Vec<u8>,
    cold: bool,
    looks: bool,
}

/// A file, and whether that is only looked at.
type Task = (PathBuf, bool);

/// What a file takes: a look; or a look in vain, a look, and its contents.
fn read_file((path, looks): &Task) -> usize {
    if *looks {
        return usize::from(fs::metadata(path).is_ok());
    }
    let missing = path.with_extension("missing");
    let absent = usize::from(fs::metadata(missing).is_err());
    let there = usize::from(fs::metadata(path).is_ok());
    let mut buffer = [0; 4096];
    let bytes = File::open(path).and_then(|mut file| file.read(&mut buffer)).unwrap_or(0);
    absent + there + bytes
}

/// Reads each; the CPU on which that began.
fn read_files(files: &[Task]) -> usize {
    let cpu = nix::sched::sched_getcpu().unwrap_or(usize::MAX);
    for file in files {
        std::hint::black_box(read_file(file));
    }
    cpu
}

impl Program {
    fn pause(&mut self) {
        let begin = Instant::now();
        let mut place = 0;
        while begin.elapsed() < self.pause {
            for _ in 0..16 {
                self.memory[place] = self.memory[place].wrapping_add(1);
                place = (place + 64) % MEMORY;
            }
        }
    }

    fn serial(&mut self) -> Duration {
        let begin = Instant::now();
        for index in 0..self.files.len() {
            std::hint::black_box(read_file(&self.files[index]));
            self.pause();
        }
        begin.elapsed()
    }

    /// The files in two halves; `shares`: the first is read by the thread that has the other woken, which else waits for
    /// two of them. Also whether both halves were begun on one CPU.
    fn threads(&mut self, shares: bool) -> (Duration, bool) {
        let halves: Vec<Vec<Task>> =
            self.files.chunks(self.files.len().div_ceil(2)).map(<[_]>::to_vec).collect();
        let (own, others) = halves.split_at(usize::from(shares));
        let waiting = others.len() + 1;
        let (go, done) = (Arc::new(Barrier::new(waiting)), Arc::new(Barrier::new(waiting)));
        let threads: Vec<_> = others
            .iter()
            .map(|files| {
                let (files, go, done) = (files.clone(), Arc::clone(&go), Arc::clone(&done));
                std::thread::spawn(move || {
                    go.wait();
                    let cpu = read_files(&files);
                    done.wait();
                    cpu
                })
            })
            .collect();
        // They are to be asleep by then, as those of a pool are.
        std::thread::sleep(Duration::from_millis(1));
        // Before they begin: they may be done before this thread runs again.
        let begin = Instant::now();
        go.wait();
        let mut cpus: Vec<usize> = own.iter().map(|files| read_files(files)).collect();
        done.wait();
        (0..self.files.len()).for_each(|_| self.pause());
        let took = begin.elapsed();
        cpus.extend(threads.into_iter().map(|thread| thread.join().expect("a thread that read files")));
        (took, cpus.windows(2).all(|pair| pair[0] == pair[1]))
    }

    /// The files in two halves, each read by a thread that is started for it. Also whether both were begun on one CPU.
    fn started(&mut self) -> (Duration, bool) {
        let begin = Instant::now();
        let cpus: Vec<usize> = std::thread::scope(|scope| {
            let halves = self.files.chunks(self.files.len().div_ceil(2));
            let threads: Vec<_> = halves.map(|half| scope.spawn(|| read_files(half))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread that read files")).collect()
        });
        (0..self.files.len()).for_each(|_| self.pause());
        (begin.elapsed(), cpus[0] == cpus[1])
    }

    fn ring(&mut self, runtime: &tokio_uring::Runtime) -> Duration {
        let begin = Instant::now();
        runtime.block_on(async {
            let tasks: Vec<_> =
                self.files.iter().cloned().map(read_in_ring).map(tokio_uring::spawn).collect();
            for task in tasks {
                std::hint::black_box(task.await.expect("a task that read a file"));
            }
        });
        (0..self.files.len()).for_each(|_| self.pause());
        begin.elapsed()
    }

    fn empty_caches(&self) {
        if self.cold {
            fs::write("/proc/sys/vm/drop_caches", "3").expect("root, for a cold run");
        }
    }

    /// How long one of its ways takes, and whether both halves were begun on one CPU.
    fn run(&mut self, way: Way, runtime: &tokio_uring::Runtime) -> (Duration, bool) {
        self.empty_caches();
        match way {
            Way::Plain => (self.serial(), false),
            Way::Shared => self.threads(true),
            Way::Woken => self.threads(false),
            Way::Started => self.started(),
            Way::Ring => (self.ring(runtime), false),
        }
    }

    /// When the calls of each file began and ended, in nanoseconds, in a run like those that are timed.
    fn times(&mut self) -> Vec<[u64; 2]> {
        self.empty_caches();
        let origin = Instant::now();
        let now = || origin.elapsed().as_nanos() as u64;
        let mut times = Vec::with_capacity(self.files.len());
        for index in 0..self.files.len() {
            let begin = now();
            std::hint::black_box(read_file(&self.files[index]));
            times.push([begin, now()]);
            self.pause();
        }
        times
    }

    /// The program's calls, as a log would have them, with their times in a run that is in the middle of several; and what they
    /// took in each, in parts of that.
    fn log(&self, recorded: Vec<Vec<[u64; 2]>>) -> Result<(Plan, Vec<f64>), Box<dyn Error>> {
        let in_calls = |times: &Vec<[u64; 2]>| times.iter().map(|[begin, end]| end - begin).sum::<u64>();
        let mut recorded: Vec<_> = recorded.into_iter().map(|times| (in_calls(&times), times)).collect();
        recorded.sort();
        let (middle, times) = &recorded[recorded.len() / 2];
        let runs = recorded.iter().map(|(total, _)| *total as f64 / *middle as f64).collect();
        let mut builder = PlanBuilder::default();
        let thread = builder.process(Some(b"/"))?;
        for (task, &[begin, end]) in self.files.iter().zip(times) {
            add_calls(&mut builder, thread, task, begin, end)?;
        }
        Ok((builder.build(), runs))
    }
}

async fn read_in_ring((path, looks): Task) -> usize {
    if looks {
        return usize::from(tokio_uring::fs::statx(path).await.is_ok());
    }
    let missing = path.with_extension("missing");
    let absent = usize::from(tokio_uring::fs::statx(missing).await.is_err());
    let there = usize::from(tokio_uring::fs::statx(&path).await.is_ok());
    let Ok(file) = tokio_uring::fs::File::open(&path).await else { return 0 };
    let (bytes, _) = file.read_at(Vec::with_capacity(4096), 0).await;
    let closed = usize::from(file.close().await.is_ok());
    absent + there + bytes.unwrap_or(0) + closed
}

/// The calls of a file, which share the time that it took.
fn add_calls(
    builder: &mut PlanBuilder,
    thread: ThreadId,
    (path, looks): &Task,
    begin: u64,
    end: u64,
) -> Result<(), Box<dyn Error>> {
    let size = fs::metadata(path)?.len() as i64;
    let name = |path: &Path| path.to_str().map(|path| path.as_bytes().to_vec()).ok_or("not UTF-8");
    let (missing, path) =
        (builder.path(&name(&path.with_extension("missing"))?)?, builder.path(&name(path)?)?);
    let flags = libc::O_CLOEXEC as u32;
    let statx = |path| {
        let call = trace_replay::StatCall::Statx(libc::STATX_ALL);
        Op::Stat { at: At::Cwd, path, flags: 0, call }
    };
    let all = [
        (statx(missing), -i64::from(libc::ENOENT)),
        (statx(path), 0),
        (Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 }, 3),
        (Op::Read { fd: 3, count: 4096 }, size),
        (Op::Close { fd: 3 }, 0),
    ];
    let calls = if *looks { &all[1..2] } else { &all[..] };
    let each = (end - begin) / calls.len() as u64;
    for (&(op, ret), place) in calls.iter().zip(0_u64..) {
        let start = begin + place * each;
        builder.call(thread, op, Recorded::returned(ret).at(start, start + each))?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut files = Vec::new();
    let is_asked = |what: &str| std::env::args().any(|argument| argument == what);
    let (cold, looks) = (is_asked("cold"), is_asked("looks"));
    for index in 0..FILES[usize::from(looks)] {
        let path = directory.path().join(format!("module{index}.py"));
        fs::write(&path, "x".repeat(2000))?;
        // What is not on the disk yet is not dropped from the caches.
        File::open(&path)?.sync_all()?;
        files.push((path, looks));
    }
    let pause = Duration::from_micros(PAUSES[usize::from(looks)]);
    let mut program = Program { files, pause, memory: vec![1; MEMORY], cold, looks };
    let runtime = tokio_uring::Runtime::new(tokio_uring::builder().entries(128))?;
    // In turns, so that both see the same machine.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(&mut program, &runtime)?);
    }
    report(&rounds, &program);
    Ok(())
}

/// How the program is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Plain,
    Shared,
    Woken,
    Started,
    Ring,
}

impl Way {
    const CHANGED: [Self; 4] = [Self::Shared, Self::Woken, Self::Started, Self::Ring];

    /// What it is, and what a replay calls it.
    fn replayed(self) -> (&'static str, Strategy) {
        let woken = Strategy::Divided { threads: 2, started: false };
        match self {
            Self::Plain => ("plain", Strategy::Serial),
            Self::Shared => ("half on a second thread, woken", woken),
            Self::Woken => ("two threads, woken, the first waits", woken),
            Self::Started => ("two threads, started for it", Strategy::Divided { threads: 2, started: true }),
            Self::Ring => {
                ("tokio-uring, depth 128", Strategy::TokioUring { depth: 128, lookahead: Lookahead::ALL })
            }
        }
    }
}

/// In microseconds.
struct Round {
    plain: Vec<f64>,
    /// Of each of [`Way::CHANGED`].
    actual: [Vec<f64>; 4],
    predicted: Vec<Estimate>,
    /// In how many runs both halves were begun on one CPU.
    on_one_cpu: [usize; 4],
    /// What the calls cost in the program, and what the replay with its pauses would have said.
    calls: [f64; 2],
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn round(program: &mut Program, runtime: &tokio_uring::Runtime) -> Result<Round, Box<dyn Error>> {
    let (mut plain, mut actual, mut on_one_cpu) = (Vec::new(), [const { Vec::new() }; 4], [0; 4]);
    let mut recorded = Vec::new();
    for _ in 0..RUNS {
        let mut timed = |way| {
            if !program.cold {
                program.run(way, runtime);
            }
            let (took, on_one) = program.run(way, runtime);
            (micros(took), usize::from(on_one))
        };
        plain.push(timed(Way::Plain).0);
        for (index, way) in Way::CHANGED.into_iter().enumerate() {
            let (took, on_one) = timed(way);
            actual[index].push(took);
            on_one_cpu[index] += on_one;
        }
        // As it was timed: in the same turn, after itself.
        if !program.cold {
            program.run(Way::Plain, runtime);
        }
        recorded.push(program.times());
    }
    let (recorded, runs) = program.log(recorded)?;
    let thinking = Strategy::Thinking { disturb: true };
    let mut strategies = vec![Strategy::Free, thinking];
    strategies.extend([Way::Shared, Way::Started, Way::Ring].map(|way| way.replayed().1));
    let options = Options {
        strategies,
        cache: if program.cold { Cache::Dropped } else { Cache::Warm },
        wall_ns: plain.iter().map(|time| time * 1e3).collect(),
        // No tracer was there: they are costs.
        recorded: RecordedTimes::Costs { probe_ns: 0.0, most_probe_ns: 0.0 },
        runs,
        blocks: RUNS,
        ..Options::default()
    };
    let outcome = replay(recorded, &options, |_| ())?;
    let figures = |way: Strategy| {
        let row = outcome.row(way).ok_or("a strategy that was not measured")?;
        row.figures.as_ref().map_err(|voided| format!("{way}: {voided:?}"))
    };
    let mut predicted = Vec::new();
    for way in Way::CHANGED {
        let Estimate { median, low, high } =
            figures(way.replayed().1)?.projection.ok_or("no projection")?.wall_ns;
        predicted.push(Estimate { median: median / 1e3, low: low / 1e3, high: high / 1e3 });
    }
    let in_program = outcome.gate.ok_or("a log without times")?.in_program_ns;
    let calls = [in_program / 1e3, figures(thinking)?.calls_ns.median / 1e3];
    Ok(Round { plain, actual, predicted, on_one_cpu, calls })
}

fn report(rounds: &[Round], program: &Program) {
    let work = if program.looks { "looks, " } else { "" };
    let caches = if program.cold { "cold" } else { "warm" };
    let [recorded, replayed] =
        [0, 1].map(|index| median(rounds.iter().map(|round| round.calls[index]).collect()));
    let plain = median(rounds.iter().flat_map(|round| round.plain.clone()).collect());
    println!(
        "A program with known pauses, caches {caches}: {plain:.0} µs, of it in the calls {recorded:.0} at most \
         (a replay with its pauses: {replayed:.0}).\n\n{}",
        Held::HEAD
    );
    for (index, way) in Way::CHANGED.into_iter().enumerate() {
        let changes = rounds.iter().flat_map(|round| {
            round.actual[index].iter().zip(&round.plain).map(|(changed, plain)| changed - plain)
        });
        let on_one: usize = rounds.iter().map(|round| round.on_one_cpu[index]).sum();
        let on_one = match way {
            Way::Plain | Way::Ring => String::new(),
            _ => format!(" (both on one CPU in {on_one} of {})", RUNS * rounds.len()),
        };
        let what = format!("{work}{}, {caches}{on_one}", way.replayed().0);
        let predicted: Vec<Estimate> = rounds.iter().map(|round| round.predicted[index]).collect();
        println!("{}", Held { what, plain, predicted: middle(&predicted), changes: changes.collect() });
    }
}
