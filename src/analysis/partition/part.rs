//! What a thread's time can go to, and how much went to each.

use serde::Serialize;

use crate::syscall::Family;

/// Number of [`Part`]s.
pub const PARTS: usize = 14;

/// What time goes to. Every moment of a thread is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Part {
    /// On a CPU, in no system call.
    User,
    /// On a CPU for pages that were not there yet.
    Faults,
    /// On a CPU in a system call.
    Call,
    /// Waiting in a call about files.
    Disk,
    /// Waiting for a peer.
    Network,
    /// Waiting for a pipe's other end.
    Pipe,
    /// Waiting for another thread.
    Futex,
    /// Waiting for a child.
    Child,
    /// Waiting for the time to pass.
    Timer,
    /// Waiting in another call.
    Other,
    /// Waiting in no call: for a page on disk.
    FaultWait,
    /// Ready to run, and on no CPU.
    Ready,
    /// From the command's fork to its execve, the wait for a CPU included.
    Launch,
    /// What is not known.
    Unexplained,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; PARTS] = [
        Self::User,
        Self::Faults,
        Self::Call,
        Self::Disk,
        Self::Network,
        Self::Pipe,
        Self::Futex,
        Self::Child,
        Self::Timer,
        Self::Other,
        Self::FaultWait,
        Self::Ready,
        Self::Launch,
        Self::Unexplained,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user CPU",
            Self::Faults => "page faults",
            Self::Call => "in calls, on a CPU",
            Self::Disk => "in calls, waiting: files",
            Self::Network => "in calls, waiting: network",
            Self::Pipe => "in calls, waiting: pipe",
            Self::Futex => "in calls, waiting: futex",
            Self::Child => "in calls, waiting: child",
            Self::Timer => "in calls, waiting: time",
            Self::Other => "in calls, waiting: other",
            Self::FaultWait => "page faults, waiting",
            Self::Ready => "ready, waiting for a CPU",
            Self::Launch => "fork, up to its execve",
            Self::Unexplained => "unexplained",
        }
    }

    /// What a call of a family waits for; `object` is the file it is about.
    pub(super) fn of_wait(family: Family, name: &str, object: &[u8]) -> Self {
        if matches!(name, "wait4" | "waitid" | "vfork" | "clone" | "clone3") {
            return Self::Child;
        }
        if object.starts_with(b"pipe:") || object.starts_with(b"fifo:") {
            return Self::Pipe;
        }
        if object.starts_with(b"socket:") {
            return Self::Network;
        }
        match family {
            Family::Futex => Self::Futex,
            Family::Network => Self::Network,
            Family::Time => Self::Timer,
            Family::Read | Family::Write if object.starts_with(b"/") => Self::Disk,
            Family::Read
            | Family::Write
            | Family::Poll
            | Family::Signal
            | Family::Ipc
            | Family::Process
            | Family::Identity => Self::Other,
            _ => Self::Disk,
        }
    }
}

/// How much time went to each part, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts([u64; PARTS]);

impl Parts {
    /// Adds time to a part.
    pub fn add(&mut self, part: Part, ns: u64) {
        let sum = &mut self.0[part as usize];
        *sum = sum.saturating_add(ns);
    }

    /// The time of a part.
    #[must_use]
    pub const fn get(&self, part: Part) -> u64 {
        self.0[part as usize]
    }

    /// All of it.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().copied().fold(0, u64::saturating_add)
    }

    /// Adds all of another.
    pub fn append(&mut self, other: &Self) {
        for part in Part::ALL {
            self.add(part, other.get(part));
        }
    }

    /// Moves a share (0 to 1) of one part to another.
    pub fn split(&mut self, from: Part, to: Part, share: f64) {
        let moved = (self.get(from) as f64 * share.clamp(0.0, 1.0)) as u64;
        self.0[from as usize] -= moved.min(self.get(from));
        self.add(to, moved);
    }

    /// Takes so much off a part, as far as it goes.
    pub fn take(&mut self, part: Part, ns: u64) {
        let left = &mut self.0[part as usize];
        *left = left.saturating_sub(ns);
    }

    /// Time on a CPU.
    #[must_use]
    pub fn on_cpu(&self) -> u64 {
        ON_CPU.into_iter().map(|part| self.get(part)).fold(0, u64::saturating_add)
    }

    /// The same, so that all of it is this much: time on a CPU by this ratio; waits as they are, as far as there is room for
    /// them; then being ready to run, which hangs on who else was; what is left is not explained.
    #[must_use]
    pub fn fitted(&self, to_ns: u64, cpu_ratio: f64) -> Self {
        let mut fitted = Self::default();
        let mut room = to_ns;
        let is_cpu = |part: Part| ON_CPU.contains(&part);
        let is_wait = |part: Part| !is_cpu(part) && part != Part::Ready && part != Part::Unexplained;
        let mut give = |is_chosen: &dyn Fn(Part) -> bool, ratio: f64| {
            let chosen = || Part::ALL.into_iter().filter(|part| is_chosen(*part));
            let wanted = chosen().map(|part| self.get(part) as f64).sum::<f64>() * ratio;
            let ratio = if wanted > room as f64 { ratio * room as f64 / wanted } else { ratio };
            for part in chosen() {
                let ns = ((self.get(part) as f64 * ratio) as u64).min(room);
                fitted.add(part, ns);
                room -= ns;
            }
        };
        give(&is_cpu, cpu_ratio);
        give(&is_wait, 1.0);
        give(&|part| part == Part::Ready, 1.0);
        fitted.add(Part::Unexplained, room);
        fitted.without_dust(to_ns)
    }

    /// The same without parts that are no more than what rounding and the edges of waits leave.
    fn without_dust(mut self, all_ns: u64) -> Self {
        let is_dust = |ns: u64| ns <= all_ns / DUST;
        for part in Part::ALL.into_iter().filter(|part| *part != Part::Unexplained) {
            if is_dust(self.get(part)) {
                self.split(part, Part::Unexplained, 1.0);
            }
        }
        if is_dust(self.get(Part::Unexplained)) {
            let largest = Part::ALL.into_iter().max_by_key(|part| self.get(*part));
            self.split(Part::Unexplained, largest.unwrap_or(Part::User), 1.0);
        }
        self
    }

    /// The average of several.
    #[must_use]
    pub fn divided(&self, by: u64) -> Self {
        Self(self.0.map(|ns| ns / by.max(1)))
    }
}

/// A part that is not longer than this part of all is none.
const DUST: u64 = 100_000;
/// Parts on a CPU.
const ON_CPU: [Part; 3] = [Part::User, Part::Faults, Part::Call];

impl Serialize for Parts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Part::ALL.into_iter().map(|part| (part, self.get(part))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitted_parts_add_up() {
        let mut parts = Parts::default();
        parts.add(Part::User, 2);
        parts.add(Part::Call, 1);
        let of = |parts: &Parts| {
            [Part::User, Part::Call, Part::Timer, Part::Ready, Part::Unexplained].map(|part| parts.get(part))
        };
        assert_eq!(of(&parts.fitted(100, 10.0)), [20, 10, 0, 0, 70]);
        parts.add(Part::Timer, 50);
        assert_eq!(of(&parts.fitted(100, 10.0)), [20, 10, 50, 0, 20]);
        parts.add(Part::Ready, 47);
        assert_eq!(of(&parts.fitted(100, 10.0)), [20, 10, 50, 20, 0]);
        assert_eq!(of(&parts.fitted(40, 10.0)), [20, 10, 10, 0, 0]);
        assert_eq!(of(&parts.fitted(15, 10.0)), [10, 5, 0, 0, 0], "no more than there is");
        assert_eq!(Parts::default().fitted(7, 1.0).get(Part::Unexplained), 7);
        parts.split(Part::User, Part::Faults, 0.5);
        assert_eq!((parts.get(Part::User), parts.get(Part::Faults), parts.sum()), (1, 1, 100));
    }

    #[test]
    fn next_to_nothing_is_no_part() {
        let mut parts = Parts::default();
        for (part, ns) in [(Part::User, 9_000_000), (Part::Disk, 1), (Part::Timer, 999_998)] {
            parts.add(part, ns);
        }
        let fitted = parts.fitted(10_000_000, 1.0);
        let known: Vec<_> = Part::ALL.into_iter().map(|part| fitted.get(part)).filter(|ns| *ns > 0).collect();
        assert_eq!(known, [9_000_002, 999_998]);
        let room = parts.fitted(11_000_000, 1.0);
        assert_eq!((room.get(Part::Disk), room.get(Part::Unexplained)), (0, 1_000_002));
    }

    #[test]
    fn waits_are_known_by_call_and_file() {
        for (family, name, object, part) in [
            (Family::Process, "wait4", &b""[..], Part::Child),
            (Family::Read, "read", b"pipe:[7]", Part::Pipe),
            (Family::Read, "read", b"/etc/passwd", Part::Disk),
            (Family::Read, "read", b"socket:[7]", Part::Network),
            (Family::Read, "read", b"anon_inode:[eventfd]", Part::Other),
            (Family::Time, "nanosleep", b"", Part::Timer),
            (Family::Futex, "futex", b"", Part::Futex),
            (Family::Stat, "stat", b"/x", Part::Disk),
        ] {
            assert_eq!(Part::of_wait(family, name, object), part, "{name}");
        }
    }
}
