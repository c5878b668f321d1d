//! Recording with `trace record`, and its log as [`Call`]s. The only place of these tests that knows the log's reader.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use trace::event::{Abi, Event, Flags, Kind};
use trace::log::{Ending, Reader};
use trace::syscall;

use super::call::{Call, Text};
use super::run;
use super::skip::skip;

/// The shortest path that the kernel finds too long (`PATH_MAX` without the NUL byte).
const TOO_LONG: usize = 4095;

/// One row of a log.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// Process.
    pub pid: u32,
    /// Number of the call or signal.
    pub nr: u32,
    /// Arguments, as many as the call takes.
    pub args: Vec<u64>,
    /// Text: the name of a mark, a loss, a total.
    pub text: String,
    /// Begin and end, in nanoseconds; no end: never returned.
    pub times_ns: (u64, Option<u64>),
    /// The rest, in the form that is compared. For rows that are not calls, only `tid` and `ret` mean something.
    pub call: Call,
}

/// A log, read whole.
#[derive(Debug)]
pub struct Log {
    /// Its rows in order, totals included.
    pub rows: Vec<Row>,
    /// How it ended.
    pub ending: Ending,
}

thread_local! {
    /// What [`command`] records with.
    static BACKEND: Cell<&'static str> = const { Cell::new("ptrace") };
}

/// Runs a test once for each backend, which [`command`] then records with; without eBPF, that is said.
pub fn each_backend(name: &str, test: impl Fn()) {
    test();
    match ebpf_refused() {
        None => {
            BACKEND.set("ebpf");
            test();
            BACKEND.set("ptrace");
        }
        Some(why) => skip(&format!("ebpf on {name}"), why),
    }
}

/// What [`command`] records with now.
pub fn backend() -> &'static str {
    BACKEND.get()
}

/// `trace record` writing to `output`, in `dir`, by ptrace if the test is not for [`each_backend`]; the traced command
/// is to be added.
pub fn command(output: &Path, dir: &Path) -> Command {
    command_by(backend(), output, dir)
}

/// As [`command`], by a backend of choice.
pub fn command_by(backend: &str, output: &Path, dir: &Path) -> Command {
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    command.args(["record", "--quiet", "--backend", backend, "-o"]).arg(output);
    command
}

/// Why the eBPF backend does not work here, if it does not.
pub fn ebpf_refused() -> Option<&'static str> {
    static REFUSED: LazyLock<Option<String>> = LazyLock::new(|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let tried = run::run(command_by("ebpf", &dir.path().join("log"), dir.path()).arg("true"));
        (!tried.status.success()).then_some(tried.stderr)
    });
    REFUSED.as_deref()
}

/// Reads a log whole.
pub fn read(path: &Path) -> Log {
    let mut reader = Reader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = Vec::new();
    let ending = reader.for_each(|event| rows.push(row(event)));
    Log { rows, ending: ending.unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
}

impl Log {
    /// The system calls, in order of completion.
    pub fn calls(&self) -> Vec<Call> {
        self.rows.iter().filter(|row| row.kind == Kind::Syscall).map(|row| row.call.clone()).collect()
    }

    /// Panics unless the log has its totals and nothing was lost.
    pub fn assert_complete(&self) {
        let lost: Vec<_> = self.rows.iter().filter(|row| row.kind == Kind::Lost).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let complete = matches!(self.ending, Ending::Complete { lost: Some(0), .. });
        assert!(complete, "the log's ending: {:?}", self.ending);
    }
}

fn row(event: &Event<'_>) -> Row {
    let spec = syscall::lookup(event.abi, event.nr).filter(|_| event.kind == Kind::Syscall);
    let name = match (event.kind, spec) {
        (Kind::Syscall, Some(spec)) => spec.name.to_owned(),
        (Kind::Syscall, None) => format!("syscall_{:#x}", event.nr),
        _ => String::new(),
    };
    let path = |text: Option<&[u8]>, unreadable| match text {
        Some(bytes) if bytes.len() >= TOO_LONG && event.flags.has(Flags::TRUNCATED) => Text::TooLong,
        None if event.flags.has(unreadable) => Text::Unreadable,
        _ => known(text),
    };
    let call = Call {
        tid: event.tid,
        name,
        ret: event.ret,
        is_i386: Some(event.abi == Abi::I386),
        is_restarted: Some(event.flags.has(Flags::RESTARTED)),
        paths: [path(event.path, Flags::PATH_UNREADABLE), path(event.path2, Flags::PATH2_UNREADABLE)],
        absolute: [event.path_abs, event.path2_abs].map(known),
        files: [event.file, event.file2].map(known),
    };
    Row {
        kind: event.kind,
        pid: event.pid,
        nr: event.nr,
        args: event.args[..spec.map_or(6, |spec| spec.args.len())].to_vec(),
        text: String::from_utf8_lossy(event.text.unwrap_or_default()).into_owned(),
        times_ns: (event.start_ns, event.end_ns),
        call,
    }
}

fn known(text: Option<&[u8]>) -> Text {
    text.map_or(Text::Absent, |bytes| Text::Is(bytes.to_vec()))
}
