//! Questions about a file that were answered a moment before: `stat` and then `open`, `fstat` twice, where a
//! descriptor that was just opened stands, whether a file is a terminal; and reads of little at a time.

use rustc_hash::FxHashMap;

use super::{Look, MOST_PROCESSES, Table};
use crate::analysis::cost::Group;
use crate::analysis::filesystem;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::syscall::Family;

/// Lookups remembered for each process.
const RECENT: usize = 8;
/// `TCGETS` of `ioctl_tty(2)`: what isatty(3) asks.
const TCGETS: u64 = 0x5401;
/// `SEEK_CUR` of lseek(2).
const SEEK_CUR: u64 = 1;
/// Most files whose reads are counted.
const MOST_FILES: usize = 1 << 16;

/// A question about an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) enum Question {
    /// `fstat` of a file that was asked for the same since it was opened.
    StatusAgain,
    /// `lseek(fd, 0, SEEK_CUR)`.
    Position,
    /// `ioctl(fd, TCGETS)` of what is no terminal.
    Terminal,
}

#[derive(Debug, Default)]
struct Recent {
    /// Files found by `stat`, oldest overwritten first.
    found: [Option<(Id, Group, Option<u64>)>; RECENT],
    next: usize,
    /// The file last asked for with `fstat`.
    status: Option<Id>,
}

/// Reads of one file.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Reads {
    /// Those that gave something.
    pub(in super::super) calls: u64,
    /// What they gave.
    pub(in super::super) bytes: u64,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct Asked {
    recent: FxHashMap<ProcessId, Recent>,
    /// `stat` of a file that the same process opened soon after.
    pub(in super::super) before_open: Table<(Id, Group)>,
    /// Questions about open files.
    pub(in super::super) questions: Table<(Question, Id, Group)>,
    /// Reads by process and file.
    pub(in super::super) reads: FxHashMap<(ProcessId, Id), Reads>,
    reads_not_kept: u64,
}

impl Asked {
    pub(super) fn not_kept(&self) -> u64 {
        self.before_open.not_kept + self.questions.not_kept + self.reads_not_kept
    }

    pub(super) fn see(&mut self, look: &Look<'_>) {
        if look.seen.object.is_none_or(|object| filesystem::not_a_file(object).is_some()) {
            return;
        }
        let by_path = look.call.takes_path() && look.event.path.is_some_and(|path| !path.is_empty());
        match look.call.family() {
            Family::Read => self.read(look),
            Family::Stat if !by_path => self.status(look),
            Family::Stat if look.seen.errno == 0 => self.found(look),
            Family::Open if look.seen.errno == 0 => self.opened(look),
            Family::Close => {
                if let Some(recent) = self.recent.get_mut(&look.seen.process) {
                    recent.status = None;
                }
            }
            Family::Seek if look.event.args[1] == 0 && look.event.args[2] == SEEK_CUR => {
                self.ask(Question::Position, look);
            }
            Family::Descriptor if is_vain_isatty(look) => self.ask(Question::Terminal, look),
            _ => {}
        }
    }

    fn ask(&mut self, question: Question, look: &Look<'_>) {
        self.questions.add((question, look.object, look.seen.group), look.seen.duration_ns);
    }

    fn recent(&mut self, process: ProcessId) -> Option<&mut Recent> {
        if self.recent.len() >= MOST_PROCESSES && !self.recent.contains_key(&process) {
            return None;
        }
        Some(self.recent.entry(process).or_default())
    }

    fn read(&mut self, look: &Look<'_>) {
        let Some(bytes) = look.event.ret.filter(|ret| *ret > 0) else { return };
        let key = (look.seen.process, look.object);
        if self.reads.len() >= MOST_FILES && !self.reads.contains_key(&key) {
            self.reads_not_kept += 1;
            return;
        }
        let reads = self.reads.entry(key).or_default();
        reads.calls += 1;
        reads.bytes = reads.bytes.saturating_add(bytes as u64);
    }

    fn status(&mut self, look: &Look<'_>) {
        let object = look.object;
        let Some(recent) = self.recent(look.seen.process) else { return };
        if recent.status.replace(object) == Some(object) {
            self.ask(Question::StatusAgain, look);
        }
    }

    fn found(&mut self, look: &Look<'_>) {
        let kept = (look.object, look.seen.group, look.seen.duration_ns);
        let Some(recent) = self.recent(look.seen.process) else { return };
        recent.found[recent.next] = Some(kept);
        recent.next = (recent.next + 1) % RECENT;
    }

    fn opened(&mut self, look: &Look<'_>) {
        let object = look.object;
        let Some(recent) = self.recent(look.seen.process) else { return };
        recent.status = None;
        for slot in 0..RECENT {
            let Some(recent) = self.recent.get_mut(&look.seen.process) else { return };
            if let Some((found, group, duration_ns)) = recent.found[slot].filter(|found| found.0 == object) {
                recent.found[slot] = None;
                self.before_open.add((found, group), duration_ns);
            }
        }
    }
}

fn is_vain_isatty(look: &Look<'_>) -> bool {
    look.event.args[1] == TCGETS && look.seen.errno != 0 && &*look.call.name == "ioctl"
}
