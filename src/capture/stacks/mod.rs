//! Stacks: from registers and memory to frames with names.
//!
//! ```text
//!   maps of a process ─> Space ──┐
//!                                ├─ addresses ─> Symbols ─> frames ─> Table ─> numbers, and events that define them
//!   registers, stack ────────────┘
//! ```
//!
//! `object` reads what unwinding needs of a program's or library's file, [`Space`] knows where files are mapped and
//! unwinds by their DWARF, [`Symbols`] names addresses, and [`Table`] gives every frame and stack one number. What is
//! not known is a frame of kind `unknown`; nothing is guessed. Whoever has the registers (the sampler, the ptrace
//! backend) uses these.

mod calls;
mod endless;
mod exported;
mod guard;
mod mangled;
pub mod maps;
mod object;
mod python;
mod run_time_code;
mod space;
mod symbols;
mod table;
mod vdso;
mod wanted;

pub use object::{Identity, Object, ObjectId, Objects};
pub use python::{Care, Interpreter};
pub use space::{Address, Space, Walk, registers};
pub use symbols::Symbols;
pub use table::Table;
pub use vdso::NAME as VDSO;
pub use wanted::Wanted;
