//! Modules that Python 3.11 and later have frozen inside, read from files all the same.

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Remedy};

/// Modules that are frozen from 3.11 on (`Python/frozen.c`).
const FROZEN: [&[u8]; 12] = [
    b"abc",
    b"codecs",
    b"io",
    b"_collections_abc",
    b"_sitebuiltins",
    b"genericpath",
    b"ntpath",
    b"posixpath",
    b"os",
    b"site",
    b"stat",
    b"runpy",
];

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let read: Vec<_> = facts
        .modules
        .modules
        .iter()
        .filter(|module| FROZEN.contains(&module.name.bytes()) && is_newer(module.path.bytes()))
        .collect();
    // One of them alone is somebody's own module of that name.
    if read.len() < 3 {
        return None;
    }
    let mut all = Tally::default();
    for module in &read {
        all.merge(Tally { calls: module.calls, most_ns: module.cost_ns, least_ns: None });
    }
    let what = format!(
        "{} read from files that this Python has inside",
        things(read.len() as u64, "module is", "modules are"),
    );
    let list = read.iter().map(|module| {
        let tally = Tally { calls: module.calls, most_ns: module.cost_ns, least_ns: None };
        (module.name.bytes(), tally, "calls")
    });
    let advice = "python -X frozen_modules=on (or do not set PYTHON_FROZEN_MODULES=off; coverage tools and \
                  builds run from their source tree turn it off)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(Some(Remedy::FrozenModules)))
}

/// Whether a path lies in the library of a Python 3.11 or later: `…/python3.12/os.py`.
fn is_newer(path: &[u8]) -> bool {
    path.split(|&b| b == b'/').any(|part| {
        let minor = part.strip_prefix(b"python3.").and_then(|rest| std::str::from_utf8(rest).ok());
        minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= 11)
    })
}
