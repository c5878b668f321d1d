//! Loading the kernel's side and attaching it.

use aya::maps::{Array, PerCpuArray, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Btf, Ebpf, EbpfLoader};
use std::io;

use super::super::sys::pod::Shared;
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

/// The kernel's side, recording as long as this lives.
pub struct Loaded {
    kernel: Ebpf,
    /// Where records come.
    pub ring: RingBuf<aya::maps::MapData>,
}

/// Loads everything; nothing is followed yet.
pub fn load() -> io::Result<Loaded> {
    let btf = Btf::from_sys_fs().map_err(io::Error::other)?;
    let mut loader = EbpfLoader::new();
    loader.btf(Some(&btf)).allow_unsupported_maps();
    let mut kernel = loader.load(OBJECT).map_err(io::Error::other)?;
    set_plans(&mut kernel)?;
    for (name, tracepoint) in PROGRAMS {
        let missing = || io::Error::other(format!("no program {name} in the object"));
        let program = kernel.program_mut(name).ok_or_else(missing)?;
        let program: &mut BtfTracePoint = program.try_into().map_err(io::Error::other)?;
        program.load(tracepoint, &btf).map_err(io::Error::other)?;
        program.attach().map_err(io::Error::other)?;
    }
    let ring = kernel.take_map("ring").ok_or_else(|| io::Error::other("no ring in the object"))?;
    let ring = RingBuf::try_from(ring).map_err(io::Error::other)?;
    Ok(Loaded { kernel, ring })
}

fn set_plans(kernel: &mut Ebpf) -> io::Result<()> {
    let map = kernel.map_mut("plans").ok_or_else(|| io::Error::other("no plans in the object"))?;
    let mut map: Array<_, Shared<plans::KernelPlan>> = Array::try_from(map).map_err(io::Error::other)?;
    for (table, abi) in (0..).zip(Abi::ALL) {
        for nr in 0..NUMBERS {
            map.set(table * NUMBERS + nr, Shared(plans::of(abi, nr)), 0).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

impl Loaded {
    /// Follows this thread from its next call on, and all that it makes.
    pub fn follow(&mut self, tid: u32) -> io::Result<()> {
        let map = self.kernel.map_mut("root").ok_or_else(|| io::Error::other("no root in the object"))?;
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
