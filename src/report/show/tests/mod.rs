//! Lines against what is expected of them: written down here, and printed by strace for the same calls.

mod hostile;
mod lines;
mod peer;
