//! Where symbolic links were, from what a log shows by the way: the answers of readlink, and the names that `/proc` has
//! for files that were opened by others.

use std::collections::{HashMap, HashSet};

use crate::plan::{Led, Plan};

/// Absolute paths, and the links there. Keyed at random: the paths may have been chosen.
pub(super) type Links = HashMap<Box<[u8]>, Link>;

/// Paths of some of them.
pub(super) type LinkPaths = HashSet<Box<[u8]>>;

/// A symbolic link.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// What it holds.
    pub(super) target: Box<[u8]>,
    /// The first call that showed it.
    pub(super) seen_at: u32,
}

/// Paths without the name they end with, as often as both end with the same, the whole first.
type Candidates<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The links of a plan; the first that was seen counts, later ones may have been made.
///
/// That `/lib/a/b` was `/usr/lib/a/b` can mean that `/lib` is a link, or `/lib/a`, or the file. It is none of the
/// directories that are known to be themselves, and rather one that explains several files.
pub(super) fn links(plan: &Plan) -> Links {
    let mut links = Links::new();
    let mut real: HashSet<&[u8]> = HashSet::new();
    let mut moved: HashMap<(&[u8], &[u8]), u32> = HashMap::new();
    for one in &plan.led {
        let (path, seen_at) = (plan.paths.bytes(one.path), one.call.0);
        match one.led {
            Led::NoLink => {
                real.insert(path);
            }
            Led::Holds(target) if !has_dots(path) => {
                links
                    .entry(path.into())
                    .or_insert_with(|| Link { target: plan.paths.bytes(target).into(), seen_at });
            }
            Led::Holds(_) => {}
            Led::Opened(target) => {
                let target = plan.paths.bytes(target);
                real.extend(prefixes(target));
                if path != target && !has_dots(path) {
                    moved.entry((path, target)).or_insert(seen_at);
                }
            }
        }
    }
    let is_known =
        |path: &[u8]| links.contains_key(path) || prefixes(path).any(|above| links.contains_key(above));
    moved.retain(|(path, _), _| !is_known(path));
    let mut explained: HashMap<(&[u8], &[u8]), usize> = HashMap::new();
    for pair in moved.keys() {
        for one in candidates(*pair, &real) {
            *explained.entry(one).or_default() += 1;
        }
    }
    let mut chosen: Vec<(&[u8], &[u8], u32)> = moved
        .iter()
        .filter_map(|(pair, &seen_at)| {
            // Of equals, the longest path.
            let best = candidates(*pair, &real).into_iter().max_by_key(|one| (explained[one], one.0.len()));
            best.map(|(path, target)| (path, target, seen_at))
        })
        .collect();
    chosen.sort_unstable();
    for (path, target, seen_at) in chosen {
        let link = links.entry(path.into()).or_insert_with(|| Link { target: target.into(), seen_at });
        if *link.target == *target {
            link.seen_at = link.seen_at.min(seen_at);
        }
    }
    let below: Vec<_> =
        links.iter().filter_map(|(path, link)| Some((below(path, &links)?, link.clone()))).collect();
    for (path, link) in below {
        links.entry(path).or_insert(link);
    }
    links
}

/// The directories above a path.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

fn candidates<'a>((mut path, mut target): (&'a [u8], &'a [u8]), real: &HashSet<&[u8]>) -> Candidates<'a> {
    let mut candidates = Vec::new();
    if !real.contains(path) {
        candidates.push((path, target));
    }
    while let (Some((before, last)), Some((target_before, target_last))) = (split(path), split(target)) {
        if last != target_last || before.is_empty() || target_before.is_empty() || real.contains(before) {
            break;
        }
        (path, target) = (before, target_before);
        candidates.push((path, target));
    }
    candidates
}

fn has_dots(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|part| part == b".." || part == b".")
}

fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|&byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

/// The path with a directory on its way replaced by what that leads to.
fn below(path: &[u8], links: &Links) -> Option<Box<[u8]>> {
    prefixes(path).find_map(|above| {
        let link = links.get(above).filter(|link| link.target.starts_with(b"/"))?;
        Some([&link.target[..], &path[above.len()..]].concat().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{PlanBuilder, Seen};

    #[test]
    fn the_link_on_the_way_is_found() {
        let mut builder = PlanBuilder::default();
        let mut opened = |path: &str, real: &str| {
            builder.seen(path.as_bytes(), Seen::Opened(real.as_bytes())).unwrap();
        };
        opened("/lib/x/libc.so.6", "/usr/lib/x/libc.so.6");
        opened("/lib/y", "/usr/lib/y");
        opened("/lib/x/libacl.so.1", "/usr/lib/x/libacl.so.1.1");
        opened("/a/../b", "/c");
        // The directory is itself, and the file alone a link.
        opened("/v/bin/python", "/usr/bin/python");
        opened("/v/bin/pip", "/v/bin/pip");
        builder.seen(b"/bin/sh", Seen::Holds(b"dash")).unwrap();
        builder.seen(b"/x/bin", Seen::NoLink).unwrap();
        builder.seen(b"/x/bin/z", Seen::Opened(b"/y/bin/z")).unwrap();
        let links = links(&builder.build());
        let get = |path: &str| {
            links.get(path.as_bytes()).map(|link| String::from_utf8_lossy(&link.target).into_owned())
        };
        assert_eq!(get("/lib").as_deref(), Some("/usr/lib"));
        assert_eq!(get("/usr/lib/x/libacl.so.1").as_deref(), Some("/usr/lib/x/libacl.so.1.1"));
        assert_eq!(get("/v/bin/python").as_deref(), Some("/usr/bin/python"));
        assert_eq!(get("/bin/sh").as_deref(), Some("dash"));
        assert_eq!(get("/x/bin/z").as_deref(), Some("/y/bin/z"));
        for none in ["/b", "/lib/x/libc.so.6", "", "/v", "/v/bin", "/x/bin"] {
            assert_eq!(get(none), None, "{none}");
        }
    }
}
