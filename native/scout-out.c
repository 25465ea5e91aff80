// What the scout says: NUL-separated records on standard output, in large pieces.
#include "scout.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536]; // one process, one stream: the only state outside struct scout
static size_t used;

void out_flush(void) {
  for (size_t at = 0; at < used;) {
    ssize_t n = write(1, buffer + at, used - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) exit(1); // whoever asked is gone
    at += (size_t)n;
  }
  used = 0;
}

void out_bytes(const void *bytes, size_t size) {
  const char *at = bytes;
  while (size > 0) {
    if (used == sizeof buffer) out_flush();
    size_t part = sizeof buffer - used < size ? sizeof buffer - used : size;
    memcpy(buffer + used, at, part);
    used += part;
    at += part;
    size -= part;
  }
}

void out_record(const char *text) {
  out_bytes(text, strlen(text) + 1);
}

_Noreturn void die(const char *what) {
  char text[512];
  snprintf(text, sizeof text, "E%s%s%s", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
  out_record(text);
  out_flush();
  exit(2);
}
