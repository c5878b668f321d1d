//! Which calls are shown whole: the table of docs/strace.md.

use std::fmt::Write as _;

use super::tables::has_form;
use crate::event::Abi;
use crate::syscall::{self, Arg, Classes, Spec};

/// Calls whose arguments mean what another argument says, of which only the common cases are known.
const BY_OPERATION: [&str; 10] = [
    "ioctl",
    "prctl",
    "keyctl",
    "ptrace",
    "arch_prctl",
    "bpf",
    "seccomp",
    "quotactl",
    "quotactl_fd",
    "fcntl",
];

/// Whether strace looks into an argument of the call of which we show the address.
fn shows_an_address(spec: &Spec) -> bool {
    spec.args.iter().enumerate().any(|(index, arg)| match arg.arg {
        _ if super::rare::has_form(spec, index) => false,
        Arg::In(kind) | Arg::Out(kind) | Arg::InOut(kind) => !has_form(kind) && !has_own_form(spec, index),
        Arg::OutBuf => !super::strings::BUFFERS.contains(&spec.name) && !has_own_form(spec, index),
        Arg::Buf if has_own_form(spec, index) => false,
        Arg::Buf => spec.args.get(index + 1).is_none_or(|next| next.arg != Arg::Size),
        _ => false,
    })
}

/// Arguments whose form hangs on the call.
fn has_own_form(spec: &Spec, index: usize) -> bool {
    match spec.name {
        "clone3" | "get_mempolicy" | "set_mempolicy" | "getsockopt" | "setsockopt" => true,
        "getdents" | "getdents64" | "readlink" | "readlinkat" | "getcwd" | "getrandom" => index <= 2,
        _ => false,
    }
}

/// One line a class: how many calls, how many whole, and which not.
fn table() -> String {
    let mut text = String::from(
        "| class | calls | whole | with an address in place of a structure or buffer |\n|---|---|---|---|\n",
    );
    let classes = ["file", "desc", "process", "memory", "signal", "network", "clock", "creds", "ipc"];
    for name in classes {
        let class = Classes::ALL.iter().find(|(_, known)| *known == name).expect("a class").0;
        let calls = || syscall::table(Abi::X86_64).iter().filter(|spec| spec.classes.intersects(class));
        let partly: Vec<&str> = calls().filter(|spec| shows_an_address(spec)).map(|spec| spec.name).collect();
        let all = calls().count();
        let list = partly.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| `%{name}` | {all} | {} | {list} |", all - partly.len()).expect("memory");
    }
    text
}

#[test]
fn the_coverage_is_documented() {
    let page = include_str!("../../../docs/strace.md");
    assert!(page.contains(&table()), "docs/strace.md should have\n{}", table());
    for name in BY_OPERATION {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/strace.md does not say which cases of {name} are known"
        );
    }
}
