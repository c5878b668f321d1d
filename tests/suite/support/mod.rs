//! What the integration tests share.

pub mod account;
pub mod call;
pub mod ending;
pub mod log;
pub mod programs;
pub mod retry;
pub mod run;
pub mod skip;
pub mod strace;
pub mod structure;
pub mod tracepoints;
pub mod tree;
