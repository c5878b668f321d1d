//! The section names and the build id of an ELF file of 64 bits, from a file that may be anything.

use std::path::{Path, PathBuf};

/// What of a file is needed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    names: Vec<String>,
    build_id: Option<String>,
}

/// Places in the headers (elf(5), `Elf64_Ehdr` and `Elf64_Shdr`).
const SECTIONS_AT: usize = 0x28;
const SECTION_COUNT: usize = 0x3c;
const NAMES_INDEX: usize = 0x3e;
const SECTION_SIZE: usize = 64;
const OFFSET: usize = 0x18;
const SIZE: usize = 0x20;
/// Length of the header of a note, and of the name `GNU` with its NUL byte.
const NOTE_HEADER: usize = 12 + 4;

impl Sections {
    /// Reads a file; `None`: it cannot be read, or is no such file.
    pub fn of(path: &Path) -> Option<Self> {
        Self::parse(&std::fs::read(path).ok()?)
    }

    fn parse(file: &[u8]) -> Option<Self> {
        if !file.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let table = number(file, SECTIONS_AT, 8)?;
        let header = |index: usize| {
            let begin = table.checked_add(index.checked_mul(SECTION_SIZE)?)?;
            file.get(begin..begin.checked_add(SECTION_SIZE)?)
        };
        let content = |header: &[u8]| {
            let begin = number(header, OFFSET, 8)?;
            file.get(begin..begin.checked_add(number(header, SIZE, 8)?)?)
        };
        let names = content(header(number(file, NAMES_INDEX, 2)?)?)?;
        let mut sections = Self { names: Vec::new(), build_id: None };
        for index in 0..number(file, SECTION_COUNT, 2)? {
            let header = header(index)?;
            let name = names.get(number(header, 0, 4)?..)?.split(|&byte| byte == 0).next()?;
            let name = String::from_utf8_lossy(name).into_owned();
            if name == ".note.gnu.build-id" {
                let id = content(header).and_then(|note| note.get(NOTE_HEADER..)).unwrap_or_default();
                sections.build_id = Some(id.iter().fold(String::new(), |mut text, byte| {
                    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
                    text.extend([digit(byte >> 4), digit(byte & 15)]);
                    text
                }));
            }
            sections.names.push(name);
        }
        Some(sections)
    }

    /// Whether there is a section of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Where the file of its debug symbols would be (gdb's manual, "Debugging Information in Separate Files").
    pub fn debug_file(&self) -> Option<PathBuf> {
        let id = self.build_id.as_deref()?;
        let (first, rest) = id.split_at_checked(2)?;
        Some(PathBuf::from(format!("/usr/lib/debug/.build-id/{first}/{rest}.debug")))
    }
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let mut whole = [0; 8];
    whole[..len].copy_from_slice(bytes.get(at..at.checked_add(len)?)?);
    usize::try_from(u64::from_le_bytes(whole)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_file_has_sections() {
        let sections = Sections::of(&std::env::current_exe().unwrap()).unwrap();
        assert!(sections.has(".text") && sections.has(".eh_frame") && !sections.has(".nosuch"));
        let file = sections.debug_file().map(|path| path.display().to_string());
        assert!(file.is_none_or(|file| file.len() > "/usr/lib/debug/.build-id/xx/.debug".len() + 30));
    }

    #[test]
    fn anything_else_has_none() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for len in (0..200).chain([own.len() / 2, own.len() - 1]) {
            Sections::parse(&own[..len]);
        }
        let mut hostile = own[..4096].to_vec();
        for at in 0..64 {
            hostile[at..at + 8].fill(0xff);
            Sections::parse(&hostile);
            hostile[at..at + 8].copy_from_slice(&own[at..at + 8]);
        }
        assert_eq!(Sections::parse(b"#!/bin/sh"), None);
    }
}
