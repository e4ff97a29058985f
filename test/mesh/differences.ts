/**
 * Where outrigger answers otherwise than the DNS server of Istio's own agent, and why. The differential
 * test takes no other difference; ARCHITECTURE shows this table.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { HTTPS, type Question, SVCB } from "../support/generated_table.ts";
import type { Outcome } from "./referee.ts";

/** Both answers to a question, and what is known of its name. */
export interface Comparison {
  /** The question; its name in lower case. */
  question: Question;
  /** What Istio's server said. */
  istio: Outcome;
  /** What outrigger said. */
  outrigger: Outcome;
  /** What Kubernetes hosts are called, in every form; lower case. */
  kubernetesNames: ReadonlySet<string>;
  /** What Kubernetes hosts are called beside their full name, and hosts of one label; lower case. */
  shortNames: ReadonlySet<string>;
  /** Search domains of the clients. */
  search: readonly string[];
}

/** A difference that is meant. */
export interface Difference {
  /** What differs, for a reader of ARCHITECTURE. */
  what: string;
  /** Why. */
  why: string;
  /** Whether it is this one. */
  explains(comparison: Comparison): boolean;
}

const CLUSTER_DOMAIN = "cluster.local";

/** The differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    what: "A name under the cluster domain that no host has: NXDOMAIN; Istio asks upstream.",
    why: "Nothing of the mesh leaks, and no upstream server can answer it.",
    explains: ({ question, istio, outrigger }) =>
      istio.forwarded && isHere(outrigger, "NXDOMAIN") && isUnder(question.name, CLUSTER_DOMAIN),
  },
  {
    what: "Any other type than A and AAAA of a Kubernetes host: NOERROR without records; Istio " +
      "asks upstream.",
    why: "Upstream servers say NXDOMAIN, which clients take for all types of the name.",
    explains: ({ question, istio, outrigger, kubernetesNames, search }) =>
      !isAddress(question) && istio.forwarded && isHere(outrigger, "NOERROR") &&
      outrigger.records.length === 0 &&
      withoutSearch(question.name, search).some((name) => kubernetesNames.has(name)),
  },
  {
    what: "HTTPS and SVCB of any mesh host: NOERROR without records; Istio asks upstream.",
    why: "Address hints of a public record would lead clients around the mesh.",
    explains: ({ question, istio, outrigger, kubernetesNames, search }) =>
      [HTTPS, SVCB].includes(question.type) && istio.forwarded && isHere(outrigger, "NOERROR") &&
      outrigger.records.length === 0 &&
      !withoutSearch(question.name, search).some((name) => kubernetesNames.has(name)),
  },
  {
    what:
      "A host behind the second search domain or a later one: CNAME and addresses; Istio does " +
      "that for the first one alone.",
    why: "A client whose first search domain is not the mesh's asks no more often than others.",
    explains: ({ question, istio, outrigger, search }) =>
      isAddress(question) && istio.forwarded && isHere(outrigger, "NOERROR") &&
      outrigger.chain.length === 1 &&
      search.slice(1).some((domain) => isUnder(question.name, domain)),
  },
  {
    what: "A host that ends in the first search domain, behind that domain once more: CNAME and " +
      "addresses; Istio asks upstream.",
    why: "A stub with ndots:5 asks for it so, before it asks for the name itself.",
    explains: ({ question, istio, outrigger, search: [first] }) =>
      isAddress(question) && istio.forwarded && isHere(outrigger, "NOERROR") &&
      outrigger.chain.length === 1 && question.name.endsWith(`.${first}.${first}`),
  },
  {
    what:
      "A host behind a search domain, asked for a family that it has no address of: the CNAME " +
      "and no address; Istio leaves out the CNAME.",
    why: "The CNAME is what is true of the name, whatever the type (RFC 2308 section 2.2).",
    explains: ({ istio, outrigger }) =>
      isHere(istio, "NOERROR") && isHere(outrigger, "NOERROR") && istio.chain.length === 0 &&
      outrigger.chain.length === 1 && istio.records.length + outrigger.records.length === 0,
  },
  {
    what: "A wildcard's host behind a search domain: CNAME to the name asked; Istio's is to `*.`.",
    why: "No host is called that, and a client that follows it gets nowhere.",
    explains: ({ istio, outrigger }) =>
      istio.chain.length === 1 && istio.chain[0].includes(">*.") && outrigger.chain.length === 1 &&
      !outrigger.chain[0].includes("*.") && sameData(istio, outrigger),
  },
  {
    what: "A short form behind a search domain: CNAME to the full host name; Istio's is to the " +
      "short form.",
    why: "The full name means the same to every client, whatever its own search domains are.",
    explains: ({ istio, outrigger, shortNames }) =>
      istio.chain.length === 1 && outrigger.chain.length === 1 &&
      shortNames.has(istio.chain[0].split(">")[1]) && sameData(istio, outrigger),
  },
  {
    what:
      "A short form, or a host of one label, behind a search domain of the VM's own (not of the " +
      "mesh): asked upstream; Istio answers it where that domain is the first.",
    why: "`vpn.corp.example` belongs to corp.example, also where the mesh has a Service `vpn`.",
    explains: ({ question, istio, outrigger, shortNames, search: [first] }) =>
      outrigger.forwarded && isHere(istio, "NOERROR") && !isUnder(first, CLUSTER_DOMAIN) &&
      withoutSearch(question.name, [first]).slice(1).some((name) => shortNames.has(name)),
  },
];

/** The names of a table's hosts, in every form that both servers know. */
export function formsOf(
  entries: readonly HostEntry[],
): Pick<Comparison, "kubernetesNames" | "shortNames"> {
  const kubernetesNames = new Set<string>();
  const shortNames = new Set<string>();
  for (const { host, shortName, namespace, altHosts, registry } of entries) {
    if (registry !== "Kubernetes") {
      if (!host.includes(".")) shortNames.add(host.toLowerCase());
      continue;
    }
    kubernetesNames.add(host.toLowerCase());
    const isOfCluster = shortName !== "" && isUnder(host, CLUSTER_DOMAIN);
    const forms = isOfCluster
      ? [shortName, `${shortName}.${namespace}`, `${shortName}.${namespace}.svc`]
      : [];
    for (const form of [...forms, ...altHosts]) {
      kubernetesNames.add(form.toLowerCase());
      shortNames.add(form.toLowerCase());
    }
  }
  return { kubernetesNames, shortNames };
}

function isAddress({ type }: Question): boolean {
  return type === "A" || type === "AAAA";
}

function isUnder(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** Answered by the server itself. */
function isHere({ forwarded, rcode }: Outcome, expected: string): boolean {
  return !forwarded && rcode === expected;
}

/** The name, and what is left of it without each search domain that it ends in. */
function withoutSearch(name: string, search: readonly string[]): string[] {
  return [
    name,
    ...search.filter((domain) => name.endsWith(`.${domain}`))
      .map((domain) => name.slice(0, -domain.length - 1)),
  ];
}

function sameData(a: Outcome, b: Outcome): boolean {
  const data = ({ records }: Outcome) =>
    records.map((record) => record.slice(record.indexOf(" "))).sort().join();
  return a.rcode === b.rcode && data(a) === data(b);
}
