//! Logs that try to get out of their tree, or ask for more than there may be.

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;
use crate::scratch::needs;

/// Everything below a directory: names, contents, modes, times of change.
fn everything(dir: &Path) -> Vec<(String, Vec<u8>, u32, i64, i64)> {
    let mut all = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                open.push(path.clone());
            }
            let content = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            all.push((path.display().to_string(), content, meta.mode(), meta.ctime(), meta.ctime_nsec()));
        }
    }
    all.sort();
    all
}

/// Logs that try to get out of their tree, each as if all it did had succeeded.
fn hostile(canary: &str) -> Vec<Log> {
    let up = "../".repeat(40);
    let outside = [
        canary.to_owned(),
        format!("{up}{}", &canary[1..]),
        format!("/proc/self/root{canary}"),
        format!("/proc/self/cwd/{up}{}", &canary[1..]),
        format!("/proc/1/root{canary}"),
        format!("/dev/fd/3/{up}{}", &canary[1..]),
    ];
    let mut logs: Vec<Log> = outside
        .iter()
        .map(|outside| {
            let mut log = Log::new();
            log.open(&format!("{outside}/file"), (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
            log.write(3, 100);
            log.call(Op::Fchmod { fd: 3, mode: 0o777 }, 0);
            log.create(&format!("{outside}/new"), 10);
            log.rename(&format!("{outside}/file"), &format!("{outside}/moved"), 0);
            log.unlink(&format!("{outside}/moved"), 0, 0);
            log.unlink(&format!("{outside}/file"), 0, 0);
            log.link(&format!("{outside}/file"), "here", 0);
            log.open("here", (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
            log
        })
        .collect();
    // Links to there, followed by whatever writes.
    let mut log = Log::new();
    log.symlink(canary, "link", 0);
    log.symlink("/", "root", 0);
    log.symlink(&format!("{up}{}", &canary[1..]), "relative", 0);
    for link in ["link", "relative", &format!("root{canary}")] {
        log.open(&format!("{link}/file"), (libc::O_WRONLY | libc::O_TRUNC) as u32, 3);
        log.write(3, 100);
        log.create(&format!("{link}/new"), 10);
        log.mkdir(&format!("{link}/directory"), 0);
        log.unlink(&format!("{link}/file"), 0, 0);
        log.rename("link", &format!("{link}/file"), 0);
        for path in [format!("{link}/file"), link.to_owned()] {
            let path = log.path(&path);
            log.call(Op::Chmod { at: At::Cwd, path, mode: 0 }, 0);
            log.call(Op::SetTimes { at: At::Cwd, path, flags: 0 }, 0);
            log.call(Op::Chown { at: At::Cwd, path, owner: 65534, group: 65534, flags: 0 }, 0);
            log.call(Op::Truncate { path, length: 0 }, 0);
        }
    }
    logs.push(log);
    // A directory of the tree becomes a link while it is held open, and below it files are to be put back.
    let mut log = Log::new();
    log.open("d/file", 0, 3);
    log.call(Op::Read { fd: 3, count: 4 }, 4);
    log.rename("d", "e", 0);
    log.symlink(canary, "d", 0);
    log.open("d/file", (libc::O_WRONLY | libc::O_TRUNC) as u32, 4);
    logs.push(log);
    // The root itself, the marker, devices.
    let mut log = Log::new();
    log.rename("/.trace-scratch", "/w/mine", 0);
    log.unlink("/.trace-scratch/marker", 0, 0);
    log.rename("/", "/w/root", 0);
    log.unlink("/", libc::AT_REMOVEDIR, 0);
    for device in ["/dev/null", "/dev/sda", "/dev/tty", "/proc/sysrq-trigger", "/sys/power/state"] {
        log.open(device, libc::O_WRONLY as u32, 5);
        log.write(5, 1);
    }
    logs.push(log);
    logs
}

#[test]
fn hostile_logs_reach_nothing_outside() {
    let outside = tempfile::tempdir().unwrap();
    let base = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "precious").unwrap();
    fs::create_dir(outside.path().join("d")).unwrap();
    symlink("/proc/self/root", outside.path().join("link")).unwrap();
    let fifo = std::ffi::CString::new(outside.path().join("fifo").to_str().unwrap()).unwrap();
    crate::sys::files::tests_support::make_fifo(&fifo);
    let before = everything(outside.path());
    let canary = outside.path().to_str().unwrap();
    for guard in guards() {
        for (number, log) in hostile(canary).into_iter().enumerate() {
            // All right, or nothing left to replay: no harm is what counts.
            let told = replay(log.plan(), guard, base.path());
            let nothing =
                matches!(&told, Err(ReplayError::Confined(error)) if error.contains("can be replayed"));
            assert!(nothing || told.is_ok(), "{guard:?}, {number}: {told:?}");
            assert_eq!(everything(outside.path()), before, "{guard:?}, {number}");
        }
    }
}

#[test]
fn what_is_too_much_is_an_error_before_anything_is_made() {
    let limits =
        ScratchLimits { entries: 1000, depth: 50, file_bytes: 1 << 30, written_bytes: 1 << 20, names: 100 };
    let exabyte = 1_i64 << 60;
    let error = |change: &dyn Fn(&mut Log)| {
        let mut log = Log::new();
        log.open("a", CREATE, 3);
        change(&mut log);
        needs(&log.plan(), &limits).unwrap_err().to_string()
    };
    let sparse = error(&|log| log.call(Op::Ftruncate { fd: 3, length: exabyte }, 0));
    assert!(sparse.contains("1152921504606846976 bytes"), "{sparse}");
    let far = error(&|log| log.call(Op::Pwrite { fd: 3, count: 1, offset: exabyte }, 1));
    assert_eq!(far, sparse.replace("1152921504606846976", "1152921504606846977"));
    let sought = error(&|log| {
        log.call(Op::Seek { fd: 3, offset: exabyte, whence: 0 }, exabyte);
        log.write(3, 1);
    });
    assert_eq!(sought, far);
    let said = error(&|log| log.stat("b", 0, file(0o644, exabyte as u64, 1)));
    assert_eq!(said, sparse);
    let allocated = error(&|log| log.call(Op::Allocate { fd: 3, mode: 0, offset: 0, length: 2 << 20 }, 0));
    assert!(allocated.contains("more than 1048576 bytes together"), "{allocated}");
    let written = error(&|log| (0..17).for_each(|_| log.write(3, 1 << 16)));
    assert_eq!(written, allocated);
    let deep = error(&|log| log.stat(&"d/".repeat(60), 0, StatFacts::default()));
    assert!(deep.contains("more than 50 deep"), "{deep}");
    let many = error(&|log| (0..1100).for_each(|number| log.stat(&number.to_string(), 0, file(0o644, 1, 1))));
    assert!(many.contains("more than 1000 files"), "{many}");
    let listed = error(&|log| {
        log.open("/list", libc::O_DIRECTORY as u32, 4);
        (0..100).for_each(|_| log.call(Op::ListDir { fd: 4, count: 1 << 20 }, 1 << 20));
        log.call(Op::ListDir { fd: 4, count: 1 << 20 }, 0);
    });
    assert_eq!(listed, many);
    let named = error(&|log| {
        let facts = StatFacts { file: Some((1, 7)), ..file(0o644, 1, 1) };
        (0..101).for_each(|number| log.stat(&number.to_string(), 0, facts));
    });
    assert!(named.contains("more than 100 names"), "{named}");
    let linked = |names: usize| {
        let mut log = Log::new();
        log.create("a", 1);
        log.link("a", "gone", 0);
        log.unlink("gone", 0, 0);
        (1..names).for_each(|number| log.link("a", &number.to_string(), 0));
        needs(&log.plan(), &limits).map_err(|error| error.to_string())
    };
    assert!(linked(100).is_ok());
    assert_eq!(linked(101).unwrap_err(), named);
}
