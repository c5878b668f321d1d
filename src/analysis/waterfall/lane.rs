//! One thread's life: when it was in which calls, and when on no CPU, in bounded memory.
//!
//! What is long is kept as it was. What is short is added up in cells of time, as soon as there is too much of all: the
//! picture could not show it apart. Times off CPUs come in any order and after the calls they lie in.

use super::class::Class;
use crate::analysis::partition::Part;
use crate::analysis::process::ProcessId;

/// Index of a lane.
pub type LaneId = u32;

/// A call that takes longer has waited, if it is one that can and the log does not tell.
pub const WAITED_NS: u64 = 100_000;

/// A call, or several short ones of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub start_ns: u64,
    pub ns: u64,
    /// What it is while it is on a CPU.
    pub on: Class,
    /// What it is while it is on none.
    pub wait: Class,
    /// It is several calls.
    pub many: bool,
}

/// A time on no CPU, or several short ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    pub start_ns: u64,
    pub ns: u64,
    pub is_ready: bool,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Lane {
    pub pid: u32,
    pub tid: u32,
    pub process: ProcessId,
    pub comm: Vec<u8>,
    pub start_ns: u64,
    pub end_ns: u64,
    pub ended: bool,
    pub calls: u64,
    /// The last piece is a wait that a signal ended.
    pub interrupted: bool,
    /// When a signal told last of a child's end.
    pub told_ns: Option<u64>,
    /// The lane of the same number before: numbers are used again.
    pub before: Option<LaneId>,
    /// What is shorter has been added up.
    pub cell_ns: u64,
    pub pieces: Vec<Piece>,
    pub away: Vec<Away>,
}

impl Lane {
    /// Pieces of one cell at most, of which each may be the one that is meant.
    const BESIDE: usize = 4;

    /// Entries it has.
    pub fn entries(&self) -> usize {
        self.pieces.len() + self.away.len()
    }

    /// A signal tells of a child's end. What waited until then, as `sigsuspend` of shells does, has waited for that; its
    /// own event may yet come.
    pub fn child_ended(&mut self, at_ns: u64) {
        match self.pieces.last_mut() {
            Some(last) if self.interrupted => last.wait = Class::Off(Part::Child),
            _ => self.told_ns = Some(at_ns),
        }
    }

    /// A call has ended.
    pub fn add(&mut self, piece: Piece, interrupted: bool) {
        self.calls += 1;
        let waited = interrupted && piece.wait == Class::Off(Part::Other);
        let told = self.told_ns.take().is_some_and(|at_ns| waited && at_ns > piece.start_ns);
        self.interrupted = waited && !told;
        self.pieces.push(Piece { wait: if told { Class::Off(Part::Child) } else { piece.wait }, ..piece });
    }

    /// Adds up what is shorter than this, cell by cell.
    pub fn compact(&mut self, cell_ns: u64) {
        self.cell_ns = cell_ns;
        self.away.sort_unstable_by_key(|away| away.start_ns);
        let mut pieces: Vec<Piece> = Vec::with_capacity(self.pieces.len() / 2);
        for piece in &self.pieces {
            let cell = piece.start_ns / cell_ns;
            let same = pieces.iter_mut().rev().take_while(|known| known.start_ns / cell_ns == cell);
            let is_like =
                |known: &&mut Piece| known.ns < cell_ns && (known.on, known.wait) == (piece.on, piece.wait);
            match { same }.find(is_like).filter(|_| piece.ns < cell_ns) {
                Some(known) => {
                    known.ns = known.ns.saturating_add(piece.ns);
                    known.many = true;
                }
                None => pieces.push(*piece),
            }
        }
        self.pieces = pieces;
        let mut all: Vec<Away> = Vec::with_capacity(self.away.len() / 2);
        for away in &self.away {
            let cell = away.start_ns / cell_ns;
            let same = all.iter_mut().rev().take_while(|known| known.start_ns / cell_ns == cell);
            let is_like = |known: &&mut Away| known.ns < cell_ns && known.is_ready == away.is_ready;
            match { same }.find(is_like).filter(|_| away.ns < cell_ns) {
                Some(known) => known.ns = known.ns.saturating_add(away.ns),
                None => all.push(*away),
            }
        }
        self.away = all;
    }

    /// Puts everything in the order of time.
    pub fn sort(&mut self) {
        self.pieces.sort_unstable_by_key(|piece| piece.start_ns);
        self.away.sort_unstable_by_key(|away| away.start_ns);
        for piece in &mut self.pieces {
            piece.ns = piece.ns.min(self.end_ns.saturating_sub(piece.start_ns));
        }
    }

    /// What goes on at a moment, of what was sorted.
    fn piece_at(&self, at_ns: u64) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.start_ns <= at_ns);
        // Of short ones that were added up it is only known in which cell they were.
        let cell = |ns: u64| ns.checked_div(self.cell_ns);
        let is_there = |piece: &&Piece| {
            at_ns < piece.start_ns.saturating_add(piece.ns)
                || (piece.many && cell(piece.start_ns) == cell(at_ns))
        };
        self.pieces[..after].iter().rev().take(Self::BESIDE).find(is_there)
    }

    /// Gives each stretch of time from one moment to another that a call or a time away takes, with its class, and the class
    /// of the call that a time away lies in and is not part of.
    pub fn each(
        &self,
        (from_ns, to_ns): (u64, u64),
        knows_cpu: bool,
        mut take: impl FnMut(u64, u64, Class, Option<Class>),
    ) {
        let clip = |start_ns: u64, ns: u64| {
            let end_ns = start_ns.saturating_add(ns).min(to_ns);
            (start_ns.max(from_ns), end_ns)
        };
        // A long one may begin before; those that were added up do not overlap much.
        let first =
            self.pieces.partition_point(|piece| piece.start_ns < from_ns).saturating_sub(Self::BESIDE);
        for piece in self.pieces[first..].iter().take_while(|piece| piece.start_ns < to_ns) {
            let (start_ns, end_ns) = clip(piece.start_ns, piece.ns);
            let waited =
                !knows_cpu && !piece.many && piece.ns >= WAITED_NS && piece.wait != Class::Off(Part::Disk);
            if start_ns < end_ns {
                take(start_ns, end_ns, if waited { piece.wait } else { piece.on }, None);
            }
        }
        let first = self.away.partition_point(|away| away.start_ns < from_ns).saturating_sub(Self::BESIDE);
        for away in self.away[first..].iter().take_while(|away| away.start_ns < to_ns) {
            let (start_ns, end_ns) = clip(away.start_ns, away.ns);
            if start_ns >= end_ns {
                continue;
            }
            let within = self.piece_at(away.start_ns);
            let class = match within {
                _ if away.is_ready => Class::Off(Part::Ready),
                Some(piece) => piece.wait,
                None => Class::Off(Part::FaultWait),
            };
            // Whoever is ready may have left the CPU between calls that were added up.
            let instead = within.filter(|piece| !(piece.many && away.is_ready));
            take(start_ns, end_ns, class, instead.map(|piece| piece.on));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(start_ns: u64, ns: u64, on: Class) -> Piece {
        Piece { start_ns, ns, on, wait: Class::Off(Part::Pipe), many: false }
    }

    fn lane() -> Lane {
        let mut pieces = vec![piece(10, 500, Class::OtherCall)];
        pieces.extend((0..100).map(|at| piece(1000 + at * 10, 3, Class::FileCall)));
        let away = (0..50).map(|at| Away { start_ns: 1001 + at * 20, ns: 1, is_ready: at % 2 == 0 });
        let away = away.chain([Away { start_ns: 20, ns: 400, is_ready: false }]).collect();
        Lane { end_ns: 3000, pieces, away, ..Lane::default() }
    }

    fn sums(lane: &Lane) -> Vec<(Class, u64)> {
        let mut sums = std::collections::BTreeMap::new();
        lane.each((0, 3000), true, |from, to, class, _| *sums.entry(class).or_default() += to - from);
        sums.into_iter().collect()
    }

    #[test]
    fn what_is_added_up_stays_as_much() {
        let mut lane = lane();
        lane.sort();
        let before = sums(&lane);
        let all = [
            (Class::FileCall, 300),
            (Class::OtherCall, 500),
            (Class::Off(Part::Pipe), 425),
            (Class::Off(Part::Ready), 25),
        ];
        assert_eq!(before, all);
        lane.compact(256);
        assert!(lane.entries() < 30, "{}", lane.entries());
        assert_eq!(
            (lane.pieces[0], lane.away[0].ns),
            (piece(10, 500, Class::OtherCall), 400),
            "long ones stay"
        );
        assert_eq!(sums(&lane), all);
    }

    #[test]
    fn a_long_call_that_can_wait_has_waited_where_nothing_tells() {
        let pieces = vec![piece(0, WAITED_NS, Class::OtherCall), piece(200_000, 50, Class::OtherCall)];
        let lane = Lane { end_ns: 300_000, pieces, ..Lane::default() };
        let mut found = Vec::new();
        lane.each((50, 300_000), false, |from, to, class, _| found.push((from, to, class)));
        assert_eq!(found, [(50, WAITED_NS, Class::Off(Part::Pipe)), (200_000, 200_050, Class::OtherCall)]);
    }
}
