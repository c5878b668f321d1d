//! Runs that are compared, where threads and processes race.

/// How often two tracers may be run before a difference is one of theirs: two runs of one program differ where its threads
/// and processes race, but not each time in the same place.
const TRIES: usize = 4;

/// Compares two runs until they are alike; in one of several tries they must be. What differed in each is told.
pub fn alike_once(title: &str, mut compare: impl FnMut() -> Result<(), String>) {
    let tries: Vec<String> = (0..TRIES).map_while(|_| compare().err()).collect();
    assert!(tries.len() < TRIES, "{title}, {TRIES} times:\n{}", tries.join("\n"));
}

#[test]
fn what_differs_each_time_is_a_difference() {
    let mut left = TRIES - 1;
    alike_once("the last try", || {
        left -= 1;
        if left == 0 { Ok(()) } else { Err("a race".to_owned()) }
    });
    let always = std::panic::catch_unwind(|| alike_once("no try", || Err("a difference".to_owned())));
    assert!(always.is_err());
}
