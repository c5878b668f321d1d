//! Looking up a path in the model, as the kernel does it: names, links and `..`, one component after the other.

use super::Model;
use super::access::Use;
use super::node::{Kind, NodeId, Now, ROOT};
use crate::plan::PathId;
use crate::scratch::limits::TooMuch;
use crate::scratch::manifest::OWN_DIRECTORY;

/// Links followed in one lookup (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;
/// Components walked in one lookup, those of links with them.
const MOST_COMPONENTS: usize = 10_000;
/// Directories of the kernel, which no tree has.
const KERNEL: [&[u8]; 3] = [b"proc", b"sys", b"dev"];

/// What the log's result says of a path's last component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It was there, as this.
    There(Kind),
    /// Only the directory it is in was there.
    Parent,
    /// Nothing.
    Unknown,
    /// What should be a directory on the way is a file.
    FileOnTheWay,
}

/// Where a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this node; its name, if the path ended with one.
    Node { node: NodeId, name: Option<Name> },
    /// In a directory, at a name that is not there.
    Absent(Name),
    /// On the way: a directory is missing, or is none.
    Nowhere,
    /// Below `/proc`, `/sys` or `/dev`, or where the tree has what is not the log's.
    Kernel,
}

/// A name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) directory: NodeId,
    pub(crate) entry: u32,
}

impl Model<'_> {
    /// Follows a path from a directory; `follow`: the last component, too, if it is a link. What is seen for the first
    /// time and was there becomes part of the tree.
    pub(crate) fn walk(
        &mut self,
        start: Option<NodeId>,
        path: &[u8],
        follow: bool,
        expect: &Expect,
    ) -> Result<Place, TooMuch> {
        // Of a tree that is known nothing is to be learnt.
        let expect = if self.links.is_some() { expect } else { &Expect::Unknown };
        let place = self.walk_on(start, path, follow, expect)?;
        let missed = matches!(place, Place::Absent(_) | Place::Nowhere);
        self.missed = Some(missed || self.missed == Some(true));
        Ok(place)
    }

    fn walk_on(
        &mut self,
        start: Option<NodeId>,
        path: &[u8],
        follow: bool,
        expect: &Expect,
    ) -> Result<Place, TooMuch> {
        if path.is_empty() {
            return Ok(Place::Nowhere);
        }
        let mut at = ROOT;
        if let Some(start) = start.filter(|_| !path.starts_with(b"/")) {
            at = start;
            // Nothing can be found or made in a directory that is removed.
            self.uses_own_name(at);
        }
        let mut pending: Vec<Box<[u8]>> = components(path);
        let follow = follow || path.ends_with(b"/");
        let (mut links, mut walked, mut name) = (0, 0, None);
        while let Some(component) = pending.pop() {
            walked += 1;
            if walked > MOST_COMPONENTS {
                return Ok(Place::Nowhere);
            }
            name = None;
            if &*component == b".." {
                // Which directory is above changes with its being moved.
                self.uses_own_name(at);
                at = self.nodes[at as usize].home.map_or(ROOT, |(directory, _)| directory);
                continue;
            }
            if at == ROOT && (KERNEL.contains(&&*component) || *component == *OWN_DIRECTORY.as_bytes()) {
                return Ok(Place::Kernel);
            }
            if !self.becomes_directory(at, expect) {
                return Ok(Place::Nowhere);
            }
            let own = self.name(at, &component)?;
            self.accesses.add(self.entries[own.entry as usize].resource, Use::Read);
            let is_last = pending.is_empty();
            let Some(node) = self.seen(own, is_last, pending.len() == 1, expect)? else {
                return Ok(if is_last { Place::Absent(own) } else { Place::Nowhere });
            };
            if is_last && !follow {
                return Ok(Place::Node { node, name: Some(own) });
            }
            let Kind::Link(target) = &self.nodes[node as usize].kind else {
                at = node;
                name = Some(own);
                continue;
            };
            links += 1;
            let Some(target) = target.clone().filter(|_| links <= MOST_LINKS) else {
                return Ok(Place::Nowhere);
            };
            if target.starts_with(b"/") {
                at = ROOT;
            }
            // A link that leads nowhere may be what is made.
            pending.extend(components(&target));
        }
        Ok(Place::Node { node: at, name })
    }

    /// The name that a directory has.
    fn uses_own_name(&mut self, node: NodeId) {
        let home = self.nodes[node as usize].home;
        if let Some(&entry) = home.and_then(|home| self.by_name.get(&home)) {
            self.accesses.add(self.entries[entry as usize].resource, Use::Read);
        }
    }

    /// Whether a walk may go on below: what was seen only to be there must then be a directory.
    fn becomes_directory(&mut self, node: NodeId, expect: &Expect) -> bool {
        let node = &mut self.nodes[node as usize];
        let was_there = matches!(expect, Expect::There(_) | Expect::Parent);
        if node.kind == Kind::Any && node.is_initial && was_there {
            node.kind = Kind::Directory;
        }
        node.is_directory()
    }

    /// The node of a name, which may be learnt here.
    fn seen(
        &mut self,
        name: Name,
        is_last: bool,
        is_parent: bool,
        expect: &Expect,
    ) -> Result<Option<NodeId>, TooMuch> {
        match self.entries[name.entry as usize].now {
            Now::Absent => return Ok(None),
            Now::Node(node) => {
                let known = &mut self.nodes[node as usize].kind;
                if let Expect::There(kind) = expect
                    && is_last
                    && (*known == Kind::Any || (*known == Kind::Link(None) && matches!(kind, Kind::Link(_))))
                {
                    *known = kind.clone();
                }
                return Ok(Some(node));
            }
            Now::Unseen => {}
        }
        if !self.nodes[name.directory as usize].is_initial {
            return Ok(None);
        }
        let kind = match expect {
            Expect::Unknown => return Ok(None),
            Expect::FileOnTheWay if is_last => return Ok(None),
            Expect::FileOnTheWay if is_parent => Kind::File,
            Expect::Parent if is_last => {
                return match self.seen_link(name) {
                    Some(link) => self.add_initial(name, link).map(Some),
                    None => Ok(None),
                };
            }
            Expect::There(kind) if is_last => kind.clone(),
            _ => Kind::Directory,
        };
        // An lstat says that there is a link, not where it leads.
        let is_known = matches!(kind, Kind::Link(Some(_)));
        let kind = if is_known { kind } else { self.seen_link(name).unwrap_or(kind) };
        self.add_initial(name, kind).map(Some)
    }

    /// The link that the log elsewhere says is there.
    pub(crate) fn seen_link(&self, name: Name) -> Option<Kind> {
        let links = self.links.filter(|links| !links.is_empty())?;
        let path = self.path_of_name(name);
        links.get(&path[..]).map(|link| Kind::Link(Some(link.target.clone())))
    }

    /// The absolute path of a name.
    pub(crate) fn path_of_name(&self, name: Name) -> Vec<u8> {
        let mut parts = vec![self.names.bytes(self.entries[name.entry as usize].name)];
        let mut at = name.directory;
        for _ in 0..MOST_COMPONENTS {
            let Some((directory, own)) = self.nodes[at as usize].home else { break };
            parts.push(self.names.bytes(own));
            at = directory;
        }
        let mut path = Vec::new();
        for part in parts.into_iter().rev() {
            path.push(b'/');
            path.extend_from_slice(part);
        }
        path
    }

    /// The entry of a name, seen or not.
    pub(crate) fn name(&mut self, directory: NodeId, name: &[u8]) -> Result<Name, TooMuch> {
        let too_many = TooMuch::Entries(self.limits.entries);
        let name: PathId = self.names.intern(name).ok_or(too_many)?;
        let entry = self.entry(directory, name)?;
        Ok(Name { directory, entry })
    }
}

/// The components of a path, the first last, without `.`.
fn components(path: &[u8]) -> Vec<Box<[u8]>> {
    let components = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    components.rev().map(Box::from).collect()
}
