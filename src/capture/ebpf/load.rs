//! Loading the kernel's side and attaching it.

use aya::maps::{Array, PerCpuArray, RingBuf};
use aya::programs::uprobe::UProbeScope;
use aya::programs::{BtfTracePoint, ProgramError, UProbe};
use aya::{Btf, Ebpf, EbpfLoader};
use std::error::Error;
use std::io;

use super::super::sys::pod::Shared;
use super::loader::HandOver;
use super::plans::{self, NUMBERS};
use crate::event::Abi;

/// The compiled `trace.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("trace.bpf.o");

/// Programs and the tracepoints they are for.
const PROGRAMS: [(&str, &str); 7] = [
    ("enter", "sys_enter"),
    ("leave", "sys_exit"),
    ("born", "sched_process_fork"),
    ("executed", "sched_process_exec"),
    ("renamed", "task_rename"),
    ("signalled", "signal_deliver"),
    ("ended", "sched_process_exit"),
];

/// The program for the moment in which a dynamic loader is done.
const ENTERED: &str = "entered";

/// The kernel's side, recording as long as this lives.
pub struct Loaded {
    kernel: Ebpf,
    /// Where records come.
    pub ring: RingBuf<aya::maps::MapData>,
}

/// Why the kernel's side is not there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The privilege is missing.
    #[error(
        "cannot {what}: {cause}; the eBPF backend needs root, or CAP_BPF and CAP_PERFMON (trace doctor says more); \
         --backend ptrace needs neither"
    )]
    Refused {
        /// What could not be done.
        what: String,
        /// The kernel's answer.
        cause: String,
    },
    /// The kernel cannot do it.
    #[error("cannot {what}: {cause}; --backend ptrace works on any kernel")]
    Unable {
        /// What could not be done.
        what: String,
        /// The kernel's answer, or the loader's.
        cause: String,
    },
}

impl LoadError {
    /// What failed and why, without what to do about it.
    #[must_use]
    pub fn reason(&self) -> String {
        let (Self::Refused { what, cause } | Self::Unable { what, cause }) = self;
        format!("it cannot {what}: {cause}")
    }

    /// Says what failed, with the last cause, which is the kernel's answer where there is one.
    fn new(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let (mut cause, mut refused) = (String::new(), false);
        let mut next = Some(error);
        while let Some(error) = next {
            cause = first_line(&error.to_string());
            let errno = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
            refused |= matches!(errno, Some(libc::EPERM | libc::EACCES));
            next = error.source();
        }
        let what = what.into();
        if refused { Self::Refused { what, cause } } else { Self::Unable { what, cause } }
    }
}

/// The verifier's account of a program is thousands of lines.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Loads everything and attaches it; nothing is followed yet.
pub fn load() -> Result<Loaded, LoadError> {
    let btf = Btf::from_sys_fs().map_err(|error| LoadError::new("read the kernel's types (BTF)", &error))?;
    let mut loader = EbpfLoader::new();
    loader.btf(Some(&btf)).allow_unsupported_maps();
    let mut kernel = loader.load(OBJECT).map_err(|error| LoadError::new("make the maps", &error))?;
    set_plans(&mut kernel).map_err(|error| LoadError::new("fill a map", &error))?;
    for (name, tracepoint) in PROGRAMS {
        attach(&mut kernel, name, tracepoint, &btf)
            .map_err(|error| LoadError::new(format!("attach to the tracepoint {tracepoint}"), &error))?;
    }
    let ring = kernel.take_map("ring").ok_or_else(|| LoadError::new("find the ring", &missing("ring")))?;
    let ring = RingBuf::try_from(ring).map_err(|error| LoadError::new("map the ring", &error))?;
    Ok(Loaded { kernel, ring })
}

fn attach(kernel: &mut Ebpf, name: &str, tracepoint: &str, btf: &Btf) -> Result<(), ProgramError> {
    let program = kernel.program_mut(name).ok_or_else(|| ProgramError::IOError(missing(name)))?;
    let program: &mut BtfTracePoint = program.try_into()?;
    program.load(tracepoint, btf)?;
    program.attach().map(drop)
}

fn missing(name: &str) -> io::Error {
    io::Error::other(format!("no {name} in the object"))
}

fn set_plans(kernel: &mut Ebpf) -> io::Result<()> {
    let map = kernel.map_mut("plans").ok_or_else(|| missing("plans"))?;
    let mut map: Array<_, Shared<plans::KernelPlan>> = Array::try_from(map).map_err(io::Error::other)?;
    for (table, abi) in (0..).zip(Abi::ALL) {
        for nr in 0..NUMBERS {
            map.set(table * NUMBERS + nr, Shared(plans::of(abi, nr)), 0).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

impl Loaded {
    /// Notes from now on when this loader hands over to a program.
    pub fn watch_loader(&mut self, at: &HandOver) -> Result<(), ProgramError> {
        let program =
            self.kernel.program_mut(ENTERED).ok_or_else(|| ProgramError::IOError(missing(ENTERED)))?;
        let program: &mut UProbe = program.try_into()?;
        if program.fd().is_err() {
            program.load()?;
        }
        program.attach(at.offset, &at.file, UProbeScope::AllProcesses).map(drop)
    }

    /// Follows this thread from its next call on, and all that it makes.
    pub fn follow(&mut self, tid: u32) -> io::Result<()> {
        let map = self.kernel.map_mut("root").ok_or_else(|| missing("root"))?;
        let mut map: Array<_, u32> = Array::try_from(map).map_err(io::Error::other)?;
        map.set(0, tid, 0).map_err(io::Error::other)
    }

    /// Records that found no room.
    pub fn lost(&self) -> u64 {
        let Some(map) = self.kernel.map("lost") else { return 0 };
        let Ok(map) = PerCpuArray::<_, u64>::try_from(map) else { return 0 };
        map.get(&0, 0).map_or(0, |counts| counts.iter().sum())
    }
}
