/**
 * What each piece of a mesh answer costs, so that a regression is seen at its place. These are
 * microbenchmarks of one process; comparisons with other programs are made elsewhere, in one run.
 *
 * @module
 */
import { decodeQuery } from "../../../agent/dns/query.ts";
import { encodeAnswer } from "../../../agent/dns/encode_answer.ts";
import { decodeUpstreamAnswer } from "../../../agent/dns/upstream_message.ts";
import { encodeNameTable } from "../../../agent/mesh/protocol.ts";
import { lookupMesh, meshSearchDomains } from "../../../agent/names/mesh_lookup.ts";
import { decodeNameTable } from "../../../agent/names/name_table_message.ts";
import { answerMessage, query, queryMessage } from "../../support/dns_messages.ts";
import { buildTable } from "../../support/name_tables.ts";

function entries(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    host: `svc-${i}.ns-${i % 100}.svc.cluster.local`,
    addresses: [`10.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}`],
    registry: "Kubernetes",
    shortName: `svc-${i}`,
    namespace: `ns-${i % 100}`,
    altHosts: [],
  }));
}

const view = {
  clusterDomain: "cluster.local",
  namespace: "ns-1",
  searchDomains: [
    ...meshSearchDomains({ namespace: "ns-1", clusterDomain: "cluster.local" }),
    "corp.example",
    "example.net",
  ],
  serveAutoAllocated: false,
};
const NAME = "svc-1.ns-1.svc.cluster.local";
const AUTOPATH = `${NAME}.ns-1.svc.cluster.local`;
const message = queryMessage(NAME, "A", { edns: { udpPayloadSize: 1232 } });
const asked = query(NAME, "A", { edns: { udpPayloadSize: 1232 } });
const upstream = answerMessage({
  id: 1,
  name: "www.example.org",
  questionType: "A",
  answers: [{ type: "A", name: "www.example.org", ttl: 60, data: "192.0.2.1" }],
});

Deno.bench("decode a query", () => void decodeQuery(message));

for (const count of [1_000, 100_000]) {
  const { table } = buildTable(entries(count));
  const group = `lookup among ${count} names`;
  Deno.bench(`a host, ${count} names`, { group, baseline: true }, () => {
    lookupMesh({ table, view }, { name: NAME, type: 1 }, 0);
  });
  Deno.bench(`behind a search domain, ${count} names`, { group }, () => {
    lookupMesh({ table, view }, { name: AUTOPATH, type: 1 }, 0);
  });
  Deno.bench(`not of the mesh, ${count} names`, { group }, () => {
    lookupMesh({ table, view }, { name: "www.example.org", type: 1 }, 0);
  });
}

// The same names, so that what differs is the table: at 1,000,000 names at most 1.3 times that of 1,000.
const ASKED = entries(1_000).map(({ host }) => host);
for (const count of [1_000, 1_000_000]) {
  const { table } = buildTable(entries(count));
  let next = 0;
  Deno.bench(`a name of ${count}`, { group: "table", baseline: count === 1_000 }, () => {
    table.exact(ASKED[next++ % ASKED.length]);
  });
}

const { table } = buildTable(entries(1_000));
const outcome = lookupMesh({ table, view }, { name: NAME, type: 1 }, 0);
if (outcome.kind !== "answer") throw new Error("the benchmark's name is not in its table");
Deno.bench("encode an answer", () => void encodeAnswer(asked, outcome.answer, { maxOctets: 1232 }));
Deno.bench("decode an upstream answer", () => {
  decodeUpstreamAnswer(upstream, {
    id: 1,
    question: { name: "www.example.org", type: 1, class: 1 },
  });
});

for (const count of [10_000, 100_000]) {
  const push = encodeNameTable(entries(count));
  const group = `push of ${count} names`;
  Deno.bench(`decode, ${count} names`, { group }, () => void [...decodeNameTable(push)]);
  Deno.bench(`decode and build, ${count} names`, { group }, () => {
    buildTable(decodeNameTable(push));
  });
}
