// The supervisor's life while the cell runs: one poll over Node, bubblewrap, enter, timers and child processes.
#include "cell.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_INTERVAL = 250 };

static unsigned long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time); // a suspended laptop's hours count too
  return (unsigned long long)time.tv_sec * 1000 + (unsigned long long)time.tv_nsec / 1000000;
}

// Killing the cell's init kills everything in its process namespace (pid_namespaces(7)). Before bubblewrap said which process
// that is, its guard ends all there is.
static void kill_cell(struct run *run, const char *reason) {
  if (!run->kill_reason[0]) snprintf(run->kill_reason, sizeof run->kill_reason, "%s", reason);
  if (run->engine_ended) return;
  if (run->init > 0) (void)kill(run->init, SIGKILL);
  else (void)kill(run->engine, SIGUSR1);
}

static void fail_run(struct run *run, const char *kind, const char *text) {
  struct bytes json = {0};
  bytes_json(&json, text);
  ipc_event("{\"kind\":\"%s\",\"message\":%s}", kind, json.data);
  bytes_free(&json);
  kill_cell(run, "failed");
}

// Once bubblewrap has pivoted (enter runs), Node said go and the init is known: covers, then enter's checks.
static void maybe_start(struct run *run) {
  if (run->entered || !run->may_start || !run->enter_ready || run->init <= 0 || run->engine_ended || run->kill_reason[0]) return;
  run->entered = 1;
  char why[512] = "";
  if (covers_put(run->init, run->plan.covers, run->plan.cover_count, why, sizeof why) < 0) return fail_run(run, "failed", why);
  if (run->plan.memory && shared_open(run->init) < 0) return fail_run(run, "failed", "the cell's memory can't be watched");
  struct bytes message = {0};
  bytes_text(&message, run->terminal.fd < 0 ? "GN" : run->terminal.foreground ? "GF" : "GB");
  bytes_add(&message, run->plan.checks.data, run->plan.checks.length);
  if (send(run->enter, message.data, message.length, MSG_NOSIGNAL) < 0) fail_run(run, "failed", strerror(errno));
  bytes_free(&message);
}

static void read_info(struct run *run) {
  static char text[4096];
  static size_t length;
  ssize_t got = read(run->info, text + length, sizeof text - 1 - length);
  if (got < 0 && errno == EINTR) return;
  if (got > 0) length += (size_t)got;
  if (got <= 0 || length == sizeof text - 1) {
    close(run->info);
    run->info = -1;
  }
  const char *at = strstr(text, "\"child-pid\":");
  int pid = 0;
  // Only a number followed by something is whole.
  char after = 0;
  if (at && run->init <= 0 && sscanf(at + 12, " %d%c", &pid, &after) == 2) run->init = pid;
  if (run->init > 0 && run->kill_reason[0] && !run->engine_ended) (void)kill(run->init, SIGKILL);
}

// enter stands in the cell and waits. With its word comes the listener of its filter, which the porter answers.
static void enter_is_ready(struct run *run, int listener, pid_t enter) {
  run->porter = listener < 0 ? -1 : porter_start(listener, enter, run->plan.view_count > 0);
  if (run->porter < 0) return fail_run(run, "failed", "no process could be started that makes the cell's connections");
  run->enter_ready = 1;
}

static void read_enter(struct run *run) {
  char text[4096];
  union {
    char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {.iov_base = text, .iov_len = sizeof text - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got = recvmsg(run->enter, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    close(run->enter);
    run->enter = -1;
    return;
  }
  text[got] = 0;
  struct ucred sender = {0};
  int passed = -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_type == SCM_CREDENTIALS) memcpy(&sender, CMSG_DATA(header), sizeof sender);
    if (header->cmsg_type == SCM_RIGHTS) memcpy(&passed, CMSG_DATA(header), sizeof passed);
  }
  if (text[0] == 'R' && !run->porter) enter_is_ready(run, passed, sender.pid);
  else if (text[0] == 'P') fail_run(run, "preflight", text + 1);
  else if (text[0] == 'C') {
    run->command = sender.pid;
    run->started = 1;
    ipc_event("{\"kind\":\"started\",\"pid\":%d}", sender.pid);
  } else if (text[0] == 'S' && run->started) {
    // Stopped from the keyboard: the caller's shell gets the terminal; on `fg` the command goes on.
    const char *go = terminal_suspend(&run->terminal) ? "KF" : "KB";
    (void)send(run->enter, go, 2, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  if (passed >= 0) close(passed);
}

static void late_cover(struct run *run, char **field) {
  struct cover cover = {.id = (unsigned)strtoul(field[1], NULL, 10), .kind = field[2][0], .path = field[3], .target = field[4]};
  char why[512] = "the cell has ended";
  int result = run->engine_ended || run->init <= 0 ? -1 : covers_put(run->init, &cover, 1, why, sizeof why);
  struct bytes json = {0};
  bytes_json(&json, result == 0 ? "" : why);
  ipc_event("{\"kind\":\"covered\",\"id\":%u,\"message\":%s}", cover.id, json.data);
  bytes_free(&json);
}

static void send_signal(struct run *run, int number) {
  if (number <= 0 || number >= NSIG) return;
  // The command leads a process group of its own; before it runs, a signal means: don't.
  if (!run->started) return kill_cell(run, "signal");
  if (!run->engine_ended && kill(-run->command, number) < 0) (void)kill(run->command, number);
}

static size_t fields_of(const char *word) {
  if (strcmp(word, "go") == 0) return 1;
  if (strcmp(word, "signal") == 0 || strcmp(word, "kill") == 0) return 2;
  if (strcmp(word, "cover") == 0) return 5;
  fail("unknown command: %s", word);
}

static void do_commands(struct run *run) {
  for (;;) {
    char *field[5], *at = run->pending.data, *end = at + run->pending.length;
    size_t have = 0, want = 1;
    while (have < want) {
      char *stop = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
      if (!stop) return;
      field[have++] = at;
      at = stop + 1;
      if (have == 1) want = fields_of(field[0]);
    }
    if (field[0][0] == 'g') run->may_start = 1;
    else if (field[0][0] == 's') send_signal(run, atoi(field[1]));
    else if (field[0][0] == 'k') kill_cell(run, field[1][0] ? field[1] : "killed");
    else late_cover(run, field);
    run->pending.length = (size_t)(end - at);
    memmove(run->pending.data, at, run->pending.length);
  }
}

static void read_commands(struct run *run) {
  char text[4096];
  ssize_t got = read(COMMAND_FD, text, sizeof text);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) { // Node is gone or gave up
    kill_cell(run, "killed");
    _exit(125); // the guard ends what is left
  }
  bytes_add(&run->pending, text, (size_t)got);
  do_commands(run);
}

// Node's own messages (acknowledgements of handles) are read away.
static void read_channel(void) {
  char text[4096];
  if (read(IPC_FD, text, sizeof text) <= 0 && errno != EINTR) _exit(125);
}

// True once nothing is left.
static int reap(struct run *run) {
  struct signalfd_siginfo information;
  while (read(run->signals, &information, sizeof information) > 0) continue;
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) return 0;
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return 1;
    if (pid == run->porter) run->porter = -1; // its number may be another's from now on
    if (pid != run->engine) continue;
    run->engine_ended = 1;
    run->engine_status = status;
    if (run->porter > 0) (void)kill(run->porter, SIGKILL);
  }
}

static void report_end(const struct run *run) {
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) < 0) memset(&usage, 0, sizeof usage);
  int code = WIFEXITED(run->engine_status) ? WEXITSTATUS(run->engine_status) : 128 + WTERMSIG(run->engine_status);
  long long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000LL + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  ipc_event("{\"kind\":\"ended\",\"code\":%d,\"started\":%s,\"reason\":\"%s\",\"maxRss\":%lld,\"cpu\":%lld}", code,
            run->started ? "true" : "false", run->kill_reason, usage.ru_maxrss * 1024LL, cpu);
}

void run_loop(struct run *run) {
  int terminal = run->terminal.fd; // poll leaves out a negative one
  unsigned long long deadline = run->plan.time ? now_ms() + run->plan.time : 0, next_look = 0;
  for (;;) {
    struct pollfd wait[] = {{COMMAND_FD, POLLIN, 0}, {IPC_FD, POLLIN, 0}, {run->signals, POLLIN, 0}, {run->info, POLLIN, 0}, {run->enter, POLLIN, 0}, {terminal, 0, 0}};
    unsigned long long now = now_ms();
    long long timeout = -1;
    if (run->plan.memory) timeout = MEMORY_INTERVAL;
    if (deadline && !run->kill_reason[0]) {
      long long left = deadline > now ? (long long)(deadline - now) : 0;
      if (timeout < 0 || left < timeout) timeout = left;
    }
    if (poll(wait, sizeof wait / sizeof *wait, (int)(timeout > 1000000 ? 1000000 : timeout)) < 0 && errno != EINTR) fail_errno("poll");
    // The kernel tells a hang-up to the foreground group alone, which is the command's, and the command may not care.
    if (wait[5].revents) (void)kill(getppid(), SIGHUP), terminal = -1;
    if (wait[3].revents) read_info(run);
    if (wait[4].revents) read_enter(run);
    if (wait[0].revents) read_commands(run);
    if (wait[1].revents) read_channel();
    if (reap(run)) break;
    now = now_ms();
    if (deadline && now >= deadline && !run->kill_reason[0]) kill_cell(run, "time");
    if (run->plan.memory && run->init > 0 && now >= next_look && !run->kill_reason[0]) {
      next_look = now + MEMORY_INTERVAL;
      if (memory_held(run->init, run->plan.memory) > run->plan.memory) kill_cell(run, "memory");
    }
    maybe_start(run);
  }
  // What enter said last may still lie in its socket: a check that failed, or that the command had started.
  while (run->enter >= 0) read_enter(run);
  report_end(run);
}
