//! Landlock: the kernel itself refuses what a replay must not do, whatever a log says and whoever
//! changes the files meanwhile.
//!
//! Two layers, both on the replaying thread and those it starts (never on the caller's). The first, before anything of
//! a log is looked at: no write right, no execution. The second, after the rehearsal: reading only the
//! very files and directories that the rehearsal accepted, by inode. A path that leads to a FIFO or
//! a device by the time it is replayed is refused by the kernel before the open acts (`security_file_open`
//! comes before the file's own open).
//!
//! It is not free: an open takes some tenths of a microsecond more, with every strategy. Other calls take what they took.

use std::os::fd::BorrowedFd;

use landlock::{
    ABI, AccessFs, BitFlags, PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr,
    RulesetError, RulesetStatus,
};

/// The newest version of Landlock whose rights are named here; older kernels enforce what they know.
const VERSION: ABI = ABI::V5;

/// What confines the replaying threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Landlock: no writing, and reading only what the rehearsal accepted.
    Landlock,
    /// A user and a mount namespace whose root is a scratch tree.
    Namespaces,
    /// This kernel has no Landlock: the checks of the rehearsal and the flags of each open are all there is.
    None,
}

/// The second layer while it is being made.
#[derive(Debug)]
pub(crate) struct Readable(Option<RulesetCreated>);

/// Rights that the kernel looks up at every open, up to the root, for what the descriptor might be used for
/// later (`hook_file_open` of `security/landlock/fs.c`): an open then costs twice as much, and a replay is to cost what
/// the program did. Neither is needed: an open that could truncate is refused where opens are made
/// (`sys::calls::read_only`), and no ioctl is.
fn dear_rights() -> BitFlags<AccessFs> {
    AccessFs::Truncate | AccessFs::IoctlDev
}

/// The first layer: from here on, this thread and its children cannot write, create, remove or execute files.
pub(crate) fn forbid_writing() -> Result<Guard, RulesetError> {
    let forbidden = (AccessFs::from_write(VERSION) & !dear_rights()) | AccessFs::Execute;
    let status = Ruleset::default().handle_access(forbidden)?.create()?.restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => Guard::None,
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Guard::Landlock,
    })
}

impl Readable {
    /// Nothing is readable yet; not in force yet.
    pub(crate) fn new(guard: Guard) -> Result<Self, RulesetError> {
        if guard == Guard::None {
            return Ok(Self(None));
        }
        let rights = BitFlags::from(AccessFs::ReadFile) | AccessFs::ReadDir;
        Ok(Self(Some(Ruleset::default().handle_access(rights)?.create()?)))
    }

    /// Lets a file's contents, or the names in a directory (and below it), be read.
    pub(crate) fn allow(&mut self, file: BorrowedFd, is_directory: bool) -> Result<(), RulesetError> {
        if let Some(ruleset) = &mut self.0 {
            let right = if is_directory { AccessFs::ReadDir } else { AccessFs::ReadFile };
            ruleset.add_rule(PathBeneath::new(file, right))?;
        }
        Ok(())
    }

    /// Puts the layer in force.
    pub(crate) fn enforce(self) -> Result<(), RulesetError> {
        if let Some(ruleset) = self.0 {
            ruleset.restrict_self()?;
        }
        Ok(())
    }
}
