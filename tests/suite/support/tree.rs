//! The calls of a run by position in its tree of processes and threads, so that two runs can be compared.
//!
//! The command is `0`; the second child or thread that it made is `0.2`, and so on. Everything that differs
//! from run to run for no reason of the program's (ids, numbers of pipes and sockets) is replaced.

use std::collections::{BTreeMap, HashMap};

use super::call::{Call, Text};

/// Calls by position, in order.
pub type Tree = BTreeMap<String, Vec<Call>>;

/// Sorts calls by position and replaces what differs from run to run.
pub fn of(calls: &[Call]) -> Tree {
    let positions = positions(calls);
    let mut tree = Tree::new();
    for call in calls {
        let position = positions.get(&call.tid).unwrap_or_else(|| panic!("nobody made thread {}", call.tid));
        tree.entry(position.clone()).or_default().push(scrubbed(call, &positions));
    }
    tree
}

/// The position of every thread.
fn positions(calls: &[Call]) -> HashMap<u32, String> {
    let mut made_by: HashMap<u32, (u32, u32)> = HashMap::new();
    let mut children: HashMap<u32, u32> = HashMap::new();
    for call in calls.iter().filter(|call| makes_child(&call.name)) {
        if let Some(child) = call.ret.and_then(|ret| u32::try_from(ret).ok()) {
            let number = children.entry(call.tid).or_default();
            *number += 1;
            let before = made_by.insert(child, (call.tid, *number));
            assert!(before.is_none(), "id {child} was used twice: run the test again");
        }
    }
    let root = calls.first().expect("at least an execve").tid;
    let mut positions = HashMap::from([(root, "0".to_owned())]);
    for &tid in made_by.keys() {
        place(tid, &made_by, &mut positions);
    }
    positions
}

fn place(
    tid: u32,
    made_by: &HashMap<u32, (u32, u32)>,
    positions: &mut HashMap<u32, String>,
) -> Option<String> {
    if let Some(position) = positions.get(&tid) {
        return Some(position.clone());
    }
    let (parent, number) = made_by.get(&tid)?;
    let position = format!("{}.{number}", place(*parent, made_by, positions)?);
    positions.insert(tid, position.clone());
    Some(position)
}

/// Whether a call of this name returns the id of a new process or thread.
pub fn makes_child(name: &str) -> bool {
    matches!(name, "fork" | "vfork" | "clone" | "clone3")
}

/// Whether a call of this name returns an id.
fn returns_id(name: &str) -> bool {
    makes_child(name)
        || matches!(
            name,
            "getpid" | "gettid" | "getppid" | "set_tid_address" | "wait4" | "waitpid" | "getpgrp"
        )
        || matches!(name, "getpgid" | "setsid" | "getsid")
}

fn scrubbed(call: &Call, positions: &HashMap<u32, String>) -> Call {
    let mut call = call.clone();
    call.tid = 0;
    if returns_id(&call.name) && call.ret.is_some_and(|ret| ret > 0) {
        let id = call.ret.and_then(|ret| u32::try_from(ret).ok()).unwrap_or(0);
        let who = positions.get(&id).map_or("another", String::as_str);
        call.name = format!("{} [{who}]", call.name);
        call.ret = Some(1);
    }
    for file in &mut call.files {
        if let Text::Is(name) = file {
            *name = without_number(name);
        }
    }
    call
}

/// `pipe:[1234]` as `pipe:[]`.
fn without_number(name: &[u8]) -> Vec<u8> {
    match name.iter().position(|&byte| byte == b'[') {
        Some(at) if !name.starts_with(b"/") && name[at..].iter().any(u8::is_ascii_digit) => {
            [&name[..at], b"[]"].concat()
        }
        _ => name.to_vec(),
    }
}
