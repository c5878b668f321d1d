//! Extended attributes, and questions about file systems.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::plan::AttributeCall;
use crate::sys::attributes::take_directories;
use crate::sys::files::tests_support::takes_attributes;

const ENODATA: i64 = -(libc::ENODATA as i64);

struct Attributes(Log);

impl Attributes {
    fn call(&mut self, at: At, path: &str, call: AttributeCall, size: u32, ret: i64) {
        let name = if call == AttributeCall::List { "" } else { "user.note" };
        let (path, name) = (self.0.path(path), self.0.path(name));
        // A list and a value that is asked for have more room than they need.
        self.0.call(Op::Attribute { at, path, nofollow: false, call, name, size, flags: 0 }, ret);
    }

    /// Without following a link.
    fn of_link(&mut self, path: &str, call: AttributeCall, ret: i64) {
        let name = if call == AttributeCall::List { "" } else { "user.note" };
        let (path, name) = (self.0.path(path), self.0.path(name));
        self.0
            .call(Op::Attribute { at: At::Cwd, path, nofollow: true, call, name, size: 100, flags: 0 }, ret);
    }

    /// Only where there is none.
    fn create(&mut self, path: &str) {
        let (path, name) = (self.0.path(path), self.0.path("user.note"));
        let (call, flags) = (AttributeCall::Set, libc::XATTR_CREATE as u8);
        self.0.call(Op::Attribute { at: At::Cwd, path, nofollow: true, call, name, size: 7, flags }, 0);
    }
}

fn log() -> Log {
    let mut log = Log::new();
    log.stat("old", 0, file(0o644, 100, 1));
    log.open("new", CREATE, 4);
    let mut log = Attributes(log);
    log.call(At::Fd(4), "", AttributeCall::Get, 100, ENODATA);
    log.call(At::Fd(4), "", AttributeCall::Set, 5, 0);
    log.call(At::Cwd, "new", AttributeCall::Get, 100, 5);
    log.call(At::Cwd, "/w/new", AttributeCall::List, 100, 10);
    log.call(At::Cwd, "missing", AttributeCall::Get, 100, ENOENT);
    if take_directories() {
        // A link that leads nowhere.
        log.0.symlink("nowhere", "link", 0);
        log.of_link("link", AttributeCall::List, 0);
        log.of_link("link", AttributeCall::Get, ENODATA);
        log.of_link("new", AttributeCall::Get, 5);
    } else {
        eprintln!("skipped: attributes of links, for this kernel's calls take no directory to start from");
    }
    log.create("old");
    log.call(At::Cwd, "/w/old", AttributeCall::Get, 0, 7);
    log.call(At::Cwd, "new", AttributeCall::Remove, 0, 0);
    log.call(At::Cwd, "new", AttributeCall::List, 100, 0);
    // What the rights are is not in the log, and the kernel takes no bytes that are none.
    let (path, name) = (log.0.path("old"), log.0.path("system.posix_acl_access"));
    let call = AttributeCall::Set;
    log.0.call(Op::Attribute { at: At::Cwd, path, nofollow: false, call, name, size: 28, flags: 0 }, 0);
    let (path, own) = (log.0.path("old"), log.0.path(""));
    log.0.call(Op::FileSystem { at: At::Cwd, path }, 0);
    log.0.call(Op::FileSystem { at: At::Fd(4), path: own }, 0);
    log.0.close(4);
    log.0
}

#[test]
fn attributes_are_set_and_asked_for_in_every_way_of_making_the_calls() {
    let base = tempfile::tempdir().unwrap();
    let path = CString::new(base.path().as_os_str().as_bytes()).unwrap();
    if !takes_attributes(&path) {
        eprintln!("skipped: no extended attributes on {}", base.path().display());
        return;
    }
    for guard in guards() {
        let told = replay(log().plan(), guard, base.path()).unwrap();
        let calls = log().plan().len();
        match guard {
            // Runs after the first find none on what was there before.
            Guard::Namespaces => {
                let told = told.replace(", 1 sets an attribute whose value is not in the log", "");
                assert_eq!(told, format!("{} replayed", calls - 1));
            }
            // What depends on those that were set differs.
            _ => assert!(told.contains("3 sets attributes") && !told.contains("void"), "{told}"),
        }
    }
}
