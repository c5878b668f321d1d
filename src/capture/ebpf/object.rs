//! From the compiled `trace.bpf.c` to programs that run in this kernel.
//!
//! `aya` could do all of it, but takes in the description of all the kernel's types for that, which takes longer than the
//! rest: here the object is given those alone that it reads ([`Types::only`]).

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use aya::Endianness;
use aya::maps::MapData;
use aya_obj::btf::{Btf, BtfFeatures};
use aya_obj::{EbpfSectionKind, Object};

use super::super::sys::bpf;
use super::load::LoadError;
use super::types::{Types, TypesError};

/// What every kernel can describe that has what the programs use (Linux 5.17), but for `ENUM64`, which is later, and not
/// in the object.
const FEATURES: BtfFeatures = BtfFeatures::new(true, true, true, true, true, true, true, false);

/// The object, fitted to this kernel.
pub struct Fitted {
    object: Object,
    types: OwnedFd,
    /// The kernel's side of the maps, by name.
    pub maps: HashMap<String, MapData>,
}

/// A program at its tracepoint, until this is dropped.
#[derive(Debug)]
pub struct Attached {
    _link: OwnedFd,
}

/// How the object is to be changed.
pub struct Settings<'s> {
    /// Values of global variables.
    pub variables: HashMap<&'s str, &'s [u8]>,
    /// Sizes of maps.
    pub sizes: HashMap<&'s str, u32>,
}

/// Reads the object, finds its fields in the kernel's structures, and makes its maps.
pub fn fit(object: &[u8], kernel: &Types<'_>, settings: &Settings<'_>) -> Result<Fitted, LoadError> {
    let failed = |error: &(dyn Error + 'static)| LoadError::new("read its own object", error);
    let mut object = Object::parse(object).map_err(|error| failed(&error))?;
    let variables = settings.variables.iter().map(|(&name, &value)| (name, (value, true))).collect();
    object.patch_map_data(variables).map_err(|error| failed(&error))?;
    let own = object.fixup_and_sanitize_btf(&FEATURES).map_err(|error| failed(&error))?;
    let own = own.map(Btf::to_bytes).ok_or_else(|| failed(&TypesError::Damaged))?;
    let types = bpf::load_types(&own).map_err(|error| LoadError::new("describe its types (BTF)", &error))?;

    let names: Vec<&[u8]> = Types::of(&own).map_err(|error| failed(&error))?.structures().collect();
    let needed = Btf::parse(&kernel.only(&names), Endianness::default()).map_err(|error| failed(&error))?;
    object
        .relocate_btf(&needed)
        .map_err(|error| LoadError::new("find the kernel's structures in its types (BTF)", &error))?;

    let maps = make_maps(&mut object, &types, &settings.sizes)?;
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let definitions = object.maps.clone();
    let numbered = definitions
        .iter()
        .filter_map(|(name, map)| Some((name.as_str(), maps.get(name)?.fd().as_fd().as_raw_fd(), map)));
    object.relocate_maps(numbered, &sections).map_err(|error| failed(&error))?;
    object.relocate_calls(&sections).map_err(|error| failed(&error))?;
    Ok(Fitted { object, types, maps })
}

fn make_maps(
    object: &mut Object,
    types: &OwnedFd,
    sizes: &HashMap<&str, u32>,
) -> Result<HashMap<String, MapData>, LoadError> {
    let mut maps = HashMap::new();
    for (name, map) in &mut object.maps {
        let failed = |error: &(dyn Error + 'static)| LoadError::new("make the maps", error);
        if let Some(&size) = sizes.get(name.as_str()) {
            map.set_max_entries(size);
        }
        let made = MapData::create(map.clone(), name, Some(types.as_fd())).map_err(|error| failed(&error))?;
        let fd = made.fd().as_fd();
        if !map.data().is_empty() {
            bpf::set_variables(fd, map.value_size(), map.data()).map_err(|error| failed(&error))?;
        }
        if map.section_kind() == EbpfSectionKind::Rodata {
            bpf::freeze(fd).map_err(|error| failed(&error))?;
        }
        maps.insert(name.clone(), made);
    }
    Ok(maps)
}

impl Fitted {
    /// Loads a program and attaches it to the tracepoint with this number among the kernel's types.
    pub fn attach(&self, name: &str, tracepoint: u32) -> io::Result<Attached> {
        let program = self.object.programs.get(name);
        let program = program.ok_or_else(|| io::Error::other(format!("no {name} in the object")))?;
        let function = self.object.functions.get(&program.function_key());
        let function =
            function.ok_or_else(|| io::Error::other(format!("no code of {name} in the object")))?;
        let loaded = bpf::load_program(&bpf::Program {
            name,
            instructions: &function.instructions,
            license: &program.license,
            functions: (&function.func_info.func_info_bytes(), function.func_info_rec_size),
            types: self.types.as_fd(),
            tracepoint,
        })?;
        // The link keeps the program.
        bpf::attach(loaded.as_fd()).map(|link| Attached { _link: link })
    }
}
