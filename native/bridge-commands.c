// What Node says to the bridge: NUL-separated fields, one record after the other (src/engines/containers/launch.ts).
#include "bridge.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct {
  const char *word;
  size_t fields;
} known[] = {{"socket", 2}, {"variable", 2}, {"holder", 2}, {"begin", 1},  {"listener", 4}, {"argument", 2}, {"time", 2},
             {"terminal", 2}, {"start", 1},  {"go", 1},     {"signal", 2}, {"kill", 2},     {"cover", 5}};

static size_t fields_of(const char *word) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].word, word) == 0) return known[i].fields;
  fail("unknown record: %s", word);
}

static void add_word(struct bytes *words, size_t *count, const char *word) {
  bytes_add(words, word, strlen(word) + 1);
  (*count)++;
}

static void add_listener(struct bridge *bridge, char **field) {
  bridge->listeners = realloc(bridge->listeners, (bridge->listener_count + 1) * sizeof *bridge->listeners);
  if (!bridge->listeners) _exit(125);
  struct bytes *packet = &bridge->listeners[bridge->listener_count++];
  *packet = (struct bytes){0};
  bytes_text(packet, "L");
  bytes_add(packet, field[1], 1);
  bytes_add(packet, "", 1);
  bytes_add(packet, field[2], strlen(field[2]) + 1);
  bytes_add(packet, field[3], strlen(field[3]) + 1);
  if (packet->length >= MESSAGE) fail("a listener's address is too long");
}

static void pass_signal(struct bridge *bridge, const char *number) {
  char text[32];
  if (!bridge->inside || bridge->hold < 0) return bridge_kill(bridge, "signal");
  snprintf(text, sizeof text, "T%s", number);
  (void)packet_send(bridge->hold, text, strlen(text), -1);
}

static void do_one(struct bridge *bridge, char **field) {
  const char *word = field[0];
  struct timespec time;
  if (strcmp(word, "socket") == 0) bridge->socket = strdup(field[1]);
  else if (strcmp(word, "variable") == 0) add_word(&bridge->environment, &bridge->variable_count, field[1]);
  else if (strcmp(word, "holder") == 0) add_word(&bridge->holder_words, &bridge->holder_count, field[1]);
  else if (strcmp(word, "argument") == 0) add_word(&bridge->cell_words, &bridge->cell_count, field[1]);
  else if (strcmp(word, "listener") == 0) add_listener(bridge, field);
  else if (strcmp(word, "terminal") == 0) bridge->with_terminal = atoi(field[1]);
  else if (strcmp(word, "time") == 0) {
    clock_gettime(CLOCK_BOOTTIME, &time);
    bridge->deadline = (unsigned long long)time.tv_sec * 1000 + (unsigned long long)time.tv_nsec / 1000000 + strtoull(field[1], NULL, 10);
  } else if (strcmp(word, "begin") == 0) {
    if (!bridge->socket || !bridge->holder_count) fail("no holder to begin with");
    bridge->begun = 1;
    bridge_begin(bridge);
  } else if (strcmp(word, "start") == 0) bridge->ready = 1;
  else if (strcmp(word, "go") == 0) bridge->may_start = 1;
  else if (strcmp(word, "signal") == 0) pass_signal(bridge, field[1]);
  else if (strcmp(word, "kill") == 0) bridge_kill(bridge, field[1][0] ? field[1] : "killed");
  else ipc_event("{\"kind\":\"covered\",\"id\":%u,\"message\":\"nothing can be laid over a path of a running container\"}", (unsigned)strtoul(field[1], NULL, 10));
}

void bridge_commands(struct bridge *bridge) {
  char text[65536];
  ssize_t got = read(bridge->commands, text, sizeof text);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) { // Node is gone or gave up: what was started is seen to its end
    close(bridge->commands);
    bridge->commands = -1;
    if (!bridge->begun) _exit(125);
    return bridge_kill(bridge, "killed");
  }
  bytes_add(&bridge->pending, text, (size_t)got);
  char *at = bridge->pending.data, *end = at + bridge->pending.length;
  for (;;) {
    char *field[5], *next = at;
    size_t have = 0, want = 1;
    while (have < want) {
      char *stop = next < end ? memchr(next, 0, (size_t)(end - next)) : NULL;
      if (!stop) break;
      field[have++] = next;
      next = stop + 1;
      if (have == 1) want = fields_of(field[0]);
    }
    if (have < want) break;
    do_one(bridge, field);
    at = next;
  }
  bridge->pending.length = (size_t)(end - at);
  memmove(bridge->pending.data, at, bridge->pending.length);
}
