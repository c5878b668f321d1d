//! Raw kernel calls: the only place with `unsafe`, one small file per subject.
//!
//! Every function here is safe to call with any argument: wrong ones give an error, never undefined
//! behaviour in this process.
#![allow(unsafe_code, reason = "raw system calls; each block has a SAFETY comment")]

pub(super) mod affinity;
pub(super) mod alarm;
pub(super) mod between;
pub(super) mod bpf;
pub(super) mod breakpoint;
pub(super) mod capabilities;
pub(super) mod child;
pub(super) mod clock;
pub(super) mod doubled;
pub(super) mod fds;
pub(super) mod file_faults;
pub(super) mod grandchild;
pub(super) mod group_signals;
pub(super) mod handed_down;
pub(super) mod held;
pub(super) mod memory;
pub(super) mod namespaces;
pub(super) mod offspring;
pub(super) mod own_maps;
pub(super) mod pod;
pub(super) mod process;
pub(super) mod process_state;
pub(super) mod ptrace;
pub(super) mod seccomp;
pub(super) mod shared;
pub(super) mod signals;
pub(super) mod socket_name;
pub(super) mod spawn;
pub(super) mod startup;
pub(super) mod wait;
