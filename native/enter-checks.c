// The self-tests of a new cell (attacks.md CFG-26 class): each must fail or succeed as the plan says, controls included.
#include "enter.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char text[1024];

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return text;
}

static const char *unreadable(const char *path) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return NULL;
  close(fd);
  return wrong("%s of the host can be read inside", path);
}

static const char *readable(const char *path) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return wrong("%s can't be read inside: %s", path, strerror(errno));
  close(fd);
  return NULL;
}

static const char *unwritable(const char *folder) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s/.anchorhold-check-%d", folder, getpid()) >= (int)sizeof path) return wrong("path too long: %s", folder);
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  close(fd);
  (void)unlink(path);
  return wrong("%s can be written inside", folder);
}

// `identity`: device and inode of the host's own folder. A view of it is another.
static const char *apart(const char *path, const char *identity) {
  struct stat facts;
  char text[64];
  if (stat(path, &facts) < 0) return wrong("%s can't be looked at inside: %s", path, strerror(errno));
  snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)facts.st_dev, (unsigned long long)facts.st_ino);
  return strcmp(text, identity) == 0 ? wrong("%s is the host's own folder, not a view of it", path) : NULL;
}

static int address_of(const char *address, const char *port, struct sockaddr_storage *storage, socklen_t *length) {
  struct sockaddr_in *four = (struct sockaddr_in *)storage;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
  memset(storage, 0, sizeof *storage);
  unsigned short number = htons((unsigned short)atoi(port));
  if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = number;
    *length = sizeof *four;
    return 0;
  }
  if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1) return -1;
  six->sin6_family = AF_INET6;
  six->sin6_port = number;
  *length = sizeof *six;
  return 0;
}

static const char *unreachable(const char *address, const char *port) {
  struct sockaddr_storage storage;
  socklen_t length;
  if (address_of(address, port, &storage, &length) < 0) return wrong("not an address: %s", address);
  int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return NULL;
  // Every address is loopback in here: an answer, yes or no, comes at once.
  struct timeval patience = {.tv_sec = 2};
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  int result = connect(fd, (struct sockaddr *)&storage, length);
  close(fd);
  return result < 0 ? NULL : wrong("%s port %s of the host can be reached inside", address, port);
}

static const char *no_abstract_socket(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length == 0 || length > sizeof address.sun_path - 1) return wrong("bad abstract socket name");
  memcpy(address.sun_path + 1, name, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return NULL;
  int result = connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
  close(fd);
  return result < 0 ? NULL : wrong("the host's abstract socket @%s can be reached inside", name);
}

static const char *status_is(const char *status, const char *key, const char *expected) {
  const char *at = strstr(status, key);
  if (!at) return wrong("no %s in /proc/self/status", key);
  at += strlen(key);
  at += strspn(at, " \t");
  size_t length = strcspn(at, "\n");
  if (length == strlen(expected) && memcmp(at, expected, length) == 0) return NULL;
  return wrong("%s is %.*s, not %s", key + 1, (int)length, at, expected);
}

static const char *unprivileged(void) {
  static char status[8192];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
  if (got <= 0) return wrong("/proc/self/status can't be read: %s", strerror(errno));
  close(fd);
  static const char *const facts[][2] = {
      {"\nCapInh:", "0000000000000000"}, {"\nCapPrm:", "0000000000000000"}, {"\nCapEff:", "0000000000000000"}, {"\nCapBnd:", "0000000000000000"},
      {"\nCapAmb:", "0000000000000000"}, {"\nNoNewPrivs:", "1"},            {"\nSeccomp:", "2"},
  };
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    const char *result = status_is(status, facts[i][0], facts[i][1]);
    if (result) return result;
  }
  if (unshare(CLONE_NEWUSER) == 0) return wrong("a user namespace can be made inside");
  DIR *proc = opendir("/proc");
  if (!proc) return wrong("/proc can't be read: %s", strerror(errno));
  int processes = 0;
  for (struct dirent *entry; (entry = readdir(proc));) processes += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
  closedir(proc);
  return processes == 2 ? NULL : wrong("%d processes are visible inside, not 2", processes);
}

// A question for the root's name servers, as small as one can be: any answer will do (RFC 1035 section 4.1).
static const char *resolver(const char *address) {
  static const unsigned char question[] = {0x5a, 0xa5, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};
  struct sockaddr_storage storage;
  socklen_t length;
  if (address_of(address, "53", &storage, &length) < 0) return wrong("not an address: %s", address);
  int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return wrong("no UDP socket inside: %s", strerror(errno));
  const char *result = wrong("the gateway's resolver at %s does not answer", address);
  unsigned char answer[512];
  for (int tries = 0; tries < 3; tries++) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (sendto(fd, question, sizeof question, 0, (struct sockaddr *)&storage, length) < 0) continue;
    if (poll(&ready, 1, 2000) != 1 || recv(fd, answer, sizeof answer, 0) < 12) continue;
    if (answer[0] != question[0] || answer[1] != question[1]) continue;
    result = NULL;
    break;
  }
  close(fd);
  return result;
}

const char *check_one(const char *kind, const char *subject, const char *detail) {
  if (strcmp(kind, "unreadable") == 0) return unreadable(subject);
  if (strcmp(kind, "readable") == 0) return readable(subject);
  if (strcmp(kind, "unwritable") == 0) return unwritable(subject);
  if (strcmp(kind, "apart") == 0) return apart(subject, detail);
  if (strcmp(kind, "unreachable") == 0) return unreachable(subject, detail);
  if (strcmp(kind, "no-abstract-socket") == 0) return no_abstract_socket(subject);
  if (strcmp(kind, "unprivileged") == 0) return unprivileged();
  if (strcmp(kind, "resolver") == 0) return resolver(subject);
  return wrong("unknown check: %s", kind);
}
