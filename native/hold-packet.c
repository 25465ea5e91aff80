// Packets between the programs of a container cell. Neighbours: bridge.c, hold.c, init.c.
#include "hold.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

socklen_t meeting_address(struct sockaddr_un *address) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path + 1, MEETING, sizeof MEETING - 1);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof MEETING);
}

ssize_t packet_receive(int socket_fd, char text[MESSAGE], int *passed) {
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = {.iov_base = text, .iov_len = MESSAGE - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got;
  *passed = -1;
  while ((got = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  text[got > 0 ? got : 0] = 0;
  struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) memcpy(passed, CMSG_DATA(header), sizeof *passed);
  return got;
}

int packet_send(int socket_fd, const char *text, size_t length, int passed) {
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec vector = {.iov_base = (void *)text, .iov_len = length};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (passed >= 0) {
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  ssize_t sent;
  while ((sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  return sent == (ssize_t)length ? 0 : -1;
}
