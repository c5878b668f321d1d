/*
 * The kernel's side of the eBPF backend: every system call, birth, exec, signal and end of the
 * processes that are followed, as variable-length records in one ring.
 *
 *     sys_enter ── begins the thread's record: arguments, paths, identities of the files behind its descriptors
 *     sys_exit  ── completes it: results, what could not be read at the entry; then into the ring, in one piece
 *
 * The record is built in the thread's own storage, so that a call that never returns is still there when the
 * thread ends. A small one is made for each thread, because its birth waits for it; a large one for whoever needs it. A file is named by a 64-bit identity; the first time
 * one is met, its names up to the root are put into the ring before it (`struct name`).
 *
 * What to read of which call is worked out in user space from the table of system calls and comes
 * in `plans`. The layout of the records is that of `wire.rs`; a test compares both.
 *
 * Kernel structures are declared with the few fields that are used; the loader finds their offsets
 * in the running kernel's BTF (CO-RE).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef __s32 s32;

char LICENSE[] SEC("license") = "GPL";

/* ---- the kernel's structures ---- */
#define KERNEL __attribute__((preserve_access_index))

struct hlist_bl_node {
    void *next, **pprev;
} KERNEL;
struct super_block {
    unsigned long s_magic;
    u32 s_dev;
} KERNEL;
struct inode {
    unsigned long i_ino;
    struct super_block *i_sb;
} KERNEL;
struct qstr {
    u64 hash_len;
    const unsigned char *name;
} KERNEL;
struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct hlist_bl_node d_hash;
} KERNEL;
struct vfsmount {
    struct dentry *mnt_root;
} KERNEL;
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
} KERNEL;
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
} KERNEL;
struct file {
    struct path f_path;
} KERNEL;
struct fdtable {
    unsigned int max_fds;
    struct file **fd;
} KERNEL;
struct files_struct {
    struct fdtable *fdt;
} KERNEL;
struct fs_struct {
    struct path root, pwd;
} KERNEL;
struct ns_common {
    unsigned int inum;
} KERNEL;
struct pid_namespace {
    struct ns_common ns;
} KERNEL;
struct upid {
    int nr;
    struct pid_namespace *ns;
} KERNEL;
struct pid {
    unsigned int level;
    struct upid numbers[1];
} KERNEL;
struct signal_struct {
    int group_exit_code;
    struct pid *pids[4];
} KERNEL;
struct mm_struct {
    unsigned long start_stack;
    struct file *exe_file;
    unsigned long saved_auxv[2];
    unsigned long arg_start, arg_end;
} KERNEL;
struct linux_binprm {
    const char *filename, *interp;
    unsigned long exec;
} KERNEL;
struct thread_info {
    u32 status;
} KERNEL;
typedef struct {
    u32 val;
} kuid_t;
struct cred {
    kuid_t euid;
} KERNEL;
struct seccomp {
    int mode;
} KERNEL;
struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int pid, tgid;
    int exit_code;
    char comm[16];
    struct files_struct *files;
    struct fs_struct *fs;
    struct mm_struct *mm;
    struct task_struct *real_parent, *group_leader;
    struct pid *thread_pid;
    struct signal_struct *signal;
    struct cred *cred;
    struct seccomp seccomp;
} KERNEL;
/* These two are as user space sees them (sys/user.h, sigaction(2)), so they are nothing to look up. */
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp;
};
struct kernel_siginfo {
    int si_signo, si_errno, si_code, pad, sender;
};

/* ---- the records, as in wire.rs ---- */
enum { CALL = 1, NAME = 2, FORK = 3, EXEC = 4, EXIT = 5, SIGNAL = 6, COMM = 7, MET = 8, HELD = 9, ENTERED = 10, SLOWED = 11, HIDDEN = 12,
       STACK = 13 };
/* What stands behind a call's words: a tag, a length, bytes. */
enum { PATH0 = 1, PATH1 = 2, STRING = 3, PEER = 4, ARGV = 5, RESULT = 6, EFFECT = 7, FILES = 8, EXTRA = 9, SELF = 10 };
enum {
    UNREADABLE0 = 1, UNREADABLE1 = 2, RESULT_UNREADABLE = 4, TRUNCATED = 8, RETURNED = 16, ENTERED_BEFORE = 32,
};
enum { ABI_64 = 0, ABI_32 = 1, ABI_X32 = 2 };

#define LONGEST_PATH 4096
/* Bytes of words and pieces in a thread's own record, but for the last three, and of one piece there; no piece begins
 * later than the last. The same for what does not fit. */
#define DATA_LAST 0x3ff
#define DATA_PIECE 0x200
#define FAR_LAST 0x2fff
#define LAST_PIECES 80 /* files, extra, itself */
#define DATA (DATA_LAST + 1 + 4 + DATA_PIECE)
#define FAR_DATA (FAR_LAST + 1 + 4 + LONGEST_PATH)

/* What every record but a name begins with. */
struct head {
    u8 kind;
    u8 abi;
    u8 flags;
    u8 words; /* numbers that follow: of a call, its arguments; of others, see those who tell them */
    u32 nr;
    u32 pid, tid;
    u64 start_ns, end_ns;
    s64 ret;
    u64 ip;
};

/* A directory of the thread, and the identity it had when it was last looked at. */
struct place {
    u64 mnt, dentry, naming, identity;
};

/* What the records of a thread's calls say of the thread: once, and again when it has changed. */
struct self {
    u64 cwd, root; /* identities: where paths are taken from */
    char comm[16];
};

/* A thread, and the call that it is in. */
struct record {
    u64 entry;  /* where its program will begin, once the dynamic loader is done; 0: it has begun */
    u32 epoch;  /* of the recording it belongs to */
    u32 inside; /* the thread was met inside a call, whose entry nobody has seen */
    u32 hidden; /* it runs as somebody else, whose calls are not for the recorder's user */
    u32 told;   /* a record with its cwd and root as they are has been sent */
    struct place cwd, root;
    u64 file[2]; /* identities behind the call's descriptor arguments; the returned one comes last */
    u64 extra;   /* flags of a clone; where a signal handler's return leads to */
    u32 used;    /* bytes behind the head */
    u32 is_far;  /* they are in the thread's `struct far`, but for the arguments, which are here too */
    struct head head; /* from here on it is sent */
    union {
        u64 args[6];
        u8 data[DATA + LAST_PIECES];
    };
};

/* Where records are built that are larger: made for a thread when it needs it, which few do. */
struct far {
    struct head head;
    u8 data[FAR_DATA + LAST_PIECES];
};

/* wire.rs asserts the same. */
_Static_assert(sizeof(struct head) == 48 && __builtin_offsetof(struct head, start_ns) == 16, "layout of head");
_Static_assert(sizeof(struct self) == 32 && __builtin_offsetof(struct self, comm) == 16, "layout of self");
_Static_assert(__builtin_offsetof(struct record, data) == __builtin_offsetof(struct record, head) + sizeof(struct head), "sent in one piece");

/* One name of a file: its components, the last one first, each ended by a NUL byte. */
#define MOST_COMPONENTS 128
struct name {
    u8 kind;
    u8 deleted;
    u16 cut;
    u32 used;
    u64 identity;
    u64 magic, ino;
    u64 dev; /* the kernel's own form */
    u8 text[0x2000 + 0x200];
};

_Static_assert(__builtin_offsetof(struct name, identity) == 8 && __builtin_offsetof(struct name, text) == 40, "layout of name");

/* ---- what to read ---- */
struct plan {
    u8 path[2];
    u8 fd[2];
    u8 peer;
    u8 string;
    u8 argv;
    u8 result_kind;
    u8 result_arg;
    u8 makes_fd;
    u16 result_size;
    u8 effect;
    u8 words; /* arguments */
    u8 is_plain; /* nothing is to be read at its entry */
    u8 has_stack; /* its stack is told, where any are */
};
_Static_assert(sizeof(struct plan) == 16 && __builtin_offsetof(struct plan, result_size) == 10, "layout of plan");
enum { RESULT_NONE, RESULT_FIXED, RESULT_TEXT, RESULT_PEER };
enum { EFFECT_NONE, EFFECT_CLONE, EFFECT_CLONE3, EFFECT_VFORK, EFFECT_FORK, EFFECT_HOW, EFFECT_RENAME, EFFECT_CHDIR, EFFECT_SIGRETURN, EFFECT_ROOT, EFFECT_UNLINKAT, EFFECT_FCNTL, EFFECT_IOCTL, EFFECT_COPY, EFFECT_SEND };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 3 * 1024);
    __type(key, u32);
    __type(value, struct plan);
} plans SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct record);
} records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct far);
} fars SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct name);
} names SEC(".maps");

/* Files whose names are known to user space. */
struct known {
    u64 identity;
    u64 naming; /* as it was when the name was last looked at */
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 32768);
    __type(key, u64);
    __type(value, struct known);
} known SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u64);
} lost SEC(".maps");

/* Set before loading: the pid namespace whose numbers are told, as `/proc/self/ns/pid` has it. */
const volatile u32 own_namespace = 0;
/* Likewise: the one user whose calls are told; the last number of all: everybody's. */
const volatile u32 only_user = ~0u;
/* Likewise: whether the stacks of calls about files are told. */
const volatile u32 wants_stacks = 0;
#define FIRST_NAMESPACE 0xeffffffc /* PROC_PID_INIT_INO of linux/proc_ns.h */

/* Who is followed, set while running; besides, whoever a followed thread makes. */
enum { NOBODY, THREAD, PROCESSES, CGROUP, ALL };
struct control {
    u32 scope;
    u32 epoch;    /* counts recordings: nobody of an earlier one is followed any more */
    u32 thread;   /* of THREAD */
    u32 recorder; /* the process that is never met */
    u64 cgroup;   /* of CGROUP, which includes those below it */
    u64 since_ns; /* when that was set */
    u64 naming; /* changes when user space has forgotten all names */
    u64 hold_above; /* bytes in the ring from which on whoever makes a call is stopped; 0: nobody is */
    u64 slow_above; /* the same for whoever has to wait a little after a call */
};
_Static_assert(sizeof(struct control) == 56 && __builtin_offsetof(struct control, cgroup) == 16, "layout of control");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct control);
} control SEC(".maps");

/* Of PROCESSES. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, u8);
} processes SEC(".maps");

/* Signals that were queued for the recorder because they were sent to its whole process group, by number: it maps
 * this, and knows when it handles one. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 65);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, u64);
} to_group SEC(".maps");

/* Processes that we have stopped, for user space to let go on. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, u8);
} held SEC(".maps");

/* The last recording in which somebody had to wait. */
u32 slowed = 0;

/* By who is followed: renames and moves of mounts, of which each may change every name, and removals of directories,
 * after which what has no name any more may be used again below another directory. */
u64 renames = 0;

/* ---- helpers ----
 * Functions that are not static are verified once in each program that calls them, others once for each way to each
 * call: what is long or called often is not static, so that loading is quick. Kernel pointers are passed
 * as numbers, because such a function cannot take them. No pointer is read through one that the verifier trusts but by
 * bpf_probe_read_kernel: for each the verifier compares the names of all types of the kernel four times
 * (btf_nested_type_is_trusted in kernel/bpf/verifier.c), which took a third of the time of loading.
 */
static __always_inline void count_lost(void)
{
    u32 zero = 0;
    u64 *count = bpf_map_lookup_elem(&lost, &zero);
    if (count) *count += 1;
}

#define DEEPEST_NAMESPACE 32 /* MAX_PID_NS_LEVEL of linux/pid_namespace.h */

/* A pid as our pid namespace sees it; 0: not at all. */
__noinline u32 number(u64 address)
{
    struct pid *pid = (void *)address;
    u32 deepest = BPF_CORE_READ(pid, level);
    struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
    for (u32 level = 0; level <= DEEPEST_NAMESPACE && level <= deepest; level++) {
        struct upid *at = (void *)numbers + level * bpf_core_type_size(struct upid);
        if (own_namespace == FIRST_NAMESPACE || BPF_CORE_READ(at, ns, ns.inum) == own_namespace)
            return BPF_CORE_READ(at, nr);
    }
    return 0;
}

static __always_inline u64 mix(u64 a, u64 b)
{
    a = (a ^ b) * 0x9e3779b97f4a7c15ull;
    return a ^ (a >> 29);
}

/* The fields of a dentry that make a name. They have lain together in all kernels so far, and are read at once then. */
struct parts {
    struct dentry *parent;
    u64 hash; /* of the last component, and its length */
    const u8 *component;
    struct inode *inode;
};

static __always_inline int read_parts(struct parts *parts, struct dentry *dentry)
{
    u32 begin = bpf_core_field_offset(struct dentry, d_parent);
    if (bpf_core_field_offset(struct dentry, d_name) == begin + 8 && bpf_core_field_offset(struct qstr, name) == 8 &&
        bpf_core_field_offset(struct dentry, d_inode) == begin + 24)
        return bpf_probe_read_kernel(parts, sizeof *parts, (void *)dentry + begin);
    parts->parent = BPF_CORE_READ(dentry, d_parent);
    parts->hash = BPF_CORE_READ(dentry, d_name.hash_len);
    parts->component = BPF_CORE_READ(dentry, d_name.name);
    parts->inode = BPF_CORE_READ(dentry, d_inode);
    return 0;
}

/* From a file up to the root. */
struct walk {
    struct dentry *dentry;
    struct vfsmount *mnt;
    struct dentry *top; /* of that mount */
    u64 hash; /* of what was passed */
    struct name *name;
};

/* One step; gives the component that was passed, nothing at the root of a mount, and whether it was the last step. */
static __always_inline int climb(struct walk *walk, const u8 **component)
{
    struct dentry *dentry = walk->dentry;
    *component = 0;
    if (dentry == walk->top) {
        struct vfsmount *mnt = walk->mnt; /* apart, or CO-RE looks for our own struct in the kernel */
        struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
        struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
        if (parent == mount) return 1;
        mnt = (void *)parent + bpf_core_field_offset(struct mount, mnt);
        walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        walk->mnt = mnt;
        walk->top = BPF_CORE_READ(mnt, mnt_root);
        return 0;
    }
    struct parts parts;
    /* Its own parent is what lies below no mount: a pipe, a socket, ... or detached. */
    if (read_parts(&parts, dentry) || parts.parent == dentry) return 1;
    *component = parts.component;
    walk->hash = mix(walk->hash, parts.hash);
    walk->dentry = parts.parent;
    return 0;
}

static long pass(u32 index, struct walk *walk)
{
    const u8 *component;
    return climb(walk, &component);
}

static long take_component(u32 index, struct walk *walk)
{
    const u8 *component;
    if (climb(walk, &component)) return 1;
    if (!component) return 0;
    u32 used = walk->name->used;
    long got = -1;
    if (used <= 0x1fff) got = bpf_probe_read_kernel_str(&walk->name->text[used & 0x1fff], 256, component);
    if (got < 0) {
        walk->name->cut = 1;
        return 1;
    }
    walk->name->used = used + (u32)got;
    return 0;
}

/* A mount's root may be without a name because it is a file system's, and not deleted. */
static __always_inline int is_deleted(struct dentry *dentry, struct dentry *top)
{
    return !BPF_CORE_READ(dentry, d_hash.pprev) && (dentry != top || BPF_CORE_READ(dentry, d_parent) != dentry);
}

static __always_inline struct walk walk_from(struct vfsmount *mnt, struct dentry *dentry, u64 key)
{
    struct dentry *top = BPF_CORE_READ(mnt, mnt_root);
    return (struct walk){.dentry = dentry, .mnt = mnt, .top = top, .hash = key + is_deleted(dentry, top)};
}

/* The identity has all that its name is made of in it, so that it never means another one. */
static __always_inline u64 identity_after(struct walk *walk)
{
    return walk->hash | 1; /* never 0 */
}

static __always_inline u64 remember(u64 key, u64 identity, u64 now)
{
    struct known known_now = {.identity = identity, .naming = now};
    bpf_map_update_elem(&known, &key, &known_now, BPF_ANY);
    return identity;
}

/* Tells user space a file's name, and gives the identity that it was told for. */
__noinline u64 tell_name(u64 mount, u64 entry, u64 key, u64 now)
{
    struct vfsmount *mnt = (void *)mount;
    struct dentry *dentry = (void *)entry;
    u32 zero = 0;
    struct name *name = bpf_map_lookup_elem(&names, &zero);
    if (!name) return 0;
    struct inode *inode = BPF_CORE_READ(dentry, d_inode);
    name->kind = NAME;
    name->magic = BPF_CORE_READ(inode, i_sb, s_magic);
    name->ino = BPF_CORE_READ(inode, i_ino);
    name->dev = BPF_CORE_READ(inode, i_sb, s_dev);
    name->used = 0;
    name->cut = 0;
    struct walk walk = walk_from(mnt, dentry, key);
    walk.name = name;
    name->deleted = is_deleted(dentry, walk.top);
    if (dentry == BPF_CORE_READ(dentry, d_parent)) {
        /* The root of its file system; its own name tells what a nameless file is. */
        long got = bpf_probe_read_kernel_str(name->text, 256, BPF_CORE_READ(dentry, d_name.name));
        if (dentry != walk.top && got > 0) name->used = (u32)got;
    }
    bpf_loop(MOST_COMPONENTS, take_component, &walk, 0);
    name->identity = identity_after(&walk);
    u32 used = name->used;
    if (used > 0x2100) used = 0x2100;
    u32 size = __builtin_offsetof(struct name, text) + used;
    if (bpf_ringbuf_output(&ring, name, size, BPF_RB_NO_WAKEUP)) {
        count_lost();
        return 0;
    }
    return remember(key, name->identity, now);
}

/* The identity that a file's name was told for, if that still is its name though something was renamed since; 0: it was not
 * told, or is another one. */
__noinline u64 look_again(u64 mount, u64 entry, u64 key, u64 now)
{
    struct known *known_before = bpf_map_lookup_elem(&known, &key);
    /* User space has forgotten the names of another generation. */
    if (!known_before || (known_before->naming ^ now) >> 32) return 0;
    struct walk walk = walk_from((void *)mount, (void *)entry, key);
    bpf_loop(MOST_COMPONENTS, pass, &walk, 0);
    if (known_before->identity != identity_after(&walk)) return 0;
    known_before->naming = now;
    return known_before->identity;
}

/* Changes with each rename; its upper half, when user space has forgotten all names. */
static __always_inline u64 naming(void)
{
    u32 zero = 0;
    struct control *now = bpf_map_lookup_elem(&control, &zero);
    return renames + (now ? now->naming : 0);
}

/* A `struct path`, copied. */
struct pair {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

/* A number for what the `struct path` names now; tells user space its name if that is news. */
__noinline u64 identity_of(u64 path)
{
    struct pair pair;
    struct parts parts;
    if (bpf_probe_read_kernel(&pair, sizeof pair, (void *)path) || !pair.dentry) return 0;
    if (read_parts(&parts, pair.dentry)) return 0;
    u64 key = mix((u64)pair.dentry, (u64)pair.mnt);
    key = mix(key, (u64)parts.parent ^ parts.hash);
    key = mix(key, (u64)parts.inode);
    u64 now = naming(); /* before the name is looked at, or a rename meanwhile would be missed */
    struct known *is_known = bpf_map_lookup_elem(&known, &key);
    if (is_known && is_known->naming == now) return is_known->identity;
    u64 identity = look_again((u64)pair.mnt, (u64)pair.dentry, key, now);
    /* Not by look_again: before Linux 6.13, all that are called one from the other share 512 bytes of stack. */
    return identity ? identity : tell_name((u64)pair.mnt, (u64)pair.dentry, key, now);
}

/*
 * Looks at a thread's cwd or root, which may be another one than it has told. As identity_of, but for what is not used
 * again for another while it is one.
 */
static __always_inline void look_at(struct record *record, struct place *place, u64 path, u64 now)
{
    struct pair pair;
    if (bpf_probe_read_kernel(&pair, sizeof pair, (void *)path)) return;
    u64 mnt = (u64)pair.mnt, dentry = (u64)pair.dentry;
    if (place->dentry == dentry && place->mnt == mnt && place->naming == now) return;
    place->mnt = mnt;
    place->dentry = dentry;
    place->naming = now;
    u64 identity = identity_of(path);
    if (identity != place->identity) record->told = 0;
    place->identity = identity;
}

/* A table of descriptors, whose two fields have lain together in all kernels so far. */
struct descriptors {
    u32 count;
    u32 pad;
    struct file **files;
};

static __always_inline int read_descriptors(struct descriptors *descriptors, struct fdtable *table)
{
    u32 begin = bpf_core_field_offset(struct fdtable, max_fds);
    if (bpf_core_field_offset(struct fdtable, fd) == begin + 8)
        return bpf_probe_read_kernel(descriptors, sizeof *descriptors, (void *)table + begin);
    descriptors->count = BPF_CORE_READ(table, max_fds);
    descriptors->files = BPF_CORE_READ(table, fd);
    return 0;
}

/* Of the file behind a descriptor of the current process. */
__noinline u64 file_identity(s32 fd)
{
    if (fd < 0) return 0;
    struct descriptors descriptors;
    if (read_descriptors(&descriptors, BPF_CORE_READ(bpf_get_current_task_btf(), files, fdt))) return 0;
    if ((u32)fd >= descriptors.count) return 0;
    struct file *file = 0;
    bpf_probe_read_kernel(&file, sizeof file, descriptors.files + fd);
    if (!file) return 0;
    return identity_of((u64)&file->f_path);
}

/* Begins a piece of a record; gives where its bytes go. */
static __always_inline u8 *begin_piece(u8 *at, u8 tag, u16 length)
{
    at[0] = tag;
    at[1] = 0;
    *(u16 *)(at + 2) = length;
    return at + 4;
}

/* The current thread's large record, which has from now on what its small one has; 0: no memory. */
static __always_inline struct far *far_of(struct record *record)
{
    u64 create = record->is_far ? 0 : BPF_LOCAL_STORAGE_GET_F_CREATE;
    struct far *far = bpf_task_storage_get(&fars, bpf_get_current_task_btf(), 0, create);
    if (far && !record->is_far) {
        bpf_probe_read_kernel(far->data, DATA, record->data);
        record->is_far = 1;
    }
    return far;
}

#define A_STRING ~0u

/* Makes a piece of the process's memory in the large record: so many bytes of it, or a string. */
__noinline int put_far(struct record *record, u8 tag, u64 address, u32 length)
{
    if (!record) return 0;
    u32 used = record->used;
    struct far *far = used > FAR_LAST ? 0 : far_of(record);
    if (!far) {
        record->head.flags |= TRUNCATED;
        return 1;
    }
    used &= 0x3fff;
    if (length != A_STRING) {
        if (length > LONGEST_PATH - 1) length = LONGEST_PATH - 1;
        asm volatile("" : "+r"(length)); /* the verifier sees the bound only where the compiler keeps it */
        length &= LONGEST_PATH - 1;
        if (bpf_probe_read_user(&far->data[used + 4], length, (void *)address)) return 0;
    } else {
        long got = bpf_probe_read_user_str(&far->data[used + 4], LONGEST_PATH, (void *)address);
        if (got <= 0) return 0;
        length = (u32)got - 1; /* without its NUL byte */
        /* Cut, unless the next byte ends it, which took no room here. */
        u8 next = 1;
        if (length == LONGEST_PATH - 1) bpf_probe_read_user(&next, 1, (void *)(address + length));
        if (length == LONGEST_PATH - 1 && next) record->head.flags |= TRUNCATED;
    }
    begin_piece(&far->data[used & 0x3fff], tag, (u16)length);
    record->used = used + 4 + length;
    return 1;
}

/* A string of the process; false where memory cannot be read (now). */
__noinline int put_string(struct record *record, u8 tag, u64 address)
{
    if (!record) return 0;
    u32 used = record->used;
    if (record->is_far || used > DATA_LAST) return put_far(record, tag, address, A_STRING);
    used &= DATA_LAST;
    long got = bpf_probe_read_user_str(&record->data[used + 4], DATA_PIECE, (void *)address);
    if (got <= 0) return 0;
    if (got == DATA_PIECE) return put_far(record, tag, address, A_STRING);
    u32 length = (u32)got - 1;
    begin_piece(&record->data[used & DATA_LAST], tag, (u16)length);
    record->used = used + 4 + length;
    return 1;
}

__noinline int put_bytes(struct record *record, u8 tag, u64 address, u32 length)
{
    if (!record) return 0;
    u32 used = record->used;
    if (record->is_far || used > DATA_LAST || length >= DATA_PIECE) return put_far(record, tag, address, length);
    used &= DATA_LAST;
    asm volatile("" : "+r"(length)); /* as above */
    length &= DATA_PIECE - 1;
    if (bpf_probe_read_user(&record->data[used + 4], length, (void *)address)) return 0;
    begin_piece(&record->data[used & DATA_LAST], tag, (u16)length);
    record->used = used + 4 + length;
    return 1;
}

struct words {
    struct record *record;
    struct far *far;
    u64 at;
    u32 width;
    u32 failed; /* a word could not be read */
    u32 full;   /* or did not fit */
};

/* The address of the next word; 0: there is none. */
static __always_inline u64 next_word(struct words *words)
{
    u64 pointer = 0;
    if (words->width == 8 ? bpf_probe_read_user(&pointer, 8, (void *)words->at)
                          : bpf_probe_read_user(&pointer, 4, (void *)words->at))
        words->failed = 1;
    words->at += words->width;
    return pointer;
}

static long put_near_word(u32 index, struct words *words)
{
    u64 pointer = next_word(words);
    if (!pointer) return 1;
    u32 used = words->record->used;
    long got = DATA_PIECE;
    if (used <= DATA_LAST)
        got = bpf_probe_read_user_str(&words->record->data[used & DATA_LAST], DATA_PIECE, (void *)pointer);
    words->failed |= got <= 0;
    words->full |= got == DATA_PIECE;
    if (words->failed | words->full) return 1;
    words->record->used = used + (u32)got;
    return 0;
}

static long put_far_word(u32 index, struct words *words)
{
    u64 pointer = next_word(words);
    if (!pointer) return 1;
    u32 used = words->record->used;
    words->full |= used > FAR_LAST;
    if (words->full) return 1;
    long got = bpf_probe_read_user_str(&words->far->data[used & 0x3fff], LONGEST_PATH, (void *)pointer);
    words->failed |= got <= 0;
    if (words->failed) return 1;
    words->record->used = used + (u32)got;
    words->full |= got == LONGEST_PATH; /* its end is missing, and so are those behind it */
    return words->full;
}

/* More words than there is room for, however short they are. */
#define MOST_WORDS (FAR_DATA + 1)

__noinline int put_words(struct record *record, u64 address)
{
    if (!record || !address) return 0;
    u32 begin = record->used;
    if (begin > FAR_LAST) return 0;
    struct words words = {.record = record, .at = address, .width = record->head.abi == ABI_64 ? 8 : 4};
    words.full = record->is_far || begin > DATA_LAST;
    if (!words.full) {
        record->used = begin + 4;
        bpf_loop(MOST_WORDS, put_near_word, &words, 0);
        if (!words.full) begin_piece(&record->data[begin & DATA_LAST], ARGV, (u16)(record->used - begin - 4));
    }
    if (words.full) {
        record->used = begin;
        words.far = far_of(record);
        if (!words.far) {
            record->head.flags |= TRUNCATED;
            return 0;
        }
        words.at = address;
        words.failed = words.full = 0;
        record->used = begin + 4;
        bpf_loop(MOST_WORDS, put_far_word, &words, 0);
        begin_piece(&words.far->data[begin & 0x3fff], ARGV, (u16)(record->used - begin - 4));
        if (words.full) record->head.flags |= TRUNCATED;
    }
    if (words.failed) record->head.flags |= RESULT_UNREADABLE;
    return 0;
}

static __always_inline u64 argument(const struct record *record, u8 index)
{
    return index < 6 ? record->args[index] : 0;
}

static __always_inline struct plan *plan_of(u8 abi, u32 nr)
{
    u32 at = nr & 0x3ff;
    if ((nr & ~0x40000000u) >= 1024) at = 1023;
    at += abi * 1024u;
    return bpf_map_lookup_elem(&plans, &at);
}

/* Sends the record of a call, of which so many bytes are used behind its head. */
static __always_inline void send_from(struct record *record, struct head *head, u32 used)
{
    if (bpf_ringbuf_output(&ring, head, sizeof(struct head) + used, BPF_RB_NO_WAKEUP)) {
        count_lost();
        record->told = 0;
    }
    record->head.kind = 0;
}

/* Puts the last pieces behind the others: what the call has to do with files, and news of the thread. */
static __always_inline u32 put_last(struct record *record, u8 *data, u32 used)
{
    if (record->file[0] | record->file[1]) {
        u64 *files = (u64 *)begin_piece(data + used, FILES, record->file[1] ? 16 : 8);
        files[0] = record->file[0];
        files[1] = record->file[1];
        used += record->file[1] ? 20 : 12;
    }
    if (record->extra) {
        *(u64 *)begin_piece(data + used, EXTRA, 8) = record->extra;
        used += 12;
    }
    if (!record->told) {
        struct self *self = (struct self *)begin_piece(data + used, SELF, sizeof *self);
        self->cwd = record->cwd.identity;
        self->root = record->root.identity;
        bpf_get_current_comm(self->comm, sizeof self->comm);
        used += 4 + sizeof *self;
    }
    record->told = 1;
    return used;
}

/* Sends the record of a call. */
__noinline int send(struct record *record)
{
    if (!record) return 0;
    u32 used = record->used;
    if (!record->is_far) {
        if (used > DATA) used = DATA;
        send_from(record, &record->head, put_last(record, record->data, used));
        return 0;
    }
    struct far *far = far_of(record);
    if (!far) {
        count_lost();
        record->head.kind = 0;
        return 0;
    }
    far->head = record->head;
    if (used > FAR_DATA) used = FAR_DATA;
    send_from(record, &far->head, put_last(record, far->data, used));
    return 0;
}

/* A record of another kind than a call. */
struct message {
    struct head head;
    u64 words[8];
};

/* Sends a message of the thread that `of` is of, whose head's `ret` and `words` are filled in. */
static __always_inline void send_message(struct message *message, u32 words, u8 kind, struct record *of)
{
    message->head.words = words;
    message->head.kind = kind;
    message->head.pid = of->head.pid;
    message->head.tid = of->head.tid;
    message->head.start_ns = message->head.end_ns = bpf_ktime_get_ns();
    if (bpf_ringbuf_output(&ring, message, sizeof(struct head) + words * 8, BPF_RB_NO_WAKEUP)) count_lost();
}

/* The same with what most have. */
static __always_inline void tell(u8 kind, struct record *of, s64 ret, u64 first, u64 second)
{
    struct message message = {.head = {.ret = ret}, .words = {first, second}};
    send_message(&message, 2, kind, of);
}

/* Likewise, with the current thread's name. */
static __always_inline void tell_comm(u8 kind, struct record *of)
{
    struct message message = {};
    bpf_get_current_comm(message.words, 16);
    send_message(&message, 2, kind, of);
}

static __always_inline void who(struct record *record, struct task_struct *task)
{
    record->head.tid = number((u64)BPF_CORE_READ(task, thread_pid));
    record->head.pid = number((u64)BPF_CORE_READ(task, group_leader, thread_pid));
}

/* ---- calls ---- */
static __always_inline int makes_child(const struct plan *plan)
{
    return plan->effect >= EFFECT_CLONE && plan->effect <= EFFECT_FORK;
}

static __always_inline u8 abi_of(struct task_struct *task, long nr)
{
    if (task->thread_info.status & 2) return ABI_32; /* TS_COMPAT of asm/thread_info.h */
    return nr != -1 && nr & 0x40000000 ? ABI_X32 : ABI_64;
}

static __always_inline void take_registers(u64 args[6], u8 abi, struct pt_regs *regs)
{
    if (abi == ABI_32) {
        args[0] = (u32)regs->bx;
        args[1] = (u32)regs->cx;
        args[2] = (u32)regs->dx;
        args[3] = (u32)regs->si;
        args[4] = (u32)regs->di;
        args[5] = (u32)regs->bp;
    } else {
        args[0] = regs->di;
        args[1] = regs->si;
        args[2] = regs->dx;
        args[3] = regs->r10;
        args[4] = regs->r8;
        args[5] = regs->r9;
    }
}

static __always_inline void take_call(struct record *record, u8 abi, struct pt_regs *regs)
{
    record->head.abi = abi;
    record->head.ip = regs->ip;
    take_registers(record->args, abi, regs);
}

/* Begins the record of a call, whose registers are taken. */
static __always_inline void begin_head(struct record *record, const struct plan *plan, u32 nr)
{
    struct head *head = &record->head;
    head->kind = CALL;
    head->flags = 0;
    head->nr = nr;
    head->words = plan->words;
    record->used = plan->words * 8u;
    record->is_far = 0;
    record->file[0] = record->file[1] = record->extra = 0;
}

/* What calls are passed by address that a replay needs: locks of ranges, ranges to be shared, offsets of copies. */
__noinline int put_passed(struct record *record, u8 effect)
{
    if (!record) return 0;
    u32 command = (u32)record->args[1];
    /* F_GETLK, F_SETLK, F_SETLKW, and those of open file descriptions; FICLONERANGE. */
    if (effect == EFFECT_FCNTL && command - 5 > 2 && command - 36 > 2) return 0;
    if (effect == EFFECT_IOCTL && command != 0x4020940d) return 0;
    if (effect == EFFECT_FCNTL || effect == EFFECT_IOCTL) {
        put_bytes(record, EFFECT, record->args[2], 32);
        return 0;
    }
    u64 from = effect == EFFECT_COPY ? record->args[1] : record->args[2], to = effect == EFFECT_COPY ? record->args[3] : 0;
    if (from) put_bytes(record, EFFECT, from, 8);
    if (to) put_bytes(record, EFFECT, to, 8);
    return 0;
}

/* The same, with everything that can be known before the kernel does it. */
__noinline int begin(struct record *record, const struct plan *plan, u32 nr)
{
    if (!record || !plan) return -1;
    struct head *head = &record->head;
    begin_head(record, plan, nr);
    if (plan->fd[0] < 6) record->file[0] = file_identity((s32)argument(record, plan->fd[0]));
    if (plan->fd[1] < 6) record->file[1] = file_identity((s32)argument(record, plan->fd[1]));
    if (plan->path[0] < 6) {
        u64 address = argument(record, plan->path[0]);
        if (address && !put_string(record, PATH0, address)) head->flags |= UNREADABLE0;
        struct fs_struct *fs = BPF_CORE_READ(bpf_get_current_task_btf(), fs);
        u64 now = naming();
        look_at(record, &record->cwd, (u64)&fs->pwd, now);
        look_at(record, &record->root, (u64)&fs->root, now);
        if (plan->path[1] < 6) {
            address = argument(record, plan->path[1]);
            if (address && !put_string(record, PATH1, address)) head->flags |= UNREADABLE1;
        }
    }
    if (plan->string < 6) {
        u64 address = argument(record, plan->string);
        if (address && !put_string(record, STRING, address)) head->flags |= RESULT_UNREADABLE;
    }
    if (plan->peer < 5) {
        u64 address = argument(record, plan->peer);
        u32 length = (u32)argument(record, plan->peer + 1);
        if (length > 128) length = 128;
        if (address && length && !put_bytes(record, PEER, address, length)) head->flags |= RESULT_UNREADABLE;
    }
    if (plan->argv < 6) put_words(record, argument(record, plan->argv));
    if (plan->effect == EFFECT_CLONE) record->extra = record->args[0];
    if (plan->effect == EFFECT_VFORK) record->extra = 0x4100; /* CLONE_VFORK | CLONE_VM */
    if (plan->effect == EFFECT_CLONE3) bpf_probe_read_user(&record->extra, 8, (void *)record->args[0]);
    if (plan->effect == EFFECT_HOW) put_bytes(record, EFFECT, record->args[2], 24);
    if (plan->effect >= EFFECT_FCNTL) put_passed(record, plan->effect);
    head->start_ns = bpf_ktime_get_ns();
    return 0;
}

/* ---- stacks ---- */
#define REGISTERS 17

struct memory {
    struct far *far;
    u64 at, end;
    u32 used;
};

static long take_page(u32 index, struct memory *memory)
{
    u32 used = memory->used, length = 4096 - ((u32)memory->at & 4095);
    u64 left = memory->end - memory->at;
    if (left < length) length = (u32)left;
    if (!length || used > FAR_LAST) return 1;
    asm volatile("" : "+r"(length)); /* as in put_far */
    if (length > 4096) return 1;
    if (bpf_probe_read_user(&memory->far->data[used & 0x3fff], length, (void *)memory->at)) return 1;
    memory->used = used + length;
    memory->at += length;
    return 0;
}

/*
 * Tells the registers of the current thread and the upper end of its stack, from which user space finds the functions
 * that it is in. Frame pointers would need less, but most libraries have none, and without them functions would be left
 * out and nobody could tell. The thread's large record is free yet.
 */
__noinline int tell_stack(struct record *record)
{
    if (!record) return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    struct far *far = bpf_task_storage_get(&fars, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct pt_regs regs;
    if (!far || bpf_probe_read_kernel(&regs, sizeof regs, (void *)bpf_task_pt_regs(task))) {
        count_lost();
        return 0;
    }
    /* In the order of asm/perf_regs.h. */
    u64 values[REGISTERS] = {regs.ax, regs.bx, regs.cx, regs.dx, regs.si, regs.di,  regs.bp,  regs.sp, regs.ip,
                             regs.r8, regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15};
    __builtin_memcpy(far->data, values, sizeof values);
    struct memory memory = {.far = far, .at = regs.sp, .end = regs.sp + sizeof far->data, .used = sizeof values};
    /* Where a process's first thread has begun; behind it are its words and its environment. */
    u64 begin = BPF_CORE_READ(task, mm, start_stack) + 16;
    if (begin > memory.at && begin < memory.end) memory.end = begin;
    bpf_loop(8, take_page, &memory, 0);
    u32 used = memory.used;
    if (used > FAR_DATA) used = FAR_DATA;
    far->head = (struct head){.kind = STACK, .pid = record->head.pid, .tid = record->head.tid};
    if (bpf_ringbuf_output(&ring, far, sizeof(struct head) + used, BPF_RB_NO_WAKEUP)) count_lost();
    return 0;
}

/* ---- who is followed ---- */
static __always_inline struct control *current_control(void)
{
    u32 zero = 0;
    return bpf_map_lookup_elem(&control, &zero);
}

/* Threads of the kernel's own, and those that it adds to a process (io_uring): PF_KTHREAD, PF_USER_WORKER,
 * PF_IO_WORKER of linux/sched.h. */
#define NOT_A_USERS 0x204010

#define DEEPEST_CGROUP 32

__noinline int is_below(u64 cgroup)
{
    for (int level = 0; level < DEEPEST_CGROUP; level++) {
        u64 id = bpf_get_current_ancestor_cgroup_id(level);
        if (!id) return 0;
        if (id == cgroup) return 1;
    }
    return 0;
}

/* Whether the current thread is to be followed though nobody who made it is. */
__noinline int is_wanted(struct control *control)
{
    if (!control) return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    if (control->scope == NOBODY || task->flags & NOT_A_USERS) return 0;
    if (control->scope == THREAD) return number((u64)BPF_CORE_READ(task, thread_pid)) == control->thread;
    u32 process = number((u64)BPF_CORE_READ(task, group_leader, thread_pid));
    if (!process || process == control->recorder) return 0;
    if (control->scope == PROCESSES) return bpf_map_lookup_elem(&processes, &process) != 0;
    if (control->scope == CGROUP) return is_below(control->cgroup);
    return control->scope == ALL;
}

__noinline int meet(struct record *record, struct control *control)
{
    if (!record || !control) return 0;
    who(record, bpf_get_current_task_btf());
    record->epoch = control->epoch;
    record->head.kind = 0;
    record->told = 0;
    record->cwd.dentry = record->root.dentry = 0;
    record->inside = control->scope != THREAD;
    if (record->inside) tell_comm(MET, record);
    return 0;
}

/* The record of the current thread, if it is followed. */
static __always_inline struct record *followed(struct task_struct *task)
{
    struct control *control = current_control();
    if (!control) return 0;
    struct record *record = bpf_task_storage_get(&records, task, 0, 0);
    if (record && record->epoch == control->epoch) return record;
    if (!is_wanted(control)) return 0;
    record = bpf_task_storage_get(&records, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!record) {
        count_lost();
        return 0;
    }
    meet(record, control);
    return record;
}

/* As `followed`, for whom it has happened already. */
static __always_inline struct record *already_followed(struct task_struct *task)
{
    struct control *control = current_control();
    struct record *record = bpf_task_storage_get(&records, task, 0, 0);
    return record && control && record->epoch == control->epoch ? record : 0;
}

/* Whether the thread runs as somebody whose calls are not to be told, as in a set-user-ID program. Births and ends are. */
static __always_inline int is_hidden(struct record *record, struct task_struct *task)
{
    if (only_user == ~0u) return 0;
    u32 hidden = BPF_CORE_READ(task, cred, euid.val) != only_user;
    if (hidden && !record->hidden) tell(HIDDEN, record, 0, 0, 0);
    record->hidden = hidden;
    return hidden;
}

/* ---- the tracepoints ---- */
SEC("tp_btf/sys_enter")
int BPF_PROG(enter, struct pt_regs *regs, long nr)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct record *record = followed(task);
    if (!record) return 0;
    /* Interrupted, and not killed: it is done. */
    if (record->head.kind == CALL) send(record);
    record->inside = 0;
    if (is_hidden(record, task)) return 0;
    take_call(record, abi_of(task, nr), regs);
    struct plan *plan = plan_of(record->head.abi, (u32)nr);
    if (wants_stacks && plan && plan->has_stack && record->head.abi != ABI_32) tell_stack(record);
    if (plan && plan->is_plain) {
        begin_head(record, plan, (u32)nr);
        record->head.start_ns = bpf_ktime_get_ns();
    } else {
        begin(record, plan, (u32)nr);
    }
    return 0;
}

#define SIGKILL 9
#define SIGSTOP 19
#define SIGSYS 31
#define SI_KERNEL 0x80

/*
 * Stops the current process before its next call while the ring is too full. It is noted before it is stopped, or nobody
 * would let it go on; and afterwards, because user space may have let it go on in between, for an earlier stop.
 */
static __always_inline void hold(struct record *record, struct control *control)
{
    if (!control->hold_above || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= control->hold_above) return;
    u32 pid = record->head.pid;
    u8 one = 1;
    if (bpf_map_update_elem(&held, &pid, &one, BPF_ANY)) return;
    bpf_send_signal(SIGSTOP);
    bpf_map_update_elem(&held, &pid, &one, BPF_ANY);
}

/* Far longer than it takes to record a call, and nothing that a program would notice once. */
#define LONGEST_WAIT_NS 200000
#define MOST_LOOKS 20000

struct patience {
    u64 until_ns;
    u64 room;
};

static long has_waited(u32 index, struct patience *patience)
{
    return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= patience->room || bpf_ktime_get_ns() >= patience->until_ns;
}

/*
 * Whoever makes calls faster than they are recorded is slowed down before records are lost: after the call, where it is
 * part of no duration, and without a signal that anybody could see.
 */
static __always_inline void slow_down(struct record *record, struct control *control)
{
    if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= control->slow_above) return;
    if (slowed != control->epoch) {
        slowed = control->epoch;
        tell(SLOWED, record, 0, 0, 0);
    }
    struct patience patience = {.until_ns = bpf_ktime_get_ns() + LONGEST_WAIT_NS, .room = control->slow_above};
    bpf_loop(MOST_LOOKS, has_waited, &patience, 0);
}

#define AT_REMOVEDIR 0x200

SEC("tp_btf/sys_exit")
int BPF_PROG(leave, struct pt_regs *regs, long ret)
{
    u64 now = bpf_ktime_get_ns();
    struct task_struct *task = bpf_get_current_task_btf();
    struct control *control = current_control();
    if (!control) return 0;
    /* The command waits in a call of ours. */
    struct record *record = control->scope == THREAD ? already_followed(task) : followed(task);
    if (!record) return 0;
    struct head *head = &record->head;
    if (head->kind != CALL) {
        /* A child's return from its birth; or a call whose entry was not reported: seccomp has refused it before,
         * or it was begun before the thread was met, or while it was hidden. */
        if (is_hidden(record, task)) return 0;
        long nr = regs->orig_ax;
        struct plan *plan = plan_of(abi_of(task, nr), (u32)nr);
        if (nr == -1 || !plan || (ret == 0 && makes_child(plan))) return 0;
        take_call(record, abi_of(task, nr), regs);
        if (begin(record, plan, (u32)nr)) return 0;
        head->start_ns = now;
        if (record->inside) {
            head->start_ns = control->since_ns;
            head->flags |= ENTERED_BEFORE;
        }
    }
    record->inside = 0;
    head->end_ns = now;
    head->ret = ret;
    head->flags |= RETURNED;
    struct plan *plan = plan_of(head->abi, head->nr);
    if (!plan) return 0;
    /* The kernel has read the page since. */
    if (head->flags & UNREADABLE0 && put_string(record, PATH0, argument(record, plan->path[0])))
        head->flags &= ~UNREADABLE0;
    if (head->flags & UNREADABLE1 && put_string(record, PATH1, argument(record, plan->path[1])))
        head->flags &= ~UNREADABLE1;
    if (plan->effect == EFFECT_SIGRETURN) record->extra = regs->ip;
    if (ret >= 0 || ret < -4095) {
        if (plan->makes_fd) {
            u64 made = file_identity((s32)ret);
            if (!record->file[0]) record->file[0] = made;
            else if (!record->file[1]) record->file[1] = made;
        }
        u8 effect = plan->effect;
        if (effect == EFFECT_CHDIR || effect == EFFECT_ROOT) record->cwd.dentry = record->root.dentry = 0;
        if (effect == EFFECT_RENAME || effect == EFFECT_ROOT ||
            (effect == EFFECT_UNLINKAT && record->args[2] & AT_REMOVEDIR))
            __sync_fetch_and_add(&renames, 1);
        u64 address = argument(record, plan->result_arg);
        if (plan->result_kind == RESULT_FIXED || plan->result_kind == RESULT_TEXT) {
            u32 length = plan->result_kind == RESULT_TEXT ? (u32)ret : plan->result_size;
            if (!put_bytes(record, RESULT, address, length)) head->flags |= RESULT_UNREADABLE;
        } else if (plan->result_kind == RESULT_PEER && address) {
            u32 length = 0;
            bpf_probe_read_user(&length, sizeof length, (void *)argument(record, plan->result_arg + 1));
            if (length > 128) length = 128;
            if (length && !put_bytes(record, PEER, address, length)) head->flags |= RESULT_UNREADABLE;
        }
    }
    /* Whether a call to be restarted has returned shows later: the thread may have been killed in it. */
    if (ret > -512 || ret < -516) {
        u32 used = record->used;
        if (record->told && used <= sizeof record->args && !(record->file[0] | record->file[1] | record->extra))
            send_from(record, head, used);
        else
            send(record);
    }
    hold(record, control);
    slow_down(record, control);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(born, struct task_struct *parent, struct task_struct *child)
{
    struct record *of = followed(parent);
    if (!of) return 0;
    struct record *record = bpf_task_storage_get(&records, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!record) {
        count_lost();
        return 0;
    }
    who(record, child);
    record->epoch = of->epoch;
    tell(FORK, of, record->head.tid, of->extra, record->head.pid);
    return 0;
}

/* What the kernel tells a new program (getauxval(3)): where it and its loader begin. */
struct auxv {
    u64 at;
    u64 wide;
    u64 entry, base, headers;
};
enum { AT_PHNUM = 5, AT_BASE = 7, AT_ENTRY = 9, MOST_PAIRS = 32 };

static long next_pair(u32 index, struct auxv *auxv)
{
    u64 pair[2] = {};
    if (auxv->wide) {
        bpf_probe_read_kernel(pair, sizeof pair, (void *)auxv->at + sizeof pair * index);
    } else {
        u32 narrow[2] = {};
        bpf_probe_read_kernel(narrow, sizeof narrow, (void *)auxv->at + sizeof narrow * index);
        pair[0] = narrow[0];
        pair[1] = narrow[1];
    }
    if (pair[0] == AT_PHNUM) auxv->headers = pair[1];
    if (pair[0] == AT_BASE) auxv->base = pair[1];
    if (pair[0] == AT_ENTRY) auxv->entry = pair[1];
    return pair[0] == 0;
}

/*
 * What execve was given and could not be read at its entry, because it lay on pages that nobody had touched: the kernel
 * has copied it to the new program's stack. A script's words are its interpreter's there: those are not what was given.
 */
__noinline int read_copies(struct record *record, u64 path, u32 is_script)
{
    if (!record) return 0;
    struct head *head = &record->head;
    struct plan *plan = plan_of(head->abi, head->nr);
    if (head->kind != CALL || !plan || plan->argv != 1) return 0; /* execveat's path has another form there */
    if (head->flags & UNREADABLE0 && put_string(record, PATH0, path)) head->flags &= ~UNREADABLE0;
    if (!(head->flags & RESULT_UNREADABLE) || is_script) return 0;
    struct mm_struct *mm = BPF_CORE_READ(bpf_get_current_task_btf(), mm);
    u64 begin = BPF_CORE_READ(mm, arg_start);
    u64 length = BPF_CORE_READ(mm, arg_end) - begin;
    if (length > LONGEST_PATH - 1) {
        length = LONGEST_PATH - 1;
        head->flags |= TRUNCATED;
    }
    if (put_bytes(record, ARGV, begin, (u32)length)) head->flags &= ~RESULT_UNREADABLE;
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct *task, s32 former, struct linux_binprm *bprm)
{
    struct record *record = followed(task);
    if (!record) return 0;
    read_copies(record, BPF_CORE_READ(bprm, exec), BPF_CORE_READ(bprm, filename) != BPF_CORE_READ(bprm, interp));
    u32 before = record->head.tid;
    who(record, task);
    struct mm_struct *mm = BPF_CORE_READ(task, mm);
    struct file *file = BPF_CORE_READ(mm, exe_file);
    struct auxv auxv = {.at = (u64)((void *)mm + bpf_core_field_offset(struct mm_struct, saved_auxv))};
    u64 first = 0;
    bpf_probe_read_kernel(&first, sizeof first, (void *)auxv.at);
    auxv.wide = first < 1 << 16; /* a key; of a 32-bit program its value stands above it */
    bpf_loop(MOST_PAIRS, next_pair, &auxv, 0);
    record->entry = auxv.base ? auxv.entry : 0;
    struct message message = {
        .words = {before, auxv.entry, auxv.base, auxv.headers, identity_of((u64)&file->f_path)},
    };
    bpf_get_current_comm(&message.words[5], 16);
    send_message(&message, 7, EXEC, record);
    return 0;
}

/*
 * Where programs begin: the first instruction is on a page that nobody has touched yet in this address space, so that it
 * faults. That is before the page is looked for.
 */
SEC("tp_btf/page_fault_user")
int BPF_PROG(entered, unsigned long address, struct pt_regs *regs)
{
    if (regs->ip != address) return 0; /* no instruction is missing, but data */
    struct record *record = already_followed(bpf_get_current_task_btf());
    if (!record || !record->entry || record->entry != address) return 0;
    record->entry = 0;
    tell(ENTERED, record, 0, 0, 0);
    return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(renamed, struct task_struct *task, const char *name)
{
    struct record *record = already_followed(task);
    if (!record) return 0;
    struct message message = {};
    bpf_probe_read_kernel_str(message.words, 16, name);
    send_message(&message, 2, COMM, record);
    return 0;
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(signalled, int signal, struct kernel_siginfo *info)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct record *record = followed(task);
    /* That of SIGKILL is no delivery: the kernel so ends all threads of a process that ends, and tells nobody who sent it. */
    if (!record || signal == SIGKILL) return 0;
    struct kernel_siginfo copy = {};
    bpf_probe_read_kernel(&copy, sizeof copy, info); /* it may be a small number instead (SEND_SIG_PRIV) */
    u32 pid = record->head.pid;
    u8 is_ours = signal == SIGSTOP && copy.si_code == SI_KERNEL && bpf_map_lookup_elem(&held, &pid);
    tell(is_ours ? HELD : SIGNAL, record, signal, copy.si_code, (u32)copy.sender);
    return 0;
}

#define PIDFD_SIGNAL_PROCESS_GROUP 4

/* Whether the call that the current thread makes sends a signal to more than one process. */
static __always_inline u8 signals_a_group(void)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    struct pt_regs copy;
    if (bpf_probe_read_kernel(&copy, sizeof copy, regs)) return 0;
    u64 args[6];
    u8 abi = abi_of(task, copy.orig_ax);
    take_registers(args, abi, &copy);
    u32 nr = (u32)copy.orig_ax & ~0x40000000;
    if (nr == (abi == ABI_32 ? 37 : 62) /* kill */) return (s32)args[0] <= 0;
    return nr == 424 /* pidfd_send_signal */ && args[3] & PIDFD_SIGNAL_PROCESS_GROUP;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(sent, int signal, struct kernel_siginfo *info, struct task_struct *to, int group, int result)
{
    struct control *control = current_control();
    struct kernel_siginfo copy = {};
    if (!control || result /* not queued */ || bpf_probe_read_kernel(&copy, sizeof copy, info)) return 0;
    if (copy.si_code || number((u64)BPF_CORE_READ(to, group_leader, thread_pid)) != control->recorder) return 0;
    u32 key = signal;
    u64 *count = signals_a_group() ? bpf_map_lookup_elem(&to_group, &key) : 0;
    if (count) __sync_fetch_and_add(count, 1);
    return 0;
}

#define SECCOMP_MODE_FILTER 2

/* A filter kills by SIGSYS, strict mode by SIGKILL; the mode is then another one from Linux 5.16 on. */
static __always_inline int is_killed_by_seccomp(struct task_struct *task)
{
    u32 signal = task->exit_code & 0x7f;
    if (signal == SIGSYS) return 1;
    if (signal != SIGKILL || !bpf_core_field_exists(task->seccomp)) return 0;
    int mode = task->seccomp.mode;
    return mode && mode != SECCOMP_MODE_FILTER;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(ended, struct task_struct *task)
{
    struct record *record = followed(task);
    if (!record) return 0;
    if (record->head.kind == CALL) {
        record->head.flags &= ~RETURNED; /* and never will */
        send(record);
    }
    else if (is_killed_by_seccomp(task)) {
        /* Before the call's entry was reported: its result is still what the kernel's entry code puts there.
         * (SECCOMP_RET_TRAP has reported the call, and puts the number back.) */
        struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
        struct pt_regs copy;
        if (!is_hidden(record, task) && !bpf_probe_read_kernel(&copy, sizeof copy, regs) &&
            (s64)copy.ax == -38 /* ENOSYS */) {
            u8 abi = abi_of(task, copy.orig_ax);
            take_call(record, abi, &copy);
            if (!begin(record, plan_of(abi, (u32)copy.orig_ax), (u32)copy.orig_ax)) send(record);
        }
    }
    tell(EXIT, record, task->exit_code, BPF_CORE_READ(task, signal, group_exit_code), 0);
    return 0;
}
