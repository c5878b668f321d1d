//! When threads that waited could go on: the kernel's tracepoint `sched_wakeup`, where it may be read.
//!
//! Counters of the command's threads would tell only of wake-ups by each other, and not of those by a timer's or a disk's
//! interrupt while another program runs. So every wake-up on the machine is taken in, who and when, and those of other programs
//! are forgotten at once. Without them, a wait seems to last until the thread has a CPU again.

use std::io;
use std::path::Path;

use perf_event_open::config::{
    All, Clock, Cpu, Opts, RecordIdFormat, SampleFormat, SampleOn, WakeUp, WakeUpOn,
};
use perf_event_open::count::Counter;
use perf_event_open::event::tp::Tracepoint;
use perf_event_open::sample::Sampler as Ring;
use perf_event_open::sample::record::Record;

/// Where the kernel's tracepoints are told of.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// The tracepoint.
const EVENT: &str = "events/sched/sched_wakeup";
/// The field of it that says who is woken.
const WOKEN: &str = "field:pid_t pid;";
/// Size of a ring, in powers of two of pages: some thousand wake-ups between two rounds.
const RING: u8 = 6;

/// The namespace in which process ids are the kernel's own, as `/proc/PID/ns/pid` names it (`PROC_PID_INIT_INO`).
const ALL_PIDS: &str = "pid:[4026531836]";

/// Where a record says who is woken, in bytes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Woken(usize);

impl Woken {
    /// The thread that a record of the tracepoint is of.
    fn tid(self, record: &[u8]) -> Option<u32> {
        let field = record.get(self.0..self.0.checked_add(4)?)?;
        Some(u32::from_ne_bytes(field.try_into().ok()?))
    }
}

/// Counters of wake-ups, one a CPU.
pub struct Wakes {
    /// A ring goes before its counter.
    rings: Vec<(Ring, Counter)>,
    woken: Woken,
}

impl Wakes {
    /// Opens them on so many CPUs; `None`: it is not permitted, or the numbers of threads would not be ours.
    pub fn open(cpus: u32) -> Option<Self> {
        std::fs::read_link("/proc/self/ns/pid").ok().filter(|namespace| namespace == Path::new(ALL_PIDS))?;
        let (event, woken) = PLACES.iter().find_map(|place| {
            let read = |name: &str| std::fs::read_to_string(format!("{place}/{EVENT}/{name}")).ok();
            let id = read("id")?.trim().parse().ok()?;
            Some((Tracepoint { id }, woken(&read("format")?)?))
        })?;
        let mut rings = Vec::new();
        for cpu in 0..cpus {
            match ring(&event, cpu) {
                Ok(ring) => rings.push(ring),
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) && !rings.is_empty() => {}
                Err(_) => return None,
            }
        }
        Some(Self { rings, woken })
    }

    /// Takes all out of the rings: when, and which thread.
    pub fn drain(&self, mut take: impl FnMut(u64, u32)) {
        for (ring, _) in &self.rings {
            for (_, record) in ring.iter().into_iter().flatten() {
                let Record::Sample(wake) = record else { continue };
                let tid = wake.raw.as_deref().and_then(|raw| self.woken.tid(raw));
                if let Some((time, tid)) = wake.record_id.time.zip(tid) {
                    take(time, tid);
                }
            }
        }
    }
}

fn ring(event: &Tracepoint, cpu: u32) -> io::Result<(Ring, Counter)> {
    let counter = Counter::new(event.clone(), (All, Cpu(cpu)), options())?;
    Ok((counter.sampler(RING)?, counter))
}

fn options() -> Opts {
    Opts {
        enable: true,
        sample_on: SampleOn::Count(1),
        sample_format: SampleFormat { raw: true, ..SampleFormat::default() },
        record_id_format: RecordIdFormat { time: true, ..RecordIdFormat::default() },
        wake_up: WakeUp { on: WakeUpOn::Bytes(u32::MAX), on_aux_bytes: 0 },
        timer: Some(Clock::Monotonic),
        ..Opts::default()
    }
}

/// Reads the line `field:pid_t pid;  offset:24;  size:4;  signed:1;` of a tracepoint's description.
fn woken(format: &str) -> Option<Woken> {
    let fields = format.lines().find_map(|line| line.trim().strip_prefix(WOKEN))?;
    let of = |name: &str| fields.split(';').find_map(|field| field.trim().strip_prefix(name)?.parse().ok());
    (of("size:") == Some(4)).then_some(Woken(of("offset:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_woken_stands_where_the_kernel_says() {
        let format = "name: sched_wakeup\nID: 374\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
                      \tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\
                      \tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n";
        assert_eq!(woken(format), Some(Woken(24)));
        let mut record = [0; 36];
        record[24..28].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(Woken(24).tid(&record), Some(7));
        assert_eq!(Woken(24).tid(&record[..27]), None);
        assert_eq!(Woken(usize::MAX).tid(&record), None);
        assert_eq!(woken("name: other"), None);
        assert_eq!(woken("field:pid_t pid; offset:24; size:8;"), None);
    }
}
