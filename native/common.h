// Shared by the files of anchorhold-cell: the supervisor that stands outside the cell. Neighbours: cell*.c, common.c.
#ifndef ANCHORHOLD_COMMON_H
#define ANCHORHOLD_COMMON_H
#define _GNU_SOURCE
#include <stddef.h>
#include <stdnoreturn.h>
#include <sys/types.h>

enum { IPC_FD = 3, COMMAND_FD = 4 };

// Growing bytes. Out of memory ends the run: nothing can be promised any more.
struct bytes {
  char *data;
  size_t length, size;
};
void *must_alloc(size_t size);
void bytes_add(struct bytes *into, const void *data, size_t length);
void bytes_text(struct bytes *into, const char *text);
void bytes_format(struct bytes *into, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The text as a JSON string with its quotes; bytes that are no ASCII text are written as \u00xx.
void bytes_json(struct bytes *into, const char *text);
void bytes_free(struct bytes *bytes);
int write_all(int fd, const void *data, size_t length);

// Messages to Node (JSON lines, as Node's own IPC channel speaks them).
int ipc_send(const char *line, size_t length, int fd);
int ipc_event(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Tells Node why no command runs, kills what runs, and ends.
noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void fail_errno(const char *what);

// A signalfd(2) of children's ends, for a program that a terminal's signals shall not end.
int watch_children(void);

// What lies over one path of the cell (model/plan.ts Cover).
struct cover {
  unsigned id;
  char kind; // 'r' read-only, 'f' empty file, 'd' empty folder, 'l' link
  char *path, *target;
};
// Puts covers on inside the mount namespace of `pid`; every outcome goes to Node when `report`. 0, or -1 with `why` filled.
int covers_put(pid_t pid, const struct cover *covers, size_t count, char *why, size_t why_size);

struct listener {
  char kind; // 't' or 'u'
  char *address;
  int port, fd;
};
void net_up(void);
void net_listen(struct listener *listener);

// The cell's standard streams: what takes the place of the caller's own descriptor, or -1.
struct streams {
  int fd[3];
};
// `file_size`: the limit on what is written to a file, in bytes; 0 for none.
void streams_open(struct streams *streams, unsigned long long file_size);
// In the process that becomes the engine.
void streams_take(const struct streams *streams);
void streams_close(struct streams *streams);

// Like fork(2), with a guard between: the returned process ends, with the child's exit code or 128 + signal, once nothing below
// it is left; the child's end, and the caller's, end all of it.
pid_t guarded_fork(void);

struct terminal {
  int fd; // -1: the cell has no terminal
  int foreground;
  int erase; // the terminal understands control sequences
};
void terminal_open(struct terminal *terminal);
void terminal_restore(const struct terminal *terminal);
// The command was stopped from the keyboard: stops anchorhold's own group so that the caller's shell takes over; returns
// when it continues, true when in the foreground.
int terminal_suspend(struct terminal *terminal);

// Bytes of memory that the process `init` and all below it hold alone; an upper estimate first, exact when above `limit`.
unsigned long long memory_held(pid_t init, unsigned long long limit);

// Memory that no process holds alone. `open` once the cell's mounts stand, -1 where it can't be seen; then for each look `begin`,
// `opened` for every process, `mapped` where it is to be exact, and the sum of the rest.
int shared_open(pid_t init);
void shared_begin(void);
void shared_opened(pid_t pid);
unsigned long long shared_mapped(pid_t pid);
unsigned long long shared_held(void);
#endif
