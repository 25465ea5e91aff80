// The guard: stands between the supervisor and bubblewrap, and sees to it that nothing of a cell outlives the two. A killed
// bubblewrap can leave a child that waits for its user map for ever and dies of nobody's death: the guard inherits and kills it.
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENT_DIED = SIGUSR1 };

static void kill_children(pid_t engine) {
  char text[4096], path[64], *at = text;
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (got < 0 && engine > 0) (void)kill(engine, SIGKILL);
  text[got < 0 ? 0 : got] = 0;
  for (long pid; (pid = strtol(at, &at, 10)) > 1;) (void)kill((pid_t)pid, SIGKILL);
}

static noreturn void guard(pid_t supervisor, pid_t engine) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, PARENT_DIED);
  int code = 125, ending = getppid() != supervisor, status;
  // Not the caller's streams, nor a side of any channel: their ends are told by others.
  if (syscall(SYS_close_range, 0, ~0U, 0) < 0) ending = 1;
  for (;;) {
    // Again after each end: what it had below it is a child of this process now.
    if (ending) kill_children(engine);
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid == engine) {
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        engine = 0;
        ending = 1; // the command's end is the cell's: what it left running goes now
      }
      if (ending) kill_children(engine);
    }
    if (pid < 0 && errno == ECHILD) _exit(code);
    if (sigwaitinfo(&set, NULL) == PARENT_DIED) ending = 1;
  }
}

pid_t guarded_fork(void) {
  pid_t supervisor = getpid(), pid = fork();
  if (pid != 0) return pid;
  sigset_t all;
  sigfillset(&all);
  // A process group of its own: no key of the terminal reaches it, or stops it.
  if (setpgid(0, 0) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0) _exit(125);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_PDEATHSIG, PARENT_DIED) < 0) _exit(125);
  pid_t engine = fork();
  if (engine < 0) _exit(125);
  if (engine == 0) return 0;
  guard(supervisor, engine);
}
