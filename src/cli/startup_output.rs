//! Where the startup report goes: standard output, after what the command itself has printed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::Path;

use serde::Serialize;

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

/// The report and where its files are.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    log: String,
    flame_graph: Option<String>,
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
    pub fn new(json: bool) -> io::Result<Self> {
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

    /// Writes the report.
    pub fn write(self, report: &Report, all: bool, log: &Path, graph: Option<&Path>) -> io::Result<()> {
        match self.kept {
            Some(file) => write_json(file, report, log, graph),
            None => write_text(report, all, log, graph),
        }
    }

    /// Writes what untraced runs have told, where nothing was traced; nothing if there were none.
    pub fn write_untraced(self, command: &[String], untraced: &Untraced, reason: &str) -> io::Result<()> {
        let Some(untraced) = &wall::Untraced::of(untraced) else { return Ok(()) };
        if let Some(file) = self.kept {
            return write_value(file, &UntracedJson { command, untraced, not_traced: reason });
        }
        let mut out = BufWriter::new(io::stdout().lock());
        writeln!(out)?;
        startup::write_untraced(&mut out, command, untraced, reason, Look::of_stdout())?;
        out.flush()
    }
}

fn write_json(file: File, report: &Report, log: &Path, graph: Option<&Path>) -> io::Result<()> {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    write_value(file, &Json { report, log: shown(log), flame_graph: graph.map(shown) })
}

fn write_value(file: File, value: &impl Serialize) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    json::write(&mut out, value)?;
    out.flush()
}

fn write_text(report: &Report, all: bool, log: &Path, graph: Option<&Path>) -> io::Result<()> {
    let graph = graph.map(|graph| format!(" · flame graph {}", graph.display())).unwrap_or_default();
    let last = format!("log {}{graph} · next: trace stats --by path {0}", log.display());
    let top = if all { usize::MAX } else { TOP };
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out)?;
    startup::write(&mut out, report, Options { top, look: Look::of_stdout(), last: &last })?;
    out.flush()
}
