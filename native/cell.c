// anchorhold-cell: the supervisor outside one cell. Started by src/engines/bubblewrap/launch.ts; starts bubblewrap.
// It owns the cell's user and network namespace, its listeners, limits, covers and the caller's terminal, and dies with Node.
#include "common.h"
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail_errno("PR_SET_PDEATHSIG");
  // Node may have died before the line above: its end of the channel is closed then.
  struct pollfd channel = {.fd = IPC_FD};
  if (poll(&channel, 1, 0) < 0 || (channel.revents & (POLLHUP | POLLERR | POLLNVAL))) _exit(125);
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write_all(fd, text, strlen(text)) < 0) fail("%s: %s", path, strerror(errno));
  close(fd);
}

// The outer user namespace: the caller mapped to itself, so that files keep their owner; it owns the network namespace, so
// that nothing started below has a right over it.
static void enter_namespaces(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  char map[64];
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) fail("user and network namespace: %s", strerror(errno));
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1\n", uid, uid);
  write_file("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1\n", gid, gid);
  write_file("/proc/self/gid_map", map);
}

static void start_engine(struct run *run, int gate) {
  int info[2], enter[2], on = 1;
  if (pipe2(info, O_CLOEXEC) < 0) fail_errno("pipe");
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, enter) < 0) fail_errno("socketpair");
  // The command's process id, as this side sees it, comes from the kernel with enter's first message.
  if (setsockopt(enter[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) fail_errno("SO_PASSCRED");
  struct streams streams;
  streams_open(&streams, run->plan.file_size);
  engine_order(gate, &run->plan, &streams, info[1], enter[1]);
  streams_close(&streams);
  close(info[1]);
  close(enter[1]);
  close(gate);
  for (size_t i = 0; i < run->plan.input_count; i++) close(run->plan.inputs[i].fd);
  run->info = info[0];
  run->enter = enter[0];
}

static void send_listeners(const struct plan *plan) {
  for (size_t i = 0; i < plan->listener_count; i++) {
    struct bytes line = {0};
    // What Node's lib/internal/child_process.js calls these: a raw handle, and a datagram socket of that family.
    const char *type = plan->listeners[i].kind == 't' ? "net.Native" : "dgram.Socket";
    const char *family = strchr(plan->listeners[i].address, ':') ? "udp6" : "udp4";
    bytes_format(&line, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",\"dgramType\":\"%s\",\"msg\":{\"kind\":\"listener\",\"index\":%zu}}\n", type, family, i);
    ipc_send(line.data, line.length, plan->listeners[i].fd);
    bytes_free(&line);
    close(plan->listeners[i].fd);
  }
  ipc_event("{\"kind\":\"ready\"}");
}

// `--check BWRAP`: whether namespaces can be made here at all; for examine.ts, which has no channel.
static noreturn void check(char *engine) {
  enter_namespaces();
  net_up();
  char *argv[] = {engine, "--unshare-user", "--unshare-pid", "--disable-userns", "--bind", "/", "/", "--proc", "/proc", "--", engine, "--version", NULL};
  execve(engine, argv, (char *[]){NULL});
  fail_errno(engine);
}

// `--check-view LOWER UPPER WORK PLACE`: whether an overlay can be mounted there; for src/review/places.ts.
static noreturn void check_view(char **argv) {
  struct view view = {.lower = argv[0], .upper = argv[1], .work = argv[2], .place = argv[3]};
  char why[768];
  enter_namespaces();
  if (view_try(&view, why, sizeof why) < 0) fail("%s", why);
  _exit(0);
}

int main(int argc, char **argv) {
  if (argc == 6 && strcmp(argv[1], "--check-view") == 0) check_view(argv + 2);
  if (argc == 3 && strcmp(argv[1], "--check") == 0) check(argv[2]);
  if (argc != 2 || strcmp(argv[1], "--supervise") != 0) {
    dprintf(STDERR_FILENO, "anchorhold-cell is started by anchorhold\n");
    return 125;
  }
  die_with_parent();
  if (syscall(SYS_close_range, COMMAND_FD + 1, ~0U, 0) < 0) fail_errno("close_range (Linux 5.14 or later is needed)");
  if (fcntl(IPC_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(COMMAND_FD, F_SETFD, FD_CLOEXEC) < 0) fail_errno("fcntl");
  struct run run = {.enter = -1, .info = -1, .kill_reason = ""};
  run.signals = watch_children();
  // Groups first, and the plan last: Node makes it while all this goes on.
  plan_read(&run.plan, "begin", 0);
  enter_namespaces();
  die_with_parent(); // a change of credentials clears it (prctl(2))
  // Everything of the cell that loses its parent becomes a child of this process: waited for, and counted in its usage.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fail_errno("PR_SET_CHILD_SUBREAPER");
  int gate;
  run.engine = engine_fork(&run.plan, &gate);
  net_up();
  plan_read(&run.plan, "start", run.engine);
  for (size_t i = 0; i < run.plan.listener_count; i++) net_listen(&run.plan.listeners[i]);
  run.terminal.fd = -1;
  if (run.plan.terminal) terminal_open(&run.terminal);
  run.terminal.erase = run.plan.terminal == 2;
  start_engine(&run, gate);
  send_listeners(&run.plan);
  run_loop(&run);
  terminal_restore(&run.terminal);
  return 0;
}
