//! What to capture of each system call, worked out once from the declarative table.

use std::sync::LazyLock;

use super::effect::Effect;
use crate::event::Abi;
use crate::syscall::{self, Arg, Ret, Spec, Struct};

/// A path argument and the descriptor argument it is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathArg {
    /// Index of the path.
    pub arg: u8,
    /// Index of its directory descriptor; `None`: relative to the cwd.
    pub dirfd: Option<u8>,
}

/// Something to read when the call has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFact {
    /// Nothing.
    None,
    /// A stat structure of this layout at this argument.
    Stat(Struct, u8),
    /// Text of `ret` bytes at this argument.
    Text(u8),
    /// NUL-terminated text of `ret` bytes at this argument.
    Cwd(u8),
    /// A socket address at this argument, its length behind the pointer in the next.
    Peer(u8),
}

/// What to capture of one call.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many arguments it takes.
    pub arg_count: u8,
    /// Path arguments, in order.
    pub paths: [Option<PathArg>; 2],
    /// Descriptor arguments, in order, directory descriptors included.
    pub fds: [Option<u8>; 2],
    /// A socket address passed in: at this argument, its length in the next.
    pub peer: Option<u8>,
    /// A string that is no path (a link's target, an attribute's name, what is mounted).
    pub string: Option<u8>,
    /// Arguments of an exec.
    pub argv: Option<u8>,
    /// What to read on return.
    pub result: ResultFact,
    /// Whether it returns a descriptor.
    pub makes_fd: bool,
    /// What it changes.
    pub effect: Effect,
}

impl Plan {
    /// For a number the table does not know: all arguments are kept, nothing is read.
    const UNKNOWN: Self = Self {
        arg_count: 6,
        paths: [None; 2],
        fds: [None; 2],
        peer: None,
        string: None,
        argv: None,
        result: ResultFact::None,
        makes_fd: false,
        effect: Effect::None,
    };

    fn new(spec: &Spec) -> Self {
        let mut plan = Self {
            arg_count: spec.args.len() as u8,
            makes_fd: spec.ret == Ret::Fd,
            effect: Effect::of(spec.name),
            ..Self::UNKNOWN
        };
        let mut dirfd = None;
        for (index, arg) in (0..).zip(spec.args) {
            match arg.arg {
                Arg::Fd => put(&mut plan.fds, index),
                Arg::DirFd => {
                    put(&mut plan.fds, index);
                    dirfd = Some(index);
                }
                Arg::Path => put(&mut plan.paths, PathArg { arg: index, dirfd: dirfd.take() }),
                Arg::Str if plan.string.is_none() => plan.string = Some(index),
                Arg::In(Struct::Sockaddr) => plan.peer = Some(index),
                Arg::StrArray if plan.effect == Effect::Exec && plan.argv.is_none() => {
                    plan.argv = Some(index);
                }
                _ => {}
            }
        }
        plan.result = result_fact(spec);
        plan
    }
}

fn put<T>(slots: &mut [Option<T>; 2], value: T) {
    if let Some(slot) = slots.iter_mut().find(|slot| slot.is_none()) {
        *slot = Some(value);
    }
}

fn result_fact(spec: &Spec) -> ResultFact {
    for (index, arg) in (0..).zip(spec.args) {
        match arg.arg {
            Arg::Out(layout @ (Struct::Stat | Struct::Stat64 | Struct::OldStat | Struct::Statx)) => {
                return ResultFact::Stat(layout, index);
            }
            Arg::Out(Struct::Sockaddr) => return ResultFact::Peer(index),
            Arg::OutBuf if matches!(spec.name, "readlink" | "readlinkat") => return ResultFact::Text(index),
            Arg::OutBuf if spec.name == "getcwd" => return ResultFact::Cwd(index),
            _ => {}
        }
    }
    ResultFact::None
}

/// Numbers below this are looked up beforehand; no ABI has as many calls.
const NUMBERS: u32 = 1024;

/// Plans by number, for one ABI, of which all numbers have these bits set.
fn build(abi: Abi, bits: u32) -> Vec<Plan> {
    let plan = |nr| syscall::lookup(abi, nr | bits).map_or(Plan::UNKNOWN, Plan::new);
    (0..NUMBERS).map(plan).collect()
}

static X86_64: LazyLock<Vec<Plan>> = LazyLock::new(|| build(Abi::X86_64, 0));
static I386: LazyLock<Vec<Plan>> = LazyLock::new(|| build(Abi::I386, 0));
static X32: LazyLock<Vec<Plan>> = LazyLock::new(|| build(Abi::X32, syscall::X32_BIT));

/// The plan of a call.
pub fn of(abi: Abi, nr: u32) -> &'static Plan {
    let (plans, nr) = match abi {
        Abi::X86_64 => (&*X86_64, nr),
        Abi::I386 => (&*I386, nr),
        Abi::X32 => (&*X32, nr & !syscall::X32_BIT),
    };
    plans.get(nr as usize).unwrap_or(&Plan::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> &'static Plan {
        let spec = syscall::by_name(Abi::X86_64, name).expect("a known call");
        of(Abi::X86_64, spec.nr)
    }

    #[test]
    fn a_path_belongs_to_the_directory_descriptor_before_it() {
        let openat = plan("openat");
        assert_eq!(openat.paths, [Some(PathArg { arg: 1, dirfd: Some(0) }), None]);
        assert!(openat.makes_fd);
        let renameat = plan("renameat2");
        assert_eq!(
            renameat.paths,
            [Some(PathArg { arg: 1, dirfd: Some(0) }), Some(PathArg { arg: 3, dirfd: Some(2) })]
        );
        assert_eq!(renameat.fds, [Some(0), Some(2)]);
    }

    #[test]
    fn what_is_read_on_return() {
        assert_eq!(plan("newfstatat").result, ResultFact::Stat(Struct::Stat, 2));
        assert_eq!(plan("statx").result, ResultFact::Stat(Struct::Statx, 4));
        assert_eq!(plan("readlink").result, ResultFact::Text(1));
        assert_eq!(plan("getcwd").result, ResultFact::Cwd(0));
        assert_eq!(plan("accept4").result, ResultFact::Peer(1));
        assert_eq!(plan("connect").peer, Some(1));
        assert_eq!(plan("symlinkat").string, Some(0));
        assert_eq!(plan("execve").argv, Some(1));
        assert_eq!(plan("execveat").argv, Some(2));
    }

    #[test]
    fn unknown_numbers_keep_every_argument() {
        assert_eq!(of(Abi::X86_64, 100_000).arg_count, 6);
        assert_eq!(of(Abi::X32, syscall::X32_BIT + 257).paths[0].map(|path| path.arg), Some(1));
    }
}
