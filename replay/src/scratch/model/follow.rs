//! The steps that the rehearsal kept, followed in the tree as it was made: what each reads and writes.
//!
//! Nothing is learnt here. What is in the tree is known, what is not in it is absent, and all steps come to the log's
//! results; so each lookup ends where it ends in the tree, and has asked for the same names on its way.

use super::access::{Accesses, Use};
use super::node::{Kind, Now, ROOT};
use super::{Model, Name};
use crate::bind::{Action, Change, Handle, Step};
use crate::plan::{PathId, Plan};
use crate::rule::Rule;
use crate::scratch::limits::{ScratchLimits, TooMuch};
use crate::scratch::manifest::{Item, Made, OWN_DIRECTORY};

/// The tree is made, the steps are made in it: there is nothing left to be limited.
const UNLIMITED: ScratchLimits = ScratchLimits {
    entries: usize::MAX,
    depth: u32::MAX,
    file_bytes: u64::MAX,
    written_bytes: u64::MAX,
    names: u32::MAX,
};

/// What the steps use in a tree of these items, of which some are open before the first.
///
/// `root`: where the tree is, which all absolute paths begin with; empty for `/`.
pub(crate) fn follow(
    plan: &Plan,
    shape: (usize, &[u32]),
    (root, items): (&[u8], &[Item]),
    opened: &[(Handle, PathId)],
    steps: &[Step],
) -> Result<Accesses, TooMuch> {
    let mut model = Model::new(plan, shape, UNLIMITED, None);
    model.root = root;
    model.take(items)?;
    model.open_initial(opened)?;
    // What cannot be explained waits for everything, and everything for it.
    let unexplained = model.accesses.resource(Rule::Unknown);
    for step in steps {
        if !matches!(step.action, Action::Order(_)) {
            let how = if model.explains(step)? { Use::Read } else { Use::Write };
            model.accesses.add(unexplained, how);
        }
        model.accesses.end_step();
    }
    Ok(model.accesses.compacted())
}

impl Model<'_> {
    /// The tree's files, as they are before the first step.
    fn take(&mut self, items: &[Item]) -> Result<(), TooMuch> {
        let mut nodes = vec![ROOT; items.len()];
        for (index, item) in items.iter().enumerate() {
            let Some(name) = self.name_at(&item.path)? else { continue };
            let kind = match &item.what {
                Made::Directory => Kind::Directory,
                Made::File { .. } => Kind::File,
                Made::Link(target) => Kind::Link(Some(self.below_root(target).into())),
                Made::Name { of } => {
                    nodes[index] = nodes[*of as usize];
                    self.entries[name.entry as usize].now = Now::Node(nodes[index]);
                    continue;
                }
            };
            nodes[index] = self.add_node(name, kind, true)?;
        }
        Ok(())
    }

    /// The name of an item; `None`: it is out of the reach of every call.
    fn name_at(&mut self, path: &[u8]) -> Result<Option<Name>, TooMuch> {
        let mut at = ROOT;
        let mut name = None;
        for component in path.split(|&byte| byte == b'/') {
            if at == ROOT && component == OWN_DIRECTORY.as_bytes() {
                return Ok(None);
            }
            let own = self.name(at, component)?;
            if let Now::Node(node) = self.entries[own.entry as usize].now {
                at = node;
            }
            name = Some(own);
        }
        Ok(name)
    }

    /// Follows a step; whether it comes to the log's result here, too, as far as names decide on it.
    fn explains(&mut self, step: &Step) -> Result<bool, TooMuch> {
        let done = self.step(step)?.is_ok();
        let Some(call) = self.plan.calls.get(step.call as usize) else { return Ok(done) };
        let missed = self.missed;
        Ok(done
            && match call.ret {
                0.. if makes_names(&step.action) => true,
                0.. => missed != Some(true),
                failed => failed != -i64::from(libc::ENOENT) || missed != Some(false),
            })
    }
}

/// Whether a lookup in vain is no failure.
fn makes_names(action: &Action) -> bool {
    let Action::Change(change) = action else { return false };
    matches!(
        change,
        Change::Open { .. }
            | Change::Rename { .. }
            | Change::Link { .. }
            | Change::Symlink { .. }
            | Change::MakeDir { .. }
    )
}
