//! Budgets: how many calls, failures, bytes or nanoseconds a run may need, and which paths went beyond.
//!
//! ```text
//! 'stat.enoent <= 50' -> parse -> Expression ─┐
//!                        events of each run -> meter -> Reading ─┴-> judge -> Judgement
//!                                                               └-> learn -> Learned
//! ```
//!
//! Counts come first, because they are the same in every run of most programs; costs are what
//! [`super::cost`] makes of durations, and unknown where that says so. A verdict that a loss of events could have
//! changed is no verdict ([`Verdict::Unknown`]).

mod expression;
mod judge;
mod learn;
mod meter;
mod parse;
#[cfg(test)]
mod tests;

pub use expression::{
    Comparison, Condition, Expression, Field, Figure, Limit, Metric, Outcome, Quantity, Subject, Unit,
};
pub use judge::{Budget, Judged, Judgement, Verdict, judge};
pub use learn::{DEFAULT_METRICS, Learned, learn};
pub use meter::{Meter, Place, Reading, Value};
pub use parse::{ParseError, parse};
