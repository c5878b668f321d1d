//! What each option asks for, as far as it tells by itself.

use std::ffi::OsString;

use anyhow::{anyhow, bail};

use super::getopt::Given;
use super::{Asked, Clock, values};
use crate::capture::Interruptible;
use crate::capture::launch::Apart;
use crate::cli::inject::Injections;
use crate::cli::strace::expression::{self, Quiet, Signals, Statuses};
use crate::cli::strace::summary::Layout;
use crate::cli::strace::table::{REFUSED, refusal};
use crate::cli::strace::{tell, try_help};
use crate::report::show::filter::Filter;
use crate::report::show::live::Choices;
use crate::syscall::decode::{Constants, Descriptors, Details};

/// A quarter of what memory addresses: strings are counted in four times as many letters.
const LONGEST_STRING: u64 = u32::MAX as u64 / 4;

/// What has been given by a letter, so many times, and by a long name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub short: usize,
    pub long: bool,
}

impl Times {
    fn add(&mut self, given: &Given) {
        self.short += usize::from(given.letter.is_some());
        self.long |= given.letter.is_none();
    }

    /// It was given at all.
    pub fn is_any(self) -> bool {
        self.short > 0 || self.long
    }
}

/// The options so far.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Parser {
    pub pids: Vec<i32>,
    pub interruptible: Option<Interruptible>,
    pub follow: Times,
    /// `-F`
    pub old_follow: bool,
    pub separately: bool,
    pub output: Option<OsString>,
    pub append: bool,
    pub environment: Vec<OsString>,
    pub user: Option<String>,
    pub trace: Option<Filter>,
    pub paths: Vec<std::path::PathBuf>,
    pub statuses: Statuses,
    pub signals: Signals,
    pub quiet: Times,
    pub quiet_set: Option<Quiet>,
    pub injections: Injections,
    pub strings: Option<usize>,
    pub verbose: bool,
    pub hex: Times,
    pub hex_level: usize,
    pub hex_characters: bool,
    pub files: Times,
    /// `-e decode-fds=`
    pub decode: Option<(bool, Details)>,
    pub constants: Constants,
    pub choices: Choices,
    pub dumps: [Option<Descriptors>; 2],
    pub descriptors: Option<Descriptors>,
    pub names: bool,
    pub namespaces: bool,
    pub times: Times,
    pub clock: Option<Clock>,
    pub relative: Option<usize>,
    pub duration: Option<usize>,
    pub pointer: bool,
    pub number: bool,
    pub filtered: bool,
    pub stacks: bool,
    pub detach_on_exec: bool,
    pub daemon: Times,
    pub daemon_kind: Option<Apart>,
    pub kill_on_exit: bool,
    pub own_name: Option<OsString>,
    pub column: Option<usize>,
    pub summary_only: bool,
    pub summary: bool,
    pub layout: Layout,
    pub has_sort: bool,
    pub has_columns: bool,
    pub wall: bool,
    /// Words are left behind the options.
    pub has_command: bool,
    /// How often `-z` and `-Z` were given.
    pub outcomes: usize,
}

impl Parser {
    /// Takes an option; some are all that is asked for.
    pub fn take(&mut self, given: &Given) -> anyhow::Result<Option<Asked>> {
        if let Some((letter, long, _)) = REFUSED.iter().find(|(_, long, _)| *long == given.name) {
            bail!("{}", refusal(*letter, long));
        }
        match given.name {
            "help" => return Ok(Some(Asked::Help)),
            "version" => return Ok(Some(Asked::Version)),
            "expression" => self.expression(given.text()?)?,
            "trace" | "signals" | "status" | "inject" | "fault" | "abbrev" | "verbose" | "raw" | "read"
            | "write" | "trace-fds" => self.qualifier(given.name, given.text()?)?,
            "decode-pids" if given.letter.is_none() => self.qualifier(given.name, given.text()?)?,
            "daemonize"
            | "decode-fds"
            | "quiet"
            | "strings-in-hex"
            | "absolute-timestamps"
            | "follow-forks" => {
                self.in_two_forms(given)?;
            }
            "summary-sort-by" | "summary-columns" | "summary-syscall-overhead" => self.of_summary(given)?,
            "interruptible"
            | "columns"
            | "string-limit"
            | "const-print-style"
            | "attach"
            | "relative-timestamps"
            | "syscall-times" => self.with_value(given)?,
            _ => self.switch(given)?,
        }
        Ok(None)
    }

    /// Options without anything to understand.
    fn switch(&mut self, given: &Given) -> anyhow::Result<()> {
        match given.name {
            "env" => self.environment.push(given.value().to_owned()),
            "user" => self.user = Some(given.value().to_string_lossy().into_owned()),
            "output" => self.output = Some(given.value().to_owned()),
            "trace-path" => self.paths.push(given.value().into()),
            "output-append-mode" => self.append = true,
            "output-separately" => self.separately = true,
            "F" => self.old_follow = true,
            "no-abbrev" => {
                self.verbose = true;
                self.choices.abbreviated = None;
            }
            "decode-pids" => self.names = true,
            "pidns-translation" => self.namespaces = true,
            "instruction-pointer" => self.pointer = true,
            "stack-traces" => self.stacks = true,
            "syscall-number" => self.number = true,
            "summary-wall-clock" => self.wall = true,
            "seccomp-bpf" => self.filtered = true,
            "kill-on-exit" => self.kill_on_exit = true,
            "argv0" => self.own_name = Some(given.value().to_owned()),
            "detach-on" if given.value() == "execve" => self.detach_on_exec = true,
            "detach-on" => bail!("Syscall '{}' for -b isn't supported", given.value().to_string_lossy()),
            "secontext" => bail!(
                "SELinux context printing (--secontext option) is not supported by this build of strace"
            ),
            "successful-only" => self.outcome(Statuses::SUCCESSFUL),
            "failed-only" => self.outcome(Statuses::FAILED),
            "summary" | "summary-only" => {
                self.summary |= given.name == "summary";
                self.summary_only |= given.name == "summary-only";
                if self.summary && self.summary_only {
                    bail!("-c/--summary-only and -C/--summary are mutually exclusive\n{}", try_help());
                }
            }
            name => bail!("{name} is not taken; see docs/strace.md"),
        }
        Ok(())
    }

    fn outcome(&mut self, statuses: Statuses) {
        self.outcomes += 1;
        self.statuses = statuses;
    }

    fn with_value(&mut self, given: &Given) -> anyhow::Result<()> {
        let text = given.text()?;
        let number =
            |most| values::uint(text, most).map(|number| number as usize).ok_or_else(|| given.invalid());
        // Without a unit: microseconds.
        let decimals = || match &given.value {
            Some(_) => values::decimals(text).ok_or_else(|| given.invalid()),
            None => Ok(6),
        };
        match given.name {
            "columns" => self.column = Some(number(i32::MAX as u64)?),
            "string-limit" => self.strings = Some(number(LONGEST_STRING)?),
            "const-print-style" => self.constants = values::constants(text).ok_or_else(|| given.invalid())?,
            "interruptible" => {
                self.interruptible = Some(values::interruptible(text).ok_or_else(|| given.invalid())?);
            }
            "relative-timestamps" => self.relative = Some(decimals()?),
            "syscall-times" => self.duration = Some(decimals()?),
            _ => {
                let pids = values::processes(text).map_err(|word| anyhow!("Invalid process id: '{word}'"))?;
                self.pids.extend(pids);
            }
        }
        Ok(())
    }

    /// Options that are repeated as letters, and have a value as words: not both at once.
    fn in_two_forms(&mut self, given: &Given) -> anyhow::Result<()> {
        let times = match given.name {
            "decode-fds" => &mut self.files,
            "quiet" => &mut self.quiet,
            "daemonize" => &mut self.daemon,
            "strings-in-hex" => &mut self.hex,
            "absolute-timestamps" => &mut self.times,
            _ => &mut self.follow,
        };
        times.add(given);
        if given.letter.is_some() || given.name == "follow-forks" {
            return Ok(());
        }
        let value = given.value.is_some().then(|| given.text()).transpose()?;
        match given.name {
            "decode-fds" => self.qualifier("decode-fds", value.unwrap_or("path"))?,
            "quiet" => self.qualifier("quiet", value.unwrap_or("attach,personality"))?,
            "daemonize" => {
                self.daemon_kind = Some(match value.unwrap_or("grandchild") {
                    "grandchild" => Apart::Grandchild,
                    "pgroup" | "pgrp" => Apart::Group,
                    "session" => Apart::Session,
                    _ => return Err(given.invalid()),
                });
            }
            "strings-in-hex" => {
                self.hex_characters = value == Some("non-ascii-chars");
                self.hex_level = match value.unwrap_or("all") {
                    "all" => 2,
                    "non-ascii" => 1,
                    "none" | "non-ascii-chars" => 0,
                    _ => return Err(given.invalid()),
                }
            }
            _ => {
                let clock = values::clock(value.unwrap_or_default(), self.clock);
                self.clock = Some(clock.ok_or_else(|| given.invalid())?);
            }
        }
        Ok(())
    }

    fn of_summary(&mut self, given: &Given) -> anyhow::Result<()> {
        let text = given.text()?;
        match given.name {
            "summary-sort-by" => {
                self.has_sort = true;
                let is_known = self.layout.sort_by(text);
                is_known.ok_or_else(|| anyhow!("invalid sortby: '{text}'\n{}", try_help()))
            }
            "summary-columns" => {
                self.has_columns = true;
                self.layout.choose(text).map_err(|wrong| anyhow!("{wrong}\n{}", try_help()))
            }
            _ => {
                self.layout.overhead = values::time(text).ok_or_else(|| given.invalid())?;
                Ok(())
            }
        }
    }

    /// `-e NAME=VALUE`; without a name that is known, all of it is calls.
    fn expression(&mut self, text: &str) -> anyhow::Result<()> {
        const QUALIFIERS: [&str; 32] = [
            "trace",
            "t",
            "abbrev",
            "a",
            "verbose",
            "v",
            "raw",
            "x",
            "signal",
            "signals",
            "s",
            "status",
            "read",
            "reads",
            "r",
            "write",
            "writes",
            "w",
            "fault",
            "inject",
            "kvm",
            "quiet",
            "silent",
            "silence",
            "q",
            "decode-fds",
            "decode-fd",
            "decode-pids",
            "decode-pid",
            "fd",
            "fds",
            "trace-fds",
        ];
        let named = text.split_once('=').filter(|(name, _)| QUALIFIERS.contains(name));
        let (name, value) = named.unwrap_or(("trace", text));
        self.qualifier(name, value)
    }

    fn qualifier(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        match name {
            "trace" | "t" => self.trace = Some(expression::calls(value)?),
            "signal" | "signals" | "s" => self.signals = Signals::parse(value)?,
            "status" => self.statuses = Statuses::parse(value)?,
            "quiet" | "silence" | "silent" | "q" => {
                self.quiet.long = true;
                self.quiet_set = Some(Quiet::parse(value)?);
            }
            "inject" | "fault" => self.inject(name, value)?,
            "decode-fds" | "decode-fd" => {
                self.files.long = true;
                self.decode = Some(expression::details(value)?);
            }
            "decode-pids" | "decode-pid" => (self.names, self.namespaces) = expression::names(value)?,
            "abbrev" | "a" => self.choices.abbreviated = Some(expression::call_set(value)?),
            "verbose" | "v" => self.choices.structures = Some(expression::call_set(value)?),
            "raw" | "x" => self.choices.raw = Some(expression::call_set(value)?),
            "read" | "reads" | "r" => self.dumps[0] = Some(expression::descriptors(value)?),
            "write" | "writes" | "w" => self.dumps[1] = Some(expression::descriptors(value)?),
            "fd" | "fds" | "trace-fds" => self.descriptors = Some(expression::descriptors(value)?),
            _ => bail!("-e {name}={value} is not taken; see docs/strace.md"),
        }
        Ok(())
    }

    /// What is wrong with it is told in strace's words.
    fn inject(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        let set = value.split(':').next().unwrap_or_default();
        expression::call_set(set)?;
        let warnings = self.injections.add(value, name == "fault");
        let warnings = warnings.map_err(|_| anyhow!("invalid {name} argument '{value}'"))?;
        for warning in warnings {
            tell(&warning);
        }
        Ok(())
    }

    /// Whether a grandchild is to trace, and which.
    pub fn apart(&self) -> Option<Apart> {
        self.daemon_kind.or(match self.daemon.short {
            0 => None,
            1 => Some(Apart::Grandchild),
            2 => Some(Apart::Group),
            _ => Some(Apart::Session),
        })
    }

    /// When lines are, if they tell.
    pub fn shown_clock(&self) -> Clock {
        match (self.clock, self.times.short) {
            (Some(clock), _) => clock,
            (None, 0) => Clock::None,
            (None, 1) => Clock::Day { decimals: 0 },
            (None, 2) => Clock::Day { decimals: 6 },
            (None, _) => Clock::Epoch { decimals: 6 },
        }
    }
}
