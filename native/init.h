// Between init.c and the phases of a container cell's start.
#ifndef ANCHORHOLD_INIT_H
#define ANCHORHOLD_INIT_H
#include "common.h"

// What src/engines/containers/order.ts wrote: the command's user inside and whole environment, and the checks as triples of words.
struct order {
  unsigned uid, gid;
  char **environment, **checks;
  size_t check_count;
  struct bytes filter;
};
void order_read(struct order *order);
// Ends the run where a right stays.
void drop_rights(void);
// In the child: rights away, filter on, and anchorhold-enter in its place, `channel` as its socket.
noreturn void become_enter(const struct order *order, int channel, char **argv);
// One message of enter's; at its end `*enter` becomes -1.
void from_enter(int socket_fd, int *enter, pid_t *command, int outside);
// Processes that the kernel killed for memory in this control group since the first call.
long long oom_kills(void);
#endif
