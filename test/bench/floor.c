/*
 * The floor under every DNS server that answers by UDP: recvmmsg, an answer of fixed size that
 * carries the query's id and question, sendmmsg. It looks nothing up and checks nothing, so that what
 * a real server costs above it is what the server itself does.
 *
 * usage: floor ADDRESS PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define SLOT 512
#define HEADER 12

/* A record that points back at the question's name: A, IN, TTL 30, 10.0.0.1. */
static const unsigned char RECORD[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 1};

static unsigned char packets[BATCH][SLOT];
static struct sockaddr_in clients[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

/* Turns a query in its slot into its answer; returns the octets, 0 for what is no query. */
static size_t answer(unsigned char *packet, size_t octets) {
  size_t at = HEADER;
  if (octets < HEADER + 5 || octets > SLOT - sizeof RECORD || packet[2] & 0x80) return 0;
  while (at < octets && packet[at] != 0) at += packet[at] + 1;
  at += 5;
  if (at > octets) return 0;
  packet[2] = 0x84 | (packet[2] & 1); /* QR, AA, and RD as it came */
  packet[3] = 0x80;                   /* RA, NOERROR */
  packet[7] = 1;                      /* one answer */
  memset(packet + 8, 0, 4);           /* no authority, no OPT */
  memcpy(packet + at, RECORD, sizeof RECORD);
  return at + sizeof RECORD;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: floor ADDRESS PORT\n");
    return 2;
  }
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2]))};
  inet_pton(AF_INET, arguments[1], &local.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) != 0) {
    perror("floor");
    return 1;
  }
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){packets[i], SLOT};
      messages[i].msg_hdr = (struct msghdr){
          .msg_name = &clients[i], .msg_namelen = sizeof clients[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (received < 0) continue;
    int answers = 0;
    for (int i = 0; i < received; i++) {
      size_t octets = answer(packets[i], messages[i].msg_len);
      if (octets == 0) continue;
      parts[i].iov_len = octets;
      messages[answers++].msg_hdr = messages[i].msg_hdr;
    }
    for (int sent = 0; sent < answers;) {
      int done = sendmmsg(fd, messages + sent, answers - sent, 0);
      sent += done > 0 ? done : 1; /* one that cannot be sent is passed over */
    }
  }
}
