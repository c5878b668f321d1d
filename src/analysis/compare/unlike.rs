//! What makes a comparison unfair: found in the logs, and said before any number.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Sample;
use super::measure::Measure;
use super::profile::Profile;
use crate::analysis::cost::Quality;
use crate::analysis::text::Text;

/// Packages of a side that are named.
const NAMED: usize = 5;

/// Something in which the sides are not alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlike {
    /// What.
    pub what: &'static str,
    /// What it is for each side.
    pub sides: Vec<String>,
    /// Why that matters.
    pub why: &'static str,
}

/// What is looked at: its name, what it is of one run (`None`: not known), and why it matters.
type Question = (&'static str, fn(&Profile) -> Option<String>, &'static str);

const QUESTIONS: [Question; 13] = [
    ("machine", |run| known(&run.setting.host.name), "times and costs are of different machines"),
    ("CPU", |run| known(&run.setting.host.cpu), "times and costs are of different machines"),
    ("kernel", |run| known(&run.setting.host.kernel), "costs are of different kernels"),
    (
        "backend",
        |run| known(&run.setting.backend),
        "costs are measured in different ways; counts are not touched by that",
    ),
    ("costs", |run| Some(quality(run.quality).to_owned()), "costs cannot be set beside each other"),
    ("recorder", |run| known(&run.setting.writer), "recorded by different programs, or versions of one"),
    (
        "Python",
        |run| Some(joined(&run.setting.pythons)),
        "one is another version of the interpreter, or none",
    ),
    (
        "bytecode",
        |run| Some(whether(figure(run, Measure::Bytecode) > 0, "compiled")),
        "compiling is most of the time of many installs",
    ),
    ("files linked", |run| Some(links(run)), "a link is made without reading or writing what is in the file"),
    (
        "caches",
        |run| Some(whether(run.setting.cache_reads > 0, "read")),
        "a warm cache saves the work that the other does",
    ),
    (
        "network",
        |run| Some(whether(figure(run, Measure::Connections) > 0, "used")),
        "the network is slower than anything here, and differs from run to run",
    ),
    (
        "resolver",
        |run| run.setting.resolved.map(|resolved| whether(resolved, "run")),
        "one finds out which versions go together, the other is told",
    ),
    ("options", |run| Some(joined(&run.setting.options)), "they were asked for different work"),
];

/// What the sides are not alike in, most serious first.
#[must_use]
pub fn unlike(samples: &[Sample]) -> Vec<Unlike> {
    if samples.iter().any(|sample| sample.profiles.is_empty()) {
        return Vec::new();
    }
    let found = QUESTIONS.iter().filter_map(|(what, question, why)| {
        let sides: Option<Vec<String>> = samples.iter().map(|sample| side(sample, *question)).collect();
        let sides = sides?;
        let differs = sides.iter().any(|side| *side != sides[0]);
        differs.then_some(Unlike { what, sides, why })
    });
    found.chain(installed(samples)).collect()
}

/// What one side has installed and another has not, where all have installed something.
fn installed(samples: &[Sample]) -> Option<Unlike> {
    let sides: Vec<BTreeSet<&Text>> = samples.iter().map(in_all_runs).collect();
    if sides.iter().any(BTreeSet::is_empty) {
        return None;
    }
    let is_shared = |name: &Text| sides.iter().all(|side| side.contains(name));
    let own = |side: &BTreeSet<&Text>| {
        let own: Vec<String> = side
            .iter()
            .filter(|name| !is_shared(name))
            .map(|name| String::from_utf8_lossy(name.bytes()).into_owned())
            .collect();
        match own.len() {
            0 => "no others".to_owned(),
            count @ ..=NAMED => own[..count].join(" "),
            count => format!("{} and {} more", own[..NAMED].join(" "), count - NAMED),
        }
    };
    let told: Vec<String> = sides.iter().map(own).collect();
    let differ = sides.iter().any(|side| side.iter().any(|name| !is_shared(name)));
    let why = "they have installed other packages, or other versions of them";
    differ.then_some(Unlike { what: "packages", sides: told, why })
}

fn in_all_runs(sample: &Sample) -> BTreeSet<&Text> {
    let Some((first, further)) = sample.profiles.split_first() else { return BTreeSet::new() };
    let in_all = |name: &&Text| further.iter().all(|run: &Profile| run.setting.installed.contains(*name));
    first.setting.installed.iter().filter(in_all).collect()
}

/// What the runs of a side have in common, or that they differ; `None`: it is not known of one.
fn side(sample: &Sample, question: fn(&Profile) -> Option<String>) -> Option<String> {
    let answers: Option<Vec<String>> = sample.profiles.iter().map(question).collect();
    let mut answers = answers?;
    answers.dedup();
    Some(if answers.len() == 1 { answers.remove(0) } else { "differs from run to run".to_owned() })
}

fn known(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn joined(all: &BTreeSet<Text>) -> String {
    let words: Vec<_> = all.iter().map(|word| String::from_utf8_lossy(word.bytes()).into_owned()).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

fn figure(run: &Profile, measure: Measure) -> u64 {
    run.figures.get(&measure).copied().unwrap_or(0)
}

fn whether(does: bool, what: &str) -> String {
    if does { what.to_owned() } else { format!("not {what}") }
}

fn links(run: &Profile) -> String {
    let kinds = [
        (Measure::HardLinks, "hard links"),
        (Measure::Reflinks, "reflinks"),
        (Measure::Copies, "copies by the kernel"),
    ];
    // A few are made for locks.
    let used: Vec<&str> =
        kinds.iter().filter(|(measure, _)| figure(run, *measure) > 5).map(|(_, name)| *name).collect();
    if used.is_empty() { "none".to_owned() } else { used.join(", ") }
}

fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::True => "true",
        Quality::Estimated => "estimated",
        Quality::Replayed => "replayed",
        Quality::Unknown => "unknown",
    }
}
