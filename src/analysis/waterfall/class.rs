//! What a thread does at a moment, as a picture shows it.

use crate::analysis::partition::Part;

/// Number of [`Class`]es.
pub const CLASSES: usize = 3 + OFF_CPU.len();

/// Parts of a thread's time in which it is on no CPU.
const OFF_CPU: [Part; 9] = [
    Part::Disk,
    Part::Network,
    Part::Pipe,
    Part::Futex,
    Part::Child,
    Part::Timer,
    Part::Other,
    Part::FaultWait,
    Part::Ready,
];

/// What a thread does. Every moment of its life is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// In no call, and on a CPU; where the log does not tell when threads leave their CPUs, perhaps waiting for one.
    Computing,
    /// In a call about files.
    FileCall,
    /// In another call.
    OtherCall,
    /// On no CPU, as the partition of a thread's time has it.
    Off(Part),
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Self; CLASSES] = {
        let mut all = [Self::Computing; CLASSES];
        (all[1], all[2]) = (Self::FileCall, Self::OtherCall);
        let mut at = 0;
        while at < OFF_CPU.len() {
            all[3 + at] = Self::Off(OFF_CPU[at]);
            at += 1;
        }
        all
    };

    /// Whether the thread is on a CPU then, as far as that is known.
    #[must_use]
    pub const fn is_on_cpu(self) -> bool {
        !matches!(self, Self::Off(_))
    }

    /// The wait of a part of a thread's time.
    pub(super) fn of_wait(part: Part) -> Self {
        Self::Off(if OFF_CPU.contains(&part) { part } else { Part::Other })
    }

    /// Its place among all.
    fn place(self) -> usize {
        Self::ALL.iter().position(|class| *class == self).unwrap_or(0)
    }
}

/// How much time each class has, in nanoseconds of the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares(pub [f64; CLASSES]);

impl Shares {
    /// The time of a class.
    #[must_use]
    pub fn get(&self, class: Class) -> f64 {
        self.0[class.place()]
    }

    pub(super) fn add(&mut self, class: Class, ns: f64) {
        self.0[class.place()] += ns;
    }

    pub(super) fn append(&mut self, other: &Self) {
        for (sum, ns) in self.0.iter_mut().zip(other.0) {
            *sum += ns;
        }
    }

    /// Makes all of it this much: what is in no call and no wait is computing. Times that were added up may lie a little
    /// beside their place; then waits come first, as what is known best.
    pub(super) fn fill(&mut self, all: f64) {
        let mut room = all;
        for is_on_cpu in [false, true] {
            let chosen = |class: &Class| class.is_on_cpu() == is_on_cpu && *class != Class::Computing;
            let wanted: f64 =
                Class::ALL.into_iter().filter(chosen).map(|class| self.get(class).max(0.0)).sum();
            let ratio = if wanted > room { room / wanted } else { 1.0 };
            for class in Class::ALL.into_iter().filter(chosen) {
                self.0[class.place()] = self.get(class).max(0.0) * ratio;
            }
            room = (room - wanted).max(0.0);
        }
        self.0[Class::Computing.place()] = room;
    }

    /// The time on a CPU.
    #[must_use]
    pub fn on_cpu(&self) -> f64 {
        Class::ALL.into_iter().filter(|class| class.is_on_cpu()).map(|class| self.get(class)).sum()
    }

    /// All of it.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_filled_and_not_more() {
        let filled = |file: f64, wait: f64| {
            let mut shares = Shares::default();
            shares.add(Class::FileCall, file);
            shares.add(Class::Off(Part::Pipe), wait);
            shares.fill(100.0);
            [Class::Computing, Class::FileCall, Class::Off(Part::Pipe)]
                .map(|class| shares.get(class).round() as i64)
        };
        assert_eq!(filled(20.0, 30.0), [50, 20, 30]);
        assert_eq!(filled(90.0, 30.0), [0, 70, 30]);
        assert_eq!(filled(90.0, 130.0), [0, 0, 100]);
        assert_eq!(filled(-5.0, 30.0), [70, 0, 30]);
    }
}
