//! What a probe says: what was tried, what came of it, why not, and what would enable it.

use nix::errno::Errno;
use nix::sys::signal::Signal;
use serde::Serialize;
use serde::ser::SerializeStruct;

use super::sys::child::Step;

/// Something that works here or does not.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What of `trace` needs it.
    pub needed_for: &'static str,
    /// What was tried, in order.
    pub outcomes: Vec<Outcome>,
    /// Why something failed, the likeliest reason first; empty where all works.
    pub causes: Vec<Cause>,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What was tried.
    pub what: &'static str,
    /// Whether it worked.
    pub works: bool,
    /// What was seen: the proof that it works, or the error.
    pub found: String,
    /// Name of the errno it failed with.
    pub errno: Option<String>,
    /// Whether the whole is of no use without it.
    pub essential: bool,
}

/// A reason, and what takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The setting, capability or filter, and how it stands.
    pub why: String,
    /// The command that enables it, or what else to do.
    pub enable: String,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of it works.
    Works,
    /// The essential part works.
    InPart,
    /// It is of no use here.
    Fails,
}

impl Check {
    /// Nothing tried yet.
    pub(super) fn new(name: &'static str, needed_for: &'static str) -> Self {
        Self { name, needed_for, outcomes: Vec::new(), causes: Vec::new() }
    }

    /// Adds something without which the rest is of no use; gives whether it works.
    pub(super) fn essential(
        &mut self,
        what: &'static str,
        step: Step,
        proof: impl FnOnce(i64) -> String,
    ) -> bool {
        self.add(what, step, proof, true)
    }

    /// Adds something that one can do without.
    pub(super) fn optional(
        &mut self,
        what: &'static str,
        step: Step,
        proof: impl FnOnce(i64) -> String,
    ) -> bool {
        self.add(what, step, proof, false)
    }

    fn add(
        &mut self,
        what: &'static str,
        step: Step,
        proof: impl FnOnce(i64) -> String,
        essential: bool,
    ) -> bool {
        let (works, found, errno) = match step {
            Step::Done(value) => (true, proof(value), None),
            Step::Failed(number) => {
                let errno = Errno::from_raw(number);
                (false, format!("{errno:?} ({})", errno.desc()), Some(format!("{errno:?}")))
            }
            Step::Killed(number) => (false, killed(number), None),
            Step::Nothing => (false, "opened, and counted nothing".to_owned(), None),
            Step::Hung => (false, "did not end in time".to_owned(), None),
            Step::Untried => (false, "not tried, because of what failed before".to_owned(), None),
        };
        self.outcomes.push(Outcome { what, works, found, errno, essential });
        works
    }

    /// Adds something essential that was done without an error, and yet does not work.
    pub(super) fn refuted(&mut self, what: &'static str, found: String) {
        self.outcomes.push(Outcome { what, works: false, found, errno: None, essential: true });
    }

    /// Adds something that one can do without, found or not.
    pub(super) fn found(&mut self, what: &'static str, found: Result<String, &str>) {
        let works = found.is_ok();
        let found = found.unwrap_or_else(str::to_owned);
        self.outcomes.push(Outcome { what, works, found, errno: None, essential: false });
    }

    /// Adds a reason, with what takes it away.
    pub(super) fn because(&mut self, why: impl Into<String>, enable: impl Into<String>) {
        self.causes.push(Cause { why: why.into(), enable: enable.into() });
    }

    /// Says so where something failed and no reason was found.
    pub(super) fn or_unknown(mut self) -> Self {
        if self.causes.is_empty() && self.verdict() != Verdict::Works {
            self.because(
                "none of the settings that are known to forbid it does",
                "look at the kernel's messages: sudo dmesg | tail",
            );
        }
        self
    }

    /// How it came out.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.outcomes.iter().all(|outcome| outcome.works) {
            Verdict::Works
        } else if self.outcomes.iter().any(|outcome| outcome.essential && !outcome.works) {
            Verdict::Fails
        } else {
            Verdict::InPart
        }
    }

    /// The first proof if it works, the first error and its cause if not.
    pub(super) fn reason(&self) -> String {
        let fails = self.verdict() == Verdict::Fails;
        let told = self.outcomes.iter().find(|outcome| outcome.essential && outcome.works != fails);
        let found = told.map(|outcome| outcome.found.clone()).unwrap_or_default();
        match self.causes.first().filter(|_| fails) {
            Some(cause) => format!("{found}: {}", cause.why),
            None => found,
        }
    }
}

impl Serialize for Check {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct("Check", 5)?;
        value.serialize_field("name", self.name)?;
        value.serialize_field("verdict", &self.verdict())?;
        value.serialize_field("needed_for", self.needed_for)?;
        value.serialize_field("outcomes", &self.outcomes)?;
        value.serialize_field("causes", &self.causes)?;
        value.end()
    }
}

fn killed(number: i32) -> String {
    let name =
        Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |signal| signal.to_string());
    if number == libc::SIGSYS {
        format!("killed with {name}, by a seccomp filter")
    } else {
        format!("killed with {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[(Step, bool)]) -> Check {
        let mut check = Check::new("x", "y");
        for (step, essential) in steps {
            check.add("z", *step, |value| format!("{value} seen"), *essential);
        }
        check
    }

    #[test]
    fn verdicts() {
        let (done, failed) = (Step::Done(3), Step::Failed(libc::EPERM));
        assert_eq!(check(&[(done, true), (done, false)]).verdict(), Verdict::Works);
        assert_eq!(check(&[(done, true), (failed, false)]).verdict(), Verdict::InPart);
        assert_eq!(check(&[(failed, true), (done, false)]).verdict(), Verdict::Fails);
        assert_eq!(check(&[(done, true)]).reason(), "3 seen");
        let unknown = check(&[(failed, true)]).or_unknown();
        assert!(
            unknown.reason().starts_with("EPERM (Operation not permitted): none of"),
            "{}",
            unknown.reason()
        );
    }

    #[test]
    fn a_filter_that_kills_is_named() {
        assert_eq!(killed(libc::SIGSYS), "killed with SIGSYS, by a seccomp filter");
        assert_eq!(killed(libc::SIGKILL), "killed with SIGKILL");
    }
}
