// Reads what Node wants of this run: NUL-separated fields, one record after the other, up to `start`. See launch.ts.
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char room[65536];
static size_t room_at, room_end;
static pid_t waiting; // the process that would become the engine

// Nothing is to be started after all. The guard takes its child with it, and only then are the control groups empty.
static noreturn void give_up(void) {
  if (waiting > 0 && kill(waiting, SIGUSR1) == 0)
    while (waitpid(waiting, NULL, 0) < 0 && errno == EINTR) continue;
  _exit(125);
}

static void read_bytes(char *into, size_t length) {
  while (length) {
    if (room_at == room_end) {
      ssize_t got = read(COMMAND_FD, room, sizeof room);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) give_up();
      room_at = 0;
      room_end = (size_t)got;
    }
    size_t part = room_end - room_at < length ? room_end - room_at : length;
    memcpy(into, room + room_at, part);
    room_at += part;
    into += part;
    length -= part;
  }
}

static char *read_field(void) {
  struct bytes field = {0};
  char byte;
  bytes_add(&field, "", 0);
  for (read_bytes(&byte, 1); byte; read_bytes(&byte, 1)) bytes_add(&field, &byte, 1);
  return field.data;
}

static unsigned long long read_number(void) {
  char *text = read_field(), *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || *text < '0' || *text > '9' || *end) fail("not a number: %s", text);
  free(text);
  return value;
}

static void *grow(void *list, size_t count, size_t size) {
  // Doubles at powers of two.
  if (count & (count - 1)) return list;
  list = realloc(list, (count ? count * 2 : 1) * size);
  if (!list) _exit(125);
  return list;
}

static void read_input(struct plan *plan) {
  unsigned long long target = read_number(), length = read_number();
  if (target <= ENTER_FD || target > MAX_TARGET || length > (64u << 20)) fail("input out of range");
  int fd = memfd_create("anchorhold", MFD_CLOEXEC);
  if (fd < 0) fail_errno("memfd_create");
  char part[4096];
  while (length) {
    size_t now = length < sizeof part ? (size_t)length : sizeof part;
    read_bytes(part, now);
    if (write_all(fd, part, now) < 0) fail_errno("memfd");
    length -= now;
  }
  if (lseek(fd, 0, SEEK_SET) < 0) fail_errno("memfd");
  plan->inputs = grow(plan->inputs, plan->input_count, sizeof *plan->inputs);
  plan->inputs[plan->input_count++] = (struct input){.target = (int)target, .fd = fd};
}

static void read_cgroup(struct plan *plan) {
  char *path = read_field();
  // By now the engine's process has joined those it was told of: the plan may name no other.
  for (size_t i = 0; waiting && i < plan->cgroup_count; i++)
    if (strcmp(plan->cgroups[i].path, path) == 0) return free(path);
  if (waiting) fail("%s was not joined", path);
  // Opened now: the right to move a process is that of who opened the file.
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail("%s: %s", path, strerror(errno));
  plan->cgroups = grow(plan->cgroups, plan->cgroup_count, sizeof *plan->cgroups);
  plan->cgroups[plan->cgroup_count++] = (struct group){.path = path, .fd = fd};
}

static void read_listener(struct plan *plan) {
  char *kind = read_field(), *address = read_field();
  struct listener listener = {.kind = kind[0], .address = address, .port = (int)read_number(), .fd = -1};
  free(kind);
  plan->listeners = grow(plan->listeners, plan->listener_count, sizeof *plan->listeners);
  plan->listeners[plan->listener_count++] = listener;
}

static void read_cover(struct plan *plan) {
  char *kind = read_field();
  struct cover cover = {.kind = kind[0]};
  free(kind);
  cover.path = read_field();
  cover.target = read_field();
  plan->covers = grow(plan->covers, plan->cover_count, sizeof *plan->covers);
  plan->covers[plan->cover_count++] = cover;
}

static void add_word(struct plan *plan) {
  char *text = read_field();
  bytes_add(&plan->words, text, strlen(text) + 1);
  free(text);
}

static void read_word(struct plan *plan) {
  if (plan->view_count) fail("an argument after a view");
  add_word(plan);
  plan->word_count++;
}

static void read_view(struct plan *plan) {
  for (int i = 0; i < VIEW_WORDS; i++) add_word(plan);
  plan->view_count++;
}

static void read_check(struct plan *plan) {
  char *text = read_field();
  bytes_add(&plan->checks, text, strlen(text) + 1);
  free(text);
}

void plan_read(struct plan *plan, const char *last, pid_t engine) {
  waiting = engine;
  for (;;) {
    char *word = read_field();
    if (strcmp(word, last) == 0) return free(word);
    if (strcmp(word, "input") == 0) read_input(plan);
    else if (strcmp(word, "argument") == 0) read_word(plan);
    else if (strcmp(word, "cgroup") == 0) read_cgroup(plan);
    else if (strcmp(word, "listener") == 0) read_listener(plan);
    else if (strcmp(word, "cover") == 0) read_cover(plan);
    else if (strcmp(word, "view") == 0) read_view(plan);
    else if (strcmp(word, "check") == 0) read_check(plan);
    else if (strcmp(word, "open-files") == 0) plan->open_files = read_number();
    else if (strcmp(word, "file-size") == 0) plan->file_size = read_number();
    else if (strcmp(word, "processes") == 0) plan->processes = read_number();
    else if (strcmp(word, "memory") == 0) plan->memory = read_number();
    else if (strcmp(word, "time") == 0) plan->time = read_number();
    else if (strcmp(word, "cpus") == 0) plan->cpus = (unsigned)read_number();
    else if (strcmp(word, "terminal") == 0) plan->terminal = (int)read_number();
    else fail("unknown record: %s", word);
    free(word);
  }
}
