//! Threads as a C program starts them: by the C library alone, with the stack that it gives if nothing else is asked for.
//!
//! The standard library's have another stack for signals each, which is mapped, announced and unmapped again: some nine
//! microseconds a thread that only some programs pay.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

/// What a thread does, and what it panicked with.
struct Job<'a, W> {
    work: &'a mut W,
    panic: Option<Box<dyn Any + Send>>,
}

extern "C" fn enter<W: FnMut() + Send>(job: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `in_threads` passes a job that lives until this thread is joined, and that nobody else touches.
    let job = unsafe { &mut *job.cast::<Job<W>>() };
    // Unwinding ends at the C library's own frames.
    job.panic = catch_unwind(AssertUnwindSafe(&mut *job.work)).err();
    ptr::null_mut()
}

/// Each in a thread of its own, and until all have ended. Those for which there was no thread are done here, for others may wait for them;
/// then the error is why.
pub(crate) fn in_threads<W: FnMut() + Send>(works: &mut [W]) -> io::Result<()> {
    let mut jobs: Vec<Job<W>> = works.iter_mut().map(|work| Job { work, panic: None }).collect();
    let mut threads = Vec::with_capacity(jobs.len());
    let mut failed = Ok(());
    for job in &mut jobs {
        let mut thread: libc::pthread_t = 0;
        let job = ptr::from_mut(job);
        // SAFETY: the job outlives the thread, which is joined below before anything is returned or dropped; until then nobody
        // else uses it. The work may be sent to another thread.
        match unsafe { libc::pthread_create(&raw mut thread, ptr::null(), enter::<W>, job.cast()) } {
            0 => threads.push(thread),
            error => {
                failed = Err(io::Error::from_raw_os_error(error));
                enter::<W>(job.cast());
            }
        }
    }
    for thread in threads {
        // SAFETY: started above and joined once.
        unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    }
    if let Some(panic) = jobs.into_iter().find_map(|job| job.panic) {
        resume_unwind(panic);
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Barrier, Mutex};
    use std::thread::ThreadId;

    use super::*;

    #[test]
    fn each_is_done_once_in_a_thread_of_its_own() {
        let (meet, seen) = (Barrier::new(5), Mutex::new(BTreeSet::new()));
        let mut done = [0; 5];
        let mut works: Vec<_> = done
            .iter_mut()
            .map(|done| {
                let (meet, seen) = (&meet, &seen);
                move || {
                    // All five are there at once.
                    meet.wait();
                    *done += 1;
                    seen.lock().unwrap().insert(format!("{:?}", std::thread::current().id()));
                }
            })
            .collect();
        in_threads(&mut works).unwrap();
        drop(works);
        let own: ThreadId = std::thread::current().id();
        let seen = seen.into_inner().unwrap();
        assert_eq!((done, seen.len()), ([1; 5], 5));
        assert!(!seen.contains(&format!("{own:?}")));
        in_threads(&mut Vec::<fn()>::new()).unwrap();
    }

    #[test]
    fn a_panic_is_the_callers_and_the_others_end() {
        let mut done = [false; 3];
        let mut works: Vec<_> = done
            .iter_mut()
            .enumerate()
            .map(|(index, done)| {
                move || {
                    assert!(index != 1, "the second");
                    *done = true;
                }
            })
            .collect();
        let panic = catch_unwind(AssertUnwindSafe(|| in_threads(&mut works))).unwrap_err();
        drop(works);
        assert!(panic.downcast_ref::<&str>().is_some_and(|text| text.contains("the second")));
        assert_eq!(done, [true, false, true]);
    }
}
