//! Files of the C library for languages and character sets.

use super::causes::{Causes, has_directory, is_locale};
use super::facts::{Facts, evidence, things};
use super::value::Finding;
use crate::analysis::text::directory;

/// Fewer calls are what any program makes.
const FEW: u64 = 8;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let (calls, all) = facts.sum_of(FEW, |counted| {
        let files = counted.key.group.on_file() && is_locale(counted.object);
        files.then(|| directory(counted.object).unwrap_or_default())
    })?;
    let what = format!("{} to find and read locale data", things(all.calls, "call", "calls"));
    let list = calls.iter().map(|(&directory, &tally)| (directory, tally, "calls"));
    let plain = calls.keys().any(|path| has_directory(path, b"C.utf8") || has_directory(path, b"C.UTF-8"));
    let advice = if plain {
        "put C.UTF-8 into the archive (as root: localedef --add-to-archive /usr/lib/locale/C.utf8); LC_ALL=C reads \
         none, but then text is ASCII"
    } else {
        "where no translated messages are needed, run it with LC_ALL=C.UTF-8 (changes messages and sorting), or \
         without LANGUAGE; locale-gen puts locales into one archive"
    };
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
