//! `trace`: why does this program take so long to start, and what would make it faster?
//!
//! ```text
//! command -> capture -> event -> log -> analysis -> report
//!                          log -> plan -> trace_replay -> report
//! ```

pub mod analysis;
pub mod capture;
pub mod cli;
pub mod doctor;
pub mod event;
pub mod log;
pub mod plan;
pub mod report;
pub mod syscall;
