//! Modules of Perl (`@INC`) and Ruby (`$LOAD_PATH`) looked for in one directory after the other.

use rustc_hash::FxHashMap;

use super::causes::{Cause, Causes, ends};
use super::facts::{Counted, Facts, evidence, things};
use super::value::Finding;
use crate::analysis::text::file_name;
use crate::syscall::Family;

/// Fewer misses are nothing to speak of.
const FEW: u64 = 8;
/// Files of one name that are compared, in a hostile log.
const CANDIDATES: usize = 8;
const NOWHERE: &[u8] = b"(modules found nowhere)";

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let mut found: FxHashMap<&[u8], Vec<&[u8]>> = FxHashMap::default();
    for counted in facts.counted().filter(is_loaded) {
        let same = found.entry(file_name(counted.object)).or_default();
        if same.len() < CANDIDATES && !same.contains(&counted.object) {
            same.push(counted.object);
        }
    }
    let (missed, all) = facts.sum_of(FEW, |counted| {
        causes.is_miss(counted, Cause::Module).then(|| entry(counted.object, &found))?
    })?;
    let language = match (causes.has_perl(), causes.has_ruby()) {
        (true, false) => "Perl",
        (false, true) => "Ruby",
        _ => "Perl or Ruby",
    };
    let what = format!(
        "{language} modules were looked for in vain {} in {} before they were found",
        things(all.calls, "time", "times"),
        things(missed.len() as u64, "directory", "directories"),
    );
    let list = missed.iter().map(|(&entry, &tally)| (entry, tally, "misses"));
    let built_in = missed
        .keys()
        .all(|entry| [&b"/usr/"[..], b"/etc/perl", NOWHERE].iter().any(|root| entry.starts_with(root)));
    let advice = if built_in {
        "these are the interpreter's own directories: load fewer modules, or pack the program into one file (for Perl, \
         App::FatPacker)"
    } else {
        "take directories you added (PERL5LIB, -I, use lib; RUBYLIB, -I) out or put the fullest first; \
                  those built into the interpreter stay; for Ruby, bootsnap keeps the answers"
    };
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}

fn is_loaded(counted: &Counted<'_>) -> bool {
    counted.call.family() == Family::Open
        && counted.key.errno == 0
        && ends(counted.object, &[b".pm", b".pl", b".ph", b".rb", b".so"])
}

/// The directory of the search path that a miss belongs to: what is left of it without the part that it has
/// in common with the file found. `None`: the file was found there, under another suffix.
fn entry<'a>(path: &'a [u8], found: &FxHashMap<&[u8], Vec<&[u8]>>) -> Option<&'a [u8]> {
    let plain = path.strip_suffix(b"c").filter(|plain| plain.ends_with(b".pm")).unwrap_or(path);
    let Some(found) = found.get(file_name(plain)) else { return Some(NOWHERE) };
    if found.contains(&plain) {
        return None;
    }
    let common = found.iter().map(|file| common_parts(plain, file)).max()?;
    let parts = plain.iter().enumerate().rev().filter(|(_, b)| **b == b'/').nth(common.saturating_sub(1));
    parts.map(|(at, _)| if at == 0 { &b"/"[..] } else { &path[..at] })
}

/// How many last parts two paths have in common.
fn common_parts(a: &[u8], b: &[u8]) -> usize {
    let parts = |path| <[u8]>::rsplit(path, |&b: &u8| b == b'/');
    parts(a).zip(parts(b)).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_of_a_miss_is_what_the_file_found_does_not_share() {
        let mut found: FxHashMap<&[u8], Vec<&[u8]>> = FxHashMap::default();
        found.insert(b"Spec.pm", vec![b"/usr/share/perl/5.36/File/Spec.pm"]);
        assert_eq!(entry(b"/etc/perl/File/Spec.pm", &found), Some(&b"/etc/perl"[..]));
        assert_eq!(entry(b"/etc/perl/File/Spec.pmc", &found), Some(&b"/etc/perl"[..]));
        assert_eq!(entry(b"/usr/share/perl/5.36/File/Spec.pmc", &found), None);
        assert_eq!(entry(b"/etc/perl/Other.pm", &found), Some(NOWHERE));
        assert_eq!(entry(b"Spec.pm", &found), None);
    }
}
