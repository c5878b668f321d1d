//! What one traced run does, as numbers that can be set beside those of another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::critical::Spent;
use super::measure::Measure;
use crate::analysis::cost::Quality;
use crate::analysis::integrity::Integrity;
use crate::analysis::lookups::plus;
use crate::analysis::text::Text;
use crate::log::Host;

/// What rows of calls are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Family of calls.
    Family,
    /// Class of paths.
    Place,
    /// System call.
    Syscall,
}

/// Calls of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub calls: u64,
    /// How many of them failed.
    pub failed: u64,
    /// What they cost; `None`: not known.
    pub cost_ns: Option<u64>,
}

/// What a run was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting {
    /// The machine.
    pub host: Host,
    /// The backend.
    pub backend: String,
    /// Version of the recorder.
    pub writer: String,
    /// Directories of Python's library that were read: `python3.11`.
    pub pythons: BTreeSet<Text>,
    /// Options of the command that change what an installer does.
    pub options: BTreeSet<Text>,
    /// Calls that read files in caches.
    pub cache_reads: u64,
    /// Whether an installer had to find out which versions go together; `None`: none ran that is known.
    pub resolved: Option<bool>,
    /// Packages of which descriptions were installed, with their versions.
    pub installed: BTreeSet<Text>,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What is missing from its log.
    pub integrity: Integrity,
    /// What costs are.
    pub quality: Quality,
    /// What it was made with.
    pub setting: Setting,
    /// Figures that are not 0.
    pub figures: BTreeMap<Measure, u64>,
    /// What the time went to along the critical path.
    pub path: Spent,
    /// Calls by family, place and system call.
    pub tallies: BTreeMap<(Dimension, Text), Tally>,
    /// Calls by directory.
    pub directories: BTreeMap<Text, u64>,
    /// Programs started.
    pub programs: BTreeSet<Text>,
}

impl Tally {
    /// Adds the calls of another.
    pub fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.cost_ns = plus(self.cost_ns, other.cost_ns);
    }
}
