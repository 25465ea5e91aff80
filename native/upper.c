// anchorhold-upper: reads, measures and removes the folder that a cell wrote its changes to. Never follows a link; folders that the agent
// made unreadable are read all the same. Started by src/review/entries.ts: `list FOLDER [ORIGINAL]`, `measure FOLDER…`, `remove FOLDER`, `attributes`,
// `sync FOLDER…`.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static unsigned long long total_bytes, total_entries;
static int original = -1; // what `list` compares attributes with
static char where[1 << 20]; // the path so far, relative to the top
static size_t where_length;
static int worst;

static void trouble(const char *name) {
  fprintf(stderr, "%s%s%s: %s\n", where, where_length ? "/" : "", name, strerror(errno));
  worst = 1;
}

static void write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, text, strlen(text));
  (void)written; // without the map the rights of the caller are what there is
  close(fd);
}

// In a user namespace of one's own one has the rights of root over one's own files, and over nothing else.
static void become_owner(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  char map[64];
  if (uid == 0 || unshare(CLONE_NEWUSER) < 0) return;
  write_text("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
  write_text("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1\n", gid, gid);
  write_text("/proc/self/gid_map", map);
}

static char letter(mode_t mode) {
  if (S_ISREG(mode)) return 'f';
  if (S_ISDIR(mode)) return 'd';
  if (S_ISLNK(mode)) return 'l';
  if (S_ISFIFO(mode)) return 'p';
  if (S_ISSOCK(mode)) return 's';
  return S_ISCHR(mode) ? 'c' : 'b';
}

struct extras {
  char opaque, whiteout;
  char names[65536]; // NUL-free: one space after each
};

// Below a folder, through no link: a path descriptor, or -1.
static int open_below(int folder, const char *path) {
  struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

// Whether the original of the entry being read has the attribute with the same value: it came with the file, nobody asked for it.
static int is_originals(const char *entry, const char *name, const char *attribute) {
  static char here[65536], there[65536];
  char path[64];
  if (original < 0 || where_length + strlen(name) + 2 > sizeof where) return 0;
  size_t before = where_length;
  int length = snprintf(where + before, sizeof where - before, "%s%s", before ? "/" : "", name), fd = length < 0 ? -1 : open_below(original, where);
  where[before] = 0;
  if (fd < 0) return 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t first = lgetxattr(entry, attribute, here, sizeof here), second = getxattr(path, attribute, there, sizeof there);
  close(fd);
  return first >= 0 && first == second && memcmp(here, there, (size_t)first) == 0;
}

// Names of attributes can't hold a NUL; a space in one would only split it in what is shown.
static void read_extras(int folder, const char *name, struct extras *out) {
  // Static: a frame of this size on each level of a deep tree would be too much.
  static char list[65536];
  char path[64 + NAME_MAX + 2], value[8];
  memset(out, 0, offsetof(struct extras, names) + 1);
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, name);
  ssize_t length = llistxattr(path, list, sizeof list);
  size_t used = 0;
  for (ssize_t at = 0; at < length; at += (ssize_t)strlen(list + at) + 1) {
    const char *one = list + at;
    if (strcmp(one, "user.overlay.opaque") == 0) {
      ssize_t got = lgetxattr(path, one, value, sizeof value);
      out->opaque = got == 1 && value[0] == 'y';
    } else if (strcmp(one, "user.overlay.whiteout") == 0)
      out->whiteout = 1;
    // One that was set inside is kept with the prefix twice (Linux 6.7): not overlayfs's own.
    else if (strncmp(one, "user.overlay.overlay.", 21) == 0 && used + strlen(one) + 2 < sizeof out->names)
      used += (size_t)snprintf(out->names + used, sizeof out->names - used, "%suser.overlay.%s", used ? " " : "", one + 21);
    else if (strncmp(one, "user.overlay.", 13) != 0 && strncmp(one, "trusted.overlay.", 16) != 0 && used + strlen(one) + 2 < sizeof out->names &&
             !is_originals(path, name, one))
      used += (size_t)snprintf(out->names + used, sizeof out->names - used, "%s%s", used ? " " : "", one);
  }
}

static void print_entry(int folder, const char *name, const char *shown, const struct stat *facts) {
  static struct extras extras;
  static char target[65536];
  target[0] = 0;
  read_extras(folder, name, &extras);
  if (S_ISLNK(facts->st_mode)) {
    ssize_t got = readlinkat(folder, name, target, sizeof target - 1);
    target[got < 0 ? 0 : got] = 0;
  }
  int whiteout = (S_ISCHR(facts->st_mode) && facts->st_rdev == makedev(0, 0)) || (extras.whiteout && S_ISREG(facts->st_mode) && facts->st_size == 0);
  printf("%c%c%c %o %u %u %lld %lld %lld %llu %llu %llu %lld", letter(facts->st_mode), whiteout ? 'w' : '-', extras.opaque ? 'o' : '-',
         facts->st_mode & 07777, facts->st_uid, facts->st_gid, (long long)facts->st_size,
         (long long)facts->st_mtim.tv_sec * 1000000000 + facts->st_mtim.tv_nsec, (long long)facts->st_ctim.tv_sec * 1000000000 + facts->st_ctim.tv_nsec,
         (unsigned long long)facts->st_ino, (unsigned long long)facts->st_dev, (unsigned long long)facts->st_nlink, (long long)facts->st_blocks * 512);
  putchar(0);
  printf("%s%s%s", where, where_length && *shown ? "/" : "", shown);
  putchar(0);
  fputs(target, stdout);
  putchar(0);
  fputs(extras.names, stdout);
  putchar(0);
}

enum mode { LIST, MEASURE, REMOVE };

// A file with several names counts once: by the share of each name.
static void count(const struct stat *facts) {
  total_entries++;
  total_bytes += (unsigned long long)facts->st_blocks * 512 / (S_ISDIR(facts->st_mode) || facts->st_nlink == 0 ? 1 : facts->st_nlink);
}

static void walk(int fd, enum mode mode, dev_t device);

static void visit(int folder, const char *name, enum mode mode, dev_t device) {
  struct stat facts;
  if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno != ENOENT) trouble(name); // gone meanwhile: measured while the cell runs
    return;
  }
  count(&facts);
  if (mode == LIST) print_entry(folder, name, name, &facts);
  if (S_ISDIR(facts.st_mode)) {
    if (facts.st_dev != device) return;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      if (errno != ENOENT) trouble(name);
      return;
    }
    size_t before = where_length, length = strlen(name);
    if (where_length + length + 2 > sizeof where) {
      errno = ENAMETOOLONG;
      trouble(name);
      close(fd);
      return;
    }
    if (where_length) where[where_length++] = '/';
    memcpy(where + where_length, name, length + 1);
    where_length += length;
    walk(fd, mode, device);
    where_length = before;
    where[before] = 0;
  }
  if (mode == REMOVE && unlinkat(folder, name, S_ISDIR(facts.st_mode) ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT) trouble(name);
}

static void walk(int fd, enum mode mode, dev_t device) {
  DIR *folder = fdopendir(fd);
  if (!folder) {
    trouble("");
    close(fd);
    return;
  }
  for (struct dirent *entry; (entry = readdir(folder));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) visit(dirfd(folder), entry->d_name, mode, device);
  closedir(folder);
}

// A user's own attributes, and who may read and write the file besides its owner.
static int is_carried(const char *name) {
  return (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0) || strcmp(name, "system.posix_acl_access") == 0;
}

// 1 where there were some, 0 where not, -1 where one could not be set.
static int carry(int from, const char *to) {
  static char list[65536], value[65536];
  char path[64];
  int found = 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d", from);
  ssize_t length = listxattr(path, list, sizeof list);
  for (ssize_t at = 0; at < length; at += (ssize_t)strlen(list + at) + 1) {
    if (!is_carried(list + at)) continue;
    ssize_t size = getxattr(path, list + at, value, sizeof value);
    if (size < 0) continue;
    if (lsetxattr(to, list + at, value, (size_t)size, 0) < 0) return -1;
    found = 1;
  }
  return found;
}

// `attributes`: reads FOLDER NUL PATH NUL TO NUL from its input, again and again, and gives the file TO the attributes that PATH below FOLDER has.
// Answers with one letter each: 1 some, 0 none, - not all could be had or set.
static int carry_all(void) {
  char *words[3] = {NULL};
  size_t sizes[3] = {0};
  for (;;) {
    for (int i = 0; i < 3; i++)
      if (getdelim(&words[i], &sizes[i], 0, stdin) < 0) return fflush(stdout) != 0;
    int folder = open(words[0], O_PATH | O_DIRECTORY | O_CLOEXEC), from = folder < 0 ? -1 : open_below(folder, words[1]);
    int result = from < 0 ? -1 : carry(from, words[2]);
    putchar(result < 0 ? '-' : '0' + result);
    if (from >= 0) close(from);
    if (folder >= 0) close(folder);
  }
}

// All that was written to the file systems of these folders is on their disks afterwards.
static int sync_all(char **folders) {
  for (; *folders; folders++) {
    int fd = open(*folders, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0) {
      fprintf(stderr, "%s: %s\n", *folders, strerror(errno));
      return 1;
    }
    close(fd);
  }
  return 0;
}

int main(int argc, char **argv) {
  // Parts of an apply or an undo: Ctrl-C is for whoever waits for them, who takes back or goes on.
  int carries = argc == 2 && strcmp(argv[1], "attributes") == 0, syncs = argc > 2 && strcmp(argv[1], "sync") == 0;
  if (carries || syncs) (void)setpgid(0, 0);
  if (carries) return carry_all();
  if (syncs) return sync_all(argv + 2);
  if (argc < 3) return 2;
  enum mode mode = strcmp(argv[1], "list") == 0 ? LIST : strcmp(argv[1], "measure") == 0 ? MEASURE : REMOVE;
  if (mode == REMOVE && strcmp(argv[1], "remove") != 0) return 2;
  // A folder stays open for each level that is being read.
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  if (mode == LIST && argc == 4) original = open(argv[--argc], O_PATH | O_DIRECTORY | O_CLOEXEC);
  become_owner();
  for (int i = 2; i < argc; i++) {
    struct stat facts;
    int fd = open(argv[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) < 0) {
      if (mode != LIST && errno == ENOENT) continue;
      fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
      return 1;
    }
    if (mode == LIST) print_entry(fd, ".", "", &facts);
    walk(fd, mode, facts.st_dev);
    if (mode == REMOVE && rmdir(argv[i]) < 0 && errno != ENOENT) trouble("");
  }
  if (mode == MEASURE) printf("%llu %llu\n", total_bytes, total_entries);
  if (fflush(stdout) != 0) return 1;
  return worst;
}
