//! Where symbolic links were, from what a log shows by the way: the answers of readlink, and the names that `/proc` has
//! for files that were opened by others.

use std::collections::HashMap;

use crate::plan::Plan;

/// Absolute paths, and what the links there hold. Keyed at random: the paths may have been chosen.
pub(super) type Links = HashMap<Box<[u8]>, Box<[u8]>>;

/// The links of a plan; the first that was seen counts, later ones may have been made.
pub(super) fn links(plan: &Plan) -> Links {
    let mut links = Links::new();
    for &(path, target) in &plan.links {
        let (path, target) = (plan.paths.bytes(path), plan.paths.bytes(target));
        if has_dots(path) || (target.starts_with(b"/") && has_dots(target)) {
            continue;
        }
        let (path, target) = shortest(path, target);
        if !path.is_empty() && path != target {
            links.entry(path.into()).or_insert_with(|| target.into());
        }
    }
    let moved: Vec<_> = links.iter().filter_map(|(path, target)| Some((moved(path, &links)?, target.clone()))).collect();
    for (path, target) in moved {
        links.entry(path).or_insert(target);
    }
    links
}

fn has_dots(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|part| part == b".." || part == b".")
}

/// Both without what they end with in common: `/lib/a/b` that is `/usr/lib/a/b` says that `/lib` is `/usr/lib`.
fn shortest<'a>(mut path: &'a [u8], mut target: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    if !target.starts_with(b"/") {
        return (path, target);
    }
    while let (Some((before, last)), Some((target_before, target_last))) = (split(path), split(target)) {
        if last != target_last || before.is_empty() || target_before.is_empty() {
            break;
        }
        (path, target) = (before, target_before);
    }
    (path, target)
}

fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|&byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

/// The path with a directory on its way replaced by what that leads to.
fn moved(path: &[u8], links: &Links) -> Option<Box<[u8]>> {
    let mut slashes = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    slashes.find_map(|at| {
        let target = links.get(&path[..at]).filter(|target| target.starts_with(b"/"))?;
        Some([&target[..], &path[at..]].concat().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanBuilder;

    #[test]
    fn the_link_on_the_way_is_found() {
        let mut builder = PlanBuilder::default();
        builder.link(b"/lib/x/libc.so.6", b"/usr/lib/x/libc.so.6").unwrap();
        builder.link(b"/lib/x/libacl.so.1", b"/usr/lib/x/libacl.so.1.1").unwrap();
        builder.link(b"/bin/sh", b"dash").unwrap();
        builder.link(b"/a/../b", b"/c").unwrap();
        let links = links(&builder.build());
        let get = |path: &str| links.get(path.as_bytes()).map(|target| String::from_utf8_lossy(target).into_owned());
        assert_eq!(get("/lib").as_deref(), Some("/usr/lib"));
        assert_eq!(get("/usr/lib/x/libacl.so.1").as_deref(), Some("/usr/lib/x/libacl.so.1.1"));
        assert_eq!(get("/bin/sh").as_deref(), Some("dash"));
        assert_eq!((get("/b"), get("/lib/x/libc.so.6"), get("")), (None, None, None));
    }
}
