//! Where a report goes: standard output, after what the command itself has printed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::output::{WRITING, check_stdout};
use crate::analysis::startup::Report;
use crate::analysis::wall;
use crate::log::Untraced;
use crate::report::json;
use crate::report::look::Look;
use crate::report::startup::{self, Options, TOP};

/// Standard output, kept for the report alone if that is JSON.
pub struct ReportOutput {
    /// Our standard output, when the command's goes to standard error.
    kept: Option<File>,
}

/// Where the files of a report are.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    pub log: &'a Path,
    pub flame_graph: Option<&'a Path>,
}

/// The report and where its files are.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    log: String,
    flame_graph: Option<String>,
    /// Processes that were left running.
    #[serde(skip_serializing_if = "<[i32]>::is_empty")]
    left_running: &'a [i32],
}

/// What is known where nothing was traced.
#[derive(Serialize)]
struct UntracedJson<'a> {
    command: &'a [String],
    untraced: &'a wall::Untraced,
    not_traced: &'a str,
}

impl ReportOutput {
    /// With `json`, from here on what is written to standard output goes to standard error.
    ///
    /// An error where it is closed: whoever wants no report wants no runs either.
    pub fn new(json: bool) -> anyhow::Result<Self> {
        check_stdout()?;
        if !json {
            return Ok(Self { kept: None });
        }
        let kept = io::stdout().as_fd().try_clone_to_owned()?;
        nix::unistd::dup2_stdout(io::stderr().as_fd())?;
        Ok(Self { kept: Some(File::from(kept)) })
    }

    /// Where JSON goes, if that is what is wanted.
    pub fn into_kept(self) -> Option<File> {
        self.kept
    }

    /// Writes the report; `left_running` are processes that go on.
    pub fn write(
        self,
        report: &Report,
        all: bool,
        files: Files<'_>,
        left_running: &[i32],
    ) -> anyhow::Result<()> {
        let written = match self.kept {
            Some(file) => write_json(file, report, files, left_running),
            None => write_text(report, all, files),
        };
        written.context(WRITING)
    }

    /// Writes what untraced runs have told, where nothing was traced; nothing if there were none.
    pub fn write_untraced(self, command: &[String], untraced: &Untraced, reason: &str) -> anyhow::Result<()> {
        let Some(untraced) = &wall::Untraced::of(untraced) else { return Ok(()) };
        let written = match self.kept {
            Some(file) => write_value(file, &UntracedJson { command, untraced, not_traced: reason }),
            None => write_untraced(command, untraced, reason),
        };
        written.context(WRITING)
    }
}

fn write_json(file: File, report: &Report, files: Files<'_>, left_running: &[i32]) -> io::Result<()> {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let flame_graph = files.flame_graph.map(shown);
    write_value(file, &Json { report, log: shown(files.log), flame_graph, left_running })
}

fn write_value(file: File, value: &impl Serialize) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    json::write(&mut out, value)?;
    out.flush()
}

fn write_untraced(command: &[String], untraced: &wall::Untraced, reason: &str) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out)?;
    startup::write_untraced(&mut out, command, untraced, reason, Look::of_stdout())?;
    out.flush()
}

fn write_text(report: &Report, all: bool, files: Files<'_>) -> io::Result<()> {
    let Files { log, flame_graph } = files;
    let graph = flame_graph.map(|graph| format!(" · flame graph {}", graph.display())).unwrap_or_default();
    let last = format!("log {}{graph} · next: trace stats --by path {0}", log.display());
    let top = if all { usize::MAX } else { TOP };
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out)?;
    startup::write(&mut out, report, Options { top, look: Look::of_stdout(), last: &last })?;
    out.flush()
}
