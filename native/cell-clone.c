// Clones of what lies at a path of the cell, for its covers, and the copies of mounts that many of them are cloned from. Neighbour: cell-cover.c.
#include "common.h"
#include "cell-clone.h"
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_BASES = 256, UNKNOWN = -2 };

int open_path(const char *path) {
  struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int clone_tree(int at, const char *path, int recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  return (int)syscall(SYS_open_tree, at, path, flags | (recursive ? AT_RECURSIVE : 0u));
}

int make_readonly(int tree) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes);
}

// Cloning a path makes the kernel look through all that is mounted on its mount already (copy_tree), so that many covers on one would cost the
// square of their number. They are cloned from a read-only copy of that mount instead, on which nothing lies.
struct base {
  unsigned long long mount;
  int tree; // -1: this mount can't be copied so; UNKNOWN
  char *path;
  size_t length;
};
struct bases {
  struct base known[MOST_BASES];
  int count;
};

// The kernel writes space, tab, line feed and backslash in octal (proc_pid_mountinfo(5)).
static void unescape(char *text) {
  char *to = text;
  for (char *at = text; *at; at++)
    if (*at == '\\' && at[1] && at[2] && at[3]) *to++ = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')), at += 3;
    else *to++ = *at;
  *to = 0;
}

struct bases *bases_read(pid_t pid) {
  struct bases *bases = must_alloc(sizeof *bases);
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/mountinfo", pid);
  FILE *file = fopen(name, "re");
  char *line = NULL;
  size_t room = 0;
  while (file && bases->count < MOST_BASES && getline(&line, &room, file) > 0) {
    unsigned long long id;
    int start = 0, end = 0;
    if (sscanf(line, "%llu %*u %*s %*s %n%*s%n", &id, &start, &end) != 1 || end <= start) continue;
    line[end] = 0;
    unescape(line + start);
    bases->known[bases->count++] = (struct base){.mount = id, .tree = UNKNOWN, .path = strdup(line + start), .length = strlen(line + start)};
  }
  // With more mounts than that nobody knows what lies in what: none is copied.
  if (bases->count == MOST_BASES) bases->count = 0;
  free(line);
  if (file) fclose(file);
  return bases;
}

static int within(const char *path, const char *folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int copy_of(struct base *base) {
  struct statx facts;
  if (base->tree != UNKNOWN) return base->tree;
  int root = open_path(base->path);
  // Another mount may lie over it.
  int top = root >= 0 && statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) == 0 && facts.stx_mnt_id == base->mount;
  base->tree = top ? clone_tree(root, "", 0) : -1;
  if (root >= 0) close(root);
  if (base->tree >= 0 && make_readonly(base->tree) < 0) {
    close(base->tree);
    base->tree = -1;
  }
  return base->tree;
}

// What is mounted below the path would be missing from the clone.
static int holds_mounts(const struct bases *bases, const char *path) {
  size_t length = strlen(path);
  for (int i = 0; i < bases->count; i++)
    if (bases->known[i].length > length && within(bases->known[i].path, path)) return 1;
  return 0;
}

// A read-only clone of what lies at `place` and nowhere else, or -1 where there is no such copy: then the place itself is cloned.
static int clone_of_copy(struct bases *bases, const char *path, int place) {
  struct statx here, there;
  if (statx(place, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_MNT_ID, &here) < 0 || holds_mounts(bases, path)) return -1;
  for (int i = 0; i < bases->count; i++) {
    struct base *base = &bases->known[i];
    if (base->mount != here.stx_mnt_id || !within(path, base->path)) continue;
    int copy = copy_of(base);
    if (copy < 0) return -1;
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int same = (int)syscall(SYS_openat2, copy, path + strlen(base->path) + 1, &how, sizeof how), tree = -1;
    // The project may change meanwhile: only the very file that is to be covered.
    if (same >= 0 && statx(same, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO, &there) == 0 && there.stx_ino == here.stx_ino &&
        there.stx_dev_major == here.stx_dev_major && there.stx_dev_minor == here.stx_dev_minor)
      tree = clone_tree(same, "", 0);
    if (same >= 0) close(same);
    return tree;
  }
  return -1;
}

int readonly_clone(struct bases *bases, const char *path, int place) {
  int tree = bases ? clone_of_copy(bases, path, place) : -1;
  if (tree >= 0) return tree;
  tree = clone_tree(place, "", 1);
  return tree >= 0 && make_readonly(tree) < 0 ? -1 : tree;
}
