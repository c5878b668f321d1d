//! Which system calls a log holds, as small dense numbers.

use rustc_hash::FxHashMap;

use crate::event::Abi;
use crate::syscall::{self, Classes, Family, Spec};

/// Index of a call in [`Calls`].
pub type CallId = u16;

/// The 64-bit numbers below this are found by index.
const DENSE: u32 = 1024;
/// Most distinct calls that are told apart; a hostile log's further unknown numbers share the last id.
const MOST: usize = 4096;
/// Not looked up yet.
const UNSET: CallId = CallId::MAX;

/// Calls that analyses look for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `execve`, `execveat`.
    Exec,
    /// `exit_group`.
    ExitGroup,
    /// `mmap`, `mmap2`.
    Mmap,
    /// `munmap`.
    Munmap,
    /// `mprotect`.
    Mprotect,
    /// What a C library sets its first thread up with: `arch_prctl`, `set_tid_address`...
    ThreadSetUp,
    /// `rt_sigaction`.
    Sigaction,
    /// `getcwd`.
    Getcwd,
    /// Any other.
    Other,
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "execve" | "execveat" => Self::Exec,
            "exit_group" => Self::ExitGroup,
            "mmap" | "mmap2" => Self::Mmap,
            "munmap" => Self::Munmap,
            "mprotect" => Self::Mprotect,
            "arch_prctl" | "set_thread_area" | "set_tid_address" | "set_robust_list" | "rseq" => {
                Self::ThreadSetUp
            }
            "rt_sigaction" => Self::Sigaction,
            "getcwd" => Self::Getcwd,
            _ => Self::Other,
        }
    }
}

/// One call of the log.
#[derive(Debug)]
pub struct Call {
    /// Its name, `syscall_0x…` where the table has none.
    pub name: Box<str>,
    /// What it is looked for as.
    pub role: Role,
    /// Its entry in the table.
    pub spec: Option<&'static Spec>,
}

impl Call {
    /// The family it is counted under.
    #[must_use]
    pub fn family(&self) -> Family {
        self.spec.map_or(Family::Other, |spec| spec.family)
    }

    /// strace's classes it belongs to.
    #[must_use]
    pub fn classes(&self) -> Classes {
        self.spec.map_or(Classes::NONE, |spec| spec.classes)
    }

    /// Whether it is given the name of a file (rather than a descriptor).
    #[must_use]
    pub fn takes_path(&self) -> bool {
        self.classes().intersects(Classes::FILE)
    }
}

/// Every call seen; calls of two ABIs with the same name are one.
#[derive(Debug)]
pub struct Calls {
    dense: Vec<CallId>,
    sparse: FxHashMap<(Abi, u32), CallId>,
    by_name: FxHashMap<Box<str>, CallId>,
    list: Vec<Call>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            dense: vec![UNSET; DENSE as usize],
            sparse: FxHashMap::default(),
            by_name: FxHashMap::default(),
            list: Vec::new(),
        }
    }
}

impl Calls {
    /// The id of a call by its number.
    pub fn id(&mut self, abi: Abi, nr: u32) -> CallId {
        if abi == Abi::X86_64 && nr < DENSE {
            let known = self.dense[nr as usize];
            if known != UNSET {
                return known;
            }
            let id = self.make(abi, nr);
            self.dense[nr as usize] = id;
            return id;
        }
        if let Some(&id) = self.sparse.get(&(abi, nr)) {
            return id;
        }
        let id = self.make(abi, nr);
        if self.sparse.len() < MOST {
            self.sparse.insert((abi, nr), id);
        }
        id
    }

    fn make(&mut self, abi: Abi, nr: u32) -> CallId {
        let spec = syscall::lookup(abi, nr);
        let name: Box<str> = spec.map_or_else(|| format!("syscall_{nr:#x}").into(), |spec| spec.name.into());
        if let Some(&id) = self.by_name.get(&name) {
            return id;
        }
        if self.list.len() >= MOST {
            return (MOST - 1) as CallId;
        }
        let id = self.list.len() as CallId;
        self.by_name.insert(name.clone(), id);
        let role = Role::of(&name);
        self.list.push(Call { name, role, spec });
        id
    }

    /// The call of an id, if it was given one.
    #[must_use]
    pub fn find(&self, id: CallId) -> Option<&Call> {
        self.list.get(usize::from(id))
    }

    /// The call of an id.
    ///
    /// # Panics
    /// If the id is not one that [`Calls::id`] gave.
    #[must_use]
    pub fn get(&self, id: CallId) -> &Call {
        &self.list[usize::from(id)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_in_two_abis_is_one_call() {
        let mut calls = Calls::default();
        let read = calls.id(Abi::X86_64, 0);
        assert_eq!(calls.id(Abi::I386, 3), read);
        assert_eq!(&*calls.get(read).name, "read");
        assert!(!calls.get(read).takes_path());
    }

    #[test]
    fn unknown_numbers_are_named_and_bounded() {
        let mut calls = Calls::default();
        let odd = calls.id(Abi::X86_64, 0x7fff_0001);
        assert_eq!(&*calls.get(odd).name, "syscall_0x7fff0001");
        for nr in 0..10_000 {
            let id = calls.id(Abi::I386, 1_000_000 + nr);
            assert!(usize::from(id) < MOST);
            assert!(!calls.get(id).name.is_empty());
        }
    }
}
