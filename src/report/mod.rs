//! What people see: one module a kind of report. Reports format, they compute nothing.

pub mod alignment;
pub mod bars;
pub mod budget;
pub mod compare;
pub mod doctor;
pub mod escape;
pub mod flame;
pub mod imports;
pub mod install;
pub mod json;
pub mod look;
pub mod notes;
pub mod replay;
pub mod show;
pub mod startup;
pub mod stats;
mod svg;
pub mod table;
pub mod trial;
pub mod units;
pub mod waterfall;

#[cfg(test)]
mod hostile;
