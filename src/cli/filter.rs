//! strace's filters, as options of every command that looks at single calls.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, note};
use crate::event::{Event, Kind};
use crate::report::show::filter::{Filter, Outcome};
use crate::report::units::things;

#[derive(Debug, Args)]
pub struct FilterArguments {
    /// Only these calls, in strace's language: names, %classes, ! before all to exclude
    #[arg(short = 'e', value_name = "trace=SET")]
    expression: Option<String>,

    /// Only calls that access PATH, under this name or its resolved one, or a descriptor of it (several: any)
    #[arg(short = 'P', value_name = "PATH")]
    path: Vec<PathBuf>,

    /// Only calls that succeeded
    #[arg(short = 'z', conflicts_with = "failed")]
    successful: bool,

    /// Only calls that failed
    #[arg(short = 'Z')]
    failed: bool,
}

impl FilterArguments {
    /// The filter they make.
    pub fn filter(&self) -> Result<Filter, Failure> {
        let mut filter = match &self.expression {
            Some(expression) => Filter::parse(expression).map_err(|error| Failure::with_code(2, error))?,
            None => Filter::default(),
        };
        for name in self.path.iter().flat_map(|path| names_of(path)) {
            filter = filter.with_path(&name);
        }
        Ok(match (self.successful, self.failed) {
            (true, _) => filter.with_outcome(Outcome::Successful),
            (_, true) => filter.with_outcome(Outcome::Failed),
            _ => filter,
        })
    }

    /// The same, which counts what it chooses.
    pub fn chooser(&self) -> Result<Chooser, Failure> {
        Ok(Chooser { filter: self.filter()?, typed: self.typed(), calls: 0, chosen: 0 })
    }

    /// The options as typed; `None`: no filter.
    pub fn typed(&self) -> Option<String> {
        let mut words = Vec::new();
        words.extend(self.expression.as_ref().map(|expression| format!("-e {expression}")));
        words.extend(self.path.iter().map(|path| format!("-P {}", path.display())));
        words.extend(self.successful.then(|| "-z".to_owned()));
        words.extend(self.failed.then(|| "-Z".to_owned()));
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// A filter that knows whether it has chosen anything.
pub struct Chooser {
    filter: Filter,
    typed: Option<String>,
    calls: u64,
    chosen: u64,
}

impl Chooser {
    /// Whether the event is to be shown.
    pub fn matches(&mut self, event: &Event<'_>) -> bool {
        let matches = self.filter.matches(event);
        if event.kind == Kind::Syscall {
            self.calls += 1;
            self.chosen += u64::from(matches);
        }
        matches
    }

    /// Says that none of the log's calls was chosen, if it has some: that may be a mistake in the filter.
    pub fn tell_none(&self, log: &Path) {
        if let (Some(typed), 0, 1..) = (&self.typed, self.chosen, self.calls) {
            note(format_args!(
                "{typed} chooses none of the {} of {}",
                things(self.calls, "call", "calls"),
                log.display()
            ));
        }
    }
}

/// The names under which a log may have a path: as it was given, made absolute, and without symbolic links,
/// the name that descriptors of it have. Of a file that is no more, its directory's links are resolved.
fn names_of(path: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(path).ok();
    let canonical = path.canonicalize().ok().or_else(|| {
        let absolute = absolute.as_ref()?;
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    });
    let mut names = vec![path.to_owned()];
    for name in [absolute, canonical].into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
