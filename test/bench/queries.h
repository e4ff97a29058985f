/*
 * The queries of a file, encoded, for the clients of the benchmark: a name and a type a line (A, AAAA
 * or a number), as dnsperf reads them.
 */
#ifndef QUERIES_H
#define QUERIES_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define QUERY_SLOT 288

typedef struct {
  unsigned char octets[QUERY_SLOT];
  size_t length;
} Query;

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int encode_query(Query *query, const char *name, int type) {
  unsigned char *at = query->octets;
  memset(at, 0, 12);
  at[2] = 1; /* RD */
  at[5] = 1; /* one question */
  at += 12;
  while (*name != 0) {
    size_t label = strcspn(name, ".");
    if (label == 0 || label > 63 || at + label + 6 > query->octets + QUERY_SLOT) return 0;
    *at++ = label;
    memcpy(at, name, label);
    at += label;
    name += label + (name[label] == '.');
  }
  const unsigned char tail[5] = {0, type >> 8, type & 255, 0, 1};
  memcpy(at, tail, sizeof tail);
  query->length = at + sizeof tail - query->octets;
  return 1;
}

/* All queries of a file; ends the program where there are none. */
static Query *read_queries(const char *path, size_t *count) {
  FILE *file = fopen(path, "r");
  size_t room = 0;
  Query *queries = NULL;
  char name[256], type[16];
  *count = 0;
  while (file != NULL && fscanf(file, "%255s %15s", name, type) == 2) {
    if (*count == room) {
      room = room == 0 ? 4096 : room * 2;
      queries = realloc(queries, room * sizeof *queries);
      if (queries == NULL) abort();
    }
    int number = strcmp(type, "A") == 0 ? 1 : strcmp(type, "AAAA") == 0 ? 28 : atoi(type);
    if (encode_query(&queries[*count], name, number)) ++*count;
    else fprintf(stderr, "not a name: %s\n", name);
  }
  if (*count == 0) {
    fprintf(stderr, "no queries in %s\n", path);
    exit(1);
  }
  fclose(file);
  return queries;
}

/* A socket that is connected to the server; ends the program where there is none. */
static int connect_to(const char *address, const char *port) {
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, address, &server.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
    perror("no socket to the server");
    exit(1);
  }
  return fd;
}

static void write_id(unsigned char *octets, uint16_t id) {
  octets[0] = id >> 8;
  octets[1] = id & 255;
}

/* What all answers had: a run is void where it is not what was expected. */
typedef struct {
  size_t answered, failed, records, octets;
} Answers;

static void count_answer(Answers *answers, const unsigned char *answer, size_t octets) {
  answers->answered++;
  answers->failed += (answer[3] & 15) != 0;
  answers->records += answer[6] << 8 | answer[7];
  answers->octets += octets;
}

#endif
