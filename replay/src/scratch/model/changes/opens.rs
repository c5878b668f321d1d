//! Opens, in the model: of what is there, of what they make, and of files without a name.

use super::Outcome;
use crate::bind::{Handle, Skip, Start};
use crate::plan::{Call, PathId};
use crate::scratch::limits::TooMuch;
use crate::scratch::model::access::Use;
use crate::scratch::model::calls::{elsewhere, expect_parent};
use crate::scratch::model::node::{Aspect, Kind, Node, NodeId, Now};
use crate::scratch::model::{Model, Place, expect};

impl Model<'_> {
    pub(in crate::scratch::model) fn open(
        &mut self,
        start: Start,
        path: PathId,
        flags: u32,
        into: Option<Handle>,
        call: Option<&Call>,
    ) -> Outcome {
        let has = |flag: i32| flags & flag as u32 == flag as u32;
        if has(libc::O_TMPFILE) {
            return self.open_unnamed(start, path, into, call);
        }
        let exclusive = has(libc::O_CREAT) && has(libc::O_EXCL);
        let follow = !has(libc::O_NOFOLLOW) && !exclusive;
        let may_write = flags & (libc::O_ACCMODE as u32) != libc::O_RDONLY as u32 || has(libc::O_TRUNC);
        let kind = match () {
            () if has(libc::O_DIRECTORY) => Kind::Directory,
            () if may_write => Kind::File,
            () => Kind::Any,
        };
        let expected = if has(libc::O_CREAT) { expect_parent(call, Kind::Any) } else { expect(call, kind) };
        let place = self.lookup(start, path, follow, &expected)?;
        if exclusive && into.is_some() {
            self.was_not_there(place);
        }
        let node = match place {
            Place::Node { node, .. } => {
                if self.looks_at(node).is_err() {
                    return Ok(Err(Skip::SpecialFile));
                }
                if has(libc::O_TRUNC) && into.is_some() {
                    self.uses(node, Aspect::Data, Use::Write);
                    let one = self.node(node);
                    (one.size_changed, one.may_be_initial) = (true, None);
                }
                node
            }
            Place::Absent(name) if into.is_some() && has(libc::O_CREAT) => {
                let unseen = self.entries[name.entry as usize].now == Now::Unseen;
                let node = self.add_node(name, Kind::File, false)?;
                let parent_was_there = self.nodes[name.directory as usize].is_initial;
                if unseen && !exclusive && parent_was_there {
                    self.node(node).may_be_initial = self.nodes[node as usize].home;
                }
                self.changes_name(name);
                node
            }
            place => {
                return Ok(elsewhere(place).and(if into.is_some() { Err(Skip::Differs) } else { Ok(()) }));
            }
        };
        if let Some(into) = into {
            self.opens(into, node);
        }
        Ok(Ok(()))
    }

    /// `O_TMPFILE`: a file without a name, in a directory.
    fn open_unnamed(
        &mut self,
        start: Start,
        path: PathId,
        into: Option<Handle>,
        call: Option<&Call>,
    ) -> Outcome {
        match self.lookup(start, path, true, &expect(call, Kind::Directory))? {
            Place::Node { node: directory, .. } => {
                if let Some(into) = into {
                    if self.nodes.len() >= self.limits.entries {
                        return Err(TooMuch::Entries(self.limits.entries));
                    }
                    let resource = self.node_resources();
                    let depth = self.nodes[directory as usize].depth;
                    self.nodes.push(Node::new(Kind::File, false, depth, resource));
                    self.opens(into, self.nodes.len() as NodeId - 1);
                }
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }
}
