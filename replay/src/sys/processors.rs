//! Which processors threads may run on (`sched_setaffinity(2)`).

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::unix::thread::JoinHandleExt;
use std::thread::JoinHandle;

/// A set of processors.
#[derive(Clone, Copy)]
pub(crate) struct Processors(libc::cpu_set_t);

impl Processors {
    /// Those of the calling thread.
    pub(crate) fn own() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: room for a set, of which zeroes are the empty one.
        unsafe {
            if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(set.assume_init()))
        }
    }

    /// The first of several; `None`: there are no several.
    pub(crate) fn first_of_several(&self) -> Option<Self> {
        // SAFETY: the sets are live, and the numbers within them.
        unsafe {
            let is_in = |&cpu: &usize| libc::CPU_ISSET(cpu, &self.0);
            let mut all = (0..libc::CPU_SETSIZE as usize).filter(is_in);
            let (first, _) = all.next().zip(all.next())?;
            let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init();
            libc::CPU_SET(first, &mut set);
            Some(Self(set))
        }
    }

    /// The calling thread, and these, run on no others from now on; threads that they start are born so.
    pub(crate) fn confine(&self, others: &[JoinHandle<()>]) -> io::Result<()> {
        let bytes = size_of::<libc::cpu_set_t>();
        for thread in others {
            // SAFETY: the set is live; a thread that was not joined has its number.
            let failed =
                unsafe { libc::pthread_setaffinity_np(thread.as_pthread_t(), bytes, &raw const self.0) };
            // One that has ended runs nowhere.
            if failed != 0 && failed != libc::ESRCH {
                return Err(io::Error::from_raw_os_error(failed));
            }
        }
        // SAFETY: the set is live.
        match unsafe { libc::sched_setaffinity(0, bytes, &raw const self.0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_confined_to_one_and_let_go_again() {
        let all = Processors::own().unwrap();
        let Some(one) = all.first_of_several() else {
            eprintln!("skipped: one processor");
            return;
        };
        let count = |set: &Processors| {
            // SAFETY: the set is live.
            unsafe { libc::CPU_COUNT(&set.0) }
        };
        one.confine(&[]).unwrap();
        let own = Processors::own().unwrap();
        assert_eq!((count(&one), count(&own)), (1, 1));
        assert!(own.first_of_several().is_none());
        let born = std::thread::spawn(move || Processors::own().map(|set| count(&set))).join().unwrap();
        assert_eq!(born.unwrap(), 1, "so are threads that it starts");
        all.confine(&[]).unwrap();
        assert_eq!(count(&Processors::own().unwrap()), count(&all));
    }

    #[test]
    fn so_are_threads_that_are_there() {
        let all = Processors::own().unwrap();
        let Some(one) = all.first_of_several() else {
            eprintln!("skipped: one processor");
            return;
        };
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            wait.recv().unwrap();
            tell.send(Processors::own().unwrap().first_of_several().is_none()).unwrap();
        });
        one.confine(std::slice::from_ref(&thread)).unwrap();
        all.confine(&[]).unwrap();
        go.send(()).unwrap();
        assert!(told.recv().unwrap());
        thread.join().unwrap();
    }
}
