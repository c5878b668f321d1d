//! Options that take one of a list of words, or a number.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// Takes one of the named values.
pub fn named<T: Copy + Send + Sync + 'static>(
    all: &'static [(T, &'static str)],
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(all.iter().map(|(_, name)| *name));
    names.map(move |chosen| {
        let found = all.iter().find(|(_, name)| *name == chosen).or(all.first());
        found.expect("the list is not empty").0
    })
}

/// Takes what the parser takes, and has these words completed by shells.
pub fn completed<P: TypedValueParser>(parser: P, words: &'static [&'static str]) -> Completed<P> {
    Completed { parser, words }
}

/// See [`completed`].
#[derive(Clone)]
pub struct Completed<P> {
    parser: P,
    words: &'static [&'static str],
}

impl<P: TypedValueParser> TypedValueParser for Completed<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<P::Value, Error> {
        self.parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words.iter().map(PossibleValue::new)))
    }
}

/// Takes a process id.
pub fn pid(text: &str) -> Result<i32, &'static str> {
    text.parse().ok().filter(|pid| *pid > 0).ok_or("not a process id (1 or more)")
}

/// Takes a number of runs.
pub fn runs(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|runs| *runs > 0).ok_or("not a number of runs (1 to 4294967295)")
}
