// anchorhold-init: process 1 of a container cell. Reads its order, starts anchorhold-enter as the command's user under the exact syscall filter,
// makes the cell's connections (cell-porter.c), collects what dies, and ends with the command, or as soon as nobody outside holds on to it.
// It can do no more than the command can, but its memory is closed to it.
#include "cell.h"
#include "hold.h"
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct state {
  int outside, enter, signals;
  pid_t child, command;
  const struct order *order;
};

static noreturn void end(struct state *state, int code) {
  char text[128];
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) < 0) memset(&usage, 0, sizeof usage);
  long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000LL + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  int length = snprintf(text, sizeof text, "E%d %lld %lld %lld", code, usage.ru_maxrss * 1024LL, cpu, oom_kills());
  (void)packet_send(state->outside, text, (size_t)length, -1);
  _exit(code); // and with process 1 all that is left
}

// The command leads a process group of its own; before it runs, a signal means: don't.
static void pass_signal(struct state *state, int number) {
  if (number <= 0 || number >= NSIG) return;
  if (!state->command) end(state, 128 + number);
  if (kill(-state->command, number) < 0) (void)kill(state->command, number);
}

static void reap(struct state *state) {
  struct signalfd_siginfo information;
  while (read(state->signals, &information, sizeof information) == sizeof information)
    if (information.ssi_signo != SIGCHLD) pass_signal(state, (int)information.ssi_signo);
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != state->child) continue;
    while (state->enter >= 0) from_enter(state->enter, &state->enter, &state->command, state->outside);
    end(state, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

// The engine's command line says the terminal's size a moment after the start; a command that asks before would be told that there is none.
static void await_size(void) {
  struct winsize size;
  for (int tries = 0; tries < 200 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row == 0 && size.ws_col == 0; tries++)
    (void)poll(NULL, 0, 5);
}

static void from_outside(struct state *state) {
  char text[MESSAGE];
  int passed;
  ssize_t got = packet_receive(state->outside, text, &passed);
  if (passed >= 0) close(passed);
  if (got <= 0) _exit(137);
  if (text[0] == 'X') end(state, 137);
  else if (text[0] == 'T') pass_signal(state, atoi(text + 1));
  else if (text[0] == 'K') (void)packet_send(state->enter, text, (size_t)got, -1);
  else if (text[0] == 'G') {
    struct bytes message = {0};
    int alone = text[1] == 'A';
    bytes_text(&message, isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) >= 0 ? "GF" : "GN");
    for (size_t at = 0; at < state->order->check_count; at++) {
      const char *const *check = (const char *const *)state->order->checks + 3 * at;
      // Held by hand, there is no gateway that could answer.
      if (alone && strcmp(check[0], "resolver") == 0) continue;
      for (int i = 0; i < 3; i++) bytes_add(&message, check[i], strlen(check[i]) + 1);
    }
    await_size();
    if (packet_send(state->enter, message.data, message.length, -1) < 0) end(state, 125);
    bytes_free(&message);
  }
}

static int reach_holder(void) {
  struct sockaddr_un address;
  socklen_t length = meeting_address(&address);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0) fail_errno("nobody holds this cell's network namespace");
  return fd;
}

static int watch_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  const int held[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) sigaddset(&set, held[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) fail_errno("sigprocmask");
  signal(SIGTTOU, SIG_IGN);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) fail_errno("signalfd");
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 2 || getpid() != 1) {
    dprintf(STDERR_FILENO, "anchorhold-init is started by anchorhold, as process 1 of a container\n");
    return 125;
  }
  while (open("/dev/null", O_RDWR | O_CLOEXEC) < ENTER_FD) continue; // numbers that have a meaning (cell.h) stay free for it
  struct order order = {0};
  order_read(&order);
  struct state state = {.outside = reach_holder(), .signals = watch_signals(), .order = &order};
  int ends[2], on = 1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) fail_errno("socketpair");
  // The command's process id comes from the kernel with enter's message.
  if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) fail_errno("SO_PASSCRED");
  state.enter = ends[0];
  oom_kills();
  if ((state.child = fork()) < 0) fail_errno("fork");
  if (state.child == 0) become_enter(&order, ends[1], argv + 1);
  close(ends[1]);
  drop_rights(); // the one that a user namespace of the child's may have needed (compile.ts)
  // From here on: the child was made before, since its memory has to be read when it connects.
  if (prctl(PR_SET_DUMPABLE, 0) < 0) fail_errno("PR_SET_DUMPABLE");
  for (;;) {
    struct pollfd wait[] = {{state.outside, POLLIN, 0}, {state.enter, POLLIN, 0}, {state.signals, POLLIN, 0}};
    if (poll(wait, 3, -1) < 0 && errno != EINTR) fail_errno("poll");
    if (wait[1].revents) from_enter(state.enter, &state.enter, &state.command, state.outside);
    if (wait[0].revents) from_outside(&state);
    if (wait[2].revents) reap(&state);
  }
}
