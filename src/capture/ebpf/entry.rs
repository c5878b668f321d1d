//! Where programs begin when their dynamic loader is done: at their call of `__libc_start_main`, the first thing that
//! the code at `AT_ENTRY` does.
//!
//! Nobody stops the thread there, so a probe notes the moment: one for each C library's file, whatever programs use it
//! (a uprobe, `Documentation/trace/uprobetracer.rst`). It is put on an instruction that the kernel emulates (a push,
//! `push_emulate_op` of `arch/x86/kernel/uprobes.c`), behind `endbr64` if need be: for any other the kernel would add a
//! page to the program's memory, and move what is mapped later. Where the function begins in another way there is no
//! probe, and reports fall back on the loader's last call.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSegment, ObjectSymbol};

use super::super::launch::elf;

/// The function that programs begin with.
const BEGIN: &[u8] = b"__libc_start_main";
/// `endbr64` and `endbr32`, without their last bytes.
const ENDBR: &[u8] = &[0xf3, 0x0f, 0x1e];
const ENDBR_LENGTH: u64 = 4;
/// Scripts that name scripts in their first line (as many as the kernel follows).
const MOST_SCRIPTS: usize = 5;
/// More than any C library has.
const LARGEST: u64 = 64 << 20;

/// A place in a file that a probe can be put on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The C library.
    pub file: PathBuf,
    /// Where the instruction stands in it.
    pub offset: u64,
}

/// The C libraries of this program and of the one that is to run: those beside their loaders.
pub fn libraries(program: Option<&Path>) -> BTreeSet<PathBuf> {
    let programs = [program, Some(Path::new("/proc/self/exe"))];
    programs.into_iter().flatten().filter_map(loader_of).filter_map(|loader| library_of(&loader)).collect()
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

/// The C library that belongs to a loader: glibc's lies beside it, musl's is the loader.
fn library_of(loader: &Path) -> Option<PathBuf> {
    let loader = loader.canonicalize().ok()?;
    let beside = loader.with_file_name("libc.so.6");
    Some(if beside.exists() { beside } else { loader })
}

/// The places of a C library: one, or one for each version of the function.
pub fn places(library: &Path) -> Vec<Place> {
    let is_small = std::fs::metadata(library).is_ok_and(|meta| meta.len() <= LARGEST);
    let bytes = if is_small { std::fs::read(library).unwrap_or_default() } else { Vec::new() };
    let Ok(object) = object::File::parse(bytes.as_slice()) else { return Vec::new() };
    let begins = object.dynamic_symbols().filter(|symbol| symbol.name_bytes() == Ok(BEGIN));
    let addresses: BTreeSet<u64> = begins.map(|symbol| symbol.address()).collect();
    let offsets = addresses.into_iter().filter_map(|address| offset(&object, &bytes, address));
    offsets.map(|offset| Place { file: library.to_owned(), offset }).collect()
}

/// Where the first instruction that can be emulated stands in the file, if the function begins with one.
fn offset(object: &object::File<'_>, bytes: &[u8], address: u64) -> Option<u64> {
    let begin = object.segments().find_map(|segment| {
        let into = address.checked_sub(segment.address()).filter(|&into| into < segment.size())?;
        segment.file_range().0.checked_add(into)
    })?;
    let code = bytes.get(usize::try_from(begin).ok()?..)?;
    let skipped = if code.starts_with(ENDBR) { ENDBR_LENGTH } else { 0 };
    is_push(code.get(skipped as usize..)?).then_some(begin + skipped)
}

/// Whether an instruction pushes a register.
fn is_push(code: &[u8]) -> bool {
    matches!(code, [0x50..=0x57, ..] | [0x41, 0x50..=0x57, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_c_library_of_this_program_has_a_place() {
        let libraries = libraries(Some(Path::new("/proc/self/exe")));
        let loader = elf::read(Path::new("/proc/self/exe")).and_then(|elf| elf.loader);
        assert_eq!(libraries.len(), usize::from(loader.is_some()), "one loader, one library: {libraries:?}");
        for library in libraries {
            assert!(!places(&library).is_empty(), "{}", library.display());
        }
        assert_eq!(places(Path::new("/etc/passwd")), []);
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
    fn pushes_are_known_by_their_bytes() {
        assert!(is_push(&[0x55, 0x48]) && is_push(&[0x41, 0x57, 0x49]));
        assert!(!is_push(&[0x31, 0xed]) && !is_push(&[0x41]) && !is_push(&[]) && !is_push(&[0x49, 0x55]));
    }
}
