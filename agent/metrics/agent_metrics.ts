/**
 * The agent's counters, over prom-client with a registry of their own. Other parts call named methods
 * and see nothing of prom-client.
 *
 * @module
 */
import type * as promClient from "prom-client";
import counter from "prom-client/lib/counter.js";
import gauge from "prom-client/lib/gauge.js";
import histogram from "prom-client/lib/histogram.js";
import registry from "prom-client/lib/registry.js";
import { formatRcode, formatType, RecordType } from "../dns/codes.ts";
import { AnswerDurations } from "./answer_durations.ts";
import { METRIC_DOCS, type MetricName } from "./metric_docs.ts";

// The main module reads all of prom-client, what it has for clusters of processes too: 20 ms at each start.
const Counter: typeof promClient.Counter = counter;
const Gauge: typeof promClient.Gauge = gauge;
const Histogram: typeof promClient.Histogram = histogram;
const Registry: typeof promClient.Registry = registry;

/** What is read from the other parts at each scrape. */
export interface MetricReadings {
  /** The cache: answers in it, size in octets, and what happened since the start. */
  cache: {
    entries: number;
    bytes: number;
    lookups: Readonly<Record<string, number>>;
    prefetches: number;
    evictions: number;
  };
  /** Hosts in the name table. */
  hosts: number;
  /** When the table was received, milliseconds since 1970; 0 before the first. */
  receivedMs: number;
  /** Whether the control plane is connected. */
  connected: boolean;
  /** End of the certificate's life, milliseconds since 1970; 0 without one. */
  certificateExpiryMs: number;
  /** Resident memory in octets. */
  residentBytes: number;
}

/** What the fast path's workers answered from one source since they were asked last. */
export interface FastAnswers {
  /** As in {@link AgentMetrics.onAnswer}. */
  source: "mesh" | "cache";
  /** Answers by response code. */
  rcodes: [rcode: number, count: number][];
  /** Answers by bucket, see `ANSWER_BUCKETS`. */
  buckets: [bucket: number, count: number][];
  /** How long all of them took. */
  seconds: number;
}

/** Types that get a label of their own; all others share `other`, so that clients cannot make labels. */
const LABELLED_TYPES: ReadonlySet<number> = new Set([
  RecordType.A,
  RecordType.AAAA,
  RecordType.PTR,
  RecordType.SRV,
  RecordType.HTTPS,
  RecordType.SVCB,
  RecordType.TXT,
  RecordType.MX,
  RecordType.NS,
  RecordType.SOA,
  RecordType.CNAME,
  RecordType.ANY,
]);

/** Istio's buckets for upstream requests, in seconds. */
const UPSTREAM_BUCKETS = [.001, .005, .01, .1, 1, 5];
/** From the next room to a name that the server itself has to look up, in seconds. */
const UPSTREAM_SERVER_BUCKETS = [.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5];

/** Counts what the agent does. */
export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #beforeScrape: () => void;
  readonly #queries = this.#counter("outrigger_dns_queries_total");
  readonly #istioRequests = this.#counter("istio_agent_dns_requests_total");
  readonly #answers = this.#counter("outrigger_dns_answers_total");
  readonly #answerSeconds = this.#answerDurations();
  readonly #dropped = this.#counter("outrigger_dns_dropped_total");
  readonly #pushes = this.#counter("outrigger_mesh_pushes_total");
  readonly #istioFailures = this.#counter("istio_agent_dns_upstream_failures_total");
  readonly #children = new Map<string, { inc(by?: number): void }>();

  /** Counts queries to upstream servers. */
  readonly upstream: {
    onRequest(server: string): void;
    onAnswer(server: string, seconds: number): void;
    onFailure(server: string, reason: string): void;
    onHedge(server: string): void;
    onRetry(server: string): void;
    onMismatch(server: string): void;
    onTcpFallback(server: string, reason: string): void;
  };

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `version` of the agent; `read`: the gauges' values, asked for at each scrape;
   * `beforeScrape` may bring counts that others keep
   */
  constructor(
    options: { version: string; read: () => MetricReadings; beforeScrape?: () => void },
  ) {
    this.#beforeScrape = options.beforeScrape ?? (() => {});
    this.#gauges(options.read);
    this.#cacheCounters(options.read);
    const build = this.#gauge("outrigger_build_info");
    build.set({ version: options.version }, 1);
    const istioSent = this.#counter("istio_agent_dns_upstream_requests_total");
    const istioSeconds = this.#histogram(
      "istio_agent_dns_upstream_request_duration_seconds",
      UPSTREAM_BUCKETS,
    );
    const sent = this.#counter("outrigger_upstream_requests_total");
    const failed = this.#counter("outrigger_upstream_failures_total");
    const seconds = this.#histogram(
      "outrigger_upstream_request_duration_seconds",
      UPSTREAM_SERVER_BUCKETS,
    );
    const hedges = this.#counter("outrigger_upstream_hedges_total");
    const retries = this.#counter("outrigger_upstream_retries_total");
    const mismatches = this.#counter("outrigger_upstream_mismatches_total");
    const tcpFallbacks = this.#counter("outrigger_upstream_tcp_fallbacks_total");
    this.upstream = {
      onRequest(server) {
        istioSent.inc();
        sent.inc({ server });
      },
      onAnswer(server, took) {
        istioSeconds.observe(took);
        seconds.observe({ server }, took);
      },
      onFailure: (server, reason) => failed.inc({ server, reason }),
      onHedge: (server) => hedges.inc({ server }),
      onRetry: (server) => retries.inc({ server }),
      onMismatch: (server) => mismatches.inc({ server }),
      onTcpFallback: (server, reason) => tcpFallbacks.inc({ server, reason }),
    };
  }

  /** A query that can be answered came in, or as many of them. */
  onQuery(
    { transport, type, count = 1 }: { transport: "udp" | "tcp"; type: number; count?: number },
  ): void {
    const name = LABELLED_TYPES.has(type) ? formatType(type) : "other";
    this.#istioRequests.inc(count);
    this.#child(`q ${transport} ${name}`, () => this.#queries.labels({ transport, type: name }))
      .inc(count);
  }

  /** A query was answered. */
  onAnswer(
    { source, rcode, seconds }: { source: string; rcode: number; seconds: number },
  ): void {
    this.#countAnswers(source, rcode, 1);
    this.#answerSeconds.observe(source, seconds);
    if (source === "failure") this.#istioFailures.inc();
  }

  /** Workers of the fast path answered queries. */
  onFastAnswers(answers: FastAnswers): void {
    const { source } = answers;
    for (const [rcode, count] of answers.rcodes) this.#countAnswers(source, rcode, count);
    for (const [bucket, count] of answers.buckets) {
      this.#answerSeconds.add(source, { bucket, count, seconds: 0 });
    }
    this.#answerSeconds.add(source, { bucket: 0, count: 0, seconds: answers.seconds });
  }

  /** A message was no answerable query, or as many of them. */
  onDropped(reason: string, count = 1): void {
    this.#dropped.inc({ reason }, count);
  }

  /** A table came. */
  onPush(accepted: boolean): void {
    this.#pushes.inc({ verdict: accepted ? "accepted" : "rejected" });
  }

  /** The text of /metrics. */
  async expose(): Promise<{ contentType: string; body: string }> {
    this.#beforeScrape();
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #countAnswers(source: string, rcode: number, count: number): void {
    const known = formatRcode(rcode);
    // Upstream servers may make up codes, but no labels.
    const name = known.startsWith("RCODE") ? "other" : known;
    this.#child(`a ${source} ${name}`, () => this.#answers.labels({ source, rcode: name }))
      .inc(count);
  }

  /** Label lookup costs more than counting: a child is looked up once. */
  #child(key: string, make: () => { inc(by?: number): void }): { inc(by?: number): void } {
    let child = this.#children.get(key);
    if (child === undefined) this.#children.set(key, child = make());
    return child;
  }

  #gauges(read: () => MetricReadings): void {
    const readings: Partial<Record<MetricName, (values: MetricReadings) => number>> = {
      outrigger_cache_entries: ({ cache }) => cache.entries,
      outrigger_cache_bytes: ({ cache }) => cache.bytes,
      outrigger_names_hosts: ({ hosts }) => hosts,
      outrigger_names_received_timestamp_seconds: ({ receivedMs }) => receivedMs / 1000,
      outrigger_mesh_connected: ({ connected }) => connected ? 1 : 0,
      outrigger_mesh_certificate_expiry_timestamp_seconds: ({ certificateExpiryMs }) =>
        certificateExpiryMs / 1000,
      outrigger_process_resident_bytes: ({ residentBytes }) => residentBytes,
    };
    for (const [name, value] of Object.entries(readings)) {
      this.#gauge(name as MetricName, function () {
        this.set(value(read()));
      });
    }
  }

  /** Counters that the cache itself keeps. */
  #cacheCounters(read: () => MetricReadings): void {
    this.#counter("outrigger_cache_lookups_total", function () {
      this.reset();
      for (const [result, count] of Object.entries(read().cache.lookups)) {
        this.inc({ result }, count);
      }
    });
    this.#counter("outrigger_cache_prefetches_total", function () {
      this.reset();
      this.inc(read().cache.prefetches);
    });
    this.#counter("outrigger_cache_evictions_total", function () {
      this.reset();
      this.inc(read().cache.evictions);
    });
  }

  #counter(name: MetricName, collect?: (this: promClient.Counter) => void): promClient.Counter {
    return new Counter({ ...doc(name), registers: [this.#registry], ...(collect && { collect }) });
  }

  #gauge(name: MetricName, collect?: (this: promClient.Gauge) => void): promClient.Gauge {
    return new Gauge({ ...doc(name), registers: [this.#registry], ...(collect && { collect }) });
  }

  #answerDurations(): AnswerDurations {
    const durations = new AnswerDurations(doc("outrigger_dns_answer_duration_seconds"));
    // A registry asks of a metric what AnswerDurations has, and no more.
    this.#registry.registerMetric(durations as unknown as promClient.Metric);
    return durations;
  }

  #histogram(name: MetricName, buckets: number[]): promClient.Histogram {
    return new Histogram({ ...doc(name), buckets, registers: [this.#registry] });
  }
}

function doc(name: MetricName): { name: string; help: string; labelNames: string[] } {
  const { help, labels } = METRIC_DOCS.find((metric) => metric.name === name)!;
  return { name, help, labelNames: [...labels] };
}
