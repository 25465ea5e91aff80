// anchorhold-lend: lets the gateway accept connections in a network namespace that it is not in, where both are containers of an exported
// project. `hold DOOR LISTENER…` is process 1 of a container without a network: gives its namespace the routes, opens the listeners and hands them
// out through a socket that only these two containers have. `take DOOR PROGRAM…` waits for that and becomes PROGRAM, a Node whose parent's channel
// (NODE_CHANNEL_FD) is that socket. Either ends with the other.
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, MOMENT = 50, MOMENTS = 1200 }; // of 50 ms: a minute

static noreturn void stop(const char *what) {
  dprintf(STDERR_FILENO, "anchorhold-lend: %s: %s\n", what, strerror(errno));
  exit(125);
}

static noreturn void ended(int number) { _exit(128 + number); }

static int door_socket(const char *path, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  errno = ENAMETOOLONG;
  if (strlen(path) >= sizeof address->sun_path) stop(path);
  strcpy(address->sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) stop("socket");
  return fd;
}

static void become_channel(int fd, int flags) {
  if (dup3(fd, IPC_FD, flags) < 0) stop("dup3");
  close(fd);
}

// `t:::443` or `u:127.0.0.1:53`: kind, address, port.
static struct listener listener_of(char *text) {
  char *port = strrchr(text, ':');
  errno = EINVAL;
  if ((text[0] != 't' && text[0] != 'u') || text[1] != ':' || port < text + 3) stop(text);
  *port = 0;
  return (struct listener){.kind = text[0], .address = text + 2, .port = atoi(port + 1), .fd = -1};
}

static void hand_out(const struct listener *listener, size_t index) {
  const char *type = listener->kind == 't' ? "net.Native" : "dgram.Socket", *family = strchr(listener->address, ':') ? "udp6" : "udp4";
  struct bytes line = {0};
  bytes_format(&line, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",\"dgramType\":\"%s\",\"msg\":{\"kind\":\"listener\",\"index\":%zu}}\n", type, family, index);
  if (ipc_send(line.data, line.length, listener->fd) < 0) stop("the gateway is gone");
  bytes_free(&line);
}

static int hold(const char *door, char **texts, size_t count) {
  struct listener listeners[MOST];
  struct sockaddr_un address;
  char answer[4096];
  errno = 0;
  // The routes are for a namespace of its own, never for the machine's.
  if (getpid() != 1) return dprintf(STDERR_FILENO, "anchorhold-lend hold is process 1 of a container without a network\n"), 125;
  errno = E2BIG;
  if (count > MOST) stop("listeners");
  while (open("/dev/null", O_RDWR | O_CLOEXEC) <= COMMAND_FD) continue; // the channel's number stays free for it
  net_up();
  for (size_t i = 0; i < count; i++) {
    listeners[i] = listener_of(texts[i]);
    net_listen(&listeners[i]);
  }
  int fd = door_socket(door, &address), waited = 0;
  while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    if ((errno != ENOENT && errno != ECONNREFUSED) || ++waited > MOMENTS) stop(door);
    nanosleep(&(struct timespec){.tv_nsec = MOMENT * 1000000L}, NULL);
  }
  become_channel(fd, O_CLOEXEC);
  for (size_t i = 0; i < count; i++) {
    hand_out(&listeners[i], i);
    close(listeners[i].fd);
  }
  if (ipc_event("{\"kind\":\"ready\"}") < 0) stop("the gateway is gone");
  for (ssize_t got; (got = read(IPC_FD, answer, sizeof answer)) != 0;)
    if (got < 0 && errno != EINTR) return 1;
  return 0;
}

static int take(const char *door, char **program) {
  struct sockaddr_un address;
  int fd = door_socket(door, &address);
  if (unlink(door) < 0 && errno != ENOENT) stop(door);
  // The holder's root has no right over other users' files; nobody else has this folder.
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(door, 0666) < 0 || listen(fd, 1) < 0) stop(door);
  int channel = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  if (channel < 0) stop("accept");
  (void)unlink(door); // exactly one
  close(fd);
  if (channel == IPC_FD) stop("channel");
  become_channel(channel, 0);
  if (setenv("NODE_CHANNEL_FD", "3", 1) < 0 || setenv("NODE_CHANNEL_SERIALIZATION_MODE", "json", 1) < 0) stop("setenv");
  execv(program[0], program);
  stop(program[0]);
}

int main(int argc, char **argv) {
  signal(SIGTERM, ended);
  signal(SIGINT, ended);
  if (argc >= 4 && strcmp(argv[1], "hold") == 0) return hold(argv[2], argv + 3, (size_t)argc - 3);
  if (argc >= 4 && strcmp(argv[1], "take") == 0) return take(argv[2], argv + 3);
  dprintf(STDERR_FILENO, "anchorhold-lend hold DOOR LISTENER… | take DOOR PROGRAM…\n");
  return 125;
}
