//! Which structure is behind which kind of argument, and when it is shown.

use super::Decoder;
use super::layout::Layout;
use super::memory::Phase;
use super::structures::{
    CAP_HEADER, EPOLL_EVENT, FLOCK, FLOCK64, ITIMERSPEC, ITIMERSPEC64, ITIMERVAL, OLD_STAT, OPEN_HOW, RLIMIT,
    RLIMIT64, RUSAGE, SIGNAL_STACK_T, STAT, STAT64, STATFS, STATFS64, STATX_RESULT, SYSCTL, SYSINFO,
    TIMESPEC, TIMESPEC64, TIMEVAL, TIMEZONE, TMS, UTIMBUF, UTSNAME,
};
use crate::syscall::{Arg, Family, Spec, Struct};

/// The table of a structure that has one and nothing else to it.
fn layout(kind: Struct) -> Option<&'static Layout> {
    Some(match kind {
        Struct::Timespec => &TIMESPEC,
        Struct::Timespec64 => &TIMESPEC64,
        Struct::Timeval => &TIMEVAL,
        Struct::Timezone => &TIMEZONE,
        Struct::Itimerval => &ITIMERVAL,
        Struct::Itimerspec => &ITIMERSPEC,
        Struct::Itimerspec64 => &ITIMERSPEC64,
        Struct::Tms => &TMS,
        Struct::Utsname => &UTSNAME,
        Struct::Sysinfo => &SYSINFO,
        Struct::CapHeader => &CAP_HEADER,
        Struct::SignalStack => &SIGNAL_STACK_T,
        Struct::Flock => &FLOCK,
        Struct::Flock64 => &FLOCK64,
        Struct::Statx => &STATX_RESULT,
        Struct::Stat => &STAT,
        Struct::Stat64 => &STAT64,
        Struct::OldStat => &OLD_STAT,
        Struct::Sysctl => &SYSCTL,
        Struct::Statfs => &STATFS,
        Struct::Rlimit => &RLIMIT,
        Struct::Rlimit64 => &RLIMIT64,
        Struct::Rusage => &RUSAGE,
        Struct::Utimbuf => &UTIMBUF,
        _ => return None,
    })
}

/// Whether there is a form for a structure.
#[cfg(test)]
pub(super) fn has_form(kind: Struct) -> bool {
    let others = [Struct::Other, Struct::CloneArgs];
    layout(kind).is_some() || !others.contains(&kind)
}

/// Whether a structure that is passed and filled is printed when the call has returned.
pub(super) fn is_late(kind: Struct, spec: &Spec) -> bool {
    match kind {
        Struct::Msghdr => spec.name.starts_with("recv"),
        Struct::Mmsghdr => true,
        Struct::Iovec => spec.family == Family::Read || spec.name == "process_vm_readv",
        Struct::Timespec | Struct::Timespec64 => spec.name == "epoll_pwait2",
        _ => false,
    }
}

/// Writes the structure behind an argument; `false`: it has no form here.
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, kind: Struct, index: usize) -> bool {
    let address = call.arg(index);
    let is_passed = matches!(call.spec.args[index].arg, Arg::In(_));
    // A child that has not changed has used nothing.
    let is_of_none = call.spec.name == "wait4" && kind == Struct::Rusage && call.event.ret == Some(0);
    let is_filled = call.succeeded() && !is_of_none;
    let is_late_passed = call.spec.name == "epoll_pwait2"
        && matches!(kind, Struct::Timespec | Struct::Timespec64 | Struct::Sigset);
    if call.phase == Phase::Exit
        && (!is_passed || is_late_passed)
        && !is_filled
        && !outlives_failure(call, kind)
    {
        call.write_address(out, address);
        return true;
    }
    if let Some(layout) = layout(kind) {
        if call.spec.name.starts_with("recvmmsg") {
            // It is filled with what is left, which is told behind the result.
            call.phase = Phase::Entry;
            call.write_layout(out, address, layout);
            call.phase = Phase::Exit;
        } else if is_remaining_sleep(call, index) {
            call.write_address(out, address);
        } else {
            call.write_layout(out, address, layout);
        }
        return true;
    }
    match kind {
        Struct::TimespecPair => call.write_times(out, address, &TIMESPEC),
        Struct::TimespecPair64 => call.write_times(out, address, &TIMESPEC64),
        Struct::TimevalPair => call.write_times(out, address, &TIMEVAL),
        Struct::Sockaddr => call.write_sockaddr_argument(out, index),
        Struct::Msghdr => call.write_msghdr_argument(out, index),
        Struct::Mmsghdr => call.write_messages(out, index),
        Struct::Iovec => call.write_iovec_argument(out, index),
        Struct::Statfs64 => call.write_statfs64(out, index),
        Struct::FdPair => call.write_descriptors(out, address, 2, 4),
        Struct::Sigset => call.write_signal_set(out, address, call.set_size(index)),
        Struct::SigmaskArg => call.write_sigmask(out, address),
        Struct::Sigaction => call.write_sigaction(out, address),
        Struct::Siginfo => call.write_siginfo_at(out, address),
        Struct::WaitStatus => call.write_wait_status(out, address),
        Struct::OpenHow => call.write_grown(out, address, &OPEN_HOW, call.arg(index + 1)),
        Struct::Pollfd => call.write_pollfds(out, address, u64::from(call.arg(1) as u32)),
        Struct::FdSet => call.write_descriptor_set(out, address),
        Struct::EpollEvent => call.write_epoll(out, index),
        Struct::Integer => call.write_integer_argument(out, index),
        Struct::Groups => call.write_groups(out, address, 4),
        Struct::Groups16 => call.write_groups(out, address, 2),
        Struct::CapData => call.write_capabilities(out, address),
        Struct::SchedParam => call.write_priority(out, address),
        Struct::CpuSet => call.write_cpus(out, index),
        Struct::ThreadName => call.write_c_string(out, address),
        _ => return false,
    }
    true
}

/// What is printed of a call that has failed, too.
fn outlives_failure(call: &Decoder<'_, '_>, kind: Struct) -> bool {
    match kind {
        Struct::Timespec | Struct::Timespec64 if call.spec.name == "epoll_pwait2" => false,
        Struct::Timespec | Struct::Timespec64 => {
            call.spec.name.contains("nanosleep") && was_interrupted(call)
        }
        Struct::Integer | Struct::Iovec | Struct::Msghdr => true,
        Struct::Mmsghdr => call.spec.name == "sendmmsg",
        _ => false,
    }
}

fn was_interrupted(call: &Decoder<'_, '_>) -> bool {
    matches!(call.event.errno(), Some(4 | 512..=514 | 516))
}

/// What is left of a sleep is told only where it was interrupted.
fn is_remaining_sleep(call: &Decoder<'_, '_>, index: usize) -> bool {
    call.phase == Phase::Exit
        && index % 2 == 1
        && call.spec.name.contains("nanosleep")
        // Of one that ends at a moment (TIMER_ABSTIME) nothing is left.
        && (!was_interrupted(call) || index == 3 && call.arg(1) != 0)
}

impl Decoder<'_, '_> {
    /// Of the size that is passed before it, which is that of the kernel's, packed or not.
    fn write_statfs64(&mut self, out: &mut Vec<u8>, index: usize) {
        match self.arg(index - 1) as u32 {
            84 | 88 => self.write_layout(out, self.arg(index), &STATFS64),
            _ => self.write_address(out, self.arg(index)),
        }
    }

    fn write_epoll(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        if self.spec.name == "epoll_ctl" {
            // EPOLL_CTL_DEL looks at none.
            if self.arg(1) as u32 == 2 {
                return self.write_address(out, address);
            }
            return self.write_layout(out, address, &EPOLL_EVENT);
        }
        let count = self.event.ret.unwrap_or(0).unsigned_abs();
        self.write_array(out, address, count, 12, &mut |call, out, bytes| {
            call.write_members(out, &EPOLL_EVENT, bytes);
        });
    }
}
