/**
 * Valid inputs of every kind that hostile octets are made from, written by dns-packet and by the encoders
 * of the product.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import { encodeNameTable } from "../../agent/mesh/protocol.ts";
import { answerMessage, queryMessage } from "../support/dns_messages.ts";
import type { Numbers } from "./mutator.ts";
import { generateTable } from "../support/generated_table.ts";

/** The question that upstream answers are read for. */
export const UPSTREAM_QUESTION = { name: "www.example.org", type: 255, class: 1 };
/** The id of those answers. */
export const UPSTREAM_ID = 7;

const NAMES = ["www.example.org", "productpage.ns1.svc.cluster.local", "a", ".", "x".repeat(63)];
const TYPES = ["A", "AAAA", "TXT", "SRV", "PTR", "MX", "ANY"];

/** Queries, `hosts` among them in full and behind a search domain. */
export function queryCorpus(hosts: readonly string[]): Uint8Array[] {
  const edns = { udpPayloadSize: 1232, dnssecOk: true };
  return [
    ...NAMES.flatMap((name) => TYPES.map((type) => queryMessage(name, type))),
    ...NAMES.map((name) => queryMessage(name, "A", { edns, flags: 0x0130 })),
    queryMessage(Array(60).fill("ab").join("."), "A", { edns }),
    withOptions(),
    ...hosts.slice(0, 40).flatMap((host) => [
      queryMessage(host.replace("*", "any"), "A", { edns }),
      queryMessage(`${host.replace("*", "any")}.ns1.svc.cluster.local`, "AAAA"),
    ]),
  ];
}

/** A query with a cookie, a client subnet, padding and an option that is not known. */
function withOptions(): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id: 1,
    questions: [{ type: "A", name: "www.example.org", class: "IN" }],
    additionals: [{
      ...{ type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, flag_do: false },
      ...{ ednsVersion: 0, extendedRcode: 0 },
      options: [
        { code: 10, data: Buffer.from("0123456789abcdef", "hex") },
        { code: 8, data: Buffer.from("00011800c63364", "hex") },
        { code: 12, data: Buffer.alloc(40) },
        { code: 65001, data: Buffer.from("option") },
      ] as unknown as dnsPacket.PacketOpt[],
    }],
  });
}

type Records = NonNullable<dnsPacket.Packet["answers"]>;

/** Answers to {@link UPSTREAM_QUESTION}, of every type that dns-packet writes. */
export function answerCorpus(): Uint8Array[] {
  const name = UPSTREAM_QUESTION.name;
  const owned = { name, ttl: 300 };
  const soa = {
    ...{ mname: "ns.example.org", rname: "host.example.org", serial: 1, refresh: 2 },
    ...{ retry: 3, expire: 4, minimum: 60 },
  };
  const records: Records = [
    { ...owned, type: "A", data: "192.0.2.1" },
    { ...owned, type: "AAAA", data: "2001:db8::1" },
    { ...owned, type: "TXT", data: ["one", "two"] },
    { ...owned, type: "MX", data: { preference: 10, exchange: "mail.example.org" } },
    { ...owned, type: "NS", data: "ns.example.org" },
    { ...owned, type: "PTR", data: "host.example.org" },
    {
      ...owned,
      type: "SRV",
      data: { port: 80, target: "srv.example.org", priority: 1, weight: 2 },
    },
    {
      ...owned,
      type: "CAA",
      data: { flags: 0, tag: "issue", value: "ca.example.net", issuerCritical: false },
    },
    { ...owned, type: "SOA", data: soa },
    {
      ...owned,
      type: "NAPTR",
      data: {
        order: 1,
        preference: 2,
        flags: "u",
        services: "E2U+sip",
        regexp: "!a!b!",
        replacement: ".",
      },
    },
    { ...owned, type: "HINFO", data: { cpu: "RFC8482", os: "" } },
    { ...owned, type: "DNAME", data: "other.example.org" },
    { ...owned, type: "NSEC", data: { nextDomain: "z.example.org", rrtypes: ["A", "TXT"] } },
    {
      ...owned,
      type: "RRSIG",
      data: {
        ...{
          typeCovered: "A",
          algorithm: 13,
          labels: 3,
          originalTTL: 300,
          expiration: 2_000_000_000,
        },
        ...{ inception: 1_900_000_000, keyTag: 1, signersName: "example.org" },
        signature: Buffer.alloc(64, 1),
      },
    },
    {
      ...owned,
      type: "DS",
      data: { keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.alloc(32) },
    },
  ];
  const chain: Records = Array.from({ length: 5 }, (_, i) => ({
    ...{ type: "CNAME", name: i === 0 ? name : `n${i}.example.org`, ttl: 60 },
    data: `n${i + 1}.example.org`,
  } as Records[number]));
  const head = { id: UPSTREAM_ID, name, questionType: "ANY" };
  const negative: Records = [{ name: "example.org", ttl: 60, type: "SOA", data: soa }];
  return [
    ...records.map((record) => answerMessage({ ...head, answers: [record] })),
    answerMessage({ ...head, answers: records }),
    answerMessage({ ...head, answers: chain }),
    answerMessage({ ...head, authorities: negative }),
    answerMessage({ ...head, flags: 0x0183, authorities: negative }),
    answerMessage({ ...head, flags: 0x0380 }),
    answerMessage({
      ...head,
      answers: Array.from(
        { length: 60 },
        (_, i) => ({ ...owned, type: "A", data: `192.0.2.${i}` }),
      ),
    }),
  ];
}

/** A valid answer with up to twelve records, written by dns-packet. */
export function makeAnswer(numbers: Numbers): Uint8Array {
  const below = (limit: number) => numbers() % limit;
  const text = (most: number) =>
    Array.from({ length: 1 + below(most) }, () => "abcXYZ019-_ "[below(12)]).join("");
  const label = () => text(below(8) === 0 ? 63 : 8).replaceAll(" ", "x");
  const name = () => Array.from({ length: 1 + below(4) }, label).join(".") + ".example.org";
  const octets = (most: number) =>
    Buffer.from(Array.from({ length: below(most) }, () => below(256)));
  const soa = () => ({
    ...{ mname: name(), rname: name(), serial: numbers(), refresh: below(1e6), retry: below(1e6) },
    ...{ expire: below(1e6), minimum: below(1e6) },
  });
  const kinds: (() => Pick<Records[number], "type"> & { data: unknown })[] = [
    () => ({ type: "A", data: Array.from({ length: 4 }, () => below(256)).join(".") }),
    () => ({ type: "AAAA", data: `2001:db8::${(1 + below(65535)).toString(16)}` }),
    () => ({ type: "TXT", data: Array.from({ length: 1 + below(3) }, () => octets(256)) }),
    () => ({ type: "MX", data: { preference: below(65536), exchange: name() } }),
    () => ({ type: "NS", data: name() }),
    () => ({ type: "PTR", data: name() }),
    () => ({
      type: "SRV",
      data: { port: below(65536), target: name(), priority: below(65536), weight: below(65536) },
    }),
    () => ({
      type: "CAA",
      data: { flags: 0, tag: "issue", value: text(40), issuerCritical: false },
    }),
    () => ({ type: "SOA", data: soa() }),
    () => ({
      type: "NAPTR",
      data: {
        ...{ order: below(65536), preference: below(65536), flags: "u", services: text(20) },
        ...{ regexp: text(60), replacement: name() },
      },
    }),
    () => ({ type: "HINFO", data: { cpu: text(30), os: text(30) } }),
    () => ({ type: "UNKNOWN_65280" as "A", data: octets(300) }),
  ];
  const owner = UPSTREAM_QUESTION.name;
  const answers = Array.from(
    { length: 1 + below(12) },
    () => ({ name: owner, ttl: below(0x80000000), ...kinds[below(kinds.length)]() }),
  ) as Records;
  const authorities: Records = below(2) === 0 ? [] : [
    { name: "example.org", ttl: below(86400), type: "SOA", data: soa() },
  ];
  return answerMessage({ id: UPSTREAM_ID, name: owner, questionType: "ANY", answers, authorities });
}

/** Name tables. */
export function tableCorpus(): Uint8Array[] {
  return [1, 2, 5, 20].map((services, seed) => encodeNameTable(generateTable(seed, services)));
}

/** Texts, by what reads them. */
export function textCorpus(): Record<
  "resolvConf" | "config" | "variables" | "manifest" | "names",
  Uint8Array[]
> {
  const octets = (...texts: string[]) => texts.map((text) => new TextEncoder().encode(text));
  return {
    resolvConf: octets(
      "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch corp.example lab.corp.example\n" +
        "options ndots:5 timeout:1 edns0\nsortlist 192.0.2.0/255.255.255.0\n",
      "# comment\n; another\ndomain example.org\nnameserver fe80::1%eth0\n",
    ),
    config: octets(
      "node:\n  name: vm-1\n  namespace: default\n  labels: { app: web }\ndns:\n" +
        '  listen: ["127.0.0.1:53"]\n  upstreams: [192.0.2.53]\n  searchDomains: [corp.example]\n',
      "controlPlane: { addresses: [istiod.example.org:15012] }\nnames: { files: [mesh.yaml] }\n",
      "a: &x [1, 2]\nb: *x\nc: !!str 5\nd: |\n  text\n",
    ),
    variables: octets(
      "CA_ADDR='istiod.istio-system.svc:15012'\nISTIO_INBOUND_PORTS='*'\n# comment\nexport A=\"b \\\" c\"\n",
    ),
    manifest: octets(
      "kind: Service\nmetadata: { name: a, namespace: b }\nspec: { clusterIP: 10.0.0.1, " +
        "ports: [{ port: 80 }] }\n---\nkind: ServiceEntry\nmetadata: { name: e }\n" +
        "spec: { hosts: [x.example], addresses: [192.0.2.1], resolution: STATIC }\n",
      '{"kind":"List","items":[{"kind":"Service","metadata":{"name":"c"},"spec":{"clusterIP":"None"}}]}',
    ),
    names: octets(
      "www.example.org",
      String.raw`dot\046dot.example.`,
      "192.0.2.1",
      "[2001:db8::1]:53",
      "tls://192.0.2.53#dns.example.org",
      "2001:db8::/32",
      "1.2.0.192.in-addr.arpa",
      `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`,
    ),
  };
}
