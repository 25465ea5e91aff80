// anchorhold-scout: reads its orders from standard input (NUL-separated, an empty one ends them), scans, answers, and may stay as a watch.
// Orders: p<pattern> | r<root path> | i<index file of the last root> | w (stay and watch) | c (stay for commands only).
#include "scout.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <signal.h>
#include <unistd.h>

static void add_root(struct scout *s, const char *path) {
  s->roots = grow(s->roots, (s->root_count + 1) * sizeof *s->roots);
  struct root *r = &s->roots[s->root_count];
  struct stat info;
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  *r = (struct root){.path = strdup(path), .fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how)};
  if (r->path == NULL) die("out of memory");
  if (r->fd < 0 || fstat(r->fd, &info) < 0) die(path);
  r->dev = info.st_dev;
  r->ino = info.st_ino;
  s->root_count++;
}

static char read_orders(struct scout *s) {
  size_t used = 0, room = 65536;
  char *text = grow(NULL, room), mode = 0;
  for (;;) { // one byte after the other would be slow; more than the orders never comes before the first answer
    if (used == room) text = grow(text, room *= 2);
    ssize_t size = read(0, text + used, room - used);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    used += (size_t)size;
    if (used >= 2 && text[used - 1] == 0 && text[used - 2] == 0) break;
  }
  errno = 0;
  for (size_t at = 0; at < used && text[at] != 0; at += strlen(text + at) + 1) {
    const char *order = text + at + 1;
    switch (text[at]) {
      case 'p': add_pattern(s, order); break;
      case 'r': add_root(s, order); break;
      case 'i': if (s->root_count > 0) s->roots[s->root_count - 1].index = strdup(order); break;
      case 'w': case 'c': mode = text[at]; break;
      default: die("an order that is not understood");
    }
  }
  free(text);
  return mode;
}

int main(void) {
  struct scout s = {.free_node = NONE, .free_match = NONE, .inotify = -1, .table_hash = 14695981039346656037u};
  prctl(PR_SET_PDEATHSIG, SIGKILL); // dies with anchorhold, whatever kills it
  char mode = read_orders(&s);
  finish_patterns(&s);
  s.states = grow(NULL, 64 * sizeof *s.states);
  s.states_room = 64;
  s.states[s.states_used++] = 0; // offset 0: the empty set
  s.report = 'M';
  for (uint32_t i = 0; i < s.root_count; i++) {
    struct root *r = &s.roots[i];
    r->node = add_node(&s, NONE, "");
    s.nodes[r->node].root = (uint16_t)i;
    s.nodes[r->node].flags |= IS_ROOT;
    if (load_index(&s, i)) revalidate(&s, i);
    else { walk(&s, r->node); r->changed = true; }
  }
  char line[128];
  snprintf(line, sizeof line, "D%llu,%llu", (unsigned long long)s.folders_read, (unsigned long long)s.folders_known);
  out_record(line);
  out_flush();
  s.watching = mode == 'w';
  if (mode != 0) {
    int code = watch_loop(&s);
    close(STDOUT_FILENO); // done: the end itself takes the kernel a while, for the watches
    return code;
  }
  for (uint32_t i = 0; i < s.root_count; i++) save_index(&s, i);
  return 0;
}
