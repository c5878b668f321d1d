//! Does a replay predict? A program with known pauses, written four ways: plain calls in a row, half of them on a second
//! thread, all of them on two threads that are woken while the first waits, tokio-uring.
//! The first is recorded and replayed; what the replay says of the others is held against what they take.
//!
//! Two threads that are woken together may be put on one CPU, and then nothing is gained until the kernel moves one of
//! them; a thread that works on while it wakes another keeps its own. So both are measured, and it is told how often both
//! halves were begun on the same CPU.
//!
//! The measure is the error of the *change*, not of the time: of a program that hardly changes, "no change" is right
//! by accident. `cargo run --release -p trace-replay --example proof -- [cold]` (cold needs root)

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use trace_replay::{
    At, Cache, Figures, Lookahead, Op, Options, Plan, PlanBuilder, Recorded, RecordedTimes, Strategy,
    ThreadId, replay,
};

/// Files that the program reads.
const FILES: usize = 400;
/// How often each version runs in a round, and rounds of that and of replay.
const RUNS: usize = 9;
const ROUNDS: usize = 5;
/// What the program's own work walks through, as a program's data would evict the kernel's.
const MEMORY: usize = 4 << 20;

struct Program {
    files: Vec<PathBuf>,
    /// After each file.
    pause: Duration,
    memory: Vec<u8>,
    cold: bool,
}

/// What a file takes: a look in vain, a look, and its contents.
fn read_file(path: &Path) -> usize {
    let missing = path.with_extension("missing");
    let absent = usize::from(fs::metadata(missing).is_err());
    let there = usize::from(fs::metadata(path).is_ok());
    let mut buffer = [0; 4096];
    let bytes = File::open(path).and_then(|mut file| file.read(&mut buffer)).unwrap_or(0);
    absent + there + bytes
}

/// Reads each; the CPU on which that began.
fn read_files(files: &[PathBuf]) -> usize {
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

    fn empty_caches(&self) {
        if self.cold {
            fs::write("/proc/sys/vm/drop_caches", "3").expect("root, for a cold run");
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
        let halves: Vec<Vec<PathBuf>> =
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

    /// The program's calls, as a log would have them, with their times.
    fn record(&mut self) -> Result<Plan, Box<dyn Error>> {
        let mut builder = PlanBuilder::default();
        let thread = builder.process(Some(b"/"))?;
        let origin = Instant::now();
        for index in 0..self.files.len() {
            let now = |begin: Instant| (begin - origin).as_nanos() as u64;
            let path = self.files[index].clone();
            let begin = now(Instant::now());
            read_file(&path);
            let end = now(Instant::now());
            add_calls(&mut builder, thread, &path, begin, end)?;
            self.pause();
        }
        Ok(builder.build())
    }
}

async fn read_in_ring(path: PathBuf) -> usize {
    let missing = path.with_extension("missing");
    let absent = usize::from(tokio_uring::fs::statx(missing).await.is_err());
    let there = usize::from(tokio_uring::fs::statx(&path).await.is_ok());
    let Ok(file) = tokio_uring::fs::File::open(&path).await else { return 0 };
    let (bytes, _) = file.read_at(Vec::with_capacity(4096), 0).await;
    let closed = usize::from(file.close().await.is_ok());
    absent + there + bytes.unwrap_or(0) + closed
}

/// The five calls of a file, which share the time that it took.
fn add_calls(
    builder: &mut PlanBuilder,
    thread: ThreadId,
    path: &Path,
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
    let calls = [
        (statx(missing), -i64::from(libc::ENOENT)),
        (statx(path), 0),
        (Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 }, 3),
        (Op::Read { fd: 3, count: 4096 }, size),
        (Op::Close { fd: 3 }, 0),
    ];
    let each = (end - begin) / calls.len() as u64;
    for ((op, ret), place) in calls.into_iter().zip(0_u64..) {
        let start = begin + place * each;
        builder.call(thread, op, Recorded::returned(ret).at(start, start + each))?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut files = Vec::new();
    for index in 0..FILES {
        let path = directory.path().join(format!("module{index}.py"));
        fs::write(&path, "x".repeat(2000))?;
        // What is not on the disk yet is not dropped from the caches.
        File::open(&path)?.sync_all()?;
        files.push(path);
    }
    let cold = std::env::args().any(|argument| argument == "cold");
    let pause = Duration::from_micros(10);
    let mut program = Program { files, pause, memory: vec![1; MEMORY], cold };
    let runtime = tokio_uring::Runtime::new(tokio_uring::builder().entries(128))?;
    // In turns, so that both see the same machine.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(&mut program, &runtime)?);
    }
    report(&rounds);
    Ok(())
}

/// The ways of [`Program`], what they are and what a replay calls them.
fn ways() -> [(&'static str, Strategy); 3] {
    let lookahead = Lookahead::ALL;
    let threads = Strategy::Threads { threads: 2, lookahead };
    [
        ("half on a second thread", threads),
        ("two threads, the first waits", threads),
        ("tokio-uring, depth 128", Strategy::TokioUring { depth: 128, lookahead }),
    ]
}

/// Medians, in microseconds.
struct Round {
    plain: f64,
    predicted: [f64; 3],
    actual: [f64; 3],
    /// In how many runs both halves were begun on one CPU.
    on_one_cpu: [usize; 2],
    /// What the calls cost in the program, and what the replay with its pauses would have said.
    calls: [f64; 2],
}

fn round(program: &mut Program, runtime: &tokio_uring::Runtime) -> Result<Round, Box<dyn Error>> {
    let (mut serial, mut others, mut on_one_cpu) = (Vec::new(), [const { Vec::new() }; 3], [0; 2]);
    for _ in 0..RUNS {
        program.empty_caches();
        serial.push(program.serial());
        for (way, shares) in [(0, true), (1, false)] {
            program.empty_caches();
            let (took, on_one) = program.threads(shares);
            others[way].push(took);
            on_one_cpu[way] += usize::from(on_one);
        }
        program.empty_caches();
        others[2].push(program.ring(runtime));
    }
    program.empty_caches();
    let plan = program.record()?;
    let thinking = Strategy::Thinking { disturb: true };
    let [(_, threads), _, (_, ring)] = ways();
    let options = Options {
        strategies: vec![Strategy::Free, thinking, threads, ring],
        cache: if program.cold { Cache::Dropped } else { Cache::Warm },
        wall_ns: serial.iter().map(|time| time.as_nanos() as f64).collect(),
        // No tracer was there: they are costs.
        recorded: RecordedTimes::Costs { probe_ns: 0.0, most_probe_ns: 0.0 },
        blocks: RUNS,
        ..Options::default()
    };
    let outcome = replay(plan, &options, |_| ())?;
    let figures = |way: Strategy| -> Result<Figures, Box<dyn Error>> {
        let row = outcome.row(way).ok_or("a strategy that was not measured")?;
        row.figures.clone().map_err(|voided| format!("{way}: {voided:?}").into())
    };
    let mut predicted = [0.0; 3];
    for (predicted, (_, way)) in predicted.iter_mut().zip(ways()) {
        *predicted = figures(way)?.projection.ok_or("no projection")?.wall_ns.median / 1e3;
    }
    let recorded = outcome.gate.ok_or("a log without times")?.in_program_ns;
    let calls = [recorded / 1e3, figures(thinking)?.calls_ns.median / 1e3];
    Ok(Round { plain: median(serial), predicted, actual: others.map(median), on_one_cpu, calls })
}

fn report(rounds: &[Round]) {
    let middle = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let plain = middle(&|round| round.plain);
    let [recorded, replayed] = [0, 1].map(|index| middle(&|round| round.calls[index]));
    println!(
        "plain calls: {plain:.0} µs, of it in the calls {recorded:.0} (a replay with its pauses: {replayed:.0})"
    );
    println!(
        "{:30} {:>12} {:>9} {:>11} {:>16} {:>11}",
        "rewritten with", "predicted µs", "actual", "less by", "error of change", "on one CPU"
    );
    for (index, (name, _)) in ways().into_iter().enumerate() {
        let (predicted, actual) =
            (middle(&|round| round.predicted[index]), middle(&|round| round.actual[index]));
        // Within a round: from one to the next the machine may change.
        let off = middle(&|round| round.predicted[index] - round.actual[index]);
        let change = middle(&|round| round.plain - round.actual[index]);
        let error = off.abs() / change.abs() * 100.0;
        let on_one: Option<usize> =
            rounds.iter().map(|round| round.on_one_cpu.get(index).copied()).sum::<Option<usize>>();
        let on_one = on_one.map_or_else(String::new, |runs| format!("{runs} of {}", RUNS * rounds.len()));
        println!("{name:30} {predicted:12.0} {actual:9.0} {change:11.0} {error:14.0} % {on_one:>11}");
    }
    println!("Saying that nothing changes has an error of 100 % of the change.");
}
