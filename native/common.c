// Bytes, JSON and the IPC channel to Node. Used by every file of anchorhold-cell.
#include "common.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

void *must_alloc(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) _exit(125);
  return memory;
}

void bytes_add(struct bytes *into, const void *data, size_t length) {
  if (into->length + length + 1 > into->size) {
    into->size = (into->length + length + 1) * 2;
    into->data = realloc(into->data, into->size);
    if (!into->data) _exit(125);
  }
  if (length) memcpy(into->data + into->length, data, length);
  into->length += length;
  into->data[into->length] = 0;
}

void bytes_text(struct bytes *into, const char *text) { bytes_add(into, text, strlen(text)); }

static void bytes_vformat(struct bytes *into, const char *format, va_list args) {
  char *text;
  int length = vasprintf(&text, format, args);
  if (length < 0) _exit(125);
  bytes_add(into, text, (size_t)length);
  free(text);
}

void bytes_format(struct bytes *into, const char *format, ...) {
  va_list args;
  va_start(args, format);
  bytes_vformat(into, format, args);
  va_end(args);
}

void bytes_json(struct bytes *into, const char *text) {
  bytes_text(into, "\"");
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (*at < 0x20 || *at > 0x7e || *at == '"' || *at == '\\') bytes_format(into, "\\u%04x", *at);
    else bytes_add(into, at, 1);
  }
  bytes_text(into, "\"");
}

void bytes_free(struct bytes *bytes) {
  free(bytes->data);
  *bytes = (struct bytes){0};
}

int write_all(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length) {
    ssize_t wrote = write(fd, at, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return -1;
    at += wrote;
    length -= (size_t)wrote;
  }
  return 0;
}

int ipc_send(const char *line, size_t length, int fd) {
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  while (length) {
    struct iovec vector = {.iov_base = (void *)line, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (fd >= 0) {
      message.msg_control = control.room;
      message.msg_controllen = sizeof control.room;
      struct cmsghdr *header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t sent = sendmsg(IPC_FD, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1; // Node is gone: the parent-death signal is on its way
    fd = -1;
    line += sent;
    length -= (size_t)sent;
  }
  return 0;
}

int ipc_event(const char *format, ...) {
  struct bytes line = {0};
  va_list args;
  va_start(args, format);
  bytes_vformat(&line, format, args);
  va_end(args);
  bytes_text(&line, "\n");
  int sent = ipc_send(line.data, line.length, -1);
  bytes_free(&line);
  return sent;
}

noreturn void fail(const char *format, ...) {
  struct bytes text = {0}, json = {0};
  va_list args;
  va_start(args, format);
  bytes_vformat(&text, format, args);
  va_end(args);
  bytes_json(&json, text.data);
  if (ipc_event("{\"kind\":\"failed\",\"message\":%s}", json.data) < 0) dprintf(STDERR_FILENO, "anchorhold: %s\n", text.data);
  // Whatever runs in the cell dies with this process: bubblewrap was started with --die-with-parent.
  _exit(125);
}

noreturn void fail_errno(const char *what) { fail("%s: %s", what, strerror(errno)); }

int watch_children(void) {
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
