//! Trees that are changed and put back.

use std::os::unix::fs::{FileExt, symlink};

use super::*;
use crate::scratch::manifest::OWN_DIRECTORY;
use crate::sys::files::tests_support::unprivileged;

const CONTENTS: &[u8] = b"01234567";

fn item(path: &str, what: Made, mode: u32) -> Item {
    Item { path: path.into(), what, mode, has_attributes: false }
}

/// A directory with a file in it, which has a second name, and a link.
fn tree(root: &Path) -> Tree {
    fs::create_dir(root.join(OWN_DIRECTORY)).unwrap();
    let file = Made::File { size: 8, filled: 8 };
    let items = vec![
        item("d", Made::Directory, 0o755),
        item("d/a", file, 0o644),
        item("d/b", Made::Name { of: 1 }, 0o644),
        item("d/l", Made::Link((*b"a").into()), 0),
    ];
    Tree::make(root, 0o755, items, |_, _| ()).unwrap()
}

#[test]
fn all_that_is_made_was_modified_long_ago() {
    let root = tempfile::tempdir().unwrap();
    let mut tree = tree(root.path());
    for _ in 0..2 {
        for name in ["d/a", "d/b", "d/l"] {
            let modified = root.path().join(name).symlink_metadata().unwrap().modified().unwrap();
            assert_eq!(modified, SystemTime::UNIX_EPOCH + MADE, "{name}");
        }
        // Of the same size, at once.
        fs::write(root.path().join("d/a"), b"changed.").unwrap();
        fs::remove_file(root.path().join("d/l")).unwrap();
        symlink("b", root.path().join("d/l")).unwrap();
        tree.restore().unwrap();
        assert_eq!(fs::read(root.path().join("d/b")).unwrap(), CONTENTS);
        assert_eq!(fs::read_link(root.path().join("d/l")).unwrap(), Path::new("a"));
    }
}

#[test]
fn a_directory_in_place_of_a_file_goes_though_it_has_its_inode() {
    let root = tempfile::tempdir().unwrap();
    let mut tree = tree(root.path());
    let before = tree.state().unwrap();
    let other = root.path().join("d/l");
    fs::remove_file(&other).unwrap();
    fs::create_dir(&other).unwrap();
    // As if it were the one that had become free.
    let inode = other.symlink_metadata().unwrap().ino();
    tree.made.get_mut(&b"d/l"[..]).unwrap().inode = inode;
    tree.restore().unwrap();
    assert_eq!(fs::read_link(&other).unwrap(), Path::new("a"));
    assert_eq!(tree.state().unwrap(), before);
}

#[test]
fn inodes_of_what_runs_make_are_kept_and_the_trees_own_files_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let mut tree = tree(root.path());
    let before = tree.state().unwrap();
    tree.keep_inodes().unwrap();
    let made = |name: &str| root.path().join("d").join(name);
    let mut inodes = Vec::new();
    for _ in 0..3 {
        fs::create_dir(made("new")).unwrap();
        fs::write(made("new/file"), "contents").unwrap();
        fs::set_permissions(made("new/file"), Permissions::from_mode(0o0)).unwrap();
        fs::hard_link(made("new/file"), made("other name")).unwrap();
        fs::hard_link(made("a"), made("name of the tree's own")).unwrap();
        symlink("nowhere", made("new/link")).unwrap();
        for name in ["new", "new/file", "new/link"] {
            inodes.push(made(name).symlink_metadata().unwrap().ino());
        }
        tree.restore().unwrap();
        assert_eq!(tree.state().unwrap(), before);
        assert_eq!(fs::read(made("a")).unwrap(), CONTENTS);
    }
    let kept = fs::read_dir(root.path().join(OWN_DIRECTORY).join("removed")).unwrap();
    let mut kept: Vec<u64> = kept
        .map(|one| one.unwrap())
        .map(|one| {
            assert!(!one.metadata().unwrap().is_file() || one.metadata().unwrap().size() == 0);
            std::os::unix::fs::DirEntryExt::ino(&one)
        })
        .collect();
    kept.sort_unstable();
    inodes.sort_unstable();
    assert_eq!(kept, inodes);
}

#[test]
fn who_is_not_root_puts_closed_directories_back() {
    let closed = |keeps: bool| {
        unprivileged(move |root| {
            let file = Made::File { size: 8, filled: 8 };
            let items = vec![
                item("r", Made::Directory, 0o555),
                item("r/x", Made::Directory, 0o0),
                item("r/x/a", file.clone(), 0o400),
                item("r/x/l", Made::Link((*b"a").into()), 0),
                item("r/x/d", Made::Directory, 0o311),
                item("r/x/d/b", file, 0o0),
            ];
            fs::create_dir(root.join(OWN_DIRECTORY)).unwrap();
            let mut tree = Tree::make(root, 0o500, items, |_, _| ()).unwrap();
            // It is made when the root has its permissions.
            set_mode(root, 0o755).unwrap();
            if keeps {
                tree.keep_inodes().unwrap();
            }
            let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let before = tree.state().unwrap();
            assert_eq!(before.len(), 6);
            for _ in 0..3 {
                mode(root, 0o755);
                mode(&root.join("r"), 0o755);
                mode(&root.join("r/x"), 0o755);
                mode(&root.join("r/x/d"), 0o755);
                fs::remove_file(root.join("r/x/d/b")).unwrap();
                fs::write(root.join("r/x/d/new"), "new").unwrap();
                fs::create_dir_all(root.join("new/e/f")).unwrap();
                for (path, closed) in
                    [("new/e/f", 0o555), ("new/e", 0o0), ("new", 0o555), ("r/x/d", 0o0), ("r/x", 0o0)]
                {
                    mode(&root.join(path), closed);
                }
                mode(root, 0o555);
                let changed = tree.state().unwrap();
                assert_eq!(changed.len(), 9);
                assert_eq!(tree.state().unwrap(), changed, "looking changes nothing");
                tree.restore().unwrap();
                assert_eq!(tree.state().unwrap(), before);
                assert_eq!(root.symlink_metadata().unwrap().mode() & 0o7777, 0o500);
            }
            mode(&root.join("r"), 0o755);
            mode(&root.join("r/x"), 0o755);
        });
    };
    closed(false);
    closed(true);
}

#[test]
fn what_cannot_be_put_back_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut tree = tree(root.path());
    fs::remove_dir_all(root.path().join("d")).unwrap();
    tree.items[1].path = b"d/none/a".to_vec();
    let told = tree.restore().unwrap_err().to_string();
    assert!(told.starts_with("/d/none/a: No such file or directory"), "{told}");
    assert!(told.ends_with("(another directory: --scratch DIR, or TMPDIR=DIR)"), "{told}");
}

#[test]
fn holes_are_not_read_and_what_lies_between_them_is() {
    // Reading it all would take hours.
    const SIZE: u64 = 8 << 40;
    let root = tempfile::tempdir().unwrap();
    let tree = tree(root.path());
    let sparse = File::create(root.path().join("sparse")).unwrap();
    if sparse.set_len(SIZE).is_err() {
        eprintln!("skipped: the file system has no files of 8 TiB");
        return;
    }
    let of = |tree: &Tree| tree.state().unwrap().remove(&b"sparse"[..]).unwrap();
    let hole = of(&tree);
    let mut seen = vec![hole.clone()];
    for (offset, bytes) in [(SIZE / 2 + 5, b"x"), (SIZE - 1, b"x"), (0, b"x"), (SIZE / 2 + 5, b"y")] {
        sparse.write_all_at(bytes, offset).unwrap();
        let now = of(&tree);
        assert!(!seen.contains(&now), "{offset}");
        seen.push(now);
    }
    // Zeros that were written are what a hole is.
    for offset in [SIZE / 2 + 5, SIZE - 1, 0] {
        sparse.write_all_at(&[0], offset).unwrap();
    }
    assert_eq!(of(&tree), hole);
}
