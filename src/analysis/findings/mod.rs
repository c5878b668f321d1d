//! Findings: what costs time and may be avoidable, each with its evidence, what it would save and what to do.
//!
//! ```text
//! events ──> watch (what only order tells) ──┐
//!        └─> cube, processes, modules … ─────┴─> facts ──> one file a finding ──> ranked by what they save
//! ```
//!
//! A finding is a function from [`Facts`] to a [`Finding`] or nothing; all stand in [`KINDS`]. Savings are
//! those of `docs/findings.md`: at most the cost of the calls (never more than all file-system calls, or
//! the whole run, cost), at least what entering and leaving the kernel takes that often. They overlap.

mod bytecode;
mod causes;
mod direct;
mod facts;
mod fork;
mod frozen;
mod fsync;
mod imports;
mod libraries;
mod library_search;
mod listed;
mod locale;
mod missed;
mod mkdir;
mod module_search;
mod network;
mod node_modules;
mod proc_files;
mod program_search;
mod programs;
mod pth;
mod python_path;
mod questions;
mod relocation;
mod repeated;
mod rubygems;
mod site;
mod small_reads;
mod stat_open;
#[cfg(test)]
mod tests;
mod time_zone;
mod value;
mod watch;

use causes::Causes;
pub use facts::Facts;
pub use value::{Evidence, Finding, Findings, Remedy, Safety, Saving};
pub use watch::Watch;

/// A part of the wall time below which a finding is marked as small.
const SMALL_SHARE: f64 = 0.002;
/// The same for calls where costs are not known.
const FEW_CALLS: u64 = 20;

/// A kind of finding.
#[derive(Debug)]
pub struct Kind {
    /// Its name in JSON and in the documentation.
    pub name: &'static str,
    /// Whether what it saves are file-system calls, so that their cost is its ceiling.
    file_system: bool,
    find: fn(&Facts<'_>, &Causes<'_>) -> Option<Finding>,
}

const fn files(name: &'static str, find: fn(&Facts<'_>, &Causes<'_>) -> Option<Finding>) -> Kind {
    Kind { name, file_system: true, find }
}

const fn time(name: &'static str, find: fn(&Facts<'_>, &Causes<'_>) -> Option<Finding>) -> Kind {
    Kind { name, file_system: false, find }
}

/// Every kind of finding.
pub const KINDS: [Kind; 28] = [
    time("wrapper", direct::find),
    time("short-programs", programs::find),
    files("program-search", program_search::find),
    files("library-search", library_search::find),
    time("libraries", libraries::find),
    time("relocation", relocation::find),
    files("python-path", python_path::find),
    time("bytecode", bytecode::find),
    time("imports", imports::find),
    time("site", site::find),
    time("pth", pth::find),
    files("frozen-modules", frozen::find),
    time("rubygems", rubygems::find),
    files("module-search", module_search::find),
    files("node-modules", node_modules::find),
    files("missed-lookups", missed::find),
    files("repeated-lookups", repeated::find),
    files("stat-before-open", stat_open::find),
    files("listed-again", listed::find),
    files("small-reads", small_reads::find),
    files("questions", questions::find),
    files("mkdir-exists", mkdir::find),
    files("fsync", fsync::find),
    files("locale", locale::find),
    files("time-zone", time_zone::find),
    files("proc-files", proc_files::find),
    time("fork", fork::find),
    time("network", network::find),
];

/// All findings, those that may save most first.
#[must_use]
pub fn gather(facts: &Facts<'_>) -> Findings {
    let causes = Causes::of(facts);
    let small_ns = (facts.wall.ns as f64 * SMALL_SHARE) as u64;
    let mut list: Vec<Finding> = KINDS
        .iter()
        .filter_map(|kind| (kind.find)(facts, &causes).map(|finding| bounded(kind, finding, facts, small_ns)))
        .collect();
    let rank = |finding: &Finding| {
        (finding.small, std::cmp::Reverse((finding.saving.at_most_ns, finding.saving.calls)))
    };
    list.sort_by_key(rank);
    Findings {
        list,
        small_ns,
        estimated: !facts.prices.model.quality.is_measured(),
        not_kept: facts.watch.not_kept(),
    }
}

/// The finding, promising no more than there is to be had.
fn bounded(kind: &Kind, mut finding: Finding, facts: &Facts<'_>, small_ns: u64) -> Finding {
    let ceiling_ns = match facts.file_system_ns {
        Some(ns) if kind.file_system => ns.min(facts.wall.ns),
        _ => facts.wall.ns,
    };
    let saving = &mut finding.saving;
    // Of a log without times no saving is known.
    saving.at_most_ns = saving.at_most_ns.filter(|_| facts.wall.ns > 0).map(|ns| ns.min(ceiling_ns));
    saving.at_least_ns = saving.at_least_ns.zip(saving.at_most_ns).map(|(least, most)| least.min(most));
    saving.at_most_share = saving.at_most_ns.map(|ns| facts.wall.share(ns).min(1.0));
    let few = saving.calls < FEW_CALLS && saving.calls > 0;
    finding.small = saving.at_most_ns.map_or(few, |ns| ns < small_ns);
    finding.kind = kind.name;
    finding
}
