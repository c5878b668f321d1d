//! Which processors a thread runs on (`sched_setaffinity(2)`), and the workers of its rings (`IORING_REGISTER_IOWQ_AFF`, Linux 5.14).

use std::io;
use std::mem::{MaybeUninit, size_of};

use io_uring::IoUring;

/// A set of processors.
#[derive(Clone, Copy)]
pub(crate) struct Processors(libc::cpu_set_t);

impl Processors {
    /// Those of the calling thread.
    pub(crate) fn own() -> io::Result<Self> {
        let mut set = Self::none();
        // SAFETY: the set is live.
        match unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set.0) } {
            0 => Ok(set),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn none() -> Self {
        // SAFETY: zeroes are the empty set.
        Self(unsafe { MaybeUninit::zeroed().assume_init() })
    }

    /// The first of them, and the others; `None`: there is one.
    pub(crate) fn divided(&self) -> Option<[Self; 2]> {
        let (mut first, mut others, mut count) = (Self::none(), Self::none(), 0);
        for cpu in 0..libc::CPU_SETSIZE as usize {
            // SAFETY: the sets are live, and the number is within them.
            unsafe {
                if libc::CPU_ISSET(cpu, &self.0) {
                    libc::CPU_SET(cpu, if count == 0 { &mut first.0 } else { &mut others.0 });
                    count += 1;
                }
            }
        }
        (count > 1).then_some([first, others])
    }

    /// The calling thread runs on no others from now on, nor do threads that it starts.
    pub(crate) fn confine(&self) -> io::Result<()> {
        // SAFETY: the set is live.
        match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Workers that the kernel starts for rings of the calling thread run on no others: all rings of a thread have the same, and those that
    /// there are stay where they are.
    pub(crate) fn confine_workers(&self) -> io::Result<()> {
        IoUring::new(1)?.submitter().register_iowq_aff(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_confined_with_those_that_it_starts() {
        let count = |set: &Processors| {
            // SAFETY: the set is live.
            unsafe { libc::CPU_COUNT(&set.0) }
        };
        let all = Processors::own().unwrap();
        let Some([first, others]) = all.divided() else {
            eprintln!("skipped: one processor");
            return;
        };
        assert_eq!((count(&first), count(&first) + count(&others)), (1, count(&all)));
        let counts = std::thread::spawn(move || {
            first.confine().unwrap();
            let own = move || count(&Processors::own().unwrap());
            [own(), std::thread::spawn(own).join().unwrap()]
        });
        assert_eq!(counts.join().unwrap(), [1, 1]);
        assert_eq!(count(&Processors::own().unwrap()), count(&all));
        assert!(first.divided().is_none());
        match crate::sys::ring::probe() {
            Ok(()) => others.confine_workers().unwrap(),
            Err(reason) => eprintln!("no workers: io_uring is {reason}"),
        }
    }
}
