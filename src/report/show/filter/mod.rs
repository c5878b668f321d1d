//! Which events are shown: strace's `-e trace=`, `-P`, `-z` and `-Z`.
//!
//! What `-e trace=` takes is turned into one bit a call number, so that asking whether an event passes
//! is a look-up, whatever the expression was.
//!
//! As under strace, signals and exits are shown whatever calls are chosen. The kinds strace does not
//! know (exec, fork, marks, totals) are shown unless the filter chooses anything; what was lost always is.

mod error;
mod pattern;
mod set;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::event::{Abi, Event, Kind};
use crate::syscall::decode::{Decoder, Descriptors, Snapshot, Style};
use crate::syscall::{self, Arg, multiplexed};
pub use error::FilterError;
pub use set::CallSet;

/// Which calls, by their outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Outcome {
    /// All.
    #[default]
    Any,
    /// Those that returned without an error (`-z`). A call that never returned is not among them.
    Successful,
    /// Those that returned an error (`-Z`).
    Failed,
}

/// Chooses events. The default chooses all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    calls: Option<CallSet>,
    paths: Vec<PathBuf>,
    descriptors: Option<Descriptors>,
    outcome: Outcome,
    /// See [`Filter::as_strace`].
    is_straces: bool,
}

impl Filter {
    /// A filter from the argument of `-e`: `trace=SET`, or just `SET`.
    ///
    /// `SET` is a list of items with commas between: names (`openat`), numbers, classes (`%file`, and
    /// `file` for the seven old ones), families (`%family:stat`), regular expressions (`/^open`), `all` and
    /// `none`. A `!` before the list chooses all other calls. A name may end in `@64`, `@32` or `@x32`,
    /// the convention it was called by. `?` before an item: no error if there is no such call.
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        Ok(Self { calls: Some(CallSet::parse(expression)?), ..Self::default() })
    }

    /// The calls of a set.
    #[must_use]
    pub fn of_calls(calls: CallSet) -> Self {
        Self { calls: Some(calls), ..Self::default() }
    }

    /// Whether there is a call of some number that it may choose.
    #[must_use]
    pub fn chooses_any_call(&self) -> bool {
        self.calls.as_ref().is_none_or(|calls| !calls.is_empty())
    }

    /// Only calls that access this path, too (`-P`); with several, any of them. A path matches as the
    /// program passed it, as it was made absolute, and by the file behind a descriptor; repeated slashes,
    /// `.` components and a slash at the end make no difference. Other names of the same file are other paths:
    /// who knows them gives them too.
    #[must_use]
    pub fn with_path(mut self, path: &Path) -> Self {
        self.paths.push(path.to_owned());
        self
    }

    /// Only calls that are passed one of these descriptors, too.
    #[must_use]
    pub fn with_descriptors(mut self, descriptors: Descriptors) -> Self {
        self.descriptors = Some(descriptors);
        self
    }

    /// Chooses as strace itself does: paths are those passed and those behind descriptors, letter by letter, and calls that
    /// no table has are shown whatever is chosen. To be asked at the entry of a call: what it opens is no path of it.
    #[must_use]
    pub fn as_strace(mut self) -> Self {
        self.is_straces = true;
        self
    }

    /// Whether it chooses by paths.
    #[must_use]
    pub fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Only calls with this outcome.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Whether calls of this number may be shown, as far as the number tells.
    #[must_use]
    pub fn may_show_call(&self, abi: Abi, nr: u32) -> bool {
        let Some(calls) = &self.calls else { return true };
        calls.contains(abi, nr)
            || multiplexed::numbers(abi, nr).any(|part| calls.contains(abi, part))
            || self.is_straces && syscall::lookup(abi, nr).is_none()
    }

    /// Whether the event is to be shown.
    #[must_use]
    pub fn matches(&self, event: &Event<'_>) -> bool {
        match event.kind {
            Kind::Syscall => self.matches_call(event),
            Kind::Signal | Kind::Exit | Kind::Lost => true,
            Kind::Mark if event.stopped_by().is_some() => true,
            Kind::Exec | Kind::Fork | Kind::Mark | Kind::Total | Kind::Sample | Kind::Frame | Kind::Stack => {
                self.chooses_all()
            }
        }
    }

    fn chooses_all(&self) -> bool {
        self.calls.is_none()
            && self.paths.is_empty()
            && self.descriptors.is_none()
            && self.outcome == Outcome::Any
    }

    fn matches_call(&self, event: &Event<'_>) -> bool {
        let outcome = match self.outcome {
            Outcome::Any => true,
            Outcome::Successful => event.ret.is_some() && event.errno().is_none(),
            Outcome::Failed => event.errno().is_some(),
        };
        // What a call stands for is chosen, and not the call.
        let is_chosen = match (multiplexed::number(event), &self.calls) {
            (Some(part), Some(calls)) => calls.contains(event.abi, part),
            _ => self.may_show_call(event.abi, event.nr),
        };
        outcome
            && is_chosen
            && (self.paths.is_empty() || self.accesses_a_path(event))
            && self.descriptors.as_ref().is_none_or(|set| is_passed_one(event, set))
    }

    fn accesses_a_path(&self, event: &Event<'_>) -> bool {
        if self.is_straces {
            let is_wanted =
                |path: &[u8]| self.paths.iter().any(|wanted| wanted.as_os_str().as_bytes() == path);
            if let Some(is_inside) = names_inside(event, is_wanted) {
                return is_inside;
            }
            // Of the two names of rename(2), strace looks at the first one only.
            let is_rename = syscall::lookup(event.abi, event.nr).is_some_and(|spec| spec.name == "rename");
            let second = event.path2.filter(|_| !is_rename);
            let accessed = [event.path, second].into_iter().chain(behind_descriptors(event)).flatten();
            return accessed.into_iter().any(is_wanted);
        }
        let passed = [event.path, event.path_abs, event.path2, event.path2_abs];
        let behind = behind_descriptors(event);
        let accessed =
            passed.into_iter().chain(behind).flatten().map(|path| Path::new(OsStr::from_bytes(path)));
        accessed.into_iter().any(|path| self.paths.iter().any(|wanted| wanted == path))
    }
}

/// Whether a wanted path is one that the call names in a structure; `None`: it is not, and what the arguments name is to be
/// looked at.
fn names_inside(event: &Event<'_>, is_wanted: impl Fn(&[u8]) -> bool) -> Option<bool> {
    let mut memory = Snapshot(event.memory.unwrap_or_default());
    let mut call = Decoder::new(event, &Style::PLAIN, &mut memory)?;
    let mut is_inside = false;
    call.inner_paths(|path| is_inside |= is_wanted(path));
    (is_inside || call.names_inner_paths_only()).then_some(is_inside)
}

/// The files behind the descriptors of a call.
fn behind_descriptors<'a>(event: &Event<'a>) -> [Option<&'a [u8]>; 2] {
    [event.file, event.file2].map(|file| file.map(without_deleted))
}

fn is_passed_one(event: &Event<'_>, set: &Descriptors) -> bool {
    let Some(spec) = syscall::lookup(event.abi, event.nr) else { return false };
    let mut fds =
        spec.args.iter().zip(event.args).filter(|(spec, _)| matches!(spec.arg, Arg::Fd | Arg::DirFd));
    fds.any(|(_, fd)| set.has(fd as i32))
}

/// The kernel adds a word to the name of a file that has none any more (proc(5)).
fn without_deleted(file: &[u8]) -> &[u8] {
    file.strip_suffix(b" (deleted)").unwrap_or(file)
}
