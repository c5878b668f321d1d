//! Recorded logs, changed at random: whatever a log says, reading it ends, and `show`, `stats`, `startup` and the
//! flame graph give text that is safe to print, or one clear error.
//!
//! Bytes are changed in logs whose batches were written anew without compression, so that changes reach numbers,
//! offsets, dictionary keys and text instead of ending at the decompressor. A failure names its seed. The short test
//! runs for two seconds; the long one for `TRACE_TEST_MUTATION_SECONDS`, from `TRACE_TEST_MUTATION_SEED`:
//!
//! ```text
//! TRACE_TEST_MUTATION_SECONDS=3600 cargo test --test suite -- --ignored mutated_logs_for_long
//! ```

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use trace::analysis::flame::Flame;
use trace::analysis::fold::{self, Metric};
use trace::analysis::stacks::Stacks;
use trace::analysis::startup::Startup;
use trace::analysis::stats::{By, Options, Stats};
use trace::log::Reader;
use trace::report::look::Look;
use trace::report::show::filter::Filter;
use trace::report::show::{self, Relative, Time, Who};
use trace::report::{flame, json, startup, stats};

/// Rows of the fixtures that are used: short logs are quick to read.
const ROWS: usize = 300;

/// A log of the fixtures, without compression.
pub fn plain(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs").join(name);
    let reader = StreamReader::try_new(Cursor::new(fs::read(path).expect("a fixture")), None).expect("a log");
    let options = IpcWriteOptions::try_new(8, false, arrow_ipc::MetadataVersion::V5).expect("good options");
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &reader.schema(), options).expect("a good schema");
    let batches: Vec<_> = reader.map(|batch| batch.expect("a good batch")).collect();
    // The beginning and the end, where the totals are.
    let (first, last) = (&batches[0], &batches[batches.len() - 1]);
    let kept = last.num_rows().min(ROWS);
    writer.write(&first.slice(0, first.num_rows().min(ROWS))).expect("memory");
    if batches.len() > 1 {
        writer.write(&last.slice(last.num_rows() - kept, kept)).expect("memory");
    }
    writer.finish().expect("memory");
    writer.into_inner().expect("memory")
}

/// Numbers that look random and are the same each time (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Text that is dangerous to print, and what breaks formats.
const NASTY: [&[u8]; 8] = [
    b"\x1b[31m",
    b"\xc2\x9b2J",
    b"\xe2\x80\xae",
    b"\xef\xbf\xbf",
    b"\xff\xfe",
    b"</svg>",
    b"\n\r\0",
    b"\xf4\x8f\xba\x80",
];

/// Changes some bytes: mostly after the header, where the events are.
fn mutate(log: &mut Vec<u8>, random: &mut Numbers) {
    for _ in 0..=random.below(8) {
        let from = if random.below(8) == 0 { 0 } else { log.len() / 8 };
        let at = from + random.below(log.len() - from);
        match random.below(6) {
            0 => log[at] ^= 1 << random.below(8),
            1 => log[at] = random.next() as u8,
            2 => overwrite(log, at / 8 * 8, &random.next().to_le_bytes()),
            3 => {
                let edge = [0, 1, u64::MAX, i64::MAX as u64, i64::MIN as u64, 1 << 32][random.below(6)];
                overwrite(log, at / 8 * 8, &edge.to_le_bytes());
            }
            4 => overwrite(log, at, NASTY[random.below(NASTY.len())]),
            _ => {
                // A piece of the log over another one: whole numbers and names in the wrong place.
                let len = 8 * (1 + random.below(64));
                let source = random.below(log.len().saturating_sub(len)) / 8 * 8;
                let piece = log[source..source + len].to_vec();
                overwrite(log, at / 8 * 8, &piece);
            }
        }
    }
    if random.below(16) == 0 {
        log.truncate(random.below(log.len()));
    }
}

fn overwrite(log: &mut [u8], at: usize, bytes: &[u8]) {
    let end = (at + bytes.len()).min(log.len());
    log[at..end].copy_from_slice(&bytes[..end - at]);
}

/// Whether text may be printed: no control but line breaks, no character that turns text around, nothing that XML forbids.
fn is_safe(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    text.chars().all(|c| {
        !(c.is_control() && c != '\n'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}'))
    })
}

/// Does with a log what the commands do; gives the number of events.
fn use_log(log: &[u8], random: &mut Numbers) -> usize {
    let mut reader = match Reader::new(Cursor::new(log.to_vec())) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            return 0;
        }
    };
    let filter = ["all", "%file,close", "!%memory", "/^open"][random.below(4)];
    let filter = Filter::parse(filter).expect("a filter").with_path(Path::new("/usr"));
    let mut options = show::Options { who: Who::Named, ..show::Options::default() };
    let mut relative = Relative::default();
    let (by, _) = By::ALL[random.below(By::ALL.len())];
    let mut stats = Stats::new(reader.header(), by);
    let mut startup = Startup::new(reader.header());
    let mut by_stack = Flame::new(reader.header(), fold::By::Stack);
    let mut known = Stacks::default();
    let backend = reader.header().backend.clone();
    let (mut events, mut line) = (0, Vec::new());
    let ending = reader.for_each(|event| {
        events += 1;
        line.clear();
        options.time = if events % 2 == 0 { relative.next(event.start_ns) } else { Time::Epoch(u64::MAX) };
        show::line(&mut line, event, &options);
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)), "{line:?}");
        let _ = filter.matches(event);
        stats.add(event);
        startup.add(event);
        by_stack.add(event, true);
        known.add(event);
        line.clear();
        show::stack::write(&mut line, &known, event.stack.unwrap_or(0));
        assert!(line.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{line:?}");
    });
    if let Err(error) = ending {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    report(stats, startup, &backend);
    let metric = [Metric::Cpu, Metric::Count][random.below(2)];
    let mut folded = Vec::new();
    flame::folded(&mut folded, &by_stack.finish(metric).graph, false).expect("memory");
    assert!(is_safe(&folded), "{}", String::from_utf8_lossy(&folded).escape_debug());
    events
}

fn report(stats: Stats, startup: Startup, backend: &str) {
    let table = stats.finish(Options::default());
    let (report, stacks) = startup.finish();
    let mut text = Vec::new();
    stats::write(&mut text, &table, backend, Look::PLAIN).expect("memory");
    let look = Look { width: Some(80), colour: false };
    startup::write(&mut text, &report, startup::Options { top: 5, look, last: "" }).expect("memory");
    json::write(&mut text, &table).expect("memory");
    json::write(&mut text, &report).expect("memory");
    assert!(is_safe(&text), "{}", String::from_utf8_lossy(&text).escape_debug());
    let mut svg = Vec::new();
    flame::svg(&mut svg, &stacks, &flame::Caption::default()).expect("memory");
    assert!(is_safe(&svg), "{}", String::from_utf8_lossy(&svg).escape_debug());
}

/// Runs for a while, from a seed on. Gives the number of logs and of events in them.
fn run(time: Duration, first_seed: u64) -> (u64, usize) {
    let logs = ["format-1.trace", "format-2.trace", "pip-install.trace"].map(plain);
    for log in &logs {
        assert!(use_log(log, &mut Numbers::new(0)) > 30, "the logs can be read while they are whole");
    }
    let begin = Instant::now();
    let (mut seed, mut events) = (first_seed, 0);
    while seed < first_seed + 20 || begin.elapsed() < time {
        let tried = std::panic::catch_unwind(|| {
            let mut random = Numbers::new(seed);
            let mut log = logs[random.below(3)].clone();
            mutate(&mut log, &mut random);
            use_log(&log, &mut random)
        });
        events += tried.unwrap_or_else(|_| panic!("TRACE_TEST_MUTATION_SEED={seed} makes it fail"));
        seed += 1;
    }
    (seed - first_seed, events)
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |value| value.parse().expect("a number"))
}

#[test]
fn mutated_logs() {
    let (logs, events) = run(Duration::from_secs(2), from_environment("TRACE_TEST_MUTATION_SEED", 1));
    // Most of them can be read for a good part, or the changes would be no test.
    assert!(events as u64 > logs * 10, "{events} events in {logs} logs");
}

#[test]
#[ignore = "runs for as long as one wants"]
fn mutated_logs_for_long() {
    let seconds = from_environment("TRACE_TEST_MUTATION_SECONDS", 60);
    let seed = from_environment("TRACE_TEST_MUTATION_SEED", 1_000_000);
    let (logs, events) = run(Duration::from_secs(seconds), seed);
    println!("{logs} logs, {events} events");
}
