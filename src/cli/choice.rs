//! Options that take one of a list of words, or a number.

use clap::builder::{PossibleValuesParser, TypedValueParser};

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

/// Takes a process id.
pub fn pid(text: &str) -> Result<i32, &'static str> {
    text.parse().ok().filter(|pid| *pid > 0).ok_or("not a process id (1 or more)")
}

/// Takes a number of runs.
pub fn runs(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|runs| *runs > 0).ok_or("not a number of runs (1 to 4294967295)")
}
