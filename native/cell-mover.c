// The mover: renames folders of a copy-on-write view. overlayfs renames none that lies in the project too, since a user namespace can have no
// redirects (EXDEV), and many programs take no second way. So it is copied beside its new place, put there in one rename, and removed at its old one.
// Stands in the cell's mount namespace with the caller's own user id and not one capability: it can do what the cell itself can do, and no more.
#include "cell.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

struct order {
  unsigned flags;
  char from[MOVE_PATH], to[MOVE_PATH]; // absolute
};

static int renamed(const char *from, const char *to, unsigned flags) {
  return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags) < 0 ? errno : 0;
}

// Whether a copy would be the same, and its removal whole: 0 or the error of the rename. `mount`: of the folder that is renamed.
static int can_copy(int folder, unsigned long long mount) {
  DIR *list = fdopendir(folder);
  if (!list) {
    close(folder);
    return EXDEV;
  }
  int wrong = 0;
  for (struct dirent *entry; !wrong && (entry = readdir(list));) {
    const char *name = entry->d_name;
    struct statx facts;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (statx(dirfd(list), name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &facts) < 0) {
      wrong = errno == ENOENT ? 0 : EXDEV;
      continue;
    }
    // What lies over a file there (a hidden one) would stay where it is.
    if (facts.stx_mnt_id != mount || facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) wrong = EBUSY;
    else if (facts.stx_uid != geteuid() || facts.stx_gid != getegid()) wrong = EXDEV;
    else if (S_ISBLK(facts.stx_mode) || S_ISCHR(facts.stx_mode)) wrong = EXDEV;
    else if (S_ISREG(facts.stx_mode) && !(facts.stx_mode & S_IRUSR)) wrong = EXDEV;
    else if (S_ISDIR(facts.stx_mode)) {
      int inner = (facts.stx_mode & S_IRWXU) == S_IRWXU ? openat(dirfd(list), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
      wrong = inner < 0 ? EXDEV : can_copy(inner, mount);
    }
  }
  closedir(list);
  return wrong;
}

// Not of the project's folder, and one that a copy can replace: within one overlay.
static int judge(const char *from, const char *beside) {
  struct statx here, there;
  struct statfs system;
  const unsigned want = STATX_BASIC_STATS | STATX_MNT_ID;
  int folder = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int wrong = 0;
  if (folder < 0 || fstatfs(folder, &system) < 0 || system.f_type != OVERLAYFS_SUPER_MAGIC) wrong = EXDEV;
  else if (statx(folder, "", AT_EMPTY_PATH, want, &here) < 0 || statx(AT_FDCWD, beside, 0, want, &there) < 0) wrong = EXDEV;
  else if (here.stx_mnt_id != there.stx_mnt_id || here.stx_attributes & STATX_ATTR_MOUNT_ROOT) wrong = EXDEV;
  else if (here.stx_uid != geteuid() || here.stx_gid != getegid() || (here.stx_mode & S_IRWXU) != S_IRWXU) wrong = EXDEV;
  if (wrong) {
    if (folder >= 0) close(folder);
    return wrong;
  }
  return can_copy(folder, here.stx_mnt_id);
}

static int run_tool(char *const argv[]) {
  pid_t mover = getpid(), tool = fork();
  if (tool < 0) return -1;
  if (tool == 0) {
    char *environment[] = {"LC_ALL=C", NULL};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != mover) _exit(1);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || syscall(SYS_close_range, 3, ~0U, 0) < 0) _exit(1);
    execve(argv[0], argv, environment);
    _exit(127);
  }
  int status;
  while (waitpid(tool, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int removed(const char *place) { return run_tool((char *[]){"/bin/rm", "-rf", "--", (char *)place, NULL}); }

// Also what is not there.
static int is_empty(const char *place) {
  DIR *list = opendir(place);
  if (!list) return errno == ENOENT;
  int entries = 0;
  while (entries < 3 && readdir(list)) entries++;
  closedir(list);
  return entries < 3;
}

static int move_by_copy(const struct order *order) {
  static unsigned count;
  char beside[MOVE_PATH + 64], *slash;
  snprintf(beside, MOVE_PATH, "%s", order->to);
  for (size_t length = strlen(beside); length > 1 && beside[length - 1] == '/';) beside[--length] = 0;
  if (!(slash = strrchr(beside, '/'))) return EXDEV;
  slash[1] = 0;
  int wrong = judge(order->from, beside);
  if (wrong) return wrong;
  // Only an empty folder gives way, which the kernel sees to in the end; nothing is copied for any other.
  if (!is_empty(order->to)) return ENOTEMPTY;
  snprintf(slash + 1, sizeof beside - (size_t)(slash + 1 - beside), ".anchorhold-move-%d-%u", getpid(), ++count);
  if (run_tool((char *[]){"/bin/cp", "-aT", "--reflink=auto", "--", (char *)order->from, beside, NULL}) != 0) {
    (void)removed(beside);
    return EXDEV;
  }
  wrong = renamed(beside, order->to, order->flags);
  if (wrong) (void)removed(beside);
  else if (removed(order->from) != 0) wrong = EIO;
  return wrong;
}

static int drop_all(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {0};
  // Also what is executed with user id 0 gains nothing.
  if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) < 0) return -1;
  for (unsigned long each = 0; prctl(PR_CAPBSET_READ, each) >= 0; each++)
    if (prctl(PR_CAPBSET_DROP, each) < 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  return (int)syscall(SYS_capset, &header, none);
}

static noreturn void serve(int channel) {
  static struct order order;
  for (;;) {
    ssize_t got = recv(channel, &order, sizeof order, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof order) _exit(0);
    int answer = renamed(order.from, order.to, order.flags);
    if (answer == EXDEV && (order.flags & ~(unsigned)RENAME_NOREPLACE) == 0) answer = move_by_copy(&order);
    if (send(channel, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer) _exit(0);
  }
}

int mover_start(pid_t inside) {
  int ends[2];
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/ns/mnt", inside);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  pid_t porter = getpid(), mover = fork();
  if (mover < 0) return -1;
  if (mover == 0) {
    int namespace = open(name, O_RDONLY | O_CLOEXEC);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != porter || namespace < 0) _exit(1);
    if (setns(namespace, CLONE_NEWNS) < 0 || drop_all() < 0) _exit(1);
    if (dup2(ends[1], 3) < 0 || syscall(SYS_close_range, 4, ~0U, 0) < 0) _exit(1);
    umask(077); // a copy gets its modes when it is whole
    serve(3);
  }
  close(ends[1]);
  return ends[0];
}

int mover_ask(int channel, unsigned flags, const char *from, const char *to) {
  static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
  static struct order order;
  int answer = EXDEV;
  pthread_mutex_lock(&turn);
  order.flags = flags;
  snprintf(order.from, sizeof order.from, "%s", from);
  snprintf(order.to, sizeof order.to, "%s", to);
  if (send(channel, &order, sizeof order, MSG_NOSIGNAL) != sizeof order || recv(channel, &answer, sizeof answer, 0) != sizeof answer) answer = EXDEV;
  pthread_mutex_unlock(&turn);
  return answer;
}
