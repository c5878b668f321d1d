//! How fast the scratch tree of a large install is made and put back, and what that takes of memory.
//!
//! `cargo bench -p trace-replay --bench tree [-- DIRECTORY]`

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use trace_replay::{
    At, Op, Options, Plan, PlanBuilder, PlanError, Progress, Recorded, Scratch, StatCall, StatFacts,
    Strategy, needs, replay_in_scratch,
};

/// Files that are there before, in directories of a hundred.
const FILES: usize = 200_000;
/// Files that are opened and never closed.
const UNCLOSED: usize = 5_000;
/// Files that are made.
const MADE: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().skip(1).find(|word| word != "--bench").map(PathBuf::from);
    let plan = plan()?;
    let begin = Instant::now();
    let needs = needs(&plan, &trace_replay::ScratchLimits::default())?;
    let (took, memory) = (begin.elapsed(), most_memory_kib()? / 1024);
    println!(
        "{} calls, {} entries worked out in {took:.2?}, most memory {memory} MiB",
        plan.len(),
        needs.entries
    );
    let options = Options { strategies: vec![Strategy::Serial], blocks: 3, ..Options::default() };
    let scratch = Scratch { directory, ..Scratch::default() };
    let (begin, mut last, mut reports) = (Instant::now(), "planned", 0);
    let mut phase = |name: &'static str, at: Duration| {
        if name != last {
            println!("{last} until {at:.2?}");
            last = name;
        }
    };
    let told = replay_in_scratch(
        plan,
        &options,
        &scratch,
        |progress| {
            reports += usize::from(matches!(progress, Progress::Making { .. }));
            let name = match progress {
                Progress::Making { .. } => "tree made",
                Progress::Rehearsing => "rehearsed",
                Progress::Measuring { .. } => "measured",
                Progress::Stopping => "stopped",
                Progress::Left(_) => "left behind",
            };
            phase(name, begin.elapsed());
        },
        |outcome| {
            let coverage = &outcome.coverage;
            format!("{} of {} calls replayed", coverage.replayed, coverage.calls).into_bytes()
        },
    )?;
    phase("removed", begin.elapsed());
    println!("{}, progress told {reports} times", String::from_utf8_lossy(&told));
    Ok(())
}

fn plan() -> Result<Plan, PlanError> {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/install"))?;
    for file in 0..FILES {
        let path = builder.path(format!("package{}/module{file}.py", file / 100).as_bytes())?;
        let facts = StatFacts { mode: Some(0o100_644), size: Some(4000), nlink: Some(1), file: None };
        let stat = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
        builder.call(thread, stat, Recorded::returned(0).with_stat(facts))?;
        if file < UNCLOSED {
            let open = Op::Open { at: At::Cwd, path, flags: 0, mode: 0, resolve: 0 };
            builder.call(thread, open, Recorded::returned(100 + file as i64))?;
        }
    }
    for file in 0..MADE {
        let path = builder.path(format!("package0/made{file}").as_bytes())?;
        let flags = (libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY) as u32;
        builder.call(
            thread,
            Op::Open { at: At::Cwd, path, flags, mode: 0o666, resolve: 0 },
            Recorded::returned(9),
        )?;
        builder.call(thread, Op::Close { fd: 9 }, Recorded::returned(0))?;
    }
    Ok(builder.build())
}

/// `VmHWM` of /proc/self/status.
fn most_memory_kib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
