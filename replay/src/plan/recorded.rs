//! What a log says of a call besides the call itself: when, and what came of it.

/// When a call ran: nanoseconds since an origin common to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its entry.
    pub start_ns: u64,
    /// Its return; not before the entry.
    pub end_ns: u64,
}

/// What a stat-like call said of a file, as far as the log has it (strace abbreviates).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatFacts {
    /// Type and permission bits (`st_mode`).
    pub mode: Option<u32>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Number of hard links.
    pub nlink: Option<u32>,
    /// Device and inode: the same for the names of one file.
    pub file: Option<(u64, u64)>,
}

/// The recorded side of a call. What the log lacks is `None`, and then not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// When it ran.
    pub span: Option<Span>,
    /// What it returned: a negative errno for a failure. `None`: it never returned, or was interrupted to be
    /// restarted; such a call is not replayed.
    pub ret: Option<i64>,
    /// What it said of a file.
    pub stat: StatFacts,
}

impl Recorded {
    /// A call that returned `ret` (a negative errno for a failure), with no times known.
    #[must_use]
    pub fn returned(ret: i64) -> Self {
        Self { ret: Some(ret), ..Self::default() }
    }

    /// The same with times.
    #[must_use]
    pub fn at(self, start_ns: u64, end_ns: u64) -> Self {
        Self { span: Some(Span { start_ns, end_ns }), ..self }
    }

    /// The same with what a stat-like call said.
    #[must_use]
    pub fn with_stat(self, stat: StatFacts) -> Self {
        Self { stat, ..self }
    }
}
