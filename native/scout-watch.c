// After the first answer the scout stays: inotify on every folder, set before the folder is read, so that nothing falls in between.
// Says A (appeared or changed), V (vanished), O (events were lost, everything was compared again), L (the kernel's limit of watches).
#include "scout.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/// Reads one folder again, and what is new below it.
static void refresh(struct scout *s, uint32_t node) {
  reread(s, node);
  for (uint32_t c = s->nodes[node].child; c != NONE; c = s->nodes[c].next) if ((s->nodes[c].flags & SEEN) == 0) walk(s, c);
}

#define SLICE 256       // folders between two looks at commands and events
#define WATCH_DELAY 60  // ms; a command that ends sooner needs no watch: the last look finds what it planted

/// Sets the watches of the next folders that have none, then compares: what changed before its watch was there is read again.
/// False once every folder has one.
static bool watch_some(struct scout *s, uint32_t *next) {
  for (uint32_t done = 0; *next < s->node_count; (*next)++) {
    uint32_t at = *next;
    struct node *n = &s->nodes[at];
    if (s->watch_failed) return false;
    if ((n->flags & (FREED | SEEN)) != SEEN || n->wd >= 0) continue;
    if (++done > SLICE) return true;
    char *path = node_path(s, at, NULL);
    struct statx x;
    bool same = false;
    if (strlen(path) < 4000 && fchdir(s->roots[n->root].fd) == 0) {
      // A link swapped in meanwhile would only make the watch one of another folder; the comparison finds the difference.
      add_watch(s, at, path);
      same = statx(s->roots[n->root].fd, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_INO | STATX_CTIME | STATX_TYPE, &x) == 0 && S_ISDIR(x.stx_mode)
        && x.stx_ino == n->ino && x.stx_ctime.tv_sec * 1000000000 + x.stx_ctime.tv_nsec == n->ctime && n->ctime != 0 && n->wd >= 0;
    }
    free(path);
    if (!same) refresh(s, at);
  }
  return false;
}

static uint32_t known_match(struct scout *s, uint32_t node, const char *name, bool forget, bool say) {
  uint32_t seen = 0, *link = &s->nodes[node].match;
  while (*link != NONE) {
    struct match *m = &s->matches[*link];
    if (strcmp(s->names + m->name, name) != 0) { link = &m->next; continue; }
    seen++;
    if (say) print_match(s, 'V', node, m);
    if (!forget) { link = &m->next; continue; }
    uint32_t gone = *link;
    *link = m->next;
    s->matches[gone].next = s->free_match;
    s->free_match = gone;
    s->nodes[node].matches--;
  }
  return seen;
}

static bool shapes_a_repository(const char *folded) {
  static const char *const names[] = {"head", "objects", "refs", "commondir", ".git", NULL};
  for (int i = 0; names[i] != NULL; i++) if (strcmp(folded, names[i]) == 0) return true;
  return false;
}

static bool may_match(struct scout *s, uint32_t node, const char *folded) {
  uint32_t ids[MAX_IDS], count = 0;
  if (s->nodes[node].kind != PLAIN) return true;
  step(s, node, folded, 'l', false, ids, &count);
  return count > 0;
}

/// The folder that appeared was found and read with its watch set before its event came. Without this look a deep tree that is made quickly
/// would be read again at each of its levels.
static bool is_watched_already(struct scout *s, uint32_t node, uint32_t child) {
  struct node *c = &s->nodes[child];
  struct stat info;
  if ((c->flags & SEEN) == 0 || c->wd < 0 || s->by_wd[c->wd] != child) return false;
  int fd = open_node(s, node);
  if (fd < 0) return false;
  bool same = fstatat(fd, s->names + c->name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) && info.st_ino == c->ino && info.st_dev == c->dev;
  close(fd);
  return same;
}

static void appeared(struct scout *s, uint32_t node, const char *name, bool folder) {
  char folded[NAME_BYTES];
  fold_name(name, folded);
  uint32_t old = find_child(s, node, name);
  if (folder && old != NONE && !shapes_a_repository(folded) && is_watched_already(s, node, old)) return;
  if (old != NONE) drop_node(s, old);
  if (s->nodes[node].kind == PLAIN && shapes_a_repository(folded)) {
    refresh(s, node);
    return;
  }
  if (!folder && !may_match(s, node, folded)) return;
  known_match(s, node, name, true, false);
  int fd = open_node(s, node);
  struct stat info;
  if (fd < 0 && errno == EACCES) { // without the right to list it, a name in it can still be looked up
    char *path = node_path(s, node, NULL);
    fd = open_below(s->roots[s->nodes[node].root].fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    free(path);
  }
  if (fd < 0) return;
  if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
    uint32_t before = s->nodes[node].child;
    evaluate_name(s, node, fd, name, type_letter(info.st_mode), info.st_ino);
    close(fd);
    if (s->nodes[node].child != before) walk(s, s->nodes[node].child);
  } else close(fd); // gone again: its own event follows
}

static void handle(struct scout *s, const struct inotify_event *e) {
  if ((e->mask & IN_Q_OVERFLOW) != 0) {
    out_record("O");
    for (uint32_t i = 0; i < s->root_count; i++) revalidate(s, i);
    for (uint32_t next = 0; watch_some(s, &next);) continue;
    return;
  }
  if (e->wd < 0 || (uint32_t)e->wd >= s->by_wd_room) return;
  uint32_t node = s->by_wd[e->wd];
  if (node == NONE) return;
  if ((e->mask & IN_IGNORED) != 0) { s->by_wd[e->wd] = NONE; s->nodes[node].wd = -1; return; }
  if (e->len == 0) return;
  s->roots[s->nodes[node].root].changed = true;
  if ((e->mask & (IN_CREATE | IN_MOVED_TO)) != 0) appeared(s, node, e->name, (e->mask & IN_ISDIR) != 0);
  else if ((e->mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
    uint32_t child = find_child(s, node, e->name);
    if (child != NONE) drop_node(s, child);
    known_match(s, node, e->name, true, true);
  } else if ((e->mask & (IN_CLOSE_WRITE | IN_MODIFY)) != 0 && known_match(s, node, e->name, false, false) > 0) appeared(s, node, e->name, false);
}

static void drain(struct scout *s) {
  static char buffer[65536] __attribute__((aligned(8)));
  for (;;) {
    ssize_t size = s->inotify < 0 ? 0 : read(s->inotify, buffer, sizeof buffer);
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      const struct inotify_event *e = (const void *)(buffer + at);
      at += (ssize_t)(sizeof *e + e->len);
      handle(s, e);
    }
    out_flush();
  }
}

#define DEEP_LOGS 50 // git-dirs up to which every log is looked at; with more of them the one that each commit writes

static void print_link(struct scout *s, uint32_t node, const char *rel, uint64_t ino) {
  char head[120];
  char *path = node_path(s, node, rel);
  snprintf(head, sizeof head, "M%u,l,%u,%llu,0,0", (unsigned)GIT_INNER_LINK, s->nodes[node].root, (unsigned long long)ino);
  out_record(head);
  out_record(path);
  free(path);
}

/// Reflogs that are links: found at the end only, since a folder's logs are as many as its branches.
static void look_at_log(struct scout *s, uint32_t node, const char *rel, int depth) {
  char *path = node_path(s, node, rel);
  int fd = depth > 40 ? -1 : open_below(s->roots[s->nodes[node].root].fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  free(path);
  DIR *entries = fd < 0 ? NULL : fdopendir(fd);
  if (entries == NULL) { if (fd >= 0) close(fd); return; }
  for (struct dirent *e; (e = readdir(entries)) != NULL;) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strlen(rel) + strlen(e->d_name) > 3000) continue;
    if (e->d_type != DT_DIR && e->d_type != DT_LNK) continue;
    char below[3300];
    snprintf(below, sizeof below, "%s/%s", rel, e->d_name);
    if (e->d_type == DT_DIR) look_at_log(s, node, below, depth + 1);
    else print_link(s, node, below, e->d_ino);
  }
  closedir(entries);
}

static void look_at_logs(struct scout *s) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < s->node_count; i++) count += (s->nodes[i].flags & FREED) == 0 && s->nodes[i].kind == GITDIR;
  for (uint32_t i = 0; i < s->node_count; i++) {
    struct node *n = &s->nodes[i];
    struct stat info;
    if ((n->flags & FREED) != 0 || n->kind != GITDIR) continue;
    if (count <= DEEP_LOGS) { look_at_log(s, i, "logs", 0); continue; }
    char *path = node_path(s, i, "logs/HEAD");
    if (strlen(path) < 4000 && fstatat(s->roots[n->root].fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode)) print_link(s, i, "logs/HEAD", info.st_ino);
    free(path);
  }
}

static void sweep(struct scout *s) {
  drain(s);
  s->unlock = s->sweep = true;
  s->report = 'M';
  for (uint32_t i = 0; i < s->root_count; i++) revalidate(s, i);
  look_at_logs(s);
  out_record("D");
  out_flush();
  for (uint32_t i = 0; i < s->root_count; i++) save_index(s, i);
  s->report = 'A';
  s->sweep = s->unlock = false;
}

static void command(struct scout *s, char **field, int count) {
  char message[512], head[64];
  if (field[0][0] == 's') { sweep(s); return; }
  if (count != 6) die("a command that is not understood");
  int top = open_root(s, field[0][0] == 'm' ? field[2] : field[4]);
  bool ok = (field[0][0] == 'm' ? move_below(top, field[3], field[4], field[5], message, sizeof message)
                                : restore_below(field[2], field[3], top, field[5], message, sizeof message)) == 0;
  if (top >= 0) close(top);
  snprintf(head, sizeof head, "R%s,", field[1]);
  out_bytes(head, strlen(head));
  out_record(ok ? "" : message);
  out_flush();
}

/// Commands on standard input, NUL-separated: `s` | `m` seq root path folder name | `r` seq folder name root path. The end of the input ends the scout.
int watch_loop(struct scout *s) {
  char *text = NULL;
  size_t used = 0;
  uint32_t next = 0;
  s->report = 'A';
  bool pending = s->watching;
  for (uint32_t i = 0; i < s->root_count; i++) save_index(s, i);
  for (;;) {
    struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = s->inotify, .events = POLLIN}};
    int ready = poll(fds, s->inotify < 0 ? 1 : 2, !pending ? -1 : s->inotify < 0 ? WATCH_DELAY : 0);
    if (ready < 0) { if (errno == EINTR) continue; die("poll"); }
    if (ready == 0 && pending) {
      if (s->inotify < 0 && (s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) < 0) s->watch_failed = true;
      pending = watch_some(s, &next);
      if (!pending) out_record(s->watch_failed ? "L" : "W");
      out_flush();
      continue;
    }
    if (s->inotify >= 0 && fds[1].revents != 0) drain(s);
    if (fds[0].revents == 0) continue;
    text = grow(text, used + 65536);
    ssize_t size = read(0, text + used, 65536);
    if (size <= 0) return 0;
    used += (size_t)size;
    for (;;) {
      char *field[6];
      int wanted = used > 0 && text[0] == 's' ? 1 : 6, count = 0;
      size_t at = 0;
      while (count < wanted && at < used) {
        char *end = memchr(text + at, 0, used - at);
        if (end == NULL) break;
        field[count++] = text + at;
        at = (size_t)(end - text) + 1;
      }
      if (count < wanted) break;
      command(s, field, count);
      memmove(text, text + at, used - at);
      used -= at;
    }
  }
}
