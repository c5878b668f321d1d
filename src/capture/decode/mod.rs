//! What the backends share: what a call's arguments and results mean, as far as a recording has to know.
//!
//! [`plan`] says what to read for a call and when, [`effect`] what the call changes, [`paths`] makes names absolute:
//! these belong to the table of calls, because a reader of strace's text needs them too. [`layout`] and [`sockaddr`]
//! turn the kernel's structures into facts, [`restart`] knows which call goes on, [`threads`] who is there.

pub mod layout;
pub mod restart;
pub mod sockaddr;
pub mod threads;

pub(crate) use crate::syscall::{effect, paths, plan};
