//! Which orders of a program's steps are allowed: the rules that edges of the graph are there for, whether they come from
//! descriptors ([`crate::graph`]) or from files that calls change ([`crate::scratch`]).

/// An ordering rule besides the threads' own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A clone comes before the child's first call, a process's last call before the wait for it returns.
    Process,
    /// A descriptor is opened before it is used and used before it is closed.
    Slot,
    /// What moves the offset of an open file description keeps its order.
    Description,
    /// A relative path is looked up after the chdir it starts from.
    Directory,
    /// A file's contents are read and written in the log's order.
    Data,
    /// A name is looked up before or after it is made, removed or renamed, as in the log; also in vain.
    Entry,
    /// A directory is listed, or removed, with the names in it that it had.
    Listing,
    /// Modes, owners, times and numbers of links.
    Attributes,
    /// A file's lock is taken and given up in the log's order.
    Lock,
    /// An unknown call stays where it was.
    Unknown,
    /// No more descriptors are open than there may be.
    Budget,
}

/// The rules in force. All are needed; one can be left out only to show that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    without: Option<Rule>,
}

impl Rules {
    pub(crate) const ALL: Self = Self { without: None };

    #[cfg(test)]
    pub(crate) const fn without(rule: Rule) -> Self {
        Self { without: Some(rule) }
    }

    pub(crate) fn has(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}
