//! Where a process has an interpreter that tells of itself.

use super::super::maps;
use super::super::object::Objects;
use super::named_after_python;
use super::offsets::{self, Told};

/// What the interpreter of a process tells of itself; `Told::Nothing`: it has none, or one that does not.
pub fn look(pid: i32, objects: &mut Objects) -> Told {
    let Ok(text) = std::fs::read(format!("/proc/{pid}/maps")) else { return Told::Nothing };
    for line in maps::code(&text).filter(|line| named_after_python(&line.path)) {
        let id = objects.open(pid.cast_unsigned(), &line.path, line.range, line.identity);
        let Some(object) = id.map(|id| objects.get(id)) else { continue };
        let Some((runtime, code)) = object.python().zip(object.address(line.offset)) else { continue };
        let at = line.range.0.wrapping_sub(code).wrapping_add(runtime);
        let told = offsets::read(pid, at);
        if told != Told::Nothing {
            return told;
        }
    }
    Told::Nothing
}
