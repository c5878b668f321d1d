//! Names of code that is made at run time, as its maker tells them: `/tmp/perf-PID.map`.
//!
//! One function a line: begin and length in hexadecimal, and the name. Node writes it with `--perf-basic-prof`, Python from
//! 3.12 on with `-X perf`, Java by an agent. What is told last holds, because memory is used again. Anyone can write to
//! `/tmp`, so a file counts only if it is of the process's user or of ours, and was written since we are there.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::{Duration, SystemTime};

use rustc_hash::FxHashMap;

/// Bytes of a file that are read.
const LONGEST: u64 = 64 << 20;
/// Longest line.
const LONGEST_LINE: usize = 4096;
/// Processes whose files are kept.
const MOST: usize = 4096;

/// See the module's documentation.
#[derive(Debug)]
pub struct RunTimeCode {
    since: SystemTime,
    processes: FxHashMap<u32, Option<Map>>,
}

impl Default for RunTimeCode {
    fn default() -> Self {
        // The clock of files ticks more slowly than that of programs.
        let since = SystemTime::now() - Duration::from_millis(20);
        Self { since, processes: FxHashMap::default() }
    }
}

impl RunTimeCode {
    /// The function at an address of a process.
    pub fn find(&mut self, pid: u32, at: u64) -> Option<&[u8]> {
        if self.processes.len() >= MOST && !self.processes.contains_key(&pid) {
            self.processes.clear();
        }
        let map = self.processes.entry(pid).or_default();
        if map.is_none() {
            *map = Map::open(pid, self.since);
        }
        let map = map.as_mut()?;
        map.read_on();
        map.functions.find(at)
    }

    /// The process runs another program.
    pub fn forget(&mut self, pid: u32) {
        self.processes.remove(&pid);
    }
}

#[derive(Debug)]
struct Map {
    file: File,
    read: u64,
    /// The beginning of a line whose end is still to be written.
    line: Vec<u8>,
    functions: Functions,
}

impl Map {
    fn open(pid: u32, since: SystemTime) -> Option<Self> {
        let owner = std::fs::metadata(format!("/proc/{pid}")).map(|process| process.uid()).ok();
        let own = nix::unistd::geteuid().as_raw();
        let counts = |file: &Metadata| {
            let is_ours = file.uid() == own || Some(file.uid()) == owner;
            file.is_file() && is_ours && file.modified().is_ok_and(|written| written >= since)
        };
        let places = [format!("/proc/{pid}/root/tmp/perf-{pid}.map"), format!("/tmp/perf-{pid}.map")];
        let file = places.iter().find_map(|place| {
            let mut options = File::options();
            let file = options
                .read(true)
                .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY)
                .open(place)
                .ok()?;
            file.metadata().is_ok_and(|file| counts(&file)).then_some(file)
        })?;
        Some(Self { file, read: 0, line: Vec::new(), functions: Functions::default() })
    }

    /// Takes in what was written since.
    fn read_on(&mut self) {
        let length = self.file.metadata().map_or(0, |file| file.len()).min(LONGEST);
        if length < self.read {
            // Begun anew.
            self.read = 0;
            self.line.clear();
            self.functions = Functions::default();
        }
        if length == self.read || self.file.seek(SeekFrom::Start(self.read)).is_err() {
            return;
        }
        let mut text = std::mem::take(&mut self.line);
        let Ok(read) = (&self.file).take(length - self.read).read_to_end(&mut text) else { return };
        self.read += read as u64;
        let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.line = text[end..].iter().copied().take(LONGEST_LINE).collect();
        for line in text[..end].split(|&byte| byte == b'\n') {
            self.functions.add(line);
        }
    }
}

/// Functions by their begins, none of which overlap.
#[derive(Debug, Default)]
struct Functions(BTreeMap<u64, (u64, Vec<u8>)>);

impl Functions {
    fn find(&self, at: u64) -> Option<&[u8]> {
        let (_, (end, name)) = self.0.range(..=at).next_back()?;
        (at < *end).then_some(name)
    }

    /// Takes a line; what it overlaps with is gone.
    fn add(&mut self, line: &[u8]) {
        let Some((begin, end, name)) = parse(line) else { return };
        let overlaps = |(&first, (last, _)): (&u64, &(u64, Vec<u8>))| (*last > begin).then_some(first);
        while let Some(first) = self.0.range(..end).next_back().and_then(overlaps) {
            self.0.remove(&first);
        }
        self.0.insert(begin, (end, name.to_vec()));
    }
}

/// `7f00 40 LazyCompile:~f /x.js:1`; `None`: no function.
fn parse(line: &[u8]) -> Option<(u64, u64, &[u8])> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let mut number = || {
        let word = std::str::from_utf8(words.next()?).ok()?;
        u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
    };
    let (begin, length) = (number()?, number()?);
    let name = words.next().filter(|name| !name.is_empty() && name.len() <= LONGEST_LINE)?;
    Some((begin, begin.checked_add(length).filter(|end| *end > begin)?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_holds() {
        let mut functions = Functions::default();
        for line in
            ["7f00 40 f a;b\u{1}", "0x7f40 10 g", "7f80 0 nothing", "x 1 y", "7fff", "ffffffffffffffff 2 h"]
        {
            functions.add(line.as_bytes());
        }
        assert_eq!(functions.find(0x7f3f), Some("f a;b\u{1}".as_bytes()));
        assert_eq!(functions.find(0x7f40), Some(&b"g"[..]));
        assert_eq!(
            (functions.find(0x7f50), functions.find(0x7eff), functions.find(u64::MAX)),
            (None, None, None)
        );
        functions.add(b"7f30 18 later");
        assert_eq!((functions.find(0x7f10), functions.find(0x7f44)), (None, Some(&b"later"[..])));
        assert_eq!(functions.find(0x7f4c), None);
    }

    #[test]
    fn lines_are_whole_and_older_files_do_not_count() {
        let pid = std::process::id();
        let path = std::path::PathBuf::from(format!("/tmp/perf-{pid}.map"));
        let mut code = RunTimeCode::default();
        assert_eq!(code.find(pid, 0x10), None);
        std::fs::write(&path, "10 10 first\n20 10 sec").unwrap();
        let first = code.find(pid, 0x10).map(<[u8]>::to_vec);
        let cut = code.find(pid, 0x20).map(<[u8]>::to_vec);
        std::fs::write(&path, "10 10 first\n20 10 second\n").unwrap();
        let second = code.find(pid, 0x20).map(<[u8]>::to_vec);
        let mut later = RunTimeCode::default();
        later.since += Duration::from_secs(3600);
        let stale = later.find(pid, 0x10).map(<[u8]>::to_vec);
        std::fs::remove_file(&path).unwrap();
        assert_eq!((first, cut, second), (Some(b"first".to_vec()), None, Some(b"second".to_vec())));
        assert_eq!(stale, None);
    }
}
