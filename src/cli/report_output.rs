//! Where a report goes: standard output, after what the command itself has printed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::output::{WRITING, check_stdout};
use crate::analysis::wall;
use crate::log::Untraced;
use crate::report::json;
use crate::report::look::Look;
use crate::report::startup;

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
struct Json<'a, R> {
    #[serde(flatten)]
    report: &'a R,
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

    /// Writes a value as JSON, or its text to standard output, after an empty line.
    pub fn show(
        self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        self.show_alone(value, |out| {
            writeln!(out)?;
            text(out)
        })
    }

    /// The same without the line, where nothing is printed before.
    pub fn show_alone(
        self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let written = match self.kept {
            Some(file) => write_value(file, value),
            None => write_text(io::stdout().lock(), text),
        };
        written.context(WRITING)
    }

    /// Writes text to where the JSON would go.
    pub fn write_kept(self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        self.kept.map_or(Ok(()), |file| write_text(file, text)).context(WRITING)
    }

    /// Writes a report, whose text ends with the line that `text` is given; `left_running` are processes that go on.
    pub fn write<R: Serialize>(
        self,
        report: &R,
        files: Files<'_>,
        left_running: &[i32],
        text: impl FnOnce(&mut dyn Write, &str) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let flame_graph = files.flame_graph.map(shown);
        let value = Json { report, log: shown(files.log), flame_graph, left_running };
        self.show(&value, |out| text(out, &files.last_line()))
    }

    /// Writes what untraced runs have told, where nothing was traced; nothing if there were none.
    pub fn write_untraced(self, command: &[String], untraced: &Untraced, reason: &str) -> anyhow::Result<()> {
        let Some(untraced) = &wall::Untraced::of(untraced) else { return Ok(()) };
        self.show(&UntracedJson { command, untraced, not_traced: reason }, |out| {
            startup::write_untraced(out, command, untraced, reason, Look::of_stdout())
        })
    }
}

impl Files<'_> {
    /// Where they are, and what to do with them.
    fn last_line(self) -> String {
        let Self { log, flame_graph } = self;
        let graph =
            flame_graph.map(|graph| format!(" · flame graph {}", graph.display())).unwrap_or_default();
        format!("log {}{graph} · next: trace stats --by path {0}", log.display())
    }
}

fn write_value(file: File, value: &impl Serialize) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    json::write(&mut out, value)?;
    out.flush()
}

fn write_text(to: impl Write, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(to);
    text(&mut out)?;
    out.flush()
}
