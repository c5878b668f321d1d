//! How much a replay adds to the calls that it makes.

use std::time::{Duration, Instant};

use super::Session;
use crate::ReplayError;
use crate::engine::{Engine, Serial};
use crate::measure::{Estimate, Options};
use crate::plan::Plan;
use crate::sys::bare::BareLoop;

/// Runs of each kind in a block.
const RUNS: usize = 5;

/// What the replay's own bookkeeping costs: the time of a serial replay over that of the same calls in a bare loop,
/// side by side on a confined thread.
pub fn overhead(plan: Plan, blocks: usize) -> Result<Estimate, ReplayError> {
    let options = Options::default();
    std::thread::scope(|scope| {
        let measure = || {
            let session = Session::begin(plan, &options, |_| ())?;
            let mut bare = BareLoop::new(&session.bench.run);
            let mut serial = Serial::new(&session.program);
            let run = &session.bench.run;
            let mut ratios = Vec::with_capacity(blocks);
            for block in 0..=blocks {
                let bare_ns = shortest(|| {
                    run.reset().map_err(ReplayError::io("the run could not be prepared"))?;
                    bare.prepare(run);
                    let begin = Instant::now();
                    bare.run();
                    let took = begin.elapsed();
                    bare.end();
                    Ok(took)
                })?;
                let serial_ns = shortest(|| {
                    run.reset().map_err(ReplayError::io("the run could not be prepared"))?;
                    let begin = Instant::now();
                    serial.run(run).map_err(ReplayError::io("the serial replay failed"))?;
                    Ok(begin.elapsed())
                })?;
                // The first block fills the caches.
                if block > 0 {
                    ratios.push(serial_ns / bare_ns.max(1.0));
                }
            }
            Estimate::of(&ratios).ok_or_else(|| ReplayError::NothingToReplay("no blocks".to_owned()))
        };
        scope.spawn(measure).join().map_err(|_| ReplayError::Panicked)?
    })
}

/// The shortest of some runs, in nanoseconds: the machine's other work only adds.
fn shortest(mut run: impl FnMut() -> Result<Duration, ReplayError>) -> Result<f64, ReplayError> {
    let mut shortest = Duration::MAX;
    for _ in 0..RUNS {
        shortest = shortest.min(run()?);
    }
    Ok(shortest.as_nanos() as f64)
}
