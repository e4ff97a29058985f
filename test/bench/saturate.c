/*
 * As many queries as a server answers: a window of them is always under way. Queries of one length go
 * out as one segmented send (UDP_SEGMENT), and answers are read in batches, so that this client needs
 * less of its core than the fastest server of its own: dnsperf, with two system calls a query, is at
 * its limit before those are.
 *
 * usage: saturate ADDRESS PORT QUERIES WINDOW SECONDS
 *
 * The queries of the file are asked in turn, from the beginning again where they end; in each block of
 * them those of one length stand together. Prints one line of JSON: what was sent and answered, with
 * another RCODE than NOERROR (failed), with how many records and octets in all, and in how many
 * seconds.
 */
#define _GNU_SOURCE
#include "queries.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define IDS 65536
#define BATCH 64
#define ANSWER_SLOT 1232
/* Queries that are put in order of length together: few enough that a mix stays one. */
#define BLOCK 256
/* So many at once where there is room, so that one system call serves them. */
#define BURST 16
#define LOST_AFTER_NS 2000000000LL
#define LINGER_NS 500000000LL

static int64_t sent_ns[IDS]; /* 0 while no answer with that id is waited for */
static unsigned char answer_slots[BATCH][ANSWER_SLOT];
static struct iovec answer_parts[BATCH];
static struct mmsghdr answer_messages[BATCH];

static int by_length(const void *a, const void *b) {
  size_t left = ((const Query *)a)->length, right = ((const Query *)b)->length;
  return left < right ? -1 : left > right;
}

/* Sends up to `room` queries of one length, beginning with number `next`; returns how many. */
static size_t send_run(int fd, Query *queries, size_t count, size_t next, size_t room) {
  unsigned char octets[BATCH * QUERY_SLOT];
  const size_t length = queries[next % count].length;
  const int64_t time_ns = now_ns();
  size_t run = 0;
  while (run < room && run < BATCH && queries[(next + run) % count].length == length) {
    unsigned char *at = octets + run * length;
    uint16_t id = (next + run) & 0xffff;
    memcpy(at, queries[(next + run) % count].octets, length);
    write_id(at, id);
    sent_ns[id] = time_ns;
    run++;
  }
  union {
    char octets[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
  } control = {0};
  struct iovec part = {octets, run * length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (run > 1) {
    message.msg_control = control.octets;
    message.msg_controllen = sizeof control.octets;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t segment = length;
    memcpy(CMSG_DATA(header), &segment, sizeof segment);
  }
  if (sendmsg(fd, &message, 0) < 0) perror("sendmsg");
  return run;
}

static size_t receive(int fd, Answers *answers) {
  int received = recvmmsg(fd, answer_messages, BATCH, MSG_DONTWAIT, NULL);
  size_t fresh = 0;
  for (int i = 0; i < received; i++) {
    const unsigned char *answer = answer_slots[i];
    const size_t octets = answer_messages[i].msg_len;
    if (octets < 12) continue;
    uint16_t id = answer[0] << 8 | answer[1];
    if (sent_ns[id] == 0) continue; /* given up, or answered twice */
    sent_ns[id] = 0;
    count_answer(answers, answer, octets);
    fresh++;
  }
  return fresh;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: saturate ADDRESS PORT QUERIES WINDOW SECONDS\n");
    return 2;
  }
  size_t count;
  Query *queries = read_queries(argv[3], &count);
  const size_t window = atoi(argv[4]), burst = window < 2 * BURST ? 1 : BURST;
  const double seconds = atof(argv[5]);
  if (window < 1 || window > IDS / 2 || seconds <= 0) return 2;
  for (size_t at = 0; at < count; at += BLOCK) {
    qsort(queries + at, count - at < BLOCK ? count - at : BLOCK, sizeof *queries, by_length);
  }
  for (int i = 0; i < BATCH; i++) {
    answer_parts[i] = (struct iovec){answer_slots[i], ANSWER_SLOT};
    answer_messages[i].msg_hdr = (struct msghdr){.msg_iov = &answer_parts[i], .msg_iovlen = 1};
  }
  int fd = connect_to(argv[1], argv[2]);

  Answers answers = {0};
  size_t next = 0, oldest = 0, under_way = 0;
  const int64_t start_ns = now_ns(), end_ns = start_ns + (int64_t)(seconds * 1e9);
  int64_t last_ns = start_ns;
  for (;;) {
    int64_t time_ns = now_ns();
    if (time_ns < end_ns) {
      if (window - under_way >= burst) {
        for (size_t room = window - under_way; room > 0;) {
          size_t run = send_run(fd, queries, count, next, room);
          next += run;
          under_way += run;
          room -= run;
        }
      }
    } else if (under_way == 0 || time_ns > end_ns + LINGER_NS) {
      break;
    }
    size_t fresh = receive(fd, &answers);
    under_way -= fresh;
    if (fresh > 0) {
      last_ns = now_ns();
    } else {
      struct pollfd waiting = {.fd = fd, .events = POLLIN};
      poll(&waiting, 1, 10);
    }
    /* Ids come back after 65,536 queries: none may still wait for its answer then. */
    while (oldest < next) {
      int64_t *sent = &sent_ns[oldest & 0xffff];
      if (*sent != 0 && time_ns - *sent < LOST_AFTER_NS && next - oldest < IDS - 2 * window) break;
      if (*sent != 0) under_way--;
      *sent = 0;
      oldest++;
    }
  }
  if (last_ns > end_ns) last_ns = end_ns;
  printf("{\"sent\":%zu,\"answered\":%zu,\"failed\":%zu,\"records\":%zu,\"octets\":%zu,"
         "\"seconds\":%.6f}\n",
         next, answers.answered, answers.failed, answers.records, answers.octets,
         (last_ns - start_ns) / 1e9);
  return 0;
}
