//! As much of ELF as an error message needs: for which machine a program is, and with which loader.
//!
//! Layout: elf(5). The file is whatever somebody tried to run, so every number in it is checked.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What is of interest in an ELF file.
pub struct Elf {
    /// `e_machine`.
    pub machine: u16,
    /// The dynamic loader it asks for (`PT_INTERP`).
    pub loader: Option<PathBuf>,
}

/// Reads the header of a little-endian ELF file and the name of its dynamic loader; `None` for any
/// other file.
pub fn read(file: &Path) -> Option<Elf> {
    const PT_INTERP: u64 = 3;
    let file = File::open(file).ok()?;
    let mut header = [0u8; 64];
    let length = file.read_at(&mut header, 0).ok()?;
    if length < 52 || !header.starts_with(b"\x7fELF") || header[5] != 1 {
        return None;
    }
    let wide = header[4] == 2;
    let number = |at: usize, size: usize| little_endian(&header, at, size);
    let machine = number(18, 2)? as u16;
    // (e_phoff, e_phentsize, e_phnum), then within a program header (p_offset, p_filesz).
    let (table, size, count) = if wide {
        (number(32, 8)?, number(54, 2)?, number(56, 2)?)
    } else {
        (number(28, 4)?, number(42, 2)?, number(44, 2)?)
    };
    let (offset_at, size_at, word) = if wide { (8, 32, 8) } else { (4, 16, 4) };
    let loader = (0..count).find_map(|index| {
        let mut entry = [0u8; 56];
        file.read_at(&mut entry, table.checked_add(index * size)?).ok()?;
        if little_endian(&entry, 0, 4)? != PT_INTERP {
            return None;
        }
        let mut name = vec![0; little_endian(&entry, size_at, word)?.min(4096) as usize];
        let length = file.read_at(&mut name, little_endian(&entry, offset_at, word)?).ok()?;
        let name = name.get(..length)?.split(|&byte| byte == 0).next()?;
        Some(PathBuf::from(OsStr::from_bytes(name)))
    });
    Some(Elf { machine, loader })
}

fn little_endian(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// `e_machine`, named as Rust names architectures.
pub fn machine_name(machine: u16) -> Option<&'static str> {
    match machine {
        3 => Some("x86"),
        8 => Some("mips"),
        21 => Some("powerpc64"),
        22 => Some("s390x"),
        40 => Some("arm"),
        62 => Some("x86_64"),
        183 => Some("aarch64"),
        243 => Some("riscv64"),
        258 => Some("loongarch64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_bytes(bytes: &[u8]) -> Option<Elf> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path())
    }

    #[test]
    fn this_program_is_for_this_machine() {
        let this = read(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(machine_name(this.machine), Some(std::env::consts::ARCH));
        assert!(this.loader.is_none_or(|loader| loader.exists()));
    }

    #[test]
    fn damaged_files_are_survived() {
        let mut header = [0xFF; 128];
        header[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
        for length in 0..header.len() {
            let found = read_bytes(&header[..length]);
            assert_eq!(found.is_some(), length >= 52, "{length}");
            assert!(found.is_none_or(|elf| elf.loader.is_none() && machine_name(elf.machine).is_none()));
        }
        assert!(read_bytes(b"#!/bin/sh").is_none());
    }
}
