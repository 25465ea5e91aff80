// What was found last time, kept outside anything a cell can write. A folder's ctime can't be forged, so one statx per folder tells
// whether its names are still those of the index; only changed folders are read again. Anything odd about the file: a full scan.
#include "scout.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct header { char magic[8]; uint64_t table, dev, ino; uint32_t nodes, matches, names, spare; uint64_t sum; };
struct node_row { uint32_t parent, name, match, matches; uint64_t ino, dev; int64_t ctime; uint32_t kind, flags; };
struct match_row { uint32_t name, id; uint64_t ino; int64_t ctime; uint32_t type, note; };
static const char magic[8] = "ahscout4";

static uint64_t sum_of(const void *bytes, size_t size, uint64_t h) {
  const unsigned char *p = bytes;
  for (; size >= 8; size -= 8, p += 8) { uint64_t w; memcpy(&w, p, 8); h = (h ^ w) * 1099511628211u; h ^= h >> 29; }
  for (; size > 0; size--, p++) h = (h ^ *p) * 1099511628211u;
  return h;
}

static char *read_whole(const char *path, size_t *size) {
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  struct stat info;
  if (fd < 0) return NULL;
  if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0 || info.st_size > (off_t)2 << 30) { close(fd); return NULL; }
  char *bytes = malloc((size_t)info.st_size + 1);
  size_t got = 0;
  while (bytes != NULL && got < (size_t)info.st_size) {
    ssize_t n = read(fd, bytes + got, (size_t)info.st_size - got);
    if (n <= 0) break;
    got += (size_t)n;
  }
  close(fd);
  *size = got;
  return bytes;
}

bool load_index(struct scout *s, uint32_t root) {
  struct root *r = &s->roots[root];
  size_t size = 0;
  if (r->index == NULL || r->index[0] == 0) return false;
  char *bytes = read_whole(r->index, &size);
  struct header h;
  bool ok = bytes != NULL && size >= sizeof h;
  if (ok) memcpy(&h, bytes, sizeof h);
  ok = ok && memcmp(h.magic, magic, sizeof magic) == 0 && h.table == s->table_hash && h.dev == r->dev && h.ino == r->ino && h.nodes > 0
    && size == sizeof h + (size_t)h.nodes * sizeof(struct node_row) + (size_t)h.matches * sizeof(struct match_row) + h.names
    && sum_of(bytes + sizeof h, size - sizeof h, 14695981039346656037u) == h.sum && h.names > 0 && bytes[size - 1] == 0;
  if (!ok) { free(bytes); return false; }
  const struct node_row *rows = (const void *)(bytes + sizeof h);
  const struct match_row *found = (const void *)(rows + h.nodes);
  const char *names = (const void *)(found + h.matches);
  for (uint32_t i = 0; i < h.nodes && ok; i++)
    ok = (i == 0 ? rows[i].parent == NONE : rows[i].parent < i) && rows[i].name < h.names && rows[i].match <= h.matches && rows[i].matches <= h.matches - rows[i].match && rows[i].kind <= SEQUENCE
      && (i == 0 || (names[rows[i].name] != 0 && strchr(names + rows[i].name, '/') == NULL && strcmp(names + rows[i].name, "..") != 0));
  for (uint32_t i = 0; i < h.matches && ok; i++) ok = found[i].name < h.names;
  if (!ok) { free(bytes); return false; }
  // Rows become nodes one after the other: what an earlier root's changes set free must not come in between.
  uint32_t base = s->node_count, freed = s->free_node;
  s->free_node = NONE;
  for (uint32_t i = 0; i < h.nodes; i++) {
    uint32_t at = i == 0 ? r->node : add_node(s, base + rows[i].parent - (rows[i].parent == 0 ? base - r->node : 1), names + rows[i].name);
    struct node *n = &s->nodes[at];
    n->ino = rows[i].ino; n->dev = rows[i].dev; n->ctime = rows[i].ctime; n->kind = (uint8_t)rows[i].kind;
    n->flags = (uint8_t)((rows[i].flags & (IN_DEPENDENCY | HAS_GIT | NO_ACCESS | READS_WRITES)) | SEEN | (i == 0 ? IS_ROOT : 0));
    for (uint32_t j = rows[i].match; j < rows[i].match + rows[i].matches; j++) {
      if (s->match_count == s->match_room) { s->match_room = s->match_room * 2 + 256; s->matches = grow(s->matches, s->match_room * sizeof *s->matches); }
      s->matches[s->match_count] = (struct match){.next = n->match, .name = add_name(s, names + found[j].name), .id = found[j].id, .type = (char)found[j].type,
        .note = (uint8_t)found[j].note, .ino = found[j].ino, .ctime = found[j].ctime};
      n->match = s->match_count++;
      n->matches++;
    }
  }
  s->free_node = freed;
  free(bytes);
  return true;
}

struct buffer { char *bytes; size_t used, room; };
static void put(struct buffer *b, const void *bytes, size_t size) {
  if (b->used + size > b->room) { b->room = (b->used + size) * 2 + 65536; b->bytes = grow(b->bytes, b->room); }
  memcpy(b->bytes + b->used, bytes, size);
  b->used += size;
}
static uint32_t put_name(struct buffer *b, const char *name) { uint32_t at = (uint32_t)b->used; put(b, name, strlen(name) + 1); return at; }

void save_index(struct scout *s, uint32_t root) {
  struct root *r = &s->roots[root];
  if (r->index == NULL || r->index[0] == 0 || !r->changed) return;
  struct buffer rows = {0}, found = {0}, names = {0};
  uint32_t *number = malloc(((size_t)s->node_count + 1) * sizeof *number), count = 0, matches = 0;
  if (number == NULL) return;
  for (uint32_t at = r->node;;) {
    struct node *n = &s->nodes[at];
    struct node_row row = {.parent = at == r->node ? NONE : number[n->parent], .name = put_name(&names, s->names + n->name), .match = matches, .matches = n->matches,
      .ino = n->ino, .dev = n->dev, .ctime = n->ctime, .kind = n->kind, .flags = n->flags};
    number[at] = count++;
    put(&rows, &row, sizeof row);
    for (uint32_t m = n->match; m != NONE; m = s->matches[m].next, matches++) {
      const struct match *f = &s->matches[m];
      struct match_row out = {.name = put_name(&names, s->names + f->name), .id = f->id, .ino = f->ino, .ctime = f->ctime, .type = (unsigned char)f->type, .note = f->note};
      put(&found, &out, sizeof out);
    }
    if (n->child != NONE) { at = n->child; continue; }
    while (at != r->node && s->nodes[at].next == NONE) at = s->nodes[at].parent;
    if (at == r->node) break;
    at = s->nodes[at].next;
  }
  struct header h = {.table = s->table_hash, .dev = r->dev, .ino = r->ino, .nodes = count, .matches = matches, .names = (uint32_t)names.used};
  memcpy(h.magic, magic, sizeof magic);
  struct buffer file = {0};
  put(&file, &h, sizeof h);
  put(&file, rows.bytes, rows.used);
  if (found.used > 0) put(&file, found.bytes, found.used);
  put(&file, names.bytes, names.used);
  h.sum = sum_of(file.bytes + sizeof h, file.used - sizeof h, 14695981039346656037u);
  memcpy(file.bytes, &h, sizeof h);
  char temporary[4200];
  if (snprintf(temporary, sizeof temporary, "%s.%d", r->index, (int)getpid()) < (int)sizeof temporary) {
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t at = 0;
    while (fd >= 0 && at < file.used) { ssize_t n = write(fd, file.bytes + at, file.used - at); if (n <= 0) break; at += (size_t)n; }
    if (fd >= 0) close(fd);
    if (fd >= 0 && (at < file.used || rename(temporary, r->index) < 0)) unlink(temporary);
  }
  r->changed = false;
  free(rows.bytes); free(found.bytes); free(names.bytes); free(file.bytes); free(number);
}

struct check { struct scout *s; uint32_t from, to; uint32_t root; unsigned char *valid; bool watch; };

static bool unchanged(const struct node *n, int at, const char *path) {
  struct statx x;
  if (statx(at, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_INO | STATX_CTIME | STATX_TYPE, &x) != 0) return false;
  return S_ISDIR(x.stx_mode) && x.stx_ino == n->ino && makedev(x.stx_dev_major, x.stx_dev_minor) == n->dev && x.stx_ctime.tv_sec * 1000000000 + x.stx_ctime.tv_nsec == n->ctime;
}

#define WORTH_OPENING 4 // children from which on one opened parent is cheaper than whole paths

/// Each part looks at the children of its folders.
static void *check_part(void *argument) {
  struct check *c = argument;
  struct scout *s = c->s;
  for (uint32_t i = c->from; i < c->to; i++) {
    const struct node *n = &s->nodes[i];
    if ((n->flags & FREED) != 0 || n->root != c->root) continue;
    if (n->parent == NONE) c->valid[i] = n->ctime != 0 && unchanged(n, s->roots[c->root].fd, ".");
    uint32_t children = 0;
    for (uint32_t at = n->child; at != NONE && children < WORTH_OPENING; at = s->nodes[at].next) children++;
    if (children == 0) continue;
    char *path = node_path(s, i, NULL);
    int fd = children >= WORTH_OPENING || strlen(path) > 3500 ? open_below(s->roots[c->root].fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW) : -1;
    for (uint32_t at = n->child; at != NONE; at = s->nodes[at].next) {
      const struct node *child = &s->nodes[at];
      if (child->ctime == 0) continue;
      if (fd >= 0) { c->valid[at] = unchanged(child, fd, s->names + child->name); continue; }
      if (strlen(path) > 3500) continue;
      char whole[4096];
      snprintf(whole, sizeof whole, "%s/%s", path, s->names + child->name);
      c->valid[at] = unchanged(child, s->roots[c->root].fd, whole);
    }
    if (fd >= 0) close(fd);
    free(path);
  }
  return NULL;
}

static uint32_t forget(struct scout *s, uint32_t node, uint32_t old) {
  while (old != NONE) {
    uint32_t next = s->nodes[old].next;
    s->nodes[old].next = s->nodes[node].child;
    s->nodes[node].child = old;
    drop_node(s, old);
    old = next;
  }
  return NONE;
}

/// After a folder was read again: children that are still the same folder keep what is known below them.
static void graft(struct scout *s, uint32_t node, uint32_t old) {
  for (uint32_t *place = &s->nodes[node].child; *place != NONE; place = &s->nodes[*place].next) {
    uint32_t at = *place, *link = &old;
    while (*link != NONE) {
      struct node *o = &s->nodes[*link];
      if (o->ino == s->nodes[at].ino && strcmp(s->names + o->name, s->names + s->nodes[at].name) == 0) break;
      link = &o->next;
    }
    uint32_t found = *link;
    if (found == NONE) continue;
    struct node *o = &s->nodes[found], *n = &s->nodes[at];
    if ((o->flags & IN_DEPENDENCY) != (n->flags & IN_DEPENDENCY) || (n->kind != o->kind && !(n->kind == PLAIN && o->kind == GITDIR))) continue;
    *link = o->next;
    o->next = n->next;
    *place = found;
    n->flags = FREED;
    n->next = s->free_node;
    s->free_node = at;
  }
  forget(s, node, old); // what is no longer there
}

void reread(struct scout *s, uint32_t node) {
  struct node *n = &s->nodes[node];
  uint32_t old = n->child;
  n->child = NONE;
  if (n->kind == GITDIR && n->parent != NONE && s->nodes[n->parent].kind == PLAIN) {
    char folded[NAME_BYTES];
    fold_name(s->names + n->name, folded);
    if (strcmp(folded, ".git") != 0) n->kind = PLAIN; // found by shape: look at the shape again
  } else if (n->kind == GITDIR && n->parent == NONE) n->kind = PLAIN;
  uint8_t had = n->flags & HAS_GIT;
  n->flags &= (uint8_t)~(SEEN | HAS_GIT | NO_ACCESS);
  drop_matches(s, node);
  read_folder(s, node);
  s->nodes[node].flags |= SEEN;
  s->roots[s->nodes[node].root].changed = true;
  graft(s, node, (s->nodes[node].flags & HAS_GIT) == had ? old : forget(s, node, old)); // a new repository: other names count below it
}

static void report_known(struct scout *s, uint32_t node) {
  uint32_t *link = &s->nodes[node].match;
  while (*link != NONE) { // unreadable children are judged again by themselves
    uint32_t m = *link;
    if (s->matches[m].id != UNREADABLE) { link = &s->matches[m].next; continue; }
    *link = s->matches[m].next;
    s->matches[m].next = s->free_match;
    s->free_match = m;
    s->nodes[node].matches--;
  }
  int fd = -1;
  for (uint32_t m = s->nodes[node].match; m != NONE; m = s->matches[m].next) {
    struct match *f = &s->matches[m];
    if (f->id == GIT_CONFIG || f->id == GIT_WORKTREE_CONFIG) {
      struct stat info;
      char *path = node_path(s, node, s->names + f->name);
      int64_t ctime = 0;
      bool same = f->ctime != 0 && strlen(path) < 4000 && fstatat(s->roots[s->nodes[node].root].fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0
        && (int64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec == f->ctime;
      free(path);
      if (!same) {
        if (fd < 0) fd = open_node(s, node);
        f->note = config_note(fd, s->names + f->name, &ctime);
        f->ctime = ctime > now_ns() - 50000000 ? 0 : ctime;
        s->roots[s->nodes[node].root].changed = true;
      }
    }
    if (s->report == 'M') print_match(s, 'M', node, f);
  }
  if (fd >= 0) close(fd);
}

void revalidate(struct scout *s, uint32_t root) {
  uint32_t count = s->node_count, top = s->roots[root].node;
  unsigned char *valid = calloc(count + 1, 1);
  if (valid == NULL) die("out of memory");
  long threads = count > 2000 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
  if (threads > 4) threads = 4;
  if (threads < 1) threads = 1;
  struct check parts[4];
  pthread_t ids[4];
  int started = 0;
  for (int i = 0; i < threads; i++) {
    parts[i] = (struct check){.s = s, .root = root, .valid = valid, .from = (uint32_t)((uint64_t)count * (uint64_t)i / (uint64_t)threads), .to = (uint32_t)((uint64_t)count * (uint64_t)(i + 1) / (uint64_t)threads)};
    if (i == threads - 1 || pthread_create(&ids[i], NULL, check_part, &parts[i]) != 0) { check_part(&parts[i]); continue; }
    started |= 1 << i;
  }
  for (int i = 0; i < threads; i++) if ((started & 1 << i) != 0) pthread_join(ids[i], NULL);
  for (uint32_t at = top;;) {
    if ((s->nodes[at].flags & SEEN) == 0) {
      walk(s, at);
      s->roots[root].changed = true;
    } else {
      if (at < count && valid[at]) { s->folders_known++; report_known(s, at); }
      else reread(s, at);
      if (s->nodes[at].child != NONE) { at = s->nodes[at].child; continue; }
    }
    while (at != top && s->nodes[at].next == NONE) at = s->nodes[at].parent;
    if (at == top) break;
    at = s->nodes[at].next;
  }
  free(valid);
}
