//! Names of what programs pass to `bpf(2)` (`linux/bpf.h`).

use super::flag_sets;

flag_sets! {
    /// Kinds of maps.
    BPF_MAP_TYPE: int "BPF_MAP_TYPE_???" {
        BPF_MAP_TYPE_UNSPEC = 0, BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PROG_ARRAY = 3,
        BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4, BPF_MAP_TYPE_PERCPU_HASH = 5, BPF_MAP_TYPE_PERCPU_ARRAY = 6,
        BPF_MAP_TYPE_STACK_TRACE = 7, BPF_MAP_TYPE_CGROUP_ARRAY = 8, BPF_MAP_TYPE_LRU_HASH = 9,
        BPF_MAP_TYPE_LRU_PERCPU_HASH = 10, BPF_MAP_TYPE_LPM_TRIE = 11, BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
        BPF_MAP_TYPE_HASH_OF_MAPS = 13, BPF_MAP_TYPE_DEVMAP = 14, BPF_MAP_TYPE_SOCKMAP = 15,
        BPF_MAP_TYPE_CPUMAP = 16, BPF_MAP_TYPE_XSKMAP = 17, BPF_MAP_TYPE_SOCKHASH = 18,
        BPF_MAP_TYPE_CGROUP_STORAGE = 19, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20,
        BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21, BPF_MAP_TYPE_QUEUE = 22, BPF_MAP_TYPE_STACK = 23,
        BPF_MAP_TYPE_SK_STORAGE = 24, BPF_MAP_TYPE_DEVMAP_HASH = 25, BPF_MAP_TYPE_STRUCT_OPS = 26,
        BPF_MAP_TYPE_RINGBUF = 27, BPF_MAP_TYPE_INODE_STORAGE = 28, BPF_MAP_TYPE_TASK_STORAGE = 29,
        BPF_MAP_TYPE_BLOOM_FILTER = 30, BPF_MAP_TYPE_USER_RINGBUF = 31,
    }
    /// Kinds of programs.
    BPF_PROG_TYPE: int "BPF_PROG_TYPE_???" {
        BPF_PROG_TYPE_UNSPEC = 0, BPF_PROG_TYPE_SOCKET_FILTER = 1, BPF_PROG_TYPE_KPROBE = 2,
        BPF_PROG_TYPE_SCHED_CLS = 3, BPF_PROG_TYPE_SCHED_ACT = 4, BPF_PROG_TYPE_TRACEPOINT = 5,
        BPF_PROG_TYPE_XDP = 6, BPF_PROG_TYPE_PERF_EVENT = 7, BPF_PROG_TYPE_CGROUP_SKB = 8,
        BPF_PROG_TYPE_CGROUP_SOCK = 9, BPF_PROG_TYPE_LWT_IN = 10, BPF_PROG_TYPE_LWT_OUT = 11,
        BPF_PROG_TYPE_LWT_XMIT = 12, BPF_PROG_TYPE_SOCK_OPS = 13, BPF_PROG_TYPE_SK_SKB = 14,
        BPF_PROG_TYPE_CGROUP_DEVICE = 15, BPF_PROG_TYPE_SK_MSG = 16, BPF_PROG_TYPE_RAW_TRACEPOINT = 17,
        BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18, BPF_PROG_TYPE_LWT_SEG6LOCAL = 19,
        BPF_PROG_TYPE_LIRC_MODE2 = 20, BPF_PROG_TYPE_SK_REUSEPORT = 21, BPF_PROG_TYPE_FLOW_DISSECTOR = 22,
        BPF_PROG_TYPE_CGROUP_SYSCTL = 23, BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE = 24,
        BPF_PROG_TYPE_CGROUP_SOCKOPT = 25, BPF_PROG_TYPE_TRACING = 26, BPF_PROG_TYPE_STRUCT_OPS = 27,
        BPF_PROG_TYPE_EXT = 28, BPF_PROG_TYPE_LSM = 29, BPF_PROG_TYPE_SK_LOOKUP = 30,
        BPF_PROG_TYPE_SYSCALL = 31,
    }
    /// What a program is attached to.
    BPF_ATTACH_TYPE: int "BPF_???" {
        BPF_CGROUP_INET_INGRESS = 0, BPF_CGROUP_INET_EGRESS = 1, BPF_CGROUP_INET_SOCK_CREATE = 2,
        BPF_CGROUP_SOCK_OPS = 3, BPF_SK_SKB_STREAM_PARSER = 4, BPF_SK_SKB_STREAM_VERDICT = 5,
        BPF_CGROUP_DEVICE = 6, BPF_SK_MSG_VERDICT = 7, BPF_CGROUP_INET4_BIND = 8, BPF_CGROUP_INET6_BIND = 9,
        BPF_CGROUP_INET4_CONNECT = 10, BPF_CGROUP_INET6_CONNECT = 11, BPF_CGROUP_INET4_POST_BIND = 12,
        BPF_CGROUP_INET6_POST_BIND = 13, BPF_CGROUP_UDP4_SENDMSG = 14, BPF_CGROUP_UDP6_SENDMSG = 15,
        BPF_LIRC_MODE2 = 16, BPF_FLOW_DISSECTOR = 17, BPF_CGROUP_SYSCTL = 18, BPF_CGROUP_UDP4_RECVMSG = 19,
        BPF_CGROUP_UDP6_RECVMSG = 20, BPF_CGROUP_GETSOCKOPT = 21, BPF_CGROUP_SETSOCKOPT = 22,
        BPF_TRACE_RAW_TP = 23, BPF_TRACE_FENTRY = 24, BPF_TRACE_FEXIT = 25, BPF_MODIFY_RETURN = 26,
        BPF_LSM_MAC = 27, BPF_TRACE_ITER = 28, BPF_CGROUP_INET4_GETPEERNAME = 29,
        BPF_CGROUP_INET6_GETPEERNAME = 30, BPF_CGROUP_INET4_GETSOCKNAME = 31,
        BPF_CGROUP_INET6_GETSOCKNAME = 32, BPF_XDP_DEVMAP = 33, BPF_CGROUP_INET_SOCK_RELEASE = 34,
        BPF_XDP_CPUMAP = 35, BPF_SK_LOOKUP = 36, BPF_XDP = 37, BPF_SK_SKB_VERDICT = 38,
        BPF_SK_REUSEPORT_SELECT = 39, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE = 40, BPF_PERF_EVENT = 41,
        BPF_TRACE_KPROBE_MULTI = 42, BPF_LSM_CGROUP = 43,
    }
    /// Flags of a map.
    BPF_MAP_FLAGS: int "BPF_F_???" {
        BPF_F_NO_PREALLOC = 1, BPF_F_NO_COMMON_LRU = 2, BPF_F_NUMA_NODE = 4, BPF_F_RDONLY = 8,
        BPF_F_WRONLY = 0x10, BPF_F_STACK_BUILD_ID = 0x20, BPF_F_ZERO_SEED = 0x40, BPF_F_RDONLY_PROG = 0x80,
        BPF_F_WRONLY_PROG = 0x100, BPF_F_CLONE = 0x200, BPF_F_MMAPABLE = 0x400,
        BPF_F_PRESERVE_ELEMS = 0x800, BPF_F_INNER_MAP = 0x1000,
    }
    /// How an element is changed.
    BPF_ELEMENT: long "BPF_???" {
        BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2, BPF_F_LOCK = 4,
    }
    /// How an element is looked up.
    BPF_LOCK: long "BPF_???" { BPF_ANY = 0, BPF_F_LOCK = 4 }
    /// Flags of a program.
    BPF_PROG_FLAGS: int "BPF_F_???" {
        BPF_F_STRICT_ALIGNMENT = 1, BPF_F_ANY_ALIGNMENT = 2, BPF_F_TEST_RND_HI32 = 4,
        BPF_F_TEST_STATE_FREQ = 8, BPF_F_SLEEPABLE = 0x10,
    }
    /// How an object is opened.
    BPF_FILE_MODE: int "BPF_F_???" {
        BPF_F_RDONLY = 8, BPF_F_WRONLY = 0x10,
    }
    /// Flags of attaching.
    BPF_ATTACH_FLAGS: int "BPF_F_???" {
        BPF_F_ALLOW_OVERRIDE = 1, BPF_F_ALLOW_MULTI = 2, BPF_F_REPLACE = 4,
    }
    /// Flags of a test run.
    BPF_TEST: int "BPF_F_???" {
        BPF_F_TEST_RUN_ON_CPU = 1, BPF_F_TEST_XDP_LIVE_FRAMES = 2,
    }
    /// Flags of a query.
    BPF_QUERY: int "BPF_F_QUERY_???" {
        BPF_F_QUERY_EFFECTIVE = 1,
    }
    /// Flags of a link to several probes.
    BPF_MULTI: int "BPF_F_???" {
        BPF_F_KPROBE_MULTI_RETURN = 1,
    }
    /// What stands behind a descriptor.
    BPF_FD_TYPE: int "BPF_FD_TYPE_???" {
        BPF_FD_TYPE_RAW_TRACEPOINT = 0, BPF_FD_TYPE_TRACEPOINT = 1, BPF_FD_TYPE_KPROBE = 2,
        BPF_FD_TYPE_KRETPROBE = 3, BPF_FD_TYPE_UPROBE = 4, BPF_FD_TYPE_URETPROBE = 5,
    }
    /// Classes of instructions.
    BPF_CLASS: int "BPF_???" {
        BPF_LD = 0, BPF_LDX = 1, BPF_ST = 2, BPF_STX = 3, BPF_ALU = 4, BPF_JMP = 5, BPF_JMP32 = 6,
        BPF_ALU64 = 7,
    }
    /// Sizes of what is loaded or stored.
    BPF_SIZE: int "BPF_???" {
        BPF_W = 0, BPF_H = 8, BPF_B = 0x10, BPF_DW = 0x18,
    }
    /// How memory is addressed.
    BPF_MODE: int "BPF_???" {
        BPF_IMM = 0, BPF_ABS = 0x20, BPF_IND = 0x40, BPF_MEM = 0x60, BPF_XADD = 0xc0,
    }
    /// Where an operand is.
    BPF_SOURCE: int "BPF_???" {
        BPF_K = 0, BPF_X = 8,
    }
    /// Operations of arithmetic.
    BPF_ALU_OP: int "BPF_???" {
        BPF_ADD = 0, BPF_SUB = 0x10, BPF_MUL = 0x20, BPF_DIV = 0x30, BPF_OR = 0x40, BPF_AND = 0x50,
        BPF_LSH = 0x60, BPF_RSH = 0x70, BPF_NEG = 0x80, BPF_MOD = 0x90, BPF_XOR = 0xa0, BPF_MOV = 0xb0,
        BPF_ARSH = 0xc0, BPF_END = 0xd0,
    }
    /// Operations of jumps.
    BPF_JUMP_OP: int "BPF_???" {
        BPF_JA = 0, BPF_JEQ = 0x10, BPF_JGT = 0x20, BPF_JGE = 0x30, BPF_JSET = 0x40, BPF_JNE = 0x50,
        BPF_JSGT = 0x60, BPF_JSGE = 0x70, BPF_CALL = 0x80, BPF_EXIT = 0x90, BPF_JLT = 0xa0, BPF_JLE = 0xb0,
        BPF_JSLT = 0xc0, BPF_JSLE = 0xd0,
    }
    /// Registers.
    BPF_REGISTER: int "BPF_REG_???" {
        BPF_REG_0 = 0, BPF_REG_1 = 1, BPF_REG_2 = 2, BPF_REG_3 = 3, BPF_REG_4 = 4, BPF_REG_5 = 5,
        BPF_REG_6 = 6, BPF_REG_7 = 7, BPF_REG_8 = 8, BPF_REG_9 = 9, BPF_REG_10 = 10,
    }
    /// Classes of instructions of the socket filter.
    FILTER_CLASS: int "BPF_???" {
        BPF_LD = 0, BPF_LDX = 1, BPF_ST = 2, BPF_STX = 3, BPF_ALU = 4, BPF_JMP = 5, BPF_RET = 6, BPF_MISC = 7,
    }
    /// Sizes of what they load.
    FILTER_SIZE: int "BPF_???" {
        BPF_W = 0, BPF_H = 8, BPF_B = 0x10, BPF_DW = 0x18,
    }
    /// Where they load from.
    FILTER_MODE: int "BPF_???" {
        BPF_IMM = 0, BPF_ABS = 0x20, BPF_IND = 0x40, BPF_MEM = 0x60, BPF_LEN = 0x80, BPF_MSH = 0xa0,
        BPF_XADD = 0xc0,
    }
    /// What they return.
    FILTER_RESULT: int "BPF_???" {
        BPF_K = 0, BPF_X = 8, BPF_A = 0x10,
    }
    /// Moves between their registers.
    FILTER_MISC: int "BPF_???" {
        BPF_TAX = 0, BPF_TXA = 0x80,
    }
    /// What seccomp does to a call.
    SECCOMP_ACTION: int "SECCOMP_RET_???" {
        SECCOMP_RET_KILL_PROCESS = 0x8000_0000, SECCOMP_RET_KILL_THREAD = 0, SECCOMP_RET_TRAP = 0x3_0000,
        SECCOMP_RET_ERRNO = 0x5_0000, SECCOMP_RET_USER_NOTIF = 0x7fc0_0000, SECCOMP_RET_TRACE = 0x7ff0_0000,
        SECCOMP_RET_LOG = 0x7ffc_0000, SECCOMP_RET_ALLOW = 0x7fff_0000,
    }
    /// What a socket's filter can ask for beside the packet.
    SOCKET_DATA: int "SKF_AD_???" {
        SKF_AD_PROTOCOL = 0, SKF_AD_PKTTYPE = 4, SKF_AD_IFINDEX = 8, SKF_AD_NLATTR = 12,
        SKF_AD_NLATTR_NEST = 16, SKF_AD_MARK = 20, SKF_AD_QUEUE = 24, SKF_AD_HATYPE = 28, SKF_AD_RXHASH = 32,
        SKF_AD_CPU = 36, SKF_AD_ALU_XOR_X = 40, SKF_AD_VLAN_TAG = 44, SKF_AD_VLAN_TAG_PRESENT = 48,
        SKF_AD_PAY_OFFSET = 52, SKF_AD_RANDOM = 56, SKF_AD_VLAN_TPID = 60,
    }
}
