//! A table of counted calls that cannot grow without bound.

use rustc_hash::FxHashMap;

use crate::analysis::cost::Cell;

/// Most distinct keys of a table.
const MOST: usize = 1 << 16;

/// Cells by key, up to a limit; calls under keys beyond it are only counted.
#[derive(Debug)]
pub(in super::super) struct Table<K> {
    cells: FxHashMap<K, Cell>,
    /// Calls whose key did not fit.
    pub(in super::super) not_kept: u64,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { cells: FxHashMap::default(), not_kept: 0 }
    }
}

impl<K: Copy + Eq + std::hash::Hash> Table<K> {
    /// Counts a call.
    pub(in super::super) fn add(&mut self, key: K, duration_ns: Option<u64>) {
        if let Some(cell) = self.cells.get_mut(&key) {
            cell.add(duration_ns);
        } else if self.cells.len() < MOST {
            self.cells.entry(key).or_default().add(duration_ns);
        } else {
            self.not_kept += 1;
        }
    }

    /// All cells, in no order.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (&K, &Cell)> {
        self.cells.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_counts_what_it_does_not_keep() {
        let mut table = Table::default();
        for key in 0..MOST + 10 {
            table.add(key, Some(1));
        }
        table.add(0, None);
        assert_eq!((table.iter().count(), table.not_kept), (MOST, 10));
        assert_eq!(table.iter().find(|(key, _)| **key == 0).unwrap().1.calls, 2);
    }
}
