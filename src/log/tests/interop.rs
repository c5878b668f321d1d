//! pyarrow and polars read our logs: `tests/log_interop.py` decodes one by the rules of
//! `docs/log-format.md` and compares it with what was written.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::sample;
use crate::event::{Event, Kind};

/// The Python that has pyarrow and polars.
const PYTHON: &str = "TRACE_TEST_PYTHON";

/// The fields of an event as the script expects them.
fn expected(event: &Event<'_>) -> Value {
    let is_call = event.kind == Kind::Syscall;
    let spec = crate::syscall::lookup(event.abi, event.nr).filter(|_| is_call);
    let unknown = is_call.then(|| format!("syscall_{:#x}", event.nr));
    let errno = event.errno().filter(|_| is_call).map(|errno| {
        syscalls::Errno::new(errno).name().map_or_else(|| format!("errno_{errno}"), str::to_owned)
    });
    json!({
        "kind": event.kind.name(),
        "pid": event.pid,
        "tid": event.tid,
        "comm": event.comm,
        "start_ns": event.start_ns,
        "duration_ns": event.end_ns.map(|end| end.wrapping_sub(event.start_ns)),
        "syscall": spec.map(|spec| spec.name.to_owned()).or(unknown),
        "family": spec.map(|spec| spec.family.name()),
        "abi": event.abi.name(),
        "nr": event.nr,
        "args": event.args,
        "ret": event.ret,
        "errno": errno,
        "ip": event.ip,
        "path": event.path,
        "path_abs": event.path_abs,
        "path2": event.path2,
        "path2_abs": event.path2_abs,
        "file": event.file,
        "file2": event.file2,
        "text": event.text,
        "peer": event.peer,
        "argv": event.argv,
        "st_mode": event.stat.map(|stat| stat.mode),
        "st_nlink": event.stat.map(|stat| stat.nlink),
        "st_size": event.stat.map(|stat| stat.size),
        "st_mtime_ns": event.stat.map(|stat| stat.mtime_ns),
        "st_ino": event.stat.map(|stat| stat.ino),
        "st_dev": event.stat.map(|stat| stat.dev),
        "flags": event.flags.0,
        "stack": event.stack,
    })
}

#[test]
fn pyarrow_and_polars_read_our_logs() {
    let Ok(python) = std::env::var(PYTHON) else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{PYTHON} names no Python with pyarrow and polars"
        );
        eprintln!("skipped: {PYTHON} names no Python with pyarrow and polars");
        return;
    };
    let place = sample::place();
    let (log, events) = sample::log_of_batches(4);
    fs::write(&place.path, log).unwrap();
    let mut lines = String::new();
    for event in &events {
        writeln!(lines, "{}", expected(event)).unwrap();
    }
    let expected = place.directory.path().join("expected");
    fs::write(&expected, lines).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log_interop.py");
    let output = Command::new(python).arg(script).arg(&place.path).arg(expected).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 2);
}
