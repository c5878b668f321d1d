//! The log: one Arrow IPC stream a recording.

mod header;

pub use header::{Calibration, Clock, Environment, FORMAT_VERSION, Header, Host, Run, Untraced};
