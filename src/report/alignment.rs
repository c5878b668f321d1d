//! How far stacks that are of another run are those of the calls shown: said wherever such stacks are.

use super::escape::{escape, shorten};
use super::units::{count, percent, things};
use crate::analysis::alignment::{Alignment, Unmatched};

/// Calls that are named.
const NAMED: usize = 5;
/// Characters of a file's name.
const LONGEST: usize = 60;

/// The sentences, without a line break.
#[must_use]
pub fn sentences(alignment: &Alignment) -> String {
    let Alignment { calls, aligned, share, .. } = *alignment;
    let frames = alignment.frames.as_ref().map(|frames| format!(" ({})", escape(frames.as_bytes())));
    let frames = frames.unwrap_or_default();
    if calls == 0 {
        return format!("Stacks{frames} are those of another run; the log has no call.");
    }
    let mut text = vec![format!(
        "Stacks{} are those of another run: {} of {} have their counterpart there ({}).",
        frames,
        count(aligned),
        things(calls, "call", "calls"),
        percent(share)
    )];
    if aligned < calls {
        let without = things(calls - aligned, "call has", "calls have");
        let named = unmatched(alignment);
        let named = if named.is_empty() { String::new() } else { format!(": {named}") };
        text.push(format!("{without} none, and no stack{named}."));
    }
    if alignment.with_stack == 0 {
        let other_way = match alignment.frames.as_deref() {
            Some("python") => " of Python's functions; --stacks native takes those of machine code",
            _ => "",
        };
        text.push(format!("No call has a stack{other_way}."));
    }
    if let Some(others) = alignment.only_with_stacks.filter(|others| *others > 0) {
        text.push(format!("{} only that run has.", things(others, "call", "calls")));
    }
    text.join(" ")
}

/// The calls without a counterpart, by call, the first of each by name.
fn unmatched(alignment: &Alignment) -> String {
    let mut named: Vec<String> = alignment.unmatched.iter().take(NAMED).map(one).collect();
    let rest = alignment.unmatched.iter().skip(NAMED).map(|unmatched| unmatched.calls);
    let rest = rest.fold(0, u64::saturating_add);
    if rest > 0 {
        named.push(format!("{} others", count(rest)));
    }
    named.join(", ")
}

/// `3 openat (/a, /b, ...)`
fn one(unmatched: &Unmatched) -> String {
    let Unmatched { call, calls, objects } = unmatched;
    let mut named: Vec<String> = objects.iter().map(|path| shorten(&escape(path.bytes()), LONGEST)).collect();
    if !named.is_empty() && (named.len() as u64) < *calls {
        named.push("...".to_owned());
    }
    let named = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
    format!("{} {}{named}", count(*calls), escape(call.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_without_a_counterpart_are_listed() {
        let row = |call: &str, calls, objects: &[&str]| Unmatched {
            call: call.to_owned(),
            calls,
            objects: objects.iter().map(|object| (*object).into()).collect(),
        };
        let mut alignment = Alignment {
            frames: Some("python".to_owned()),
            calls: 1200,
            aligned: 1200,
            share: 1.0,
            with_stack: 9,
            only_with_stacks: Some(0),
            unmatched: Vec::new(),
        };
        assert_eq!(
            sentences(&alignment),
            "Stacks (python) are those of another run: 1200 of 1200 calls have their counterpart there (100 %)."
        );
        alignment.unmatched =
            vec![row("openat", 4, &["/a\n", "/b"]), row("getpid", 2, &[]), row("read", 1, &["/r"])];
        (alignment.aligned, alignment.share, alignment.only_with_stacks) = (1193, 0.994, Some(1));
        let text = sentences(&alignment);
        let without = sentences(&Alignment { with_stack: 0, ..alignment.clone() });
        assert!(without.contains("No call has a stack of Python's functions; --stacks native"), "{without}");
        let none = Alignment { calls: 0, aligned: 0, ..alignment.clone() };
        assert_eq!(sentences(&none), "Stacks (python) are those of another run; the log has no call.");
        assert!(text.contains(
            "(99.4 %). 7 calls have none, and no stack: 4 openat (/a\\n, /b, ...), 2 getpid, 1 read (/r). 1 call only that run has."
        ), "{text}");
    }
}
