// What of /proc is closed in every cell, root callers' included: OCI's masked paths and a few more (attacks.md KRN-14, -15).
// Put on as covers from outside, so that a path this kernel doesn't have is simply skipped.
import type { Cover } from '../../model/plan.ts'

const unreadable: readonly [path: string, what: 'file' | 'directory'][] = [
  // The cell's init is bubblewrap, with the command's own uid: its memory could be written through these (SEC-03).
  ['/proc/1/fd', 'directory'],
  ['/proc/1/fdinfo', 'directory'],
  ['/proc/1/map_files', 'directory'],
  ['/proc/1/mem', 'file'],
  ['/proc/1/task', 'directory'],
  ['/proc/acpi', 'directory'], // hardware of the host, some of it writable by root
  ['/proc/asound', 'directory'],
  ['/proc/buddyinfo', 'file'],
  ['/proc/cmdline', 'file'], // of the host's kernel: addresses, disks, now and then a secret
  ['/proc/config.gz', 'file'], // tells which attacks on the kernel are worth a try
  ['/proc/diskstats', 'file'],
  ['/proc/interrupts', 'file'], // keystroke timing
  ['/proc/iomem', 'file'],
  ['/proc/ioports', 'file'],
  ['/proc/kallsyms', 'file'],
  ['/proc/kcore', 'file'], // the kernel's memory
  ['/proc/keys', 'file'], // descriptions of the host user's keys
  ['/proc/key-users', 'file'],
  ['/proc/kmsg', 'file'],
  ['/proc/kpagecount', 'file'], // physical page numbers: rowhammer
  ['/proc/kpageflags', 'file'],
  ['/proc/kpagecgroup', 'file'],
  ['/proc/latency_stats', 'file'],
  ['/proc/locks', 'file'], // process and inode numbers of the host
  ['/proc/modules', 'file'],
  ['/proc/pagetypeinfo', 'file'],
  ['/proc/partitions', 'file'],
  ['/proc/sched_debug', 'file'], // names of the host's processes
  ['/proc/schedstat', 'file'],
  ['/proc/scsi', 'directory'],
  ['/proc/slabinfo', 'file'],
  ['/proc/softirqs', 'file'],
  ['/proc/timer_list', 'file'], // names of the host's processes
  ['/proc/timer_stats', 'file'],
  ['/proc/vmallocinfo', 'file'], // addresses of the kernel
]

const unwritable = ['/proc/bus', '/proc/driver', '/proc/fs', '/proc/irq', '/proc/mtrr', '/proc/sys', '/proc/sysrq-trigger', '/proc/tty']

export const procCovers: readonly Cover[] = [
  ...unreadable.map(([path, what]) => ({ kind: 'empty', path, what }) as const),
  ...unwritable.map((path) => ({ kind: 'readonly', path }) as const),
]
