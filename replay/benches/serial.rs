//! What a serial replay costs over the same calls in a bare loop: a ratio, at most 1.05.
//!
//! `cargo bench -p trace-replay --bench serial`

use std::error::Error;
use std::fs;

use trace_replay::{At, Op, Plan, PlanBuilder, Recorded, StatCall, overhead};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut paths = Vec::new();
    for index in 0..100 {
        let path = directory.path().join(format!("module{index}.py"));
        fs::write(&path, "x".repeat(2000))?;
        paths.push(path.to_str().ok_or("a temporary directory that is not UTF-8")?.to_owned());
    }
    for (name, plan) in [("stat", stats(&paths)?), ("stat, open, fstat, read, close", files(&paths)?)] {
        let ratio = overhead(plan, 50)?;
        println!("{name}: {:.3} ({:.3} to {:.3})", ratio.median, ratio.low, ratio.high);
    }
    Ok(())
}

fn stats(paths: &[String]) -> Result<Plan, Box<dyn Error>> {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/"))?;
    for path in paths {
        let there = builder.path(path.as_bytes())?;
        let missing = builder.path(format!("{path}.not").as_bytes())?;
        for (path, ret) in [(there, 0), (missing, -i64::from(libc::ENOENT))] {
            let op = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
            builder.call(thread, op, Recorded::returned(ret))?;
        }
    }
    Ok(builder.build())
}

fn files(paths: &[String]) -> Result<Plan, Box<dyn Error>> {
    let mut builder = PlanBuilder::default();
    let thread = builder.process(Some(b"/"))?;
    for path in paths {
        let path = builder.path(path.as_bytes())?;
        let ops = [
            (Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat }, 0),
            (Op::Open { at: At::Cwd, path, flags: 0, mode: 0, resolve: 0 }, 3),
            (Op::Fstat { fd: 3 }, 0),
            (Op::Read { fd: 3, count: 4096 }, 2000),
            (Op::Read { fd: 3, count: 4096 }, 0),
            (Op::Close { fd: 3 }, 0),
        ];
        for (op, ret) in ops {
            builder.call(thread, op, Recorded::returned(ret))?;
        }
    }
    Ok(builder.build())
}
