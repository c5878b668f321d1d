//! What Python writes about its imports when it is asked to (`-X importtime`, `PYTHONPROFILEIMPORTTIME`): a line at the end
//! of each import, indented by how many imports it is within.
//!
//! ```text
//! import time: self [us] | cumulative | imported package
//! import time:        72 |         72 |     _codecs
//! ```

use crate::event::{Event, Kind, mark};

/// How each line begins.
const BEGIN: &[u8] = b"import time:";
/// Blanks for each import that an import is within.
const INDENT: usize = 2;

/// An import that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// How many imports it is within.
    pub depth: u64,
    /// Microseconds of its own.
    pub self_us: u64,
    /// Microseconds with what it imported.
    pub cumulative_us: u64,
    /// The module.
    pub name: &'a [u8],
}

impl<'a> Line<'a> {
    /// The lines in something that was written.
    pub fn all(written: &'a [u8]) -> impl Iterator<Item = Self> {
        written.split(|&byte| byte == b'\n').filter_map(Self::of)
    }

    fn of(line: &'a [u8]) -> Option<Self> {
        let mut columns = line.strip_prefix(BEGIN)?.splitn(3, |&byte| byte == b'|');
        let number = |column: &[u8]| str::from_utf8(column).ok()?.trim().parse().ok();
        let (self_us, cumulative_us) = (number(columns.next()?)?, number(columns.next()?)?);
        let name = columns.next()?.strip_prefix(b" ")?;
        let blanks = name.iter().take_while(|&&byte| byte == b' ').count();
        let name = &name[blanks..];
        (!name.is_empty()).then_some(Self { depth: (blanks / INDENT) as u64, self_us, cumulative_us, name })
    }

    /// The mark that stands for it in a log, at the time and with the stack of the call that wrote it.
    #[must_use]
    pub fn mark(&self, call: &Event<'a>, stack: Option<u32>) -> Event<'a> {
        Event {
            pid: call.pid,
            tid: call.tid,
            comm: call.comm,
            start_ns: call.start_ns,
            end_ns: Some(call.start_ns),
            args: [self.depth, self.self_us, self.cumulative_us, 0, 0, 0],
            path: Some(self.name),
            text: Some(mark::IMPORTED.as_bytes()),
            stack,
            ..Event::new(Kind::Mark)
        }
    }

    /// The import that a mark stands for, if it is such a one.
    pub(in crate::analysis) fn of_mark(event: &Event<'a>) -> Option<Self> {
        let is_import = event.kind == Kind::Mark && event.text == Some(mark::IMPORTED.as_bytes());
        let [depth, self_us, cumulative_us, ..] = event.args;
        event.path.filter(|_| is_import).map(|name| Self { depth, self_us, cumulative_us, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_other_text() {
        let written = b"import time: self [us] | cumulative | imported package\n\
            import time:        72 |        172 |     _codecs\nhello\nimport time: 1 | 2 |\nimport time:  1 |  2 | a.b|c\n";
        let found: Vec<Line<'_>> = Line::all(written).collect();
        let codecs = Line { depth: 2, self_us: 72, cumulative_us: 172, name: b"_codecs" };
        assert_eq!(found, [codecs, Line { depth: 0, self_us: 1, cumulative_us: 2, name: b"a.b|c" }]);
    }

    #[test]
    fn marks_hold_what_lines_say() {
        let line = Line { depth: 2, self_us: 72, cumulative_us: 172, name: b"_codecs" };
        let call = Event { pid: 1, tid: 2, start_ns: 7, ..Event::new(Kind::Syscall) };
        let mark = line.mark(&call, Some(3));
        assert_eq!((mark.tid, mark.start_ns, mark.stack), (2, 7, Some(3)));
        assert_eq!(Line::of_mark(&mark), Some(line));
        assert_eq!(Line::of_mark(&call), None);
    }
}
