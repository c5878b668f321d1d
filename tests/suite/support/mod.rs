//! What the integration tests share.

pub mod account;
pub mod call;
pub mod programs;
pub mod run;
pub mod skip;
pub mod strace;
