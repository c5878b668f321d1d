use super::*;
use std::fs::File;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::IntoRawFd;

/// A pipe with our end to write to, and its other end as a descriptor that lives for ever.
fn pipe() -> (BorrowedFd<'static>, PipeWriter) {
    let (read, write) = io::pipe().unwrap();
    (fds::borrow(read.into_raw_fd()).unwrap(), write)
}

/// What a run finds on its input, read to the end.
fn read_all(run: InputRun) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::from(run.end.unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn later_runs_have_what_the_first_one_was_given() {
    let (real, mut write) = pipe();
    let mut input = Input::new(Some(real)).unwrap();
    let sent: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    let writer = std::thread::spawn({
        let sent = sent.clone();
        move || write.write_all(&sent).unwrap()
    });
    assert_eq!(read_all(input.for_run(true).unwrap()), sent);
    writer.join().unwrap();
    for _ in 0..2 {
        assert_eq!(read_all(input.for_run(false).unwrap()), sent);
    }
}

#[test]
fn little_input_needs_no_thread() {
    let (real, mut write) = pipe();
    let mut input = Input::new(Some(real)).unwrap();
    write.write_all(b"little").unwrap();
    drop(write);
    assert_eq!(read_all(input.for_run(true).unwrap()), b"little");
    let run = input.for_run(false).unwrap();
    assert!(run.worker.is_none());
    assert_eq!(read_all(run), b"little");
}

#[test]
fn the_relay_stops_while_the_real_input_stays_open() {
    let (real, mut write) = pipe();
    let mut input = Input::new(Some(real)).unwrap();
    write.write_all(b"some").unwrap();
    let run = input.for_run(true).unwrap();
    let mut end = File::from(run.end.unwrap());
    let mut some = [0; 4];
    end.read_exact(&mut some).unwrap();
    run.worker.unwrap().finish(); // would hang if it waited for the end
    assert_eq!(read_all(input.for_run(false).unwrap()), b"some");
    drop(write);
}

#[test]
fn the_relay_stops_while_the_command_does_not_read() {
    let (real, mut write) = pipe();
    let mut input = Input::new(Some(real)).unwrap();
    let run = input.for_run(true).unwrap();
    // More than both pipes hold: the relay has a chunk that it cannot deliver.
    write.write_all(&vec![7; 100_000]).unwrap();
    run.worker.unwrap().finish();
    drop(run.end);
}

#[test]
fn input_beyond_the_limit_still_reaches_the_first_run() {
    let (real, mut write) = pipe();
    let mut input = Input::with_limit(Some(real), 1_000).unwrap();
    write.write_all(&[1; 1_001]).unwrap();
    drop(write);
    assert_eq!(read_all(input.for_run(true).unwrap()).len(), 1_001);
    let error = input.for_run(false).unwrap_err();
    assert!(matches!(error, StdioError::InputTooLarge { limit: 1_000 }), "{error}");
}

#[test]
fn a_file_that_cannot_be_opened_again_is_copied() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let raw = file.into_raw_fd();
    let real = fds::borrow(raw).unwrap();
    lseek(real, 4, Whence::SeekSet).unwrap();
    let reopened = Reopened::new(real, OFlag::O_RDWR, 100).unwrap();
    assert!(reopened.copy.is_none());
    let copied = reopened.copied(100).unwrap();
    for _ in 0..2 {
        let mut text = String::new();
        File::from(copied.reopen().unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "456789");
    }
    assert_eq!(lseek(real, 0, Whence::SeekCur), Ok(4));
    assert!(matches!(copied.copied(5), Err(StdioError::InputTooLarge { limit: 5 })));
}

#[test]
fn outputs_that_are_no_input_stay_as_they_are() {
    let write = File::options().write(true).open("/dev/null").unwrap();
    let mut input = Input::new(fds::borrow(write.into_raw_fd())).unwrap();
    assert_eq!(input.for_run(false).unwrap().stream, Stream::Inherit);
    assert_eq!(Input::new(None).unwrap().for_run(false).unwrap().stream, Stream::Close);
}
