//! The line on a program's threads: what projections of more than one rest on.

use super::ratio;
use crate::analysis::replay::Threads;
use crate::report::units::time;

/// How many threads were scheduled again, and whether that is to be believed.
pub fn line(threads: Threads) -> String {
    let Threads { threads, cores, logged_ns, scheduled_ns, passed } = threads;
    let known = format!(
        "Projections schedule the program's {threads} threads on {cores} processors again: with the log's own times that \
         takes {} where the log took {}",
        time(scheduled_ns as u64),
        time(logged_ns as u64)
    );
    if passed {
        return format!("{known}.");
    }
    let how_far = ratio(scheduled_ns / logged_ns.max(1.0));
    format!("{known}, {how_far} times as long: who waits for whom is not known well enough to believe them.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_that_is_not_the_programs_is_not_believed() {
        let threads = Threads { threads: 5, cores: 2, logged_ns: 10e6, scheduled_ns: 10.5e6, passed: true };
        assert_eq!(
            line(threads),
            "Projections schedule the program's 5 threads on 2 processors again: with the log's own times that takes \
             10.5 ms where the log took 10.0 ms."
        );
        let far = line(Threads { scheduled_ns: 20e6, passed: false, ..threads });
        assert!(far.ends_with("took 10.0 ms, 2.00 times as long: who waits for whom is not known well enough to believe them."), "{far}");
    }
}
