//! One system call as a source tells it: a log, strace, or the program that made it.

use std::fmt;

/// A path or file name as a source tells it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Text {
    /// This source does not tell.
    #[default]
    Untold,
    /// There is none.
    Absent,
    /// It could not be read from the program's memory.
    Unreadable,
    /// Longer than the kernel takes, so that its end is not known.
    TooLong,
    /// This.
    Is(Vec<u8>),
}

impl Text {
    /// Whether two sources agree, or one of them does not tell.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Untold, _) | (_, Self::Untold) => true,
            (Self::Is(one), Self::Is(two)) => one == two || plain(one) == plain(two),
            _ => self == other,
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Without repeated slashes and `.` components, which mean nothing.
fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let slash: &[u8] = if path.starts_with(b"/") { b"/" } else { b"" };
    [slash, &parts.collect::<Vec<_>>().join(&b'/')].concat()
}

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Call {
    /// The thread that made it.
    pub tid: u32,
    /// Its name, as strace prints it.
    pub name: String,
    /// What the kernel returned; `None`: it never did.
    pub ret: Option<i64>,
    /// Whether it was made with the 32-bit convention, where the source tells.
    pub is_i386: Option<bool>,
    /// Whether it is a restart of an interrupted call, where the source tells.
    pub is_restarted: Option<bool>,
    /// Path arguments as passed.
    pub paths: [Text; 2],
    /// The same, absolute.
    pub absolute: [Text; 2],
    /// Files behind descriptors.
    pub files: [Text; 2],
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} = ", self.tid, self.name)?;
        match self.ret {
            Some(ret) => write!(f, "{ret}")?,
            None => write!(f, "?")?,
        }
        for (name, texts) in [("path", &self.paths), ("abs", &self.absolute), ("file", &self.files)] {
            for text in texts.iter().filter(|&text| *text != Text::Untold && *text != Text::Absent) {
                write!(f, " {name} {text}")?;
            }
        }
        Ok(())
    }
}

/// Whether a kernel's return value says that the call is to be made again (`ERESTARTSYS` to `ERESTART_RESTARTBLOCK`,
/// `linux/errno.h`). The program sees `EINTR` instead where it is not.
pub fn is_restart(ret: i64) -> bool {
    matches!(-ret, 512..=514 | 516)
}
