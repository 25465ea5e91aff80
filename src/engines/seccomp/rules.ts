// The syscall filter as data: what a cell may ask of the kernel, and why. Compiled by compile.ts; numbers in numbers.ts.
// Allow-list: a call that is in no row answers ENOSYS, as an older kernel would, so that programs take their fall-back.

/** Errno values of Linux (asm-generic/errno.h). */
/** `done`: answers as if it were done. */
export const errno = { done: 0, EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const

/** One test of the low 32 bits of an argument: all values that the kernel itself reads as int, or unsigned int, or flags below 2^32. */
export interface Test {
  readonly arg: 0 | 1 | 2 | 3 | 4 | 5
  readonly mask?: number
  /** The upper 32 bits instead, of a pointer. */
  readonly high?: true
  /** Holds when the (masked) value is one of these. */
  readonly in: readonly number[]
}
export type Action = 'allow' | keyof typeof errno
export interface Clause {
  readonly when: readonly Test[]
  readonly then: Action
}
export interface Rule {
  readonly names: readonly string[]
  /** First clause whose tests all hold decides; `action` where none does. */
  readonly clauses?: readonly Clause[]
  readonly action: Action
  readonly reason: string
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/)
const allow = (reason: string, names: string): Rule => ({ names: words(names), action: 'allow', reason })
const deny = (names: string, reason: string, action: Action = 'EPERM'): Rule => ({ names: words(names), action, reason })

const allowed: readonly Rule[] = [
  allow(
    "files: the mounts and the caller's own rights decide what they reach",
    `
    access chdir chown close close_range copy_file_range dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchdir 
    fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate
    futimesat getcwd getdents getdents64 getxattr getxattrat lchown lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lseek lsetxattr
    lstat mkdir mkdirat newfstatat pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile setxattr setxattrat splice stat statfs statx
    symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev`,
  ),
  allow(
    'waiting for and passing events and bytes inside the cell',
    `
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch pipe pipe2 poll ppoll pselect6 select signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime`,
  ),
  allow(
    'sockets: families are chosen by `socket`; the network namespace leads nowhere but to the gateway; `connect` is made from outside',
    `
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt
    shutdown`,
  ),
  allow(
    'memory of the process itself',
    `
    brk get_mempolicy madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall
    munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages map_shadow_stack`,
  ),
  allow(
    'processes and threads of the cell: the process namespace shows no others',
    `
    arch_prctl capget capset execve execveat exit exit_group fork futex futex_waitv get_robust_list get_thread_area getegid geteuid
    getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid
    kill pause pidfd_open pidfd_send_signal prctl restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
    sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setattr sched_setparam sched_setscheduler
    sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority
    setregid setresgid setresuid setreuid setsid setuid sigaltstack tgkill times tkill vfork wait4 waitid ioprio_get ioprio_set
    landlock_add_rule landlock_create_ruleset landlock_restrict_self`,
  ),
  allow(
    'time and facts about the machine; setting them is refused below',
    `
    alarm clock_getres clock_gettime clock_nanosleep getcpu getitimer getrandom gettimeofday nanosleep setitimer sysinfo
    time timer_create timer_delete timer_getoverrun timer_gettime timer_settime uname`,
  ),
  allow(
    'System V and POSIX queues: the cell has an IPC namespace of its own',
    `
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop
    shmat shmctl shmdt shmget`,
  ),
  allow('hints about writing files back', 'cachestat'),
]

/** CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}. */
const namespaceFlags = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]

/** A mode with S_ISUID or S_ISGID; for open(2) only where a file is made: O_CREAT, __O_TMPFILE. */
const setsId = (arg: Test['arg']): Test => ({ arg, mask: 0o6000, in: [0o2000, 0o4000, 0o6000] })
const makesFile = (arg: Test['arg']): Test => ({ arg, mask: 0x400040, in: [0x40, 0x400000, 0x400040] })
const noSetId = (names: string, ...when: readonly Test[]): Rule => ({
  names: words(names),
  clauses: [{ when, then: 'EPERM' }],
  action: 'allow',
  reason:
    "files, but none that runs with its owner's rights: in a live workspace it would on the host too, as root for a root caller (FS-19)",
})

const judged: readonly Rule[] = [
  noSetId('chmod fchmod creat mknod', setsId(1)),
  noSetId('fchmodat fchmodat2 mknodat', setsId(2)),
  noSetId('open', setsId(2), makesFile(1)),
  noSetId('openat', setsId(3), makesFile(2)),
  {
    names: ['clone'],
    // Flags are the first argument on both architectures.
    clauses: namespaceFlags.filter((flag) => flag !== 0x80).map((flag) => ({ when: [{ arg: 0, mask: flag, in: [flag] }], then: 'EPERM' })),
    action: 'allow',
    reason: 'threads and processes, but no namespace: a nested user namespace opens kernel code that a cell has no use for (KRN-05)',
  },
  {
    names: ['socket'],
    clauses: [
      // AF_UNIX with streams or packets: each connection is made from outside, if at all (native/cell-porter.c). Datagrams name their receiver
      // in memory that nothing can watch.
      {
        when: [
          { arg: 0, in: [1] },
          { arg: 1, mask: 0xf, in: [1, 5] },
        ],
        then: 'allow',
      },
      { when: [{ arg: 0, in: [1] }], then: 'EPROTONOSUPPORT' },
      {
        when: [
          { arg: 0, in: [2, 10] },
          { arg: 1, mask: 0xf, in: [1, 2] },
          { arg: 2, in: [0, 6, 17] },
        ],
        then: 'allow',
      }, // TCP, UDP
      {
        when: [
          { arg: 0, in: [2, 10] },
          { arg: 2, in: [262] },
        ],
        then: 'EPROTONOSUPPORT',
      }, // MPTCP: Go then uses TCP
      {
        when: [
          { arg: 0, in: [16] },
          { arg: 2, in: [0] },
        ],
        then: 'allow',
      }, // NETLINK_ROUTE: getaddrinfo, getifaddrs
      { when: [{ arg: 0, in: [2, 10, 16] }], then: 'EPERM' }, // raw, ICMP, SCTP, other netlink
    ],
    action: 'EAFNOSUPPORT',
    reason:
      'TCP, UDP, Unix streams and route netlink only; no AF_VSOCK (host of a VM), AF_ALG, AF_PACKET and rarely tested families (NET-07, NET-12, NET-19)',
  },
  {
    names: ['socketpair'],
    clauses: [
      {
        when: [
          { arg: 0, in: [1] },
          { arg: 1, mask: 0xf, in: [1, 5] },
        ],
        then: 'allow',
      },
      { when: [{ arg: 0, in: [1] }], then: 'EPROTONOSUPPORT' },
    ],
    action: 'EAFNOSUPPORT',
    reason: 'pairs of Unix sockets only, and no datagrams: one of a pair can still send to any path (NET-12)',
  },
  {
    names: ['ioctl'],
    // TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS: the kernel reads the command as unsigned int, so must we (CVE-2019-10063).
    clauses: [
      { when: [{ arg: 1, in: [0x5412, 0x541c, 0x5423, 0x541d] }], then: 'EPERM' },
      // The console's own (KDSKBSENT gives a key a text to type, VT_* switch and resize): linux/kd.h, linux/vt.h.
      { when: [{ arg: 1, mask: 0xffffff00, in: [0x4b00, 0x5600] }], then: 'EPERM' },
    ],
    action: 'allow',
    reason: "device control, but no typing into the caller's terminal (CVE-2017-5226, CVE-2023-28100) and no line disciplines (KRN-09)",
  },
  {
    names: ['personality'],
    clauses: [{ when: [{ arg: 0, in: [0, 0xffffffff] }], then: 'allow' }],
    action: 'EPERM',
    reason: 'may be asked, not changed: address randomisation stays on (KRN-13)',
  },
]

const denied: readonly Rule[] = [
  deny('clone3', "its flags lie in memory that a filter can't read: ENOSYS makes libraries use clone", 'ENOSYS'),
  deny('unshare setns', 'no new namespace, no entering of another one (KRN-05, KRN-07)'),
  deny(
    'mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr',
    'the file system is made from outside (KRN-06, CVE-2021-41133)',
  ),
  deny('openat2', "its mode lies in memory that a filter can't read (FS-19): ENOSYS makes programs use openat", 'ENOSYS'),
  deny('statmount listmount', "the cell's mounts tell paths of the host; /proc/self/mountinfo is enough for programs", 'ENOSYS'),
  deny(
    'io_uring_setup io_uring_enter io_uring_register',
    'does what other calls do without being filtered; programs fall back (KRN-13)',
    'ENOSYS',
  ),
  deny('bpf perf_event_open userfaultfd', 'kernel code with a long record of escapes; userfaultfd widens races (KRN-13)'),
  deny('keyctl add_key request_key', 'keyrings are not namespaced (KRN-11)'),
  deny(
    'ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd',
    "no looking into other processes; debuggers don't work in a cell (KRN-08)",
  ),
  deny('name_to_handle_at open_by_handle_at', 'opens files outside the mounts (CVE-2014-3519 class)'),
  deny(
    'kexec_load kexec_file_load init_module finit_module delete_module create_module query_module get_kernel_syms',
    'replaces or extends the kernel (KRN-13)',
  ),
  deny(
    'quotactl quotactl_fd acct swapon swapoff reboot syslog _sysctl uselib ustat sysfs nfsservctl vhangup',
    'administration of the machine, or long unused (KRN-13)',
  ),
  deny('iopl ioperm modify_ldt vm86', 'ports and segment tables; no program of today needs them (KRN-13)'),
  deny('fanotify_init fanotify_mark lookup_dcookie', 'watches whole file systems, or tells kernel addresses (KRN-13)'),
  deny('clock_settime clock_adjtime adjtimex settimeofday stime', "the clock is the host's (KRN-13)"),
  deny('move_pages migrate_pages mbind set_mempolicy set_mempolicy_home_node', 'placing of memory pages, of other processes too (KRN-13)'),
  deny('sethostname setdomainname', "the name is the plan's (KRN-20)"),
  deny('memfd_secret', "memory that even the supervisor can't count", 'ENOSYS'),
  deny('lsm_set_self_attr lsm_get_self_attr lsm_list_modules', "security modules are the host's"),
]

const pinnedRule = deny('sched_setaffinity', 'the limit on processors is kept by affinity here, so it may not be changed')
const unpinnedRule = allow('placing threads on processors; a control group keeps the limit, if there is one', 'sched_setaffinity')

const RLIMIT_CORE = 4
const ofCore = (arg: Test['arg']): Test => ({ arg, in: [RLIMIT_CORE] })
const freeLimits = allow('limits of the own processes, within the hard ones', 'setrlimit prlimit64')
const keptCore: readonly Rule[] = [
  {
    names: ['setrlimit'],
    clauses: [{ when: [ofCore(0)], then: 'done' }],
    action: 'allow',
    reason: 'a core limit of 0 would wake the host program that core_pattern names, 1 does not (SEC-04, core(5))',
  },
  {
    names: ['prlimit64'],
    clauses: [
      { when: [ofCore(1), { arg: 2, in: [0] }, { arg: 2, high: true, in: [0] }], then: 'allow' },
      { when: [ofCore(1)], then: 'done' },
    ],
    action: 'allow',
    reason: 'the same; asking is free',
  },
]

export interface FilterOptions {
  /** The limit on processors is kept by affinity. */
  readonly pinned: boolean
  /** Crashes on this machine are handed to a program of the host. */
  readonly coreHandler: boolean
}

export function rulesFor(options: FilterOptions): readonly Rule[] {
  return [...allowed, ...judged, ...denied, options.pinned ? pinnedRule : unpinnedRule, ...(options.coreHandler ? keptCore : [freeLimits])]
}
