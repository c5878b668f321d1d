//! An event as one object of JSON: every column of a log, under its name there (docs/log-format.md).
//!
//! For programs without a reader of Arrow. What a log leaves out because another column has it is there: `path` as
//! passed, also where it is absolute; flags by their names.

use serde::{Serialize, Serializer};

use crate::analysis::text::{Text, arguments};
use crate::event::{Event, Flags, Kind};
use crate::syscall;
use crate::syscall::flags::write_radix;

/// The columns of an event.
#[derive(Serialize)]
pub struct Row<'a> {
    kind: &'static str,
    pid: u32,
    tid: u32,
    comm: Bytes<'a>,
    start_ns: u64,
    duration_ns: Option<u64>,
    syscall: Option<String>,
    family: Option<&'static str>,
    abi: &'static str,
    nr: u32,
    a0: u64,
    a1: u64,
    a2: u64,
    a3: u64,
    a4: u64,
    a5: u64,
    ret: Option<i64>,
    errno: Option<String>,
    ip: u64,
    path: Option<Bytes<'a>>,
    path_abs: Option<Bytes<'a>>,
    path2: Option<Bytes<'a>>,
    path2_abs: Option<Bytes<'a>>,
    file: Option<Bytes<'a>>,
    file2: Option<Bytes<'a>>,
    text: Option<Bytes<'a>>,
    peer: Option<Bytes<'a>>,
    argv: Option<Vec<Bytes<'a>>>,
    st_mode: Option<u32>,
    st_nlink: Option<u32>,
    st_size: Option<i64>,
    st_mtime_ns: Option<i64>,
    st_ino: Option<u64>,
    st_dev: Option<u64>,
    flags: Vec<&'static str>,
    stack: Option<u32>,
    replayed_ns: Option<u64>,
    memory: Option<String>,
}

/// Bytes of a traced program, as a string.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Text::from(self.0).serialize(serializer)
    }
}

impl<'a> From<&Event<'a>> for Row<'a> {
    fn from(event: &Event<'a>) -> Self {
        let is_call = event.kind == Kind::Syscall;
        let spec = syscall::lookup(event.abi, event.nr).filter(|_| is_call);
        let unknown = || format!("syscall_{:#x}", event.nr);
        let name = |errno| {
            syscalls::Errno::new(errno).name().map_or_else(|| format!("errno_{errno}"), str::to_owned)
        };
        let [a0, a1, a2, a3, a4, a5] = event.args;
        Self {
            kind: event.kind.name(),
            pid: event.pid,
            tid: event.tid,
            comm: Bytes(event.comm),
            start_ns: event.start_ns,
            duration_ns: event.duration_ns(),
            syscall: is_call.then(|| spec.map_or_else(unknown, |spec| spec.name.to_owned())),
            family: spec.map(|spec| spec.family.name()),
            abi: event.abi.name(),
            nr: event.nr,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            ret: event.ret,
            errno: event.errno().filter(|_| is_call).map(name),
            ip: event.ip,
            path: event.path.map(Bytes),
            path_abs: event.path_abs.map(Bytes),
            path2: event.path2.map(Bytes),
            path2_abs: event.path2_abs.map(Bytes),
            file: event.file.map(Bytes),
            file2: event.file2.map(Bytes),
            text: event.text.map(Bytes),
            peer: event.peer.map(Bytes),
            argv: event.argv.map(|argv| arguments(argv).map(Bytes).collect()),
            st_mode: event.stat.map(|stat| stat.mode),
            st_nlink: event.stat.map(|stat| stat.nlink),
            st_size: event.stat.map(|stat| stat.size),
            st_mtime_ns: event.stat.map(|stat| stat.mtime_ns),
            st_ino: event.stat.map(|stat| stat.ino),
            st_dev: event.stat.map(|stat| stat.dev),
            flags: flags(event.flags),
            stack: event.stack,
            replayed_ns: event.replayed_ns,
            memory: event.memory.map(hexadecimal),
        }
    }
}

/// Two digits a byte.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    for &byte in bytes {
        write_radix(&mut text, u64::from(byte), 16, 2);
    }
    String::from_utf8(text).unwrap_or_default()
}

fn flags(flags: Flags) -> Vec<&'static str> {
    Flags::ALL.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::call;
    use crate::log::Column;

    fn value(event: &Event<'_>) -> serde_json::Value {
        serde_json::to_value(Row::from(event)).unwrap()
    }

    #[test]
    fn every_column_is_there() {
        let value = value(&Event::new(Kind::Exit));
        let names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let mut columns = Column::ALL.map(Column::name);
        let mut sorted = names.clone();
        sorted.sort_unstable();
        columns.sort_unstable();
        assert_eq!(sorted, columns);
        assert_eq!(
            (&value["syscall"], &value["errno"]),
            (&serde_json::Value::Null, &serde_json::Value::Null)
        );
    }

    #[test]
    fn names_stand_beside_numbers() {
        let mut flags = Flags::TRUNCATED;
        flags.set(Flags::BESIDE);
        let path = Some(&b"/a\xff"[..]);
        let value = value(&Event { path, path_abs: path, flags, ..call("openat", 5, 6_000, -2) });
        assert_eq!(
            (&value["syscall"], &value["family"], &value["errno"]),
            (&"openat".into(), &"open".into(), &"ENOENT".into())
        );
        assert_eq!((&value["path"], &value["path_abs"]), (&"/a\u{10feff}".into(), &"/a\u{10feff}".into()));
        assert_eq!(value["flags"], serde_json::json!(["truncated", "beside"]));
        assert_eq!(value["duration_ns"], 6_000);
        let odd = serde_json::to_value(Row::from(&Event {
            nr: 4000,
            ret: Some(-4000),
            ..Event::new(Kind::Syscall)
        }));
        let odd = odd.unwrap();
        assert_eq!((&odd["syscall"], &odd["errno"]), (&"syscall_0xfa0".into(), &"errno_4000".into()));
        let argv = Event { argv: Some(b"sh\0-c\0"), ..Event::new(Kind::Exec) };
        assert_eq!(serde_json::to_value(Row::from(&argv)).unwrap()["argv"], serde_json::json!(["sh", "-c"]));
    }
}
