//! One argument, by the kind the table gives it or the form that goes with others.

use super::IdKind;
use super::call::word;
use super::facts::{write_open_how, write_sockaddr, write_stat};
use super::special::{self, Form};
use super::{Decoder, ioctl, tables};
use crate::event::Abi;
use crate::syscall::flags::{write_hex, write_mode, write_number, write_radix};
use crate::syscall::{Arg, Struct};

impl Decoder<'_, '_> {
    /// Writes an argument by the kind the table gives it.
    pub(super) fn write_arg(&mut self, out: &mut Vec<u8>, index: usize) {
        match special::form(&self.event, self.spec, index) {
            Some(Form::As(kind)) => self.write_kind(out, kind, index),
            // Writers of their own would take it for a number.
            Some(_) if self.is_unknown(index) => out.extend_from_slice(b"..."),
            Some(form) => self.write_form(out, form, index),
            None => self.write_kind(out, self.spec.args[index].arg, index),
        }
    }

    fn write_form(&mut self, out: &mut Vec<u8>, form: Form, index: usize) {
        match form {
            Form::Bits(set) => self.style.constants.bits(out, set, self.event.args[index]),
            Form::As(arg) => self.write_kind(out, arg, index),
            Form::Named(names) => out.extend_from_slice(names.as_bytes()),
            Form::Quota => special::write_quota(out, self.event.args[index] as u32, self.style.constants),
            Form::IoctlIn(what) if what.is_argument() => {
                self.write_ioctl_argument(out, what, self.arg(index));
            }
            Form::IoctlIn(_) | Form::IoctlOut(_) | Form::Option if self.style.addresses => {
                self.write_address(out, self.arg(index));
            }
            Form::IoctlIn(what) => self.write_ioctl_argument(out, what, self.arg(index)),
            Form::IoctlOut(what) if self.succeeded() => self.write_ioctl_argument(out, what, self.arg(index)),
            Form::IoctlOut(_) => self.write_address(out, self.arg(index)),
            Form::Option => self.write_socket_option(out, index),
            // The first part has been written at the entry.
            Form::Own(write) | Form::OwnLate(write) | Form::Parts(_, write) => write(self, out, index),
        }
    }

    fn write_kind(&mut self, out: &mut Vec<u8>, kind: Arg, index: usize) {
        let value = self.event.args[index];
        let has_content = matches!(
            kind,
            Arg::Path | Arg::Str | Arg::StrArray | Arg::OutBuf | Arg::In(_) | Arg::Out(_) | Arg::InOut(_)
        );
        if self.is_unknown(index) && !has_content {
            out.extend_from_slice(b"...");
            return;
        }
        let is_hidden = match kind {
            // A string, and an array that may have no elements.
            Arg::In(layout) | Arg::Out(layout) | Arg::InOut(layout) => {
                // Those look for themselves.
                use Struct::{EpollEvent, Groups, Groups16, Iovec, Pollfd, ThreadName};
                !matches!(layout, ThreadName | EpollEvent | Iovec | Groups | Groups16 | Pollfd)
            }
            _ => false,
        };
        if self.style.addresses && is_hidden {
            return self.write_address(out, value);
        }
        match kind {
            Arg::Int | Arg::Pid => match self.id_kind(kind, index) {
                Some(of) => self.write_id(out, of, value as i32),
                None => write_number(out, i64::from(value as i32)),
            },
            Arg::Uid | Arg::Gid if value as u32 == u32::MAX => out.extend_from_slice(b"-1"),
            Arg::Id16 if value as u16 == u16::MAX => out.extend_from_slice(b"-1"),
            Arg::Id16 => write_radix(out, u64::from(value as u16), 10, 1),
            Arg::Uint | Arg::Uid | Arg::Gid => write_radix(out, u64::from(value as u32), 10, 1),
            Arg::Long | Arg::Offset => write_number(out, self.signed(value)),
            Arg::Size => write_radix(out, word(self.event.abi, value), 10, 1),
            Arg::Word => write_hex(out, word(self.event.abi, value)),
            Arg::OffsetLow | Arg::OffsetHigh => self.write_split(out, kind, index),
            Arg::PageOffset => write_hex(out, word(self.event.abi, value) << 12),
            Arg::Fd | Arg::DirFd => self.write_fd(out, index),
            Arg::Path => self.write_path(out, index),
            Arg::Str => self.write_string(out, index),
            Arg::StrArray => self.write_strings(out, index),
            Arg::Flags(set) => self.style.constants.bits(out, set, value),
            Arg::Enum(set) => self.style.constants.one(out, set, value),
            Arg::Operation => ioctl::write_operation(self, out, index),
            Arg::Mode if self.spec.name.starts_with("mknod") => {
                self.style.constants.file_mode(out, value as u32 & 0xffff);
            }
            Arg::Mode => write_mode(out, value & 0xffff),
            Arg::OutBuf => self.write_out_buffer(out, index),
            Arg::In(layout) | Arg::Out(layout) | Arg::InOut(layout) => self.write_struct(out, layout, index),
            Arg::Signal => self.style.constants.signal(out, value as u32),
            Arg::Dev => self.style.constants.device(out, u64::from(value as u32)),
            Arg::Buf => self.write_in_buffer(out, index),
            Arg::Addr | Arg::Unused => self.write_address(out, value),
        }
    }

    /// What an argument is the id of; `None`: it is none.
    fn id_kind(&self, kind: Arg, index: usize) -> Option<IdKind> {
        let chosen = |kinds: [Option<IdKind>; 3]| kinds.get(self.arg(0) as u32 as usize).copied().flatten();
        match (self.spec.name, index) {
            ("perf_event_open", _) => None,
            ("setpgid", 1) => Some(IdKind::Group),
            // PRIO_PROCESS, PRIO_PGRP.
            ("getpriority" | "setpriority", 1) => chosen([Some(IdKind::Thread), Some(IdKind::Group), None]),
            // IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP.
            ("ioprio_get" | "ioprio_set", 1) => chosen([None, Some(IdKind::Thread), Some(IdKind::Group)]),
            // P_PID, P_PGID.
            ("waitid", 1) => chosen([None, Some(IdKind::Process), Some(IdKind::Group)]),
            // PR_SCHED_CORE: PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID.
            ("prctl", 2) if kind == Arg::Pid => {
                let kinds = [IdKind::Thread, IdKind::Process, IdKind::Group, IdKind::Session];
                kinds.get(self.arg(3) as u32 as usize).copied()
            }
            _ if kind != Arg::Pid => None,
            ("tkill" | "ptrace" | "get_robust_list", _) | ("tgkill" | "rt_tgsigqueueinfo", 1) => {
                Some(IdKind::Thread)
            }
            (name, _) if name.starts_with("sched_") => Some(IdKind::Thread),
            _ => Some(IdKind::Process),
        }
    }

    /// A `long` of the ABI.
    fn signed(&self, value: u64) -> i64 {
        if self.event.abi == Abi::I386 { i64::from(value as i32) } else { value as i64 }
    }

    fn write_split(&self, out: &mut Vec<u8>, kind: Arg, index: usize) {
        let next = self.event.args.get(index + 1).copied().unwrap_or(0) & 0xffff_ffff;
        let value = self.event.args[index] & 0xffff_ffff;
        let whole = if kind == Arg::OffsetLow { next << 32 | value } else { value << 32 | next };
        match self.spec.name {
            "truncate64" | "ftruncate64" | "lookup_dcookie" => write_radix(out, whole, 10, 1),
            _ => write_number(out, whole as i64),
        }
    }

    fn write_struct(&mut self, out: &mut Vec<u8>, layout: Struct, index: usize) {
        if self.is_deep() && tables::write(self, out, layout, index) {
            return;
        }
        let address = self.arg(index);
        match (layout, self.event.stat, self.event.peer) {
            (Struct::Stat | Struct::Stat64 | Struct::OldStat | Struct::Statx, Some(stat), _)
                if self.succeeded() =>
            {
                write_stat(out, layout, &stat);
            }
            (Struct::Sockaddr, _, Some(peer)) if !self.is_deep() => write_sockaddr(out, peer),
            (Struct::OpenHow, _, _)
                if !self.is_deep() && write_open_how(out, &self.event, self.style.constants) => {}
            _ => self.write_address(out, address),
        }
    }
}
