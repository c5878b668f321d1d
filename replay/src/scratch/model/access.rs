//! What each step reads and writes: what the order of steps is made from.

use crate::rule::Rule;

/// How a resource is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Reads go together.
    Read = 0,
    /// Changes that may come in any order: names made in one directory.
    Update = 1,
    /// Alone.
    Write = 2,
}

const MODE_SHIFT: u32 = 30;
/// Resources are numbered below this.
pub(crate) const MOST_RESOURCES: u32 = 1 << MODE_SHIFT;

/// The uses of all steps, one list after the other.
#[derive(Debug, Default)]
pub(crate) struct Accesses {
    uses: Vec<u32>,
    ends: Vec<u32>,
    /// Of each resource, what it is.
    rules: Vec<Rule>,
}

impl Accesses {
    /// A use by the step that is next.
    pub(crate) fn add(&mut self, resource: u32, how: Use) {
        self.uses.push(resource | (how as u32) << MODE_SHIFT);
    }

    /// The next step is complete.
    pub(crate) fn end_step(&mut self) {
        self.ends.push(self.uses.len() as u32);
    }

    /// The next step is none after all.
    pub(crate) fn drop_step(&mut self) {
        self.uses.truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    /// What a step uses.
    pub(crate) fn of(&self, step: usize) -> impl Iterator<Item = (u32, Use)> + '_ {
        let begin = step.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let uses = self.ends.get(step).map_or(&[][..], |&end| &self.uses[begin..end as usize]);
        uses.iter().map(|&packed| {
            let how = match packed >> MODE_SHIFT {
                0 => Use::Read,
                1 => Use::Update,
                _ => Use::Write,
            };
            (packed & (MOST_RESOURCES - 1), how)
        })
    }

    /// A new resource, ordered by this rule.
    pub(crate) fn resource(&mut self, rule: Rule) -> u32 {
        self.rules.push(rule);
        self.rules.len() as u32 - 1
    }

    pub(crate) fn resources(&self) -> usize {
        self.rules.len()
    }

    /// The rule that orders the uses of a resource.
    pub(crate) fn rule(&self, resource: u32) -> Rule {
        self.rules[resource as usize]
    }

    /// Without what is only read, which orders nothing.
    pub(crate) fn compacted(&self) -> Self {
        let mut changed = vec![false; self.resources()];
        for step in 0..self.ends.len() {
            for (resource, how) in self.of(step) {
                changed[resource as usize] |= how != Use::Read;
            }
        }
        let mut new = Self::default();
        let mut renamed = vec![u32::MAX; self.resources()];
        for step in 0..self.ends.len() {
            for (resource, how) in self.of(step).filter(|(resource, _)| changed[*resource as usize]) {
                let own = &mut renamed[resource as usize];
                if *own == u32::MAX {
                    *own = new.resource(self.rule(resource));
                }
                new.add(*own, how);
            }
            new.end_step();
        }
        new.uses.shrink_to_fit();
        new
    }
}
