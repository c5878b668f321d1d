//! What an interpreter's start does to a directory of modules: looks each up in vain in some directories, then stats,
//! opens and reads it. Prints how the strategies compare.
//!
//! `cargo run --release -p trace-replay --example interpreter -- [DIRECTORY] [cold]`

use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use std::{env, fs};

use trace_replay::{
    At, Cache, Op, Options, Plan, PlanBuilder, Progress, Recorded, StatCall, StatFacts, ThreadId, replay,
};

/// Modules looked at, at most.
const MODULES: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).unwrap_or_else(|| "/usr/lib/python3.11".to_owned());
    let cache = if env::args().any(|argument| argument == "cold") { Cache::Dropped } else { Cache::Warm };
    let plan = plan(&directory)?;
    let options = Options { cache, time: Duration::from_secs(10), ..Options::default() };
    let outcome = replay(plan, &options, |progress| {
        if progress == Progress::Rehearsing {
            eprintln!("rehearsing");
        }
    })?;
    let coverage = &outcome.coverage;
    println!(
        "{} of {} calls replayed, fidelity {:.3}",
        coverage.replayed,
        coverage.calls,
        coverage.fidelity()
    );
    println!("{:?} {:?} {:?}", outcome.guard, outcome.no_ring, outcome.unavailable);
    println!(
        "{:42} {:>9} {:>8} {:>8} {:>8} {:>7} {:>6}",
        "", "µs", "serial", "threads", "CPU", "enters", "punts"
    );
    for row in &outcome.rows {
        let Ok(figures) = &row.figures else {
            println!("{:42} void: {:?}", row.strategy.to_string(), row.figures);
            continue;
        };
        let threads = figures.against_threads.map_or(f64::NAN, |threads| threads.median);
        println!(
            "{:42} {:9.1} {:8.2} {:8.2} {:8.2} {:7} {:>6}",
            row.strategy.to_string(),
            figures.calls_ns.median / 1e3,
            figures.against_serial.median,
            threads,
            figures.cpu_ratio.median,
            row.counts.kernel_entries,
            row.punts.map_or("?".to_owned(), |punts| punts.to_string()),
        );
    }
    Ok(())
}

fn plan(directory: &str) -> Result<Plan, Box<dyn Error>> {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/"))?;
    let entries = fs::read_dir(directory)?.filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    for entry in files.take(MODULES) {
        let path = entry.path();
        let path = path.to_str().ok_or("a name that is not UTF-8")?;
        let metadata = entry.metadata()?;
        for place in ["/usr/bin", "/usr/lib"] {
            let missing = format!("{place}/no-such-package/{}", entry.file_name().display());
            stat(&mut builder, thread, &missing, -i64::from(libc::ENOENT), StatFacts::default())?;
        }
        let size = metadata.len();
        let facts = StatFacts { mode: Some(metadata.mode()), size: Some(size), nlink: None, file: None };
        stat(&mut builder, thread, path, 0, facts)?;
        let path = builder.path(path.as_bytes())?;
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as u32;
        let open = Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 };
        builder.call(thread, open, Recorded::returned(3))?;
        builder.call(thread, Op::Fstat { fd: 3 }, Recorded::returned(0).with_stat(facts))?;
        builder.call(thread, Op::Seek { fd: 3, offset: 0, whence: 1 }, Recorded::returned(0))?;
        builder.call(thread, Op::Read { fd: 3, count: size + 1 }, Recorded::returned(size as i64))?;
        builder.call(thread, Op::Read { fd: 3, count: 1 }, Recorded::returned(0))?;
        builder.call(thread, Op::Close { fd: 3 }, Recorded::returned(0))?;
    }
    Ok(builder.build())
}

fn stat(
    builder: &mut PlanBuilder,
    thread: ThreadId,
    path: &str,
    ret: i64,
    facts: StatFacts,
) -> Result<(), Box<dyn Error>> {
    let path = builder.path(path.as_bytes())?;
    let op = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
    builder.call(thread, op, Recorded::returned(ret).with_stat(facts))?;
    Ok(())
}
