//! User namespaces: mounts of one's own without privilege.

use super::check::{Check, Verdict};
use super::machine::{Machine, set_sysctl, sysctl_number};
use super::sys::child::{Step, in_child};
use super::sys::namespace;

/// Settings that forbid them at a value: the kernel's own, Debian's, Ubuntu's.
const SETTINGS: [(&str, i64, i64); 3] = [
    ("user.max_user_namespaces", 0, 10_000),
    ("kernel.unprivileged_userns_clone", 0, 1),
    ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),
];

/// Enters a user namespace, and a mount namespace in it.
pub(super) fn check(machine: &Machine) -> Check {
    let found = in_child(|slots| {
        let entered = namespace::enter_user_namespace();
        let is_in = entered.is_ok();
        slots.set(0, &entered);
        if is_in {
            slots.set(1, &namespace::enter_mount_namespace());
        }
    });
    let step = |slot| found.as_ref().map_or(Step::Untried, |found| found.step(slot));
    let mut check = Check::new("user namespaces", "trace replay --writes, in a scratch tree of its own");
    check.essential("enter one", step(0), |_| "a child is in one".to_owned());
    check.essential("mounts of its own", step(1), |_| "and in a mount namespace of its own".to_owned());
    if check.verdict() != Verdict::Works {
        for (name, forbids, allows) in SETTINGS {
            if sysctl_number(name) == Some(forbids) {
                check.because(format!("{name} is {forbids}"), set_sysctl(name, allows));
            }
        }
        if check.outcomes.iter().any(|outcome| outcome.errno.as_deref() == Some("EPERM")) && is_chroot() {
            check.because("this process is in a chroot (user_namespaces(7))", "run trace outside of it");
        }
        machine.add_general_causes(&mut check, "unshare(CLONE_NEWUSER)");
    }
    check.or_unknown()
}

/// Whether the root is not that of the first process, as far as one may look.
fn is_chroot() -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &str| std::fs::metadata(path).ok().map(|root| (root.dev(), root.ino()));
    matches!((id("/proc/1/root/"), id("/")), (Some(first), Some(own)) if first != own)
}
