//! strace's command line: short and long forms, as `getopt_long` takes them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};

use super::expression::{self, Quiet, Signals, Statuses};
use crate::cli::inject::Injections;
use crate::report::show::filter::Filter;
use crate::report::show::live::Choices;
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

/// A command line.
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Options {
    /// `-p`
    pub pids: Vec<i32>,
    /// Behind the options.
    pub command: Vec<OsString>,
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

/// An option: its letter, its long name, the name of its value (empty: none), what it does.
type Row = (char, &'static str, &'static str, &'static str);

/// What is taken, in the order of `-h`. A letter of `\0` is none.
const TAKEN: &[Row] = &[
    ('E', "env", "VAR[=VAL]", "put a variable into the command's environment, or remove it"),
    ('p', "attach", "PID", "trace a process that runs"),
    ('u', "user", "NAME", "run the command as this user"),
    ('f', "follow-forks", "", "follow forks"),
    ('\0', "output-separately", "", "a file for each thread (with -o); -ff is both"),
    ('a', "columns", "COLUMN", "align results in this column (40)"),
    ('e', "expression", "EXPR", "one of the names below, as in trace=SET"),
    ('\0', "trace", "SET", "-e trace=SET"),
    ('\0', "signal", "SET", "-e signal=SET"),
    ('\0', "status", "SET", "-e status=SET"),
    ('\0', "inject", "SPEC", "-e inject=SPEC"),
    ('\0', "fault", "SPEC", "-e fault=SPEC"),
    ('\0', "quiet", "SET", "-e quiet=SET"),
    ('\0', "abbrev", "SET", "calls of which structures are shown with few members"),
    ('\0', "verbose", "SET", "calls of which structures are shown at all"),
    ('\0', "raw", "SET", "calls of which arguments are shown as the registers have them"),
    ('\0', "read", "SET", "descriptors of which all that is read is shown"),
    ('\0', "write", "SET", "descriptors of which all that is written is shown"),
    ('\0', "trace-fds", "SET", "only calls on these descriptors (also -e fd=SET)"),
    ('P', "trace-path", "PATH", "only calls that access this path"),
    ('z', "successful-only", "", "only calls that succeed"),
    ('Z', "failed-only", "", "only calls that fail"),
    ('s', "string-limit", "SIZE", "show so many bytes of a string (32)"),
    ('v', "no-abbrev", "", "show all members of structures"),
    ('x', "strings-in-hex", "", "strings that do not print in hexadecimal; -xx: all"),
    ('y', "decode-fds", "", "the files behind descriptors; -yy: sockets, devices and processes, too"),
    ('Y', "decode-pids", "", "the names of threads"),
    ('i', "instruction-pointer", "", "where in the program a call is made"),
    ('k', "stack-traces", "", "the functions that made a call, below it"),
    ('n', "syscall-number", "", "the numbers of calls"),
    ('r', "relative-timestamps", "", "the time since the line before"),
    ('t', "absolute-timestamps", "", "the time of day; -tt: with microseconds; -ttt: since the epoch"),
    ('\0', "timestamps", "FORMAT", "the same: format and precision: time, unix or none, and s, ms, us or ns"),
    ('T', "syscall-times", "", "how long each call took"),
    ('o', "output", "FILE", "write to this file, or to |COMMAND"),
    ('A', "output-append-mode", "", "append to the file"),
    ('q', "silent", "", "no messages about attaching; -qq: nor about exits"),
    ('c', "summary-only", "", "count calls, errors and time in the kernel only"),
    ('C', "summary", "", "the same beside the lines"),
    ('S', "summary-sort-by", "BY", "sort that by time, calls, errors, name or nothing"),
    ('w', "summary-wall-clock", "", "by the time on the wall instead"),
    ('X', "const-print-style", "FORMAT", "constants by name (abbrev), as numbers (raw), or both (verbose)"),
    ('\0', "seccomp-bpf", "", "let calls that are not shown run without stopping (with -f and trace=)"),
    ('h', "help", "", "this"),
    ('V', "version", "", "the version"),
];

/// Options of strace that are not taken.
const REFUSED: &[(char, &str, bool)] = &[
    ('b', "detach-on", true),
    ('D', "daemonize", false),
    ('I', "interruptible", true),
    ('O', "summary-syscall-overhead", true),
    ('U', "summary-columns", true),
    ('d', "debug", false),
    ('\0', "kill-on-exit", false),
    ('\0', "tips", false),
    ('\0', "argv0", true),
    ('\0', "secontext", false),
    ('\0', "kvm", true),
];

/// The text of `-h`.
pub fn help() -> String {
    let mut text = "Usage: strace [OPTION]... { -p PID | COMMAND [ARGUMENT]... }\n\n".to_owned();
    for (letter, long, value, what) in TAKEN {
        let short = if *letter == '\0' { "    ".to_owned() } else { format!("-{letter}, ") };
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        let name = format!("  {short}--{long}{value}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<40} {what}");
    }
    text
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
        let Some((letter, long, takes, _)) = TAKEN.iter().find(|(_, long, ..)| *long == name) else {
            bail!("unrecognized option '--{name}'\nTry 'strace -h' for more information.");
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
        let value = match (takes.is_empty(), value) {
            (true, None) => None,
            (true, Some(value)) if has_form => Some(value),
            (true, Some(_)) => bail!("option '--{name}' doesn't allow an argument"),
            (false, Some(value)) => Some(value),
            (false, None) => {
                let next = words.0.pop_front();
                Some(next.ok_or_else(|| anyhow!("option '--{name}' requires an argument"))?)
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
            let letter = if letter == 'F' { 'f' } else { letter };
            let Some((_, _, takes, _)) = TAKEN.iter().find(|(known, ..)| *known == letter && letter != '\0')
            else {
                bail!("invalid option -- '{letter}'\nTry 'strace -h' for more information.");
            };
            let value = if takes.is_empty() {
                OsString::new()
            } else if after.is_empty() {
                words.0.pop_front().ok_or_else(|| anyhow!("option requires an argument -- '{letter}'"))?
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
            text.parse().map_err(|_| anyhow!("invalid -{letter} argument: '{text}'"))
        };
        match letter {
            'h' => return Ok(Some(Asked::Help)),
            'V' => return Ok(Some(Asked::Version)),
            'E' => self.environment.push(value),
            'p' => self.attach(&text()?)?,
            'u' => self.user = Some(text()?),
            'f' => self.follow += 1,
            'a' => self.column = Some(number()?),
            'e' => self.expression(&text()?)?,
            'P' => self.paths.push(value.into()),
            'z' => self.statuses = Statuses::parse("successful")?,
            'Z' => self.statuses = Statuses::parse("failed")?,
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
            'S' => self.sort = Some(text()?),
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
            ("relative-timestamps", _) => self.relative = Some(decimals(value)?),
            ("syscall-times", _) => self.duration = Some(decimals(value)?),
            ("timestamps" | "absolute-timestamps", _) => self.clock = Some(clock(value)?),
            _ => bail!("--{long}={value} is not taken; see docs/strace.md"),
        }
        Ok(())
    }

    fn attach(&mut self, list: &str) -> anyhow::Result<()> {
        for word in list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            let pid = word.parse().ok().filter(|&pid: &i32| pid > 0);
            self.pids.push(pid.ok_or_else(|| anyhow!("invalid process id: '{word}'"))?);
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
            "inject" => self.injections.add(value, false)?,
            "fault" => self.injections.add(value, true)?,
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
        const TRY: &str = "Try 'strace -h' for more information.";
        if command.is_empty() && self.pids.is_empty() {
            bail!("must have PROG [ARGS] or -p PID\n{TRY}");
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
        if separately && (self.summary || self.summary_only) {
            bail!("(-c or -C) and -ff are mutually exclusive");
        }
        let clock = self.clock();
        let mut filter = match &self.trace {
            Some(set) => expression::calls(set)?,
            None => Filter::default(),
        };
        if let Some(descriptors) = self.descriptors {
            filter = filter.with_descriptors(descriptors);
        }
        for path in crate::cli::filter::names_of_all(&self.paths) {
            filter = filter.with_path(&path);
        }
        let (files, details) = self.decode.unwrap_or(match self.files {
            0 => (false, Details::default()),
            1 => (true, Details::default()),
            _ => (true, Details::ALL),
        });
        let has_choices = [&self.choices.raw, &self.choices.structures, &self.choices.abbreviated]
            .iter()
            .any(|set| set.is_some());
        let is_quiet = self.output.is_some() && self.pids.is_empty();
        Ok(Options {
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
            quiet: self.quiet.unwrap_or_else(|| Quiet::of(self.quietness, is_quiet)),
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

/// `[format:]time|unix|none[,precision:s|us]`
fn clock(text: &str) -> anyhow::Result<Clock> {
    let (mut format, mut precision) = ("time", 0);
    for part in text.split(',') {
        match part.split_once(':').unwrap_or(("", part)) {
            ("" | "format", name @ ("time" | "unix" | "none")) => format = name,
            ("" | "precision", unit) if decimals(unit).is_ok() => precision = decimals(unit)?,
            _ => bail!("--timestamps={text} is not taken: time, unix or none, and s, ms, us or ns"),
        }
    }
    Ok(match format {
        "none" => Clock::None,
        "unix" => Clock::Epoch { decimals: precision },
        _ => Clock::Day { decimals: precision },
    })
}

/// How many decimals of a second a unit asks for.
fn decimals(unit: &str) -> anyhow::Result<usize> {
    match unit {
        "s" => Ok(0),
        "ms" => Ok(3),
        "us" | "" => Ok(6),
        "ns" => Ok(9),
        _ => bail!("'{unit}' is not taken: s, ms, us or ns"),
    }
}

/// What `-X` takes.
fn constants(format: &str) -> anyhow::Result<Constants> {
    match format {
        "abbrev" => Ok(Constants::Names),
        "raw" => Ok(Constants::Numbers),
        "verbose" => Ok(Constants::Both),
        _ => bail!("invalid -X argument: '{format}'"),
    }
}

fn refusal(letter: char, long: &str) -> String {
    let name = if letter == '\0' { format!("--{long}") } else { format!("-{letter} (--{long})") };
    format!("option {name} of strace is not taken; see docs/strace.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> anyhow::Result<Options> {
        match parse(words.iter().map(OsString::from).collect())? {
            Asked::Trace(options) => Ok(*options),
            _ => bail!("not to trace"),
        }
    }

    #[test]
    fn letters_and_long_names() {
        let parsed = options(&["-fttTyvs100", "-o", "x", "--trace=open,close", "-p1,2"]).unwrap();
        assert_eq!((parsed.follow, parsed.separately, parsed.style.strings), (true, false, 100));
        assert_eq!((parsed.clock, parsed.duration), (Clock::Day { decimals: 6 }, Some(6)));
        assert_eq!(parsed.pids, [1, 2]);
        let parsed = options(&["-ff", "-o", "x", "-xx", "--", "-odd", "-f"]).unwrap();
        assert!(parsed.separately && parsed.style.hex == Hex::All);
        assert_eq!(parsed.command, ["-odd", "-f"]);
        assert!(!options(&["-wc", "true"]).unwrap().lines);
    }

    #[test]
    fn what_is_not_taken_is_refused_by_name() {
        for (words, name) in [
            (&["-D", "true"][..], "-D (--daemonize)"),
            (&["--seccomp-bpf", "-p1"], "--seccomp-bpf is not enabled"),
            (&["-X", "cooked", "true"], "cooked"),
            (&["-e", "kvm=vcpu", "true"], "kvm=vcpu"),
            (&["-e", "read=x", "true"], "'x'"),
            (&["--nonsense", "true"], "'--nonsense'"),
            (&["-J", "true"], "'J'"),
            (&["-o"], "'o'"),
            (&[], "must have PROG"),
        ] {
            let error = options(words).err().unwrap_or_else(|| panic!("{words:?}")).to_string();
            assert!(error.contains(name), "{words:?}: {error}");
        }
    }

    /// What `strace -h` of 6.1 lists, and what later versions add: the options that are taken.
    const ALL_TAKEN: &str = "-A -C -c -f -ff -i -k -n -q -qq -r -T -t -tt -ttt -v -w -x -xx -y -yy -Y -z -Z -a60 -s100 \
        -Pfile -Sname -oout -EA=1 -EA -uroot -Xraw -Xabbrev -Xverbose -etrace=open -e!close -esignal=INT \
        -estatus=failed -equiet=attach -eread=3 -ewrite=all -efd=3 -eraw=all -eabbrev=none -everbose=!open \
        -edecode-fds=all -edecode-fds=socket,dev -edecode-pids=comm -efault=open --follow-forks --seccomp-bpf \
        -einject=open:error=ENOENT:when=2..3+4 -einject=open:delay_enter=1:delay_exit=2ms --output-separately \
        -einject=open:signal=TERM -einject=open:retval=3 --env=A --user=root --columns=3 --trace=open --signal=INT \
        --status=failed --quiet=all --silent --raw=open --read=3 --write=3 --abbrev=open --verbose=open \
        --inject=open:error=EPERM --fault=open --decode-fds --decode-fds=all --decode-pids --instruction-pointer \
        --stack-traces --syscall-number --output=out --output-append-mode --relative-timestamps \
        --relative-timestamps=ns --string-limit=3 --absolute-timestamps --timestamps=unix,ns \
        --absolute-timestamps=format:time,precision:ms --syscall-times --syscall-times=ms --no-abbrev \
        --strings-in-hex --strings-in-hex=all --strings-in-hex=non-ascii --const-print-style=raw --summary \
        --summary-only --summary-sort-by=calls --summary-wall-clock --trace-path=x --successful-only --failed-only \
        --trace-fds=3";

    /// Those that are refused, with what the refusal names.
    const ALL_REFUSED: [(&str, &str); 19] = [
        ("-bexecve", "detach-on"),
        ("-D", "daemonize"),
        ("-DD", "daemonize"),
        ("--daemonize=pgroup", "daemonize"),
        ("-d", "debug"),
        ("-I2", "interruptible"),
        ("-O1", "summary-syscall-overhead"),
        ("-Ucalls", "summary-columns"),
        ("--kill-on-exit", "kill-on-exit"),
        ("--tips", "tips"),
        ("--argv0=x", "argv0"),
        ("--secontext", "secontext"),
        ("--kvm=vcpu", "kvm"),
        ("-ekvm=vcpu", "kvm"),
        ("-edecode-pids=pidns", "decode-pids=pidns"),
        ("--decode-pids=pidns", "decode-pids"),
        ("-einject=open:syscall=read", "syscall"),
        ("-einject=open:poke_enter=@arg1=00", "poke_enter"),
        ("--strings-in-hex=non-ascii-chars", "non-ascii-chars"),
    ];

    #[test]
    fn every_option_of_strace_is_taken_or_refused_by_name() {
        for taken in ALL_TAKEN.split_ascii_whitespace() {
            assert!(options(&[taken, "true"]).is_ok(), "{taken}: {:?}", options(&[taken, "true"]).err());
        }
        for (refused, name) in ALL_REFUSED {
            let error = options(&[refused, "true"]).err().unwrap_or_else(|| panic!("{refused}")).to_string();
            assert!(error.contains(name), "{refused}: {error}");
        }
    }

    #[test]
    fn nothing_is_taken_and_refused() {
        for (letter, long, ..) in TAKEN {
            let twice = REFUSED.iter().any(|(l, r, _)| r == long || (l == letter && *l != '\0'));
            assert!(!twice, "{long}");
        }
    }
}
