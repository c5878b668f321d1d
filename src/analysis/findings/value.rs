//! What a finding is, as plain data.

use serde::Serialize;

use crate::analysis::text::Text;

/// All findings of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// Those that may save most first; those of unknown saving last.
    pub list: Vec<Finding>,
    /// Findings that may save less than this are marked as small; 0 where nothing is known.
    pub small_ns: u64,
    /// Whether savings are estimates: true unless the backend's durations are true costs.
    pub estimated: bool,
    /// Distinct things (paths, peers, modules) beyond the limit of a table, which were not looked at.
    pub not_kept: u64,
}

/// Something that costs time and may be avoidable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which kind, one of [`super::KINDS`].
    pub kind: &'static str,
    /// What was seen, in one line.
    pub what: Text,
    /// What it would save.
    pub saving: Saving,
    /// Where it was seen, what matters most first.
    pub evidence: Vec<Evidence>,
    /// How much more evidence there is than is listed.
    pub more_evidence: u64,
    /// What to do about it.
    pub advice: Text,
    /// The same as something a program can apply, where there is such a thing.
    pub remedy: Option<Remedy>,
    /// How far that can be trusted.
    pub safety: Option<Safety>,
    /// Too small to be worth a line unless all is asked for.
    pub small: bool,
}

/// A place or program, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The path, program or address.
    pub object: Text,
    /// Calls (or whatever the finding counts).
    pub count: u64,
    /// What those cost; `None` where it is not known.
    pub cost_ns: Option<u64>,
    /// What there is to say of it.
    pub note: &'static str,
}

/// What doing something about it would save. Savings of two findings may overlap: they do not add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Saving {
    /// Calls that would not be made; 0 where it is not calls that are saved.
    pub calls: u64,
    /// At most this much of the wall time; `None`: not known.
    pub at_most_ns: Option<u64>,
    /// The same as a part of the wall time, 0 to 1.
    pub at_most_share: Option<f64>,
    /// At least this much: for calls, what entering and leaving the kernel takes. `None`: not known.
    pub at_least_ns: Option<u64>,
}

/// What can be done without changing the program's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// Start `python` with `-I`: no `PYTHON*` variables, no user site, no script directory in `sys.path`.
    PythonIsolated,
    /// Start `python` with `-S`: no `site`, hence no installed packages.
    PythonNoSite,
    /// Start `ruby` with `--disable-gems`: no installed gems.
    RubyNoGems,
    /// Start `python` with `-X frozen_modules=on`.
    FrozenModules,
    /// Start this program with these arguments (the first is its name) instead of what leads to it.
    Direct {
        /// Executable, as it was passed to `execve`.
        program: Text,
        /// Arguments.
        argv: Vec<Text>,
    },
    /// Leave these directories out of `PATH`.
    ShorterPath {
        /// Directories in which nothing was found.
        drop: Vec<Text>,
    },
    /// Leave these directories out of `LD_LIBRARY_PATH`.
    ShorterLibraryPath {
        /// Directories in which nothing was found.
        drop: Vec<Text>,
    },
    /// Leave these directories out of `PYTHONPATH`.
    ShorterPythonPath {
        /// Directories in which nothing was found.
        drop: Vec<Text>,
    },
    /// Compile the modules in these directories to bytecode.
    CompileBytecode {
        /// Directories with sources that were compiled during the run. Where the program does not write bytecode
        /// (`python -B`), all from which modules were loaded: with `PYTHONPYCACHEPREFIX` no other bytecode counts.
        directories: Vec<Text>,
        /// Executable of the Python that did.
        python: Text,
        /// It ignores the variables that begin with `PYTHON` (`-E`, `-I`).
        no_environment: bool,
        /// How often it has `-O`.
        optimize: u8,
    },
    /// Set `TZ=:/etc/localtime`, so that the C library does not look at that file before each use.
    NameTimeZone,
}

/// How far a remedy can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// The program finds the same files as before; it can be applied automatically.
    SameFiles,
    /// It may change what the program does; apply it only where output and status are compared.
    Compare,
}

impl Remedy {
    /// How far it can be trusted.
    #[must_use]
    pub fn safety(&self) -> Safety {
        match self {
            Self::ShorterPath { .. }
            | Self::ShorterLibraryPath { .. }
            | Self::ShorterPythonPath { .. }
            | Self::CompileBytecode { .. }
            | Self::NameTimeZone => Safety::SameFiles,
            Self::PythonIsolated
            | Self::PythonNoSite
            | Self::RubyNoGems
            | Self::FrozenModules
            | Self::Direct { .. } => Safety::Compare,
        }
    }
}

impl Finding {
    /// A finding whose kind and bounds are filled in by the registry.
    pub(super) fn new(
        what: &str,
        saving: Saving,
        (evidence, more_evidence): (Vec<Evidence>, u64),
        advice: &str,
    ) -> Self {
        Self {
            kind: "",
            what: what.into(),
            saving,
            evidence,
            more_evidence,
            advice: advice.into(),
            remedy: None,
            safety: None,
            small: false,
        }
    }

    /// The same with something to apply.
    pub(super) fn with(self, remedy: Option<Remedy>) -> Self {
        let safety = remedy.as_ref().map(Remedy::safety);
        Self { remedy, safety, ..self }
    }
}
