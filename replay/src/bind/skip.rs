//! Why a call is not replayed.

/// Why a call of the plan is not executed. Every one is counted: a replay says what it leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Skip {
    /// Not a file-system call, or without effect on one: memory, signals, ids.
    Inert,
    /// Orders other calls, has nothing to execute: mmap of a file, exec, wait, close-on-exec flags.
    OrdersOnly,
    /// A call that this crate does not know; a barrier.
    Unknown,
    /// Waits for other threads or processes, or wakes them: futexes, polls, pipes, sockets; a barrier.
    Meets,
    /// Never returned, or was interrupted and restarted.
    Unfinished,
    /// An open that may write, create or empty a file.
    Writes,
    /// A descriptor that was open before the log began, and the file behind it is not known.
    InheritedDescriptor,
    /// A working directory that is not known.
    UnknownDirectory,
    /// A descriptor or directory of a call that is itself not replayed.
    DependsOnSkipped,
    /// The descriptor stays open elsewhere (another process's copy): this close frees nothing.
    StaysOpen,
    /// `getcwd`: the replaying process does not change its own directory.
    OwnDirectory,
    /// Below /proc, /sys or /dev, or on such a file system by another name.
    KernelFileSystem,
    /// Neither a regular file nor a directory: opening a FIFO can hang, opening a device can act.
    SpecialFile,
    /// Transfers more in one call than the limit.
    TooLarge,
    /// Sets attributes, where nothing but Landlock confines the replay, which does not govern that.
    Ungoverned,
    /// Sets an attribute whose value the kernel reads (a list of access rights, capabilities), and no log has it.
    UnknownValue,
    /// With all that the log keeps open at this point, there would be more descriptors than a process may have here.
    NoDescriptor,
    /// Has another result here than in the log, in log order: the files have changed, or are not there.
    Differs,
}

impl Skip {
    /// Every reason, in the order of the discriminants.
    pub const ALL: [Self; 18] = [
        Self::Inert,
        Self::OrdersOnly,
        Self::Unknown,
        Self::Meets,
        Self::Unfinished,
        Self::Writes,
        Self::InheritedDescriptor,
        Self::UnknownDirectory,
        Self::DependsOnSkipped,
        Self::StaysOpen,
        Self::OwnDirectory,
        Self::KernelFileSystem,
        Self::SpecialFile,
        Self::TooLarge,
        Self::Ungoverned,
        Self::UnknownValue,
        Self::NoDescriptor,
        Self::Differs,
    ];

    /// A few words for a report.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Inert => "no file-system call",
            Self::OrdersOnly => "orders other calls only",
            Self::Unknown => "not a call that is replayed",
            Self::Meets => "waits for others or wakes them",
            Self::Unfinished => "never returned, or was restarted",
            Self::Writes => "may write, create or empty a file",
            Self::InheritedDescriptor => "descriptor from before the log",
            Self::UnknownDirectory => "unknown working directory",
            Self::DependsOnSkipped => "depends on a call not replayed",
            Self::StaysOpen => "close of a descriptor that another process keeps open",
            Self::OwnDirectory => "asks for the working directory",
            Self::KernelFileSystem => "in /proc, /sys or /dev",
            Self::SpecialFile => "neither a regular file nor a directory",
            Self::TooLarge => "transfers more than 64 MiB in one call",
            Self::Ungoverned => "sets attributes, which Landlock alone does not confine",
            Self::UnknownValue => "sets an attribute whose value is not in the log",
            Self::NoDescriptor => "more descriptors open than there may be here (ulimit -n)",
            Self::Differs => "has another result here than in the log",
        }
    }

    /// Whether such a call counts in the coverage at all.
    #[must_use]
    pub const fn is_file_system_call(self) -> bool {
        !matches!(self, Self::Inert | Self::OrdersOnly | Self::Meets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_in_order() {
        for (index, skip) in Skip::ALL.iter().enumerate() {
            assert_eq!(*skip as usize, index);
        }
    }
}
