//! What is known of this machine and of the environment a command runs in, for the log's header.

use std::hash::Hasher;
use std::os::unix::ffi::OsStrExt;

use nix::sys::time::TimeValLike;
use nix::time::ClockId;
use rustc_hash::FxHasher;

use super::sys::affinity::CpuMask;
pub use super::sys::process::share_memory_arena;
use crate::log::{Clock, Environment, Host};

/// This machine.
#[must_use]
pub fn host() -> Host {
    let uname = nix::sys::utsname::uname().ok();
    let text = |part: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
        uname.as_ref().map(|uname| part(uname).to_string_lossy().into_owned()).unwrap_or_default()
    };
    Host {
        name: text(|uname| uname.nodename()),
        kernel: text(|uname| uname.release()),
        machine: text(|uname| uname.machine()),
        cpu: cpu_model().unwrap_or_default(),
        cpus: CpuMask::of(0).map_or(0, |mask| mask.count()),
        tick_ns: tick_ns().unwrap_or_default(),
    }
}

/// A clock tick: coarse clocks are set at each.
fn tick_ns() -> Option<u64> {
    let tick = ClockId::CLOCK_MONOTONIC_COARSE.res().ok()?;
    u64::try_from(tick.num_nanoseconds()).ok()
}

/// Least memory that recording is known to get by with. Less ends in a failed allocation somewhere.
const LEAST_MEMORY: u64 = 48 << 20;

/// Descriptors that a recording needs at one time.
pub const RECORDING_FILES: u64 = 5;
/// The same for repeated untraced runs, whose streams are kept and drained, and the traced ones after them.
pub const MEASURING_FILES: u64 = 16;

/// An error where resource limits leave too little memory, or fewer than this many descriptors, to record with.
pub fn check_limits(files: u64) -> std::io::Result<()> {
    let free = super::sys::fds::free(files)?;
    if free < files {
        return Err(std::io::Error::other(format!(
            "Too many open files: only {free} more may be opened (ulimit -n), and up to {files} are needed; raise \
             the limit, and lower it for the command: trace record sh -c 'ulimit -n N; exec COMMAND'"
        )));
    }
    check_memory()
}

/// Least room on the stack that `trace` is known to get by with. Less ends it without a word of what it lacks.
const LEAST_STACK: u64 = 128 << 10;

/// An error where the stack may not grow as far as it will.
pub fn check_stack() -> std::io::Result<()> {
    use nix::sys::resource::{Resource, getrlimit};
    let (soft, _) = getrlimit(Resource::RLIMIT_STACK)?;
    if soft >= LEAST_STACK {
        return Ok(());
    }
    Err(std::io::Error::other(format!(
        "only {} KiB of stack are allowed (ulimit -s), and {} KiB are needed; raise the limit, and lower it for the \
         command: trace record sh -c 'ulimit -s {0}; exec COMMAND'",
        soft >> 10,
        LEAST_STACK >> 10
    )))
}

fn check_memory() -> std::io::Result<()> {
    use nix::sys::resource::{Resource, getrlimit};
    for (limit, option) in [(Resource::RLIMIT_AS, "-v"), (Resource::RLIMIT_DATA, "-d")] {
        let (soft, _) = getrlimit(limit)?;
        if soft < LEAST_MEMORY {
            return Err(std::io::Error::other(format!(
                "only {} KiB of memory are allowed (ulimit {option}), and recording takes up to {} KiB; raise the \
                 limit, and lower it for the command: trace record sh -c 'ulimit {option} {0}; exec COMMAND'",
                soft >> 10,
                LEAST_MEMORY >> 10
            )));
        }
    }
    Ok(())
}

fn cpu_model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How many environment variables there are, and a hash of them in the order of their names.
#[must_use]
pub fn environment() -> Environment {
    let mut variables: Vec<_> = std::env::vars_os().collect();
    variables.sort();
    let mut hasher = FxHasher::default();
    for (name, value) in &variables {
        for part in [name, value] {
            hasher.write(part.as_bytes());
            hasher.write_u8(0);
        }
    }
    Environment { variables: variables.len(), digest: format!("{:016x}", hasher.finish()) }
}

/// The clock of a recording that begins now.
#[must_use]
pub fn clock() -> Clock {
    Clock {
        name: "CLOCK_MONOTONIC".to_owned(),
        origin_ns: super::monotonic_ns(),
        realtime_ns: super::realtime_ns(),
    }
}
