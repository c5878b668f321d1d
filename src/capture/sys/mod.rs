//! The kernel calls that no safe wrapper makes as they are needed here. Everything `unsafe` of
//! [`capture`](super) is below this module, each block with the reason it is sound; what is above
//! sees safe functions only.
#![allow(unsafe_code, reason = "the one place for it")]

pub mod fds;
pub mod signals;
pub mod spawn;
pub mod startup;
pub mod wait;
