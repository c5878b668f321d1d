//! The integration tests: backends against what traced programs say of themselves, against strace, and
//! against the kernel's tracepoints.
//!
//! ```text
//! fixtures/programs/*.c ─ run ─┬─ untraced   stdout, status        = behaviour
//!                              ├─ a backend  log                   ┐
//!                              ├─ strace     text                  ├ compared call by call
//!                              └─ (each)     account, tracepoints  ┘
//! ```

mod asserting;
mod attach;
mod attach_witness;
mod backends;
mod command_line;
mod comparing;
mod contract;
mod death;
mod differential;
mod doctor;
mod ebpf;
mod endings;
mod findings;
mod flame;
mod hostile_replays;
mod imports;
mod inheritance;
mod installed;
mod installing;
mod interrupted;
mod kept_text;
mod layers;
mod limits;
mod live;
mod loader;
mod looks;
mod missing_stacks;
mod mutation;
mod obstacles;
mod passing_on;
mod plot;
mod random_calls;
mod read_again;
mod replaying;
mod round_trips;
mod same_lines;
mod same_starts;
mod same_text;
mod same_words;
mod sample_notes;
mod sampled_starts;
mod stacks;
mod startup;
mod startup_stacks;
mod strace_logs;
mod strace_shapes;
mod support;
mod terminal;
mod trying;
mod unknown_frames;
mod until;
mod witness;
