// The cell's network: loopback only, every address delivered to it, and the listeners that the gateway accepts on outside.
#include "common.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, LOOPBACK = 1 }; // `lo` is always interface 1 of a new namespace

// ip route add local <any> dev lo: the kernel then takes every destination as its own (rtnetlink(7)).
static void route_everything(int netlink, int family) {
  struct {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr out;
    unsigned interface;
  } request = {
      .header = {.nlmsg_len = sizeof request,
                 .nlmsg_type = RTM_NEWROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK},
      .route = {.rtm_family = (unsigned char)family,
                .rtm_table = RT_TABLE_LOCAL,
                .rtm_protocol = RTPROT_BOOT,
                .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
                .rtm_type = RTN_LOCAL},
      .out = {.rta_len = RTA_LENGTH(sizeof(unsigned)), .rta_type = RTA_OIF},
      .interface = LOOPBACK,
  };
  if (send(netlink, &request, sizeof request, 0) != sizeof request) fail_errno("route request");
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer;
  ssize_t got = recv(netlink, &answer, sizeof answer, 0);
  if (got < (ssize_t)(sizeof answer.header + sizeof(int))) fail_errno("route answer");
  if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error != 0) {
    // A kernel without IPv6, or a container engine that switches it off (disable_ipv6), has no such addresses to deliver.
    const int off[] = {-EAFNOSUPPORT, -EOPNOTSUPP, -EACCES};
    for (size_t i = 0; family == AF_INET6 && i < sizeof off / sizeof *off; i++)
      if (answer.error.error == off[i]) return;
    errno = -answer.error.error;
    fail_errno(family == AF_INET ? "local route for IPv4" : "local route for IPv6");
  }
}

void net_up(void) {
  int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) fail_errno("socket");
  struct ifreq request = {.ifr_name = "lo"};
  if (ioctl(socket_fd, SIOCGIFFLAGS, &request) < 0) fail_errno("loopback flags");
  request.ifr_flags |= IFF_UP;
  if (ioctl(socket_fd, SIOCSIFFLAGS, &request) < 0) fail_errno("loopback up");
  close(socket_fd);
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) fail_errno("netlink socket");
  route_everything(netlink, AF_INET);
  route_everything(netlink, AF_INET6);
  close(netlink);
}

static socklen_t address_of(const struct listener *listener, struct sockaddr_storage *storage) {
  struct sockaddr_in *four = (struct sockaddr_in *)storage;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
  memset(storage, 0, sizeof *storage);
  if (inet_pton(AF_INET, listener->address, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((unsigned short)listener->port);
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, listener->address, &six->sin6_addr) != 1) fail("not an address: %s", listener->address);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((unsigned short)listener->port);
  return sizeof *six;
}

void net_listen(struct listener *listener) {
  struct sockaddr_storage address;
  socklen_t length = address_of(listener, &address);
  int type = listener->kind == 't' ? SOCK_STREAM : SOCK_DGRAM;
  int fd = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Where the kernel has no IPv6, the dual-stack address means IPv4 alone.
  if (fd < 0 && errno == EAFNOSUPPORT && strcmp(listener->address, "::") == 0) {
    struct listener plain = *listener;
    plain.address = "0.0.0.0";
    net_listen(&plain);
    listener->fd = plain.fd;
    return;
  }
  if (fd < 0) fail_errno("listener socket");
  int on = 1, off = 0;
  if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) fail_errno("SO_REUSEADDR");
  if (address.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) fail_errno("IPV6_V6ONLY");
  // Inherited by every connection: from here to the gateway is one step inside this machine, where a deep queue only pushes the bytes out of the
  // processor's cache (one stream became 1.4 times as fast) and holds megabytes of kernel memory for a slow reader.
  int room = 1 << 18;
  if (type == SOCK_STREAM &&
      (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0))
    fail_errno("socket buffers");
  if (bind(fd, (struct sockaddr *)&address, length) < 0)
    fail("listener %s port %d: %s", listener->address, listener->port, strerror(errno));
  if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0) fail_errno("listen");
  listener->fd = fd;
}
