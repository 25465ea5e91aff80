// anchorhold-enter: the first program inside a new cell. Checks that the wall stands, then becomes the command.
// Statically linked, bound read-only at /run/anchorhold/enter; talks to anchorhold-cell over one inherited socket.
#include "enter.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { SUPERVISOR_FD = 4, WAIT_KILLABLE = 1 << 5 };

static char *next_field(char **at, const char *end) {
  if (*at >= end) return "";
  char *field = *at;
  *at += strlen(field) + 1;
  return field;
}

static void run_checks(char *at, const char *end) {
  while (at < end) {
    const char *kind = next_field(&at, end), *subject = next_field(&at, end), *detail = next_field(&at, end);
    const char *wrong = check_one(kind, subject, detail);
    if (!wrong) continue;
    char text[1024];
    int length = snprintf(text, sizeof text, "P%s", wrong);
    (void)send(SUPERVISOR_FD, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1, MSG_NOSIGNAL);
    _exit(125);
  }
}

static void reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_command(char **argv) {
  // A process group of its own, so that a signal reaches all that the command started for itself, and nothing else. It
  // fails only for a session leader, which leads one already.
  (void)setpgid(0, 0);
  if (send(SUPERVISOR_FD, "C", 1, MSG_NOSIGNAL) < 0) _exit(125);
  if (syscall(SYS_close_range, 3, ~0U, 0) < 0) _exit(125);
  reset_signals();
  execvp(argv[0], argv);
  int missing = errno == ENOENT || errno == ENOTDIR;
  dprintf(STDERR_FILENO, "anchorhold: cannot run %s: %s\n", argv[0], errno == ENOENT && !strchr(argv[0], '/') ? "not found in the cell's PATH" : strerror(errno));
  _exit(missing ? 127 : 126);
}

#ifndef SYS_rename // arm64 has its successors only
#define SYS_rename SYS_renameat2
#define SYS_renameat SYS_renameat2
#endif

// Every connect() of the cell is answered from outside (cell-porter.c), in a view every rename too: the filter's listener goes to the
// supervisor, and is gone here before anything else runs. Comes on top of the engine's filter, whose refusals stay.
static int open_watch(int views) {
  const unsigned asked = SECCOMP_RET_USER_NOTIF, rename = views ? asked : SECCOMP_RET_ALLOW;
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rename, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 1, 2),
      BPF_STMT(BPF_RET | BPF_K, asked),
      BPF_STMT(BPF_RET | BPF_K, rename),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  // A signal may not make the caller ask a second time for what is under way (Linux 5.19).
  int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE, &program);
  return fd >= 0 || errno != EINVAL ? fd : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static int report_ready(int views) {
  int listener = open_watch(views);
  if (listener < 0) return -1;
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec vector = {.iov_base = "R", .iov_len = 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &listener, sizeof listener);
  ssize_t sent = sendmsg(SUPERVISOR_FD, &message, MSG_NOSIGNAL);
  close(listener);
  return sent < 0 ? -1 : 0;
}

static void take_terminal(int terminal, pid_t group) {
  // From a background group this call stops the caller, unless the signal is blocked.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
  (void)tcsetpgrp(terminal, group);
}

// On a terminal this process stays as the command's parent: it alone learns that the command was stopped (Ctrl-Z).
static int stay_with(pid_t child, int terminal) {
  (void)prctl(PR_SET_DUMPABLE, 0); // not for the command to look into
  for (;;) {
    int status;
    if (waitpid(child, &status, WUNTRACED) < 0) {
      if (errno == EINTR) continue;
      return 125;
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    char answer[2];
    if (send(SUPERVISOR_FD, "S", 1, MSG_NOSIGNAL) < 0 || recv(SUPERVISOR_FD, answer, sizeof answer, 0) != 2) return 125;
    if (answer[1] == 'F') take_terminal(terminal, child);
    (void)kill(-child, SIGCONT);
  }
}

static int with_terminal(char **argv, int foreground) {
  int terminal = -1;
  for (int fd = 0; fd <= 2 && terminal < 0; fd++)
    if (isatty(fd) && tcgetpgrp(fd) >= 0) terminal = fd;
  pid_t child = fork();
  if (child < 0) return 125;
  if (child == 0) {
    (void)setpgid(0, 0); // also below and in the parent: whoever is first
    if (foreground) take_terminal(terminal, getpid());
    become_command(argv);
  }
  (void)setpgid(child, child);
  return stay_with(child, terminal);
}

int main(int argc, char **argv) {
  static char message[262144];
  int views = argc > 1 && strcmp(argv[1], "--views") == 0;
  argv += views;
  argc -= views;
  if (argc < 2) return 125;
  if (report_ready(views) < 0) {
    (void)send(SUPERVISOR_FD, "Pconnections cannot be watched", 30, MSG_NOSIGNAL);
    return 125;
  }
  ssize_t got;
  while ((got = recv(SUPERVISOR_FD, message, sizeof message - 1, 0)) < 0 && errno == EINTR) continue;
  if (got < 2 || message[0] != 'G') return 125; // the supervisor is gone
  run_checks(message + 2, message + got);
  if (message[1] != 'N') return with_terminal(argv + 1, message[1] == 'F');
  become_command(argv + 1);
}
