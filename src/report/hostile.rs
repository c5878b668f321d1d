//! Events that no program makes: whatever a log says, an analysis ends and a report is written.

use proptest::prelude::*;

use super::look::Look;
use super::{flame, startup, stats, waterfall};
use crate::analysis::flame::Flame;
use crate::analysis::fold::{self, Metric};
use crate::analysis::startup::Startup;
use crate::analysis::stats::{By, Options, Stats};
use crate::analysis::testing::{header, with_untraced};
use crate::analysis::waterfall::Waterfall;
use crate::event::{Abi, Event, FileStat, Flags, Kind};
use crate::syscall;

/// What is made up of one event.
type Seed = (usize, u32, u32, (u64, Option<u64>), usize, [u64; 6], Option<i64>, Vec<u8>, u16);

fn seed() -> impl Strategy<Value = Seed> {
    let time = prop_oneof![0..10_000_u64, 0..10_000_000_000_u64, Just(u64::MAX)];
    let small = prop_oneof![0..16_u64, Just(u64::MAX), any::<u64>()];
    let args = prop::array::uniform6(small);
    let ret = prop_oneof![Just(None), (-520..520_i64).prop_map(Some), any::<i64>().prop_map(Some)];
    let text = prop_oneof![
        Just(b"/usr/bin/python3\0-c\0".to_vec()),
        Just(b"/l/python3.11/site.py".to_vec()),
        Just(b"/l/site-packages/a/__init__.py".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let who = 0..5_u32;
    (
        0..Kind::ALL.len(),
        who.clone(),
        who,
        (time.clone(), prop::option::of(time)),
        any::<usize>(),
        args,
        ret,
        text,
        any::<u16>(),
    )
}

fn event(seed: &Seed) -> Event<'_> {
    let (kind, pid, tid, (start_ns, end_ns), call, args, ret, text, flags) = seed;
    let table = syscall::table(Abi::X86_64);
    let text = (text.len() != 3).then_some(text.as_slice());
    Event {
        pid: *pid,
        tid: *tid,
        comm: text.unwrap_or_default(),
        start_ns: *start_ns,
        end_ns: *end_ns,
        abi: Abi::ALL[call % 3],
        nr: table[call % table.len()].nr,
        args: *args,
        ret: *ret,
        path: text,
        path_abs: text.filter(|text| text.len() % 2 == 0),
        file: text,
        text,
        argv: text,
        stat: (flags % 2 == 0).then_some(FileStat { mode: u32::from(*flags), ..FileStat::default() }),
        flags: Flags(*flags),
        stack: (flags % 3 != 0).then_some(u32::from(*flags % 8)),
        ..Event::new(Kind::ALL[*kind])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_events_make_a_report(seeds in prop::collection::vec(seed(), 0..60), walls in prop::collection::vec(any::<u64>(), 0..4)) {
        let header = with_untraced(header(), &walls);
        let mut all = Startup::new(&header);
        for seed in &seeds {
            all.add(&event(seed));
        }
        let (report, drawing) = all.finish();
        let mut out = Vec::new();
        let options = startup::Options { top: 3, look: Look { width: Some(70), colour: false }, last: "" };
        startup::write(&mut out, &report, options).unwrap();
        flame::svg(&mut out, &drawing, &flame::Caption::default()).unwrap();
        for (by, _) in fold::By::ALL {
            for metric in [Metric::Time, Metric::Elapsed, Metric::Count, Metric::Bytes, Metric::Cpu, Metric::Wall] {
                let mut some = Flame::new(&header, by);
                for (at, seed) in seeds.iter().enumerate() {
                    some.add(&event(seed), at % 7 != 0);
                }
                let mut some = some.finish(metric);
                some.graph.compare(&drawing.graph);
                let caption = flame::Caption { filter: Some("-Z"), other: Some("x") };
                flame::svg(&mut out, &some, &caption).unwrap();
                let mut text = Vec::new();
                flame::folded(&mut text, &some.graph, true).unwrap();
                let lines: Vec<_> = text.split_inclusive(|&b| b == b'\n').collect();
                prop_assert!(lines.iter().all(|line| flame::is_folded(line)));
            }
        }
        let mut picture = Waterfall::new(&header);
        for seed in &seeds {
            picture.add(&event(seed));
        }
        waterfall::svg(&mut out, &picture.finish()).unwrap();
        serde_json::to_vec(&report).unwrap();
        for (by, _) in By::ALL {
            let mut table = Stats::new(&header, by);
            for seed in &seeds {
                table.add(&event(seed));
            }
            let table = table.finish(Options::default());
            stats::write(&mut out, &table, "ptrace", Look::PLAIN).unwrap();
            serde_json::to_vec(&table).unwrap();
        }
    }
}
