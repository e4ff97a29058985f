/**
 * What the demo asks and shows, and what each answer must be.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";
import { systemWorld } from "../system/world.ts";
import type { CommandContext } from "./command_context.ts";
import type { DemoUpstream } from "./demo_upstream.ts";
import { askServer, resolveLikeStub, type StubAnswer } from "./dns_stub.ts";

/** The parts that are asked. */
export interface DemoParts {
  /** The agent. */
  server: SocketAddress;
  /** Its upstream server. */
  upstream: DemoUpstream;
  /** Its configuration. */
  config: Config;
}

/** One question, what it shows, and what must come back. */
interface Step {
  about: string;
  name: string;
  type: string;
  rcode?: string;
  /** The data of the records asked for, in any order. */
  data: string[];
}

const DB1 = "mysql-instance1.us-east-1.rds.amazonaws.com";
const DB2 = "mysql-instance2.us-east-1.rds.amazonaws.com";

const STEPS: readonly Step[] = [
  {
    about: "A Service, by its full name",
    name: "productpage.ns1.svc.cluster.local",
    type: "A",
    data: ["10.96.0.11"],
  },
  {
    about: "… by the short name of another namespace",
    name: "reviews.ns1",
    type: "A",
    data: ["10.96.0.14"],
  },
  { about: "… in this node's own namespace", name: "ratings", type: "A", data: ["10.96.0.13"] },
  {
    about: "… over IPv6, where it has that",
    name: "details.ns1.svc.cluster.local",
    type: "AAAA",
    data: ["2001:db8:96::12"],
  },
  {
    about: "… and not, where it has not: no error, no record",
    name: "productpage.ns1.svc.cluster.local",
    type: "AAAA",
    data: [],
  },
  {
    about: "A headless Service: its pods",
    name: "redis.ns1.svc.cluster.local",
    type: "A",
    data: ["10.244.1.5", "10.244.2.7"],
  },
  {
    about: "… and one of them",
    name: "redis-0.redis.ns1.svc.cluster.local",
    type: "A",
    data: ["10.244.1.5"],
  },
  {
    about: "A Service that only another cluster has",
    name: "ledger.bank.svc.cluster.local",
    type: "A",
    data: ["10.112.0.9"],
  },
  {
    about: "Two databases of the outside, on the same port: a virtual IP …",
    name: DB1,
    type: "A",
    data: ["240.240.0.1"],
  },
  { about: "… each", name: DB2, type: "A", data: ["240.240.0.2"] },
  { about: "… over IPv6 too", name: DB2, type: "AAAA", data: ["2001:2::2"] },
  { about: "… and back", name: "2.0.240.240.in-addr.arpa", type: "PTR", data: [DB2] },
  { about: "A wildcard", name: "orders.partners.example.org", type: "A", data: ["192.0.2.80"] },
  {
    about: "A name that the mesh does not have, which nobody else is asked for",
    name: "absent.ns1.svc.cluster.local",
    type: "A",
    rcode: "NXDOMAIN",
    data: [],
  },
  {
    about: "A name of the outside: asked upstream",
    name: "www.example.org",
    type: "A",
    data: ["192.0.2.44"],
  },
];

/** Shows it all; false when anything differed from what it must be. */
export async function showTranscript(
  parts: DemoParts,
  { print, colour }: CommandContext,
): Promise<boolean> {
  const mark = (good: boolean) => {
    const text = good ? "ok" : "DIFFERS";
    return colour ? `\x1b[${good ? 32 : 31}m${text}\x1b[0m` : text;
  };
  const { server, upstream } = parts;
  const stub = systemWorld();
  print(
    `An agent on ${formatSocketAddress(server)}, its control plane on ${
      parts.config.controlPlane!.addresses[0]
    }, its upstream server on ${formatSocketAddress(upstream.address)}.\n`,
  );
  let same = true;
  for (const step of STEPS) {
    const answer = await askServer(server, step, stub);
    const good = isExpected(answer, step);
    same &&= good;
    print(`\n${step.about}\n  ? ${step.name} ${step.type}\n`);
    const lines = answer.records.length > 0 ? answer.records : [answer.rcode];
    print(lines.map((line) => `  = ${line}\n`).join(""));
    print(`    ${answer.tookMs.toFixed(1)} ms  ${mark(good)}\n`);
  }
  const leaked = upstream.queries.filter((query) => /cluster\.local|amazonaws/.test(query));
  print(`\nAsked upstream so far: ${upstream.queries.join(", ")}  ${mark(leaked.length === 0)}\n`);
  same &&= leaked.length === 0;

  const name = "productpage.ns1.svc.cluster.local";
  const searchDomains = parts.config.dns.searchDomains!;
  const plain = await resolveLikeStub(upstream.address, { name, searchDomains }, stub);
  const own = await resolveLikeStub(server, { name, searchDomains }, stub);
  const fewer = plain.queries === 12 && own.queries === 2 && own.addresses.length === 1;
  same &&= fewer;
  print(`
What a stub sends for ${name}
with options ndots:5 and the search domains
  ${searchDomains.join(" ")}
  plain nameserver: ${plain.queries} queries, then ${plain.addresses.join(" ")}
  outrigger:        ${own.queries} queries, then ${own.addresses.join(" ")}  ${mark(fewer)}
`);
  return same;
}

function isExpected(answer: StubAnswer, step: Step): boolean {
  return answer.rcode === (step.rcode ?? "NOERROR") &&
    answer.data.toSorted().join() === step.data.toSorted().join();
}
