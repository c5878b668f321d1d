//! `quotactl(2)`: what follows the operation depends on it. 64-bit programs only.

use super::Decoder;
use super::ioctl::What;
use super::layout::Show::{Flags, Hex, Int, Nested, Uint};
use super::layout::Size::{B1, B2, B4, B8};
use super::layout::layouts;
use super::special::Form;
use crate::event::{Abi, Event};
use crate::syscall::flags::{
    QUOTA_FORMAT, QUOTA_INFO, QUOTA_INFO_VALID, QUOTA_STATE, QUOTA_VALID, QUOTA_XFS,
};
use crate::syscall::{Arg, Spec};

layouts! {
    /// `struct if_dqblk`.
    LIMITS: 72/72 {
        always dqb_bhardlimit @ 0/0 Uint(B8);
        always dqb_bsoftlimit @ 8/8 Uint(B8);
        always dqb_curspace @ 16/16 Uint(B8);
        always dqb_ihardlimit @ 24/24 Uint(B8);
        always dqb_isoftlimit @ 32/32 Uint(B8);
        always dqb_curinodes @ 40/40 Uint(B8);
        v dqb_btime @ 48/48 Uint(B8);
        v dqb_itime @ 56/56 Uint(B8);
        v dqb_valid @ 64/64 Flags(&QUOTA_VALID, B4);
    }
    /// `struct if_nextdqblk`.
    NEXT_LIMITS: 72/72 {
        always dqb_bhardlimit @ 0/0 Uint(B8);
        always dqb_bsoftlimit @ 8/8 Uint(B8);
        always dqb_curspace @ 16/16 Uint(B8);
        always dqb_ihardlimit @ 24/24 Uint(B8);
        always dqb_isoftlimit @ 32/32 Uint(B8);
        always dqb_curinodes @ 40/40 Uint(B8);
        v dqb_btime @ 48/48 Uint(B8);
        v dqb_itime @ 56/56 Uint(B8);
        v dqb_valid @ 64/64 Flags(&QUOTA_VALID, B4);
        always dqb_id @ 68/68 Uint(B4);
    }
    /// `struct if_dqinfo`.
    INFO: 24/24 {
        always dqi_bgrace @ 0/0 Uint(B8);
        always dqi_igrace @ 8/8 Uint(B8);
        always dqi_flags @ 16/16 Flags(&QUOTA_INFO, B4);
        always dqi_valid @ 20/20 Flags(&QUOTA_INFO_VALID, B4);
    }
    /// `struct fs_disk_quota`.
    XFS_LIMITS: 112/112 {
        always d_version @ 0/0 Int(B1);
        always d_flags @ 1/1 Flags(&QUOTA_XFS, B1);
        always d_fieldmask @ 2/2 Hex(B2);
        always d_id @ 4/4 Uint(B4);
        always d_blk_hardlimit @ 8/8 Uint(B8);
        always d_blk_softlimit @ 16/16 Uint(B8);
        always d_ino_hardlimit @ 24/24 Uint(B8);
        always d_ino_softlimit @ 32/32 Uint(B8);
        always d_bcount @ 40/40 Uint(B8);
        always d_icount @ 48/48 Uint(B8);
        v d_itimer @ 56/56 Int(B4);
        v d_btimer @ 60/60 Int(B4);
        v d_iwarns @ 64/64 Uint(B2);
        v d_bwarns @ 66/66 Uint(B2);
        v d_rtb_hardlimit @ 72/72 Uint(B8);
        v d_rtb_softlimit @ 80/80 Uint(B8);
        v d_rtbcount @ 88/88 Uint(B8);
        v d_rtbtimer @ 96/96 Int(B4);
        v d_rtbwarns @ 100/100 Uint(B2);
    }
    /// `struct fs_qfilestat`.
    XFS_FILE: 24/24 {
        always qfs_ino @ 0/0 Uint(B8);
        always qfs_nblks @ 8/8 Uint(B8);
        always qfs_nextents @ 16/16 Uint(B4);
    }
    /// `struct fs_quota_stat`.
    XFS_STATE: 80/80 {
        always qs_version @ 0/0 Int(B1);
        v qs_flags @ 2/2 Flags(&QUOTA_STATE, B2);
        v qs_uquota @ 8/8 Nested(&XFS_FILE);
        v qs_gquota @ 32/32 Nested(&XFS_FILE);
        v qs_incoredqs @ 56/56 Uint(B4);
        v qs_btimelimit @ 60/60 Int(B4);
        v qs_itimelimit @ 64/64 Int(B4);
        v qs_rtbtimelimit @ 68/68 Int(B4);
        v qs_bwarnlimit @ 72/72 Uint(B2);
        v qs_iwarnlimit @ 74/74 Uint(B2);
    }
    /// `struct fs_quota_statv`.
    XFS_STATE_V: 160/160 {
        always qs_version @ 0/0 Int(B1);
        v qs_flags @ 2/2 Flags(&QUOTA_STATE, B2);
        v qs_incoredqs @ 4/4 Uint(B4);
        v qs_uquota @ 8/8 Nested(&XFS_FILE);
        v qs_gquota @ 32/32 Nested(&XFS_FILE);
        v qs_pquota @ 56/56 Nested(&XFS_FILE);
        v qs_btimelimit @ 80/80 Int(B4);
        v qs_itimelimit @ 84/84 Int(B4);
        v qs_rtbtimelimit @ 88/88 Int(B4);
        v qs_bwarnlimit @ 92/92 Uint(B2);
        v qs_iwarnlimit @ 94/94 Uint(B2);
    }
}

/// How the third argument of an operation is shown, and the fourth; none: the call does not look at it.
type Arguments = [Option<Form>; 2];

/// The argument that is an id, or in its place a format.
const ID: usize = 2;

/// The arguments of an operation that is known. A line an operation.
fn arguments(operation: u32) -> Option<Arguments> {
    let id = Some(Form::As(Arg::Uid));
    let filled = |layout| Some(Form::IoctlOut(What::Of(layout)));
    let passed = |layout| Some(Form::IoctlIn(What::Of(layout)));
    let flags = |set| Some(Form::IoctlIn(What::Bits(set)));
    Some(match operation {
        // Q_SYNC, Q_QUOTAOFF and Q_XQUOTASYNC.
        0x80_0001 | 0x80_0003 | 0x5807 => [None, None],
        // Q_QUOTAON and Q_GETFMT.
        0x80_0002 => [Some(Form::As(Arg::Enum(&QUOTA_FORMAT))), Some(Form::Own(write_file))],
        0x80_0004 => [None, Some(Form::OwnLate(write_format))],
        // Q_GETINFO and Q_SETINFO.
        0x80_0005 => [None, filled(&INFO)],
        0x80_0006 => [None, passed(&INFO)],
        // Q_GETQUOTA, Q_SETQUOTA and Q_GETNEXTQUOTA.
        0x80_0007 => [id, filled(&LIMITS)],
        0x80_0008 => [id, passed(&LIMITS)],
        0x80_0009 => [id, filled(&NEXT_LIMITS)],
        // Q_XQUOTAON, Q_XQUOTAOFF and Q_XQUOTARM.
        0x5801 | 0x5802 => [None, flags(&QUOTA_STATE)],
        0x5806 => [None, flags(&QUOTA_XFS)],
        // Q_XGETQUOTA, Q_XGETNEXTQUOTA and Q_XSETQLIM.
        0x5803 | 0x5809 => [id, filled(&XFS_LIMITS)],
        0x5804 => [id, passed(&XFS_LIMITS)],
        // Q_XGETQSTAT and Q_XGETQSTATV.
        0x5805 => [None, filled(&XFS_STATE)],
        0x5808 => [None, filled(&XFS_STATE_V)],
        _ => return None,
    })
}

/// Where the call has its operation.
fn operation(event: &Event<'_>, spec: &Spec) -> Option<u32> {
    let index = match spec.name {
        "quotactl" => 0,
        "quotactl_fd" => 1,
        _ => return None,
    };
    (event.abi == Abi::X86_64).then(|| event.args[index] as u32 >> 8)
}

/// How an argument of the call is shown.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    let place = index.checked_sub(ID)?;
    arguments(operation(event, spec)?)?.get(place).copied().flatten()
}

/// Whether the call does not look at an argument.
pub(super) fn is_left_out(event: &Event<'_>, spec: &Spec, index: usize) -> bool {
    let Some(place) = index.checked_sub(ID) else { return false };
    let known = operation(event, spec).and_then(arguments);
    known.is_some_and(|known| known.get(place).is_some_and(Option::is_none))
}

/// The file that has the quotas.
fn write_file(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_whole_path(out, call.arg(index));
}

/// `[QFMT_VFS_V1]`
fn write_format(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_u32_at(call.phase, address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(format) => {
            out.push(b'[');
            call.style.constants.one(out, &QUOTA_FORMAT, u64::from(format));
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}
