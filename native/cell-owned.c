// Whether a socket in the file system was bound in the cell's own network namespace: asked of the kernel by inode
// (sock_diag(7)), since names can be chosen and inodes can't. Used by cell-porter.c.
#include "cell.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LISTENING = 10 }; // TCP_LISTEN, which Unix sockets use too

// The device of the file system as the kernel itself counts it, which stat(2) hides on btrfs: from the mount's line.
static int device_of(pid_t thread, int place, unsigned *device) {
  struct statx facts;
  if (statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) < 0 || !(facts.stx_mask & STATX_MNT_ID)) return -1;
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/mountinfo", thread);
  FILE *file = fopen(name, "re");
  if (!file) return -1;
  int found = -1;
  char line[4096];
  while (found < 0 && fgets(line, sizeof line, file)) {
    unsigned long long id;
    unsigned high, low;
    if (sscanf(line, "%llu %*u %u:%u ", &id, &high, &low) != 3 || id != facts.stx_mnt_id) continue;
    *device = high << 20 | low;
    found = 0;
  }
  fclose(file);
  return found;
}

static int names_it(const struct nlmsghdr *header, unsigned inode, unsigned device) {
  const struct unix_diag_msg *message = NLMSG_DATA(header);
  int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  for (const struct rtattr *each = (const struct rtattr *)(message + 1); RTA_OK(each, left); each = RTA_NEXT(each, left)) {
    if (each->rta_type != UNIX_DIAG_VFS || RTA_PAYLOAD(each) < sizeof(struct unix_diag_vfs)) continue;
    const struct unix_diag_vfs *file = RTA_DATA(each);
    return file->udiag_vfs_ino == inode && file->udiag_vfs_dev == device;
  }
  return 0;
}

static int listed(int netlink, unsigned inode, unsigned device) {
  struct {
    struct nlmsghdr header;
    struct unix_diag_req request;
  } ask = {.header = {.nlmsg_len = sizeof ask, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
           .request = {.sdiag_family = AF_UNIX, .udiag_states = 1U << LISTENING, .udiag_show = UDIAG_SHOW_VFS}};
  if (send(netlink, &ask, sizeof ask, 0) != sizeof ask) return 0;
  _Alignas(struct nlmsghdr) char text[32768];
  int found = 0;
  for (;;) {
    ssize_t got = recv(netlink, text, sizeof text, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    unsigned left = (unsigned)got;
    for (const struct nlmsghdr *each = (const struct nlmsghdr *)text; NLMSG_OK(each, left); each = NLMSG_NEXT(each, left)) {
      if (each->nlmsg_type == NLMSG_DONE) return found;
      if (each->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;
      found |= names_it(each, inode, device);
    }
  }
}

int socket_is_ours(pid_t thread, int place) {
  struct stat facts;
  unsigned device;
  if (fstat(place, &facts) < 0 || device_of(thread, place, &device) < 0) return 0;
  int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return 0;
  int ours = listed(netlink, (unsigned)facts.st_ino, device);
  close(netlink);
  return ours;
}
