//! How fast a plan of two million calls is built and ordered, and how much memory it takes; with `links`, the same of a
//! plan that means harm: a million symbolic links, each to the next.
//!
//! `cargo bench -p trace-replay --bench planning [-- links]`

use std::error::Error;
use std::fs;
use std::time::Instant;

use trace_replay::{
    At, Lookahead, Op, Plan, PlanBuilder, PlanError, Recorded, ScratchLimits, Seen, StatCall, StatFacts,
    needs, order,
};

const CALLS: usize = 2_000_000;
/// Distinct paths: as many as a large install has files.
const PATHS: usize = 200_000;

/// Links of the plan that means harm, and lookups through them.
const LINKS: usize = 1_000_000;
const LOOKUPS: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|word| word == "links") {
        return links();
    }
    let begin = Instant::now();
    let plan = plan()?;
    let built = begin.elapsed();
    let calls = plan.len();
    let begin = Instant::now();
    let order = order(plan, Lookahead::ALL)?;
    let ordered = begin.elapsed();
    let rate = calls as f64 / (built + ordered).as_secs_f64() / 1e6;
    println!(
        "{calls} calls: built in {built:.2?}, ordered in {ordered:.2?}: {rate:.1} million calls a second"
    );
    println!("parallelism {:.0}, most memory {} MiB", order.parallelism(), most_memory_kib()? / 1024);
    Ok(())
}

/// Half of the links were there (readlink), half are made; lookups begin all over them and go as far as the kernel would.
fn links() -> Result<(), Box<dyn Error>> {
    const ELOOP: i64 = -40;
    let begin = Instant::now();
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/w"))?;
    let times = |at: usize| Recorded::returned(0).at(at as u64 * 100, at as u64 * 100 + 50);
    for link in 0..LINKS {
        let (name, next) = (format!("/w/l{link}"), format!("/w/l{}", (link + 1) % LINKS));
        let (path, target) = (builder.path(name.as_bytes())?, builder.path(next.as_bytes())?);
        if link % 2 == 0 {
            let room = 4095;
            let recorded = Recorded { ret: Some(next.len() as i64), ..times(link) };
            builder.call(thread, Op::ReadLink { at: At::Cwd, path, size: room }, recorded)?;
            builder.seen(name.as_bytes(), Seen::Holds(next.as_bytes()))?;
        } else {
            builder.call(thread, Op::Symlink { target, at: At::Cwd, path }, times(link))?;
        }
    }
    for lookup in 0..LOOKUPS {
        let path = builder.path(format!("/w/l{}/x", lookup * 5 % LINKS).as_bytes())?;
        let recorded = Recorded { ret: Some(ELOOP), ..times(LINKS + lookup) };
        builder.call(thread, Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat }, recorded)?;
    }
    let plan = builder.build();
    let (built, begin) = (begin.elapsed(), Instant::now());
    let needs = needs(&plan, &ScratchLimits::default())?;
    println!(
        "{LINKS} links, {LOOKUPS} lookups through them: built in {built:.2?}; {} entries worked out in {:.2?}, most memory {} MiB",
        needs.entries,
        begin.elapsed(),
        most_memory_kib()? / 1024
    );
    Ok(())
}

fn plan() -> Result<Plan, PlanError> {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/"))?;
    let mut calls = 0;
    for file in 0.. {
        let path = format!("/usr/lib/python3/dist-packages/package{}/module{}.py", file % 500, file % PATHS);
        let path = builder.path(path.as_bytes())?;
        let facts = StatFacts { mode: Some(0o100_644), size: Some(file as u64), nlink: Some(1), file: None };
        let ops = [
            (Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat }, 0),
            (Op::Open { at: At::Cwd, path, flags: 0, mode: 0, resolve: 0 }, 3),
            (Op::Fstat { fd: 3 }, 0),
            (Op::Read { fd: 3, count: 4096 }, 100),
            (Op::Read { fd: 3, count: 4096 }, 0),
            (Op::Close { fd: 3 }, 0),
        ];
        for (op, ret) in ops {
            let recorded = Recorded::returned(ret).at(calls as u64 * 100, calls as u64 * 100 + 50);
            let has_facts = matches!(op, Op::Stat { .. } | Op::Fstat { .. });
            builder.call(thread, op, if has_facts { recorded.with_stat(facts) } else { recorded })?;
            calls += 1;
        }
        if calls >= CALLS {
            break;
        }
    }
    Ok(builder.build())
}

/// `VmHWM` of /proc/self/status.
fn most_memory_kib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
