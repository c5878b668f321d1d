//! Clocks and timers.

use super::flag_sets;

flag_sets! {
    /// Clock identifiers.
    CLOCK: int "CLOCK_???" {
        CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3,
        CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7,
        CLOCK_REALTIME_ALARM = 8, CLOCK_BOOTTIME_ALARM = 9, CLOCK_SGI_CYCLE = 10, CLOCK_TAI = 11,
    }
    /// `clock_nanosleep(2)` and `timer_settime(2)` flags.
    TIMER: int "TIMER_???" { TIMER_ABSTIME = 1 }
    /// `setitimer(2)` timers.
    ITIMER: int "ITIMER_???" { ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2 }
}
