// Memory of the cell that is no process's own (attacks.md RES-16): its memory file systems, System V segments, and memory files
// (memfd_create, shared anonymous mappings). Used by cell-memory.c; each such object counts once.
#include "common.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_FOLDERS = 32, MOST_FILES = 4096 };
static struct {
  int folders[MOST_FOLDERS], folder_count, segments;
  dev_t device; // of the kernel's own memory file system, in which memory files lie
  struct {
    ino_t inode;
    unsigned long long bytes;
  } files[MOST_FILES];
  int file_count;
} shared = {.segments = -1};

// /proc/sysvipc/shm shows the namespace of who opened it: a child that shares our descriptors opens it in the cell's.
static int open_segments(pid_t init) {
  pid_t worker = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
  if (worker < 0) return -1;
  if (worker == 0) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/ns/ipc", init);
    int namespace = open(name, O_RDONLY | O_CLOEXEC);
    int entered = namespace >= 0 && setns(namespace, CLONE_NEWIPC) == 0;
    if (namespace >= 0) close(namespace);
    int fd = entered ? open("/proc/sysvipc/shm", O_RDONLY | O_CLOEXEC) : -1;
    _exit(fd < 0 || fd > 254 ? 255 : fd);
  }
  int status;
  while (waitpid(worker, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

static void open_folder(pid_t init, const char *place) {
  char path[4200];
  snprintf(path, sizeof path, "/proc/%d/root%s", init, place);
  int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat facts, other;
  if (fd < 0 || fstat(fd, &facts) < 0) return;
  for (int i = 0; i < shared.folder_count; i++)
    if (fstat(shared.folders[i], &other) == 0 && other.st_dev == facts.st_dev) {
      close(fd);
      return;
    }
  shared.folders[shared.folder_count++] = fd;
}

int shared_open(pid_t init) {
  int own = memfd_create("anchorhold", MFD_CLOEXEC);
  struct stat facts;
  if (own < 0 || fstat(own, &facts) < 0) return -1;
  shared.device = facts.st_dev;
  close(own);
  shared.segments = open_segments(init);
  char line[8192], place[4096];
  snprintf(line, sizeof line, "/proc/%d/mountinfo", init);
  FILE *file = fopen(line, "re");
  // A kernel without System V memory has no such list.
  if (!file || (shared.segments < 0 && access("/proc/sysvipc/shm", F_OK) == 0)) return -1;
  while (shared.folder_count < MOST_FOLDERS && fgets(line, sizeof line, file))
    if (strstr(line, " - tmpfs ") && sscanf(line, "%*s %*s %*s %*s %4095s", place) == 1 && !strchr(place, '\\')) open_folder(init, place);
  fclose(file);
  return 0;
}

void shared_begin(void) { shared.file_count = 0; }

void shared_opened(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR *folder = opendir(path);
  if (!folder) return; // ended meanwhile
  for (struct dirent *entry; (entry = readdir(folder));) {
    struct stat facts;
    if (fstatat(dirfd(folder), entry->d_name, &facts, 0) < 0 || facts.st_dev != shared.device || !S_ISREG(facts.st_mode)) continue;
    int known = 0;
    while (known < shared.file_count && shared.files[known].inode != facts.st_ino) known++;
    if (known == MOST_FILES) break;
    shared.files[known].inode = facts.st_ino;
    shared.files[known].bytes = (unsigned long long)facts.st_blocks * 512;
    if (known == shared.file_count) shared.file_count++;
  }
  closedir(folder);
}

// Memory files that no descriptor leads to any more, shared evenly among those who map them. System V segments are listed elsewhere.
unsigned long long shared_mapped(pid_t pid) {
  char line[4400];
  snprintf(line, sizeof line, "/proc/%d/smaps", pid);
  FILE *file = fopen(line, "re");
  if (!file) return 0; // ended meanwhile
  unsigned long long bytes = 0, kilobytes, inode;
  unsigned high, low;
  int counts = 0;
  char name[16];
  while (fgets(line, sizeof line, file)) {
    if (counts && sscanf(line, "Pss: %llu", &kilobytes) == 1) bytes += kilobytes * 1024;
    name[0] = 0;
    if (sscanf(line, "%*x-%*x %*s %*x %x:%x %llu %15s", &high, &low, &inode, name) < 3) continue;
    counts = makedev(high, low) == shared.device && strncmp(name, "/SYSV", 5) != 0;
    for (int i = 0; counts && i < shared.file_count; i++) counts = shared.files[i].inode != inode;
  }
  fclose(file);
  return bytes;
}

static unsigned long long segments_held(void) {
  static char text[262144];
  if (shared.segments < 0) return 0;
  ssize_t got, length = 0;
  if (lseek(shared.segments, 0, SEEK_SET) < 0) return 0;
  while (length + 1 < (ssize_t)sizeof text && (got = read(shared.segments, text + length, sizeof text - 1 - (size_t)length)) > 0) length += got;
  text[length] = 0;
  unsigned long long sum = 0, resident, swapped;
  for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
    if (sscanf(line + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &resident, &swapped) == 2) sum += resident + swapped;
  return sum;
}

unsigned long long shared_held(void) {
  unsigned long long sum = segments_held();
  for (int i = 0; i < shared.file_count; i++) sum += shared.files[i].bytes;
  for (int i = 0; i < shared.folder_count; i++) {
    struct statfs system;
    if (fstatfs(shared.folders[i], &system) == 0) sum += (unsigned long long)(system.f_blocks - system.f_bfree) * (unsigned long long)system.f_bsize;
  }
  return sum;
}
