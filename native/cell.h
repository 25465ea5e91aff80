// What the phases of the supervisor share: the plan as read from Node, and the state of the one run. Neighbours: cell*.c.
#ifndef ANCHORHOLD_CELL_H
#define ANCHORHOLD_CELL_H
#include "common.h"
#include <sys/resource.h>

// Descriptors of the engine's process; those of the inputs are numbered by the plan, below 100 (bubblewrap/compile.ts).
enum { INFO_FD = 3, ENTER_FD = 4, MAX_TARGET = 99 };

struct input {
  int target, fd;
};
// One copy-on-write folder: `lower` shown at `place`, changes in `upper`.
struct view {
  char *place, *lower, *upper, *work;
};
enum { VIEW_WORDS = 4 };
struct group {
  char *path;
  int fd;
};
struct plan {
  struct listener *listeners;
  size_t listener_count;
  struct cover *covers;
  size_t cover_count;
  struct input *inputs;
  size_t input_count;
  struct group *cgroups;
  size_t cgroup_count;
  struct bytes words; // argv of the engine, then the parts of each view, NUL-separated
  size_t word_count, view_count;
  struct bytes checks; // NUL-separated, for enter
  unsigned long long open_files, file_size, processes, memory, time;
  unsigned cpus;
  int terminal;
};

struct run {
  struct plan plan;
  int signals, info, enter;
  pid_t engine, init, command, porter;
  struct terminal terminal;
  struct bytes pending, channel;
  int engine_status, engine_ended, may_start, enter_ready, entered, started, stopped;
  char kill_reason[32];
};

// Reads records from COMMAND_FD up to the one called `last`; ends the run on anything unknown. Where Node goes away, or has nothing to start
// after all, it ends this process, after `engine` where that is not 0.
void plan_read(struct plan *plan, const char *last, pid_t engine);
// Starts the process that is to become bubblewrap, in the plan's control groups; with the rest of the plan, `engine_order` makes it so.
pid_t engine_fork(struct plan *plan, int *gate);
void engine_order(int gate, const struct plan *plan, const struct streams *streams, int info, int enter);
// Mounts views in a mount namespace of the caller's own; ends the run where that can't be.
void views_mount(const struct view *views, size_t count);
// Whether one could be mounted: 0, or -1 with `why` filled.
int view_try(const struct view *view, char *why, size_t size);
// Starts the process that makes the cell's connections; `listener`: the filter's, from enter. Its id, or -1. With `moves` also folders of the
// views are renamed there; `inside`: any process of the cell.
pid_t porter_start(int listener, pid_t inside, int moves);
// The same in threads of the caller, which sees the cell's processes and may look into them (a container's process 1). 0, or -1.
int porter_serve(int listener);
// Starts the process that renames folders of views: a channel to it, or -1. It ends with its caller.
int mover_start(pid_t inside);
// As rename(2) of two absolute paths inside: 0 or its error. From any thread.
int mover_ask(int channel, unsigned flags, const char *from, const char *to);
enum { MOVE_PATH = 4096 };
// Whether the socket file behind a path descriptor was bound in this network namespace. `thread`: any of the cell.
int socket_is_ours(pid_t thread, int place);
// From the start of the engine to the end of the last process.
void run_loop(struct run *run);
#endif
