// What the programs of a container cell say to each other, over sequenced packets: bridge (host), hold (holder), init (cell). See their files.
//   bridge → hold   L kind address port (NUL-separated): a listener, answered in order by L with its descriptor
//   bridge → init   G {N,T,A}: run the checks, then the command (T: on a terminal; A: nobody outside listens) · T number: a signal · X: end
//   init → bridge   R ready · C started · P text: a check failed · S stopped from the keyboard, answered by K · E code rss cpu oom: the end
#ifndef ANCHORHOLD_HOLD_H
#define ANCHORHOLD_HOLD_H
#include "common.h"
#include <sys/socket.h>
#include <sys/un.h>

enum { MESSAGE = 4096 };
// An abstract name in the network namespace that holder and cell share: nothing of it lies in a file system.
#define MEETING "anchorhold"
socklen_t meeting_address(struct sockaddr_un *address);
// One packet with at most one descriptor, -1 for none. Length, 0 at the end, -1 on error; the text ends with a NUL.
ssize_t packet_receive(int socket_fd, char text[MESSAGE], int *passed);
int packet_send(int socket_fd, const char *text, size_t length, int passed);
#endif
