//! Measurement: strategies side by side, in blocks, and what the figures say.
//!
//! Machines drift, so the strategies take turns: a block runs each of them, in random order, and figures are compared
//! within a block. Every timed run is verified; one result that is not as it has to be makes all times
//! of its strategy void, unless the file has been changed by somebody else.

mod blocks;
mod bootstrap;
mod cached;
mod forecast;
mod gate;
mod options;
mod placed;
mod projection;
mod scheduled;
mod summary;
#[cfg(test)]
mod tests;
mod unsteady;
mod voided;

pub(crate) use blocks::{Bench, Contender};
pub use bootstrap::Estimate;
pub(crate) use cached::Cached;
pub(crate) use forecast::Context;
pub use gate::Gate;
pub(crate) use gate::middle;
pub use options::{Cache, Options, RecordedTimes};
pub(crate) use placed::matters as place_matters;
pub(crate) use projection::Rest;
pub use projection::{CostSource, Projection};
pub use scheduled::Threaded;
pub(crate) use summary::rows;
pub use summary::{FEWEST_TESTED, Figures, Row};
pub(crate) use unsteady::Unsteady;
pub use voided::Voided;
