//! Where a dynamic loader hands over to the program: its last instruction, a jump to `AT_ENTRY`.
//!
//! Nobody stops the thread there, so a probe notes the moment: one for each loader's file, whatever programs it
//! loads. The jump is found by its bytes; in glibc (`RTLD_START`) it stands behind the loader's own entry point, in
//! musl (`CRTJMP`) anywhere, once. A loader in which it is not found gets no probe, and reports fall back on the
//! loader's last call.

use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::launch::elf::{self, Elf};

/// glibc, 64 bits: `mov %r13,%rsp; jmp *%r12`.
const GLIBC_64: &[u8] = &[0x4c, 0x89, 0xec, 0x41, 0xff, 0xe4];
/// glibc, 32 bits: `mov 0x10(%esp),%esp; jmp *%edi`.
const GLIBC_32: &[u8] = &[0x8b, 0x64, 0x24, 0x10, 0xff, 0xe7];
/// Length of the jump in each.
const JUMP_64: usize = 3;
const JUMP_32: usize = 2;
/// How far behind the entry point it stands at most.
const NEAR: usize = 256;
/// Scripts that name scripts in their first line (as many as the kernel follows).
const MOST_SCRIPTS: usize = 5;
/// More than any loader has.
const LARGEST: u64 = 16 << 20;

/// A place in a file that a probe can be put on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The loader.
    pub file: PathBuf,
    /// Where the jump stands in it.
    pub offset: u64,
}

/// The places for the loaders that a program, and this one, ask for.
pub fn hand_overs(program: Option<&Path>) -> Vec<HandOver> {
    let programs = [program, Some(Path::new("/proc/self/exe"))];
    let mut loaders: Vec<PathBuf> = programs.into_iter().flatten().filter_map(loader_of).collect();
    loaders.dedup();
    loaders.into_iter().filter_map(HandOver::of).collect()
}

/// The loader of a program, or of the interpreter that a script names.
fn loader_of(program: &Path) -> Option<PathBuf> {
    let mut program = program.to_owned();
    for _ in 0..MOST_SCRIPTS {
        let Some(interpreter) = interpreter_of(&program) else { break };
        program = interpreter;
    }
    elf::read(&program)?.loader
}

/// What a script names in its first line.
fn interpreter_of(script: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut line = Vec::new();
    std::fs::File::open(script).ok()?.take(256).read_to_end(&mut line).ok()?;
    let line = line.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?.trim_ascii();
    let name = line.split(u8::is_ascii_whitespace).next().filter(|name| !name.is_empty())?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(name)))
}

impl HandOver {
    fn of(file: PathBuf) -> Option<Self> {
        let elf = elf::read(&file)?;
        let is_code = |segment: &&elf::Segment| {
            let into = elf.entry.checked_sub(segment.address);
            into.is_some_and(|into| into < segment.file_size) && segment.file_size < LARGEST
        };
        let code = elf.segments.iter().find(is_code)?;
        let mut bytes = vec![0; code.file_size as usize];
        std::fs::File::open(&file).ok()?.read_exact_at(&mut bytes, code.offset).ok()?;
        let at = jump(&bytes, (elf.entry - code.address) as usize, &elf)?;
        Some(Self { offset: code.offset.checked_add(at as u64)?, file })
    }
}

/// Where the jump stands in the code.
fn jump(code: &[u8], entry: usize, elf: &Elf) -> Option<usize> {
    const X86_64: u16 = 62;
    const X86: u16 = 3;
    let near = code.get(entry..)?;
    let near = &near[..near.len().min(NEAR)];
    let (pattern, length) = match elf.machine {
        X86_64 => (GLIBC_64, JUMP_64),
        X86 => (GLIBC_32, JUMP_32),
        _ => return None,
    };
    match near.windows(pattern.len()).position(|bytes| bytes == pattern) {
        Some(at) => Some(entry + at + pattern.len() - length),
        None if elf.machine == X86_64 => musl_jump(code),
        None => None,
    }
}

/// The only `mov %R,%rsp; jmp *%S` there is, for registers up to `rdi`.
fn musl_jump(code: &[u8]) -> Option<usize> {
    let is_jump = |bytes: &[u8]| {
        bytes[..2] == [0x48, 0x89] && bytes[2] & 0xc7 == 0xc4 && bytes[3] == 0xff && bytes[4] & 0xf8 == 0xe0
    };
    let mut found = code.windows(5).enumerate().filter(|(_, bytes)| is_jump(bytes)).map(|(at, _)| at + 3);
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_loader_of_this_program_hands_over_somewhere() {
        let own = hand_overs(None);
        let loader = elf::read(Path::new("/proc/self/exe")).and_then(|elf| elf.loader);
        assert_eq!(own.len(), usize::from(loader.is_some()), "{own:?}");
        assert_eq!(hand_overs(Some(Path::new("/proc/self/exe"))), own, "one loader, one place");
    }

    #[test]
    fn scripts_are_followed() {
        let mut script = tempfile::NamedTempFile::new().expect("a temporary file");
        script.write_all(b"#! /bin/sh -e\nexit").expect("our own file");
        assert_eq!(interpreter_of(script.path()).as_deref(), Some(Path::new("/bin/sh")));
        assert_eq!(loader_of(script.path()), elf::read(Path::new("/bin/sh")).and_then(|elf| elf.loader));
        assert_eq!(interpreter_of(Path::new("/bin/sh")), None);
    }

    #[test]
    fn jumps_are_found_by_their_bytes() {
        let elf = |machine| Elf { machine, loader: None, entry: 0, headers: 0, segments: Vec::new() };
        let mut code = vec![0x90; 600];
        code[50..56].copy_from_slice(GLIBC_64);
        assert_eq!(jump(&code, 10, &elf(62)), Some(53));
        assert_eq!(jump(&code, 51, &elf(62)), None, "behind the entry point only");
        code[300..305].copy_from_slice(&[0x48, 0x89, 0xd4, 0xff, 0xe0]);
        assert_eq!(jump(&code, 100, &elf(62)), Some(303));
        code[400..405].copy_from_slice(&[0x48, 0x89, 0xc4, 0xff, 0xe2]);
        assert_eq!(jump(&code, 100, &elf(62)), None, "which of both is not known");
        code[20..26].copy_from_slice(GLIBC_32);
        assert_eq!((jump(&code, 10, &elf(3)), jump(&code, 10, &elf(183))), (Some(24), None));
    }
}
