//! Why a file cannot be run, in words: what is wrong with it and what to try.
//!
//! `execve(2)` has one number for several reasons (ENOENT is also a missing interpreter), so the
//! file itself is looked at. All of it is for a message: wrong guesses cost nothing but words.

use super::elf::{self, Elf};
use super::{LaunchError, own, shown};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, faccessat};

/// As much of a first line as the kernel looks at (`BINPRM_BUF_SIZE`).
const LINE_LIMIT: u64 = 256;

/// Whether a file can be executed, as far as its name, type and permissions tell; the error is the
/// one that `execve(2)` would give.
pub fn obstacle(file: &Path) -> io::Result<()> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    faccessat(AT_FDCWD, file, AccessFlags::X_OK, AtFlags::AT_EACCESS).map_err(Into::into)
}

/// The error for a file that [`obstacle`] objects to.
pub fn cannot_run(file: &Path, error: &io::Error) -> LaunchError {
    LaunchError::CannotRun { program: shown(file), why: why_refused(file, error) }
}

fn why_refused(file: &Path, error: &io::Error) -> String {
    let Ok(meta) = fs::metadata(file) else {
        return match error.raw_os_error() {
            Some(libc::EACCES) => "a directory on the way to it must not be searched; see `namei -l`".into(),
            Some(libc::ENOTDIR) => "a part of its path is a file, not a directory; check the path".into(),
            Some(libc::ELOOP) => "its symbolic links go round in a circle".into(),
            _ => format!("{error}; check the path"),
        };
    };
    if meta.is_dir() {
        return "is a directory; name a program in it".into();
    }
    if !meta.is_file() {
        return "is a device, pipe or socket, not a program".into();
    }
    if meta.permissions().mode() & 0o111 != 0 && is_on_noexec(file) {
        return "is on a file system mounted noexec; copy it to another, or remount that with exec".into();
    }
    let name = shown(file);
    let here = if name.contains('/') { name.clone() } else { format!("./{name}") };
    match first_line(file).and_then(|line| line.interpreter).or_else(|| usual_interpreter(file)) {
        Some(interpreter) => format!("is not executable; try `{interpreter} {name}` or `chmod +x {here}`"),
        None => format!("is not executable; if it is a program, try `chmod +x {here}`"),
    }
}

/// Whether the mount that a file is on lets no program be run from it (mount(8)).
fn is_on_noexec(file: &Path) -> bool {
    statvfs(file).is_ok_and(|system| system.flags().contains(FsFlags::ST_NOEXEC))
}

/// The error for a program that `execve(2)` did not take.
pub fn exec_failure(file: &Path, error: &io::Error) -> LaunchError {
    let code = error.raw_os_error().unwrap_or(0);
    let why = match code {
        libc::ENOENT if !file.exists() => {
            return LaunchError::NotFound { command: shown(file), why: "it is gone".into() };
        }
        // As env(1): what execve(2) does not find is not found, whichever file it is.
        libc::ENOENT => {
            return LaunchError::NotFound { command: shown(file), why: why_no_interpreter(file) };
        }
        libc::ENOEXEC => why_no_format(file),
        libc::EACCES => match obstacle(file) {
            Err(error) => why_refused(file, &error),
            Ok(()) => why_interpreter_refused(file),
        },
        libc::ETXTBSY => "is open for writing; try again when that is done".into(),
        libc::E2BIG => "its arguments and environment are too long; pass them in a file".into(),
        libc::ELOOP => "its interpreters go round in a circle (#! lines)".into(),
        libc::EPERM => "the system forbids it (EPERM); is its file system mounted nosuid?".into(),
        libc::ENOMEM | libc::EAGAIN | libc::EMFILE | libc::ENFILE => {
            return own(format!("run {}", shown(file)), io::Error::from_raw_os_error(code));
        }
        _ => error.to_string(),
    };
    LaunchError::CannotRun { program: shown(file), why }
}

fn why_no_interpreter(file: &Path) -> String {
    let name = shown(file);
    if let Some(line) = first_line(file)
        && let Some(interpreter) = line.interpreter
    {
        if line.carriage_return {
            return format!(
                "its #! line ends in a carriage return, so that its interpreter {interpreter} is not found; \
                 try `sed -i 's/\\r$//' {name}`"
            );
        }
        return format!(
            "its interpreter {interpreter} (#! line) does not exist; install it or correct the line"
        );
    }
    match elf::read(file) {
        Some(Elf { loader: Some(loader), .. }) => format!(
            "its dynamic loader {} does not exist; it was built for another system (musl, 32 bit, ...)",
            shown(&loader)
        ),
        _ => "its interpreter does not exist".into(),
    }
}

const NO_INTERPRETER: &str = "its #! line names no interpreter";

fn why_interpreter_refused(file: &Path) -> String {
    match first_line(file).and_then(|line| line.interpreter) {
        Some(interpreter) => {
            format!("its interpreter {interpreter} (#! line) cannot be run; see `ls -l` of it")
        }
        // Of a file that ends behind it, the kernel takes the directory itself for its interpreter.
        None if first_line(file).is_some_and(|line| line.script) => NO_INTERPRETER.into(),
        None => "permission denied, though it is executable; is it forbidden by a security module?".into(),
    }
}

fn why_no_format(file: &Path) -> String {
    let name = shown(file);
    if let Some(Elf { machine, .. }) = elf::read(file) {
        let here = std::env::consts::ARCH;
        return match elf::machine_name(machine) {
            Some(machine) if machine != here => {
                format!("is a program for {machine}, and this machine is {here}")
            }
            Some(_) => "is a damaged program".into(),
            None => format!("is a program for another machine (ELF number {machine}), not {here}"),
        };
    }
    if fs::metadata(file).is_ok_and(|meta| meta.len() == 0) {
        return "is empty".into();
    }
    if let Some(line) = first_line(file) {
        return match line.interpreter {
            None if line.script => NO_INTERPRETER.into(),
            None if line.text => {
                let interpreter = usual_interpreter(file).unwrap_or_else(|| "sh".into());
                format!("has no #! line; try `{interpreter} {name}`")
            }
            None => "is neither a program nor a script".into(),
            Some(_) => "its #! line is not one the kernel takes".into(),
        };
    }
    format!("is neither a program nor a script that can be read; try `sh {name}`")
}

/// What the start of a file tells.
struct FirstLine {
    /// It begins with `#!`.
    script: bool,
    /// What it names, escaped for people.
    interpreter: Option<String>,
    /// The name ends in a carriage return, which the kernel takes for a part of it.
    carriage_return: bool,
    /// It looks like text.
    text: bool,
}

fn first_line(file: &Path) -> Option<FirstLine> {
    let mut start = Vec::new();
    File::open(file).ok()?.take(LINE_LIMIT).read_to_end(&mut start).ok()?;
    let script = start.starts_with(b"#!");
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let words = line.get(2..).unwrap_or_default().split(|byte| b" \t".contains(byte));
    let word = words.into_iter().find(|word| !word.is_empty()).filter(|_| script);
    let name = word.map(|word| word.strip_suffix(b"\r").unwrap_or(word)).filter(|name| !name.is_empty());
    Some(FirstLine {
        script,
        interpreter: name.map(|name| shown(Path::new(std::ffi::OsStr::from_bytes(name)))),
        carriage_return: word.is_some_and(|word| word.ends_with(b"\r")),
        text: !start.contains(&0),
    })
}

/// What usually runs a file of this name.
fn usual_interpreter(file: &Path) -> Option<String> {
    let known = [
        ("py", "python3"),
        ("sh", "sh"),
        ("bash", "bash"),
        ("zsh", "zsh"),
        ("pl", "perl"),
        ("rb", "ruby"),
        ("js", "node"),
        ("mjs", "node"),
        ("lua", "lua"),
        ("php", "php"),
        ("tcl", "tclsh"),
        ("awk", "awk -f"),
        ("jar", "java -jar"),
    ];
    let extension = file.extension()?;
    let found = known.iter().find(|(ending, _)| extension == *ending)?;
    Some(found.1.to_owned())
}
