//! TEMPORARY: reads the dump of a bare backend.
use std::path::Path;
use std::process::Command;

use super::call::{Call, Text};
use super::run;

pub struct Row {
    pub kind: String,
    pub pid: u32,
    pub nr: u32,
    pub call: Call,
    pub flags: u16,
}

pub fn command(output: &Path, dir: &Path) -> Command {
    let mut command = run::command("/tmp/early-target/debug/examples/dump", dir);
    command.arg("-o").arg(output);
    command
}

fn text(word: &str, unreadable: bool, too_long: bool) -> Text {
    match word[1..].strip_prefix('=') {
        Some(hex) if too_long && hex.len() >= 2 * 4095 => Text::TooLong,
        Some(hex) => Text::Is((0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()),
        None if unreadable => Text::Unreadable,
        None => Text::Absent,
    }
}

pub fn read(path: &Path) -> Vec<Row> {
    let whole = std::fs::read_to_string(path).unwrap();
    whole
        .lines()
        .map(|line| {
            let w: Vec<&str> = line.split(' ').collect();
            let flags: u16 = w[15][2..].parse().unwrap();
            let name = if w[3] == "_" { String::new() } else { w[3].to_owned() };
            Row {
                kind: w[0].to_owned(),
                pid: w[1].parse().unwrap(),
                nr: w[4].parse().unwrap(),
                flags,
                call: Call {
                    tid: w[2].parse().unwrap(),
                    name,
                    ret: w[5].parse().ok(),
                    is_i386: Some(w[6] == "1"),
                    is_restarted: Some(w[7] == "1"),
                    paths: [text(w[8], flags & 1 != 0, flags & 8 != 0 ), text(w[9], flags & 2 != 0, flags & 8 != 0)],
                    absolute: [text(w[10], false, false), text(w[11], false, false)],
                    files: [text(w[12], false, false), text(w[13], false, false)],
                },
            }
        })
        .collect()
}
