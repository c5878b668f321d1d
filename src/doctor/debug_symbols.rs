//! Names of functions of programs: here those of the C library, through which most calls are made.

use std::path::{Path, PathBuf};

use super::check::Check;
use super::elf::Sections;
use super::machine::Machine;
use super::sys::child::Step;

/// Looks for the symbols of the C library that this program or its shell runs on.
pub(super) fn check(machine: &Machine) -> Check {
    let mut check = Check::new("debug symbols", "names of functions in stacks of machine code");
    let library = c_library();
    let sections = library.as_deref().and_then(Sections::of);
    let has = |name: &str| sections.as_ref().is_some_and(|sections| sections.has(name));
    let name = library.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    if has(".dynsym") {
        check.essential("C library's names", Step::Done(0), |_| format!("exported functions of {name}"));
    } else {
        check.refuted("C library's names", format!("no exported functions in {name}"));
    }
    if has(".eh_frame") {
        check.essential("unwinding", Step::Done(0), |_| "tables for stacks are there".to_owned());
    } else {
        check.refuted("unwinding", "no tables for stacks (.eh_frame)".to_owned());
    }
    let separate = sections.as_ref().and_then(Sections::debug_file).filter(|path| path.exists());
    let place = match separate {
        Some(file) => Some(format!("in {}", file.display())),
        None => has(".symtab").then(|| "in the library".to_owned()),
    };
    let works = place.is_some();
    check.found(
        "names of all its functions",
        place.ok_or("neither in the library nor in a file of their own"),
    );
    if library.is_none() {
        check.because("no C library was found in the memory of this program", "none: this build is static");
    } else if !works {
        let (package, command) = package(&machine.system);
        check.because(format!("{package} is not installed"), command);
    }
    check.or_unknown()
}

/// From the mappings of this process.
fn c_library() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps.lines().filter_map(|line| Some(Path::new(line.split_once('/')?.1)));
    let is_libc = |path: &&Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libc.so") || name.starts_with("libc-") || name.starts_with("ld-musl")
    };
    paths.into_iter().find(is_libc).map(|path| Path::new("/").join(path))
}

/// The package that has them, and the command that installs it.
fn package(system: &str) -> (&'static str, &'static str) {
    match system {
        "debian" | "ubuntu" | "linuxmint" | "pop" | "raspbian" => {
            ("libc6-dbg", "sudo apt-get install libc6-dbg")
        }
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" => {
            ("glibc-debuginfo", "sudo dnf debuginfo-install glibc")
        }
        "alpine" => ("musl-dbg", "sudo apk add musl-dbg"),
        _ => ("a package of debug symbols", "export DEBUGINFOD_URLS=https://debuginfod.elfutils.org"),
    }
}
