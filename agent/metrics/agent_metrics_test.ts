import assert from "node:assert/strict";
import { AgentMetrics } from "./agent_metrics.ts";
import { METRIC_DOCS } from "./metric_docs.ts";

const readings = {
  cache: {
    entries: 3,
    bytes: 999,
    lookups: { positive: 5, miss: 2 },
    prefetches: 1,
    evictions: 4,
  },
  hosts: 7,
  receivedMs: 1_700_000_000_000,
  connected: true,
  certificateExpiryMs: 1_800_000_000_000,
  residentBytes: 1024,
};
const make = () => new AgentMetrics({ version: "9.9.9", read: () => readings });

async function sample(metrics: AgentMetrics, line: string): Promise<string | undefined> {
  const { body } = await metrics.expose();
  return body.split("\n").find((text) => text.startsWith(`${line} `))?.split(" ").at(-1);
}

Deno.test("AgentMetrics exposes every documented metric, and no other", async () => {
  const { body, contentType } = await make().expose();
  const exposed = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((
    [, name, type],
  ) => [name, type]);
  const documented = METRIC_DOCS.map(({ name, type }) => [name, type]);
  assert.deepEqual(exposed.sort(), documented.sort());
  assert.match(contentType, /^text\/plain/);
});

Deno.test("AgentMetrics counts queries and answers", async () => {
  const metrics = make();
  metrics.onQuery({ transport: "udp", type: 1 });
  metrics.onQuery({ transport: "udp", type: 1 });
  metrics.onAnswer({ source: "mesh", rcode: 0, seconds: 0.0001 });
  metrics.onAnswer({ source: "failure", rcode: 2, seconds: 4.5 });
  metrics.onDropped("short");
  metrics.onPush(false);
  const expected: [string, string][] = [
    ['outrigger_dns_queries_total{transport="udp",type="A"}', "2"],
    ["istio_agent_dns_requests_total", "2"],
    ['outrigger_dns_answers_total{source="mesh",rcode="NOERROR"}', "1"],
    ['outrigger_dns_answer_duration_seconds_count{source="failure"}', "1"],
    ["istio_agent_dns_upstream_failures_total", "1"],
    ['outrigger_dns_dropped_total{reason="short"}', "1"],
    ['outrigger_mesh_pushes_total{verdict="rejected"}', "1"],
  ];
  for (const [line, value] of expected) assert.equal(await sample(metrics, line), value, line);
});

Deno.test("AgentMetrics counts upstream queries under both names", async () => {
  const metrics = make();
  metrics.upstream.onRequest("192.0.2.1:53");
  metrics.upstream.onAnswer("192.0.2.1:53", 0.004);
  metrics.upstream.onFailure("192.0.2.1:53", "timeout");
  metrics.upstream.onHedge("192.0.2.1:53");
  metrics.upstream.onRetry("192.0.2.1:53");
  metrics.upstream.onMismatch("192.0.2.1:53");
  metrics.upstream.onTcpFallback("192.0.2.1:53", "truncated");
  const expected: [string, string][] = [
    ["istio_agent_dns_upstream_requests_total", "1"],
    ['outrigger_upstream_requests_total{server="192.0.2.1:53"}', "1"],
    ['outrigger_upstream_failures_total{server="192.0.2.1:53",reason="timeout"}', "1"],
    ['outrigger_upstream_request_duration_seconds_count{server="192.0.2.1:53"}', "1"],
    ['outrigger_upstream_hedges_total{server="192.0.2.1:53"}', "1"],
    ['outrigger_upstream_retries_total{server="192.0.2.1:53"}', "1"],
    ['outrigger_upstream_mismatches_total{server="192.0.2.1:53"}', "1"],
    ['outrigger_upstream_tcp_fallbacks_total{server="192.0.2.1:53",reason="truncated"}', "1"],
    ['istio_agent_dns_upstream_request_duration_seconds_bucket{le="0.005"}', "1"],
    ['istio_agent_dns_upstream_request_duration_seconds_bucket{le="0.001"}', "0"],
  ];
  for (const [line, value] of expected) assert.equal(await sample(metrics, line), value, line);
});

Deno.test("AgentMetrics reads gauges at each scrape", async () => {
  const metrics = make();
  assert.equal(await sample(metrics, "outrigger_names_hosts"), "7");
  assert.equal(await sample(metrics, "outrigger_mesh_connected"), "1");
  assert.equal(await sample(metrics, "outrigger_names_received_timestamp_seconds"), "1700000000");
  assert.equal(await sample(metrics, 'outrigger_build_info{version="9.9.9"}'), "1");
});

Deno.test("AgentMetrics shows what the cache counted, at each scrape anew", async () => {
  const metrics = make();
  await metrics.expose();
  const expected: [string, string][] = [
    ["outrigger_cache_entries", "3"],
    ["outrigger_cache_bytes", "999"],
    ['outrigger_cache_lookups_total{result="positive"}', "5"],
    ['outrigger_cache_lookups_total{result="miss"}', "2"],
    ["outrigger_cache_prefetches_total", "1"],
    ["outrigger_cache_evictions_total", "4"],
  ];
  for (const [line, value] of expected) assert.equal(await sample(metrics, line), value, line);
});

Deno.test("AgentMetrics keeps its labels bounded, whatever clients ask", async () => {
  const metrics = make();
  for (let type = 0; type < 65536; type += 7) metrics.onQuery({ transport: "tcp", type });
  const { body } = await metrics.expose();
  const labels = body.split("\n").filter((line) => line.startsWith("outrigger_dns_queries_total{"));
  assert.ok(labels.length <= 13, `${labels.length} labels`);
});
