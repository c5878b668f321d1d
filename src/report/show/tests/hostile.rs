//! Whatever an event holds, a line comes out that is printable ASCII.

use proptest::prelude::*;

use super::super::{Options, Time, Who, line};
use crate::event::{Abi, Event, FileStat, Flags, Kind};
use crate::syscall;
use crate::syscall::decode::{Constants, Descriptors, Details, Hex, Style};

#[derive(Clone, Debug)]
struct Anything {
    thread: (u32, u32),
    start_ns: u64,
    end_ns: Option<u64>,
    ret: Option<i64>,
    kind: Kind,
    abi: Abi,
    nr: u32,
    args: [u64; 6],
    texts: Vec<Option<Vec<u8>>>,
    mode: Option<(u32, i64)>,
    memory: Option<Vec<u8>>,
    flags: u16,
    options: Options,
}

/// Bytes that are likely to be mistaken for something: escapes, brackets, the forms of addresses.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let tricky = prop::sample::select(vec![
        &b"inet:"[..],
        b"inet6:[",
        b"unix:@",
        b"netlink:",
        b"flags=0x",
        b" mode=0o",
        b"\x1b]0;",
        b"\x9b",
        b"]:",
        b"/",
        b"\0",
        b"\"",
        b"\\",
        b"<",
        b">",
        b"0",
        b"9",
        b"\n",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        prop::collection::vec(tricky, 0..6).prop_map(|parts| parts.concat()),
    ]
}

/// Values that are flags of something, more often than chance would have it.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..0x2000_u64, Just(u64::MAX), (0..64_u32).prop_map(|bit| 1 << bit)]
}

fn options() -> impl Strategy<Value = Options> {
    let who = prop::sample::select(vec![Who::Hidden, Who::Thread, Who::Named]);
    let time = prop_oneof![Just(Time::Hidden), word().prop_map(Time::Since), word().prop_map(Time::Epoch)];
    let hex = prop::sample::select(vec![Hex::Never, Hex::Characters, Hex::Unprintable, Hex::All]);
    let constants = prop::sample::select(vec![Constants::Names, Constants::Numbers, Constants::Both]);
    let switches = (any::<[bool; 7]>(), constants);
    let style = (0..100_usize, hex, switches).prop_map(|(strings, hex, (switches, constants))| {
        let [verbose, files, names, environment, raw, addresses, all] = switches;
        let details = if all { Details::ALL } else { Details::default() };
        let dumps = [Descriptors::parse(if all { "all" } else { "none" }).expect("a set"); 2];
        let namespaces = all;
        Style {
            strings,
            hex,
            verbose,
            files,
            names,
            namespaces,
            inner_paths: all,
            details,
            raw,
            addresses,
            dumps,
            constants,
            environment,
        }
    });
    (who, time, any::<bool>(), style).prop_map(|(who, time, duration, style)| Options {
        who,
        time,
        duration,
        style,
    })
}

fn anything() -> impl Strategy<Value = Anything> {
    let kind = prop_oneof![4 => Just(Kind::Syscall), 3 => prop::sample::select(Kind::ALL.to_vec())];
    let nr = prop_oneof![9 => 0..560_u32, 1 => any::<u32>()];
    let call = (kind, prop::sample::select(Abi::ALL.to_vec()), nr, prop::array::uniform6(word()));
    let ret = prop_oneof![any::<i16>().prop_map(i64::from), any::<i64>()];
    let times = (word(), prop::option::of(word()), prop::option::of(ret));
    let texts = prop::collection::vec(prop::option::of(text()), 10);
    let memory = prop::option::of(prop::collection::vec(any::<u8>(), 0..600));
    let others = (any::<(u32, u32)>(), any::<Option<(u32, i64)>>(), any::<u16>(), memory);
    (call, times, texts, others, options()).prop_map(|(call, times, texts, others, options)| {
        let ((kind, abi, nr, args), (start_ns, end_ns, ret), (thread, mode, flags, memory)) =
            (call, times, others);
        Anything { thread, start_ns, end_ns, ret, kind, abi, nr, args, texts, mode, memory, flags, options }
    })
}

/// A snapshot that has these bytes wherever an argument or a part of them points to.
fn everywhere(args: &[u64; 6], bytes: &[u8]) -> Vec<u8> {
    let inside = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    let mut kept = Vec::new();
    for address in args.iter().copied().chain(inside.take(20)).chain([0]) {
        for phase in [0, 1] {
            kept.push(phase);
            kept.extend_from_slice(&address.to_le_bytes());
            kept.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            kept.extend_from_slice(bytes);
        }
    }
    kept
}

fn print(anything: &Anything) -> Vec<u8> {
    let Anything { start_ns, end_ns, ret, .. } = *anything;
    let (pid, tid) = anything.thread;
    let text = |index: usize| anything.texts[index].as_deref();
    let stat = anything.mode.map(|(mode, size)| FileStat { mode, size, ..FileStat::default() });
    let memory = anything.memory.as_deref().map(|bytes| everywhere(&anything.args, bytes));
    let event = Event {
        memory: memory.as_deref(),
        pid,
        tid,
        comm: text(0).unwrap_or_default(),
        start_ns,
        end_ns,
        abi: anything.abi,
        nr: anything.nr,
        args: anything.args,
        ret,
        path: text(1),
        path_abs: text(2),
        path2: text(3),
        path2_abs: text(4),
        file: text(5),
        file2: text(6),
        text: text(7),
        peer: text(8),
        argv: text(9),
        stat,
        flags: Flags(anything.flags),
        ..Event::new(anything.kind)
    };
    let mut out = Vec::new();
    line(&mut out, &event, &anything.options);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_line_is_printable(anything in anything()) {
        let line = print(&anything);
        prop_assert!(!line.is_empty());
        prop_assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)), "{}", line.escape_ascii());
    }
}

/// Every call of the tables with the same hostile text everywhere.
#[test]
fn every_call_escapes_its_texts() {
    let bell = Some(b"\x07\x1b[2J\xc2\x9b".to_vec());
    for abi in Abi::ALL {
        for spec in syscall::table(abi) {
            let anything = Anything {
                thread: (1, 1),
                start_ns: 0,
                end_ns: Some(0),
                ret: Some(3),
                kind: Kind::Syscall,
                abi,
                nr: spec.nr,
                args: [7; 6],
                texts: vec![bell.clone(); 10],
                mode: Some((0o100_644, 1)),
                memory: None,
                flags: 0,
                options: Options { who: Who::Named, ..Options::default() },
            };
            let deep =
                Anything { memory: Some(b"\x07\x1b[2J\xc2\x9b1234567".repeat(30)), ..anything.clone() };
            let line = [print(&anything), print(&deep)].concat();
            assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)), "{}", line.escape_ascii());
        }
    }
}
