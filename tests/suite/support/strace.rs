//! strace's text, as [`Call`]s. Written for these tests alone, apart from the crate's own reader.
//!
//! Options: `-xx`, so that a string holds nothing but `\xHH`; `-X raw`, so that flags are numbers; `-s 0`,
//! since only paths are wanted, and those strace prints whole.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use super::account::unescape;
use super::call::{Call, Text};
use super::run;

/// `strace` writing to `output`, in `dir`; the traced command is to be added.
pub fn command(output: &Path, dir: &Path) -> Command {
    let mut command = run::command("strace", dir);
    command.args(["-f", "-y", "-xx", "-X", "raw", "-s", "0", "-o"]).arg(output);
    command
}

/// Whether there is a strace.
pub fn is_there() -> bool {
    Command::new("strace").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Reads what strace wrote.
pub fn read(path: &Path) -> Vec<Call> {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&String::from_utf8_lossy(&text))
}

/// Reads strace's text.
pub fn parse(text: &str) -> Vec<Call> {
    let mut parser = Parser::default();
    for line in text.lines() {
        let (tid, rest) = line.trim_start().split_once(' ').unwrap_or_else(|| panic!("strace line: {line}"));
        parser.line(tid.parse().unwrap_or_else(|_| panic!("strace line: {line}")), rest.trim_start());
    }
    let unfinished: Vec<u32> = parser.unfinished.keys().copied().collect();
    for tid in unfinished {
        parser.abandon(tid);
    }
    parser.calls
}

#[derive(Default)]
struct Parser {
    calls: Vec<Call>,
    unfinished: HashMap<u32, String>,
    /// Exec calls of threads that are about to take their leader's id: new id, then old.
    renamed: HashMap<u32, u32>,
}

impl Parser {
    fn line(&mut self, tid: u32, text: &str) {
        if text.starts_with("---") {
        } else if text.starts_with("+++") {
            // Its end, or that an exec from another thread takes its place.
            self.abandon(tid);
        } else if let Some(rest) = text.strip_prefix("<... ") {
            self.resumed(tid, rest);
        } else if let Some((begun, _)) = text.split_once(" <unfinished ...>") {
            self.unfinished.insert(tid, begun.to_owned());
        } else if let Some((begun, to)) = text.split_once(" <pid changed to ") {
            let leader: u32 = to.trim_end_matches(" ...>").parse().expect("a pid");
            self.renamed.insert(leader, tid);
            self.unfinished.insert(tid, begun.to_owned());
        } else {
            self.whole(tid, text);
        }
    }

    fn resumed(&mut self, tid: u32, rest: &str) {
        let (_, end) = rest.split_once(" resumed>").unwrap_or_else(|| panic!("strace: <... {rest}"));
        let tid = self.renamed.remove(&tid).unwrap_or(tid);
        // Without its beginning: a thread that was in the call when strace came.
        if let Some(begun) = self.unfinished.remove(&tid) {
            self.whole(tid, &(begun + end));
        }
    }

    /// The thread ended inside a call.
    fn abandon(&mut self, tid: u32) {
        if let Some(begun) = self.unfinished.remove(&tid) {
            self.whole(tid, &(begun + ") = ?"));
        }
    }

    fn whole(&mut self, tid: u32, text: &str) {
        let Some((call, ret)) = text.rsplit_once(" = ") else { panic!("strace: {tid} {text}") };
        let call = call.trim_end();
        let (name, args) = call.split_once('(').unwrap_or_else(|| panic!("strace: {tid} {text}"));
        let args = arguments(args.strip_suffix(')').unwrap_or(args));
        let mut call = Call { tid, name: name.to_owned(), ret: result(ret), ..Call::default() };
        for (slot, &index) in path_arguments(name).iter().enumerate() {
            call.paths[slot] = path(args.get(index).copied().unwrap_or_default());
            let base = index.checked_sub(1).and_then(|index| args.get(index)).copied().unwrap_or_default();
            call.absolute[slot] = absolute(base, &call.paths[slot]);
        }
        let mut files = args.iter().filter_map(|arg| file(arg)).peekable();
        // As in the log, a descriptor returned counts where none was passed.
        if files.peek().is_none() {
            call.files[0] = file(ret).unwrap_or_default();
        }
        for (slot, file) in call.files.iter_mut().zip(files) {
            *slot = file;
        }
        self.calls.push(call);
    }
}

/// Splits at the commas that stand outside all brackets.
fn arguments(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_i32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

/// `0`, `-1 ENOENT (...)`, `0x7f...`, `022`, `3<...>`, `?`, `? ERESTARTSYS (...)`, as the kernel returned it.
fn result(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    if first == "?" || first == "-1" {
        let name = words.next().unwrap_or_default();
        return match errno(name) {
            None if first == "-1" => Some(-1),
            errno => errno,
        };
    }
    let number = first.split('<').next().unwrap_or_default();
    let value = if let Some(hex) = number.strip_prefix("0x") {
        u64::from_str_radix(hex, 16).map(u64::cast_signed).ok()
    } else if number.len() > 1 && number.starts_with('0') {
        i64::from_str_radix(number, 8).ok()
    } else {
        number.parse().ok().or_else(|| number.parse::<u64>().ok().map(u64::cast_signed))
    };
    Some(value.unwrap_or_else(|| panic!("strace's result: {text}")))
}

/// Minus the number of an errno's name.
fn errno(name: &str) -> Option<i64> {
    match name {
        "ERESTARTSYS" => return Some(-512),
        "ERESTARTNOINTR" => return Some(-513),
        "ERESTARTNOHAND" => return Some(-514),
        "ERESTART_RESTARTBLOCK" => return Some(-516),
        "ENOTSUPP" => return Some(-524),
        _ => {}
    }
    (1..134)
        .find(|&number| format!("{:?}", nix::errno::Errno::from_raw(number)) == name)
        .map(|number| -i64::from(number))
}

fn path(argument: &str) -> Text {
    match argument.strip_prefix('"') {
        Some(quoted) if quoted.ends_with("\"...") => Text::TooLong,
        Some(quoted) => Text::Is(unescape(quoted.trim_end_matches('"').as_bytes())),
        None if argument == "NULL" => Text::Absent,
        None => Text::Unreadable,
    }
}

/// The name in `3<name>`. What is not a descriptor has none; at `AT_FDCWD` stands the cwd, which is not its file.
fn file(argument: &str) -> Option<Text> {
    let (number, name) = argument.split_once('<')?;
    if number.parse::<i32>().ok()? < 0 {
        return Some(Text::Untold);
    }
    let (name, behind) = name.split_once('>')?;
    let mut name = unescape(name.as_bytes());
    if behind.starts_with("(deleted)") {
        name.extend_from_slice(b" (deleted)");
    }
    Some(Text::Is(name))
}

/// A relative path behind `3</base>` or `-100</base>` (the cwd), made absolute.
fn absolute(base: &str, path: &Text) -> Text {
    let base = base.split_once('<').and_then(|(_, name)| name.strip_suffix('>'));
    // Not `anon_inode:inotify`, behind which a path is relative to the cwd.
    let is_directory = |name: &str| name.starts_with("\\x2f");
    match (base, path) {
        (Some(base), Text::Is(path)) if is_directory(base) && !path.is_empty() && !path.starts_with(b"/") => {
            Text::Is([&unescape(base.as_bytes()), &b"/"[..], path].concat())
        }
        _ => Text::Untold,
    }
}

/// Which arguments are paths, for calls of both conventions.
pub fn path_arguments(name: &str) -> &'static [usize] {
    match name {
        "open" | "creat" | "stat" | "lstat" | "stat64" | "lstat64" | "oldstat" | "oldlstat" | "access"
        | "readlink" | "statfs" | "statfs64" | "chmod" | "chown" | "lchown" | "chown32" | "lchown32"
        | "truncate" | "truncate64" | "utime" | "utimes" | "mkdir" | "rmdir" | "unlink" | "mknod"
        | "chdir" | "chroot" | "execve" | "uselib" | "swapon" | "swapoff" | "umount" | "umount2" | "acct"
        | "getxattr" | "lgetxattr" | "setxattr" | "lsetxattr" | "listxattr" | "llistxattr"
        | "removexattr" | "lremovexattr" => &[0],
        "openat" | "openat2" | "newfstatat" | "fstatat64" | "statx" | "faccessat" | "faccessat2"
        | "readlinkat" | "fchmodat" | "fchmodat2" | "fchownat" | "futimesat" | "utimensat"
        | "utimensat_time64" | "mkdirat" | "unlinkat" | "mknodat" | "execveat" | "name_to_handle_at"
        | "open_tree" | "inotify_add_watch" | "symlink" | "mount" | "fspick" => &[1],
        "symlinkat" => &[2],
        "rename" | "link" | "pivot_root" => &[0, 1],
        "renameat" | "renameat2" | "linkat" | "move_mount" => &[1, 3],
        _ => &[],
    }
}

#[test]
fn the_parser_reads_what_strace_writes() {
    let text = r#"7 open("\x61", 0) = 3<\x2f\x61>
7 read(3<\x2f\x61>,  <unfinished ...>
8 kill(7, 9 <unfinished ...>
7 <... read resumed>""..., 5) = 5
8 <... kill resumed>) = 0
7 poll([{fd=3, events=0x1}], 1, -1) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)
7 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER} ---
7 access(0x1, 0)      = -1 EFAULT (Bad address)
9 execve("\x62", [...], 0x7ffe /* 1 var */ <pid changed to 7 ...>
7 +++ superseded by execve in pid 9 +++
7 <... execve resumed>) = 0
7 futex(0x1000, 0, 0, NULL <unfinished ...>
7 +++ killed by SIGKILL +++
"#;
    let calls: Vec<String> = parse(text).iter().map(Call::to_string).collect();
    assert_eq!(
        calls,
        [
            "7 open = 3 path \"a\" file \"/a\"",
            "7 read = 5 file \"/a\"",
            "8 kill = 0",
            "7 poll = -516",
            "7 access = -14 path Unreadable",
            "9 execve = 0 path \"b\"",
            "7 futex = ?",
        ]
    );
}
