//! What the file-system calls took in each of the traced runs, in the header of the log that is kept.
//!
//! One run of a program says little of how long its calls take: the next one may take a quarter more. Whoever compares
//! with a log (the gate of `trace replay`) is to know how far its runs lie apart.

use std::path::Path;

use crate::log::{self, Error, Repeats, Source};
use crate::syscall;

/// The runs so far.
#[derive(Debug, Default)]
pub struct Runs(Repeats);

impl Runs {
    /// Takes in the run whose log this is; whether it can be read.
    pub fn add(&mut self, log: &Path) -> bool {
        let Ok((calls, calls_ns)) = calls(log) else { return false };
        self.0.calls.push(calls);
        self.0.calls_ns.push(calls_ns);
        true
    }

    /// How many there are.
    pub fn made(&self) -> usize {
        self.0.calls.len()
    }

    /// Puts a copy of the log of one of the runs where the log belongs, with all of them in its header; if that fails, what
    /// is there is as it was.
    pub fn store(&self, kept: usize, log: &Path, output: &Path) -> Result<(), Error> {
        let at_output = |source| Error::Open { path: output.to_owned(), source };
        let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty());
        let copy = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(at_output)?;
        let mut source = Source::open(log, None)?;
        let mut header = source.header().clone();
        header.repeats = Some(Repeats { kept, ..self.0.clone() });
        log::rewrite(&mut source, copy.path(), header, |event, writer| writer.push(event))?;
        copy.persist(output).map(drop).map_err(|error| at_output(error.error))
    }
}

/// How many calls about files of a log have returned, and how long they took together.
fn calls(log: &Path) -> Result<(u64, u64), Error> {
    let (mut calls, mut calls_ns) = (0, 0_u64);
    Source::open(log, None)?.for_each(|event| {
        let is_about_files = |event: &crate::event::Event<'_>| {
            syscall::lookup(event.abi, event.nr).is_some_and(|spec| spec.family.is_about_files())
        };
        if event.kind == crate::event::Kind::Syscall
            && let Some(took) = event.duration_ns()
            && is_about_files(event)
        {
            calls += 1;
            calls_ns = calls_ns.saturating_add(took);
        }
    })?;
    Ok((calls, calls_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing;
    use crate::event::Event;
    use crate::log::{Header, Writer};

    /// A log with calls that took this long.
    fn log(directory: &Path, name: &str, took_ns: &[u64]) -> std::path::PathBuf {
        let path = directory.join(name);
        let mut writer = Writer::create(&path, &testing::header()).expect("a temporary directory");
        for (at, took_ns) in took_ns.iter().enumerate() {
            writer.push(&testing::call("openat", at as u64 * 1_000_000, *took_ns, 3));
            writer.push(&testing::call("getpid", at as u64 * 1_000_000 + 500_000, 77, 1));
        }
        writer.push(&Event { end_ns: None, ret: None, ..testing::call("read", 1 << 40, 0, 0) });
        writer.finish().expect("a temporary directory");
        path
    }

    fn read(log: &Path) -> (Header, Vec<(u32, Option<u64>)>) {
        let mut source = Source::open(log, None).expect("it was written");
        let mut events = Vec::new();
        source.for_each(|event| events.push((event.nr, event.duration_ns()))).expect("it was written");
        (source.header().clone(), events)
    }

    #[test]
    fn the_log_that_is_kept_knows_all_runs() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (first, second) = (log(directory.path(), "1", &[10, 20]), log(directory.path(), "2", &[5, 6, 7]));
        let mut runs = Runs::default();
        assert!(runs.add(&first) && runs.add(&second) && !runs.add(&directory.path().join("3")));
        let before = read(&second);
        assert_eq!(before.0.repeats, None);
        runs.store(1, &second, &first).expect("a temporary directory");
        let (header, events) = read(&first);
        assert_eq!(events, before.1);
        let repeats = Repeats { kept: 1, calls: vec![2, 3], calls_ns: vec![30, 18] };
        assert_eq!(header, Header { repeats: Some(repeats), ..before.0.clone() });
        // In place.
        runs.store(0, &first, &first).expect("a temporary directory");
        assert_eq!(read(&first).1, before.1);
        assert!(runs.store(0, &directory.path().join("3"), &second).is_err());
        assert_eq!(read(&second), before);
    }

    #[test]
    fn runs_are_seen_against_the_one_that_is_kept() {
        let repeats = |kept, calls_ns: &[u64]| Repeats {
            kept,
            calls: vec![10; calls_ns.len()],
            calls_ns: calls_ns.to_vec(),
        };
        assert_eq!(repeats(1, &[3000, 2000, 1500]).ratios(100.0), [2.0, 1.0, 0.5]);
        // Where recording takes all that is told, nothing is; nor of a run that is not there.
        assert!(repeats(0, &[3000, 900]).ratios(100.0).is_empty());
        assert!(repeats(9, &[3000, 2000]).ratios(100.0).is_empty());
        assert!(Repeats::default().ratios(0.0).is_empty());
    }
}
