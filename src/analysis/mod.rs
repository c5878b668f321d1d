//! THINK: from events to plain values that answer questions.
//!
//! An analysis takes events one by one in the order of the log (`add`) and gives a value at the end
//! (`finish`). Values are plain data that serialize to JSON with units in their names; nothing here
//! prints, opens a file or knows how events were captured.
//!
//! ```text
//! Event -> base::Base (which call, which process, which segment of time, what it took)
//!            |-> stats::Stats      one table, by syscall, class, family, path, directory, process or phase
//!            |-> budget::Meter    the metrics of budgets, and where most of each is
//!            |-> flame::Flame      a flame graph, by phase, path or process
//!            |-> imports::Imports  the tree of Python's imports
//!            |-> waterfall::Waterfall  the picture of a start: who does what when
//!            `-> startup::Startup  one cube of counts; phases, families, lookups, tree, flame graph are views of it,
//!                                  findings are made from it and from what only order tells
//! ```
//!
//! What a duration is worth is decided in one place, [`cost`]: under ptrace a duration holds the
//! tracer's stops, so every cost made from it is an estimate and says so.

pub mod align;
pub mod alignment;
pub mod base;
pub mod budget;
pub mod calls;
pub mod cold;
pub mod compare;
pub mod cost;
pub mod cpu;
pub mod cube;
pub mod durations;
pub mod errno;
pub mod filesystem;
pub mod findings;
pub mod flame;
pub mod fold;
pub mod imports;
pub mod install;
pub mod integrity;
pub mod intern;
pub mod interval;
pub mod launcher;
pub mod lookups;
pub mod modules;
pub mod opened;
pub mod partition;
pub mod phases;
pub mod process;
pub mod replay;
pub mod replayed;
pub mod searchers;
pub mod stacks;
pub mod startup;
pub mod stats;
pub mod text;
pub mod tree;
pub mod trial;
pub mod wall;
pub mod waterfall;
pub mod written;

#[cfg(test)]
pub(crate) mod testing;
