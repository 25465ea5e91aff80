// What the phases of the bridge share. Neighbours: bridge.c, bridge-commands.c.
#ifndef ANCHORHOLD_BRIDGE_H
#define ANCHORHOLD_BRIDGE_H
#include "common.h"
#include "hold.h"

struct bridge {
  int commands, signals, door, hold, said_fd;
  char *socket;
  struct bytes environment, holder_words, cell_words, pending, said;
  size_t variable_count, holder_count, cell_count;
  struct bytes *listeners; // each as the packet that asks for it
  size_t listener_count, handed;
  pid_t holder, cell; // the engine's command lines; -1 once ended
  int with_terminal, begun, ready, may_start, inside, entered, started, lost;
  unsigned long long deadline, give_up;
  struct terminal terminal;
  char reason[32];
  int reported, code;
  long long rss, cpu, kills;
};
// Starts the holder.
void bridge_begin(struct bridge *bridge);
void bridge_may_start(struct bridge *bridge);
// Ends all, for that reason.
void bridge_kill(struct bridge *bridge, const char *reason);
// Reads and does what Node says.
void bridge_commands(struct bridge *bridge);
#endif
