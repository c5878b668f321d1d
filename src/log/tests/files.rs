//! Which files are written to, and what happens when they cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::sample;
use crate::event::{Event, Kind, loss};
use crate::log::{Ending, Error, Found, Reader, Repaired, Writer, repair};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_log_is_private() {
    let place = sample::place();
    sample::write(&place.path, &[]);
    assert_eq!(mode(&place.path), 0o600);
}

#[test]
fn logs_and_empty_files_are_replaced() {
    let place = sample::place();
    fs::write(&place.path, b"").unwrap();
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    sample::write(&place.path, &sample::events());
    assert_eq!(mode(&place.path), 0o600);
    let long = place.path.metadata().unwrap().len();
    sample::write(&place.path, &[]);
    assert!(place.path.metadata().unwrap().len() < long);
    let ending = Reader::open(&place.path).unwrap().for_each(|_| {}).unwrap();
    assert_eq!(ending, Ending::Complete { events: 0, lost: Some(0) });
}

#[test]
fn anything_else_is_not_overwritten() {
    let place = sample::place();
    let (log, _) = sample::log_of_batches(1);
    for content in [&b"precious"[..], &[0xff; 64], &log[..200], b"x"] {
        fs::write(&place.path, content).unwrap();
        let error = Writer::create(&place.path, &sample::header()).unwrap_err();
        assert!(matches!(error, Error::Occupied { .. }), "{error}");
        assert_eq!(fs::read(&place.path).unwrap(), content);
    }
    let fifo = place.directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = Writer::create(&fifo, &sample::header()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is not a regular file and is not overwritten: remove it or write the log elsewhere")
    );
    let error = Writer::create(place.directory.path(), &sample::header()).unwrap_err();
    assert!(matches!(error, Error::Create { .. }), "{error}");
    let error = Writer::create(Path::new("/no/such/directory/a.trace"), &sample::header()).unwrap_err();
    assert!(error.to_string().contains("/no/such/directory/a.trace: No such file"), "{error}");
}

#[test]
fn a_log_being_written_is_not_overwritten() {
    let place = sample::place();
    let writer = Writer::create(&place.path, &sample::header()).unwrap();
    let error = Writer::create(&place.path, &sample::header()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    writer.finish().unwrap();
    sample::write(&place.path, &[]);
}

#[test]
fn dev_null_takes_a_log() {
    let mut writer = Writer::create(Path::new("/dev/null"), &sample::header()).unwrap();
    writer.push(&sample::events()[0]);
    assert_eq!(writer.finish().unwrap().events, 1);
    let error = Writer::create(Path::new("/dev/zero"), &sample::header()).unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
}

#[test]
fn unreadable_inputs_have_clear_errors() {
    let place = sample::place();
    let error = |path: &Path| Reader::open(path).unwrap_err();
    assert!(matches!(error(&place.path), Error::Open { .. }));
    assert!(error(place.directory.path()).to_string().contains("directory"));
    fs::write(&place.path, b"").unwrap();
    assert!(matches!(error(&place.path), Error::Empty));
    fs::write(&place.path, b"openat(...").unwrap();
    assert!(matches!(error(&place.path), Error::NotALog(_)));
}

/// Paths that do not compress, so that a batch has a size that can be foreseen.
fn noise(i: u64) -> String {
    use std::hash::BuildHasher;
    let hash = |salt: u64| rustc_hash::FxBuildHasher.hash_one((i, salt));
    format!("/{:x}{:x}{:x}{:x}", hash(1), hash(2), hash(3), hash(4))
}

/// A file-size limit is the full disk that needs no privilege.
#[test]
fn a_full_disk_leaves_a_readable_log_and_an_error() {
    if let Ok(path) = std::env::var(sample::ALONE) {
        return fill(Path::new(&path));
    }
    let place = sample::place();
    let test = "log::tests::files::a_full_disk_leaves_a_readable_log_and_an_error";
    sample::assert_success(&mut sample::run_alone(test, &place.path));
    let mut events = 0;
    let mut losses = Vec::new();
    let ending = Reader::open(&place.path)
        .unwrap()
        .for_each(|event| match event.kind {
            Kind::Syscall => {
                assert_eq!(event.path_abs, Some(noise(events).as_bytes()));
                events += 1;
            }
            Kind::Lost => losses.push(event.ret.unwrap()),
            _ => {}
        })
        .unwrap();
    assert!(events > 0, "what was written first is there");
    assert_eq!(losses, [200_000 - events as i64], "the loss is counted");
    assert_eq!(ending, Ending::Complete { events: events + 1, lost: Some(losses[0] as u64) });
    // Of the batch that did not fit whole, what did is there: less than a few per cent of a batch's room is left.
    let left = LIMIT - place.path.metadata().unwrap().len();
    assert!(left < 64 << 10, "{left} bytes are left behind {events} events");
}

/// The largest file of the process that fills it.
const LIMIT: u64 = 4 << 20;

/// Writes more than the limit allows. SIGXFSZ is left at its default: it must not reach us.
fn fill(path: &Path) {
    limit_file_size(LIMIT);
    let mut writer = Writer::create(path, &sample::header()).unwrap();
    for i in 0..200_000 {
        let path = noise(i);
        writer.push(&Event { path_abs: Some(path.as_bytes()), ..Event::new(Kind::Syscall) });
    }
    assert!(writer.failed());
    let error = writer.finish().unwrap_err();
    assert!(error.to_string().contains("File too large"), "{error}");
    let Error::Write { written, dropped, .. } = error else { panic!("{error}") };
    assert!(written > 0 && dropped > 0 && written + dropped == 200_000, "{written} {dropped}");
}

fn limit_file_size(limit: u64) {
    use nix::sys::resource::{Resource, setrlimit};
    setrlimit(Resource::RLIMIT_FSIZE, limit, limit).unwrap();
}

#[test]
fn a_full_disk_at_the_start_is_an_error_at_once() {
    if let Ok(path) = std::env::var(sample::ALONE) {
        limit_file_size(100);
        let error = Writer::create(Path::new(&path), &sample::header()).unwrap_err();
        assert!(matches!(error, Error::Create { .. }), "{error}");
        return;
    }
    let place = sample::place();
    let test = "log::tests::files::a_full_disk_at_the_start_is_an_error_at_once";
    sample::assert_success(&mut sample::run_alone(test, &place.path));
    assert!(!place.path.exists(), "nothing half is left");
}

#[test]
fn a_killed_recording_is_readable() {
    if let Ok(path) = std::env::var(sample::ALONE) {
        let mut writer = Writer::create(Path::new(&path), &sample::header()).unwrap();
        for start_ns in 0.. {
            writer.push(&Event { start_ns, ..Event::new(Kind::Syscall) });
        }
        return;
    }
    let place = sample::place();
    let test = "log::tests::files::a_killed_recording_is_readable";
    let mut child = sample::run_alone(test, &place.path).spawn().unwrap();
    while place.path.metadata().map_or(0, |metadata| metadata.len()) < 200_000 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut next = 0;
    let ending = Reader::open(&place.path)
        .unwrap()
        .for_each(|event| {
            assert_eq!(event.start_ns, next);
            next += 1;
        })
        .unwrap();
    assert!(matches!(ending, Ending::Cut { events, .. } if events == next && next > 0), "{ending:?}");
}

#[test]
fn a_cut_log_is_repaired() {
    let place = sample::place();
    let (log, events) = sample::log_of_batches(3);
    let cut = place.directory.path().join("cut.trace");
    fs::write(&cut, &log[..log.len() - 100]).unwrap();
    let repaired = repair(&cut, &place.path).unwrap();
    assert_eq!((repaired.events, repaired.found), (38, Found::Cut));
    assert_eq!(mode(&place.path), 0o600);
    let (read, ending) = sample::read(&fs::read(&place.path).unwrap());
    assert_eq!(ending.unwrap(), Ending::Complete { events: 39, lost: None });
    let found: Vec<Event<'_>> = read.iter().map(sample::Owned::get).collect();
    assert_eq!(found[..44], events[..44]);
    assert_eq!(found[44].text, Some(loss::CUT.as_bytes()));
    assert_eq!(fs::read(&cut).unwrap(), log[..log.len() - 100], "the original is as it was");

    let again = repair(&place.path, &place.path).unwrap();
    assert_eq!(
        again,
        Repaired { found: Found::Complete { lost: None }, events: 39, summary: None },
        "left alone"
    );
    let copy = place.directory.path().join("copy.trace");
    let copied = repair(&place.path, &copy).unwrap();
    assert_eq!((copied.found, copied.events), (Found::Complete { lost: None }, 39));
    let (read, ending) = sample::read(&fs::read(&copy).unwrap());
    assert_eq!(ending.unwrap(), Ending::Complete { events: 39, lost: None });
    assert!(read.iter().map(sample::Owned::get).eq(found.iter().copied()), "not cut again");
    let other = place.directory.path().join("other");
    fs::write(&other, b"precious").unwrap();
    assert!(matches!(repair(&cut, &other).unwrap_err(), Error::Occupied { .. }));
}

#[test]
fn a_log_is_repaired_in_place() {
    let place = sample::place();
    let (log, _) = sample::log_of_batches(3);
    let mut damaged = log[..log.len() - 100].to_vec();
    let len = damaged.len();
    damaged[len - 3000..].fill(7);
    fs::write(&place.path, &damaged).unwrap();
    let repaired = repair(&place.path, &place.path).unwrap();
    assert!(matches!(repaired.found, Found::Damaged(_)));
    let (_, ending) = sample::read(&fs::read(&place.path).unwrap());
    assert_eq!(ending.unwrap(), Ending::Complete { events: repaired.events + 1, lost: None });
    assert_eq!(mode(&place.path), 0o600);
    assert_eq!(fs::read_dir(place.directory.path()).unwrap().count(), 1, "nothing is left beside it");
}
