//! strace's options: those that are taken, in the order of `-h`, and those that are not.

use std::fmt::Write as _;

/// An option: its letter, its long name, the name of its value (empty: none), what it does.
pub type Row = (char, &'static str, &'static str, &'static str);

/// What is taken, in the order of `-h`. A letter of `\0` is none.
pub const TAKEN: &[Row] = &[
    ('E', "env", "VAR[=VAL]", "put a variable into the command's environment, or remove it"),
    ('p', "attach", "PID", "trace a process that runs"),
    ('u', "user", "NAME", "run the command as this user"),
    (
        'I',
        "interruptible",
        "WHEN",
        "signals that end strace: 1, anywhere; 2, waiting; 3, never (-o with a command); 4, never_tstp",
    ),
    ('\0', "argv0", "NAME", "the name that the command finds itself called by"),
    ('b', "detach-on", "execve", "let go of who executes another program"),
    (
        'D',
        "daemonize",
        "",
        "trace from a grandchild; -DD: in a process group of its own; -DDD: in a session; or =grandchild, pgroup, session",
    ),
    ('f', "follow-forks", "", "follow forks"),
    ('\0', "kill-on-exit", "", "nobody who is traced outlives strace (not with -p)"),
    ('\0', "output-separately", "", "a file for each thread (with -o); -ff is both"),
    ('a', "columns", "COLUMN", "align results in this column (40)"),
    ('e', "expression", "EXPR", "one of the names below, as in trace=SET"),
    ('\0', "trace", "SET", "-e trace=SET"),
    ('\0', "signals", "SET", "-e signal=SET"),
    ('\0', "status", "SET", "-e status=SET"),
    ('\0', "inject", "SPEC", "-e inject=SPEC"),
    ('\0', "fault", "SPEC", "-e fault=SPEC"),
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
    ('Y', "decode-pids", "", "the names of threads (=comm)"),
    ('\0', "pidns-translation", "", "ids of processes in other namespaces with ours (=pidns)"),
    ('i', "instruction-pointer", "", "where in the program a call is made"),
    ('k', "stack-traces", "", "the functions that made a call, below it"),
    ('n', "syscall-number", "", "the numbers of calls"),
    ('r', "relative-timestamps", "", "the time since the line before"),
    (
        't',
        "absolute-timestamps",
        "",
        "the time of day; -tt: with microseconds; -ttt: since the epoch; or =FORMAT: time, unix or none, and s, ms, us or ns",
    ),
    ('T', "syscall-times", "", "how long each call took"),
    ('o', "output", "FILE", "write to this file, or to |COMMAND"),
    ('A', "output-append-mode", "", "append to the file"),
    ('q', "quiet", "", "no messages about attaching; -qq: nor about exits; or =SET, as -e quiet=SET"),
    ('c', "summary-only", "", "count calls, errors and time in the kernel only"),
    ('C', "summary", "", "the same beside the lines"),
    (
        'S',
        "summary-sort-by",
        "BY",
        "sort that by time, min-time, max-time, avg-time, calls, errors, name or nothing",
    ),
    (
        'U',
        "summary-columns",
        "COLUMNS",
        "its columns: time-percent, total-time, min-time, max-time, avg-time, calls, errors, name",
    ),
    ('O', "summary-syscall-overhead", "TIME", "take so much off the time of each call"),
    ('w', "summary-wall-clock", "", "by the time on the wall instead"),
    ('X', "const-print-style", "FORMAT", "constants by name (abbrev), as numbers (raw), or both (verbose)"),
    ('\0', "seccomp-bpf", "", "let calls that are not shown run without stopping (with -f and trace=)"),
    ('h', "help", "", "this"),
    ('V', "version", "", "the version"),
];

/// Options of strace that are not taken.
pub const REFUSED: &[(char, &str, bool)] =
    &[('d', "debug", false), ('\0', "tips", false), ('\0', "kvm", true)];

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// One, with or without a space before it.
    Value,
    /// One behind `=`, or none.
    Perhaps,
}

/// A long option: its name, its value, and the first of its names.
type Long = (&'static str, Takes, &'static str);

/// strace's long options in its order, which decides what a shortened name may mean.
const LONG: &[Long] = &[
    ("columns", Takes::Value, "columns"),
    ("output-append-mode", Takes::Nothing, "output-append-mode"),
    ("detach-on", Takes::Value, "detach-on"),
    ("summary-only", Takes::Nothing, "summary-only"),
    ("summary", Takes::Nothing, "summary"),
    ("debug", Takes::Nothing, "debug"),
    ("daemonize", Takes::Perhaps, "daemonize"),
    ("daemonised", Takes::Perhaps, "daemonize"),
    ("daemonized", Takes::Perhaps, "daemonize"),
    ("env", Takes::Value, "env"),
    ("follow-forks", Takes::Nothing, "follow-forks"),
    ("output-separately", Takes::Nothing, "output-separately"),
    ("help", Takes::Nothing, "help"),
    ("instruction-pointer", Takes::Nothing, "instruction-pointer"),
    ("interruptible", Takes::Value, "interruptible"),
    ("stack-traces", Takes::Nothing, "stack-traces"),
    ("syscall-number", Takes::Nothing, "syscall-number"),
    ("output", Takes::Value, "output"),
    ("summary-syscall-overhead", Takes::Value, "summary-syscall-overhead"),
    ("attach", Takes::Value, "attach"),
    ("trace-path", Takes::Value, "trace-path"),
    ("relative-timestamps", Takes::Perhaps, "relative-timestamps"),
    ("string-limit", Takes::Value, "string-limit"),
    ("summary-sort-by", Takes::Value, "summary-sort-by"),
    ("absolute-timestamps", Takes::Perhaps, "absolute-timestamps"),
    ("timestamps", Takes::Perhaps, "absolute-timestamps"),
    ("syscall-times", Takes::Perhaps, "syscall-times"),
    ("user", Takes::Value, "user"),
    ("summary-columns", Takes::Value, "summary-columns"),
    ("no-abbrev", Takes::Nothing, "no-abbrev"),
    ("version", Takes::Nothing, "version"),
    ("summary-wall-clock", Takes::Nothing, "summary-wall-clock"),
    ("strings-in-hex", Takes::Perhaps, "strings-in-hex"),
    ("const-print-style", Takes::Value, "const-print-style"),
    ("pidns-translation", Takes::Nothing, "pidns-translation"),
    ("successful-only", Takes::Nothing, "successful-only"),
    ("failed-only", Takes::Nothing, "failed-only"),
    ("failing-only", Takes::Nothing, "failed-only"),
    ("seccomp-bpf", Takes::Nothing, "seccomp-bpf"),
    ("tips", Takes::Perhaps, "tips"),
    ("trace", Takes::Value, "trace"),
    ("abbrev", Takes::Value, "abbrev"),
    ("verbose", Takes::Value, "verbose"),
    ("raw", Takes::Value, "raw"),
    ("signals", Takes::Value, "signals"),
    ("status", Takes::Value, "status"),
    ("read", Takes::Value, "read"),
    ("write", Takes::Value, "write"),
    ("fault", Takes::Value, "fault"),
    ("inject", Takes::Value, "inject"),
    ("kvm", Takes::Value, "kvm"),
    ("quiet", Takes::Perhaps, "quiet"),
    ("silent", Takes::Perhaps, "quiet"),
    ("silence", Takes::Perhaps, "quiet"),
    ("decode-fds", Takes::Perhaps, "decode-fds"),
    ("decode-pids", Takes::Value, "decode-pids"),
    ("secontext", Takes::Perhaps, "secontext"),
];

/// Those of later versions.
const LATER: &[Long] = &[
    ("trace-fds", Takes::Value, "trace-fds"),
    ("kill-on-exit", Takes::Nothing, "kill-on-exit"),
    ("argv0", Takes::Value, "argv0"),
];

/// All long options, and whether they are of later versions.
pub fn long_options() -> impl Iterator<Item = (&'static str, Takes, &'static str, bool)> {
    let all = LONG.iter().map(|long| (long, false)).chain(LATER.iter().map(|long| (long, true)));
    all.map(|((name, takes, option), is_later)| (*name, *takes, *option, is_later))
}

/// The long name of a letter, and whether it takes a value.
pub fn short_option(letter: char) -> Option<(&'static str, bool)> {
    // Only for old scripts, and without a long name.
    if letter == 'F' {
        return Some(("F", false));
    }
    let taken = TAKEN.iter().map(|(known, name, value, _)| (*known, *name, !value.is_empty()));
    let mut all = taken.chain(REFUSED.iter().copied());
    all.find(|(known, ..)| *known == letter && letter != '\0').map(|(_, name, takes)| (name, takes))
}

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

/// What is said of one that is not taken.
pub fn refusal(letter: char, long: &str) -> String {
    let name = if letter == '\0' { format!("--{long}") } else { format!("-{letter} (--{long})") };
    format!("option {name} of strace is not taken; see docs/strace.md")
}
