//! Tests of the log as a whole: what goes in comes out, whatever happens to the file.

mod annotated;
mod damage;
mod files;
mod fixtures;
mod interop;
mod round_trip;
mod sample;
