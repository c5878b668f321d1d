//! Calls that make, remove and move names, in the model.

use super::Outcome;
use crate::bind::{Skip, Start};
use crate::plan::{Call, PathId};
use crate::scratch::limits::TooMuch;
use crate::scratch::model::access::Use;
use crate::scratch::model::calls::{elsewhere, expect_parent};
use crate::scratch::model::node::{Aspect, Kind, NodeId, Now};
use crate::scratch::model::{Expect, Model, Place, expect};

/// Renames can put directories deeper than a path can reach, not further than this.
const MOST_DEEP: usize = 4096;

/// Where a call with two paths finds them.
type Ends = Result<(Place, Place), Skip>;

impl Model<'_> {
    /// A directory or a symbolic link.
    pub(super) fn makes(&mut self, start: Start, path: PathId, kind: Kind, call: Option<&Call>) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        // What is in the way of a directory mostly is one.
        let in_the_way = if kind == Kind::Directory { Kind::Directory } else { Kind::Any };
        let path = self.path(path);
        let path = path.strip_suffix(b"/").filter(|path| !path.is_empty()).unwrap_or(path);
        let start = start.and_then(|handle| self.handles[handle.index()]);
        match self.walk(start, path, false, &expect_parent(call, in_the_way))? {
            Place::Absent(name) if done => {
                self.add_node(name, kind, false)?;
                self.changes_name(name);
                Ok(Ok(()))
            }
            place if done => {
                self.was_not_there(place);
                Ok(elsewhere(place).and(Err(Skip::Differs)))
            }
            place => Ok(elsewhere(place)),
        }
    }

    pub(super) fn removes(&mut self, start: Start, path: PathId, flags: u32, call: Option<&Call>) -> Outcome {
        let is_directory = flags & libc::AT_REMOVEDIR as u32 != 0;
        let kind = if is_directory { Kind::Directory } else { Kind::File };
        match self.lookup(start, path, false, &expect(call, kind))? {
            Place::Node { node, name: Some(name) } => {
                let done = call.is_none_or(|call| call.ret >= 0);
                if is_directory {
                    // Whoever has it open cannot list it any more: ENOENT, also where nothing is left to list.
                    self.uses(node, Aspect::Listing, if done { Use::Write } else { Use::Read });
                }
                if call.is_some_and(|call| call.ret == -i64::from(libc::ENOTEMPTY)) {
                    let one = self.node(node);
                    one.unseen_bytes = one.unseen_bytes.max(Some(32));
                }
                if done {
                    self.changes_name(name);
                    self.has_new_name(node, -1)?;
                    self.entries[name.entry as usize].now = Now::Absent;
                }
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }

    pub(super) fn renames(
        &mut self,
        from: (Start, PathId),
        to: (Start, PathId),
        flags: u32,
        call: Option<&Call>,
    ) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        let source = self.lookup(from.0, from.1, false, &expect(call, Kind::Any))?;
        let expected = if done { Expect::Parent } else { Expect::Unknown };
        let exchange = flags & libc::RENAME_EXCHANGE != 0;
        let expected = if exchange { expect(call, Kind::Any) } else { expected };
        let (source, target) = match self.ends(source, to, &expected)? {
            Ok(ends) if done => ends,
            ends => {
                // What is in the way may be a directory with something in it.
                if let Ok((_, Place::Node { node, .. })) = ends {
                    self.uses(node, Aspect::Listing, Use::Read);
                }
                return Ok(ends.map(|_| ()));
            }
        };
        let Place::Node { node, name: Some(source) } = source else { return Ok(Err(Skip::Differs)) };
        let (name, replaced) = match target {
            Place::Node { node, name: Some(name) } => (name, Some(node)),
            Place::Absent(name) => (name, None),
            _ => return Ok(Err(Skip::Differs)),
        };
        let swapped = replaced.filter(|_| exchange);
        if self.is_below(name.directory, node)
            || swapped.is_some_and(|other| self.is_below(source.directory, other))
        {
            return Ok(Err(Skip::Differs));
        }
        for name in [source, name] {
            self.changes_name(name);
        }
        self.uses(node, Aspect::Attributes, Use::Update);
        if let Some(replaced) = replaced {
            let goes = !exchange && replaced != node;
            self.has_new_name(replaced, if goes { -1 } else { 0 })?;
            self.uses(replaced, Aspect::Listing, if goes { Use::Write } else { Use::Read });
        }
        if replaced != Some(node) {
            match swapped {
                Some(other) => self.put(source, other),
                None => self.entries[source.entry as usize].now = Now::Absent,
            }
            self.put(name, node);
        }
        Ok(Ok(()))
    }

    /// Both ends of a call with two paths, the first of which was looked up before.
    fn ends(
        &mut self,
        source: Place,
        (start, path): (Start, PathId),
        expected: &Expect,
    ) -> Result<Ends, TooMuch> {
        let target = self.lookup(start, path, false, expected)?;
        let is_outside = source == Place::Kernel || target == Place::Kernel;
        Ok(if is_outside { Err(Skip::KernelFileSystem) } else { Ok((source, target)) })
    }

    /// Whether a directory is another, or somewhere below it, or too deep to be told.
    fn is_below(&self, directory: NodeId, other: NodeId) -> bool {
        let mut at = directory;
        for _ in 0..MOST_DEEP {
            if at == other {
                return true;
            }
            match self.nodes[at as usize].home {
                Some((parent, _)) => at = parent,
                None => return false,
            }
        }
        true
    }

    pub(super) fn links_to(
        &mut self,
        from: (Start, PathId),
        to: (Start, PathId),
        flags: u32,
        call: Option<&Call>,
    ) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        let follow = flags & libc::AT_SYMLINK_FOLLOW as u32 != 0;
        let source = if self.path(from.1).is_empty() {
            from.0.map_or(Place::Nowhere, |handle| Place::Node { node: self.of_handle(handle), name: None })
        } else {
            // A link that fails because of the new name says that the old one is there.
            self.lookup(from.0, from.1, follow, &expect(call, Kind::File))?
        };
        let expected = match call.map_or(0, |call| call.ret) {
            0.. => Expect::Parent,
            failed if failed == -i64::from(libc::EEXIST) => Expect::There(Kind::Any),
            _ => Expect::Unknown,
        };
        match self.ends(source, to, &expected)? {
            Err(skip) => Ok(Err(skip)),
            _ if !done => Ok(Ok(())),
            // No kernel gives a directory a second name.
            Ok((Place::Node { node, .. }, Place::Absent(name)))
                if !self.nodes[node as usize].is_directory() =>
            {
                if self.nodes[node as usize].kind == Kind::Any {
                    self.node(node).kind = Kind::File;
                }
                self.has_new_name(node, 1)?;
                self.changes_name(name);
                self.entries[name.entry as usize].now = Now::Node(node);
                let home = Some((name.directory, self.entries[name.entry as usize].name));
                let one = self.node(node);
                one.home = one.home.or(home);
                Ok(Ok(()))
            }
            Ok((_, target)) => {
                self.was_not_there(target);
                Ok(Err(Skip::Differs))
            }
        }
    }

    /// A file has one name more or less.
    fn has_new_name(&mut self, node: NodeId, more: i32) -> Result<(), TooMuch> {
        self.uses(node, Aspect::Attributes, Use::Update);
        let first = self.nodes[node as usize].same_as.unwrap_or(node);
        let most = self.limits.names;
        let one = self.node(first);
        one.new_names += more;
        // Besides these it has one at least.
        if i64::from(one.new_names) >= i64::from(most) { Err(TooMuch::Names(most)) } else { Ok(()) }
    }

    /// A call that made a name says that there was none.
    pub(super) fn was_not_there(&mut self, place: Place) {
        if let Place::Node { name: Some(name), .. } = place {
            self.may_be_own_link(name);
        }
    }
}
