/**
 * A large name table with every kind of host that Istio can name, and questions about it. The same
 * seed gives the same ones.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";

/** One question. */
export interface Question {
  /** As it is asked. */
  name: string;
  /** `A`, or as dns-packet calls others. */
  type: string;
}

/** dns-packet's word for type 65, which it does not know. */
export const HTTPS = "UNKNOWN_65";
/** Likewise for type 64. */
export const SVCB = "UNKNOWN_64";

/** A generator of numbers of 32 bits (mulberry32). */
export function numbersOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Hosts of a table; the node that will see it is in namespace `vm`. */
export function generateTable(seed: number, services: number): HostEntry[] {
  const random = numbersOf(seed);
  const pick = <T>(items: readonly T[]): T => items[random() % items.length];
  const octet = () => random() % 254 + 1;
  const ipv4 = () => `10.${octet()}.${octet()}.${octet()}`;
  const ipv6 = () => `fd00:${octet().toString(16)}::${octet().toString(16)}`;
  const addresses = () =>
    pick([
      () => [ipv4()],
      () => [ipv4()],
      () => [ipv4(), ipv6()],
      () => [ipv6()],
      () => Array.from({ length: random() % 30 + 2 }, ipv4),
    ])();
  const entries = new Map<string, HostEntry>();
  const add = (host: string, more: Partial<HostEntry>) => {
    if (entries.has(host.toLowerCase())) return;
    entries.set(host.toLowerCase(), {
      host,
      addresses: addresses(),
      registry: "External",
      shortName: "",
      namespace: "",
      altHosts: [],
      ...more,
    });
  };
  const kubernetes = (shortName: string, namespace: string, domain: string, more = {}) =>
    add(`${shortName}.${namespace}.${domain}`, {
      registry: "Kubernetes",
      shortName,
      namespace,
      ...more,
    });
  const namespaces = ["vm", "ns1", "ns2", "ns3", "prod", "svc"];
  for (let i = 0; i < services; i++) {
    const namespace = pick(namespaces);
    switch (random() % 12) {
      case 0:
        // Another cluster with a domain of its own.
        kubernetes(`remote-${i}`, namespace, "svc.other.local");
        break;
      case 1:
        // Multi-cluster services carry neither name nor namespace.
        add(`shared-${i}.${namespace}.svc.clusterset.local`, { registry: "Kubernetes" });
        break;
      case 2:
        for (let pod = 0; pod < 3; pod++) {
          kubernetes(`db-${i}-${pod}.db-${i}`, namespace, "svc.cluster.local", {
            addresses: [ipv4()],
          });
        }
        kubernetes(`db-${i}`, namespace, "svc.cluster.local");
        break;
      case 3:
        kubernetes(`old-${i}`, namespace, "svc.cluster.local", {
          altHosts: [`alias-${i}.corp.example`, `alias-${i}`],
        });
        break;
      case 4:
        add(`*.wild-${i}.example.com`, {});
        if (random() % 2 === 0) add(`exact.wild-${i}.example.com`, {});
        if (random() % 2 === 0) add(`*.deep.wild-${i}.example.com`, {});
        break;
      case 5:
        add(`api-${i}.example.com`, {});
        break;
      case 6:
        add(`API-${i}.Mixed.example.net`, {});
        break;
      case 7:
        add(`single-${i}`, {});
        break;
      case 8:
        // An external host under a search domain of the VM, or in the cluster domain.
        add(pick([`tool-${i}.corp.example`, `ext-${i}.ns1.svc.cluster.local`]), {});
        break;
      case 9:
        add(`broken-${i}.example.com`, { addresses: pick([[], ["nonsense"], ["10.0.0.0/8"]]) });
        break;
      default:
        kubernetes(`svc-${i}`, namespace, "svc.cluster.local");
    }
  }
  return [...entries.values()];
}

/** Questions about a table, of clients with these search domains. */
export function generateQuestions(
  entries: readonly HostEntry[],
  { seed, search }: { seed: number; search: readonly string[] },
): Question[] {
  const random = numbersOf(seed);
  const pick = <T>(items: readonly T[]): T => items[random() % items.length];
  const questions = new Map<string, Question>();
  const ask = (name: string, type: string) => questions.set(`${name} ${type}`, { name, type });
  const unknown = ["nobody.example.org", "nobody", "nobody.ns1", "nobody.ns1.svc.cluster.local"];
  for (const { host, shortName, namespace, altHosts } of entries) {
    const base = host.replace("*", pick(["any", "a.b", "UPPER"]));
    const forms = [base, ...altHosts];
    if (shortName !== "") {
      forms.push(shortName, `${shortName}.${namespace}`, `${shortName}.${namespace}.svc`);
    }
    if (host.startsWith("*.")) forms.push(host.slice(2), host);
    for (const form of forms) {
      for (const type of ["A", "AAAA", pick(["TXT", "MX", "SRV", "PTR", HTTPS, SVCB])]) {
        ask(form, type);
        const domain = pick(search);
        ask(`${form}.${search[0]}`, type);
        ask(`${form}.${domain}`, type);
      }
    }
    ask(base.toUpperCase(), "A");
    ask(`below.${base}`, "A");
    ask(`${pick(unknown)}.${pick(search)}`, pick(["A", "AAAA", "TXT"]));
  }
  for (const name of unknown) for (const type of ["A", "AAAA", "TXT"]) ask(name, type);
  return [...questions.values()];
}
