// Moves one planted path out of a root into a folder of anchorhold's, and back. Every part of the path is opened without links and
// without leaving the root, so that a path swapped for a link meanwhile moves nothing else (attacks.md FS-05, CVE-2026-39861).
#include "scout.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COPY_DEPTH 100
#define LARGEST_COPY (256 << 20)
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

static int say(char *message, size_t room, const char *what) {
  snprintf(message, room, "%s: %s", what, strerror(errno));
  return -1;
}

/// Opens what the cell may have taken the rights from, as its owner.
static int open_owned(int from, const char *name, int flags) {
  int fd = openat(from, name, flags);
  if (fd >= 0 || errno != EACCES) return fd;
  int handle = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat info;
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", handle);
  if (handle >= 0 && fstat(handle, &info) == 0 && !S_ISLNK(info.st_mode) && info.st_uid == geteuid() && chmod(self, (info.st_mode & 07777) | (S_ISDIR(info.st_mode) ? 0700 : 0600)) == 0)
    fd = openat(from, name, flags);
  if (handle >= 0) close(handle);
  return fd;
}

static int copy_file(int from, const char *name, int to, const char *as) {
  int in = open_owned(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat info;
  if (in < 0) return -1;
  int out = fstat(in, &info) == 0 && S_ISREG(info.st_mode) && info.st_blocks < LARGEST_COPY / 512 && info.st_size < LARGEST_COPY ? openat(to, as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, info.st_mode & 0777) : -1;
  int result = out < 0 ? -1 : 0;
  static char buffer[65536];
  for (ssize_t size; result == 0 && (size = read(in, buffer, sizeof buffer)) != 0;) {
    if (size < 0) result = -1;
    for (ssize_t at = 0; result == 0 && at < size;) {
      ssize_t n = write(out, buffer + at, (size_t)(size - at));
      if (n <= 0) result = -1; else at += n;
    }
  }
  if (out >= 0 && close(out) < 0) result = -1;
  close(in);
  return result;
}

static int copy_then_remove(int from, const char *name, int to, const char *as, int depth);

static int copy_folder(int from, const char *name, int to, const char *as, int depth) {
  int in = open_owned(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat info;
  if (in < 0 || fstat(in, &info) < 0) return -1;
  int out = depth < COPY_DEPTH && mkdirat(to, as, 0700) == 0 ? openat(to, as, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  DIR *entries = out < 0 ? NULL : fdopendir(in);
  int result = entries == NULL ? -1 : 0;
  for (struct dirent *e; result == 0 && (e = readdir(entries)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) result = copy_then_remove(in, e->d_name, out, e->d_name, depth + 1);
  if (entries != NULL) closedir(entries); else close(in);
  if (result == 0 && fchmod(out, info.st_mode & 0777) < 0) result = -1;
  if (out >= 0) close(out);
  return result == 0 ? unlinkat(from, name, AT_REMOVEDIR) : -1;
}

/// Across file systems. Pipes, sockets and devices hold nothing worth keeping.
static int copy_then_remove(int from, const char *name, int to, const char *as, int depth) {
  struct stat info;
  if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  if (S_ISDIR(info.st_mode)) return copy_folder(from, name, to, as, depth);
  if (S_ISREG(info.st_mode) && copy_file(from, name, to, as) < 0) return -1;
  if (S_ISLNK(info.st_mode)) {
    char target[4096];
    ssize_t size = readlinkat(from, name, target, sizeof target - 1);
    if (size < 0) return -1;
    target[size] = 0;
    if (symlinkat(target, to, as) < 0) return -1;
  }
  return unlinkat(from, name, 0);
}

/// Gives the owner the rights that a move needs: a folder that the cell made unwritable must not stay for that reason.
static void allow_owner(int fd) {
  struct stat info;
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 0700) != 0700 && chmod(self, (info.st_mode & 07777) | 0700) < 0) return;
}

static int move_entry(int from, const char *name, int to, const char *as) {
  for (int attempt = 0;; attempt++) {
    if (syscall(SYS_renameat2, from, name, to, as, RENAME_NOREPLACE) == 0) return 0;
    if (errno == EXDEV) return copy_then_remove(from, name, to, as, 0);
    if (errno != EACCES || attempt > 0) return -1;
    allow_owner(from);
    int inner = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); // a folder's own rights count too: its ".." changes
    if (inner >= 0) { allow_owner(inner); close(inner); }
  }
}

static int open_parent(int root, const char *path, const char **leaf, char *copy, size_t room) {
  size_t length = strlen(path);
  const char *slash = strrchr(path, '/');
  *leaf = slash == NULL ? path : slash + 1;
  if (**leaf == 0 || strcmp(*leaf, ".") == 0 || strcmp(*leaf, "..") == 0 || length >= room) { errno = EINVAL; return -1; }
  if (slash == NULL) return open_below(root, ".", O_PATH | O_DIRECTORY);
  memcpy(copy, path, (size_t)(slash - path));
  copy[slash - path] = 0;
  return open_below(root, copy, O_PATH | O_DIRECTORY);
}

/// Where it can neither be moved nor copied: under a name that nothing obeys, in its own place.
static int set_aside(int parent, const char *leaf, char *name, size_t room) {
  for (int i = 0; i < 100; i++) {
    snprintf(name, room, "anchorhold-held-%lld-%d", (long long)(now_ns() / 1000000), i);
    if (syscall(SYS_renameat2, parent, leaf, parent, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EEXIST) return -1;
  }
  return -1;
}

/// Whether a file in it has a second name somewhere: writing there would change it here.
static bool has_second_name(int at, const char *name, int depth) {
  struct stat info;
  if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || depth > COPY_DEPTH) return true;
  if (!S_ISDIR(info.st_mode)) return info.st_nlink > 1;
  int fd = open_owned(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *entries = fd < 0 ? NULL : fdopendir(fd);
  bool found = entries == NULL;
  for (struct dirent *e; !found && (e = readdir(entries)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) found = has_second_name(fd, e->d_name, depth + 1);
  if (entries != NULL) closedir(entries); else if (fd >= 0) close(fd);
  return found;
}

int move_below(int top, const char *from, const char *to_folder, const char *to_name, char *message, size_t room) {
  const char *leaf;
  char *copy = malloc(strlen(from) + 1);
  if (copy == NULL) return say(message, room, "out of memory");
  int result = -1;
  int parent = top < 0 ? -1 : open_parent(top, from, &leaf, copy, strlen(from) + 1);
  int to = open(to_folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (parent < 0) say(message, room, "its folder cannot be opened");
  else if (to < 0) say(message, room, "the quarantine cannot be opened");
  else if (move_entry(parent, leaf, to, to_name) < 0) {
    char name[64];
    int why = errno;
    say(message, room, "it cannot be moved");
    if (why != ENOENT && why != EEXIST && set_aside(parent, leaf, name, sizeof name) == 0) {
      size_t used = strlen(message);
      snprintf(message + used, room - used, "; it is called %s now", name);
    }
  } else result = 0;
  if (parent >= 0) close(parent);
  if (to >= 0) close(to);
  free(copy);
  return result;
}

/// As a copy where a file in it has a second name: that one stays in the cell's reach when this one is protected again.
static int put_back(int from, const char *name, int to, const char *as) {
  return has_second_name(from, name, 0) ? copy_then_remove(from, name, to, as, 0) : move_entry(from, name, to, as);
}

int restore_below(const char *kept_folder, const char *kept_name, int top, const char *to, char *message, size_t room) {
  const char *leaf;
  char *copy = malloc(strlen(to) + 1);
  if (copy == NULL) return say(message, room, "out of memory");
  int result = -1;
  for (char *slash = strchr(to, '/'); top >= 0 && slash != NULL; slash = strchr(slash + 1, '/')) { // missing folders, one by one
    memcpy(copy, to, (size_t)(slash - to));
    copy[slash - to] = 0;
    int there = open_below(top, copy, O_PATH | O_DIRECTORY);
    if (there >= 0) { close(there); continue; }
    char *part = strrchr(copy, '/');
    if (part != NULL) *part = 0;
    int parent = open_below(top, part == NULL ? "." : copy, O_PATH | O_DIRECTORY);
    if (parent >= 0) { if (mkdirat(parent, part == NULL ? copy : part + 1, 0777) < 0) { close(parent); break; } close(parent); }
  }
  int parent = top < 0 ? -1 : open_parent(top, to, &leaf, copy, strlen(to) + 1);
  int from = open(kept_folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (parent < 0) say(message, room, "its folder cannot be opened");
  else if (from < 0) say(message, room, "the quarantine cannot be opened");
  else if (put_back(from, kept_name, parent, leaf) < 0) say(message, room, errno == EEXIST ? "something lies there" : "it cannot be moved");
  else result = 0;
  if (parent >= 0) close(parent);
  if (from >= 0) close(from);
  free(copy);
  return result;
}
