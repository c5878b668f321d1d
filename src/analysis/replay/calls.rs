//! Calls in words.

use trace_replay::{AttributeCall, CallId, Op, PathId, Plan};

use super::super::text::Text;

/// A call and its path.
pub(super) fn describe(plan: &Plan, call: CallId) -> Text {
    let (name, path) = match plan.op(call) {
        Some(Op::Open { path, .. }) => ("open", Some(*path)),
        Some(Op::Stat { path, .. }) => ("stat", Some(*path)),
        Some(Op::Access { path, .. }) => ("access", Some(*path)),
        Some(Op::ReadLink { path, .. }) => ("readlink", Some(*path)),
        Some(Op::Chdir { path }) => ("chdir", Some(*path)),
        Some(Op::Fstat { .. }) => ("fstat", None),
        Some(Op::Read { .. } | Op::Pread { .. }) => ("read", None),
        Some(Op::Seek { .. }) => ("lseek", None),
        Some(Op::ListDir { .. }) => ("getdents", None),
        Some(Op::Close { .. } | Op::CloseRange { .. }) => ("close", None),
        Some(Op::Dup { .. } | Op::DupTo { .. }) => ("dup", None),
        Some(Op::Fchdir { .. }) => ("fchdir", None),
        Some(Op::Getcwd) => ("getcwd", None),
        Some(Op::FileSystem { path, .. }) => ("statfs", Some(*path)),
        Some(Op::Attribute { path, call, .. }) => (attribute(*call), Some(*path)),
        Some(op) if op.changes_files() => changing(op),
        _ => ("call", None),
    };
    let path = path.map_or(&b""[..], |path| plan.path(path));
    Text::from([name.as_bytes(), if path.is_empty() { b"" } else { b" " }, path].concat().as_slice())
}

/// A call that changes files, and the path it changes.
fn changing(op: &Op) -> (&'static str, Option<PathId>) {
    match *op {
        Op::Write { .. } | Op::Pwrite { .. } => ("write", None),
        Op::Truncate { path, .. } => ("truncate", Some(path)),
        Op::Ftruncate { .. } => ("ftruncate", None),
        Op::Allocate { .. } => ("fallocate", None),
        Op::Rename { from, .. } => ("rename", Some(from)),
        Op::Link { to, .. } => ("link", Some(to)),
        Op::Symlink { path, .. } => ("symlink", Some(path)),
        Op::MakeDir { path, .. } => ("mkdir", Some(path)),
        Op::Unlink { path, flags, .. } if flags & libc::AT_REMOVEDIR as u32 != 0 => ("rmdir", Some(path)),
        Op::Unlink { path, .. } => ("unlink", Some(path)),
        Op::Chmod { path, .. } => ("chmod", Some(path)),
        Op::Fchmod { .. } => ("fchmod", None),
        Op::Chown { path, .. } => ("chown", Some(path)),
        Op::Fchown { .. } => ("fchown", None),
        Op::SetTimes { path, .. } => ("utimensat", Some(path)),
        Op::FsetTimes { .. } => ("futimens", None),
        Op::Sync { .. } => ("fsync", None),
        Op::Lock { .. } => ("flock", None),
        Op::LockRange { .. } => ("fcntl", None),
        Op::Copy { .. } => ("copy_file_range", None),
        Op::Clone { .. } => ("FICLONE", None),
        Op::CloneRange { .. } => ("FICLONERANGE", None),
        _ => ("call", None),
    }
}

fn attribute(call: AttributeCall) -> &'static str {
    match call {
        AttributeCall::Get => "getxattr",
        AttributeCall::List => "listxattr",
        AttributeCall::Set => "setxattr",
        AttributeCall::Remove => "removexattr",
    }
}
