//! What people see: one module a kind of report. Reports format, they compute nothing.

pub mod show;
