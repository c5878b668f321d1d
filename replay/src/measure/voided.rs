//! Why a strategy's times do not count.

use crate::plan::CallId;
use crate::program::Program;
use crate::sys::calls::Observed;
use crate::verify::{self, What};

/// Why a strategy's times are void: a call that did not come to what it had to, or a file that is not as it must be
/// after all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voided {
    /// The first such call; `None` for a close that the kernel did by itself in the program.
    pub call: Option<CallId>,
    /// What it had to return, a descriptor's number aside: a negative errno for a failure.
    pub expected: i64,
    /// What it returned; `None`: it was not executed.
    pub observed: Option<i64>,
    /// What differs.
    pub what: What,
    /// How many calls in that run.
    pub calls: usize,
    /// The file, if it is one ([`What::Tree`]).
    pub file: Option<Box<[u8]>>,
}

impl Voided {
    pub(crate) fn new(program: &Program, step: u32, observed: Option<Observed>, calls: usize) -> Self {
        let call = program.steps[step as usize].call;
        let expected = program.expected[step as usize];
        Self {
            call: ((call as usize) < program.plan.len()).then_some(CallId(call)),
            expected: expected.ret,
            observed: observed.map(|observed| observed.ret),
            what: verify::difference(expected, observed.unwrap_or_default()),
            calls,
            file: None,
        }
    }

    /// Every call came to what it had to, and yet a file did not.
    pub(crate) fn of_tree(path: &[u8]) -> Self {
        Self {
            call: None,
            expected: 0,
            observed: Some(0),
            what: What::Tree,
            calls: 0,
            file: Some(path.into()),
        }
    }
}
