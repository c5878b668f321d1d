//! What the events mean: plain values computed from plain values, no printing.

pub mod interval;
