//! The kernel's side: a counter and a ring for every CPU, and what tells of wake-ups.

use std::io;

use perf_event_open::config::{
    CallChain, Clock, Cpu, ExtraRecord, Inherit, Mmap, OnExecve, Opts, Priv, Proc, RecordIdFormat, RegsMask,
    SampleFormat, SampleOn, Size, UseBuildId, WakeUp, WakeUpOn,
};
use perf_event_open::count::Counter;
use perf_event_open::event::sw::Software;
use perf_event_open::sample::Sampler as Ring;
use perf_event_open::sample::record::Record;

use super::SampleError;
use super::wakes::Wakes;

/// ax, bx, cx, dx, si, di, bp, sp, ip and r8 to r15 (`asm/perf_regs.h`).
const REGISTERS: u64 = 0x00ff_01ff;
/// Bytes of the stack in a sample: what calls of some hundred functions take.
pub const STACK: u32 = 32 << 10;
/// The same at high rates, where copying them would take all the time there is.
const SHORT_STACK: u32 = 8 << 10;
/// From this rate on.
const HIGH_RATE: u32 = 5_000;
/// Sizes of a ring, in powers of two of pages, from 32 MiB down: memory that is not swapped out, which an ordinary user may
/// have little of (`kernel.perf_event_mlock_kb`).
const RING: [u8; 5] = [13, 11, 9, 7, 5];
/// CPUs that get the largest.
const FEW_CPUS: u32 = 8;

/// All counters of a process and its children.
pub struct Counters {
    /// A ring goes before its counter.
    rings: Vec<(Ring, Counter)>,
    wakes: Option<Wakes>,
    user_only: bool,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").field("rings", &self.rings.len()).finish_non_exhaustive()
    }
}

impl Counters {
    /// Opens them; they count from the process's next `execve` on.
    pub fn open(pid: i32, hz: u32) -> Result<Self, SampleError> {
        permitted(hz, |user_only| Self::with(pid, hz, user_only))
    }

    /// Whether [`Self::open`] will do, without rings: of this process, which executes no other program. True: without the kernel's part.
    pub fn check(hz: u32) -> Result<bool, SampleError> {
        let (own, any) = (Proc(std::process::id()), Cpu::ALL);
        permitted(hz, |user_only| {
            let options = Opts { inherit: None, ..options(hz, user_only) };
            Counter::new(Software::CpuClock, (own, any), &options).map(|_| user_only)
        })
    }

    fn with(pid: i32, hz: u32, user_only: bool) -> io::Result<Self> {
        let options = options(hz, user_only);
        let mut rings = Vec::new();
        let cpus = cpus();
        for cpu in 0..cpus {
            match Counter::new(Software::CpuClock, (Proc(pid.cast_unsigned()), Cpu(cpu)), &options) {
                Ok(counter) => rings.push((ring(&counter, cpus > FEW_CPUS)?, counter)),
                // A CPU that is switched off, or a number that no CPU has.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) && !rings.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        if rings.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        Ok(Self { rings, wakes: Wakes::open(cpus), user_only })
    }

    /// Whether the kernel's part is not permitted.
    pub fn user_only(&self) -> bool {
        self.user_only
    }

    /// Takes out when threads were woken, and which, where that can be known.
    pub fn drain_wakes(&self, take: impl FnMut(u64, u32)) {
        if let Some(wakes) = &self.wakes {
            wakes.drain(take);
        }
    }

    /// Takes all records out of the rings.
    pub fn drain(&self, mut take: impl FnMut(Record)) {
        for (ring, _) in &self.rings {
            ring.iter().into_iter().flatten().for_each(|(_, record)| take(record));
        }
    }
}

/// Opens with the kernel's part, or without where that is refused.
fn permitted<T>(hz: u32, open: impl Fn(bool) -> io::Result<T>) -> Result<T, SampleError> {
    if let Some(most) = most_a_second().filter(|most| hz > *most) {
        return Err(SampleError::Rate { wanted: hz, most });
    }
    match open(false) {
        Err(error) if is_refusal(&error) => open(true),
        opened => opened,
    }
    .map_err(|source| {
        if !is_refusal(&source) {
            return SampleError::Other(source);
        }
        let paranoid = setting("perf_event_paranoid").unwrap_or_else(|| "unknown".to_owned());
        SampleError::Forbidden { source, paranoid }
    })
}

/// The largest ring that may be.
fn ring(counter: &Counter, of_many: bool) -> io::Result<Ring> {
    let mut refused = io::Error::from_raw_os_error(libc::ENOMEM);
    for size in RING.into_iter().skip(usize::from(of_many)) {
        match counter.sampler(size) {
            Ok(ring) => return Ok(ring),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// What a sample is to have.
pub fn options(hz: u32, user_only: bool) -> Opts {
    Opts {
        exclude: Priv { kernel: user_only, hv: true, ..Priv::default() },
        inherit: Some(Inherit::NewChild),
        on_execve: Some(OnExecve::Enable),
        sample_on: SampleOn::Freq(u64::from(hz)),
        sample_format: SampleFormat {
            period: true,
            call_chain: Some(CallChain {
                exclude_user: false,
                exclude_kernel: user_only,
                defer_user: false,
                max_stack_frames: 0,
            }),
            user_stack: Some(Size(if hz < HIGH_RATE { STACK } else { SHORT_STACK })),
            user_regs: Some(RegsMask(REGISTERS)),
            code_addr: true,
            ..SampleFormat::default()
        },
        extra_record: ExtraRecord {
            task: true,
            comm: true,
            ctx_switch: true,
            mmap: Mmap { code: true, data: false, ext: Some(UseBuildId(false)) },
            ..ExtraRecord::default()
        },
        record_id_all: true,
        record_id_format: RecordIdFormat { cpu: true, task: true, time: true, ..RecordIdFormat::default() },
        // Nobody waits for them.
        wake_up: WakeUp { on: WakeUpOn::Bytes(u32::MAX), on_aux_bytes: 0 },
        timer: Some(Clock::Monotonic),
        ..Opts::default()
    }
}

/// CPUs there may be.
fn cpus() -> u32 {
    let cpus = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_CONF).ok().flatten();
    cpus.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or(1)
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM | libc::ENOSYS))
}

/// See [`super::most_a_second`].
pub fn most_a_second() -> Option<u32> {
    setting("perf_event_max_sample_rate").and_then(|most| most.parse().ok())
}

/// `kernel.NAME`, as it is set now.
fn setting(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?;
    Some(text.trim().to_owned())
}
