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
pub const REFUSED: &[(char, &str, bool)] = &[
    ('b', "detach-on", true),
    ('D', "daemonize", false),
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

/// What is said of one that is not taken.
pub fn refusal(letter: char, long: &str) -> String {
    let name = if letter == '\0' { format!("--{long}") } else { format!("-{letter} (--{long})") };
    format!("option {name} of strace is not taken; see docs/strace.md")
}
