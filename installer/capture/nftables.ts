/**
 * Capture by nftables: queries to the nameservers in use go to the agent, whatever names those servers. One
 * table of our own, never another; port 53, never another.
 *
 * @module
 */
import type { VmFacts } from "../facts.ts";
import type { Step } from "../steps.ts";
import { type Capture, type CaptureSettings, OWN_COMMENT } from "./capture.ts";
import { capturedBridges, containerChain } from "./containers.ts";

const TABLE = "table inet outrigger";
/** Any number that nobody else uses; the agent's queries are tracked apart from all others. */
const ZONE = 15053;

/** See the module. */
export const nftablesCapture: Capture = {
  name: "nftables",
  needsPort53: () => false,
  fits(facts, settings) {
    const { nftVersion } = facts;
    if (nftVersion === undefined) return { fits: false, because: "there is no nft" };
    if (!settings.allNameservers && nameservers(facts).length === 0) {
      return { fits: false, because: "no nameserver was found whose queries could be redirected" };
    }
    return { fits: true, because: `nft ${nftVersion} redirects queries, whoever sends them` };
  },
  steps: (facts, settings) =>
    loadSteps(facts, {
      text: nftablesText(facts, settings),
      what: `queries to ${
        settings.allNameservers ? "any nameserver" : nameservers(facts).join(", ")
      }${of(capturedBridges(facts, settings))}`,
    }),
};

/** The steps where containers alone are captured by nftables, and the VM's own queries in another way. */
export function containerSteps(facts: VmFacts, settings: CaptureSettings): Step[] {
  const bridges = capturedBridges(facts, settings);
  if (bridges.length === 0) return [];
  const text = tableText(containerChain(bridges, settings.dns.port));
  return loadSteps(facts, { text, what: `queries${of(bridges)}` });
}

function of(bridges: readonly { name: string }[]): string {
  return bridges.length === 0
    ? ""
    : ` of containers behind ${bridges.map(({ name }) => name).join(", ")}`;
}

function loadSteps(
  { layout }: Pick<VmFacts, "layout">,
  { text, what }: { text: string; what: string },
): Step[] {
  // conntrack(8) is on few machines; the program does it itself.
  const forget = { command: [layout.program, "capture", "forget-connections"] };
  return [{
    kind: "run",
    down: forget,
    why: "sockets that live on ask their nameservers themselves again",
  }, {
    kind: "run",
    up: { command: ["nft", "-f", "-"], input: text },
    down: { command: ["nft", "-f", "-"], input: `${TABLE}\ndelete ${TABLE}\n` },
    unless: ["nft", "list", ...TABLE.split(" ")],
    why: `${what} go to the agent; loaded as one, gone at the next boot`,
  }, {
    kind: "run",
    up: forget,
    afterChange: true,
    why:
      "sockets that live on ask the agent too: the kernel keeps each on the way of its first packet",
  }];
}

/** IP literals of the nameservers that are asked by plain DNS. */
function nameservers({ dns }: Pick<VmFacts, "dns">): string[] {
  const all = [...dns.servers, ...dns.domains.flatMap(({ servers }) => servers)]
    .filter(({ address, tls }) => tls === undefined && address.port === 53)
    // nft takes no zone: a link-local address stands for the server on whichever link.
    .map(({ address }) => address.address.replace(/%.*/, ""));
  return [...new Set(all)];
}

/** What nft loads: the table of before goes and this one comes, as one. */
export function nftablesText(facts: VmFacts, settings: CaptureSettings): string {
  const { dns: { port }, user, allNameservers } = settings;
  const all = nameservers(facts);
  const rules = (family: "ip" | "ip6", loopback: string, servers: readonly string[]) => {
    if (!allNameservers && servers.length === 0) return [];
    const towards = allNameservers ? `!= ${loopback}` : `{ ${servers.join(", ")} }`;
    return ["udp", "tcp"].map((protocol) =>
      `    ${family} daddr ${towards} ${protocol} dport 53 counter redirect to :${port}`
    );
  };
  return tableText([
    "  # With equal source ports conntrack would take the agent's query for the client's, and send it back.",
    "  chain track_agent {",
    "    type filter hook output priority raw; policy accept;",
    `    meta skuid "${user}" udp dport 53 ct original zone set ${ZONE}`,
    `    meta skuid "${user}" tcp dport 53 ct original zone set ${ZONE}`,
    "  }",
    "  chain redirect_queries {",
    "    type nat hook output priority -100; policy accept;",
    `    meta skuid "${user}" return`,
    ...rules("ip", "127.0.0.0/8", all.filter((address) => !address.includes(":"))),
    ...rules("ip6", "::1", all.filter((address) => address.includes(":"))),
    "  }",
    ...containerChain(capturedBridges(facts, settings), port),
  ]);
}

function tableText(chains: readonly string[]): string {
  return [OWN_COMMENT, TABLE, `delete ${TABLE}`, `${TABLE} {`, ...chains, "}", ""].join("\n");
}
