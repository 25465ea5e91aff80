// NET-19, 20, 21, 26: socket families that lead to the host's kernel or hypervisor, netlink, devices and links of the network.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { buildStatic } from './attempt.ts'

const source = `
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
static int ask(int type, int flags, const void *body, size_t length) {
  struct { struct nlmsghdr h; char b[256]; } m = {.h = {.nlmsg_len = NLMSG_LENGTH(length), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags}};
  memcpy(m.b, body, length);
  int fd = socket(AF_NETLINK, SOCK_RAW, 0);
  if (fd < 0 || send(fd, &m, m.h.nlmsg_len, 0) < 0) return -errno;
  char text[8192];
  ssize_t got = recv(fd, text, sizeof text, 0);
  close(fd);
  struct nlmsghdr *h = (void *)text;
  if (got < (ssize_t)sizeof *h || h->nlmsg_type != NLMSG_ERROR) return 1;
  return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}
int main(void) {
  int families[] = {AF_VSOCK, AF_ALG, AF_PACKET, AF_KEY, AF_TIPC, AF_RDS, AF_CAN, AF_BLUETOOTH, AF_NFC, 43 /* SMC */, AF_RXRPC, 44 /* XDP */, AF_IUCV, AF_PPPOX, AF_LLC, AF_X25, AF_AX25, AF_IEEE802154, AF_QIPCRTR, AF_MCTP, AF_KCM, AF_PHONET, AF_CAIF, AF_WANPIPE};
  int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
  for (unsigned i = 0; i < sizeof families / sizeof *families; i++)
    for (unsigned t = 0; t < 4; t++) {
      int fd = socket(families[i], types[t] | SOCK_CLOEXEC, families[i] == AF_PACKET ? 0x300 : 0);
      if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EPERM)) printf("LEAK family %d type %d: %d\\n", families[i], types[t], fd < 0 ? errno : 0);
    }
  for (int protocol = 1; protocol < 32; protocol++) {
    int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    if (fd >= 0) printf("LEAK netlink %d\\n", protocol);
  }
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = 1, .ifi_change = IFF_UP};
  struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST};
  struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 8, .ifa_index = 1};
  printf("link %d route %d address %d newlink %d delroute %d read %d\\n", ask(RTM_SETLINK, 0, &link, sizeof link), ask(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route), ask(RTM_NEWADDR, NLM_F_CREATE, &address, sizeof address),
         ask(RTM_NEWLINK, NLM_F_CREATE, &link, sizeof link), ask(RTM_DELROUTE, 0, &route, sizeof route), ask(RTM_GETLINK, NLM_F_DUMP, &link, sizeof link));
  struct ifreq request = {.ifr_name = "lo"};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  printf("down %d tun %d\\n", ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? errno : 0, open("/dev/net/tun", O_RDWR) < 0 ? errno : 0);
  int bind_device = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), mark = 1;
  printf("device %d mark %d transparent %d\\n", bind_device < 0, setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0, setsockopt(fd, 0, 19, &mark, sizeof mark) < 0);
  puts("end");
}`

it('NET-19 NET-20 NET-21 NET-26 no family but TCP, UDP, Unix and reading the own routes; nothing of the network can be changed', async () => {
  const world = makeWorld()
  buildStatic(world, 'families', source)
  const { stdout } = await inCell(world, './families')
  // -1 is EPERM; reading the own links is what getaddrinfo does.
  expect(stdout).toBe('link -1 route -1 address -1 newlink -1 delroute -1 read 1\ndown 1 tun 2\ndevice 1 mark 1 transparent 1\nend\n')
})

it('NET-20 NET-26 the programs for it: ip, nft, sysctl, unshare; the cell’s only link is its own loopback', async () => {
  const world = makeWorld()
  writeFileSync(
    path.join(world.project, 'p.sh'),
    `
    for c in 'ip link add d0 type dummy' 'ip link add t type bridge' 'ip link add w type wireguard' 'ip tuntap add dev t0 mode tun' 'ip route add default dev lo' 'ip netns add x' 'ip addr add 10.9.9.9/8 dev lo'
      'nft add table x' 'iptables -F' 'sysctl -w net.ipv4.ip_forward=1' 'unshare -Urn true' 'unshare -n true' 'nsenter -t 1 -n true'; do PATH=$PATH:/usr/sbin $c >/dev/null 2>&1 && echo "LEAK $c"; done
    for f in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range /proc/sys/net/core/somaxconn; do echo 1 > $f && echo "LEAK $f"; done 2>/dev/null
    ls /sys/class/net /sys/kernel 2>/dev/null; cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '; echo end`.replaceAll(
      "'\n      'nft",
      "' 'nft",
    ),
  )
  expect((await inCell(world, 'sh p.sh')).stdout).toBe('lo\nend\n')
})
