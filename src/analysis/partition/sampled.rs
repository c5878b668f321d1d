//! What CPU samples were taken in, as far as it tells where time outside of calls went.

use super::part::{Part, Parts};
use super::share::margin;
use crate::analysis::stacks::is_tracers;
use crate::event::stack::FrameKind;

/// Functions of the kernel that bring in a page.
const FAULTS: [&[u8]; 5] = [
    b"asm_exc_page_fault",
    b"exc_page_fault",
    b"do_user_addr_fault",
    b"handle_mm_fault",
    b"__handle_mm_fault",
];
/// With fewer samples, their shares tell less than a calibration does.
const ENOUGH: u64 = 100;

/// What a sample was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum In {
    /// The program.
    User,
    /// Bringing in a page.
    Fault,
    /// The kernel: the way into a call or out of it, an interrupt.
    Kernel,
    /// What records calls.
    Tracer,
}

impl In {
    /// By the frames of its stack.
    pub fn of<'a>(frames: impl Iterator<Item = (FrameKind, &'a [u8])>) -> Self {
        let mut found = Self::User;
        for (kind, name) in frames.filter(|(kind, _)| *kind == FrameKind::Kernel) {
            found = found.max(match () {
                () if is_tracers(kind, name) => return Self::Tracer,
                () if FAULTS.contains(&name) => return Self::Fault,
                () => Self::Kernel,
            });
        }
        found
    }
}

/// How many samples were taken in what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted([u64; 4]);

impl Counted {
    /// Counts one.
    pub fn add(&mut self, sample: In) {
        self.0[sample as usize] += 1;
    }

    /// Counts those of another.
    pub fn append(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }

    fn of(&self, sample: In) -> u64 {
        self.0[sample as usize]
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.of_program() + self.of(In::Tracer)
    }

    /// All but the tracer's.
    pub fn of_program(&self) -> u64 {
        self.of(In::User) + self.of_kernel()
    }

    /// In the kernel, but not in the tracer.
    pub fn of_kernel(&self) -> u64 {
        self.of(In::Fault) + self.of(In::Kernel)
    }

    /// The share that stays outside of calls when [`Self::divide`] has divided, 0 to 1.
    pub fn kept(&self) -> f64 {
        1.0 - self.of(In::Kernel) as f64 / self.of_program().max(1) as f64
    }

    /// How far the least certain of the shares that [`Self::divide`] goes by may be off: half of its 95 % interval, and
    /// what it would be if the time by which the program has swelled (0: not, 1: to twice its length) went all to it, or none.
    pub fn margin(&self, swelled: f64) -> f64 {
        let margins = [In::User, In::Fault, In::Kernel].map(|of| {
            let share = self.of(of) as f64 / self.of_program().max(1) as f64;
            margin(self.of(of), self.of_program()) + swelled * share.max(1.0 - share)
        });
        margins.into_iter().fold(0.0, f64::max)
    }

    /// How much of a time on a CPU was the tracer's: by samples if there are enough, else as calibrated.
    pub fn tracers(&self, time_ns: u64, calibrated_ns: u64) -> u64 {
        let all = self.all();
        if all < ENOUGH {
            return calibrated_ns.min(time_ns);
        }
        (time_ns as f64 * self.of(In::Tracer) as f64 / all as f64) as u64
    }

    /// Divides the time outside of calls: for pages, and on the ways into calls and out of them.
    pub fn divide(&self, parts: &mut Parts) {
        let share = |part: u64, all: u64| part as f64 / all.max(1) as f64;
        let faults = self.of(In::Fault);
        parts.split(Part::User, Part::Faults, share(faults, self.of_program()));
        parts.split(Part::User, Part::Call, share(self.of(In::Kernel), self.of_program() - faults));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_in_one_thing() {
        let kernel =
            |names: &[&'static str]| In::of(names.iter().map(|name| (FrameKind::Kernel, name.as_bytes())));
        assert_eq!(kernel(&[]), In::User);
        assert_eq!(In::of([(FrameKind::Native, &b"bpf_trace_run2"[..])].into_iter()), In::User);
        assert_eq!(kernel(&["entry", "do_syscall_64"]), In::Kernel);
        assert_eq!(kernel(&["asm_exc_page_fault", "filemap_fault"]), In::Fault);
        assert_eq!(kernel(&["do_syscall_64", "bpf_trace_run2", "read_tsc"]), In::Tracer);
    }

    #[test]
    fn shares_count_only_where_there_are_enough() {
        let mut counted = Counted([20, 10, 10, 9]);
        assert_eq!((counted.tracers(1000, 300), counted.tracers(200, 300)), (300, 200));
        counted.append(Counted([20, 10, 10, 11]));
        assert_eq!(counted.tracers(1000, 300), 200);
        let mut parts = Parts::default();
        parts.add(Part::User, 800);
        counted.divide(&mut parts);
        assert_eq!([Part::User, Part::Faults, Part::Call].map(|part| parts.get(part)), [400, 200, 200]);
    }
}
