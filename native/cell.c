// anchorhold-cell: the supervisor outside one cell. Started by src/engines/bubblewrap/launch.ts; starts bubblewrap.
// It owns the cell's user and network namespace, its listeners, limits, covers and the caller's terminal, and dies with Node.
#include "common.h"
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail_errno("PR_SET_PDEATHSIG");
  // Node may have died before the line above: its end of the channel is closed then.
  struct pollfd channel = {.fd = IPC_FD};
  if (poll(&channel, 1, 0) < 0 || (channel.revents & (POLLHUP | POLLERR | POLLNVAL))) _exit(125);
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write_all(fd, text, strlen(text)) < 0) fail("%s: %s", path, strerror(errno));
  close(fd);
}

// The outer user namespace: the caller mapped to itself, so that files keep their owner; it owns the network namespace, so
// that nothing started below has a right over it.
static void enter_namespaces(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  char map[64];
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) fail("user and network namespace: %s", strerror(errno));
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
  write_file("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1\n", gid, gid);
  write_file("/proc/self/gid_map", map);
}

// When the machine runs out of memory, the kernel takes the cell before the user's own programs. Best effort.
static void go_first(void) {
  int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  char text[16] = "";
  if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && atoi(text) < 500 && lseek(fd, 0, SEEK_SET) == 0) (void)write_all(fd, "500", 3);
  if (fd >= 0) close(fd);
}

static void limit_to(int resource, const char *name, rlim_t value) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) < 0) fail_errno(name);
  if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) value = limit.rlim_max;
  limit.rlim_cur = limit.rlim_max = value;
  if (setrlimit(resource, &limit) < 0) fail_errno(name);
}

// No image of a dead program. A handler that the kernel pipes images to (apport, systemd-coredump) is started whatever the limit,
// unless it is exactly 1, which a file of an image can't have either (core(5), fs/coredump.c).
static rlim_t core_limit(void) {
  char first = 0;
  int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1;
  ssize_t got = read(fd, &first, 1);
  close(fd);
  return got == 1 && first != '|' ? 0 : 1;
}

static void pin_to(unsigned count) {
  cpu_set_t allowed, chosen;
  if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) fail_errno("sched_getaffinity");
  CPU_ZERO(&chosen);
  // Starts anywhere, so that several cells don't all sit on the first processor.
  unsigned from = (unsigned)getpid();
  for (unsigned i = 0, taken = 0; i < CPU_SETSIZE && taken < count; i++) {
    unsigned cpu = (from + i) % CPU_SETSIZE;
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &chosen);
    taken++;
  }
  if (sched_setaffinity(0, sizeof chosen, &chosen) < 0) fail_errno("sched_setaffinity");
}

// In the child that becomes bubblewrap.
static noreturn void become_engine(const struct plan *plan, const struct streams *streams, int info, int enter, char **argv) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) fail_errno("sigprocmask");
  // Not in the caller's group: a Ctrl-C must reach the command, never the engine.
  if (setpgid(0, 0) < 0) fail_errno("setpgid");
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS) fail_errno("new session keyring");
  for (size_t i = 0; i < plan->cgroup_count; i++)
    if (write_all(plan->cgroups[i], "0", 1) < 0) fail_errno("joining the control group");
  streams_take(streams);
  go_first();
  limit_to(RLIMIT_CORE, "RLIMIT_CORE", core_limit());
  if (plan->file_size) limit_to(RLIMIT_FSIZE, "RLIMIT_FSIZE", plan->file_size);
  // Becomes the limit of the user namespace that bubblewrap makes, and counts what is below it (Linux >= 5.14): the
  // supervisor, the guard, bubblewrap, the cell's init, the porter and the streams' workers come on top of what the command may have.
  if (plan->processes) limit_to(RLIMIT_NPROC, "RLIMIT_NPROC", plan->processes + 9);
  if (plan->cpus) pin_to(plan->cpus);
  // What is passed on has numbers that a low limit of the caller, or of the plan, would not allow.
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_NOFILE, &(struct rlimit){files.rlim_max, files.rlim_max}) < 0)
    fail_errno("RLIMIT_NOFILE");
  // Lifts every descriptor that is passed on above all targets first, so that no target closes a source.
  int base = 200;
  for (size_t i = 0; i < plan->input_count; i++)
    if (fcntl(plan->inputs[i].fd, F_DUPFD, base + plan->inputs[i].target) < 0) fail_errno("F_DUPFD");
  int high_info = fcntl(info, F_DUPFD, base), high_enter = fcntl(enter, F_DUPFD, base);
  if (high_info < 0 || high_enter < 0) fail_errno("F_DUPFD");
  if (syscall(SYS_close_range, 3, base - 1, 0) < 0) fail_errno("close_range");
  if (dup2(high_info, INFO_FD) < 0 || dup2(high_enter, ENTER_FD) < 0) _exit(125);
  for (size_t i = 0; i < plan->input_count; i++)
    if (dup2(base + plan->inputs[i].target, plan->inputs[i].target) < 0) _exit(125);
  if (syscall(SYS_close_range, base, ~0U, 0) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0) _exit(125);
  if (plan->open_files) limit_to(RLIMIT_NOFILE, "RLIMIT_NOFILE", plan->open_files);
  char *environment[] = {NULL}; // bubblewrap's own environment is readable in the cell as that of process 1
  execve(argv[0], argv, environment);
  dprintf(STDERR_FILENO, "anchorhold: cannot start %s: %s\n", argv[0], strerror(errno));
  _exit(125);
}

static void start_engine(struct run *run, char **argv) {
  int info[2], enter[2], on = 1;
  if (pipe2(info, O_CLOEXEC) < 0) fail_errno("pipe");
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, enter) < 0) fail_errno("socketpair");
  // The command's process id, as this side sees it, comes from the kernel with enter's first message.
  if (setsockopt(enter[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) fail_errno("SO_PASSCRED");
  struct streams streams;
  streams_open(&streams, run->plan.file_size);
  run->engine = guarded_fork();
  if (run->engine < 0) fail_errno("fork");
  if (run->engine == 0) become_engine(&run->plan, &streams, info[1], enter[1], argv);
  streams_close(&streams);
  close(info[1]);
  close(enter[1]);
  run->info = info[0];
  run->enter = enter[0];
}

static void send_listeners(const struct plan *plan) {
  for (size_t i = 0; i < plan->listener_count; i++) {
    struct bytes line = {0};
    // What Node's lib/internal/child_process.js calls these: a raw handle, and a datagram socket of that family.
    const char *type = plan->listeners[i].kind == 't' ? "net.Native" : "dgram.Socket";
    const char *family = strchr(plan->listeners[i].address, ':') ? "udp6" : "udp4";
    bytes_format(&line, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",\"dgramType\":\"%s\",\"msg\":{\"kind\":\"listener\",\"index\":%zu}}\n", type, family, i);
    ipc_send(line.data, line.length, plan->listeners[i].fd);
    bytes_free(&line);
    close(plan->listeners[i].fd);
  }
  ipc_event("{\"kind\":\"ready\"}");
}

static int watch_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  // The caller's terminal may send these to the whole group; what they mean for the cell is Node's to say.
  const int held[] = {SIGCHLD, SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) sigaddset(&set, held[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) fail_errno("sigprocmask");
  signal(SIGTTOU, SIG_IGN);
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) fail_errno("signalfd");
  return fd;
}

// `--check BWRAP`: whether namespaces can be made here at all; for examine.ts, which has no channel.
static noreturn void check(char *engine) {
  enter_namespaces();
  net_up();
  char *argv[] = {engine, "--unshare-user", "--unshare-pid", "--disable-userns", "--bind", "/", "/", "--proc", "/proc", "--", engine, "--version", NULL};
  execve(engine, argv, (char *[]){NULL});
  fail_errno(engine);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--check") == 0) check(argv[2]);
  if (argc < 3 || strcmp(argv[1], "--") != 0) {
    dprintf(STDERR_FILENO, "anchorhold-cell is started by anchorhold\n");
    return 125;
  }
  die_with_parent();
  if (syscall(SYS_close_range, COMMAND_FD + 1, ~0U, 0) < 0) fail_errno("close_range (Linux 5.14 or later is needed)");
  if (fcntl(IPC_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(COMMAND_FD, F_SETFD, FD_CLOEXEC) < 0) fail_errno("fcntl");
  struct run run = {.enter = -1, .info = -1, .kill_reason = ""};
  run.signals = watch_signals();
  plan_read(&run.plan);
  enter_namespaces();
  die_with_parent(); // a change of credentials clears it (prctl(2))
  // Everything of the cell that loses its parent becomes a child of this process: waited for, and counted in its usage.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fail_errno("PR_SET_CHILD_SUBREAPER");
  net_up();
  for (size_t i = 0; i < run.plan.listener_count; i++) net_listen(&run.plan.listeners[i]);
  run.terminal.fd = -1;
  if (run.plan.terminal) terminal_open(&run.terminal);
  run.terminal.erase = run.plan.terminal == 2;
  start_engine(&run, argv + 2);
  send_listeners(&run.plan);
  run_loop(&run);
  terminal_restore(&run.terminal);
  return 0;
}
