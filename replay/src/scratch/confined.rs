//! What confines the process that replays: found out by doing.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};

use super::home::is_marked;
use crate::guard::Guard;
use crate::sys::confine::{clear_umask, drop_capabilities, enter_namespaces, enter_root};

/// With this version came the last rights without which a file outside could be changed: to truncate (and before, to
/// move from one directory to another).
const NEEDED: ABI = ABI::V3;

/// A process that can reach its tree and no other file.
#[derive(Debug)]
pub(super) struct Confined {
    pub(super) guard: Guard,
    /// Where the tree is for it.
    pub(super) root: PathBuf,
}

/// Neither worked.
#[derive(Debug, thiserror::Error)]
#[error(
    "calls that write are not replayed, since nothing here would keep them in the scratch tree: no user and mount \
     namespace ({namespaces}), no Landlock ({landlock})"
)]
pub(super) struct Unconfined {
    namespaces: io::Error,
    landlock: String,
}

/// Confines this process to a tree, for good. `map_ids` has the parent say who this process is in its user namespace.
pub(super) fn confine(
    tree: &Path,
    token: &str,
    only: Option<Guard>,
    map_ids: impl FnOnce() -> io::Result<()>,
) -> Result<Confined, Unconfined> {
    clear_umask();
    let namespaces = match only {
        Some(Guard::Landlock) => Err(io::Error::other("not asked for")),
        _ => enter_tree(tree, token, map_ids),
    };
    match namespaces {
        Ok(()) => Ok(Confined { guard: Guard::Namespaces, root: PathBuf::from("/") }),
        Err(namespaces) => match restrict_to(tree) {
            Ok(()) => Ok(Confined { guard: Guard::Landlock, root: tree.to_owned() }),
            Err(landlock) => Err(Unconfined { namespaces, landlock }),
        },
    }
}

/// User and mount namespace, the tree as root, no capabilities beyond changing files. (No Landlock besides: it would make
/// each link and rename dearer, and there is nothing left to be kept from.)
fn enter_tree(tree: &Path, token: &str, map_ids: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    enter_namespaces()?;
    map_ids()?;
    enter_root(tree)?;
    if !is_marked(Path::new("/"), token) {
        return Err(io::Error::other("the new root is not the scratch tree"));
    }
    drop_capabilities()
}

/// What no replay does, in its tree neither.
fn never() -> BitFlags<AccessFs> {
    AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeFifo | AccessFs::MakeSock
}

/// Landlock alone: every right to read and write is needed, none is given outside the tree.
fn restrict_to(tree: &Path) -> Result<(), String> {
    let all = AccessFs::from_all(NEEDED);
    let tree = File::open(tree).map_err(|error| format!("the scratch tree could not be opened: {error}"))?;
    let restrict = || -> Result<RestrictionStatus, RulesetError> {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let ruleset = ruleset.handle_access(all)?.create()?;
        ruleset.add_rule(PathBeneath::new(tree.as_fd(), all & !never()))?.restrict_self()
    };
    match restrict() {
        Ok(status) if status.ruleset == RulesetStatus::FullyEnforced => Ok(()),
        Ok(_) => Err("it is not enforced in full".to_owned()),
        Err(RulesetError::HandleAccesses(_)) => {
            Err("this kernel has none, or one older than Linux 6.2's, or it may not be used here".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Waits for the parent to have mapped this process's ids.
pub(super) fn await_mapping(mut answer: impl Read) -> io::Result<()> {
    let mut mapped = [0];
    answer.read_exact(&mut mapped)?;
    if mapped == [1] { Ok(()) } else { Err(io::Error::other("its ids could not be mapped")) }
}

/// Says who a child is in its new user namespace: everybody the same as here if this is root, else this user.
pub(super) fn map_ids(pid: libc::pid_t) -> io::Result<()> {
    let (user, group) = crate::sys::confine::effective_ids();
    let process = PathBuf::from(format!("/proc/{pid}"));
    let write = |name: &str, map: &str| std::fs::write(process.join(name), map);
    let all = |name: &str| -> io::Result<String> {
        let own = std::fs::read_to_string(Path::new("/proc/self").join(name))?;
        let ranges = own.lines().filter_map(|line| {
            let mut numbers = line.split_whitespace();
            let (first, count) = (numbers.next()?, numbers.nth(1)?);
            Some(format!("{first} {first} {count}\n"))
        });
        Ok(ranges.collect())
    };
    if user == 0
        && let (Ok(users), Ok(groups)) = (all("uid_map"), all("gid_map"))
        && write("uid_map", &users).is_ok()
    {
        return write("gid_map", &groups);
    }
    write("setgroups", "deny")?;
    write("uid_map", &format!("{user} {user} 1"))?;
    write("gid_map", &format!("{group} {group} 1"))
}
