//! Does a replay predict for a program with threads? Two threads with known pauses, one with three times the files of the
//! other: as they are, without their calls, and with all calls made by one ring beforehand.
//!
//! The first is recorded and replayed; what the replay says of the others is held against what they take, beside what the
//! sum of all calls' time says, which knows no threads.
//! `cargo run --release -p trace-replay --example threads`

#[path = "support/held.rs"]
mod held;

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use held::{Held, median, middle};
use trace_replay::{
    At, Estimate, Lookahead, Op, Options, Plan, PlanBuilder, Recorded, RecordedTimes, Scope, Share, StatCall,
    Strategy, ThreadId, replay,
};

/// Files of each thread.
const FILES: [usize; 2] = [600, 200];
const PAUSE: Duration = Duration::from_micros(5);
const RUNS: usize = 15;
const ROUNDS: usize = 5;

/// When the calls of a file began and ended.
type Took = (PathBuf, Instant, Instant);

fn read_file(path: &Path) -> usize {
    let there = usize::from(fs::metadata(path).is_ok());
    let mut buffer = [0; 4096];
    there + File::open(path).and_then(|mut file| file.read(&mut buffer)).unwrap_or(0)
}

fn pause() {
    let begin = Instant::now();
    while begin.elapsed() < PAUSE {
        std::hint::spin_loop();
    }
}

/// Two threads, each file followed by a pause; `calls`: whether they read. What took how long, where that is kept.
fn run(files: &[Vec<PathBuf>], calls: bool) -> (Duration, Vec<Vec<Took>>) {
    let begin = Instant::now();
    let threads: Vec<_> = files
        .iter()
        .cloned()
        .map(|files| {
            std::thread::spawn(move || {
                let mut took = Vec::with_capacity(files.len());
                for path in files {
                    let begin = Instant::now();
                    if calls {
                        std::hint::black_box(read_file(&path));
                    }
                    took.push((path, begin, Instant::now()));
                    pause();
                }
                took
            })
        })
        .collect();
    let took = threads.into_iter().map(|thread| thread.join().expect("a thread that reads")).collect();
    (begin.elapsed(), took)
}

async fn read_in_ring(path: PathBuf) -> usize {
    let there = usize::from(tokio_uring::fs::statx(&path).await.is_ok());
    let Ok(file) = tokio_uring::fs::File::open(&path).await else { return 0 };
    let (bytes, _) = file.read_at(Vec::with_capacity(4096), 0).await;
    let closed = usize::from(file.close().await.is_ok());
    there + bytes.unwrap_or(0) + closed
}

fn run_with_ring(files: &[Vec<PathBuf>], runtime: &tokio_uring::Runtime) -> Duration {
    let begin = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> =
            files.iter().flatten().cloned().map(read_in_ring).map(tokio_uring::spawn).collect();
        for task in tasks {
            std::hint::black_box(task.await.expect("a task that read a file"));
        }
    });
    run(files, false);
    begin.elapsed()
}

/// When a recorded run began, what its calls took, and when it ended.
type Run = (Instant, Vec<Vec<Took>>, Instant);

fn record(files: &[Vec<PathBuf>]) -> Run {
    let origin = Instant::now();
    let (_, took) = run(files, true);
    (origin, took, Instant::now())
}

/// The program's calls as a log would have them, in a run that is in the middle of several; and what they took in each, in
/// parts of that.
fn log(recorded: Vec<Run>) -> Result<(Plan, Vec<f64>), Box<dyn Error>> {
    let in_calls =
        |(_, took, _): &Run| -> Duration { took.iter().flatten().map(|(_, begin, end)| *end - *begin).sum() };
    let mut recorded = recorded;
    recorded.sort_by_key(in_calls);
    let middle = in_calls(&recorded[recorded.len() / 2]).as_secs_f64();
    let runs = recorded.iter().map(|run| in_calls(run).as_secs_f64() / middle).collect();
    let (origin, took, ended) = recorded.swap_remove(recorded.len() / 2);
    Ok((plan(origin, &took, ended)?, runs))
}

fn plan(origin: Instant, took: &[Vec<Took>], ended: Instant) -> Result<Plan, Box<dyn Error>> {
    let at = |when: Instant| (when - origin).as_nanos() as u64;
    let mut builder = PlanBuilder::default();
    let main = builder.process(Some(b"/"))?;
    builder.call(main, Op::Inert, Recorded::returned(0).at(0, 1))?;
    let share = Share { thread: true, files: true, fs: true };
    let threads: Vec<ThreadId> = took.iter().map(|_| builder.child(main, share)).collect::<Result<_, _>>()?;
    let mut all: Vec<(usize, &Took)> = took
        .iter()
        .enumerate()
        .flat_map(|(thread, took)| took.iter().map(move |one| (thread, one)))
        .collect();
    all.sort_by_key(|(_, (_, _, end))| *end);
    for (thread, (path, begin, end)) in all {
        // Two threads have two descriptors at a time.
        add_calls(&mut builder, (threads[thread], 3 + thread as i32), path, at(*begin), at(*end))?;
    }
    threads.into_iter().try_for_each(|thread| builder.exit(thread))?;
    builder.call(main, Op::Unknown(Scope::All), Recorded::returned(0).at(2, at(ended)))?;
    Ok(builder.build())
}

/// The four calls of a file, which share the time that it took.
fn add_calls(
    builder: &mut PlanBuilder,
    (thread, fd): (ThreadId, i32),
    path: &Path,
    begin: u64,
    end: u64,
) -> Result<(), Box<dyn Error>> {
    let size = fs::metadata(path)?.len() as i64;
    let path = builder.path(path.to_str().ok_or("not UTF-8")?.as_bytes())?;
    let flags = libc::O_CLOEXEC as u32;
    let calls = [
        (Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Statx(libc::STATX_ALL) }, 0),
        (Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 }, i64::from(fd)),
        (Op::Read { fd, count: 4096 }, size),
        (Op::Close { fd }, 0),
    ];
    let each = (end - begin) / calls.len() as u64;
    for ((op, ret), place) in calls.into_iter().zip(0_u64..) {
        let start = begin + place * each;
        builder.call(thread, op, Recorded::returned(ret).at(start, start + each))?;
    }
    Ok(())
}

/// What is changed, and what a replay calls it.
fn ways() -> [(&'static str, Strategy); 2] {
    let ring = Strategy::TokioUring { depth: 128, lookahead: Lookahead::ALL };
    [
        ("two threads, without their calls", Strategy::Free),
        ("two threads, all calls in one ring before", ring),
    ]
}

/// In microseconds.
struct Round {
    plain: Vec<f64>,
    actual: [Vec<f64>; 2],
    predicted: Vec<Estimate>,
    /// What the sum of the calls' time says.
    summed: [f64; 2],
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn round(files: &[Vec<PathBuf>], runtime: &tokio_uring::Runtime) -> Result<Round, Box<dyn Error>> {
    let (mut plain, mut free, mut ring) = (Vec::new(), Vec::new(), Vec::new());
    let mut recorded = Vec::new();
    for _ in 0..RUNS {
        // The first time each finds in the caches what another way has left.
        for times in [&mut Vec::new(), &mut plain] {
            times.push(micros(run(files, true).0));
        }
        free.push(micros(run(files, false).0));
        for times in [&mut Vec::new(), &mut ring] {
            times.push(micros(run_with_ring(files, runtime)));
        }
        // As it was timed: in the same turn, after itself.
        run(files, true);
        recorded.push(record(files));
    }
    let own = Strategy::Threads { threads: 2, lookahead: Lookahead::FAITHFUL };
    let thinking = Strategy::Thinking { disturb: true };
    let (recorded, runs) = log(recorded)?;
    let options = Options {
        strategies: [own, thinking].into_iter().chain(ways().map(|(_, way)| way)).collect(),
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
    let calls = outcome.gate.ok_or("a log without times")?.in_program_ns / 1e3;
    let (mut predicted, mut summed) = (Vec::new(), [0.0; 2]);
    for (index, (_, way)) in ways().into_iter().enumerate() {
        let figures = figures(way)?;
        let Estimate { median: middle, low, high } = figures.projection.ok_or("no projection")?.wall_ns;
        predicted.push(Estimate { median: middle / 1e3, low: low / 1e3, high: high / 1e3 });
        let ratio = if way == Strategy::Free { 0.0 } else { figures.against_serial.median };
        summed[index] = median(plain.clone()) - calls * (1.0 - ratio);
    }
    Ok(Round { plain, actual: [free, ring], predicted, summed })
}

fn report(rounds: &[Round]) {
    let plain = median(rounds.iter().flat_map(|round| round.plain.clone()).collect());
    println!(
        "A program of two threads with known pauses, {} and {} files: {plain:.0} µs.\n",
        FILES[0], FILES[1]
    );
    println!("{}", Held::HEAD);
    for (index, (name, _)) in ways().into_iter().enumerate() {
        let changes = rounds.iter().flat_map(|round| {
            round.actual[index].iter().zip(&round.plain).map(|(changed, plain)| changed - plain)
        });
        let changes: Vec<f64> = changes.collect();
        let summed = median(rounds.iter().map(|round| round.summed[index]).collect());
        let change = median(changes.clone());
        let error = ((summed - plain - change) / change).abs() * 100.0;
        let predicted: Vec<Estimate> = rounds.iter().map(|round| round.predicted[index]).collect();
        let what = format!("{name} (by the sum of its calls {summed:.0} µs: {error:.0} %)");
        println!("{}", Held { what, plain, predicted: middle(&predicted), changes });
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut files = Vec::new();
    for (thread, count) in FILES.into_iter().enumerate() {
        let paths: Vec<PathBuf> =
            (0..count).map(|file| directory.path().join(format!("{thread}-{file}.py"))).collect();
        for path in &paths {
            fs::write(path, "x".repeat(2000))?;
        }
        files.push(paths);
    }
    let runtime = tokio_uring::Runtime::new(tokio_uring::builder().entries(128))?;
    // In turns, so that both see the same machine.
    let rounds: Vec<Round> = (0..ROUNDS).map(|_| round(&files, &runtime)).collect::<Result<_, _>>()?;
    report(&rounds);
    Ok(())
}
