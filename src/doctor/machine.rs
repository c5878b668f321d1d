//! Who asks, and what the kernel's settings are: the reasons for what fails.

use std::fs;

use serde::Serialize;

use super::check::Check;

/// Capabilities (`linux/capability.h`) that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// `CAP_SYS_PTRACE`
    SysPtrace = 19,
    /// `CAP_SYS_ADMIN`
    SysAdmin = 21,
    /// `CAP_SYSLOG`
    Syslog = 34,
    /// `CAP_PERFMON`
    Perfmon = 38,
    /// `CAP_BPF`
    Bpf = 39,
}

/// This process and this kernel.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    /// `uname -r`.
    pub kernel: String,
    /// Effective user.
    pub uid: u32,
    /// Effective capabilities, in hexadecimal as in `/proc/self/status`.
    pub capabilities: String,
    /// Whether seccomp filters are in force.
    pub seccomp: bool,
    /// Whether this process is in a user namespace other than the first, where capabilities reach less far.
    pub user_namespace: bool,
    /// Process that traces this one (0: none).
    pub tracer: u32,
    /// `ID` of `/etc/os-release`.
    pub system: String,
}

impl Machine {
    /// Reads it all.
    pub(super) fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or_default();
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        Self {
            kernel: nix::sys::utsname::uname()
                .map(|name| name.release().to_string_lossy().into_owned())
                .unwrap_or_default(),
            uid: nix::unistd::geteuid().as_raw(),
            capabilities: field("CapEff"),
            seccomp: field("Seccomp") == "2",
            user_namespace: !map.is_empty() && !map.split_ascii_whitespace().eq(["0", "0", "4294967295"]),
            tracer: field("TracerPid").parse().unwrap_or(0),
            system: id.trim_matches('"').to_owned(),
        }
    }

    /// Whether the capability is effective, for the namespace this process is in.
    pub(super) fn has_here(&self, capability: Capability) -> bool {
        let bits = u64::from_str_radix(&self.capabilities, 16).unwrap_or(0);
        bits >> (capability as u32) & 1 == 1
    }

    /// Whether it is, for the kernel as a whole.
    pub(super) fn has(&self, capability: Capability) -> bool {
        !self.user_namespace && self.has_here(capability)
    }

    /// Says why capabilities are not there.
    pub(super) fn lacks(&self, names: &str) -> String {
        if self.user_namespace {
            return format!("{names} of a user namespace does not reach the kernel as a whole");
        }
        let verb = if names.contains(" and ") { "are" } else { "is" };
        format!("{names} {verb} missing")
    }

    /// The reasons that can stand behind any refusal.
    pub(super) fn add_general_causes(&self, check: &mut Check, call: &str) {
        let failed =
            |errno: &str| check.outcomes.iter().any(|outcome| outcome.errno.as_deref() == Some(errno));
        let is_killed = check.outcomes.iter().any(|outcome| outcome.found.contains("SIGSYS"));
        let is_refused = is_killed || failed("EPERM") || failed("EACCES") || failed("ENOSYS");
        if self.seccomp && is_refused {
            let verb = if is_killed { "forbids" } else { "may forbid" };
            check.because(
                format!("a seccomp filter is in force, as in a container or a service, and {verb} {call}"),
                "in a container: docker run --security-opt seccomp=unconfined ... (podman alike)",
            );
        } else if failed("ENOSYS") {
            check.because(format!("this kernel is built without {call}"), "use a kernel that has it");
        }
    }
}

/// A sysctl as `/proc/sys` shows it; `None`: this kernel has no such setting.
pub(super) fn sysctl(name: &str) -> Option<String> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::read_to_string(path).ok().map(|value| value.trim().to_owned())
}

/// A sysctl that is a number.
pub(super) fn sysctl_number(name: &str) -> Option<i64> {
    sysctl(name)?.parse().ok()
}

/// The command that sets a sysctl until the next boot.
pub(super) fn set_sysctl(name: &str, value: i64) -> String {
    format!("sudo sysctl -w {name}={value}")
}

/// What gives this program capabilities (named without `CAP_`). Root without them is in a container, mostly.
pub(super) fn set_capabilities(machine: &Machine, names: &[&str]) -> String {
    if machine.uid == 0 {
        let added: Vec<String> = names.iter().map(|name| format!("--cap-add {name}")).collect();
        return format!("in a container of root's: docker run {} ...", added.join(" "));
    }
    let names: Vec<String> = names.iter().map(|name| format!("cap_{}", name.to_lowercase())).collect();
    let program = std::env::current_exe().map_or_else(|_| "trace".into(), |path| path.display().to_string());
    format!("run trace as root, or: sudo setcap {}+ep '{program}'", names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_bits() {
        let of = |capabilities: &str| Machine { capabilities: capabilities.to_owned(), ..Machine::default() };
        assert!(of("000001ffffffffff").has(Capability::Bpf));
        assert!(!of("0000000000000000").has(Capability::SysAdmin));
        assert!(
            of("0000000000200000").has(Capability::SysAdmin)
                && !of("0000000000200000").has(Capability::Perfmon)
        );
    }

    #[test]
    fn this_process_is_known() {
        let machine = Machine::of_this_process();
        assert!(!machine.kernel.is_empty() && machine.capabilities.len() == 16, "{machine:?}");
        assert!(sysctl("kernel.osrelease").is_some_and(|release| release == machine.kernel));
        assert_eq!(sysctl("kernel.no.such.thing"), None);
    }
}
