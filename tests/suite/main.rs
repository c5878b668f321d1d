//! The integration tests: backends against what traced programs say of themselves, against strace, and
//! against the kernel's tracepoints.
//!
//! ```text
//! fixtures/programs/*.c ─ run ─┬─ untraced   stdout, status        = behaviour
//!                              ├─ a backend  log                   ┐
//!                              ├─ strace     text                  ├ compared call by call
//!                              └─ (each)     account, tracepoints  ┘
//! ```

mod contract;
mod death;
mod differential;
mod endings;
mod inheritance;
mod layers;
mod limits;

mod startup;
mod support;
mod terminal;
mod until;
mod witness;
