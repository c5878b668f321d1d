//! Producing events: starting a command, following it, measuring it.

pub mod launch;
pub mod stdio;
mod sys;
pub mod untraced;
