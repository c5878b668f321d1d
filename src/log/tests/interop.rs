//! pyarrow and polars read our logs.
