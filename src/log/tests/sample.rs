//! Logs and events to test with.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::event::stack::{Frame, Node};
use crate::event::{Abi, Event, FileStat, Flags, Kind};
use crate::log::{Clock, Ending, Error, FORMAT_VERSION, Header, Host, Reader, Writer};

pub(super) fn header() -> Header {
    Header {
        format: FORMAT_VERSION,
        writer: "0.1.0".to_owned(),
        command: vec!["python3".to_owned(), "-c".to_owned(), "print(\"é\")\n".to_owned()],
        cwd: "/home/user".to_owned(),
        environment: crate::log::Environment { variables: 23, digest: "5ba1".to_owned() },
        host: Host { name: "host".to_owned(), kernel: "6.18.0".to_owned(), ..Host::default() },
        backend: "ptrace".to_owned(),
        clock: Clock { name: "CLOCK_MONOTONIC".to_owned(), origin_ns: 5, realtime_ns: 1 << 60 },
        calibration: None,
        untraced: None,
        options: [("follow".to_owned(), "yes".to_owned())].into(),
        repeats: None,
        replayed: None,
    }
}

/// An event that owns its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Owned {
    event: Event<'static>,
    comm: Vec<u8>,
    texts: [Option<Vec<u8>>; 10],
}

impl Owned {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let texts = [
            event.path,
            event.path_abs,
            event.path2,
            event.path2_abs,
            event.file,
            event.file2,
            event.text,
            event.peer,
            event.argv,
            event.memory,
        ];
        let texts = texts.map(|text| text.map(<[u8]>::to_vec));
        let event = Event {
            comm: b"",
            path: None,
            path_abs: None,
            path2: None,
            path2_abs: None,
            file: None,
            file2: None,
            text: None,
            peer: None,
            argv: None,
            memory: None,
            ..*event
        };
        // All borrowed fields are empty now; naming them again gives them any lifetime.
        let event = Event { kind: event.kind, ..unborrowed(&event) };
        Self { event, comm: Vec::new(), texts }
    }

    pub(super) fn with_comm(mut self, comm: &[u8]) -> Self {
        self.comm = comm.to_vec();
        self
    }

    pub(super) fn get(&self) -> Event<'_> {
        let [path, path_abs, path2, path2_abs, file, file2, text, peer, argv, memory] =
            self.texts.each_ref().map(Option::as_deref);
        Event {
            comm: &self.comm,
            path,
            path_abs,
            path2,
            path2_abs,
            file,
            file2,
            text,
            peer,
            argv,
            memory,
            ..self.event
        }
    }
}

fn unborrowed(event: &Event<'_>) -> Event<'static> {
    let mut copy = Event::new(event.kind);
    copy.pid = event.pid;
    copy.tid = event.tid;
    copy.start_ns = event.start_ns;
    copy.end_ns = event.end_ns;
    copy.abi = event.abi;
    copy.nr = event.nr;
    copy.args = event.args;
    copy.ret = event.ret;
    copy.ip = event.ip;
    copy.stat = event.stat;
    copy.flags = event.flags;
    copy.stack = event.stack;
    copy
}

fn syscall(nr: u32, at: u64) -> Event<'static> {
    Event {
        pid: 100,
        tid: 101,
        comm: b"python3",
        start_ns: at,
        end_ns: Some(at.wrapping_add(900)),
        nr,
        ret: Some(0),
        ip: 0x7f12_3456_789a,
        ..Event::new(Kind::Syscall)
    }
}

/// One event of each sort, odd ones among them.
pub(super) fn events() -> Vec<Event<'static>> {
    let stat =
        FileStat { mode: 0o100_644, nlink: 1, size: -1, mtime_ns: i64::MIN, ino: u64::MAX, dev: 0xfe01 };
    vec![
        Event {
            path: Some(b"/usr/bin/python3"),
            path_abs: Some(b"/usr/bin/python3"),
            argv: Some(b"python3\0-c\0\0print(\"\xe9\")\n\0"),
            ..Event::new(Kind::Exec)
        },
        Event {
            path: Some(b"lib/../caf\xe9"),
            path_abs: Some(b"/home/user/lib/../caf\xe9"),
            file: Some(b"/home/user"),
            args: [0xffff_ff9c, u64::MAX, 0, 1 << 63, 5, 6],
            ret: Some(-2),
            ..syscall(257, 1_000)
        },
        Event {
            path: Some(b"/etc/passwd"),
            path_abs: Some(b"/etc/passwd"),
            stat: Some(stat),
            ..syscall(262, 3_000)
        },
        Event { path: Some(b""), path_abs: None, flags: Flags::BASE_UNKNOWN, ..syscall(257, 4_000) },
        Event { path: None, path_abs: Some(b"/only/absolute"), ..syscall(257, 5_000) },
        Event {
            path: Some(b"a"),
            path_abs: Some(b"/w/a"),
            path2: None,
            path2_abs: Some(b"/w/b"),
            ..syscall(82, 6_000)
        },
        Event { path2: Some(b"/x"), path2_abs: Some(b"/x"), file2: Some(b"pipe:[1]"), ..syscall(264, 7_000) },
        Event { end_ns: None, ret: None, ..syscall(231, 8_000) },
        Event { end_ns: Some(0), ret: Some(-512), flags: Flags::RESTARTED, ..syscall(35, 9_000) },
        Event { ret: Some(-4000), abi: Abi::I386, ..syscall(0x1f5, 10_000) },
        Event { abi: Abi::X32, nr: 0x4000_0208, ..syscall(0, 11_000) },
        Event { text: Some(b"/lib/x86_64-linux-gnu\xff\xfe"), ..syscall(89, 12_000) },
        Event { peer: Some(b"inet:127.0.0.1:80"), ret: Some(i64::MIN), ..syscall(42, 13_000) },
        Event { kind: Kind::Fork, ret: Some(102), args: [0x11, 102, 0, 0, 0, 0], ..syscall(0, 14_000) },
        Event { kind: Kind::Signal, nr: 17, ..syscall(0, 15_000) },
        Event { kind: Kind::Exit, ret: Some(-9), ..syscall(0, u64::MAX) },
        Event { text: Some(b"entry"), flags: Flags(u16::MAX), ..Event::new(Kind::Mark) },
        Frame { name: b"f;g", file: b"/x.py", line: 7, ..Frame::UNKNOWN }.event(1),
        Node { caller: None, frame: 1 }.event(1),
        Event { stack: Some(1), args: [3, 1_000_000, 0, 0, 0, 0], ..Event::new(Kind::Sample) },
        Event { text: Some(b"ring full"), ret: Some(7), ..Event::new(Kind::Lost) },
        Event { text: Some(b"wall_ns"), ret: Some(1 << 40), ..Event::new(Kind::Total) },
    ]
}

/// A directory with a log's name in it.
pub(super) struct Place {
    pub(super) directory: tempfile::TempDir,
    pub(super) path: PathBuf,
}

pub(super) fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.trace");
    Place { directory, path }
}

pub(super) fn write(path: &Path, events: &[Event<'_>]) {
    write_with(path, &header(), events);
}

pub(super) fn write_with(path: &Path, header: &Header, events: &[Event<'_>]) {
    let mut writer = Writer::create(path, header).unwrap();
    for event in events {
        writer.push(event);
    }
    let summary = writer.finish().unwrap();
    assert_eq!(summary.bytes, path.metadata().unwrap().len());
}

/// The bytes of a log of several small batches.
pub(super) fn log_of_batches(batches: usize) -> (Vec<u8>, Vec<Event<'static>>) {
    let schema = crate::log::schema::schema(&header()).unwrap();
    let mut encoder = crate::log::write::Encoder::new(schema).unwrap();
    let mut bytes = Vec::new();
    let mut all = Vec::new();
    let mut rows = crate::log::write::Rows::with_room(9, 0);
    let mut counts = crate::log::counts::Counts::default();
    for batch in 0..batches {
        let mut events = events();
        events.rotate_left(batch % 7);
        for event in &events {
            rows.push(event);
        }
        counts.add(rows.counts);
        if batch + 1 == batches {
            for (name, value) in [("events", counts.events as i64), ("lost", counts.lost_total())] {
                events.push(Event {
                    text: Some(name.as_bytes()),
                    ret: Some(value),
                    ..Event::new(Kind::Total)
                });
                rows.push(&events[events.len() - 1]);
            }
        }
        encoder.encode(&rows).unwrap();
        rows.clear();
        all.extend(events);
        encoder.take_output(|output| bytes.extend_from_slice(output));
    }
    encoder.finish().unwrap();
    encoder.take_output(|output| bytes.extend_from_slice(output));
    (bytes, all)
}

/// The same log as one who knows what he does would have it, or a version of old: without checksums.
pub(super) fn without_checksums(log: &[u8]) -> Vec<u8> {
    const SUMS: usize = 16;
    let mut bytes = Vec::new();
    let mut rest = log;
    while let Some((prefix, behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(prefix[4..].try_into().unwrap()) as usize;
        if length == 0 {
            bytes.extend_from_slice(prefix);
            assert!(behind.is_empty());
            break;
        }
        let metadata = &behind[..length - SUMS];
        let body = arrow_ipc::root_as_message(metadata).unwrap().bodyLength() as usize;
        bytes.extend_from_slice(&prefix[..4]);
        bytes.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
        bytes.extend_from_slice(metadata);
        bytes.extend_from_slice(&behind[length..length + body]);
        rest = &behind[length + body..];
    }
    bytes
}

/// Everything that can be read of a log.
pub(super) fn read(bytes: &[u8]) -> (Vec<Owned>, Result<Ending, Error>) {
    let mut events = Vec::new();
    let mut reader = match Reader::new(Cursor::new(bytes.to_vec())) {
        Ok(reader) => reader,
        Err(error) => return (events, Err(error)),
    };
    let ending = reader.for_each(|event| events.push(Owned::of(event).with_comm(event.comm)));
    (events, ending)
}

/// Runs a test of this binary alone in a process, for limits and peaks that hold for a process.
/// `path` is handed to it in the environment variable [`ALONE`].
pub(super) fn run_alone(test: &str, path: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ALONE, path);
    command
}

/// See [`run_alone`].
pub(super) const ALONE: &str = "TRACE_TEST_LOG_ALONE";

pub(super) fn assert_success(command: &mut std::process::Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
