//! The log: one Arrow IPC stream a recording, one row an event.
//!
//! ```text
//!   Event ─> rows ─> encode ─> sink ──file──> frame ─> verify ─> columns ─> batch ─> Event
//!            └─────── write ────────┘         └────────────── read ──────────────┘
//! ```
//!
//! [`Writer`] takes events from a tracer that must not wait, [`Reader`] gives them back exactly as
//! they went in, from logs that may be cut, damaged or hostile. The format is described in
//! `docs/log-format.md`; `schema` is its definition in code. [`strace`] reads strace's text as if it were such a log,
//! and [`Source`] is either of them. Nothing here knows where events come
//! from or what they are for.

mod annotate;
mod checksum;
mod counts;
mod error;
mod header;
mod projection;
mod read;
mod repair;
mod schema;
mod source;
pub mod strace;
mod write;

#[cfg(test)]
mod tests;

pub use annotate::{annotate, is_same_file, rewrite};
pub use error::Error;
pub use header::{
    ALIGNED, Calibration, Clock, Cold, Emptied, Environment, FORMAT_VERSION, Header, Host, KEPT_BYTES,
    NOT_EBPF, Repeats, Replayed, Run, SAMPLE_COST_NS, SAMPLE_HZ, SAMPLED_BY, SAMPLED_USER_ONLY, STACKS,
    Untraced,
};
pub use projection::Columns;
pub use read::{Batch, Dictionary, Ending, Reader, looks_like_log};
pub use repair::{Found, Repaired, repair};
pub use schema::Column;
pub use source::Source;
pub use write::{Feeder, Summary, Writer, check_output};

/// Name of the total that counts the rows of a log that are no totals.
pub const TOTAL_EVENTS: &str = "events";

/// Name of the total that sums up what was lost; -1: nobody knows how many.
pub const TOTAL_LOST: &str = "lost";

/// Longest text of an event in bytes, `argv` apart. What is longer is cut, and the event flagged as
/// truncated. The kernel gives nothing longer than a path, 4 KiB (`PATH_MAX`).
pub const MAX_TEXT_LEN: usize = 64 << 10;

/// Longest `argv`, the kernel's own limit: three quarters of 8 MiB (`bprm_stack_limits` in `fs/exec.c`).
pub const MAX_ARGV_LEN: usize = 6 << 20;

/// The most memory kept of one event; more is not kept at all (the decoder keeps no more).
pub const MAX_MEMORY_LEN: usize = crate::syscall::decode::MOST_KEPT;
