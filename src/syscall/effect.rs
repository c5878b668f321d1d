//! What a call changes of the state that is tracked for its process, by the call's name.

/// A change of tracked state, or a call that needs care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is tracked.
    None,
    /// Closes descriptor argument 0.
    Close,
    /// Closes the descriptors from argument 0 to argument 1.
    CloseRange,
    /// Makes descriptor `ret` another name of argument 0, whatever it was before.
    Dup,
    /// As [`Effect::Dup`] for some commands (argument 1).
    Fcntl,
    /// Changes the cwd.
    Chdir,
    /// Changes the root, and possibly the cwd.
    Root,
    /// Stops sharing of what argument 0 says.
    Unshare,
    /// Makes a child; flags in argument 0.
    Clone,
    /// Makes a child; flags in the structure at argument 0.
    Clone3,
    /// Makes a child that shares nothing.
    Fork,
    /// Makes a child while the parent waits.
    Vfork,
    /// Runs a new program.
    Exec,
    /// May change the thread's name.
    Prctl,
    /// Calls ptrace itself.
    Ptrace,
    /// Sets up an `io_uring`.
    IoUring,
    /// Asks for a CPU mask.
    AskAffinity,
    /// Gives up the user id by which we may set its mask, sets a CPU mask, or sets a scheduling policy that
    /// does not go with a shared CPU.
    Affinity,
    /// Ends a signal handler.
    Sigreturn,
    /// Waits for a signal and takes it, so that it is never delivered.
    TakeSignal,
    /// Renames a file or directory, or moves a mount.
    Rename,
    /// Removes a directory.
    Rmdir,
    /// Removes a file, or a directory with `AT_REMOVEDIR` in argument 2.
    Unlinkat,
    /// Opens with the structure at argument 2.
    Openat2,
    /// Copies from the offset at argument 1 to the one at argument 3.
    CopyRange,
    /// Copies from the offset at argument 2.
    SendFile,
    /// What it is passed depends on argument 1.
    Ioctl,
}

impl Effect {
    /// The effect of the call with this name.
    pub fn of(name: &str) -> Self {
        match name {
            "close" => Self::Close,
            "close_range" => Self::CloseRange,
            "dup" | "dup2" | "dup3" => Self::Dup,
            "fcntl" | "fcntl64" => Self::Fcntl,
            "chdir" | "fchdir" => Self::Chdir,
            "chroot" | "pivot_root" | "setns" => Self::Root,
            "unshare" => Self::Unshare,
            "clone" => Self::Clone,
            "clone3" => Self::Clone3,
            "fork" => Self::Fork,
            "vfork" => Self::Vfork,
            "execve" | "execveat" => Self::Exec,
            "prctl" => Self::Prctl,
            "ptrace" => Self::Ptrace,
            "io_uring_setup" => Self::IoUring,
            "sched_getaffinity" => Self::AskAffinity,
            "setuid" | "setreuid" | "setresuid" | "setuid32" | "setreuid32" | "setresuid32"
            | "sched_setaffinity" | "sched_setattr" | "sched_setscheduler" | "sched_setparam" => {
                Self::Affinity
            }
            "rt_sigreturn" | "sigreturn" => Self::Sigreturn,
            "rt_sigtimedwait" | "rt_sigtimedwait_time64" => Self::TakeSignal,
            "rename" | "renameat" | "renameat2" | "mount" | "move_mount" => Self::Rename,
            "rmdir" => Self::Rmdir,
            "unlinkat" => Self::Unlinkat,
            "openat2" => Self::Openat2,
            "copy_file_range" => Self::CopyRange,
            "sendfile" => Self::SendFile,
            "ioctl" => Self::Ioctl,
            _ => Self::None,
        }
    }

    /// Whether the call makes a child.
    pub fn makes_child(self) -> bool {
        matches!(self, Self::Clone | Self::Clone3 | Self::Fork | Self::Vfork)
    }
}
