//! What is wrong with a filter expression: one line that says which word, and what to try.

use std::collections::BTreeSet;

use crate::event::Abi;
use crate::syscall::{Classes, Family, table};

/// An expression that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A word that names nothing.
    #[error("filter \"{expression}\", column {column}: there is no {kind} \"{word}\"{}", hint(.near))]
    Unknown {
        /// What the word should have been.
        kind: &'static str,
        /// The word.
        word: String,
        /// Where it begins, in characters from 1.
        column: usize,
        /// The whole expression.
        expression: String,
        /// Names like it, the nearest first.
        near: Vec<String>,
    },
    /// A word that cannot be understood.
    #[error("filter \"{expression}\", column {column}: {problem}")]
    Invalid {
        /// What is wrong with it.
        problem: String,
        /// Where it begins, in characters from 1.
        column: usize,
        /// The whole expression.
        expression: String,
    },
}

fn hint(near: &[String]) -> String {
    match near {
        [] => {
            "; known words are names of system calls, %classes, %family:NAME, /regular expressions".to_owned()
        }
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Names of calls like this one.
pub(super) fn near_calls(word: &str) -> Vec<String> {
    let names: BTreeSet<&str> =
        [Abi::X86_64, Abi::I386].into_iter().flat_map(table).map(|spec| spec.name).collect();
    nearest(word, names.into_iter().map(str::to_owned))
}

/// Classes and families like this one (which has its `%`).
pub(super) fn near_classes(word: &str) -> Vec<String> {
    let classes = Classes::ALL.iter().map(|(_, name)| format!("%{name}"));
    let families = Family::ALL.iter().map(|family| format!("%family:{}", family.name()));
    nearest(word, classes.chain(families))
}

/// At most three names that contain the word or can be had from it by few changes, the nearest first.
fn nearest(word: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    // Longer words than any name has are not worth the time.
    if word.len() > 40 {
        return Vec::new();
    }
    let allowed = 1 + word.len() / 4;
    let mut near: Vec<_> = names
        .map(|name| {
            let is_part = word.len() > 3 && name.contains(word);
            (if is_part { 1 } else { distance(word.as_bytes(), name.as_bytes()) }, name)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter().take_while(|(distance, _)| *distance <= best + 1).take(3).map(|(_, name)| name).collect()
}

/// How many letters are to be added, taken away, changed, or swapped with their neighbour to get from
/// one word to the other (optimal string alignment).
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, &letter) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &other) in to.iter().enumerate() {
            let change = above[column] + usize::from(letter != other);
            let mut best = change.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && letter == to[column - 1] && from[row - 1] == other;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance(b"open", b"open"), 0);
        assert_eq!(distance(b"oepn", b"open"), 1, "neighbours swapped");
        assert_eq!(distance(b"opnat", b"openat"), 1);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }

    #[test]
    fn near_names() {
        assert_eq!(near_calls("opnat")[0], "openat");
        assert_eq!(near_calls("fstatat"), ["fstatat64", "newfstatat", "fstat"]);
        assert_eq!(near_classes("%files")[0], "%file");
        assert_eq!(near_classes("%family:opne"), ["%family:open"]);
        assert!(near_calls("xyzzyxyzzy").is_empty());
    }
}
