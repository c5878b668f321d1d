//! What a scratch tree holds: the model's files of before the log, as a list that is made from top to bottom.

use super::limits::{ScratchLimits, TooMuch};
use super::model::Modelled;
use super::model::node::{Kind, Node};

/// In the tree's root, there from the beginning: the marker, and names of files that have more than the log shows.
pub(crate) const OWN_DIRECTORY: &str = ".trace-scratch";
/// What a tree gives a file of which no mode is known, and a directory.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;
/// The length of a made-up name's entry in a listing.
const FILLER_BYTES: u64 = 32;

/// One name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// From the tree's root, without a slash before it.
    pub(crate) path: Vec<u8>,
    pub(crate) what: Made,
    pub(crate) mode: u32,
    /// Runs set its extended attributes, which no stamp shows.
    pub(crate) has_attributes: bool,
}

/// What is made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Directory,
    /// With contents as far as it is read; after them a hole.
    File {
        size: u64,
        filled: u64,
    },
    Link(Box<[u8]>),
    /// Another name of the item at this place of the list.
    Name {
        of: u32,
    },
}

/// The list, directories before what is in them.
pub(crate) fn manifest(modelled: &Modelled, limits: &ScratchLimits) -> Result<Vec<Item>, TooMuch> {
    let mut list = List {
        modelled,
        items: Vec::with_capacity(modelled.initial.len()),
        places: vec![None; modelled.nodes.len()],
        names: vec![0; modelled.nodes.len()],
        limits,
        read: 0,
    };
    for index in 0..modelled.initial.len() {
        list.add(index)?;
    }
    list.add_unseen()?;
    list.add_names()?;
    Ok(list.items)
}

struct List<'a> {
    modelled: &'a Modelled,
    items: Vec<Item>,
    /// Of each node, its item.
    places: Vec<Option<u32>>,
    /// How many names a node has.
    names: Vec<u32>,
    limits: &'a ScratchLimits,
    read: u64,
}

impl List<'_> {
    fn push(&mut self, item: Item) -> Result<u32, TooMuch> {
        if self.items.len() >= self.limits.entries {
            return Err(TooMuch::Entries(self.limits.entries));
        }
        self.items.push(item);
        Ok(self.items.len() as u32 - 1)
    }

    fn add(&mut self, index: usize) -> Result<(), TooMuch> {
        let (directory, name, node) = self.modelled.initial[index];
        let Some(path) = self.below(directory, self.modelled.names.bytes(name)) else { return Ok(()) };
        let first = self.modelled.nodes[node as usize].same_as.unwrap_or(node) as usize;
        let own = &self.modelled.nodes[first];
        let Some((what, usual)) = self.made(own, first) else { return Ok(()) };
        if let Made::File { filled, .. } = what {
            self.read = self.read.saturating_add(filled);
            if self.read > self.limits.written_bytes {
                return Err(TooMuch::WrittenBytes(self.limits.written_bytes));
            }
        }
        let mode = own.facts.mode.map_or(usual, |mode| mode & 0o7777);
        let place = self.push(Item { path, what, mode, has_attributes: own.has_attributes })?;
        self.names[first] += 1;
        if self.names[first] > self.limits.names {
            return Err(TooMuch::Names(self.limits.names));
        }
        self.places[node as usize] = Some(place);
        self.places[first].get_or_insert(place);
        Ok(())
    }

    /// The path of a name in a directory that is in the tree, or is its root.
    fn below(&self, directory: u32, name: &[u8]) -> Option<Vec<u8>> {
        if directory == super::model::node::ROOT {
            return Some(name.to_vec());
        }
        let directory = &self.items[self.places[directory as usize]? as usize];
        (directory.what == Made::Directory).then(|| [&directory.path[..], b"/", name].concat())
    }

    /// What is made for a node, and its usual mode.
    fn made(&self, node: &Node, id: usize) -> Option<(Made, u32)> {
        if let Some(of) = self.places[id] {
            return Some((Made::Name { of }, FILE_MODE));
        }
        Some(match &node.kind {
            Kind::Directory => (Made::Directory, DIRECTORY_MODE),
            Kind::File | Kind::Any => {
                let size = node.facts.size.unwrap_or(0).max(node.least_size);
                (Made::File { size, filled: node.least_size.min(size) }, FILE_MODE | node.least_mode)
            }
            Kind::Link(Some(target)) => (Made::Link(target.clone()), 0),
            Kind::Link(None) => {
                let length = node.facts.size.unwrap_or(1).clamp(1, 4095) as usize;
                (Made::Link(vec![b'x'; length].into()), 0)
            }
            Kind::Special => return None,
        })
    }

    /// Names that only listings showed: as many bytes of them.
    fn add_unseen(&mut self) -> Result<(), TooMuch> {
        for (id, node) in self.modelled.nodes.iter().enumerate().filter(|(_, node)| node.is_initial) {
            let bytes = node.unseen_bytes.unwrap_or(0);
            if bytes / FILLER_BYTES > self.limits.entries as u64 {
                return Err(TooMuch::Entries(self.limits.entries));
            }
            for name in fillers(bytes) {
                let Some(path) = self.below(id as u32, name.as_bytes()) else { continue };
                self.push(Item {
                    path,
                    what: Made::File { size: 0, filled: 0 },
                    mode: FILE_MODE,
                    has_attributes: false,
                })?;
            }
        }
        Ok(())
    }

    /// Names of files that have more than the log shows, where they are in nobody's way.
    fn add_names(&mut self) -> Result<(), TooMuch> {
        for (id, node) in self.modelled.nodes.iter().enumerate() {
            let links = node.facts.nlink.unwrap_or(1);
            let Some(of) = self.places[id].filter(|_| node.kind == Kind::File && node.same_as.is_none())
            else {
                continue;
            };
            for extra in self.names[id]..links {
                let path = format!("{OWN_DIRECTORY}/{id}-{extra}").into_bytes();
                self.push(Item { path, what: Made::Name { of }, mode: FILE_MODE, has_attributes: false })?;
            }
        }
        Ok(())
    }
}

/// Where the tree is not the root, absolute links lead below the directory that it is.
pub(crate) fn prefix_links(items: &mut [Item], root: &[u8]) {
    for item in items {
        if let Made::Link(target) = &mut item.what
            && target.starts_with(b"/")
        {
            *target = [root, target].concat().into();
        }
    }
}

/// Names whose entries in a listing take so many bytes together; none, where that cannot be.
fn fillers(bytes: u64) -> Vec<String> {
    let (mut whole, rest) = (bytes / FILLER_BYTES, bytes % FILLER_BYTES);
    // A longer name in place of one of the others, or one of the shortest.
    let longer = if rest == 8 || rest == 16 {
        whole.checked_sub(1).map(|left| (left, FILLER_BYTES + rest))
    } else {
        None
    };
    let mut names = Vec::new();
    if let Some((left, bytes)) = longer {
        whole = left;
        names.push("~".repeat(bytes as usize - 20));
    } else if rest == 24 {
        names.push("~0".to_owned());
    }
    names.extend((0..whole).map(|number| format!("~{number:07x}")));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::model::entry_bytes;

    #[test]
    fn made_up_names_take_as_many_bytes() {
        for bytes in (24..4000).step_by(8) {
            let taken: u64 = fillers(bytes).iter().map(|name| entry_bytes(name.len())).sum();
            assert_eq!(taken, bytes, "{:?}", fillers(bytes));
        }
        assert!(fillers(0).is_empty() && fillers(16).is_empty());
    }
}
