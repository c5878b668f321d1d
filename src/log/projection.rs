//! Which columns a reader decodes: an analysis that needs five of them need not wait for thirty.

use super::schema::Column;

/// A set of columns to be read; the fields of an event that are not in it may be left empty.
///
/// [`Column::Kind`], [`Column::Text`] and [`Column::Ret`] are always read: the totals at the end of
/// a log stand in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u64);

impl Columns {
    /// All columns that an event is made of.
    pub const ALL: Self =
        Self((1 << Column::ALL.len()) - 1).without(&[Column::Syscall, Column::Family, Column::Errno]);
    /// The six arguments.
    pub const ARGS: Self =
        Self::of(&[Column::A0, Column::A1, Column::A2, Column::A3, Column::A4, Column::A5]);
    /// What a stat-like call returned.
    pub const STAT: Self = Self::of(&[
        Column::StMode,
        Column::StNlink,
        Column::StSize,
        Column::StMtime,
        Column::StIno,
        Column::StDev,
    ]);

    /// These columns.
    #[must_use]
    pub const fn of(columns: &[Column]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < columns.len() {
            bits |= 1 << columns[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    const fn without(self, columns: &[Column]) -> Self {
        Self(self.0 & !Self::of(columns).0)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a column is in the set.
    #[must_use]
    pub const fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u8) != 0
    }

    /// The set with the columns that the reader needs to give those of the set.
    pub(super) const fn completed(self) -> Self {
        let mut all = self.and(Self::of(&[Column::Kind, Column::Text, Column::Ret]));
        if all.has(Column::Duration) {
            all = all.and(Self::of(&[Column::Start]));
        }
        if all.has(Column::Path) {
            all = all.and(Self::of(&[Column::PathAbs, Column::Flags]));
        }
        if all.has(Column::Path2) {
            all = all.and(Self::of(&[Column::Path2Abs, Column::Flags]));
        }
        if Self::of(&[Column::StNlink, Column::StSize, Column::StMtime, Column::StIno, Column::StDev]).0
            & all.0
            != 0
        {
            all = all.and(Self::of(&[Column::StMode]));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_bring_what_they_need() {
        let path = Columns::of(&[Column::Path]).completed();
        assert!(path.has(Column::PathAbs) && path.has(Column::Flags) && path.has(Column::Kind));
        assert!(!path.has(Column::Path2Abs) && !path.has(Column::StMode));
        assert!(Columns::of(&[Column::StSize]).completed().has(Column::StMode));
        assert_eq!(Columns::ALL.completed(), Columns::ALL);
        assert!(!Columns::ALL.has(Column::Syscall));
    }
}
