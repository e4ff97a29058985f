/*
 * Queries at fixed times, whatever the server does, and how long each answer took. A latency counts
 * from the time at which the query was due, not from when it was sent: a server that stalls delays the
 * queries behind it as well, and a client that waited for it would not see that (coordinated omission).
 *
 * usage: latency_probe ADDRESS PORT QUERIES RATE SECONDS
 *
 * The queries of the file are asked in turn, from the beginning again where they end. Prints one line
 * of JSON: what was sent and answered, with another RCODE than NOERROR (failed), with how many records
 * and octets in all; percentiles in microseconds; and how late the probe itself sent (p99).
 */
#define _GNU_SOURCE
#include "queries.h"

#include <poll.h>
#include <sys/prctl.h>

#define IDS 65536
/* Answers are waited for this long after the last query. */
#define LINGER_NS 1000000000LL

static int ascending(const void *a, const void *b) {
  float left = *(const float *)a, right = *(const float *)b;
  return left < right ? -1 : left > right;
}

static float percentile(const float *sorted, size_t count, double part) {
  if (count == 0) return 0;
  size_t index = (size_t)(part * count);
  return sorted[index < count ? index : count - 1];
}

/* When the query with an id was due; 0 while none waits for it. */
static int64_t due_ns[IDS];

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: latency_probe ADDRESS PORT QUERIES RATE SECONDS\n");
    return 2;
  }
  size_t query_count;
  Query *queries = read_queries(argv[3], &query_count);
  double rate = atof(argv[4]), seconds = atof(argv[5]);
  if (rate <= 0 || seconds <= 0) return 2;
  int fd = connect_to(argv[1], argv[2]);
  /* Without it a wait ends 50 us late. */
  prctl(PR_SET_TIMERSLACK, 1);

  const size_t total = (size_t)(rate * seconds);
  const double interval_ns = 1e9 / rate;
  float *latencies = malloc(total * sizeof *latencies), *lateness = malloc(total * sizeof *lateness);
  size_t sent = 0, overwritten = 0;
  Answers answers = {0};
  unsigned char answer[4096];
  const int64_t start_ns = now_ns() + 1000000;
  for (;;) {
    int64_t time_ns = now_ns();
    while (sent < total) {
      int64_t query_due_ns = start_ns + (int64_t)(sent * interval_ns);
      if (query_due_ns > time_ns) break;
      Query *query = &queries[sent % query_count];
      uint16_t id = sent & 0xffff;
      write_id(query->octets, id);
      if (due_ns[id] != 0) overwritten++;
      due_ns[id] = query_due_ns;
      lateness[sent++] = (time_ns - query_due_ns) / 1000.0;
      (void)!send(fd, query->octets, query->length, 0);
      time_ns = now_ns();
    }
    for (;;) {
      ssize_t octets = recv(fd, answer, sizeof answer, 0);
      if (octets < 0) break;
      if (octets < 12) continue;
      uint16_t id = answer[0] << 8 | answer[1];
      if (due_ns[id] == 0) continue;
      latencies[answers.answered] = (now_ns() - due_ns[id]) / 1000.0;
      count_answer(&answers, answer, octets);
      due_ns[id] = 0;
    }
    int64_t next_ns = sent < total ? start_ns + (int64_t)(sent * interval_ns)
                                   : start_ns + (int64_t)(total * interval_ns) + LINGER_NS;
    int64_t wait_ns = next_ns - now_ns();
    if (sent == total && (answers.answered + overwritten == total || wait_ns <= 0)) break;
    if (wait_ns <= 0) continue;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    struct timespec timeout = {wait_ns / 1000000000LL, wait_ns % 1000000000LL};
    ppoll(&waiting, 1, &timeout, NULL);
  }
  qsort(latencies, answers.answered, sizeof *latencies, ascending);
  qsort(lateness, sent, sizeof *lateness, ascending);
  printf("{\"sent\":%zu,\"answered\":%zu,\"failed\":%zu,\"records\":%zu,\"octets\":%zu,\"p50Us\":%.1f,"
         "\"p99Us\":%.1f,\"p999Us\":%.1f,\"maxUs\":%.1f,\"sentLateP99Us\":%.1f}\n",
         sent, answers.answered, answers.failed, answers.records, answers.octets,
         percentile(latencies, answers.answered, 0.5), percentile(latencies, answers.answered, 0.99),
         percentile(latencies, answers.answered, 0.999), percentile(latencies, answers.answered, 1),
         percentile(lateness, sent, 0.99));
  return 0;
}
