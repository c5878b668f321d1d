//! How CPU samples are to be taken: by perf events, or, where these are refused or cannot tell what is wanted, by ptrace.

use super::failure::{Failure, note};
use crate::capture::StackFrames;
use crate::capture::ptrace::{self, Sample};
use crate::capture::sampler::{self, SampleError};
use crate::report::notes;

/// CPU samples that are wanted.
#[derive(Clone, Debug)]
pub struct Samples {
    /// How many a second.
    pub hz: u32,
    /// How long one holds up the program, in nanoseconds, where that is known.
    pub cost_ns: Option<u64>,
    /// By what.
    pub by: By,
    /// By perf events, and without the kernel's part, which is not permitted.
    pub user_only: bool,
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub enum By {
    /// The kernel's perf events.
    PerfEvents,
    /// Stops of threads in user mode, for a reason.
    Ptrace(StackFrames, String),
}

impl Samples {
    /// With these frames, if any are asked for.
    ///
    /// # Errors
    /// Where neither way is possible, or the rate is more than the kernel takes.
    pub fn choose(hz: u32, frames: Option<StackFrames>) -> Result<Self, Failure> {
        let by = match (frames, sampler::check(hz)) {
            (Some(frames), _) => {
                by_ptrace(frames, "frames of an interpreter are read while it stands still")?
            }
            (None, Ok(_)) => return Ok(Self::by_perf(hz)),
            (None, Err(error @ SampleError::Forbidden { .. })) => {
                by_ptrace(StackFrames::Both, &error.to_string())?
            }
            (None, Err(error)) => return Err(Failure::of_trace(error)),
        };
        Ok(Self { hz, cost_ns: None, by, user_only: false })
    }

    /// Whether so many a second can be had, before anything runs.
    ///
    /// # Errors
    /// Where perf events are to take them, and the rate is more than the kernel takes.
    pub fn check_rate(hz: u32, frames: Option<StackFrames>) -> Result<(), Failure> {
        match sampler::check(hz) {
            Err(error @ SampleError::Rate { .. }) if frames.is_none() => Err(Failure::of_trace(error)),
            _ => Ok(()),
        }
    }

    /// By perf events, whoever may take them.
    pub fn by_perf(hz: u32) -> Self {
        let user_only = sampler::check(hz).is_ok_and(|user_only| user_only);
        Self { hz, cost_ns: sampler::cost_ns(hz), by: By::PerfEvents, user_only }
    }

    /// What the ptrace backend is to take, if it is.
    pub fn by_ptrace(&self) -> Option<Sample> {
        match self.by {
            By::PerfEvents => None,
            By::Ptrace(frames, _) => Some(Sample { hz: self.hz, frames }),
        }
    }

    /// Why it is ptrace that takes them, if it is.
    pub fn why_ptrace(&self) -> Option<&str> {
        match &self.by {
            By::PerfEvents => None,
            By::Ptrace(_, why) => Some(why),
        }
    }
}

/// Says, before anything runs, that so many samples leave a program little of its time.
pub fn warn_of_rate(samples: Option<&Samples>) {
    if let Some(warning) = samples.and_then(|samples| notes::sample_warning(samples.hz, samples.cost_ns)) {
        note(warning);
    }
}

fn by_ptrace(frames: StackFrames, why: &str) -> Result<By, Failure> {
    if ptrace::may_put_off_calls() {
        return Ok(By::Ptrace(frames, why.to_owned()));
    }
    Err(Failure::of_trace(anyhow::anyhow!(
        "{why}; nor by ptrace: the seccomp filter here kills who makes a call that does not exist"
    )))
}
