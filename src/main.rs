//! `trace`.
fn main() {}
