// anchorhold-hold: the only program of the holder, a container without a network. Gives the network namespace its routes and listeners, hands
// these out to the bridge on the host, and passes on what bridge and cell have to say. The cell's container joins this namespace without any
// right over it. `anchorhold-hold` alone (a copied command of --dry-run) holds a namespace in which nothing answers.
#include "hold.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int reach_bridge(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail("path too long: %s", path);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail_errno(path);
  return fd;
}

static int meet(void) {
  struct sockaddr_un address;
  socklen_t length = meeting_address(&address);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 1) < 0) fail_errno("meeting point");
  return fd;
}

static void open_listener(int bridge, char *text, const char *end) {
  char *kind = text + 1, *address = kind + strlen(kind) + 1;
  if (address >= end) fail("bad listener");
  char *port = address + strlen(address) + 1;
  if (port >= end) fail("bad listener");
  struct listener listener = {.kind = kind[0], .address = address, .port = atoi(port), .fd = -1};
  net_listen(&listener);
  if (packet_send(bridge, "L", 1, listener.fd) < 0) fail_errno("bridge");
  close(listener.fd);
}

int main(int argc, char **argv) {
  char text[MESSAGE];
  if (getpid() != 1) { // the routes are for a namespace of its own, never for the machine's
    dprintf(STDERR_FILENO, "anchorhold-hold is started by anchorhold, as process 1 of a container\n");
    return 125;
  }
  while (open("/dev/null", O_RDWR | O_CLOEXEC) < COMMAND_FD) continue; // the descriptors of a channel to Node, which is not here
  net_up();
  int meeting = meet(), bridge = argc > 1 ? reach_bridge(argv[1]) : -1, cell = -1, passed;
  for (;;) {
    struct pollfd wait[] = {{bridge, POLLIN, 0}, {meeting, POLLIN, 0}, {cell, POLLIN, 0}};
    if (poll(wait, 3, -1) < 0 && errno != EINTR) fail_errno("poll");
    if (wait[0].revents) {
      ssize_t got = packet_receive(bridge, text, &passed);
      if (passed >= 0) close(passed);
      if (got <= 0) return 0; // nobody is left outside: the cell ends with its connection
      if (text[0] == 'L') open_listener(bridge, text, text + got);
      else if (cell >= 0) (void)packet_send(cell, text, (size_t)got, -1);
    }
    if (wait[1].revents) {
      // Exactly one: nothing but the cell's first program runs before it has met us.
      if ((cell = accept4(meeting, NULL, NULL, SOCK_CLOEXEC)) < 0) fail_errno("accept");
      close(meeting);
      meeting = -1;
    }
    if (wait[2].revents) {
      ssize_t got = packet_receive(cell, text, &passed);
      if (passed >= 0) close(passed);
      if (got <= 0) return 0;
      if (bridge >= 0 && packet_send(bridge, text, (size_t)got, -1) < 0) return 0;
      if (bridge < 0 && text[0] == 'R') (void)packet_send(cell, "GA", 2, -1);
      if (bridge < 0 && text[0] == 'S') (void)packet_send(cell, "KF", 2, -1);
      if (bridge < 0 && text[0] == 'P') dprintf(STDERR_FILENO, "anchorhold: a check inside the cell failed: %s\n", text + 1);
    }
  }
}
