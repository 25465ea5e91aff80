// Reads folders: judges each name, recognises git-dirs by shape, queues what lies below. Iterative; the watch is set before the reading.
#include "scout.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { uint64_t ino; char type; uint32_t name; };
struct listing { struct entry *entries; uint32_t count, room; char *names; size_t used, names_room; };

char type_letter(mode_t mode) {
  if (S_ISDIR(mode)) return 'd';
  if (S_ISREG(mode)) return 'f';
  if (S_ISLNK(mode)) return 'l';
  if (S_ISSOCK(mode)) return 's';
  return 'p'; // pipes and devices
}

static char dirent_letter(unsigned char type) {
  switch (type) {
    case DT_DIR: return 'd';
    case DT_REG: return 'f';
    case DT_LNK: return 'l';
    case DT_SOCK: return 's';
    case DT_UNKNOWN: return '?';
    default: return 'p';
  }
}

static int read_listing(int fd, struct listing *l) {
  char buffer[65536] __attribute__((aligned(8)));
  for (;;) {
    long size = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (size == 0) return 0;
    if (size < 0) return -1;
    for (long at = 0; at < size;) {
      struct dirent64 *d = (struct dirent64 *)(void *)(buffer + at);
      at += d->d_reclen;
      if (d->d_name[0] == '.' && (d->d_name[1] == 0 || (d->d_name[1] == '.' && d->d_name[2] == 0))) continue;
      char type = dirent_letter(d->d_type);
      struct stat info;
      if (type == '?') type = fstatat(fd, d->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? type_letter(info.st_mode) : 'p';
      size_t length = strlen(d->d_name) + 1;
      if (l->used + length > l->names_room) { l->names_room = (l->used + length) * 2 + 4096; l->names = grow(l->names, l->names_room); }
      if (l->count == l->room) { l->room = l->room * 2 + 256; l->entries = grow(l->entries, l->room * sizeof *l->entries); }
      l->entries[l->count++] = (struct entry){.ino = d->d_ino, .type = type, .name = (uint32_t)l->used};
      memcpy(l->names + l->used, d->d_name, length);
      l->used += length;
    }
  }
}

/// What of a git configuration needs a closer look outside: 1 a path to hooks or another file, 2 an address with a password, 4 not read.
uint8_t config_note(int folder, const char *name, int64_t *ctime) {
  *ctime = 0;
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return 4;
  struct stat info;
  static char text[262145];
  ssize_t size = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read(fd, text, sizeof text) : -1;
  close(fd);
  if (size < 0 || size == (ssize_t)sizeof text) return 4;
  *ctime = (int64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec;
  text[size] = 0;
  uint8_t note = 0;
  if (memchr(text, 0, (size_t)size) != NULL) note |= 1;
  // A key may be split by a continuation line, so a backslash at a line's end is reason enough to look closer.
  if (strcasestr(text, "hookspath") || strcasestr(text, "include") || strcasestr(text, "worktreeconfig") || strstr(text, "\\\n")) note |= 1;
  if (strstr(text, "://") && strchr(text, '@')) note |= 2;
  return note;
}

static void add_match(struct scout *s, uint32_t node, const char *name, uint32_t id, char type, uint64_t ino, uint8_t note, int64_t ctime) {
  uint32_t text = add_name(s, name), index;
  if (s->free_match != NONE) {
    index = s->free_match;
    s->free_match = s->matches[index].next;
  } else {
    if (s->match_count == s->match_room) { s->match_room = s->match_room * 2 + 256; s->matches = grow(s->matches, s->match_room * sizeof *s->matches); }
    index = s->match_count++;
  }
  s->matches[index] = (struct match){.next = s->nodes[node].match, .name = text, .id = id, .type = type, .note = note, .ino = ino, .ctime = ctime};
  s->nodes[node].match = index;
  s->nodes[node].matches++;
  if (s->report != 0) print_match(s, s->report, node, &s->matches[index]);
}

static uint32_t git_part(const char *folded, uint8_t kind) {
  if (kind == HOOKS) {
    size_t length = strlen(folded);
    return length > 7 && strcmp(folded + length - 7, ".sample") == 0 ? 0 : GIT_HOOK;
  }
  if (kind == SEQUENCE) return strcmp(folded, "git-rebase-todo") == 0 || strcmp(folded, "todo") == 0 || strcmp(folded, "strategy") == 0 ? GIT_TODO : 0;
  if (kind != GITDIR) return 0;
  if (strcmp(folded, "config") == 0) return GIT_CONFIG;
  if (strcmp(folded, "config.worktree") == 0) return GIT_WORKTREE_CONFIG;
  if (strcmp(folded, "hooks") == 0) return GIT_HOOKS;
  if (strcmp(folded, "commondir") == 0) return GIT_COMMONDIR;
  return 0;
}

/// Parts of a git-dir that hold no name of ours and grow large.
static bool skipped_in_gitdir(const char *folded) {
  static const char *const names[] = {"objects", "refs", "logs", "info", "lfs", "rr-cache", "branches", "reftable", NULL};
  for (int i = 0; names[i] != NULL; i++) if (strcmp(folded, names[i]) == 0) return true;
  return false;
}

void evaluate_name(struct scout *s, uint32_t node, int fd, const char *name, char type, uint64_t ino) {
  char folded[NAME_BYTES];
  fold_name(name, folded);
  uint8_t kind = s->nodes[node].kind;
  uint32_t ids[MAX_IDS], count = 0, states = NONE;
  uint32_t part = git_part(folded, kind);
  if (part != 0) {
    int64_t ctime = 0;
    uint8_t note = (part == GIT_CONFIG || part == GIT_WORKTREE_CONFIG) ? config_note(fd, name, &ctime) : 0;
    add_match(s, node, name, part, type, ino, note, ctime);
  }
  // git writes what it keeps for itself (messages, the index, the reflog) through a link to wherever that leads.
  if (part == 0 && type == 'l' && (kind == GITDIR || kind == SEQUENCE)) add_match(s, node, name, GIT_INNER_LINK, type, ino, 0, 0);
  bool is_git = strcmp(folded, ".git") == 0;
  if (is_git && type != 'd' && kind != HOOKS) add_match(s, node, name, GIT_LINK, type, ino, 0, 0);
  if (kind == PLAIN) {
    states = step(s, node, folded, type, type == 'd', ids, &count);
    for (uint32_t i = 0; i < count; i++) add_match(s, node, name, ids[i], type, ino, 0, 0);
    if (type != 'd' && (s->nodes[node].flags & READS_WRITES) == 0 && is_judged(s, ids, count)) {
      s->nodes[node].flags |= READS_WRITES;
      if (s->nodes[node].wd >= 0) set_watch(s, node, fd);
    }
  }
  if (type != 'd' || kind == HOOKS || kind == SEQUENCE) return;
  if (kind == GITDIR && (skipped_in_gitdir(folded) || (part == GIT_HOOKS && !s->sweep && s->report == 'M'))) return;
  uint32_t child = add_node(s, node, name);
  struct node *c = &s->nodes[child];
  c->ino = ino;
  if (kind == PLAIN) c->states = states;
  if (is_dependency_folder(folded)) c->flags |= IN_DEPENDENCY;
  if (is_git || kind == WORKTREES) c->kind = GITDIR;
  else if (kind == GITDIR && strcmp(folded, "worktrees") == 0) c->kind = WORKTREES;
  else if (part == GIT_HOOKS) c->kind = HOOKS;
  else if (kind == GITDIR && (strcmp(folded, "rebase-merge") == 0 || strcmp(folded, "sequencer") == 0)) c->kind = SEQUENCE;
}

/// HEAD, objects and refs in one folder make it a repository for git, whatever it is called (CVE-2026-26268: buried bare repositories).
static void look_at_shape(struct scout *s, uint32_t node, const struct listing *l) {
  unsigned seen = 0;
  for (uint32_t i = 0; i < l->count; i++) {
    char folded[NAME_BYTES];
    const char *name = l->names + l->entries[i].name, first = name[0];
    if (first != 'H' && first != 'h' && first != 'o' && first != 'O' && first != 'r' && first != 'R' && first != '.' && first != 'c' && first != 'C' && (unsigned char)first < 0x80) continue;
    fold_name(name, folded);
    if (strcmp(folded, "head") == 0) seen |= 1;
    else if (strcmp(folded, "objects") == 0) seen |= 2;
    else if (strcmp(folded, "refs") == 0) seen |= 4;
    else if (strcmp(folded, "commondir") == 0) seen |= 8;
    else if (strcmp(folded, ".git") == 0) seen |= 16;
  }
  struct node *n = &s->nodes[node];
  if ((seen & 16) != 0) n->flags |= HAS_GIT;
  if (n->kind == PLAIN && ((seen & 7) == 7 || (seen & 9) == 9)) n->kind = GITDIR;
}

/// `path` is relative to the current folder, which the caller has set.
void add_watch(struct scout *s, uint32_t node, const char *path) {
  if (s->inotify < 0 || s->watch_failed) return;
  uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
  if (s->nodes[node].kind != PLAIN || (s->nodes[node].flags & READS_WRITES) != 0) mask |= IN_CLOSE_WRITE | IN_MODIFY;
  int wd = inotify_add_watch(s->inotify, path, mask);
  if (wd < 0) {
    if (errno == ENOSPC || errno == ENOMEM) s->watch_failed = true;
    return;
  }
  if ((uint32_t)wd >= s->by_wd_room) {
    uint32_t room = (uint32_t)wd * 2 + 4096;
    s->by_wd = grow(s->by_wd, room * sizeof *s->by_wd);
    for (uint32_t i = s->by_wd_room; i < room; i++) s->by_wd[i] = NONE;
    s->by_wd_room = room;
  }
  s->by_wd[wd] = node;
  s->nodes[node].wd = wd;
}

void set_watch(struct scout *s, uint32_t node, int fd) {
  if (s->inotify >= 0 && fchdir(fd) == 0) add_watch(s, node, ".");
}

/// Opens a folder that its owner made unreadable, as the owner (only after the cell's end: `unlock`).
static int open_locked(struct scout *s, uint32_t node) {
  if (s->nodes[node].parent == NONE) { // without the right to search it, its own descriptor is the only way in
    struct stat own;
    int root = s->roots[s->nodes[node].root].fd;
    return fstat(root, &own) == 0 && fchmod(root, (own.st_mode & 07777) | 0700) == 0 ? open_node(s, node) : -1;
  }
  char *path = node_path(s, node, NULL);
  int handle = open_below(s->roots[s->nodes[node].root].fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW), fd = -1;
  free(path);
  if (handle < 0) return -1;
  struct stat info;
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", handle);
  if (fstat(handle, &info) == 0 && info.st_uid == geteuid() && chmod(self, (info.st_mode & 07777) | 0700) == 0) fd = open(self, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  close(handle);
  return fd;
}

void read_folder(struct scout *s, uint32_t node) {
  int fd = open_node(s, node);
  if (fd < 0 && errno == EACCES && s->unlock) fd = open_locked(s, node);
  if (fd < 0) {
    struct node *n = &s->nodes[node];
    n->ctime = 0;
    if (errno == EACCES || errno == EPERM) {
      n->flags |= NO_ACCESS;
      if (n->parent != NONE) {
        char *name = strdup(s->names + n->name);
        if (name == NULL) die("out of memory");
        add_match(s, n->parent, name, UNREADABLE, 'd', n->ino, 0, 0);
        free(name);
      } else if (s->report == 'M') die("the folder cannot be read"); // later: the cell took its own rights away; the last look opens it as its owner
    }
    return; // gone, or replaced by something that is no folder: its parent's event or ctime tells
  }
  struct stat info;
  if (s->watching) set_watch(s, node, fd);
  int64_t now = now_ns();
  if (fstat(fd, &info) < 0) { close(fd); return; }
  struct listing l = {0};
  if (read_listing(fd, &l) < 0) { info.st_ctim.tv_sec = 0; info.st_ctim.tv_nsec = 0; }
  struct node *n = &s->nodes[node];
  n->ino = info.st_ino;
  n->dev = info.st_dev;
  int64_t ctime = (int64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec;
  n->ctime = ctime > now - 50000000 ? 0 : ctime; // too fresh to tell a later change apart
  s->folders_read++;
  uint8_t before = n->kind;
  look_at_shape(s, node, &l);
  if (s->watching && before != s->nodes[node].kind) set_watch(s, node, fd);
  for (uint32_t i = 0; i < l.count; i++) evaluate_name(s, node, fd, l.names + l.entries[i].name, l.entries[i].type, l.entries[i].ino);
  close(fd);
  free(l.entries);
  free(l.names);
}

/// Reads a folder that has no children yet, and all below it.
void walk(struct scout *s, uint32_t node) {
  uint32_t at = node;
  for (;;) {
    if ((s->nodes[at].flags & SEEN) == 0) { s->nodes[at].flags |= SEEN; read_folder(s, at); if (s->nodes[at].child != NONE) { at = s->nodes[at].child; continue; } }
    while (at != node && s->nodes[at].next == NONE) at = s->nodes[at].parent;
    if (at == node) return;
    at = s->nodes[at].next;
  }
}

void print_match(struct scout *s, char letter, uint32_t node, const struct match *match) {
  char head[160];
  char *path = node_path(s, node, s->names + match->name);
  snprintf(head, sizeof head, "%c%u,%c,%u,%llu,%llu,%u", letter, match->id, match->type, s->nodes[node].root, (unsigned long long)match->ino,
    (unsigned long long)s->nodes[node].ino, match->note);
  out_record(head);
  out_record(path);
  free(path);
}
