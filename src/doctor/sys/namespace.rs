//! User namespaces (`user_namespaces(7)`).

use std::io;

use super::checked;

/// Moves this process into a user namespace of its own.
pub fn enter_user_namespace() -> io::Result<i64> {
    // SAFETY: takes no pointers.
    checked(unsafe { libc::unshare(libc::CLONE_NEWUSER) }.into())
}

/// Moves it into a mount namespace, which a new user namespace has the right to.
pub fn enter_mount_namespace() -> io::Result<i64> {
    // SAFETY: takes no pointers.
    checked(unsafe { libc::unshare(libc::CLONE_NEWNS) }.into())
}
