//! Plain calls in log order without some that change nothing that a later call sees: a bound on what leaving them out
//! saves. Each left out has the result it had.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::serial::executed;
use super::without_chmod::without_chmods;
use super::without_copies::{with_shared_blocks, without_copies};
use super::{Counts, Engine};
use crate::bind::{Action, Change};
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Without {
    /// `fsync`, `fdatasync`: after a crash, files may then not be what they would be.
    Syncs,
    /// `mkdir` of a directory that is there.
    RepeatedMkdirs,
    /// `chmod` of a file that was just made, which is made with these permissions instead.
    Chmods,
    /// Copies of whole files, which become second names of the originals (hard links): what is written to one later is
    /// then written to both.
    Copies,
    /// Copies of whole files, which share the originals' blocks instead (`FICLONE`), where the file system can.
    CopiedBlocks,
}

impl Without {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Syncs, Self::RepeatedMkdirs, Self::Chmods, Self::Copies, Self::CopiedBlocks];

    fn leaves_out(self, program: &Program, step: u32) -> bool {
        let expected = program.expected[step as usize].ret;
        match (self, program.action(step)) {
            (Self::Syncs, Action::Change(Change::Sync { .. })) => expected == 0,
            (Self::RepeatedMkdirs, Action::Change(Change::MakeDir { .. })) => {
                expected == -i64::from(libc::EEXIST)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Without {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syncs => "serial, without fsync",
            Self::RepeatedMkdirs => "serial, no mkdir of what is there",
            Self::Chmods => "serial, no chmod after making a file",
            Self::Copies => "serial, hard links for copies",
            Self::CopiedBlocks => "serial, reflinks for copies",
        })
    }
}

/// Steps that are made another way, and those that are then not needed: both in order.
#[derive(Debug, Default)]
pub(crate) struct Otherwise {
    pub(crate) made: Vec<(u32, Action)>,
    pub(crate) left_out: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Fewer {
    made: Vec<u32>,
    left_out: Vec<u32>,
    /// Steps that are made another way, in order.
    otherwise: Vec<(u32, Action)>,
    /// Files have more names than they had in the log.
    shares_files: bool,
    scratch: Scratch,
}

impl Fewer {
    /// `None`: there is nothing to leave out or to do otherwise.
    pub(crate) fn new(program: &Program, without: Without) -> Option<Self> {
        let Otherwise { made: otherwise, left_out: needless } = match without {
            Without::Chmods => without_chmods(program),
            Without::Copies => without_copies(program),
            Without::CopiedBlocks => with_shared_blocks(program),
            Without::Syncs | Without::RepeatedMkdirs => Otherwise::default(),
        };
        let shares_files = without == Without::Copies;
        let is_left_out =
            |step: u32| without.leaves_out(program, step) || needless.binary_search(&step).is_ok();
        let (left_out, made): (Vec<u32>, Vec<u32>) =
            executed(program).into_iter().partition(|&step| is_left_out(step));
        let scratch = Scratch::new(program.room());
        (!left_out.is_empty() || !otherwise.is_empty()).then_some(Self {
            made,
            left_out,
            otherwise,
            shares_files,
            scratch,
        })
    }
}

impl Engine for Fewer {
    fn shares_files(&self) -> bool {
        self.shares_files
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut otherwise = self.otherwise.iter().peekable();
        for &step in &self.made {
            if let Some((_, action)) = otherwise.next_if(|(other, _)| *other == step) {
                let observed = run.perform_as(step, action, &mut self.scratch);
                // It does not say how many bytes that are.
                if matches!(action, Action::Change(Change::Clone { .. })) && observed.ret == 0 {
                    run.record(step, run.program.expected[step as usize]);
                }
                continue;
            }
            run.perform(step, &mut self.scratch);
            let is_told = self.shares_files && tells_names(run.program.action(step));
            if is_told && run.result(step as usize).is_some_and(|observed| observed.ret == 0) {
                run.record(step, run.program.expected[step as usize]);
            }
        }
        for &step in &self.left_out {
            run.record(step, run.program.expected[step as usize]);
        }
        let answered_from_memory = self.left_out.len() as u64;
        Ok(Counts { kernel_entries: self.made.len() as u64, answered_from_memory, ..Counts::default() })
    }
}

/// Whether its answer has how many names a file has.
fn tells_names(action: &Action) -> bool {
    matches!(action, Action::Stat { .. } | Action::Fstat { .. })
}
