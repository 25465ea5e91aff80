// Copy-on-write views: mounts overlays in a mount namespace of the engine's own, where bubblewrap finds them by their path. The kernel
// (since 5.11) lets a user namespace do so with `userxattr`. Folders are handed over as descriptors: no path is parsed, none is a link.
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int open_folder(const char *path) {
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static int set_folder(int context, const char *option, int folder) {
  char name[32];
  snprintf(name, sizeof name, "/proc/self/fd/%d", folder);
  return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, option, name, 0);
}

// What the kernel says of a refused mount is worth more than the number.
static void tell(int context, const char *what, char *why, size_t size) {
  int error = errno;
  char text[256];
  ssize_t got = context < 0 ? -1 : read(context, text, sizeof text - 1);
  if (got > 2) text[got] = 0;
  snprintf(why, size, "%s: %s%s%s", what, strerror(error), got > 2 ? " · " : "", got > 2 ? text + 2 : "");
}

static int view_mount(const struct view *view, char *why, size_t size) {
  int lower = open_folder(view->lower), upper = open_folder(view->upper), work = open_folder(view->work), place = open_folder(view->place);
  if (lower < 0 || upper < 0 || work < 0 || place < 0) {
    snprintf(why, size, "%s: %s", lower < 0 ? view->lower : view->upper, strerror(errno));
    return -1;
  }
  int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  if (context < 0) {
    tell(-1, "overlay file system", why, size);
    return -1;
  }
  if (set_folder(context, "lowerdir", lower) < 0 || set_folder(context, "upperdir", upper) < 0 || set_folder(context, "workdir", work) < 0 ||
      syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
      syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
    tell(context, "overlay", why, size);
    return -1;
  }
  int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (mount < 0 || syscall(SYS_move_mount, mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    tell(context, "overlay", why, size);
    return -1;
  }
  close(context);
  close(mount);
  close(lower), close(upper), close(work), close(place);
  return 0;
}

void views_mount(const struct view *views, size_t count) {
  char why[768];
  if (count == 0) return;
  // Nothing that is mounted here may show outside, and nothing mounted outside from now on belongs to this run.
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail_errno("mount namespace");
  for (size_t i = 0; i < count; i++)
    if (view_mount(&views[i], why, sizeof why) < 0) fail("copy-on-write view of %s: %s", views[i].lower, why);
}

// The options that the kernel chose, as it tells them; for doctor.
static void print_options(void) {
  char line[8192], last[8192] = "";
  FILE *file = fopen("/proc/self/mountinfo", "re");
  if (!file) return;
  while (fgets(line, sizeof line, file)) {
    char *at = strstr(line, " - overlay ");
    if (at) snprintf(last, sizeof last, "%s", at + 11);
  }
  fclose(file);
  for (char *word = strtok(last, " ,\n"); word; word = strtok(NULL, " ,\n"))
    if (strncmp(word, "lowerdir", 8) != 0 && strncmp(word, "upperdir", 8) != 0 && strncmp(word, "workdir", 7) != 0) printf("%s ", word);
  putchar('\n');
  fflush(stdout);
}

// For examine.ts and the choice of a view: `lower` shown copy-on-write through three empty folders. Nothing is left but in them.
int view_try(const struct view *view, char *why, size_t size) {
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
    snprintf(why, size, "mount namespace: %s", strerror(errno));
    return -1;
  }
  // Without attributes a replaced folder would show what it replaced.
  if (setxattr(view->upper, "user.anchorhold", "y", 1, 0) < 0 || removexattr(view->upper, "user.anchorhold") < 0) {
    snprintf(why, size, "the file system of %s keeps no attributes of users (%s)", view->upper, strerror(errno));
    return -1;
  }
  if (view_mount(view, why, size) < 0) return -1;
  char path[4096];
  snprintf(path, sizeof path, "%s/.anchorhold-%d", view->place, getpid());
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0 || unlink(path) < 0) {
    snprintf(why, size, "writing to the view: %s", strerror(errno));
    return -1;
  }
  print_options();
  return 0;
}
