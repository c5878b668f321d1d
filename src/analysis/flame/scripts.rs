//! Which script each process runs, for interpreters whose own functions do not say it.
//!
//! By time, because samples come in the log behind what they are about: a process may run another program by then.

use rustc_hash::FxHashMap;

use crate::analysis::phases::{self, Start};
use crate::event::{Event, Kind};

/// Programs that are kept.
const MOST: usize = 1 << 16;
/// Bytes of a script's name that are kept.
const LONGEST: usize = 256;

/// From when on, and which script, if it is one.
type Since = (u64, Option<Vec<u8>>);

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Scripts {
    cwd: Vec<u8>,
    by_process: FxHashMap<u32, Vec<Since>>,
    kept: usize,
}

impl Scripts {
    /// Of a command that is started in this directory.
    pub fn new(cwd: &str) -> Self {
        Self { cwd: cwd.as_bytes().to_vec(), ..Self::default() }
    }

    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Exec => {
                let start = Start {
                    path: event.path_abs.or(event.path).unwrap_or_default(),
                    argv: event.argv.unwrap_or_default(),
                    cwd: &self.cwd,
                };
                let script = phases::runs(&start).map(|mut script| {
                    script.truncate(LONGEST);
                    script
                });
                self.keep(event.pid, event.start_ns, script);
            }
            Kind::Fork => {
                let child = u32::try_from(event.args[1]).ok().filter(|child| *child != event.pid);
                if let Some(child) = child {
                    let script = self.find(event.pid, event.start_ns).map(<[u8]>::to_vec);
                    self.keep(child, event.start_ns, script);
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, pid: u32, from_ns: u64, script: Option<Vec<u8>>) {
        let known = self.by_process.entry(pid).or_default();
        if self.kept < MOST && (script.is_some() || !known.is_empty()) {
            self.kept += 1;
            known.push((from_ns, script));
        }
    }

    /// The script that a process ran at a moment.
    pub fn find(&self, pid: u32, at_ns: u64) -> Option<&[u8]> {
        let known = self.by_process.get(&pid)?;
        let (_, script) = known.iter().rev().find(|(from_ns, _)| *from_ns <= at_ns)?;
        script.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_a_script_until_it_runs_something_else() {
        let exec = |pid, start_ns, path: &'static str, argv: &'static str| Event {
            pid,
            start_ns,
            path_abs: Some(path.as_bytes()),
            argv: Some(argv.as_bytes()),
            ..Event::new(Kind::Exec)
        };
        let mut scripts = Scripts::new("/x");
        for event in [
            exec(1, 10, "/usr/bin/ruby3.1", "ruby\0-w\0a.rb\0x"),
            Event { pid: 1, start_ns: 15, args: [0, 2, 0, 0, 0, 0], ..Event::new(Kind::Fork) },
            exec(1, 20, "/bin/ls", "ls\0a.rb"),
            exec(3, 5, "/usr/bin/perl", "./tool\0x"),
            exec(4, 5, "/usr/bin/node", "node\0-e\0x"),
            exec(5, 5, "/usr/bin/node", "node"),
        ] {
            scripts.add(&event);
        }
        let find =
            |pid, at_ns| scripts.find(pid, at_ns).map(|script| String::from_utf8_lossy(script).into_owned());
        assert_eq!([find(1, 9), find(1, 10), find(1, 20)], [None, Some("a.rb".to_owned()), None]);
        assert_eq!([find(2, 30), find(2, 14)], [Some("a.rb".to_owned()), None]);
        assert_eq!([find(3, 9), find(4, 9), find(5, 9)], [None, Some("-e".to_owned()), None]);
    }
}
