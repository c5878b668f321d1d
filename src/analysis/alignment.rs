//! How far the calls of a log go together with those of the run that its stacks are of.
//!
//! A call without a counterpart there has no stack, and nothing is guessed: these are counted by call, and the first of them named.

use serde::Serialize;

use super::calls::{CallId, Calls};
use super::text::Text;
use crate::event::{Event, Flags, Kind};
use crate::log::Header;

/// Files that are named of each call.
const NAMED: usize = 3;
/// Bytes of a name that are kept.
const LONGEST: usize = 4096;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alignment {
    /// Which frames stacks have: `python`, `native`, `both`; `None`: the log does not say.
    pub frames: Option<String>,
    /// Calls of the log.
    pub calls: u64,
    /// Those with a counterpart.
    pub aligned: u64,
    /// The same as a part of all, 0 to 1.
    pub share: f64,
    /// Those with a stack: a counterpart may have none.
    pub with_stack: u64,
    /// Calls that only the run with stacks has; `None`: not known.
    pub only_with_stacks: Option<u64>,
    /// Those without a counterpart, most first.
    pub unmatched: Vec<Unmatched>,
}

/// Calls without a counterpart that are the same call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Its name.
    pub call: String,
    /// How many.
    pub calls: u64,
    /// What the first of them are about.
    pub objects: Vec<Text>,
}

/// Takes the events of a log.
#[derive(Debug)]
pub struct Aligning {
    alignment: Alignment,
    /// Calls so far: of a log that was cut they are fewer than its header says.
    met: u64,
    calls: Calls,
    unmatched: Vec<(CallId, Unmatched)>,
}

impl Aligning {
    /// For the log with this header; `None`: its stacks, if it has any, are its own.
    #[must_use]
    pub fn new(header: &Header) -> Option<Self> {
        let (calls, aligned) = header.aligned()?;
        let alignment = Alignment {
            frames: header.stacks().map(str::to_owned),
            calls,
            aligned,
            share: share((calls, aligned)),
            with_stack: 0,
            only_with_stacks: header.only_with_stacks(),
            unmatched: Vec::new(),
        };
        Some(Self { alignment, met: 0, calls: Calls::default(), unmatched: Vec::new() })
    }

    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        if event.kind != Kind::Syscall {
            return;
        }
        self.met += 1;
        self.alignment.with_stack += u64::from(event.stack.is_some());
        if !event.flags.has(Flags::UNMATCHED) {
            return;
        }
        let id = self.calls.id(event.abi, event.nr);
        let at = self.unmatched.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            let call = self.calls.get(id).name.to_string();
            self.unmatched.push((id, Unmatched { call, calls: 0, objects: Vec::new() }));
            self.unmatched.len() - 1
        });
        let unmatched = &mut self.unmatched[at].1;
        unmatched.calls += 1;
        let object = event.path_abs.or(event.path).or(event.file);
        if let Some(object) = object.filter(|_| unmatched.objects.len() < NAMED) {
            unmatched.objects.push(object[..object.len().min(LONGEST)].into());
        }
    }

    /// How many calls there are, and how many of them have a counterpart.
    #[must_use]
    pub fn known(&self) -> (u64, u64) {
        let Alignment { calls, aligned, .. } = self.alignment;
        if self.met >= calls {
            return (calls, aligned);
        }
        let unmatched: u64 = self.unmatched.iter().map(|(_, unmatched)| unmatched.calls).sum();
        (self.met, self.met - unmatched)
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Alignment {
        let known = self.known();
        let alignment = &mut self.alignment;
        if alignment.calls != known.0 {
            (alignment.calls, alignment.aligned) = known;
            alignment.share = share(known);
            // The others may have their counterparts in what is missing.
            alignment.only_with_stacks = None;
        }
        self.alignment.unmatched = self.unmatched.into_iter().map(|(_, unmatched)| unmatched).collect();
        self.alignment.unmatched.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.call.cmp(&b.call)));
        self.alignment
    }
}

/// Those with a counterpart as a part of all, 0 to 1.
fn share((calls, aligned): (u64, u64)) -> f64 {
    if calls == 0 { 1.0 } else { (aligned as f64 / calls as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{call, header};
    use crate::log;

    #[test]
    fn what_has_no_counterpart_is_counted_by_call() {
        let mut header = header();
        assert!(Aligning::new(&header).is_none());
        header.options.insert(log::ALIGNED.to_owned(), "6 1 2".to_owned());
        header.options.insert(log::STACKS.to_owned(), "both".to_owned());
        let mut aligning = Aligning::new(&header).expect("it is aligned");
        header.options.insert(log::ALIGNED.to_owned(), "800 790 2".to_owned());
        let mut cut = Aligning::new(&header).expect("it is aligned");
        let alone = |name, path: &'static str| Event {
            path: Some(path.as_bytes()),
            flags: Flags::UNMATCHED,
            ..call(name, 0, 1, 0)
        };
        for event in [
            alone("read", "/r"),
            alone("openat", "/a"),
            alone("openat", "/b"),
            alone("openat", "/c"),
            alone("openat", "/d"),
            Event { stack: Some(1), ..call("read", 0, 1, 0) },
            Event { stack: Some(1), ..Event::new(Kind::Sample) },
        ] {
            aligning.add(&event);
            cut.add(&event);
        }
        let found = aligning.finish();
        let row = |call: &str, calls, objects: &[&str]| Unmatched {
            call: call.to_owned(),
            calls,
            objects: objects.iter().map(|object| (*object).into()).collect(),
        };
        assert_eq!(found.unmatched, [row("openat", 4, &["/a", "/b", "/c"]), row("read", 1, &["/r"])]);
        assert_eq!((found.calls, found.aligned, found.with_stack), (6, 1, 1));
        assert_eq!((found.only_with_stacks, found.frames.as_deref()), (Some(2), Some("both")));
        assert!((found.share - 1.0 / 6.0).abs() < 1e-9);
        // Of a log that was cut, the calls that are left count.
        assert_eq!(cut.known(), (6, 1));
        assert_eq!(cut.finish(), Alignment { only_with_stacks: None, ..found });
    }

    #[test]
    fn odd_headers_tell_what_they_can() {
        let mut header = header();
        for (text, known) in [("0 0", true), ("5", false), ("x 1", false), ("5 9 9 9", true)] {
            header.options.insert(log::ALIGNED.to_owned(), text.to_owned());
            let share = Aligning::new(&header).map(|aligning| aligning.alignment.share);
            assert_eq!(share, known.then_some(1.0), "{text}");
        }
    }
}
