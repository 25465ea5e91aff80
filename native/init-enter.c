// From process 1 to anchorhold-enter: the order, the rights that go, and what enter reports. Neighbours: init.c, enter.c.
#include "cell.h"
#include "hold.h"
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER "/run/anchorhold/"

static struct bytes read_file(const char *path) {
  struct bytes text = {0};
  char room[16384];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(path);
  for (ssize_t got; (got = read(fd, room, sizeof room)) != 0;) {
    if (got < 0 && errno != EINTR) fail_errno(path);
    if (got > 0) bytes_add(&text, room, (size_t)got);
  }
  close(fd);
  return text;
}

void order_read(struct order *order) {
  struct bytes text = read_file(FOLDER "order");
  size_t words = 0, taken = 0;
  for (size_t at = 0; at < text.length; at++) words += text.data[at] == 0;
  if (words < 3 || text.data[text.length - 1]) fail("the order is not whole");
  char **list = must_alloc((words + 2) * sizeof *list), *at = text.data;
  for (; taken < words; at += strlen(at) + 1) list[taken++] = at;
  order->uid = (unsigned)strtoul(list[0], NULL, 10);
  order->gid = (unsigned)strtoul(list[1], NULL, 10);
  size_t variables = strtoul(list[2], NULL, 10);
  if (variables > words - 3 || (words - 3 - variables) % 3) fail("the order is not whole");
  order->check_count = (words - 3 - variables) / 3;
  order->checks = list + 3 + variables;
  order->environment = must_alloc((variables + 1) * sizeof *list);
  memcpy(order->environment, list + 3, variables * sizeof *list);
  order->filter = read_file(FOLDER "filter");
  if (order->filter.length == 0 || order->filter.length % sizeof(struct sock_filter)) fail("the filter is not whole");
}

static void write_word(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write_all(fd, text, strlen(text)) < 0) fail("%s: %s", path, strerror(errno));
  close(fd);
}

// Where the container's user has another number than the plan wants seen (a caller that is root, or mapped to root by a rootless engine):
// a user namespace with the one mapping that everybody may make. Files keep their owner.
static void take_identity(const struct order *order) {
  char map[64];
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (uid == order->uid && gid == order->gid) return;
  if (unshare(CLONE_NEWUSER) < 0) fail("user %u as %u inside: a user namespace is refused: %s", uid, order->uid, strerror(errno));
  write_word("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1\n", order->uid, uid);
  write_word("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1\n", order->gid, gid);
  write_word("/proc/self/gid_map", map);
}

void drop_rights(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {0};
  // Process 1 itself may not take them out of this set, but without privileges to be had (below) none comes from it.
  for (unsigned long each = 0; prctl(PR_CAPBSET_READ, each) >= 0; each++)
    if (prctl(PR_CAPBSET_READ, each) > 0 && prctl(PR_CAPBSET_DROP, each) < 0 && (getpid() != 1 || errno != EPERM)) fail_errno("PR_CAPBSET_DROP");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) fail_errno("PR_CAP_AMBIENT");
  if (syscall(SYS_capset, &header, none) < 0) fail_errno("capset");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail_errno("PR_SET_NO_NEW_PRIVS");
}

noreturn void become_enter(const struct order *order, int channel, char **argv) {
  take_identity(order);
  drop_rights();
  if (channel != ENTER_FD && dup2(channel, ENTER_FD) < 0) fail_errno("dup2");
  if (syscall(SYS_close_range, ENTER_FD + 1, ~0U, 0) < 0 || close(INFO_FD) < 0) fail_errno("close_range");
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) fail_errno("sigprocmask");
  struct sock_fprog program = {(unsigned short)(order->filter.length / sizeof(struct sock_filter)), (struct sock_filter *)order->filter.data};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) fail_errno("syscall filter");
  *--argv = "enter";
  execve(FOLDER "enter", argv, order->environment);
  dprintf(STDERR_FILENO, "anchorhold: cannot start " FOLDER "enter: %s\n", strerror(errno));
  _exit(125);
}

void from_enter(int socket_fd, int *enter, pid_t *command, int outside) {
  char text[MESSAGE];
  union {
    char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {.iov_base = text, .iov_len = sizeof text - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    close(socket_fd);
    *enter = -1;
    return;
  }
  struct ucred sender = {0};
  int passed = -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_type == SCM_CREDENTIALS) memcpy(&sender, CMSG_DATA(header), sizeof sender);
    if (header->cmsg_type == SCM_RIGHTS) memcpy(&passed, CMSG_DATA(header), sizeof passed);
  }
  if (text[0] == 'R' && (passed < 0 || porter_serve(passed) < 0)) fail("the cell's connections can't be made");
  if (text[0] == 'C') *command = sender.pid;
  if (passed >= 0) close(passed);
  (void)packet_send(outside, text, (size_t)got, -1);
}

static long long count_kills(const char *path) {
  char line[128];
  long long kills = 0;
  FILE *file = fopen(path, "re");
  if (!file) return 0; // another version of control groups, or none
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "oom_kill %lld", &kills) == 1) break;
  fclose(file);
  return kills;
}

long long oom_kills(void) {
  static long long before = -1;
  long long now = count_kills("/sys/fs/cgroup/memory.events") + count_kills("/sys/fs/cgroup/memory/memory.oom_control");
  if (before < 0) before = now;
  return now - before;
}
