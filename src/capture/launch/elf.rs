//! As much of ELF as is needed: for which machine a program is, with which loader, and where it lies.
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
    /// Where it begins (`e_entry`).
    pub entry: u64,
    /// How many program headers it has.
    pub headers: u64,
    /// What is loaded of it.
    pub segments: Vec<Segment>,
}

/// A part that is loaded (`PT_LOAD`).
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Where it lies in memory, relative to the object.
    pub address: u64,
    /// Its length in memory.
    pub memory_size: u64,
}

/// More program headers than any program has.
const MOST_HEADERS: u64 = 64;
/// Types of program headers.
const PT_LOAD: u64 = 1;
const PT_INTERP: u64 = 3;

/// Reads the header of a little-endian ELF file and the name of its dynamic loader; `None` for any
/// other file.
pub fn read(file: &Path) -> Option<Elf> {
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
    // Of a program header: p_offset, p_vaddr, p_filesz, p_memsz.
    let (places, word) = if wide { ([8, 16, 32, 40], 8) } else { ([4, 8, 16, 20], 4) };
    let mut elf =
        Elf { machine, loader: None, entry: number(24, word)?, headers: count, segments: Vec::new() };
    for index in 0..count.min(MOST_HEADERS) {
        let mut header = [0u8; 56];
        let read = table.checked_add(index * size).map(|at| file.read_at(&mut header, at));
        let Some(Ok(_)) = read else { break };
        let [offset, address, file_size, memory_size] =
            places.map(|at| little_endian(&header, at, word).unwrap_or(0));
        match little_endian(&header, 0, 4)? {
            PT_LOAD => elf.segments.push(Segment { address, memory_size }),
            PT_INTERP if elf.loader.is_none() => elf.loader = name(&file, offset, file_size),
            _ => {}
        }
    }
    Some(elf)
}

fn name(file: &File, offset: u64, size: u64) -> Option<PathBuf> {
    let mut name = vec![0; size.min(4096) as usize];
    let length = file.read_at(&mut name, offset).ok()?;
    let name = name.get(..length)?.split(|&byte| byte == 0).next()?;
    Some(PathBuf::from(OsStr::from_bytes(name)))
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
