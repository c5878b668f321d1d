//! Loading the kernel's side and attaching it.

use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, RingBuf};
use aya::programs::uprobe::UProbeScope;
use aya::programs::{BtfTracePoint, ProgramError, UProbe};
use aya::{Btf, Ebpf, EbpfLoader};
use bytemuck::{Pod, Zeroable};
use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::super::monotonic_ns;
use super::super::sys::group_signals::Counts;
use super::super::sys::pod::Shared;
use super::entry::Place;
use super::plans::{self, NUMBERS};
use crate::event::Abi;

/// The compiled `trace.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!("trace.bpf.o");

/// Size of the ring, a power of two. It is mapped twice, one behind the other, so it counts twice in the resident set. A
/// program that makes nothing but calls fills it in some ten milliseconds; [`super::backlog`] takes over what comes in a
/// burst.
const RING_BYTES: u32 = 16 << 20;

/// Programs and the tracepoints they are for.
const PROGRAMS: [(&str, &str); 8] = [
    ("enter", "sys_enter"),
    ("leave", "sys_exit"),
    ("born", "sched_process_fork"),
    ("executed", "sched_process_exec"),
    ("renamed", "task_rename"),
    ("signalled", "signal_deliver"),
    ("sent", "signal_generate"),
    ("ended", "sched_process_exit"),
];

/// The program for the moment in which a program begins.
const ENTERED: &str = "entered";

/// The kernel's side, recording as long as this lives.
pub struct Loaded {
    kernel: Ebpf,
    /// Recordings so far.
    epoch: u32,
    /// What the kernel's side was told last.
    control: Control,
    /// From the next [`Self::follow`] on, whoever makes a call while the ring is more than half full is stopped, and
    /// noted in `held`.
    pub lossless: bool,
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
    /// The kernel does not describe its types.
    #[error(
        "the kernel has no {0} (CONFIG_DEBUG_INFO_BTF), which the eBPF backend needs; --backend ptrace works on any kernel"
    )]
    NoTypes(&'static str),
    /// The kernel is locked down.
    #[error(
        "cannot {what}: the kernel is locked down (confidentiality), so that BPF programs may not read its memory \
         (kernel_lockdown(7)); --backend ptrace works there"
    )]
    LockedDown {
        /// What could not be done.
        what: String,
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
        match self {
            Self::Refused { what, cause } | Self::Unable { what, cause } => {
                format!("it cannot {what}: {cause}")
            }
            Self::NoTypes(what) => format!("the kernel has no {what}"),
            Self::LockedDown { what } => format!("it cannot {what}: the kernel is locked down"),
        }
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
        if std::fs::read_to_string(LOCKDOWN).is_ok_and(|state| is_locked_down(&state)) {
            return Self::LockedDown { what };
        }
        if refused { Self::Refused { what, cause } } else { Self::Unable { what, cause } }
    }
}

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// The state in force stands in brackets.
fn is_locked_down(state: &str) -> bool {
    state.contains("[confidentiality]")
}

/// The verifier's account of a program is thousands of lines.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// Loads everything and attaches it; nothing is followed yet.
pub fn load() -> Result<Loaded, LoadError> {
    if !Path::new(TYPES).exists() {
        return Err(LoadError::NoTypes(TYPES));
    }
    let btf = Btf::from_sys_fs().map_err(|error| LoadError::new("read the kernel's types (BTF)", &error))?;
    let mut loader = EbpfLoader::new();
    let namespace = own_namespace().map_err(|error| LoadError::new("look up /proc/self/ns/pid", &error))?;
    loader
        .btf(Some(&btf))
        .override_global("own_namespace", &namespace, true)
        .map_max_entries("ring", RING_BYTES)
        .allow_unsupported_maps();
    let mut kernel = loader.load(OBJECT).map_err(|error| LoadError::new("make the maps", &error))?;
    set_plans(&mut kernel).map_err(|error| LoadError::new("fill a map", &error))?;
    for (name, tracepoint) in PROGRAMS {
        attach(&mut kernel, name, tracepoint, &btf)
            .map_err(|error| LoadError::new(format!("attach to the tracepoint {tracepoint}"), &error))?;
    }
    let ring = kernel.take_map("ring").ok_or_else(|| LoadError::new("find the ring", &missing("ring")))?;
    let ring = RingBuf::try_from(ring).map_err(|error| LoadError::new("map the ring", &error))?;
    let Some(Map::HashMap(held)) = kernel.take_map("held") else {
        return Err(LoadError::new("find a map", &missing("held")));
    };
    let held_fd = held.fd().as_fd().as_raw_fd();
    let held = HashMap::try_from(Map::HashMap(held)).map_err(|error| LoadError::new("find a map", &error))?;
    let Some(Map::Array(to_group)) = kernel.take_map("to_group") else {
        return Err(LoadError::new("find a map", &missing("to_group")));
    };
    let group_signals =
        Counts::map(to_group.fd().as_fd()).map_err(|error| LoadError::new("map a map", &error))?;
    let (epoch, control) = (0, Control::default());
    Ok(Loaded { kernel, epoch, control, lossless: false, held, held_fd, group_signals, ring })
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
    /// Notes from now on when a program comes here.
    pub fn watch_entry(&mut self, at: &Place) -> Result<(), ProgramError> {
        let program =
            self.kernel.program_mut(ENTERED).ok_or_else(|| ProgramError::IOError(missing(ENTERED)))?;
        let program: &mut UProbe = program.try_into()?;
        if program.fd().is_err() {
            program.load()?;
        }
        program.attach(at.offset, &at.file, UProbeScope::AllProcesses).map(drop)
    }

    /// Follows these, and nobody of before.
    pub fn follow(&mut self, target: Target<'_>) -> io::Result<()> {
        self.epoch += 1;
        let (recorder, since_ns) = (std::process::id(), monotonic_ns());
        let hold_above = if self.lossless { u64::from(RING_BYTES) / 2 } else { 0 };
        // The kernel's side counts renames in the lower half.
        let naming = self.control.naming.wrapping_add(1 << 32);
        let control =
            Control { epoch: self.epoch, recorder, since_ns, naming, hold_above, ..Control::default() };
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

    /// Has every name told again that is met from now on.
    pub fn retell_names(&mut self) -> io::Result<()> {
        self.set_control(Control { naming: self.control.naming.wrapping_add(1 << 32), ..self.control })
    }

    fn set_control(&mut self, control: Control) -> io::Result<()> {
        self.control = control;
        let map = self.kernel.map_mut("control").ok_or_else(|| missing("control"))?;
        let mut map: Array<_, Shared<Control>> = Array::try_from(map).map_err(io::Error::other)?;
        map.set(0, Shared(control), 0).map_err(io::Error::other)
    }

    fn set_processes(&mut self, pids: &[u32]) -> io::Result<()> {
        let map = self.kernel.map_mut("processes").ok_or_else(|| missing("processes"))?;
        let mut map: HashMap<_, u32, u8> = HashMap::try_from(map).map_err(io::Error::other)?;
        let before: Vec<u32> = map.keys().filter_map(Result::ok).collect();
        for pid in before {
            map.remove(&pid).map_err(io::Error::other)?;
        }
        pids.iter().try_for_each(|pid| map.insert(pid, 1, 0)).map_err(io::Error::other)
    }

    /// Records that found no room.
    pub fn lost(&self) -> u64 {
        let Some(map) = self.kernel.map("lost") else { return 0 };
        let Ok(map) = PerCpuArray::<_, u64>::try_from(map) else { return 0 };
        map.get(&0, 0).map_or(0, |counts| counts.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_that_says_what_to_try() {
        let error = |errno| LoadError::new("make the maps", &io::Error::from_raw_os_error(errno)).to_string();
        for (text, words) in [
            (error(libc::EPERM), "needs root, or CAP_BPF and CAP_PERFMON"),
            (error(libc::EINVAL), "--backend ptrace works on any kernel"),
            (LoadError::NoTypes(TYPES).to_string(), "CONFIG_DEBUG_INFO_BTF"),
            (
                LoadError::LockedDown { what: "make the maps".to_owned() }.to_string(),
                "--backend ptrace works there",
            ),
        ] {
            assert!(text.contains(words) && text.lines().count() == 1, "{text}");
        }
        let verifier = io::Error::other("0: (79) r6 = *(u64 *)(r1 +0)\n1: (85) call unknown");
        assert_eq!(LoadError::new("attach", &verifier).to_string().lines().count(), 1);
    }

    #[test]
    fn the_state_of_lockdown_is_the_one_in_brackets() {
        assert!(is_locked_down("none integrity [confidentiality]\n"));
        assert!(
            !is_locked_down("[none] integrity confidentiality\n")
                && !is_locked_down("none [integrity] confidentiality\n")
        );
    }
}
