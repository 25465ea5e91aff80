// What cell-cover.c asks of cell-clone.c. Every descriptor is the caller's to close.
#ifndef ANCHORHOLD_CELL_CLONE_H
#define ANCHORHOLD_CELL_CLONE_H
#include <sys/types.h>

// A path descriptor; no link in any part.
int open_path(const char *path);
// A detached clone of the mount at `path` below `at`, or at `at` itself where that is empty.
int clone_tree(int at, const char *path, int recursive);
int make_readonly(int tree);

// The mounts of that process's namespace, as they are now: before there are many. Called before entering it (its /proc doesn't show this process).
struct bases *bases_read(pid_t pid);
// A detached read-only clone of what lies at `path`, which `place` is open on, with all that is mounted in it. `bases`: NULL for a few.
int readonly_clone(struct bases *bases, const char *path, int place);
#endif
