// anchorhold-bridge: stands on the host between anchorhold and one container cell. Started by src/engines/containers/launch.ts; starts the engine's
// command lines for holder and cell, hands the holder's listeners to Node, and ends everything when Node, holder or cell goes away.
// Speaks with Node as anchorhold-cell does, and with the holder over a socket that only the holder has (hold.h).
#include "bridge.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// How long a command line of the engine may take to notice that its container is gone.
enum { PATIENCE = 30000, MOMENT = 3000 };

static unsigned long long now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time); // a suspended laptop's hours count too
  return (unsigned long long)time.tv_sec * 1000 + (unsigned long long)time.tv_nsec / 1000000;
}

static void let_go(struct bridge *bridge) {
  if (bridge->hold >= 0) close(bridge->hold);
  bridge->hold = -1;
  if (!bridge->give_up) bridge->give_up = now_ms() + PATIENCE;
}

void bridge_kill(struct bridge *bridge, const char *reason) {
  if (!bridge->reason[0]) snprintf(bridge->reason, sizeof bridge->reason, "%s", reason);
  if (bridge->hold >= 0) (void)packet_send(bridge->hold, "X", 1, -1);
  let_go(bridge);
}

static void fail_run(struct bridge *bridge, const char *kind, const char *text) {
  struct bytes json = {0};
  bytes_json(&json, text);
  ipc_event("{\"kind\":\"%s\",\"message\":%s}", kind, json.data);
  bytes_free(&json);
  bridge_kill(bridge, "failed");
}

static int open_door(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail("path too long: %s", path);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) fail_errno(path);
  // The holder's root has no right over other users' files. The folder above keeps everybody else out.
  if (chmod(path, 0666) < 0) fail_errno(path);
  return fd;
}

static pid_t spawn(const struct bytes *words, size_t count, const struct bytes *environment, size_t variables, int quiet, int group) {
  pid_t pid = fork();
  if (pid < 0) fail_errno("fork");
  if (pid > 0) return pid;
  char **argv = must_alloc((count + 1) * sizeof *argv), **env = must_alloc((variables + 1) * sizeof *env), *at = words->data;
  for (size_t i = 0; i < count; i++, at += strlen(at) + 1) argv[i] = at;
  at = environment->data;
  for (size_t i = 0; i < variables; i++, at += strlen(at) + 1) env[i] = at;
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  if (group && setpgid(0, 0) < 0) _exit(125);
  int null = quiet >= 0 ? open("/dev/null", O_RDWR) : -1;
  if (quiet >= 0 && (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(quiet, 2) < 0)) _exit(125);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || syscall(SYS_close_range, 3, ~0U, 0) < 0 || !argv[0]) _exit(125);
  execve(argv[0], argv, env);
  dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

void bridge_begin(struct bridge *bridge) {
  int ends[2];
  bridge->door = open_door(bridge->socket);
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) fail_errno("pipe");
  bridge->holder = spawn(&bridge->holder_words, bridge->holder_count, &bridge->environment, bridge->variable_count, ends[1], 1);
  close(ends[1]);
  bridge->said_fd = ends[0];
}

// Once the holder is here and the plan too.
static void start_cell(struct bridge *bridge) {
  if (bridge->cell || !bridge->ready || bridge->hold < 0 || bridge->reason[0]) return;
  for (size_t i = 0; i < bridge->listener_count; i++)
    if (packet_send(bridge->hold, bridge->listeners[i].data, bridge->listeners[i].length, -1) < 0) return fail_run(bridge, "failed", "the holder is gone");
  bridge->terminal.fd = -1;
  if (bridge->with_terminal) terminal_open(&bridge->terminal);
  bridge->terminal.erase = bridge->with_terminal == 2;
  bridge->cell = spawn(&bridge->cell_words, bridge->cell_count, &bridge->environment, bridge->variable_count, -1, !bridge->with_terminal);
  if (bridge->listener_count == 0) ipc_event("{\"kind\":\"ready\"}");
}

static void hand_out(struct bridge *bridge, int listener) {
  const struct bytes *asked = &bridge->listeners[bridge->handed];
  const char *address = asked->data + 3;
  struct bytes line = {0};
  // What Node's lib/internal/child_process.js calls these: a raw handle, and a datagram socket of that family.
  const char *type = asked->data[1] == 't' ? "net.Native" : "dgram.Socket", *family = strchr(address, ':') ? "udp6" : "udp4";
  bytes_format(&line, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",\"dgramType\":\"%s\",\"msg\":{\"kind\":\"listener\",\"index\":%zu}}\n", type, family,
               bridge->handed);
  ipc_send(line.data, line.length, listener);
  bytes_free(&line);
  if (++bridge->handed == bridge->listener_count) ipc_event("{\"kind\":\"ready\"}");
}

void bridge_may_start(struct bridge *bridge) {
  if (!bridge->may_start || !bridge->inside || bridge->entered || bridge->hold < 0) return;
  bridge->entered = 1;
  if (packet_send(bridge->hold, "G", 1, -1) < 0) fail_run(bridge, "failed", "the holder is gone");
}

static void from_holder(struct bridge *bridge) {
  char text[MESSAGE];
  int passed;
  ssize_t got = packet_receive(bridge->hold, text, &passed);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    bridge->lost |= !bridge->reported;
    let_go(bridge);
  } else if (text[0] == 'L' && passed >= 0 && bridge->handed < bridge->listener_count) hand_out(bridge, passed);
  else if (text[0] == 'R') bridge->inside = 1;
  else if (text[0] == 'P') fail_run(bridge, "preflight", text + 1);
  else if (text[0] == 'C') {
    bridge->started = 1;
    ipc_event("{\"kind\":\"started\",\"pid\":0}");
  } else if (text[0] == 'S' && bridge->started) {
    const char *go = terminal_suspend(&bridge->terminal) ? "KF" : "KB";
    (void)packet_send(bridge->hold, go, 2, -1);
  } else if (text[0] == 'E') {
    bridge->reported = sscanf(text + 1, "%d %lld %lld %lld", &bridge->code, &bridge->rss, &bridge->cpu, &bridge->kills) == 4;
    let_go(bridge); // the holder goes while the engine clears up the cell
  }
  if (passed >= 0) close(passed);
}

static void meet_holder(struct bridge *bridge) {
  bridge->hold = accept4(bridge->door, NULL, NULL, SOCK_CLOEXEC);
  if (bridge->hold < 0) fail_errno("accept");
  close(bridge->door);
  bridge->door = -1;
  (void)unlink(bridge->socket);
  if (bridge->reason[0]) let_go(bridge);
}

static void listen_to_holder(struct bridge *bridge) {
  char text[1024];
  ssize_t got = read(bridge->said_fd, text, sizeof text);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    close(bridge->said_fd);
    bridge->said_fd = -1;
  } else if (bridge->said.length < 4096) bytes_add(&bridge->said, text, (size_t)got);
}

static void reap(struct bridge *bridge) {
  struct signalfd_siginfo information;
  while (read(bridge->signals, &information, sizeof information) > 0) continue;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (pid == bridge->holder) bridge->holder = -1;
    if (pid == bridge->cell) {
      bridge->cell = -1;
      if (!bridge->reported) bridge->code = code;
    }
    // Without one of the two there is no cell. Its container may run on while the engine's daemon is away, and what it said last may be under way.
    if (bridge->hold < 0 || bridge->reported || bridge->lost) continue;
    bridge->lost = 1;
    (void)packet_send(bridge->hold, "X", 1, -1);
    bridge->give_up = now_ms() + MOMENT;
  }
}

static void report(struct bridge *bridge) {
  struct bytes json = {0};
  int whole = bridge->reported && !(bridge->lost && bridge->code == 128 + SIGKILL);
  bytes_json(&json, bridge->said.data ? bridge->said.data : "");
  ipc_event("{\"kind\":\"ended\",\"code\":%d,\"started\":%s,\"whole\":%s,\"reason\":\"%s\",\"maxRss\":%lld,\"cpu\":%lld,\"oomKills\":%lld,\"said\":%s}",
            bridge->code, bridge->started ? "true" : "false", whole ? "true" : "false", bridge->reason, bridge->rss, bridge->cpu,
            bridge->kills, json.data);
}

// From the first record to the end of the last command line of the engine.
static void loop(struct bridge *bridge) {
  while (!bridge->begun || bridge->holder > 0 || bridge->cell > 0) {
    struct pollfd wait[] = {{bridge->commands, POLLIN, 0}, {bridge->signals, POLLIN, 0}, {bridge->door, POLLIN, 0},
                            {bridge->hold, POLLIN, 0},     {bridge->said_fd, POLLIN, 0}};
    unsigned long long now = now_ms();
    unsigned long long first = bridge->give_up;
    if (bridge->deadline && (!first || bridge->deadline < first)) first = bridge->deadline;
    long long timeout = first ? (first > now ? (long long)(first - now) : 0) : -1;
    if (poll(wait, sizeof wait / sizeof *wait, (int)(timeout > 1000000 ? 1000000 : timeout)) < 0 && errno != EINTR) fail_errno("poll");
    if (wait[0].revents) bridge_commands(bridge);
    if (wait[3].revents && bridge->hold >= 0) from_holder(bridge);
    if (wait[2].revents && bridge->door >= 0) meet_holder(bridge);
    if (wait[4].revents) listen_to_holder(bridge);
    if (wait[1].revents) reap(bridge);
    now = now_ms();
    if (bridge->deadline && now >= bridge->deadline && !bridge->reported) bridge->deadline = 0, bridge_kill(bridge, "time");
    if (bridge->give_up && now >= bridge->give_up) {
      bridge->give_up = 0;
      if (bridge->hold >= 0) {
        let_go(bridge);
        continue;
      }
      if (bridge->cell > 0) (void)kill(bridge->cell, SIGKILL);
      if (bridge->holder > 0) (void)kill(bridge->holder, SIGKILL);
    }
    start_cell(bridge);
    bridge_may_start(bridge);
  }
  while (bridge->said_fd >= 0) listen_to_holder(bridge);
}

int main(int argc, char **argv) {
  if (argc != 2 || strcmp(argv[1], "--bridge") != 0) {
    dprintf(STDERR_FILENO, "anchorhold-bridge is started by anchorhold\n");
    return 125;
  }
  if (syscall(SYS_close_range, COMMAND_FD + 1, ~0U, 0) < 0) fail_errno("close_range (Linux 5.9 or later is needed)");
  if (fcntl(IPC_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(COMMAND_FD, F_SETFD, FD_CLOEXEC) < 0) fail_errno("fcntl");
  struct bridge bridge = {.commands = COMMAND_FD, .door = -1, .hold = -1, .said_fd = -1, .terminal = {.fd = -1}};
  bridge.signals = watch_children();
  loop(&bridge);
  terminal_restore(&bridge.terminal);
  report(&bridge);
  return 0;
}
