//! Capabilities (capabilities(7)): what this process may do, and giving it up.

/// `CAP_SYS_PTRACE` of `linux/capability.h`.
pub const CAP_SYS_PTRACE: u32 = 19;
/// `CAP_SYS_ADMIN`.
pub const CAP_SYS_ADMIN: u32 = 21;
/// `CAP_SYS_NICE`.
pub const CAP_SYS_NICE: u32 = 23;
/// `CAP_PERFMON`.
pub const CAP_PERFMON: u32 = 38;
/// `CAP_BPF`.
pub const CAP_BPF: u32 = 39;

/// `_LINUX_CAPABILITY_VERSION_3`: two words a set.
const VERSION: u32 = 0x2008_0522;

/// A thread's sets: effective, permitted, inheritable, of capabilities below 32, then of the others.
type Sets = [u32; 6];

/// Whether the caller has a capability in its effective set.
pub fn has_capability(capability: u32) -> bool {
    let at = 3 * (capability / 32) as usize;
    sets().is_some_and(|sets| sets[at] & (1 << (capability % 32)) != 0)
}

/// Whether this process has its capabilities from its own file (`setcap`), and not from whoever started it: the kernel says
/// then that the program is more than its caller (`AT_SECURE` of getauxval(3)), and has taken away any ambient ones.
pub fn are_from_file() -> bool {
    // SAFETY: takes no pointers.
    !nix::unistd::geteuid().is_root() && unsafe { libc::getauxval(libc::AT_SECURE) } != 0
}

/// Makes this process one like any other of its user's, whose children can be traced: without capabilities, and with its
/// memory open to those who may trace it. Not to be called by who has descriptors that others must not get at.
pub fn become_ordinary() {
    give_up_capabilities();
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1 as libc::c_ulong, 0, 0, 0) };
}

/// Makes effective what is permitted.
pub fn raise_capabilities() {
    change(|[_, low, low_kept, _, high, high_kept]| [low, low, low_kept, high, high, high_kept]);
}

/// Makes nothing effective, until [`raise_capabilities`].
pub fn lower_capabilities() {
    change(|[_, low, low_kept, _, high, high_kept]| [0, low, low_kept, 0, high, high_kept]);
}

/// Gives all up for good, but for what a program run by this one would have had anyway.
pub fn give_up_capabilities() {
    change(|[_, _, low_kept, _, _, high_kept]| [0, 0, low_kept, 0, 0, high_kept]);
}

fn sets() -> Option<Sets> {
    let mut header = [VERSION, 0];
    let mut sets = Sets::default();
    // SAFETY: both arrays are as large as the kernel's structures of this version.
    let done = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    (done == 0).then_some(sets)
}

/// Changes the calling thread's sets, and those of the threads that it makes from now on. That can only fail where more is
/// asked for than is there.
fn change(change: impl FnOnce(Sets) -> Sets) {
    let Some(sets) = sets().map(change) else { return };
    let mut header = [VERSION, 0];
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lowered_can_be_raised_and_what_is_given_up_cannot() {
        // In a thread, whose sets are its own.
        let check = || {
            let Some(before) = sets() else { return };
            raise_capabilities();
            let raised = sets().expect("as before");
            assert_eq!((raised[0], raised[3]), (before[1], before[4]));
            lower_capabilities();
            assert!(!has_capability(CAP_BPF) && !has_capability(CAP_SYS_NICE));
            raise_capabilities();
            assert_eq!(sets(), Some(raised));
            give_up_capabilities();
            raise_capabilities();
            assert_eq!(sets().map(|sets| [sets[0], sets[1], sets[3], sets[4]]), Some([0; 4]));
        };
        std::thread::spawn(check).join().expect("no panic");
    }
}
