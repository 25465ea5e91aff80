// Covers: puts read-only clones, empty files and links over paths inside the cell's mount namespace, from outside.
// The namespace belongs to the inner user namespace, over which the supervisor (in its parent) has every right. Neighbour: cell-clone.c.
#include "common.h"
#include "cell-clone.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 100 };
#define COVERS_DIR "/run/anchorhold/covers" // an empty folder that the engine makes

static int move_over(int tree, int place) {
  return (int)syscall(SYS_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

// A small file system with an empty file `f`, an empty folder `d` and one link per cover that needs one, laid over
// COVERS_DIR: only an attached mount can be cloned before Linux 6.15. Returns a path descriptor of it.
static int make_source(const struct cover *covers, size_t count) {
  int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0) return -1;
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return -1;
  int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  close(context);
  if (mount < 0) return -1;
  int file = openat(mount, "f", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
  if (file < 0 || close(file) < 0 || mkdirat(mount, "d", 0555) < 0) return -1;
  for (size_t i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "l%u", (unsigned)i);
    if (covers[i].kind == 'l' && symlinkat(covers[i].target, mount, name) < 0) return -1;
  }
  if (make_readonly(mount) < 0) return -1;
  int place = open_path(COVERS_DIR);
  if (place < 0 || move_over(mount, place) < 0) return -1;
  close(place);
  return mount;
}

// Whether the path is a mount of its own already that does what this cover would do.
static int lies_already(int place, char kind) {
  struct statx facts;
  if (statx(place, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_SIZE, &facts) < 0) return -1;
  if (!(facts.stx_attributes & STATX_ATTR_MOUNT_ROOT)) return 0;
  if (kind == 'l') return S_ISLNK(facts.stx_mode);
  struct statvfs system;
  if (fstatvfs(place, &system) < 0) return -1;
  if (!(system.f_flag & ST_RDONLY)) return 0;
  if (kind == 'r') return 1;
  return kind == 'f' && S_ISREG(facts.stx_mode) && facts.stx_size == 0;
}

// `bases`: NULL where there are few covers.
static int put(const struct cover *cover, size_t index, int source, struct bases *bases) {
  int place = open_path(cover->path);
  if (place < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1; // gone meanwhile: nothing to protect
  int lies = lies_already(place, cover->kind);
  if (lies != 0) {
    close(place);
    return lies < 0 ? -1 : 0;
  }
  int tree;
  if (cover->kind == 'r') tree = readonly_clone(bases, cover->path, place);
  else {
    struct stat facts;
    if (fstat(place, &facts) < 0) return -1;
    char name[16] = "f";
    if (cover->kind == 'l') snprintf(name, sizeof name, "l%u", (unsigned)index);
    // The kind on disk decides: a file can't lie over a folder.
    else if (S_ISDIR(facts.st_mode)) name[0] = 'd';
    tree = clone_tree(source, name, 0);
  }
  if (tree < 0 || move_over(tree, place) < 0) return -1;
  close(tree);
  close(place);
  return 0;
}

static int put_all(pid_t pid, const struct cover *covers, size_t count, char *why, size_t size) {
  char namespace[64];
  snprintf(namespace, sizeof namespace, "/proc/%d/ns/mnt", pid);
  struct bases *bases = count > FEW ? bases_read(pid) : NULL;
  int fd = open(namespace, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNS) < 0) {
    snprintf(why, size, "entering the cell's mount namespace: %s", strerror(errno));
    return -1;
  }
  int source = -1;
  for (size_t i = 0; i < count && source < 0; i++) {
    if (covers[i].kind == 'r') continue;
    source = make_source(covers, count);
    if (source < 0) {
      snprintf(why, size, "making the covers' file system: %s", strerror(errno));
      return -1;
    }
  }
  for (size_t i = 0; i < count; i++) {
    if (put(&covers[i], i, source, bases) == 0) continue;
    snprintf(why, size, "covering %s: %s", covers[i].path, strerror(errno));
    return -1;
  }
  return 0;
}

// In a child of its own: entering the namespace changes root and working folder for good.
int covers_put(pid_t pid, const struct cover *covers, size_t count, char *why, size_t why_size) {
  if (count == 0) return 0;
  int answer[2];
  if (pipe2(answer, O_CLOEXEC) < 0) fail_errno("pipe");
  pid_t worker = fork();
  if (worker < 0) {
    snprintf(why, why_size, "fork: %s", strerror(errno));
    close(answer[0]);
    close(answer[1]);
    return -1;
  }
  if (worker == 0) {
    umask(0); // the sources' modes are exactly those written above
    char text[512] = "";
    int result = put_all(pid, covers, count, text, sizeof text);
    if (result < 0 && write_all(answer[1], text, strlen(text)) < 0) _exit(1);
    _exit(result < 0 ? 1 : 0);
  }
  close(answer[1]);
  size_t length = 0;
  ssize_t got;
  while (length + 1 < why_size && ((got = read(answer[0], why + length, why_size - 1 - length)) > 0 || (got < 0 && errno == EINTR)))
    if (got > 0) length += (size_t)got;
  why[length] = 0;
  close(answer[0]);
  int status;
  while (waitpid(worker, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
