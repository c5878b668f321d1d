//! Options that take one of a list of words.

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
