//! How CPU time divides between user mode and the kernel.
//!
//! The sum of both is exact, its parts are not: with tick-based accounting (`cputime_adjust` in
//! kernel/sched/cputime.c of Linux) the kernel looks at every clock tick which of the two a process is in, and
//! divides its exact time as those ticks fell. One run of 8 ms meets two ticks, so it may seem to be all user or all
//! sys; over many runs the sums tell. A process that met no tick is counted as all user, so where processes
//! are shorter than a tick even the sums are wrong. Medians of either part mean nothing.

use super::interval::Figures;

/// Fewer ticks than these tell too little: with 25 the standard error is 10 points at most.
const LEAST_TICKS: f64 = 25.0;

/// A process shorter than a tick puts up to a quarter of a tick too much into user mode. With this many
/// ticks for each process, that is a twentieth at most.
const TICKS_OF_EACH: f64 = 5.0;

/// Which part of the CPU time of all runs was in user mode, 0 to 1, where a clock tick lasts this long (0: not
/// known) and a run has this many processes. `None` where the ticks do not tell.
#[must_use]
pub fn user_share(figures: &Figures, tick_ns: u64, processes: u64) -> Option<f64> {
    let cpu = &figures.cpu_ns;
    let ticks_of_a_run = (tick_ns > 0).then(|| cpu.mean / tick_ns as f64)?;
    let wanted = if processes > 1 { TICKS_OF_EACH * processes as f64 } else { 1.0 };
    let enough = ticks_of_a_run >= wanted && ticks_of_a_run * cpu.count as f64 >= LEAST_TICKS;
    enough.then(|| figures.user_ns.mean / cpu.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Run;

    const TICK: u64 = 4_000_000;

    fn runs(times: &[(u64, u64)], repeated: usize) -> Figures {
        let run = |&(user_ns, system_ns): &(u64, u64)| Run { user_ns, system_ns, ..Run::default() };
        Figures::of(&times.repeat(repeated).iter().map(run).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn sums_tell_what_medians_do_not() {
        // Of three runs of two ticks each, one had both in the kernel.
        let runs = runs(&[(8_000_000, 0), (0, 8_000_000), (8_000_000, 0)], 10);
        let share = user_share(&runs, TICK, 1).unwrap();
        assert!((share - 2.0 / 3.0).abs() < 1e-9, "{share}");
    }

    #[test]
    fn nothing_is_told_by_too_few_ticks() {
        let eight = runs(&[(8_000_000, 0)], 100);
        assert_eq!(user_share(&eight, TICK, 1), Some(1.0));
        assert_eq!(user_share(&eight, 0, 1), None, "no tick is known");
        assert_eq!(user_share(&runs(&[(8_000_000, 0)], 12), TICK, 1), None, "24 ticks");
        assert_eq!(user_share(&eight, TICK, 2), None, "each can be shorter than a tick");
        assert_eq!(user_share(&runs(&[(500_000, 0)], 1000), TICK, 1), None, "most runs meet no tick");
        assert_eq!(user_share(&runs(&[(30_000_000, 10_000_000)], 100), TICK, 2), Some(0.75));
        assert_eq!(user_share(&runs(&[(0, 0)], 9), TICK, 0), None);
    }
}
