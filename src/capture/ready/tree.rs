//! The processes of an untraced command: everybody below this process, which adopts orphans meanwhile
//! ([`super::Reaper`]), so that nobody escapes by the death of a parent.

use std::fs;

use rustc_hash::FxHashMap;

use crate::log::Run;

/// One line of `/proc/PID/stat` (proc(5)), as far as it is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: i32,
    parent: i32,
    zombie: bool,
    /// Own and waited-for children's: page faults without and with I/O, then clock ticks in user mode and kernel.
    faults: [u64; 2],
    ticks: [u64; 2],
}

fn stat(line: &str) -> Option<Stat> {
    // The name, in parentheses, can hold anything.
    let (pid, rest) = line.split_once(" (")?;
    let words: Vec<&str> = rest.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    // The words are numbered from 3 on in proc(5).
    let number = |at: usize| words.get(at - 3)?.parse::<u64>().ok();
    let sum = |own: usize, waited: usize| Some(number(own)? + number(waited)?);
    Some(Stat {
        pid: pid.parse().ok()?,
        parent: words.get(1)?.parse().ok()?,
        zombie: matches!(*words.first()?, "Z" | "X"),
        faults: [sum(10, 11)?, sum(12, 13)?],
        ticks: [sum(14, 16)?, sum(15, 17)?],
    })
}

/// The processes below this one.
fn below() -> Vec<Stat> {
    let own = std::process::id().cast_signed();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: FxHashMap<i32, Stat> = numbers
        .filter_map(|pid| stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .map(|stat| (stat.pid, stat))
        .collect();
    let is_below = |stat: &&Stat| {
        let mut parent = stat.parent;
        // A table read while it changes could hold a circle.
        for _ in 0..all.len() {
            match all.get(&parent) {
                _ if parent == own => return true,
                Some(next) => parent = next.parent,
                None => return false,
            }
        }
        false
    };
    all.values().filter(is_below).copied().collect()
}

/// The living among them, in order.
pub fn pids() -> Vec<i32> {
    let mut pids: Vec<i32> = below().into_iter().filter(|stat| !stat.zombie).map(|stat| stat.pid).collect();
    pids.sort_unstable();
    pids
}

/// Looks taken before it is believed that nobody is left.
const LOOKS: u32 = 3;

/// Whether any of them lives. Reading all of `/proc` takes a while, in which a process can lose the parent that
/// leads from it to us, so nobody is gone until nobody was seen several times.
pub fn is_anybody_left() -> bool {
    (0..LOOKS).any(|look| {
        if look > 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        !pids().is_empty()
    })
}

/// What they have used until now; times to one clock tick (mostly 10 ms) for each process.
pub fn used_until_now() -> Run {
    let tick_ns = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .map_or(10_000_000, |per_second| 1_000_000_000 / per_second.max(1) as u64);
    let mut run = Run::default();
    for stat in below() {
        run.minor_faults += stat.faults[0];
        run.major_faults += stat.faults[1];
        run.user_ns += stat.ticks[0] * tick_ns;
        run.system_ns += stat.ticks[1] * tick_ns;
        for status in task_files(stat.pid, "status") {
            let value = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name))?;
                line.trim().parse::<u64>().ok()
            };
            run.voluntary_switches += value("voluntary_ctxt_switches:").unwrap_or(0);
            run.involuntary_switches += value("nonvoluntary_ctxt_switches:").unwrap_or(0);
        }
    }
    run
}

/// A file of each thread of a process.
pub fn task_files(pid: i32, name: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join(name)).ok()).collect()
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has a CPU, or waits for one.
    Runs,
    /// It waits for something else, or is stopped.
    Waits,
}

/// What the threads of a process do that have not ended.
pub fn task_states(pid: i32) -> Vec<State> {
    let state = |line: &String| match line.rsplit_once(") ")?.1.bytes().next()? {
        b'R' => Some(State::Runs),
        b'Z' | b'X' => None,
        _ => Some(State::Waits),
    };
    task_files(pid, "stat").iter().filter_map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_whose_name_looks_like_more_of_it() {
        let line = "77 (a) R 1 (b) S 5 77 77 0 -1 4194560 100 200 3 4 11 12 13 14 20 0 1 0 9 9 9";
        let expected = Stat { pid: 77, parent: 5, zombie: false, faults: [300, 7], ticks: [24, 26] };
        assert_eq!(stat(line), Some(expected));
        assert_eq!(stat("77 (a"), None);
    }
}
