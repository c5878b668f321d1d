//! Why the kernel's side is not there, and what to do about it.

use std::error::Error;
use std::io;

use aya::util::KernelVersion;

/// Why the kernel's side is not there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The privilege is missing.
    #[error(
        "cannot {what}: {cause}; the eBPF backend needs root, or CAP_BPF and CAP_PERFMON (trace doctor says more); \
         --backend ptrace needs neither"
    )]
    Refused {
        /// What could not be done.
        what: String,
        /// The kernel's answer.
        cause: String,
    },
    /// The limit on descriptors is too low.
    #[error(
        "cannot {what}: too many open files (ulimit -n): the eBPF backend needs some 40; raise the limit, and lower it for \
         the command (sh -c 'ulimit -n N; exec COMMAND'), or take --backend ptrace"
    )]
    Files {
        /// What could not be done.
        what: String,
    },
    /// The kernel does not describe its types.
    #[error(
        "the kernel has no {0} (CONFIG_DEBUG_INFO_BTF), which the eBPF backend needs; --backend ptrace works on any kernel"
    )]
    NoTypes(&'static str),
    /// The kernel is locked down.
    #[error(
        "cannot {what}: the kernel is locked down (confidentiality), so that BPF programs may not read its memory \
         (kernel_lockdown(7)); --backend ptrace works there"
    )]
    LockedDown {
        /// What could not be done.
        what: String,
    },
    /// The kernel is older than what the programs use.
    #[error(
        "cannot {what}: Linux {version} lacks what the eBPF backend needs, which is in {OLDEST} and later; --backend ptrace \
         works on any kernel"
    )]
    TooOld {
        /// What could not be done.
        what: String,
        /// The kernel's version.
        version: String,
    },
    /// The kernel cannot do it.
    #[error("cannot {what}: {cause}; --backend ptrace works on any kernel")]
    Unable {
        /// What could not be done.
        what: String,
        /// The kernel's answer, or the loader's.
        cause: String,
    },
}

impl LoadError {
    /// What failed and why, without what to do about it.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Refused { what, cause } | Self::Unable { what, cause } => {
                format!("it cannot {what}: {cause}")
            }
            Self::Files { what } => format!("it cannot {what}: too many open files (ulimit -n)"),
            Self::NoTypes(what) => format!("the kernel has no {what}"),
            Self::LockedDown { what } => format!("it cannot {what}: the kernel is locked down"),
            Self::TooOld { what, version } => {
                format!("it cannot {what}: Linux {version} is too old for it, which needs {OLDEST} or later")
            }
        }
    }

    /// Says what failed, with the last cause, which is the kernel's answer where there is one.
    pub(super) fn new(what: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let (mut cause, mut refused, mut full) = (String::new(), false, false);
        let mut next = Some(error);
        while let Some(error) = next {
            cause = first_line(&error.to_string());
            let errno = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
            full |= matches!(errno, Some(libc::EMFILE));
            refused |= matches!(errno, Some(libc::EPERM | libc::EACCES));
            next = error.source();
        }
        let what = what.into();
        if full {
            return Self::Files { what };
        }
        if std::fs::read_to_string(LOCKDOWN).is_ok_and(|state| is_locked_down(&state)) {
            return Self::LockedDown { what };
        }
        if refused {
            return Self::Refused { what, cause };
        }
        match is_too_old().then(nix::sys::utsname::uname) {
            Some(Ok(name)) => Self::TooOld { what, version: name.release().to_string_lossy().into_owned() },
            _ => Self::Unable { what, cause },
        }
    }
}

/// The first kernel that has all that the programs use: `bpf_loop` is its latest. A distribution may have brought it to an
/// older one, so that this only explains failures.
pub const OLDEST: &str = "5.17";

/// Whether this kernel is older than that.
#[must_use]
pub fn is_too_old() -> bool {
    KernelVersion::current().is_ok_and(|version| version < KernelVersion::new(5, 17, 0))
}

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// The state in force stands in brackets.
fn is_locked_down(state: &str) -> bool {
    state.contains("[confidentiality]")
}

/// The verifier's account of a program is thousands of lines.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_that_says_what_to_try() {
        let error = |errno| LoadError::new("make the maps", &io::Error::from_raw_os_error(errno)).to_string();
        for (text, words) in [
            (error(libc::EPERM), "needs root, or CAP_BPF and CAP_PERFMON"),
            (error(libc::EINVAL), "--backend ptrace works on any kernel"),
            (error(libc::EMFILE), "raise the limit"),
            (LoadError::NoTypes("/sys/kernel/btf/vmlinux").to_string(), "CONFIG_DEBUG_INFO_BTF"),
            (
                LoadError::TooOld { what: "make the maps".to_owned(), version: "5.10.0".to_owned() }
                    .to_string(),
                "Linux 5.10.0 lacks what the eBPF backend needs, which is in 5.17 and later",
            ),
            (
                LoadError::LockedDown { what: "make the maps".to_owned() }.to_string(),
                "--backend ptrace works there",
            ),
        ] {
            assert!(text.contains(words) && text.lines().count() == 1, "{text}");
        }
        let verifier = io::Error::other("0: (79) r6 = *(u64 *)(r1 +0)\n1: (85) call unknown");
        assert_eq!(LoadError::new("attach", &verifier).to_string().lines().count(), 1);
    }

    #[test]
    fn the_state_of_lockdown_is_the_one_in_brackets() {
        assert!(is_locked_down("none integrity [confidentiality]\n"));
        assert!(
            !is_locked_down("[none] integrity confidentiality\n")
                && !is_locked_down("none [integrity] confidentiality\n")
        );
    }
}
