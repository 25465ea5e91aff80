// The caller's terminal: lent to the cell, and given back as it was, whatever the command left behind.
#include "common.h"
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;

// Undoes what full-screen programs leave behind when killed (attacks.md TRM-05 class): alternate screen, mouse modes,
// focus events, bracketed paste, application keys, hidden cursor, scroll region, character set, colours, keyboard protocol.
// 1047, not 1049: that one would also move the cursor to a stale place.
static const char leftovers[] =
    "\033[?1047l\033[?1000l\033[?1001l\033[?1002l\033[?1003l\033[?1004l\033[?1005l\033[?1006l\033[?1015l\033[?2004l\033[?2026l"
    "\033[!p\033[?1l\033>\033[?25h\033[?7h\033[<u\033[>4;0m\033(B\017\033[0m";

void terminal_open(struct terminal *terminal) {
  terminal->fd = -1;
  for (int fd = 0; fd <= 2; fd++) {
    pid_t group = isatty(fd) ? tcgetpgrp(fd) : -1;
    if (group < 0 || tcgetattr(fd, &before) < 0) continue;
    terminal->fd = fd;
    terminal->foreground = group == getpgrp();
    return;
  }
}

void terminal_restore(const struct terminal *terminal) {
  if (terminal->fd < 0 || !terminal->foreground) return;
  // Stopped output would hold up all that follows; exclusive use would keep the caller's next programs from opening /dev/tty.
  (void)tcflow(terminal->fd, TCOON);
  (void)ioctl(terminal->fd, TIOCNXCL);
  if (terminal->erase && isatty(STDOUT_FILENO) && write_all(STDOUT_FILENO, leftovers, sizeof leftovers - 1) < 0) return; // hung up
  // TCSAFLUSH also throws away what the terminal typed back to queries that the command sent at its end.
  (void)tcsetattr(terminal->fd, TCSAFLUSH, &before);
  (void)tcsetpgrp(terminal->fd, getpgrp());
}

int terminal_suspend(struct terminal *terminal) {
  // A session leader has no shell above it that could wake it again.
  if (terminal->fd < 0 || getsid(0) == getpgrp()) return terminal->foreground;
  struct termios inside;
  int keep = tcgetattr(terminal->fd, &inside) == 0;
  if (terminal->foreground) {
    (void)tcsetattr(terminal->fd, TCSADRAIN, &before);
    (void)tcsetpgrp(terminal->fd, getpgrp());
  }
  (void)kill(0, SIGSTOP);
  terminal->foreground = tcgetpgrp(terminal->fd) == getpgrp();
  if (terminal->foreground && keep) (void)tcsetattr(terminal->fd, TCSADRAIN, &inside);
  return terminal->foreground;
}
