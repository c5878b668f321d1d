//! strace's command line: short and long forms, as `getopt_long` takes them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};

use super::expression::{self, Quiet, Signals, Statuses};
use super::table::{REFUSED, TAKEN, refusal};
use super::{summary, try_help};
use crate::capture::Interruptible;
use crate::cli::inject::Injections;
use crate::report::show::filter::Filter;
use crate::report::show::live::Choices;
use crate::syscall::decode::escape::write_quoted;
use crate::syscall::decode::{Constants, Descriptors, Details, Hex, Style};

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

/// Parts of `-e inject=` that are not taken.
const NOT_TAKEN: [&str; 3] = ["syscall=", "poke_enter=", "poke_exit="];

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
    /// `-S`
    pub sort: String,
}

impl Options {
    /// What is kept of calls: whatever any of them shows.
    pub fn kept(&self) -> Style {
        let shows_all = self.choices.as_ref().is_some_and(|choices| choices.abbreviated.is_some());
        Style { verbose: self.style.verbose || shows_all, ..self.style }
    }
}

/// Words, taken one by one.
struct Words(VecDeque<OsString>);

/// Parses the words behind the name.
pub fn parse(words: Vec<OsString>) -> anyhow::Result<Asked> {
    let mut parser = Parser::default();
    let mut words = Words(words.into());
    while let Some(word) = words.0.front() {
        let bytes = word.as_bytes().to_vec();
        if bytes == b"--" {
            words.0.pop_front();
            break;
        }
        if bytes.len() < 2 || bytes[0] != b'-' {
            break;
        }
        words.0.pop_front();
        let asked = match bytes.strip_prefix(b"--") {
            Some(long) => parser.long(long, &mut words)?,
            None => parser.letters(&bytes[1..], &mut words)?,
        };
        if let Some(asked) = asked {
            return Ok(asked);
        }
    }
    parser.finish(words.0.into()).map(|options| Asked::Trace(Box::new(options)))
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
struct Parser {
    pids: Vec<i32>,
    interruptible: Option<Interruptible>,
    follow: usize,
    separately: bool,
    output: Option<OsString>,
    append: bool,
    environment: Vec<OsString>,
    user: Option<String>,
    trace: Option<String>,
    paths: Vec<std::path::PathBuf>,
    statuses: Statuses,
    signals: Signals,
    quiet: Option<Quiet>,
    quietness: usize,
    injections: Injections,
    strings: Option<usize>,
    verbose: bool,
    hex: usize,
    files: usize,
    /// `-e decode-fds=`
    decode: Option<(bool, Details)>,
    constants: Constants,
    choices: Choices,
    dumps: [Option<Descriptors>; 2],
    descriptors: Option<Descriptors>,
    names: bool,
    times: usize,
    clock: Option<Clock>,
    relative: Option<usize>,
    duration: Option<usize>,
    pointer: bool,
    number: bool,
    filtered: bool,
    stacks: bool,
    column: Option<usize>,
    summary_only: bool,
    summary: bool,
    sort: Option<String>,
    wall: bool,
    /// How often `-z` and `-Z` were given.
    outcomes: usize,
}

impl Parser {
    fn long(&mut self, word: &[u8], words: &mut Words) -> anyhow::Result<Option<Asked>> {
        let (name, value) = match word.iter().position(|&byte| byte == b'=') {
            Some(at) => (&word[..at], Some(OsString::from_vec(word[at + 1..].to_vec()))),
            None => (word, None),
        };
        let name = String::from_utf8_lossy(name).into_owned();
        if let Some((letter, long, ..)) = REFUSED.iter().find(|(_, long, _)| *long == name) {
            bail!("{}", refusal(*letter, long));
        }
        // Other names that strace has.
        let name = match &name[..] {
            "stack-trace" => "stack-traces".to_owned(),
            "failing-only" => "failed-only".to_owned(),
            "silence" | "quiet" if value.is_some() => "quiet".to_owned(),
            _ => name,
        };
        let Some((letter, long, takes, _)) = TAKEN.iter().find(|(_, long, ..)| *long == name) else {
            bail!("unrecognized option '--{name}'\n{}", try_help());
        };
        let has_form = matches!(
            *long,
            "decode-fds"
                | "absolute-timestamps"
                | "relative-timestamps"
                | "follow-forks"
                | "silent"
                | "syscall-times"
                | "strings-in-hex"
        );
        if *long == "decode-pids" {
            let value = value.or_else(|| words.0.pop_front());
            let value = value
                .ok_or_else(|| anyhow!("option '--decode-pids' requires an argument\n{}", try_help()))?;
            return self.expression(&format!("decode-pids={}", value.to_string_lossy())).map(|()| None);
        }
        if *long == "strings-in-hex" && value.is_none() {
            self.hex = 2;
            return Ok(None);
        }
        let value = match (takes.is_empty(), value) {
            (_, None) if matches!(*long, "timestamps" | "quiet") => None,
            (true, None) => None,
            (true, Some(value)) if has_form => Some(value),
            (true, Some(_)) => bail!("option '--{name}' doesn't allow an argument"),
            (false, Some(value)) => Some(value),
            (false, None) => {
                let next = words.0.pop_front();
                Some(next.ok_or_else(|| anyhow!("option '--{name}' requires an argument\n{}", try_help()))?)
            }
        };
        if *letter == '\0' || has_form && value.is_some() {
            return self.named(long, value).map(|()| None);
        }
        self.letter(*letter, value.unwrap_or_default())
    }

    fn letters(&mut self, letters: &[u8], words: &mut Words) -> anyhow::Result<Option<Asked>> {
        let mut rest = letters;
        while let Some((&letter, after)) = rest.split_first() {
            let letter = char::from(letter);
            if let Some((letter, long, _)) = REFUSED.iter().find(|(known, ..)| *known == letter) {
                bail!("{}", refusal(*letter, long));
            }
            // As -f; only for old scripts.
            if letter == 'F' {
                super::tell("option -F is deprecated, please use -f/--follow-forks instead");
            }
            let letter = if letter == 'F' { 'f' } else { letter };
            let Some((_, _, takes, _)) = TAKEN.iter().find(|(known, ..)| *known == letter && letter != '\0')
            else {
                bail!("invalid option -- '{letter}'\n{}", try_help());
            };
            let value = if takes.is_empty() {
                OsString::new()
            } else if after.is_empty() {
                words
                    .0
                    .pop_front()
                    .ok_or_else(|| anyhow!("option requires an argument -- '{letter}'\n{}", try_help()))?
            } else {
                OsString::from_vec(after.to_vec())
            };
            if let Some(asked) = self.letter(letter, value)? {
                return Ok(Some(asked));
            }
            rest = if takes.is_empty() { after } else { &[] };
        }
        Ok(None)
    }

    fn letter(&mut self, letter: char, value: OsString) -> anyhow::Result<Option<Asked>> {
        let text = || value.to_str().map(str::to_owned).ok_or_else(|| anyhow!("invalid -{letter} argument"));
        let number = || -> anyhow::Result<usize> {
            let text = text()?;
            text.parse().map_err(|_| invalid(&format!("-{letter}"), &text))
        };
        match letter {
            'h' => return Ok(Some(Asked::Help)),
            'V' => return Ok(Some(Asked::Version)),
            'E' => self.environment.push(value),
            'p' => self.attach(&text()?)?,
            'u' => self.user = Some(text()?),
            'I' => self.interruptible = Some(interruptible(&text()?)?),
            'f' => self.follow += 1,
            'a' => self.column = Some(number()?),
            'e' => self.expression(&text()?)?,
            'P' => self.paths.push(value.into()),
            'z' | 'Z' => {
                self.outcomes += 1;
                self.statuses = Statuses::parse(if letter == 'z' { "successful" } else { "failed" })?;
            }
            's' => self.strings = Some(number()?),
            'v' => self.verbose = true,
            'x' => self.hex += 1,
            'y' => self.files += 1,
            'Y' => self.names = true,
            'i' => self.pointer = true,
            'k' => self.stacks = true,
            'n' => self.number = true,
            'r' => self.relative = Some(6),
            't' => self.times += 1,
            'T' => self.duration = Some(6),
            'o' => self.output = Some(value),
            'A' => self.append = true,
            'q' => self.quietness += 1,
            'c' => self.summary_only = true,
            'C' => self.summary = true,
            'S' => {
                let by = text()?;
                if by.starts_with("min-")
                    || by.starts_with("max-")
                    || by.ends_with("-min")
                    || by.ends_with("-max")
                {
                    bail!("-S {by} is not taken; see docs/strace.md");
                }
                if !summary::SORTS.contains(&by.as_str()) {
                    bail!("invalid sortby: '{by}'\n{}", try_help());
                }
                self.sort = Some(by);
            }
            'w' => self.wall = true,
            'X' => self.constants = constants(&text()?)?,
            _ => bail!("invalid option -- '{letter}'"),
        }
        Ok(None)
    }

    /// A long option that is not just its letter.
    fn named(&mut self, long: &str, value: Option<OsString>) -> anyhow::Result<()> {
        let value = value.unwrap_or_default();
        let value = value.to_str().with_context(|| format!("invalid --{long} argument"))?;
        match (long, value) {
            ("timestamps", "") => self.clock = Some(Clock::Day { decimals: 0 }),
            ("quiet", "") => self.quietness += 1,
            ("seccomp-bpf", _) => self.filtered = true,
            ("output-separately", _) => self.separately = true,
            (
                "trace" | "signal" | "status" | "inject" | "fault" | "quiet" | "abbrev" | "verbose" | "raw"
                | "read" | "write" | "trace-fds",
                _,
            ) => {
                self.expression(&format!("{long}={value}"))?;
            }
            ("decode-fds", _) => self.expression(&format!("{long}={value}"))?,
            ("follow-forks", "") => self.follow += 1,
            ("silent", _) => self.quiet = Some(Quiet::parse(value)?),
            ("strings-in-hex", "all") => self.hex = 2,
            ("strings-in-hex", "non-ascii") => self.hex = 1,
            ("strings-in-hex", "none") => self.hex = 0,
            ("relative-timestamps", _) => {
                self.relative = Some(decimals(value).ok_or_else(|| invalid(&format!("--{long}"), value))?);
            }
            ("syscall-times", _) => {
                self.duration = Some(decimals(value).ok_or_else(|| invalid(&format!("--{long}"), value))?);
            }
            ("timestamps" | "absolute-timestamps", _) => {
                self.clock = Some(clock(value).ok_or_else(|| invalid(&format!("--{long}"), value))?);
            }
            ("strings-in-hex", _) => return Err(invalid("--strings-in-hex", value)),
            _ => bail!("--{long}={value} is not taken; see docs/strace.md"),
        }
        Ok(())
    }

    fn attach(&mut self, list: &str) -> anyhow::Result<()> {
        for word in list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            let pid = word.parse().ok().filter(|&pid: &i32| pid > 0);
            self.pids.push(pid.ok_or_else(|| anyhow!("Invalid process id: '{word}'"))?);
        }
        Ok(())
    }

    fn expression(&mut self, text: &str) -> anyhow::Result<()> {
        let (name, value) = text.split_once('=').unwrap_or(("trace", text));
        match name {
            "trace" | "t" => self.trace = Some(value.to_owned()),
            "signal" | "signals" | "s" => self.signals = Signals::parse(value)?,
            "status" => self.statuses = Statuses::parse(value)?,
            "quiet" | "silence" | "silent" | "q" => self.quiet = Some(Quiet::parse(value)?),
            "inject" | "fault" => self.inject(name, value)?,
            "decode-fds" => self.decode = Some(expression::details(value)?),
            "decode-pids" if value == "comm" => self.names = true,
            "abbrev" | "a" => self.choices.abbreviated = Some(expression::call_set(value)?),
            "verbose" | "v" => self.choices.structures = Some(expression::call_set(value)?),
            "raw" | "x" => self.choices.raw = Some(expression::call_set(value)?),
            "read" | "reads" | "r" => self.dumps[0] = Some(expression::descriptors(value)?),
            "write" | "writes" | "w" => self.dumps[1] = Some(expression::descriptors(value)?),
            "fd" | "fds" | "trace-fd" | "trace-fds" => {
                self.descriptors = Some(expression::descriptors(value)?);
            }
            _ => bail!("-e {name}={value} is not taken; see docs/strace.md"),
        }
        Ok(())
    }

    /// What is wrong with it is told in strace's words; what is right and not taken, by its name.
    fn inject(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        let (set, actions) = value.split_once(':').unwrap_or((value, ""));
        expression::call_set(set)?;
        let refused =
            NOT_TAKEN.iter().find(|part| actions.split(':').any(|action| action.starts_with(**part)));
        if let Some(part) = refused {
            bail!("-e {name}={value}: {part} is not taken; see docs/strace.md");
        }
        self.injections.add(value, name == "fault").map_err(|_| anyhow!("invalid {name} argument '{value}'"))
    }

    fn clock(&self) -> Clock {
        match (self.clock, self.times) {
            (Some(clock), _) => clock,
            (None, 0) => Clock::None,
            (None, 1) => Clock::Day { decimals: 0 },
            (None, 2) => Clock::Day { decimals: 6 },
            (None, _) => Clock::Epoch { decimals: 6 },
        }
    }

    fn finish(self, command: Vec<OsString>) -> anyhow::Result<Options> {
        if command.is_empty() && self.pids.is_empty() {
            bail!("must have PROG [ARGS] or -p PID\n{}", try_help());
        }
        if !command.is_empty() && !self.pids.is_empty() {
            bail!("-p together with a command is not taken; trace one of them");
        }
        if self.filtered && !self.pids.is_empty() {
            bail!("--seccomp-bpf is not enabled for processes attached with -p");
        }
        let filtered = self.filtered && self.follow > 0 && self.trace.is_some();
        if self.filtered && self.follow == 0 {
            super::tell("--seccomp-bpf cannot be used without -f/--follow-forks, disabling");
        } else if self.filtered && !filtered {
            super::tell(
                "Seccomp filter is requested but there are no syscalls to filter.  See -e trace to filter syscalls.",
            );
        }
        let separately = self.separately || self.follow > 1;
        combinations::check(&self)?;
        let clock = self.clock();
        let mut filter = match &self.trace {
            Some(set) => expression::calls(set)?,
            None => Filter::default(),
        };
        if let Some(descriptors) = self.descriptors {
            filter = filter.with_descriptors(descriptors);
        }
        let is_quiet = self.output.is_some() && self.pids.is_empty();
        let quiet = self.quiet.unwrap_or_else(|| Quiet::of(self.quietness, is_quiet));
        for path in &self.paths {
            filter = with_path(filter, path, quiet);
        }
        let filter = filter.as_strace();
        let (files, details) = self.decode.unwrap_or(match self.files {
            0 => (false, Details::default()),
            1 => (true, Details::default()),
            _ => (true, Details::ALL),
        });
        let has_choices = [&self.choices.raw, &self.choices.structures, &self.choices.abbreviated]
            .iter()
            .any(|set| set.is_some());
        let default = if is_quiet { Interruptible::Never } else { Interruptible::Waiting };
        Ok(Options {
            interruptible: self.interruptible.unwrap_or(default),
            follow: self.follow > 0,
            separately: separately && self.output.is_some(),
            style: Style {
                strings: self.strings.unwrap_or(32),
                hex: [Hex::Never, Hex::Unprintable, Hex::All][self.hex.min(2)],
                verbose: self.verbose,
                files,
                details,
                names: self.names,
                raw: false,
                addresses: false,
                dumps: self.dumps.map(|set| set.unwrap_or(Descriptors::NONE)),
                constants: self.constants,
                environment: true,
            },
            choices: has_choices.then(|| Rc::new(self.choices)),
            quiet,
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
            filtered,
            stacks: self.stacks,
            number: self.number,
            column: self.column.unwrap_or(40),
            summary: self.summary || self.summary_only,
            lines: !self.summary_only,
            sort: self.sort.unwrap_or_else(|| "time".to_owned()),
        })
    }
}

/// A path of `-P`: the name that was typed, and the one that it stands for, which is told.
fn with_path(filter: Filter, path: &Path, quiet: Quiet) -> Filter {
    let filter = filter.with_path(path);
    let Some(real) = path.canonicalize().ok().filter(|real| real.as_os_str() != path.as_os_str()) else {
        return filter;
    };
    if !quiet.path_resolution() {
        let shown = [path, &real].map(|path| {
            let mut quoted = Vec::new();
            write_quoted(&mut quoted, path.as_os_str().as_bytes());
            String::from_utf8_lossy(&quoted).into_owned()
        });
        super::tell(&format!("Requested path {} resolved into {}", shown[0], shown[1]));
    }
    filter.with_path(&real)
}

/// What is said of a value that an option does not take.
fn invalid(option: &str, value: &str) -> anyhow::Error {
    anyhow!("invalid {option} argument: '{value}'\n{}", try_help())
}

/// `[format:]time|unix|none[,precision:s|us]`
fn clock(text: &str) -> Option<Clock> {
    let (mut format, mut precision) = ("time", 0);
    for part in text.split(',') {
        match part.split_once(':').unwrap_or(("", part)) {
            ("" | "format", name @ ("time" | "unix" | "none")) => format = name,
            ("" | "precision", unit) => precision = decimals(unit)?,
            _ => return None,
        }
    }
    Some(match format {
        "none" => Clock::None,
        "unix" => Clock::Epoch { decimals: precision },
        _ => Clock::Day { decimals: precision },
    })
}

/// How many decimals of a second a unit asks for.
fn decimals(unit: &str) -> Option<usize> {
    match unit {
        "s" => Some(0),
        "ms" => Some(3),
        "us" | "" => Some(6),
        "ns" => Some(9),
        _ => None,
    }
}

/// What `-I` takes.
fn interruptible(when: &str) -> anyhow::Result<Interruptible> {
    match when {
        "1" | "anywhere" => Ok(Interruptible::Anywhere),
        "2" | "waiting" => Ok(Interruptible::Waiting),
        "3" | "never" => Ok(Interruptible::Never),
        "4" | "never_tstp" => Ok(Interruptible::NeverStopped),
        _ => Err(invalid("-I", when)),
    }
}

/// What `-X` takes.
fn constants(format: &str) -> anyhow::Result<Constants> {
    match format {
        "abbrev" => Ok(Constants::Names),
        "raw" => Ok(Constants::Numbers),
        "verbose" => Ok(Constants::Both),
        _ => Err(invalid("-X", format)),
    }
}

mod combinations;
#[cfg(test)]
mod tests;
