// The caller's standard streams, as the cell gets them. A descriptor of a file can be opened again inside through /proc/self/fd,
// with rights that the caller never meant (`< notes.txt` becomes writable), and a socket of the host's network can be connected
// anew: such a stream goes through a pipe and a small process out here. Pipes and terminals are handed on as they are.
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SOURCE_FD = 0, TARGET_FD = 1, MEMORY_DEVICES = 1 };
enum kind { AS_IS, THROUGH_PIPE, NOTHING };

// A socket that is connected for good: no second connect() leads it elsewhere (unix(7)).
static int bound_to_its_peer(int fd) {
  int domain, type;
  socklen_t length = sizeof domain;
  struct sockaddr_storage peer;
  socklen_t peer_length = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX &&
         getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
         getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0;
}

static enum kind kind_of(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) < 0) return NOTHING;
  switch (facts.st_mode & S_IFMT) {
  case S_IFIFO:
    return AS_IS;
  case S_IFSOCK:
    return bound_to_its_peer(fd) ? AS_IS : THROUGH_PIPE;
  case S_IFCHR: {
    unsigned number = minor(facts.st_rdev);
    // null, zero, full, random, urandom: the cell has them anyway.
    int harmless = major(facts.st_rdev) == MEMORY_DEVICES && (number == 3 || number == 5 || (number >= 7 && number <= 9));
    return harmless || isatty(fd) ? AS_IS : THROUGH_PIPE;
  }
  case S_IFREG:
  case S_IFBLK:
    return THROUGH_PIPE;
  default: // a folder: its `..` would lead through the host
    return NOTHING;
  }
}

static int same_file(int one, int other) {
  pid_t own = getpid();
  long order = syscall(SYS_kcmp, own, own, KCMP_FILE, one, other);
  if (order >= 0) return order == 0;
  struct stat first, second;
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static int wait_for(int fd, short events) {
  // The other side of a pipe of ours is watched as well: when the cell is gone nobody waits for the caller's next byte.
  struct pollfd wait[] = {{.fd = fd, .events = events}, {.fd = TARGET_FD}};
  while (poll(wait, fd == TARGET_FD ? 1 : 2, -1) < 0)
    if (errno != EINTR) return -1;
  return wait[1].revents & (POLLERR | POLLNVAL) && fd != TARGET_FD ? -1 : 0;
}

// Copies until either side ends. Its exit closes the pipe: end of input, or SIGPIPE where nothing can be written any more.
static noreturn void pump(int from, int to, unsigned long long file_size) {
  static char room[65536];
  pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || parent == 1) _exit(1);
  struct rlimit limit = {file_size, file_size};
  if (file_size && setrlimit(RLIMIT_FSIZE, &limit) < 0) _exit(1);
  int high = fcntl(from, F_DUPFD, 10);
  if (high < 0 || dup2(to, TARGET_FD) < 0 || dup2(high, SOURCE_FD) < 0 || syscall(SYS_close_range, 2, ~0U, 0) < 0) _exit(1);
  for (;;) {
    if (wait_for(SOURCE_FD, POLLIN) < 0) _exit(0);
    ssize_t got = read(SOURCE_FD, room, sizeof room);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) _exit(0);
    for (ssize_t done = 0; done < got;) {
      ssize_t wrote = write(TARGET_FD, room + done, (size_t)(got - done));
      if (wrote > 0) done += wrote;
      else if (wrote < 0 && errno == EAGAIN && wait_for(TARGET_FD, POLLOUT) < 0) _exit(1);
      else if (wrote < 0 && errno != EINTR && errno != EAGAIN) _exit(1);
    }
  }
}

static int through_pipe(int fd, unsigned long long file_size) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) fail_errno("pipe");
  int input = fd == STDIN_FILENO, kept = input ? ends[0] : ends[1], lent = input ? ends[1] : ends[0];
  pid_t worker = fork();
  if (worker < 0) fail_errno("fork");
  if (worker == 0) pump(input ? fd : lent, input ? lent : fd, input ? 0 : file_size);
  close(lent);
  return kept;
}

void streams_open(struct streams *streams, unsigned long long file_size) {
  for (int fd = 0; fd <= 2; fd++) {
    enum kind kind = kind_of(fd);
    streams->fd[fd] = -1;
    if (kind == NOTHING && (streams->fd[fd] = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) fail_errno("/dev/null");
    if (kind != THROUGH_PIPE) continue;
    // One pipe for both keeps the order of what is said on them.
    int shared = fd == 2 && streams->fd[1] >= 0 && same_file(1, 2);
    streams->fd[fd] = shared ? fcntl(streams->fd[1], F_DUPFD_CLOEXEC, 3) : through_pipe(fd, file_size);
    if (streams->fd[fd] < 0) fail_errno("F_DUPFD");
  }
}

void streams_take(const struct streams *streams) {
  for (int fd = 0; fd <= 2; fd++)
    if (streams->fd[fd] >= 0 && dup2(streams->fd[fd], fd) < 0) fail_errno("dup2");
}

void streams_close(struct streams *streams) {
  for (int fd = 0; fd <= 2; fd++)
    if (streams->fd[fd] >= 0) close(streams->fd[fd]);
}
