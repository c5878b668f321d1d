//! Raw kernel calls: all of the crate's `unsafe`.

pub(crate) mod attributes;
pub(crate) mod bare;
pub(crate) mod cache;
pub(crate) mod calls;
pub(crate) mod changes;
pub(crate) mod confine;
pub(crate) mod entries;
pub(crate) mod files;
pub(crate) mod processors;
pub(crate) mod punts;
pub(crate) mod rest;
pub(crate) mod ring;
pub(crate) mod started;
pub(crate) mod text;
mod tuned;
pub(crate) mod tuning;
pub(crate) mod usage;
