/**
 * What servers are asked, and what their answers must look like.
 *
 * @module
 */
import type { QueryMix } from "./bench_names.ts";
import type { Ability } from "./peers/peer.ts";

/** One kind of load. */
export interface Workload {
  /** As `--only` names it. */
  name: string;
  /** For the table. */
  title: string;
  /** How many names the mesh has. */
  hosts: number;
  /** What is asked. */
  mix: QueryMix;
  /** What a server must be able to do to take part. */
  needs: readonly Ability[];
  /** Records in each answer. */
  records: number;
  /** Peers that take part; all that can, unless given. */
  peers?: readonly string[];
  /** Rates in queries a second at which latency and CPU time are measured too. */
  rates?: readonly number[];
  /** Whether the clients send to port 53 and nftables leads them to the server. */
  redirected?: boolean;
  /** The client that saturates the server; `saturate` unless given. */
  client?: "dnsperf";
  /** Why some peers are measured differently. */
  note?: string;
}

const MESH = ["mesh"] as const;

/** Every load, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "mesh-5000",
    title: "mesh A hits, 5,000 names",
    hosts: 5_000,
    mix: { mesh: 1 },
    needs: MESH,
    records: 1,
    rates: [10_000, 1_000],
  },
  {
    name: "mesh-100000",
    title: "mesh A hits, 100,000 names asked at random",
    hosts: 100_000,
    mix: { mesh: 1 },
    needs: MESH,
    records: 1,
    rates: [10_000],
  },
  {
    name: "autopath",
    title: "a search domain behind the name: CNAME and A, 5,000 names",
    hosts: 5_000,
    mix: { autopath: 1 },
    needs: ["autopath"],
    records: 2,
    rates: [10_000],
    note: "Istio's has it for its first search domain, which is the one asked for.",
  },
  {
    name: "cached",
    title: "external names that are cached, 1,000 names",
    hosts: 5_000,
    mix: { cached: 1 },
    needs: ["forward"],
    records: 1,
    rates: [10_000],
    note: "Istio's has no cache: it forwards each query.",
  },
  {
    name: "misses",
    title: "external names that are forwarded, each once",
    hosts: 5_000,
    mix: { misses: 1 },
    needs: ["forward"],
    records: 1,
    rates: [1_000],
    note: "The nameserver behind, Knot DNS, is on the client's core.",
  },
  {
    name: "mix",
    title: "75 % mesh, 22 % cached, 3 % forwarded",
    hosts: 5_000,
    mix: { mesh: 0.75, cached: 0.22, misses: 0.03 },
    needs: ["forward"],
    records: 1,
    rates: [10_000],
    note: "Istio's has no cache: it forwards a quarter.",
  },
  {
    name: "redirect",
    title: "mesh A hits, 5,000 names, through an nft redirect from port 53",
    hosts: 5_000,
    mix: { mesh: 1 },
    needs: MESH,
    records: 1,
    rates: [10_000, 1_000],
    redirected: true,
  },
  {
    name: "dnsperf",
    title: "mesh A hits, 5,000 names, asked by dnsperf",
    hosts: 5_000,
    mix: { mesh: 1 },
    needs: MESH,
    records: 1,
    client: "dnsperf",
    note:
      "A check of the other client: dnsperf is at its own limit before the fastest servers are.",
  },
  ...[1_000, 1_000_000].map((hosts): Workload => ({
    name: `mesh-${hosts}`,
    title: `mesh A hits, ${hosts.toLocaleString("en")} names asked at random`,
    hosts,
    mix: { mesh: 1 },
    needs: MESH,
    records: 1,
    peers: ["outrigger", "unbound"],
  })),
];
