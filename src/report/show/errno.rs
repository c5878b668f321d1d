//! Error numbers as name and sentence.

use syscalls::Errno;

/// Sentences of the C library where the table of names has the kernel header's comment instead, and
/// those strace has for codes that never reach a program: the kernel uses them to restart a call after
/// a signal (`include/linux/errno.h`), and only a tracer sees them.
const SENTENCES: [(i32, &str); 36] = [
    (5, "Input/output error"),
    (9, "Bad file descriptor"),
    (11, "Resource temporarily unavailable"),
    (12, "Cannot allocate memory"),
    (18, "Invalid cross-device link"),
    (23, "Too many open files in system"),
    (25, "Inappropriate ioctl for device"),
    (33, "Numerical argument out of domain"),
    (34, "Numerical result out of range"),
    (35, "Resource deadlock avoided"),
    (37, "No locks available"),
    (38, "Function not implemented"),
    (40, "Too many levels of symbolic links"),
    (74, "Bad message"),
    (84, "Invalid or incomplete multibyte or wide character"),
    (95, "Operation not supported"),
    (102, "Network dropped connection on reset"),
    (122, "Disk quota exceeded"),
    (125, "Operation canceled"),
    (512, "To be restarted if SA_RESTART is set"),
    (513, "To be restarted"),
    (514, "To be restarted if no handler"),
    (516, "Interrupted by signal"),
    // The C library has no sentence for these.
    (515, "Unknown error 515"),
    (517, "Unknown error 517"),
    (518, "Unknown error 518"),
    (521, "Unknown error 521"),
    (522, "Unknown error 522"),
    (523, "Unknown error 523"),
    (524, "Unknown error 524"),
    (525, "Unknown error 525"),
    (526, "Unknown error 526"),
    (527, "Unknown error 527"),
    (528, "Unknown error 528"),
    (529, "Unknown error 529"),
    (530, "Unknown error 530"),
];

/// Name and sentence of an error number, `None` where it has none.
pub(super) fn describe(errno: i32) -> Option<(&'static str, &'static str)> {
    let (name, comment) = Errno::new(errno).name_and_description()?;
    let own = SENTENCES.iter().find(|(number, _)| *number == errno).map(|(_, sentence)| *sentence);
    Some((name, own.unwrap_or(comment)))
}

/// What the C library says of an error number.
#[must_use]
pub fn sentence(errno: i32) -> String {
    describe(errno).map_or_else(|| format!("Unknown error {errno}"), |(_, sentence)| sentence.to_owned())
}

/// Whether the kernel means to restart the call: strace prints no -1 for these.
pub(super) fn is_restart(errno: i32) -> bool {
    matches!(errno, 512 | 513 | 514 | 516)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_those_of_the_c_library() {
        let mut checked = 0;
        for errno in 1..134 {
            let Some((name, sentence)) = describe(errno) else { continue };
            let expected = nix::errno::Errno::from_raw(errno);
            assert_eq!(name, format!("{expected:?}"), "name of {errno}");
            let system = std::io::Error::from_raw_os_error(errno).to_string();
            assert_eq!(format!("{sentence} (os error {errno})"), system);
            checked += 1;
        }
        assert_eq!(checked, 131, "41 and 58 are not in use");
    }

    #[test]
    fn restarts() {
        assert_eq!(describe(512), Some(("ERESTARTSYS", "To be restarted if SA_RESTART is set")));
        assert!(is_restart(514) && !is_restart(515) && !is_restart(4));
        // As strace printed it for a task that bpf knows nothing of.
        assert_eq!(describe(524), Some(("ENOTSUPP", "Unknown error 524")));
        assert_eq!(describe(4000), None);
    }
}
