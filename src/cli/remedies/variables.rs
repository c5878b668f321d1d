//! Variables of the environment, set or taken out.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::analysis::text::Text;

/// A variable of the environment.
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: Option<OsString>,
    /// What a person would set it to, if that is something else.
    pub(super) shown: Option<&'static str>,
}

impl Variable {
    pub(super) fn set(name: &'static str, value: impl Into<OsString>) -> Self {
        Self { name, value: Some(value.into()), shown: None }
    }

    pub(super) fn unset(name: &'static str) -> Self {
        Self { name, value: None, shown: None }
    }
}

/// A list of directories without some of them, and what is done in a few words.
pub(super) fn shorter(name: &'static str, drop: &[Text]) -> Result<(String, Variable), String> {
    let value = std::env::var_os(name).ok_or(format!("{name} is not set: the directories are built in"))?;
    let entries: Vec<&[u8]> = value.as_bytes().split(|&b| b == b':').collect();
    let useless = |entry: &&[u8]| {
        let plain = entry.strip_suffix(b"/").filter(|plain| !plain.is_empty()).unwrap_or(entry);
        drop.iter().any(|dropped| dropped.bytes() == plain)
    };
    let kept: Vec<&[u8]> = entries.iter().copied().filter(|entry| !useless(entry)).collect();
    let fewer = entries.len() - kept.len();
    if fewer == 0 {
        return Err(format!("none of the directories is in {name}: they are built in"));
    }
    if kept.is_empty() && name == "PATH" {
        return Err("nothing would be left of PATH".to_owned());
    }
    // An empty list would mean the current directory.
    let variable = if kept.is_empty() {
        Variable::unset(name)
    } else {
        Variable::set(name, OsString::from_vec(kept.join(&b':')))
    };
    let what = format!("{name} without {fewer} of {} directories", entries.len());
    Ok((what, variable))
}
