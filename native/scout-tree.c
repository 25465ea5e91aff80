// The folders known so far, as one growing array; names in one arena. Opens a folder by its parts, never through a link.
#include "scout.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void *grow(void *memory, size_t size) {
  void *bigger = realloc(memory, size == 0 ? 1 : size);
  if (bigger == NULL) die("out of memory");
  return bigger;
}

int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint32_t add_name(struct scout *s, const char *name) {
  size_t size = strlen(name) + 1;
  if (s->names_used + size > UINT32_MAX - 1) die("too many names");
  if (s->names_used + size > s->names_room) {
    s->names_room = (s->names_used + size) * 2 + 65536;
    s->names = grow(s->names, s->names_room);
  }
  memcpy(s->names + s->names_used, name, size);
  s->names_used += size;
  return (uint32_t)(s->names_used - size);
}

uint32_t add_node(struct scout *s, uint32_t parent, const char *name) {
  uint32_t index;
  uint32_t text = add_name(s, name);
  if (s->free_node != NONE) {
    index = s->free_node;
    s->free_node = s->nodes[index].next;
  } else {
    if (s->node_count == s->node_room) {
      s->node_room = s->node_room * 2 + 1024;
      s->nodes = grow(s->nodes, s->node_room * sizeof *s->nodes);
    }
    index = s->node_count++;
  }
  struct node *n = &s->nodes[index];
  *n = (struct node){.parent = parent, .name = text, .child = NONE, .next = NONE, .states = NONE, .match = NONE, .wd = -1};
  if (parent != NONE) {
    struct node *p = &s->nodes[parent];
    n->root = p->root;
    n->next = p->child;
    p->child = index;
    n->flags = p->flags & IN_DEPENDENCY;
  }
  return index;
}

void drop_matches(struct scout *s, uint32_t node) {
  while (s->nodes[node].match != NONE) {
    uint32_t match = s->nodes[node].match;
    s->nodes[node].match = s->matches[match].next;
    s->matches[match].next = s->free_match;
    s->free_match = match;
  }
  s->nodes[node].matches = 0;
}

static void release(struct scout *s, uint32_t node) {
  struct node *n = &s->nodes[node];
  drop_matches(s, node);
  if (n->wd >= 0 && (uint32_t)n->wd < s->by_wd_room && s->by_wd[n->wd] == node) s->by_wd[n->wd] = NONE;
  n->flags = FREED;
  n->next = s->free_node;
  s->free_node = node;
}

/// Iterative: trees may be thousands of levels deep.
void drop_children(struct scout *s, uint32_t node) {
  uint32_t at = node;
  for (;;) {
    uint32_t child = s->nodes[at].child;
    if (child != NONE) { at = child; continue; }
    if (at == node) return;
    uint32_t parent = s->nodes[at].parent;
    s->nodes[parent].child = s->nodes[at].next; // `at` is always the first child here
    release(s, at);
    at = parent;
  }
}

void drop_node(struct scout *s, uint32_t node) {
  drop_children(s, node);
  uint32_t parent = s->nodes[node].parent;
  if (parent == NONE) { drop_matches(s, node); return; }
  uint32_t *link = &s->nodes[parent].child;
  while (*link != NONE && *link != node) link = &s->nodes[*link].next;
  if (*link == node) *link = s->nodes[node].next;
  release(s, node);
}

uint32_t find_child(struct scout *s, uint32_t node, const char *name) {
  for (uint32_t at = s->nodes[node].child; at != NONE; at = s->nodes[at].next)
    if (strcmp(s->names + s->nodes[at].name, name) == 0) return at;
  return NONE;
}

/// Path relative to the root, "." for the root itself; `leaf` is appended. The caller frees it.
char *node_path(struct scout *s, uint32_t node, const char *leaf) {
  size_t size = leaf != NULL ? strlen(leaf) + 1 : 0;
  for (uint32_t at = node; s->nodes[at].parent != NONE; at = s->nodes[at].parent) size += strlen(s->names + s->nodes[at].name) + 1;
  if (size == 0) { char *dot = strdup("."); if (dot == NULL) die("out of memory"); return dot; }
  char *path = malloc(size);
  if (path == NULL) die("out of memory");
  char *end = path + size;
  *--end = 0;
  if (leaf != NULL) { end -= strlen(leaf); memcpy(end, leaf, strlen(leaf)); }
  for (uint32_t at = node; s->nodes[at].parent != NONE; at = s->nodes[at].parent) {
    const char *name = s->names + s->nodes[at].name;
    if (*end != 0) *--end = '/';
    end -= strlen(name);
    memcpy(end, name, strlen(name));
  }
  if (end != path) memmove(path, end, strlen(end) + 1);
  return path;
}

/// Opens a path below a folder: no link in any part, no way out. Long paths are opened piece by piece.
int open_below(int root, const char *path, int flags) {
  int at = root;
  char piece[3072];
  while (strlen(path) >= sizeof piece) {
    size_t cut = sizeof piece - 1;
    while (cut > 0 && path[cut] != '/') cut--;
    memcpy(piece, path, cut);
    piece[cut] = 0;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int next = (int)syscall(SYS_openat2, at, piece, &how, sizeof how);
    if (at != root) close(at);
    if (next < 0) return -1;
    at = next;
    path += cut + 1;
  }
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  int fd;
  do fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
  while (fd < 0 && errno == EAGAIN); // a rename elsewhere raced with the check of ".." (openat2(2))
  int saved = errno;
  if (at != root) close(at);
  errno = saved;
  return fd;
}

/// A root by its path: the folder that was there at the start, wherever it lies now; another one only without a link in its path.
int open_root(const struct scout *s, const char *path) {
  for (uint32_t i = 0; i < s->root_count; i++)
    if (strcmp(s->roots[i].path, path) == 0) return fcntl(s->roots[i].fd, F_DUPFD_CLOEXEC, 3);
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int open_node(struct scout *s, uint32_t node) {
  char *path = node_path(s, node, NULL);
  int fd = open_below(s->roots[s->nodes[node].root].fd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW);
  int saved = errno;
  free(path);
  errno = saved;
  return fd;
}
