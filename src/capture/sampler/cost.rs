//! What a sample takes from the program that is sampled.
//!
//! The interrupt in which the kernel takes a sample lasts as long as the program stands still, and no sample tells of it. So
//! some are taken of a thread of ours that does nothing but read the clock: where a sample lies between two readings, they are
//! apart by what it took.

use std::hint::black_box;
use std::io;

use perf_event_open::config::{Cpu, Opts, Proc, SampleOn};
use perf_event_open::count::Counter;
use perf_event_open::event::sw::Software;
use perf_event_open::sample::record::Record;

use super::super::sys::clock::monotonic_ns;
use super::counters::{STACK, options};

/// Samples a second while it is measured.
const HZ: u32 = 5000;
/// How long that takes: some twenty samples.
const LASTS_NS: u64 = 4_000_000;
/// Fewer samples than this tell nothing: the machine is too busy.
const FEWEST: usize = 5;
/// Readings of the clock that are further apart are kept, and how many.
const APART_NS: u64 = 500;
const MOST: usize = 4096;
/// The ring, in powers of two of pages: it has room for all of them.
const RING: [u8; 3] = [9, 7, 5];

/// How long a sample at such a rate holds up the program, in nanoseconds: the median of some.
///
/// `None`: not known, as where samples are not permitted or the machine is busy.
pub fn measure(hz: u32) -> Option<u64> {
    with_stack(hz).or_else(|_| taken(hz, true)).ok().flatten()
}

/// The same with a stack below us that is as long as what a sample has of it.
#[allow(clippy::large_stack_arrays, reason = "it is the stack that is to be long")]
fn with_stack(hz: u32) -> io::Result<Option<u64>> {
    let filled = black_box([1_u8; STACK as usize]);
    let cost = taken(hz, false);
    black_box(&filled);
    cost
}

fn taken(hz: u32, user_only: bool) -> io::Result<Option<u64>> {
    let options = Opts {
        inherit: None,
        on_execve: None,
        sample_on: SampleOn::Freq(u64::from(HZ)),
        ..options(hz, user_only)
    };
    let counter = Counter::new(Software::CpuClock, (Proc::CURRENT, Cpu::ALL), &options)?;
    let ring = RING.into_iter().find_map(|size| counter.sampler(size).ok());
    let ring = ring.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
    let mut gaps = Vec::with_capacity(MOST);
    counter.enable()?;
    let begin = monotonic_ns();
    let mut last = begin;
    while last - begin < LASTS_NS && gaps.len() < MOST {
        let now = monotonic_ns();
        if now - last > APART_NS {
            gaps.push((last, now));
        }
        last = now;
    }
    counter.disable()?;
    let times = ring.iter().into_iter().flatten().filter_map(|(_, record)| match record {
        Record::Sample(sample) => sample.record_id.time,
        _ => None,
    });
    Ok(median(&gaps, times))
}

/// The median length of the gaps in which these times lie.
fn median(gaps: &[(u64, u64)], times: impl Iterator<Item = u64>) -> Option<u64> {
    let length = |time| {
        let at = gaps.partition_point(|(_, end)| *end < time);
        gaps.get(at).filter(|(start, _)| *start <= time).map(|(start, end)| end - start)
    };
    let mut lengths: Vec<u64> = times.filter_map(length).collect();
    lengths.sort_unstable();
    (lengths.len() >= FEWEST).then(|| lengths[lengths.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_took_as_long_as_the_gap_in_which_it_lies() {
        let gaps = [(100, 110), (200, 220), (300, 330), (400, 440), (500, 550), (600, 9600)];
        let samples = [105, 200, 330, 420, 501];
        assert_eq!(median(&gaps, samples.into_iter()), Some(30));
        // A gap without a sample is somebody else's; a sample without a gap tells nothing.
        assert_eq!(median(&gaps, samples.into_iter().take(4).chain([150, 9_999_999])), None);
    }
}
