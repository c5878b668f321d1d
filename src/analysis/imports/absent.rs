//! Why a log holds no imports.

use super::super::integrity::Watch;
use super::super::phases::{Start, python_bytecode, python_script};
use super::super::text::{Text, arguments};
use crate::event::{Event, Kind};
use crate::log::Header;

/// The first version that tells of its imports.
const FIRST: (u32, u32) = (3, 7);
/// The backend of logs that were read from strace's text.
const STRACE: &str = "strace";

/// Why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// strace wrote it.
    Strace,
    /// Python was not asked to tell.
    NotAsked,
    /// No Python was started.
    NoPython,
    /// This version of Python has no word of its imports.
    TooOld(Text),
    /// Python does not heed its environment (`-E` or `-I`), by which it is asked.
    IgnoresEnvironment,
    /// It was asked, and did not tell.
    Silent,
    /// The log was cut short, and what is left has none.
    Cut,
}

/// Takes the events of a log that holds no imports.
#[derive(Debug)]
pub struct Absent {
    is_strace: bool,
    was_asked: bool,
    python: Option<bool>,
    version: Option<((u32, u32), Text)>,
    watch: Watch,
}

impl Absent {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let (is_strace, was_asked) = (header.backend == STRACE, header.aligned().is_some());
        Self { is_strace, was_asked, python: None, version: None, watch: Watch::default() }
    }

    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        self.watch.add(event);
        if event.kind == Kind::Exec {
            let argv = event.argv.unwrap_or_default();
            let start = Start { path: event.path_abs.or(event.path).unwrap_or_default(), argv, cwd: b"" };
            if python_script(&start).is_some() {
                self.python = Some(python_bytecode(arguments(argv)).no_environment);
            }
        } else if let (Some(_), None, Some(path)) = (self.python, &self.version, event.path_abs) {
            self.version = version(path);
        }
    }

    /// The reason.
    #[must_use]
    pub fn finish(self) -> Absence {
        match (self.python, self.version) {
            _ if self.is_strace => Absence::Strace,
            _ if !self.was_asked => Absence::NotAsked,
            _ if !self.watch.finish().complete => Absence::Cut,
            (None, _) => Absence::NoPython,
            (_, Some((version, text))) if version < FIRST => Absence::TooOld(text),
            (Some(true), _) => Absence::IgnoresEnvironment,
            (Some(false), _) => Absence::Silent,
        }
    }
}

/// The version that a file of Python's library is of, by its directory: `/usr/lib/python3.11/os.py`.
fn version(path: &[u8]) -> Option<((u32, u32), Text)> {
    path.split(|&byte| byte == b'/').find_map(|part| {
        let text = str::from_utf8(part.strip_prefix(b"python")?).ok()?;
        let (major, minor) = text.split_once('.')?;
        Some(((major.parse().ok()?, minor.parse().ok()?), text.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{call, header};

    #[test]
    fn each_reason_is_told_apart() {
        let exec = |path: &'static str, argv: &'static str| Event {
            path: Some(path.as_bytes()),
            argv: Some(argv.as_bytes()),
            ..Event::new(Kind::Exec)
        };
        let total = || Event { text: Some(b"events"), ret: Some(1), ..Event::new(Kind::Total) };
        let open = |path: &'static str| Event { path_abs: Some(path.as_bytes()), ..call("openat", 1, 1, 3) };
        let asked = |asked: bool, backend: &str, events: &[Event<'_>]| {
            let mut header = header();
            header.backend = backend.to_owned();
            if asked {
                header.options.insert("aligned".to_owned(), "5 5".to_owned());
            }
            let mut absent = Absent::new(&header);
            for event in events {
                absent.add(event);
            }
            absent.finish()
        };
        let library = open("/usr/lib/python3.11/os.py");
        let old = [exec("/usr/bin/python2.7", "python\0"), open("/usr/lib/python2.7/os.py"), total()];
        let isolated = [exec("/usr/bin/python3", "python3\0-I\0-c\0x\0"), library, total()];
        let other = [exec("/usr/bin/python3", "python3\0x.py\0-I\0"), library, total()];
        for (given, expected) in [
            (asked(true, "strace", &isolated), Absence::Strace),
            (asked(false, "ebpf", &isolated), Absence::NotAsked),
            (asked(true, "ebpf", &[exec("/bin/true", "true\0"), total()]), Absence::NoPython),
            (asked(true, "ebpf", &[exec("/bin/true", "true\0")]), Absence::Cut),
            (asked(true, "ebpf", &old), Absence::TooOld("2.7".into())),
            (asked(true, "ebpf", &isolated), Absence::IgnoresEnvironment),
            (asked(true, "ebpf", &other), Absence::Silent),
        ] {
            assert_eq!(given, expected);
        }
    }
}
