//! strace's command line: short and long forms, as `getopt_long` takes them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use anyhow::bail;

use self::getopt::Words;
use self::parser::Parser;
use super::expression::{Quiet, Signals, Statuses};
use super::summary::Layout;
use super::try_help;
use crate::capture::Interruptible;
use crate::capture::launch::Apart;
use crate::cli::inject::Injections;
use crate::report::show::filter::Filter;
use crate::report::show::live::Choices;
use crate::syscall::decode::escape::write_quoted;
use crate::syscall::decode::{Descriptors, Details, Hex, Style};

/// What is asked for.
pub enum Asked {
    /// `-V`
    Version,
    /// `-h`
    Help,
    /// To trace.
    Trace(Box<Options>),
}

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Not.
    None,
    /// `-t`, `-tt`
    Day { decimals: usize },
    /// `-ttt`
    Epoch { decimals: usize },
}

/// A command line.
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Options {
    /// `-p`
    pub pids: Vec<i32>,
    /// Behind the options.
    pub command: Vec<OsString>,
    /// `-I`
    pub interruptible: Interruptible,
    /// `-f`
    pub follow: bool,
    /// `-ff`
    pub separately: bool,
    /// `-o`
    pub output: Option<OsString>,
    /// `-A`
    pub append: bool,
    /// `-E`
    pub environment: Vec<OsString>,
    /// `-u`
    pub user: Option<String>,
    /// `-e trace=`, `-P`
    pub filter: Filter,
    /// `-e status=`, `-z`, `-Z`
    pub statuses: Statuses,
    /// `-e signal=`
    pub signals: Signals,
    /// `-q`, `-e quiet=`
    pub quiet: Quiet,
    /// It was given in both forms, which excludes each other.
    pub quiet_twice: bool,
    /// `-e inject=`, `-e fault=`
    pub injections: Injections,
    /// `-s`, `-v`, `-x`, `-y`, `-Y`
    pub style: Style,
    /// `-e raw=`, `-e abbrev=`, `-e verbose=`
    pub choices: Option<Rc<Choices>>,
    /// `-t`
    pub clock: Clock,
    /// `-r`, and with how many decimals
    pub relative: Option<usize>,
    /// `-T`, and with how many decimals
    pub duration: Option<usize>,
    /// `-i`
    pub pointer: bool,
    /// `--seccomp-bpf`
    pub filtered: bool,
    /// `-b execve`
    pub detach_on_exec: bool,
    /// `-D`
    pub apart: Option<Apart>,
    /// `--kill-on-exit`
    pub kill_on_exit: bool,
    /// `--argv0`
    pub own_name: Option<OsString>,
    /// `-k`
    pub stacks: bool,
    /// `-n`
    pub number: bool,
    /// `-a`
    pub column: usize,
    /// `-c`, `-C`
    pub summary: bool,
    /// `-w`
    pub wall: bool,
    /// Not only the summary.
    pub lines: bool,
    /// `-S`, `-U`, `-O`
    pub layout: Layout,
}

impl Options {
    /// What is kept of calls: whatever any of them shows.
    pub fn kept(&self) -> Style {
        let shows_all = self.choices.as_ref().is_some_and(|choices| choices.abbreviated.is_some());
        let inner_paths = self.filter.has_paths();
        Style { verbose: self.style.verbose || shows_all, inner_paths, ..self.style }
    }
}

/// Parses the words behind the name.
pub fn parse(words: Vec<OsString>) -> anyhow::Result<Asked> {
    let mut parser = Parser::default();
    let mut words = Words::new(words);
    while let Some(given) = words.next()? {
        if let Some(asked) = parser.take(&given)? {
            return Ok(asked);
        }
    }
    parser.finish(words.command()).map(|options| Asked::Trace(Box::new(options)))
}

impl Parser {
    fn finish(mut self, command: Vec<OsString>) -> anyhow::Result<Options> {
        self.has_command = !command.is_empty();
        if command.is_empty() && self.pids.is_empty() {
            bail!("must have PROG [ARGS] or -p PID\n{}", try_help());
        }
        combinations::check(&self)?;
        let is_filtered = self.is_filtered();
        let apart = self.apart();
        let separately = self.is_separate() && self.output.is_some();
        let follow = self.follow.is_any() || self.old_follow;
        let clock = self.shown_clock();
        let is_quiet = self.output.is_some() && !command.is_empty();
        let mut filter = self.trace.unwrap_or_default();
        if let Some(descriptors) = self.descriptors {
            filter = filter.with_descriptors(descriptors);
        }
        // Of -q there is no more to this than of none.
        let is_path_told = !self.quiet_set.is_some_and(Quiet::path_resolution);
        for path in &self.paths {
            filter = with_path(filter, path, is_path_told);
        }
        let quiet = self.quiet_set.unwrap_or_else(|| Quiet::of(self.quiet.short, is_quiet));
        let quiet_twice = self.quiet.short > 0 && self.quiet.long;
        let filter = filter.as_strace();
        let (files, details) = self.decode.unwrap_or(match self.files.short {
            0 => (false, Details::default()),
            1 => (true, Details::default()),
            _ => (true, Details::ALL),
        });
        let has_choices = [&self.choices.raw, &self.choices.structures, &self.choices.abbreviated]
            .iter()
            .any(|set| set.is_some());
        let default = match (apart, is_quiet) {
            // In the process group of the command, Ctrl-Z is for that alone.
            (Some(_), _) => Interruptible::NeverStopped,
            (None, true) => Interruptible::Never,
            (None, false) => Interruptible::Waiting,
        };
        Ok(Options {
            interruptible: self.interruptible.unwrap_or(default),
            follow,
            separately,
            style: Style {
                strings: self.strings.unwrap_or(32),
                hex: match self.hex_level.max(self.hex.short) {
                    0 if self.hex_characters => Hex::Characters,
                    0 => Hex::Never,
                    1 => Hex::Unprintable,
                    _ => Hex::All,
                },
                verbose: self.verbose,
                files,
                details,
                names: self.names,
                namespaces: self.namespaces,
                raw: false,
                addresses: false,
                dumps: self.dumps.map(|set| set.unwrap_or(Descriptors::NONE)),
                constants: self.constants,
                inner_paths: false,
                environment: true,
            },
            choices: has_choices.then(|| Rc::new(self.choices)),
            quiet,
            quiet_twice,
            pids: self.pids,
            command,
            output: self.output,
            append: self.append,
            environment: self.environment,
            user: self.user,
            filter,
            statuses: self.statuses,
            signals: self.signals,
            injections: self.injections,
            clock,
            relative: self.relative,
            wall: self.wall,
            duration: self.duration,
            pointer: self.pointer,
            filtered: is_filtered,
            detach_on_exec: self.detach_on_exec,
            apart,
            kill_on_exit: self.kill_on_exit,
            own_name: self.own_name,
            stacks: self.stacks,
            number: self.number,
            column: self.column.unwrap_or(40),
            summary: self.summary || self.summary_only,
            lines: !self.summary_only,
            layout: self.layout,
        })
    }
}

/// A path of `-P`: the name that was typed, and the one that it stands for, which is told.
fn with_path(filter: Filter, path: &Path, is_told: bool) -> Filter {
    let filter = filter.with_path(path);
    let Some(real) = path.canonicalize().ok().filter(|real| real.as_os_str() != path.as_os_str()) else {
        return filter;
    };
    if is_told {
        let shown = [path, &real].map(|path| {
            let mut quoted = Vec::new();
            write_quoted(&mut quoted, path.as_os_str().as_bytes());
            String::from_utf8_lossy(&quoted).into_owned()
        });
        super::tell(&format!("Requested path {} resolved into {}", shown[0], shown[1]));
    }
    filter.with_path(&real)
}

mod combinations;
mod getopt;
mod parser;
#[cfg(test)]
mod tests;
mod values;

pub use values::uint;
