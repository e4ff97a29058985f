/**
 * Every metric of the agent: name, type, labels and meaning. The metrics are made from this list, and
 * the README's table is tested against it.
 *
 * @module
 */

/** One metric. */
export interface MetricDoc {
  /** Name on /metrics. */
  name: string;
  /** Prometheus type. */
  type: "counter" | "gauge" | "histogram";
  /** What it says. */
  help: string;
  /** Label names. */
  labels: readonly string[];
}

/** The metrics, in the order of /metrics. */
export const METRIC_DOCS = [
  {
    name: "istio_agent_dns_requests_total",
    type: "counter",
    help: "DNS queries of clients, under the name of Istio's agent.",
    labels: [],
  },
  {
    name: "istio_agent_dns_upstream_requests_total",
    type: "counter",
    help: "Queries sent to upstream servers, under the name of Istio's agent.",
    labels: [],
  },
  {
    name: "istio_agent_dns_upstream_failures_total",
    type: "counter",
    help: "Questions of clients that no upstream server answered, under the name of Istio's agent.",
    labels: [],
  },
  {
    name: "istio_agent_dns_upstream_request_duration_seconds",
    type: "histogram",
    help: "Time from a query to its upstream server's answer, under the name of Istio's agent.",
    labels: [],
  },
  {
    name: "outrigger_dns_queries_total",
    type: "counter",
    help:
      "DNS queries of clients, by transport and type (types that are rare here count as other).",
    labels: ["transport", "type"],
  },
  {
    name: "outrigger_dns_answers_total",
    type: "counter",
    help: "Answers to clients, by the part that gave them and response code.",
    labels: ["source", "rcode"],
  },
  {
    name: "outrigger_dns_answer_duration_seconds",
    type: "histogram",
    help: "Time from a client's query to its answer, by the part that gave it.",
    labels: ["source"],
  },
  {
    name: "outrigger_dns_dropped_total",
    type: "counter",
    help: "Messages of clients that were no answerable query, by reason.",
    labels: ["reason"],
  },
  {
    name: "outrigger_upstream_requests_total",
    type: "counter",
    help: "Queries sent, by upstream server.",
    labels: ["server"],
  },
  {
    name: "outrigger_upstream_failures_total",
    type: "counter",
    help: "Queries without a usable answer, by upstream server and reason (timeout, error).",
    labels: ["server", "reason"],
  },
  {
    name: "outrigger_upstream_request_duration_seconds",
    type: "histogram",
    help: "Time from a query to its answer, by upstream server.",
    labels: ["server"],
  },
  {
    name: "outrigger_upstream_hedges_total",
    type: "counter",
    help: "Queries sent because another upstream server was slower than its usual, by server.",
    labels: ["server"],
  },
  {
    name: "outrigger_upstream_retries_total",
    type: "counter",
    help: "Queries sent because a try before had no usable answer, by upstream server.",
    labels: ["server"],
  },
  {
    name: "outrigger_upstream_mismatches_total",
    type: "counter",
    help: "Replies ignored because they were not to the query, by upstream server that was asked.",
    labels: ["server"],
  },
  {
    name: "outrigger_upstream_tcp_fallbacks_total",
    type: "counter",
    help: "Questions that went by TCP, by upstream server and reason.",
    labels: ["server", "reason"],
  },
  {
    name: "outrigger_cache_entries",
    type: "gauge",
    help: "Answers in the cache.",
    labels: [],
  },
  {
    name: "outrigger_cache_bytes",
    type: "gauge",
    help: "Estimated size of the cache.",
    labels: [],
  },
  {
    name: "outrigger_cache_lookups_total",
    type: "counter",
    help:
      "Lookups by what they found: positive, negative, failure or stale answers were given from the " +
      "cache; at expired and miss upstream servers were asked.",
    labels: ["result"],
  },
  {
    name: "outrigger_cache_prefetches_total",
    type: "counter",
    help: "Answers that were due to be asked for anew before they ended.",
    labels: [],
  },
  {
    name: "outrigger_cache_evictions_total",
    type: "counter",
    help: "Answers that had to make room for others.",
    labels: [],
  },
  {
    name: "outrigger_names_hosts",
    type: "gauge",
    help: "Hosts in the name table in force.",
    labels: [],
  },
  {
    name: "outrigger_names_received_timestamp_seconds",
    type: "gauge",
    help: "When the control plane's table in force was received; 0 before the first.",
    labels: [],
  },
  {
    name: "outrigger_mesh_pushes_total",
    type: "counter",
    help: "Tables that came from the control plane or the disk, by verdict (accepted, rejected).",
    labels: ["verdict"],
  },
  {
    name: "outrigger_mesh_connected",
    type: "gauge",
    help: "1 while the control plane is connected.",
    labels: [],
  },
  {
    name: "outrigger_mesh_certificate_expiry_timestamp_seconds",
    type: "gauge",
    help: "End of the certificate's life; 0 without one.",
    labels: [],
  },
  {
    name: "outrigger_process_resident_bytes",
    type: "gauge",
    help: "Resident memory of the agent.",
    labels: [],
  },
  {
    name: "outrigger_build_info",
    type: "gauge",
    help: "Always 1; the version is a label.",
    labels: ["version"],
  },
] as const satisfies readonly MetricDoc[];

/** Name of a metric. */
export type MetricName = typeof METRIC_DOCS[number]["name"];
