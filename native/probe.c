// The static client of `anchorhold prove`: makes the attempts of a list inside a cell, without libc's resolver or any shared library.
// Lines in: probe, attempt, verb, fields, split by tabs. Lines out: nonce, probe, attempt, client, outcome, what came back in hex.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_fields = 8, most_bytes = 1500, patience = 3000 };

static const char *nonce = "";
static char got[most_bytes];
static size_t got_length;

// 0: it was done; -1: errno says who refused. What came back lies in `got`.
typedef int attempt(char **field, int fields);

static size_t decode(char *text) { // \r \n \t \\ and \xHH, in place
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    from++;
    if (*from == 'r') *to++ = '\r';
    else if (*from == 'n') *to++ = '\n';
    else if (*from == 't') *to++ = '\t';
    else if (*from == 'x' && from[1] != '\0' && from[2] != '\0') {
      const char digits[3] = {from[1], from[2], '\0'};
      *to++ = (char)strtol(digits, NULL, 16);
      from += 2;
    } else if (*from != '\0') *to++ = *from;
    else break;
  }
  *to = '\0';
  return (size_t)(to - text);
}

static int take(int fd) {
  ssize_t length = read(fd, got, sizeof got);
  int error = errno;
  close(fd);
  errno = error;
  if (length < 0) return -1;
  got_length = (size_t)length;
  return 0;
}

static int try_read(char **field, int fields) {
  int fd = fields < 1 ? -1 : open(field[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  return fd < 0 ? -1 : take(fd);
}

static int try_write(char **field, int fields) {
  if (fields < 2) return errno = EINVAL, -1;
  int fd = open(field[0], O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  size_t length = decode(field[1]);
  ssize_t written = length == 0 ? 0 : write(fd, field[1], length);
  int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

static int talk(int fd, const struct sockaddr *address, socklen_t size, char *text, char *then) {
  if (connect(fd, address, size) < 0 && errno != EINPROGRESS) return -1;
  struct pollfd wait = {fd, POLLOUT, 0};
  if (poll(&wait, 1, patience) <= 0) return errno = ETIMEDOUT, -1;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return errno = error, -1;
  size_t bytes = decode(text);
  if (bytes > 0 && send(fd, text, bytes, MSG_NOSIGNAL) < 0) return -1;
  wait.events = POLLIN;
  if (poll(&wait, 1, patience) <= 0) return 0;
  ssize_t came = recv(fd, got, sizeof got, 0);
  if (came > 0 && then != NULL) { // after a proxy's answer, what is meant for behind it
    bytes = decode(then);
    if (send(fd, then, bytes, MSG_NOSIGNAL) < 0) return -1;
    ssize_t more = poll(&wait, 1, patience) <= 0 ? 0 : recv(fd, got + came, sizeof got - (size_t)came, 0);
    came += more > 0 ? more : 0;
  }
  if (came <= 0) return errno = came < 0 ? errno : ECONNRESET, -1;
  got_length = (size_t)came;
  return 0;
}

static int to_address(int type, char **field, int fields) {
  if (fields < 3) return errno = EINVAL, -1;
  struct sockaddr_in4_or_6 {
    union {
      struct sockaddr any;
      struct sockaddr_in four;
      struct sockaddr_in6 six;
    } u;
  } to;
  memset(&to, 0, sizeof to);
  in_port_t port = htons((uint16_t)atoi(field[1]));
  socklen_t size;
  if (inet_pton(AF_INET, field[0], &to.u.four.sin_addr) == 1) {
    to.u.four.sin_family = AF_INET;
    to.u.four.sin_port = port;
    size = sizeof to.u.four;
  } else if (inet_pton(AF_INET6, field[0], &to.u.six.sin6_addr) == 1) {
    to.u.six.sin6_family = AF_INET6;
    to.u.six.sin6_port = port;
    size = sizeof to.u.six;
  } else return errno = EADDRNOTAVAIL, -2;
  int fd = socket(to.u.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = talk(fd, &to.u.any, size, field[2], fields > 3 ? field[3] : NULL);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}
static int try_tcp(char **field, int fields) { return to_address(SOCK_STREAM, field, fields); }
static int try_udp(char **field, int fields) { return to_address(SOCK_DGRAM, field, fields); }

static int try_unix(char **field, int fields) {
  if (fields < 2 || strlen(field[0]) >= sizeof((struct sockaddr_un *)0)->sun_path) return errno = EINVAL, -1;
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(field[0]);
  memcpy(to.sun_path, field[0], length);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = talk(fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length), field[1], NULL);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static int try_env(char **field, int fields) {
  (void)field, (void)fields;
  int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -1 : take(fd);
}

// What the kernel is asked, harmless also where it would be done: bad arguments, or a child that ends at once.
static long child_with(unsigned long flags) {
  long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return pid;
}
static long device(mode_t kind, unsigned int major, unsigned int minor) {
  char name[64];
  snprintf(name, sizeof name, "/tmp/anchorhold-probe-%ld", (long)getpid());
  int result = mknod(name, kind | 0600, makedev(major, minor));
  int error = errno;
  if (result == 0) unlink(name);
  errno = error;
  return result;
}
// Sets what is set already.
static long same_name(void) {
  char name[256] = "";
  return gethostname(name, sizeof name - 1) < 0 ? -1 : sethostname(name, strlen(name));
}
static long same_card(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq card = {.ifr_name = "lo"};
  long result = fd < 0 || ioctl(fd, SIOCGIFMTU, &card) < 0 ? -1 : ioctl(fd, SIOCSIFMTU, &card);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}
static long route_to_no_card(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct rtentry route = {.rt_dst.sa_family = AF_INET, .rt_dev = (char[]){"nosuchcard"}};
  long result = fd < 0 ? -1 : ioctl(fd, SIOCADDRT, &route);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}
static long call(const char *name) {
  static const char none[] = "/nowhere-at-all";
  static const struct {
    const char *name;
    long number, argument[5];
  } table[] = {
      {"mount", SYS_mount, {(long)"x", (long)none, (long)"tmpfs", 0, 0}},
      {"umount", SYS_umount2, {(long)none, 2, 0, 0, 0}},
      {"pivot-root", SYS_pivot_root, {(long)none, (long)none, 0, 0, 0}},
      {"chroot", SYS_chroot, {(long)none, 0, 0, 0, 0}},
      {"move-mount", 429, {-1, (long)"", -1, (long)"", 0}},
      {"open-tree", 428, {-1, (long)"", 1, 0, 0}},
      {"fsopen", 430, {(long)none, 0, 0, 0, 0}},
      {"fspick", 433, {-1, (long)none, 0, 0, 0}},
      {"mount-setattr", 442, {-1, (long)none, 0, 0, 0}},
      {"setns", SYS_setns, {-1, 0, 0, 0, 0}},
      {"bpf", SYS_bpf, {0, 0, 0, 0, 0}},
      {"perf-event-open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
      {"userfaultfd", SYS_userfaultfd, {1L << 40, 0, 0, 0, 0}},
      {"io-uring-setup", 425, {1, 0, 0, 0, 0}},
      {"kexec-load", SYS_kexec_load, {0, 17, 0, 0, 0}},
      {"init-module", SYS_init_module, {0, 0, (long)"", 0, 0}},
      {"delete-module", SYS_delete_module, {(long)none, 0, 0, 0, 0}},
      {"quotactl", SYS_quotactl, {-1, 0, 0, 0, 0}},
      {"swapon", SYS_swapon, {(long)none, 0, 0, 0, 0}},
      {"reboot", SYS_reboot, {0, 0, 0, 0, 0}},
      {"syslog", SYS_syslog, {10, 0, 0, 0, 0}},
      {"fanotify", SYS_fanotify_init, {-1, 0, 0, 0, 0}},
      {"clock-settime", SYS_clock_settime, {0, 0, 0, 0, 0}},
      {"add-key", SYS_add_key, {0, 0, 0, 0, 0}},
      {"keyctl", SYS_keyctl, {-1, 0, 0, 0, 0}},
      {"request-key", SYS_request_key, {0, 0, 0, 0, 0}},
      {"ptrace", SYS_ptrace, {-1, 1, 0, 0, 0}},
      {"open-by-handle", SYS_open_by_handle_at, {-1, 0, 0, 0, 0}},
      {"type-into-terminal", SYS_ioctl, {0, 0x5412, 0, 0, 0}},
      {"paste-into-console", SYS_ioctl, {0, 0x541C, 0, 0, 0}},
      {"raise-process-priority", SYS_setpriority, {0, 0, -20, 0, 0}},
  };
  if (strcmp(name, "user-namespace") == 0) return child_with(CLONE_NEWUSER);
  if (strcmp(name, "network-namespace") == 0) return child_with(CLONE_NEWUSER | CLONE_NEWNET);
  if (strcmp(name, "fork") == 0) return child_with(0);
  if (strcmp(name, "character-device") == 0) return device(S_IFCHR, 1, 3);
  if (strcmp(name, "block-device") == 0) return device(S_IFBLK, 7, 0);
  if (strcmp(name, "raw-socket") == 0) return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (strcmp(name, "packet-socket") == 0) return socket(AF_PACKET, SOCK_RAW, 0);
  if (strcmp(name, "netlink-filter") == 0) return socket(AF_NETLINK, SOCK_RAW, 12);
  if (strcmp(name, "crypto-socket") == 0) return socket(AF_ALG, SOCK_SEQPACKET, 0);
  if (strcmp(name, "vsock") == 0) return socket(AF_VSOCK, SOCK_STREAM, 0);
  if (strcmp(name, "host-name") == 0) return same_name();
  if (strcmp(name, "network-card") == 0) return same_card();
  if (strcmp(name, "network-route") == 0) return route_to_no_card();
  if (strcmp(name, "core-limit") == 0) {
    struct rlimit limit = {4096, 4096};
    return setrlimit(RLIMIT_CORE, &limit);
  }
  for (size_t at = 0; at < sizeof table / sizeof *table; at++)
    if (strcmp(table[at].name, name) == 0) {
      const long *a = table[at].argument;
      return syscall(table[at].number, a[0], a[1], a[2], a[3], a[4]);
    }
  return errno = ENOTSUP, -2;
}
// Only the wall's own refusals count; any other answer means that the kernel took the request up.
static int try_call(char **field, int fields) {
  long result = fields < 1 ? -1 : call(field[0]);
  if (result == -2) return -2;
  if (result >= 0) return 0;
  if (errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EAFNOSUPPORT || errno == ENOSPC) return -1;
  got_length = (size_t)snprintf(got, sizeof got, "the kernel took it up: %s", strerrorname_np(errno));
  return 0;
}

static const struct {
  const char *name;
  attempt *make;
} verbs[] = {{"read", try_read}, {"write", try_write}, {"tcp", try_tcp}, {"udp", try_udp}, {"unix", try_unix}, {"env", try_env}, {"call", try_call}};

static void say(const char *probe, const char *number, int result) {
  char line[2 * most_bytes + 512];
  const char *outcome = result == 0 ? "done" : result == -2 ? "lacking" : "refused";
  if (result != 0) {
    const char *error = strerrorname_np(errno);
    got_length = strlen(error == NULL ? "?" : error);
    memcpy(got, error == NULL ? "?" : error, got_length);
  }
  int at = snprintf(line, 500, "%s\t%s\t%s\tstatic\t%s\t", nonce, probe, number, outcome);
  if (at >= 500) return;
  for (size_t byte = 0; byte < got_length; byte++) at += sprintf(line + at, "%02x", (unsigned char)got[byte]);
  line[at++] = '\n';
  if (write(1, line, (size_t)at) != at) _exit(1);
}

int main(int count, char **argument) {
  FILE *list = count < 3 ? NULL : fopen(argument[1], "re");
  if (list == NULL) return 2;
  nonce = argument[2];
  signal(SIGPIPE, SIG_IGN);
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, list)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    char *field[most_fields + 3], *rest = line;
    int fields = 0;
    while (fields < most_fields + 3 && (field[fields] = strsep(&rest, "\t")) != NULL) fields++;
    if (fields < 3) continue;
    int result = -2;
    errno = ENOTSUP;
    got_length = 0;
    for (size_t at = 0; at < sizeof verbs / sizeof *verbs; at++)
      if (strcmp(verbs[at].name, field[2]) == 0) result = verbs[at].make(field + 3, fields - 3);
    say(field[0], field[1], result);
  }
  return 0;
}
