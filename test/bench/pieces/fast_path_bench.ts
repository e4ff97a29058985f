/**
 * What each piece of the fast path costs, without the system calls. Each runs on another one of 20,000
 * queries, so that nothing of a name is in the processor's caches by chance.
 *
 * @module
 */
import { fastView } from "../../../agent/server/fast_view.ts";
import { FastAnswerer } from "../../../agent/server/fast_answer.ts";
import { FastLookup } from "../../../agent/server/fast_lookup.ts";
import { FastQuery } from "../../../agent/server/fast_query.ts";
import { hashOctets } from "../../../agent/names/table_layout.ts";
import { TableReader } from "../../../agent/names/table_reader.ts";
import { SLOT_OCTETS } from "../../../agent/system/udp_batch.ts";
import { queryMessage } from "../../support/dns_messages.ts";
import { serviceEntry } from "../../support/host_entries.ts";
import { buildTable } from "../../support/name_tables.ts";

const QUERIES = 20_000;
const view = fastView({
  clusterDomain: "cluster.local",
  namespace: "ns-1",
  searchDomains: ["ns-1.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"],
  serveAutoAllocated: false,
});

/** Queries for hosts of a table, in slots as a batch has them. */
function make(hosts: number, { suffix = "", type = "A" } = {}) {
  const entries = Array.from(
    { length: hosts },
    (_, i) => serviceEntry(`svc-${i}.ns-${i % 97}`, ["10.0.0.1"]),
  );
  const table = new TableReader(buildTable(entries).buffer);
  const messages = Array.from({ length: QUERIES }, (_, i) => {
    const host = i * 7919 % hosts;
    const name = `svc-${host}.ns-${host % 97}.svc.cluster.local${suffix}`;
    return new Uint8Array(queryMessage(name, type, { edns: { udpPayloadSize: 1232 } }));
  });
  const packets = new Uint8Array(SLOT_OCTETS);
  let next = 0;
  const load = () => {
    const message = messages[next = (next + 1) % QUERIES];
    packets.set(message);
    return message.length;
  };
  return { table, packets, load };
}

for (const hosts of [5_000, 100_000]) {
  const { table, packets, load } = make(hosts);
  const query = new FastQuery();
  const lookup = new FastLookup(query);
  Deno.bench(`load a query (in all below), ${hosts} hosts`, () => void load());
  Deno.bench(`read a query, ${hosts} hosts`, () => {
    query.read(packets, 0, load(), table.seed);
  });
  Deno.bench(`read and look up, ${hosts} hosts`, () => {
    query.read(packets, 0, load(), table.seed);
    lookup.find(table, view);
  });
}

for (
  const [title, options] of Object.entries({
    "addresses": {},
    "no address of the family": { type: "AAAA" },
    "behind a search domain": { suffix: ".ns-1.svc.cluster.local" },
    "behind a domain of the VM's own": { suffix: ".corp.example" },
  })
) {
  const { table, packets, load } = make(5_000, options);
  const answerer = new FastAnswerer({ table, view, cache: undefined }, 1);
  Deno.bench(`answer: ${title}`, () => void answerer.answer(packets, 0, load()));
}

const name = new TextEncoder().encode("\x0bproductpage\x03ns1\x03svc\x07cluster\x05local");
Deno.bench("hash a name of 33 octets", () => void hashOctets(1, name, 0, name.length));
