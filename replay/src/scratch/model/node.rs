//! The nodes of the model: files, directories and links as far as a log tells of them.

use crate::plan::{PathId, StatFacts};
use crate::rule::Rule;

pub(crate) type NodeId = u32;
pub(crate) type EntryId = u32;

/// The directory that everything is below.
pub(crate) const ROOT: NodeId = 0;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is there; what it is was not seen yet.
    Any,
    File,
    Directory,
    /// A symbolic link, and what it holds if that is known.
    Link(Option<Box<[u8]>>),
    /// A device, FIFO or socket: nothing is replayed on it.
    Special,
}

/// A file, directory or link.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is learnt by itself")]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// It was there before the log's first call.
    pub(crate) is_initial: bool,
    /// An open made it or found it: the log does not say which.
    pub(crate) may_be_initial: Option<(NodeId, PathId)>,
    /// The same file by its first name.
    pub(crate) same_as: Option<NodeId>,
    /// What was first seen of it, and before it was changed.
    pub(crate) facts: StatFacts,
    pub(crate) mode_changed: bool,
    /// Extended ones were set or removed.
    pub(crate) has_attributes: bool,
    pub(crate) size_changed: bool,
    /// Permissions that somebody was told of.
    pub(crate) least_mode: u32,
    /// As many bytes were read of it, or shared.
    pub(crate) least_size: u64,
    /// Names that the log has given it, less those that it has taken away.
    pub(crate) new_names: i32,
    /// Directory and name, where it is now.
    pub(crate) home: Option<(NodeId, PathId)>,
    /// Of a directory: the entries known.
    pub(crate) entries: Vec<EntryId>,
    /// Of a directory: bytes of the first listing that what is known does not account for.
    pub(crate) unseen_bytes: Option<u64>,
    /// Of a directory: nodes from this one on were not known when it was listed first.
    pub(crate) listed_before: NodeId,
    pub(crate) depth: u32,
    /// The first of its resources.
    pub(crate) resource: u32,
}

impl Node {
    pub(crate) fn new(kind: Kind, is_initial: bool, depth: u32, resource: u32) -> Self {
        Self {
            kind,
            is_initial,
            may_be_initial: None,
            same_as: None,
            facts: StatFacts::default(),
            mode_changed: false,
            has_attributes: false,
            size_changed: false,
            least_mode: 0,
            least_size: 0,
            new_names: 0,
            home: None,
            entries: Vec::new(),
            unseen_bytes: None,
            listed_before: 0,
            depth,
            resource,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }
}

/// What a name stands for at one moment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// Nothing was seen of it yet: in a directory that was there before, it may be there or not.
    Unseen,
    Absent,
    Node(NodeId),
}

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: PathId,
    pub(crate) now: Now,
    pub(crate) resource: u32,
}

/// What is read or written of a node besides its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Contents and size.
    Data = 0,
    /// Mode, owner, times, number of links.
    Attributes = 1,
    /// The set of names in a directory.
    Listing = 2,
    /// Who holds its lock.
    Lock = 3,
}

impl Aspect {
    /// In the order of the discriminants.
    pub(crate) const RULES: [Rule; 4] = [Rule::Data, Rule::Attributes, Rule::Listing, Rule::Lock];
}
