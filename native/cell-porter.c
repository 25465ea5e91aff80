// The porter: makes every connect() of the cell in its stead, and has its folders renamed. A read-only or shared mount does not keep a Unix socket of the
// host from being reached (attacks.md NET-12); so one is connected to only where it was bound in the cell's own network namespace.
// Reads the address once and connects to exactly what it read: nothing is left to the caller's memory (seccomp_unotify(2)).
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

// A connect that has to wait (a full backlog) holds one thread; the next waits in the kernel only when all do.
enum { MOST_THREADS = 256, FEW_THREADS = 16, STACK = 65536, LISTENER_FD = 3, MOVER_FD = 4 };
static atomic_int idle = 1, threads = 1;
static int moves, guest, most_threads = MOST_THREADS; // guest: threads of a process that has other things to do

static int pending(__u64 id) { return ioctl(LISTENER_FD, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

// A process descriptor for the process of a thread.
static int open_process(pid_t thread) {
  int fd = (int)syscall(SYS_pidfd_open, thread, 0);
  if (fd >= 0) return fd;
  char name[64], text[1024];
  snprintf(name, sizeof name, "/proc/%d/status", thread);
  int file = open(name, O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  if (got <= 0) return -1;
  text[got] = 0;
  const char *at = strstr(text, "\nTgid:");
  return at ? (int)syscall(SYS_pidfd_open, atoi(at + 6), 0) : -1;
}

// The path as the thread would find it from one of its folders, in its root. -1 where that folder has none, or it is too long.
static int whole_path(pid_t thread, int folder, const char *path, char whole[MOVE_PATH]) {
  char name[64];
  ssize_t got = 0;
  if (path[0] != '/') {
    if (folder == AT_FDCWD) snprintf(name, sizeof name, "/proc/%d/cwd", thread);
    else snprintf(name, sizeof name, "/proc/%d/fd/%d", thread, folder);
    got = readlink(name, whole, MOVE_PATH - 1);
    if (got <= 0 || whole[0] != '/') return -1;
    whole[got++] = '/';
  }
  if ((size_t)got + strlen(path) >= MOVE_PATH) return -1;
  strcpy(whole + got, path);
  return 0;
}

// A path descriptor of what lies there inside, or -1. `flags`: O_NOFOLLOW or none.
static int open_inside(pid_t thread, const char *whole, int flags) {
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/root", thread);
  int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  struct open_how how = {.flags = (unsigned)(O_PATH | O_CLOEXEC | flags), .resolve = RESOLVE_IN_ROOT};
  int fd;
  do fd = (int)syscall(SYS_openat2, root, whole, &how, sizeof how);
  while (fd < 0 && errno == EAGAIN); // a rename meanwhile (openat2(2))
  int error = errno;
  close(root);
  errno = error;
  return fd;
}

static int connect_path(int fd, pid_t thread, const struct sockaddr_un *address, size_t length) {
  char path[sizeof address->sun_path + 1] = "", whole[MOVE_PATH];
  memcpy(path, address->sun_path, length);
  if (whole_path(thread, AT_FDCWD, path, whole) < 0) return ENOENT;
  int place = open_inside(thread, whole, 0);
  if (place < 0) return errno;
  struct stat facts;
  int error = ECONNREFUSED; // also what is no socket, as connect(2) says
  if (fstat(place, &facts) == 0 && S_ISSOCK(facts.st_mode) && socket_is_ours(thread, place)) {
    // The descriptor holds the very file that was judged, whatever the path leads to now.
    struct sockaddr_un again = {.sun_family = AF_UNIX};
    snprintf(again.sun_path, sizeof again.sun_path, "/proc/self/fd/%d", place);
    error = connect(fd, (struct sockaddr *)&again, sizeof again) < 0 ? errno : 0;
  }
  close(place);
  return error;
}

static int connect_copied(const struct seccomp_notif *ask, int fd) {
  union {
    struct sockaddr_storage any;
    struct sockaddr_un local;
  } address = {0};
  int length = (int)ask->data.args[2];
  if (length < 0 || (size_t)length > sizeof address.any) return EINVAL;
  struct iovec to = {&address, (size_t)length}, from = {(void *)ask->data.args[1], (size_t)length};
  if (length > 0 && process_vm_readv((pid_t)ask->pid, &to, 1, &from, 1, 0) != length) return EFAULT;
  if (!pending(ask->id)) return ESRCH; // what was read may be another process's
  size_t before = offsetof(struct sockaddr_un, sun_path), given = (size_t)length;
  if (given > before && address.any.ss_family == AF_UNIX && address.local.sun_path[0] != 0) {
    if (given > sizeof address.local) return EINVAL;
    return connect_path(fd, (pid_t)ask->pid, &address.local, given - before);
  }
  // Every other family, and abstract names, end in the network namespace of the socket: the cell's.
  return connect(fd, (struct sockaddr *)&address, (socklen_t)length) < 0 ? errno : 0;
}

static int answer_one(const struct seccomp_notif *ask) {
  int process = open_process((pid_t)ask->pid);
  if (process < 0) return ESRCH;
  // Still waiting: so the descriptor is of the process that asked, not of a later one with its number.
  int fd = pending(ask->id) ? (int)syscall(SYS_pidfd_getfd, process, (int)ask->data.args[0], 0) : -1;
  int error = fd < 0 ? errno : connect_copied(ask, fd);
  if (fd >= 0) close(fd);
  close(process);
  return error;
}

static int read_path(pid_t thread, __u64 address, char path[MOVE_PATH]) {
  size_t first = 4096 - address % 4096; // it may end with its page
  struct iovec to = {path, MOVE_PATH}, from[] = {{(void *)address, first}, {(void *)(address + first), MOVE_PATH - first}};
  ssize_t got = process_vm_readv(thread, &to, 1, from, 2, 0);
  return got > 0 && memchr(path, 0, (size_t)got) ? 0 : -1;
}

// 0 where it is done, an error, or -1 where the kernel is to do it itself: all but folders of a view. Nothing is decided here that the caller
// could gain from by changing its mind meanwhile: whoever renames has no more rights than the caller.
static int answer_rename(const struct seccomp_notif *ask) {
  const __u64 *args = ask->data.args;
  int here = AT_FDCWD, there = AT_FDCWD;
  unsigned flags = 0;
  __u64 old = args[0], new = args[1];
#ifdef SYS_rename
  int at = ask->data.nr != SYS_rename;
#else
  int at = 1;
#endif
  if (at) here = (int)args[0], old = args[1], there = (int)args[2], new = args[3];
  if (ask->data.nr == SYS_renameat2) flags = (unsigned)args[4];
  pid_t thread = (pid_t)ask->pid;
  char path[MOVE_PATH], from[MOVE_PATH], to[MOVE_PATH];
  struct stat facts;
  struct statfs system;
  if (read_path(thread, old, path) < 0 || path[0] == 0 || whole_path(thread, here, path, from) < 0) return -1;
  int place = open_inside(thread, from, O_NOFOLLOW);
  int folder = place >= 0 && fstat(place, &facts) == 0 && S_ISDIR(facts.st_mode) && fstatfs(place, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
  if (place >= 0) close(place);
  if (!folder || read_path(thread, new, path) < 0 || path[0] == 0 || whole_path(thread, there, path, to) < 0) return -1;
  return pending(ask->id) ? mover_ask(MOVER_FD, flags, from, to) : ESRCH;
}

static void *serve(void *unused);

static void keep_one_idle(void) {
  if (atomic_fetch_sub(&idle, 1) > 1 || atomic_load(&threads) >= most_threads) return;
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setstacksize(&attributes, STACK);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  atomic_fetch_add(&threads, 1);
  atomic_fetch_add(&idle, 1);
  if (pthread_create(&thread, &attributes, serve, NULL) != 0) {
    atomic_fetch_sub(&threads, 1);
    atomic_fetch_sub(&idle, 1);
  }
  pthread_attr_destroy(&attributes);
}

static int all_gone(void) {
  struct pollfd listener = {.fd = LISTENER_FD, .events = POLLIN};
  return poll(&listener, 1, 0) > 0 && listener.revents & (POLLHUP | POLLERR);
}

static void *serve(void *unused) {
  for (;;) {
    struct seccomp_notif ask = {0};
    if (ioctl(LISTENER_FD, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0) {
      // The asker was killed. Or all of the cell has ended (Linux 6.10): asking again at once would only take the processors from its end.
      if (errno == EINTR || (errno == ENOENT && !all_gone())) continue;
      if (guest) return NULL;
      _exit(0); // nobody is left to ask
    }
    keep_one_idle();
    int renames = moves && ask.data.nr != SYS_connect, error = renames ? answer_rename(&ask) : answer_one(&ask);
    struct seccomp_notif_resp reply = {.id = ask.id, .error = error < 0 ? 0 : -error, .flags = error < 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
    (void)ioctl(LISTENER_FD, SECCOMP_IOCTL_NOTIF_SEND, &reply); // fails where the asker is gone
    atomic_fetch_add(&idle, 1);
  }
  return unused;
}

// Looking into the askers is all that needs a right; the connections themselves are made with no more than they have.
static int drop_rights(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{.effective = 1U << CAP_SYS_PTRACE, .permitted = 1U << CAP_SYS_PTRACE}};
  return (int)syscall(SYS_capset, &header, data);
}

static void hand_over(void) {
#ifdef SECCOMP_IOCTL_NOTIF_SET_FLAGS
  // Linux 6.6: asker and porter hand the processor to each other.
  (void)ioctl(LISTENER_FD, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
#endif
}

int porter_serve(int listener) {
  pthread_t thread;
  guest = 1;
  most_threads = FEW_THREADS;
  if (dup3(listener, LISTENER_FD, O_CLOEXEC) < 0) return -1;
  hand_over();
  return pthread_create(&thread, NULL, serve, NULL) == 0 ? pthread_detach(thread) : -1;
}

pid_t porter_start(int listener, pid_t inside, int with_moves) {
  pid_t supervisor = getpid(), porter = fork();
  if (porter != 0) return porter;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != supervisor) _exit(1);
  moves = with_moves;
  int mover = moves ? mover_start(inside) : -1, high = moves ? fcntl(mover, F_DUPFD, MOVER_FD + 1) : -1;
  if ((moves && high < 0) || drop_rights() < 0) _exit(1);
  if (dup2(listener, LISTENER_FD) < 0 || (moves && dup2(high, MOVER_FD) < 0)) _exit(1);
  if (syscall(SYS_close_range, moves ? MOVER_FD + 1 : MOVER_FD, ~0U, 0) < 0) _exit(1);
  hand_over();
  serve(NULL);
  _exit(0);
}
