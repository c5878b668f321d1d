//! Does a replay predict? A program with known pauses, written three ways: plain calls in a row, two threads, tokio-uring.
//! The first is recorded and replayed; what the replay says of the others is held against what they take.
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
    At, Cache, Figures, Lookahead, Op, Options, Plan, PlanBuilder, Recorded, Strategy, ThreadId, replay,
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

    fn threads(&mut self) -> Duration {
        let (go, done) = (Arc::new(Barrier::new(3)), Arc::new(Barrier::new(3)));
        let threads: Vec<_> = self
            .files
            .chunks(self.files.len().div_ceil(2))
            .map(|files| {
                let (files, go, done) = (files.to_vec(), Arc::clone(&go), Arc::clone(&done));
                std::thread::spawn(move || {
                    go.wait();
                    for file in files {
                        std::hint::black_box(read_file(&file));
                    }
                    done.wait();
                })
            })
            .collect();
        // Before they begin: they may be done before this thread runs again.
        let begin = Instant::now();
        go.wait();
        done.wait();
        (0..self.files.len()).for_each(|_| self.pause());
        let took = begin.elapsed();
        for thread in threads {
            thread.join().expect("a thread that read files");
        }
        took
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

/// The ways of [`Program`], and what a replay calls them.
fn ways() -> [Strategy; 2] {
    let lookahead = Lookahead::ALL;
    [Strategy::Threads { threads: 2, lookahead }, Strategy::TokioUring { depth: 128, lookahead }]
}

/// Medians, in microseconds.
struct Round {
    plain: f64,
    predicted: [f64; 2],
    actual: [f64; 2],
    /// What the replay says that the calls cost in the program.
    calls: f64,
}

fn round(program: &mut Program, runtime: &tokio_uring::Runtime) -> Result<Round, Box<dyn Error>> {
    let (mut serial, mut threads, mut ring) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        program.empty_caches();
        serial.push(program.serial());
        program.empty_caches();
        threads.push(program.threads());
        program.empty_caches();
        ring.push(program.ring(runtime));
    }
    let plan = program.record()?;
    let thinking = Strategy::Thinking { disturb: true };
    let options = Options {
        strategies: [Strategy::Free, thinking].into_iter().chain(ways()).collect(),
        cache: if program.cold { Cache::Dropped } else { Cache::Warm },
        wall_ns: serial.iter().map(|time| time.as_nanos() as f64).collect(),
        blocks: RUNS,
        ..Options::default()
    };
    let outcome = replay(plan, &options, |_| ())?;
    let figures = |way: Strategy| -> Result<Figures, Box<dyn Error>> {
        let row = outcome.row(way).ok_or("a strategy that was not measured")?;
        row.figures.clone().map_err(|voided| format!("{way}: {voided:?}").into())
    };
    let mut predicted = [0.0; 2];
    for (predicted, way) in predicted.iter_mut().zip(ways()) {
        *predicted = figures(way)?.projection.ok_or("no projection")?.wall_ns.median / 1e3;
    }
    let calls = figures(thinking)?.calls_ns.median / 1e3;
    Ok(Round { plain: median(serial), predicted, actual: [median(threads), median(ring)], calls })
}

fn report(rounds: &[Round]) {
    let middle = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let plain = middle(&|round| round.plain);
    println!("plain calls: {plain:.0} µs, of it in the calls {:.0}", middle(&|round| round.calls));
    println!("{:40} {:>12} {:>9} {:>16}", "rewritten with", "predicted µs", "actual", "error of change");
    for (index, way) in ways().into_iter().enumerate() {
        let (predicted, actual) =
            (middle(&|round| round.predicted[index]), middle(&|round| round.actual[index]));
        let error = (predicted - actual).abs() / (plain - actual).abs() * 100.0;
        println!("{:40} {predicted:12.0} {actual:9.0} {error:14.0} %", way.to_string());
    }
    println!("Saying that nothing changes has an error of 100 % of the change.");
}
