// The process that becomes bubblewrap. It is started before there is a plan, so that joining the cell's control groups (with version 2 some 15 ms of
// waiting in the kernel) goes on beside everything else, and waits at a gate for its order. Neighbours: cell.c, cell-guard.c.
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

// What the waiting process is told once the plan is known. The descriptors come with it, in the order of their use: where to tell of itself, enter's
// socket, the streams that are not the caller's own, the inputs.
struct order {
  unsigned long long open_files, file_size, processes;
  unsigned cpus;
  int streams[3], targets[MAX_TARGET + 1];
  size_t input_count, word_count, word_bytes, view_count;
};
enum { MOST_FDS = 5 + MAX_TARGET + 1 };

static void read_whole(int gate, void *into, size_t length) {
  for (char *at = into; length;) {
    ssize_t got = read(gate, at, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) _exit(125); // no plan came: the supervisor is gone
    at += got;
    length -= (size_t)got;
  }
}

static void receive(int gate, struct order *order, int *fds, size_t room) {
  union {
    char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {.iov_base = order, .iov_len = sizeof *order};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got;
  while ((got = recvmsg(gate, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  if (got <= 0) _exit(125);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || (message.msg_flags & MSG_CTRUNC) || header->cmsg_type != SCM_RIGHTS) fail("the engine's descriptors did not arrive");
  size_t bytes = header->cmsg_len - CMSG_LEN(0);
  if (bytes > room * sizeof *fds) fail("too many descriptors");
  memcpy(fds, CMSG_DATA(header), bytes);
  read_whole(gate, (char *)order + got, sizeof *order - (size_t)got);
}

static noreturn void become_engine(const struct order *order, const int *fds, const struct rlimit *files, char **argv) {
  struct streams streams;
  const int *next = fds + 2;
  for (int i = 0; i < 3; i++) streams.fd[i] = order->streams[i] ? *next++ : -1;
  streams_take(&streams);
  limit_to(RLIMIT_CORE, "RLIMIT_CORE", core_limit());
  if (order->file_size) limit_to(RLIMIT_FSIZE, "RLIMIT_FSIZE", order->file_size);
  // Becomes the limit of the user namespace that bubblewrap makes, and counts what is below it (Linux >= 5.14): the
  // supervisor, the guard, bubblewrap, the cell's init, the porter, the streams' workers and of a view the mover with its tool come on top of
  // what the command may have.
  if (order->processes) limit_to(RLIMIT_NPROC, "RLIMIT_NPROC", order->processes + (order->view_count > 0 ? 11 : 9));
  if (order->cpus) pin_to(order->cpus);
  // Lifts every descriptor that is passed on above all targets first, so that no target closes a source.
  int base = 200;
  for (size_t i = 0; i < order->input_count; i++)
    if (fcntl(next[i], F_DUPFD, base + order->targets[i]) < 0) fail_errno("F_DUPFD");
  int high_info = fcntl(fds[0], F_DUPFD, base), high_enter = fcntl(fds[1], F_DUPFD, base);
  if (high_info < 0 || high_enter < 0) fail_errno("F_DUPFD");
  if (syscall(SYS_close_range, 3, base - 1, 0) < 0) fail_errno("close_range");
  if (dup2(high_info, INFO_FD) < 0 || dup2(high_enter, ENTER_FD) < 0) _exit(125);
  for (size_t i = 0; i < order->input_count; i++)
    if (dup2(base + order->targets[i], order->targets[i]) < 0) _exit(125);
  if (syscall(SYS_close_range, base, ~0U, 0) < 0 || setrlimit(RLIMIT_NOFILE, files) < 0) _exit(125);
  if (order->open_files) limit_to(RLIMIT_NOFILE, "RLIMIT_NOFILE", order->open_files);
  char *environment[] = {NULL}; // bubblewrap's own environment is readable in the cell as that of process 1
  execve(argv[0], argv, environment);
  dprintf(STDERR_FILENO, "anchorhold: cannot start %s: %s\n", argv[0], strerror(errno));
  _exit(125);
}

static noreturn void wait_for_order(int gate, const struct plan *plan) {
  sigset_t none;
  // Not in the caller's group: a Ctrl-C must reach the command, never the engine.
  if (setpgid(0, 0) < 0) fail_errno("setpgid");
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) fail_errno("sigprocmask");
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS) fail_errno("new session keyring");
  for (size_t i = 0; i < plan->cgroup_count; i++)
    if (write_all(plan->cgroups[i].fd, "0", 1) < 0) fail_errno("joining the control group");
  go_first();
  // What is passed on has numbers that a low limit of the caller, or of the plan, would not allow.
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_NOFILE, &(struct rlimit){files.rlim_max, files.rlim_max}) < 0)
    fail_errno("RLIMIT_NOFILE");
  static struct order order;
  static int fds[MOST_FDS];
  receive(gate, &order, fds, MOST_FDS);
  char *words = must_alloc(order.word_bytes + 1), **argv = must_alloc((order.word_count + 1) * sizeof *argv);
  read_whole(gate, words, order.word_bytes);
  for (size_t i = 0; i < order.word_count; i++, words += strlen(words) + 1) argv[i] = words;
  struct view *views = must_alloc((order.view_count + 1) * sizeof *views);
  for (size_t i = 0; i < order.view_count; i++) {
    char **parts[VIEW_WORDS] = {&views[i].place, &views[i].lower, &views[i].upper, &views[i].work};
    for (int part = 0; part < VIEW_WORDS; part++, words += strlen(words) + 1) *parts[part] = words;
  }
  views_mount(views, order.view_count);
  become_engine(&order, fds, &files, argv);
}

pid_t engine_fork(struct plan *plan, int *gate) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) fail_errno("socketpair");
  pid_t pid = guarded_fork();
  if (pid < 0) fail_errno("fork");
  if (pid == 0) {
    close(ends[0]);
    wait_for_order(ends[1], plan);
  }
  close(ends[1]);
  for (size_t i = 0; i < plan->cgroup_count; i++) close(plan->cgroups[i].fd);
  *gate = ends[0];
  return pid;
}

void engine_order(int gate, const struct plan *plan, const struct streams *streams, int info, int enter) {
  struct order order = {.open_files = plan->open_files,
                        .file_size = plan->file_size,
                        .processes = plan->processes,
                        .cpus = plan->cpus,
                        .input_count = plan->input_count,
                        .word_count = plan->word_count,
                        .word_bytes = plan->words.length,
                        .view_count = plan->view_count};
  int fds[MOST_FDS] = {info, enter};
  size_t count = 2;
  if (plan->input_count > MAX_TARGET || plan->word_count == 0) fail("the plan names no engine, or too many files");
  for (int i = 0; i < 3; i++) {
    order.streams[i] = streams->fd[i] >= 0;
    if (streams->fd[i] >= 0) fds[count++] = streams->fd[i];
  }
  for (size_t i = 0; i < plan->input_count; i++) {
    order.targets[i] = plan->inputs[i].target;
    fds[count++] = plan->inputs[i].fd;
  }
  union {
    char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec vector = {.iov_base = &order, .iov_len = sizeof order};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  ssize_t sent = sendmsg(gate, &message, MSG_NOSIGNAL);
  // Where it has ended, the loop tells of that: it could not join its group, say.
  if (sent > 0 && write_all(gate, (char *)&order + sent, sizeof order - (size_t)sent) == 0) (void)write_all(gate, plan->words.data, plan->words.length);
}
