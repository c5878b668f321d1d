//! Loading the kernel's side and attaching it.

use std::collections::HashMap as ByName;
use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use aya::maps::{Array, HashMap, IterableMap, Map, MapData, MapError, PerCpuArray, RingBuf};
use bytemuck::{Pod, Zeroable};

use super::super::monotonic_ns;
use super::super::sys::bpf;
use super::super::sys::group_signals::Counts;
use super::super::sys::pod::Shared;
use super::error::LoadError;
use super::object::{Attached, Fitted, Settings, fit};
use super::plans::{self, NUMBERS};
use super::types::Types;
use crate::event::Abi;

/// The compiled `trace.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("trace.bpf.o");

/// Size of the ring, a power of two. It is mapped twice, one behind the other, so it counts twice in the resident set. A
/// program that makes nothing but calls fills it in some twenty milliseconds; [`super::backlog`] takes over what comes in a
/// burst.
const RING_BYTES: u32 = 8 << 20;

/// The same with stacks, of which each may be as large as sixteen thousand bytes.
const RING_BYTES_WITH_STACKS: u32 = 32 << 20;

/// Programs and the tracepoints they are for, by the names that the kernel's types have for those. What takes the kernel
/// longest to verify comes first.
const PROGRAMS: [(&str, &str); 9] = [
    ("ended", "btf_trace_sched_process_exit"),
    ("leave", "btf_trace_sys_exit"),
    ("enter", "btf_trace_sys_enter"),
    ("executed", "btf_trace_sched_process_exec"),
    ("born", "btf_trace_sched_process_fork"),
    ("signalled", "btf_trace_signal_deliver"),
    ("renamed", "btf_trace_task_rename"),
    ("sent", "btf_trace_signal_generate"),
    ("entered", "btf_trace_page_fault_user"),
];

/// The program for the moment in which a program begins. Where a kernel lacks its tracepoint, logs have no mark of it.
const MAY_BE_MISSING: &str = "entered";

/// The kernel's side, recording as long as this lives.
pub struct Loaded {
    _programs: Vec<Attached>,
    /// Recordings so far.
    epoch: u32,
    /// What the kernel's side was told last.
    control: Control,
    told: Array<MapData, Shared<Control>>,
    processes: HashMap<MapData, u32, u8>,
    lost: PerCpuArray<MapData, u64>,
    /// From the next [`Self::follow`] on, whoever makes a call while the ring is more than half full is stopped, and
    /// noted in `held`.
    pub lossless: bool,
    /// Records hold stacks.
    pub stacks: bool,
    ring_bytes: u64,
    /// Processes that were stopped.
    pub held: HashMap<MapData, u32, u8>,
    /// The descriptor of that map.
    pub held_fd: RawFd,
    /// Signals that were sent to our process group.
    pub group_signals: Counts,
    /// Where records come.
    pub ring: RingBuf<MapData>,
}

/// Who is followed, together with all threads and processes that they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nobody: records end.
    Nobody,
    /// A thread, from its next call on. Nothing tells that it was met.
    Thread(u32),
    /// Processes that run already: all their threads, also inside a call. Each is told of
    /// (`wire::Kind::Met`) with the first thing that it does, be that its end.
    Processes(&'a [u32]),
    /// The processes of a cgroup (v2) and of those below it, by its id, which is the inode of its directory; who leaves
    /// it is followed on. Met like [`Self::Processes`], when they do something in there.
    Cgroup(u64),
    /// Every process of our pid namespace and of those below it but this one. Met like [`Self::Processes`].
    All,
}

/// `struct control` of `trace.bpf.c`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Control {
    scope: u32,
    epoch: u32,
    thread: u32,
    recorder: u32,
    cgroup: u64,
    since_ns: u64,
    naming: u64,
    hold_above: u64,
    slow_above: u64,
}

const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Loads everything and attaches it; nothing is followed yet. With `stacks`, those of calls about files are told.
pub fn load_for(stacks: bool) -> Result<Loaded, LoadError> {
    if !Path::new(TYPES).exists() {
        return Err(LoadError::NoTypes(TYPES));
    }
    let unreadable = |error: &(dyn Error + 'static)| LoadError::new("read the kernel's types (BTF)", error);
    let types = std::fs::read(TYPES).map_err(|error| unreadable(&error))?;
    let types = Types::of(&types).map_err(|error| unreadable(&error))?;
    let namespace = own_namespace().map_err(|error| LoadError::new("look up /proc/self/ns/pid", &error))?;
    // Whoever is not root has the privilege from our own file, for own processes.
    let user = nix::unistd::geteuid();
    let only_user = if user.is_root() { u32::MAX } else { user.as_raw() };
    let wants_stacks = u32::from(stacks);
    let ring_bytes = if stacks { RING_BYTES_WITH_STACKS } else { RING_BYTES };
    let settings = Settings {
        variables: ByName::from([
            ("own_namespace", bytemuck::bytes_of(&namespace)),
            ("only_user", bytemuck::bytes_of(&only_user)),
            ("wants_stacks", bytemuck::bytes_of(&wants_stacks)),
        ]),
        sizes: ByName::from([("ring", ring_bytes)]),
    };
    let mut fitted = fit(OBJECT, &types, &settings)?;
    set_plans(&fitted)?;
    let programs = attach(&fitted, &types)?;
    let held = take(&mut fitted, "held", HashMap::try_from)?;
    let to_group = take(&mut fitted, "to_group", Array::<_, u64>::try_from)?;
    let group_signals =
        Counts::map(to_group.map().fd().as_fd()).map_err(|error| LoadError::new("map a map", &error))?;
    let held_fd = held.map().fd().as_fd().as_raw_fd();
    Ok(Loaded {
        _programs: programs,
        epoch: 0,
        control: Control::default(),
        told: take(&mut fitted, "control", Array::try_from)?,
        processes: take(&mut fitted, "processes", HashMap::try_from)?,
        lost: take(&mut fitted, "lost", PerCpuArray::try_from)?,
        lossless: false,
        stacks,
        ring_bytes: u64::from(ring_bytes),
        held,
        held_fd,
        group_signals,
        ring: take(&mut fitted, "ring", RingBuf::try_from)?,
    })
}

/// Loads and attaches the programs, two at a time: the kernel takes most of the time, to verify them.
fn attach(fitted: &Fitted, types: &Types<'_>) -> Result<Vec<Attached>, LoadError> {
    let numbers = types.typedefs(PROGRAMS.map(|(_, tracepoint)| tracepoint));
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (name, tracepoint) = *PROGRAMS.get(at)?;
            Some(attach_one(fitted, name, tracepoint, numbers[at]))
        });
        mine.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    };
    std::thread::scope(|scope| {
        // Without a second thread, this one does it all.
        let other = std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let mut programs = work()?;
        if let Some(other) = other {
            let others = other.join().map_err(|_| io::Error::other("a thread has panicked"));
            programs.extend(others.map_err(|error| LoadError::new("load the programs", &error))??);
        }
        Ok(programs)
    })
}

fn attach_one(
    fitted: &Fitted,
    name: &str,
    tracepoint: &str,
    number: Option<u32>,
) -> Result<Option<Attached>, LoadError> {
    let attached = number
        .ok_or_else(|| missing(tracepoint, "the kernel's types"))
        .and_then(|number| fitted.attach(name, number));
    match attached {
        Err(_) if name == MAY_BE_MISSING => Ok(None),
        Err(error) => {
            let tracepoint = tracepoint.trim_start_matches("btf_trace_");
            Err(LoadError::new(format!("attach to the tracepoint {tracepoint}"), &error))
        }
        Ok(attached) => Ok(Some(attached)),
    }
}

/// A map of the object, by its type.
fn take<T>(
    fitted: &mut Fitted,
    name: &str,
    from: impl FnOnce(Map) -> Result<T, MapError>,
) -> Result<T, LoadError> {
    let failed = |error: &(dyn Error + 'static)| LoadError::new(format!("use the map {name}"), error);
    let map = fitted.maps.remove(name).ok_or_else(|| failed(&missing(name, "the object")))?;
    Map::from_map_data(map).and_then(from).map_err(|error| failed(&error))
}

/// The inode of our pid namespace. Without a `/proc` it is taken for the machine's first one.
fn own_namespace() -> io::Result<u32> {
    const FIRST: u32 = 0xefff_fffc; // PROC_PID_INIT_INO of linux/proc_ns.h
    match std::fs::metadata("/proc/self/ns/pid") {
        Ok(namespace) => Ok(namespace.ino() as u32),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FIRST),
        Err(error) => Err(error),
    }
}

fn missing(name: &str, of: &str) -> io::Error {
    io::Error::other(format!("no {name} in {of}"))
}

fn set_plans(fitted: &Fitted) -> Result<(), LoadError> {
    let all = Abi::ALL.into_iter().flat_map(|abi| (0..NUMBERS).map(move |nr| plans::of(abi, nr)));
    let all: Vec<_> = all.collect();
    let map = fitted.maps.get("plans").ok_or_else(|| missing("plans", "the object"));
    let set = map.and_then(|map| bpf::set_all(map.fd().as_fd(), &all));
    set.map_err(|error| LoadError::new("fill a map", &error))
}

impl Loaded {
    /// Follows these, and nobody of before.
    pub fn follow(&mut self, target: Target<'_>) -> io::Result<()> {
        self.epoch += 1;
        let (recorder, since_ns) = (std::process::id(), monotonic_ns());
        let hold_above = if self.lossless { self.ring_bytes / 2 } else { 0 };
        let slow_above = self.ring_bytes / 4 * 3;
        // The kernel's side counts renames in the lower half.
        let naming = self.control.naming.wrapping_add(1 << 32);
        let control = Control {
            epoch: self.epoch,
            recorder,
            since_ns,
            naming,
            hold_above,
            slow_above,
            ..Control::default()
        };
        let control = match target {
            Target::Nobody => control,
            Target::Thread(thread) => Control { scope: 1, thread, ..control },
            Target::Processes(pids) => {
                self.set_processes(pids)?;
                Control { scope: 2, ..control }
            }
            Target::Cgroup(cgroup) => Control { scope: 3, cgroup, ..control },
            Target::All => Control { scope: 4, ..control },
        };
        self.set_control(control)
    }

    /// Meets nobody from now on: those who are followed go on to be, with whomever they make, and others no longer cost
    /// a look at who they are.
    pub fn meet_no_more(&mut self) -> io::Result<()> {
        if self.control.scope == 0 {
            return Ok(());
        }
        self.set_control(Control { scope: 0, ..self.control })
    }

    /// Has every name told again that is met from now on.
    pub fn retell_names(&mut self) -> io::Result<()> {
        self.set_control(Control { naming: self.control.naming.wrapping_add(1 << 32), ..self.control })
    }

    fn set_control(&mut self, control: Control) -> io::Result<()> {
        self.control = control;
        self.told.set(0, Shared(control), 0).map_err(io::Error::other)
    }

    fn set_processes(&mut self, pids: &[u32]) -> io::Result<()> {
        let before: Vec<u32> = self.processes.keys().filter_map(Result::ok).collect();
        for pid in before {
            self.processes.remove(&pid).map_err(io::Error::other)?;
        }
        pids.iter().try_for_each(|pid| self.processes.insert(pid, 1, 0)).map_err(io::Error::other)
    }

    /// Records that found no room.
    pub fn lost(&self) -> u64 {
        self.lost.get(&0, 0).map_or(0, |counts| counts.iter().sum())
    }
}
