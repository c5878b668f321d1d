//! Words to options, as `getopt_long(3)` tells them apart: letters that stand together, long names that may be shortened
//! for as long as they name one option, values with or without a space.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use anyhow::{anyhow, bail};

use crate::cli::strace::table::{Takes, long_options, short_option};
use crate::cli::strace::try_help;

/// An option as it was given.
pub struct Given {
    /// Its long name, or the first of them.
    pub name: &'static str,
    /// It was given by its letter.
    pub letter: Option<char>,
    /// The long name that was meant.
    pub meant: &'static str,
    /// What was given to it.
    pub value: Option<OsString>,
}

impl Given {
    /// `-a` or `--columns`: what is said of it.
    pub fn shown(&self) -> String {
        self.letter.map_or_else(|| format!("--{}", self.meant), |letter| format!("-{letter}"))
    }

    /// Its value, empty where it has none.
    pub fn value(&self) -> &OsStr {
        self.value.as_deref().unwrap_or_default()
    }

    /// Its value as text.
    pub fn text(&self) -> anyhow::Result<&str> {
        self.value().to_str().ok_or_else(|| self.invalid())
    }

    /// What is said of a value that it does not take.
    pub fn invalid(&self) -> anyhow::Error {
        let value = self.value().to_string_lossy();
        anyhow!("invalid {} argument: '{value}'\n{}", self.shown(), try_help())
    }
}

/// A command line that is taken apart.
pub struct Words {
    rest: VecDeque<OsString>,
    /// Letters that stand behind one that was taken.
    letters: Vec<u8>,
}

impl Words {
    /// The words behind the name.
    pub fn new(words: Vec<OsString>) -> Self {
        Self { rest: words.into(), letters: Vec::new() }
    }

    /// The next option; `None` where the command begins.
    pub fn next(&mut self) -> anyhow::Result<Option<Given>> {
        if !self.letters.is_empty() {
            return self.letter().map(Some);
        }
        let Some(word) = self.rest.front().map(|word| word.as_bytes().to_vec()) else { return Ok(None) };
        if word.len() < 2 || word[0] != b'-' {
            return Ok(None);
        }
        self.rest.pop_front();
        match word.strip_prefix(b"--") {
            Some(b"") => Ok(None),
            Some(long) => self.long(long).map(Some),
            None => {
                self.letters = word[1..].to_vec();
                self.letter().map(Some)
            }
        }
    }

    /// What is left: the command.
    pub fn command(self) -> Vec<OsString> {
        self.rest.into()
    }

    fn letter(&mut self) -> anyhow::Result<Given> {
        let letter = char::from(self.letters.remove(0));
        let Some((name, takes_value)) = short_option(letter) else {
            bail!("invalid option -- '{letter}'\n{}", try_help());
        };
        let mut value = None;
        if takes_value {
            let behind = std::mem::take(&mut self.letters);
            let behind = Some(OsString::from_vec(behind)).filter(|behind| !behind.is_empty());
            value = behind.or_else(|| self.rest.pop_front());
            if value.is_none() {
                bail!("option requires an argument -- '{letter}'\n{}", try_help());
            }
        }
        Ok(Given { name, letter: Some(letter), meant: name, value })
    }

    fn long(&mut self, word: &[u8]) -> anyhow::Result<Given> {
        let (name, value) = match word.iter().position(|&byte| byte == b'=') {
            Some(at) => (&word[..at], Some(OsString::from_vec(word[at + 1..].to_vec()))),
            None => (word, None),
        };
        let (meant, takes, name) = find(name, word)?;
        let value = match (takes, value) {
            (Takes::Nothing, Some(_)) => {
                bail!("option '--{meant}' doesn't allow an argument\n{}", try_help())
            }
            (Takes::Value, None) => {
                let next = self.rest.pop_front();
                Some(next.ok_or_else(|| anyhow!("option '--{meant}' requires an argument\n{}", try_help()))?)
            }
            (_, value) => value,
        };
        Ok(Given { name, letter: None, meant, value })
    }
}

/// The option of this name, or of which this is the beginning of the name and of no other option's.
fn find(name: &[u8], word: &[u8]) -> anyhow::Result<(&'static str, Takes, &'static str)> {
    if let Some(found) = long_options().find(|(known, ..)| known.as_bytes() == name) {
        return Ok((found.0, found.1, found.2));
    }
    let whole = String::from_utf8_lossy(word);
    // What later versions of strace have is known by its whole name only, as it shortens nothing here.
    let is_like = |known: &str, is_later: bool| !is_later && known.as_bytes().starts_with(name);
    let mut like = long_options().filter(|(known, _, _, is_later)| is_like(known, *is_later));
    let Some(first) = like.next() else { bail!("unrecognized option '--{whole}'\n{}", try_help()) };
    // Other names of the same option are no other options.
    let others: Vec<String> = like
        .filter(|(_, takes, option, _)| (*takes, *option) != (first.1, first.2))
        .map(|(other, ..)| format!(" '--{other}'"))
        .collect();
    if !others.is_empty() {
        let others = others.concat();
        bail!("option '--{whole}' is ambiguous; possibilities: '--{}'{others}\n{}", first.0, try_help());
    }
    Ok((first.0, first.1, first.2))
}
