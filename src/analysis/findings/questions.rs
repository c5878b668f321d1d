//! Questions about a file just opened whose answers are known: its position, whether it is a terminal, its
//! status once more.

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use super::watch::Question;

/// Fewer are nothing to speak of.
const FEW: u64 = 12;

/// The three questions.
const NAMES: [(&str, &str); 3] = [
    ("lseek(fd, 0, SEEK_CUR)", "calls, its position"),
    ("ioctl(fd, TCGETS)", "calls, no terminal"),
    ("fstat", "calls, asked before"),
];

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let mut kinds = [Tally::default(); 3];
    let mut all = Tally::default();
    for ((question, _, group), cell) in facts.watch.asked.questions.iter() {
        let tally = facts.tally(*group, cell);
        all.merge(tally);
        kinds[match question {
            Question::Position => 0,
            Question::Terminal => 1,
            Question::StatusAgain => 2,
        }]
        .merge(tally);
    }
    if all.calls < FEW {
        return None;
    }
    let list = kinds.iter().zip(NAMES).filter(|(tally, _)| tally.calls > 0);
    let list = list.map(|(&tally, (name, note))| (name.as_bytes(), tally, note));
    let what = format!("{} about open files whose answer was known", things(all.calls, "call", "calls"));
    let advice = if causes.has_python() {
        "Python's open() asks these of each file, os.open and os.read do not (a change in the program, worth it for \
         thousands of files)"
    } else {
        "what buffers files in a library or an interpreter asks these of each: open fewer files, or use the calls \
         of the system (a change in the program, worth it for thousands of files)"
    };
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
