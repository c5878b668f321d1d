//! What the backends share: what a call's arguments and results mean, as far as a recording has to know.
//!
//! [`plan`] says what to read for a call and when, [`effect`] what the call changes; [`layout`] and [`sockaddr`] turn
//! the kernel's structures into facts, [`paths`] makes names absolute, [`restart`] knows which call goes on, [`threads`] who is there.

pub mod effect;
pub mod layout;
pub mod paths;
pub mod plan;
pub mod restart;
pub mod sockaddr;
pub mod threads;
