/**
 * Answers that no authoritative server gives, and that a forwarder meets all the same: other response
 * codes, sections out of order, records that do not belong there. Each is a name below `raw.example`.
 *
 * @module
 */
import { uint16 } from "./client.ts";

/** A record: owner, type, TTL, and RDATA as octets. */
type Scripted = readonly [owner: string, type: number, ttl: number, data: readonly number[]];

/** What is said for one name. */
interface Script {
  /** What it is, for people. */
  title: string;
  /** Beside QR, RD and RA: AD 0x20, TC 0x200; the rcode in the lowest four bits. */
  flags?: number;
  /** Answer, authority, additional. */
  sections?: readonly [readonly Scripted[], (readonly Scripted[])?, (readonly Scripted[])?];
  /** A connection is closed instead of an answer. */
  closesTcp?: true;
  /** TC over UDP; all of it over TCP. */
  truncatedOverUdp?: true;
  /** The message as it is sent, where more is wrong with it. */
  change?: (message: Uint8Array) => Uint8Array;
}

const A = 1, NS = 2, CNAME = 5, SOA = 6, TXT = 16, AAAA = 28, OPT = 41;
const ZONE = "raw.example";

const a = (owner: string, last = 1, ttl = 300): Scripted => [owner, A, ttl, [192, 0, 2, last]];
const cname = (owner: string, target: string, ttl = 300): Scripted => [
  ...[owner, CNAME, ttl] as const,
  nameOctets(target),
];
const soa = (owner: string, ttl = 60): Scripted => [
  ...[owner, SOA, ttl] as const,
  [
    ...nameOctets(`ns.${ZONE}`),
    ...nameOctets(`hostmaster.${ZONE}`),
    ...[1, 7200, 1800, 86400, 60].flatMap((value) => [...uint16(value >>> 16), ...uint16(value)]),
  ],
];
const here = (label: string) => `${label}.${ZONE}`;

/** The scripts by the first label of their name; each is asked for type A. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  formerr: { title: "FORMERR", flags: 1 },
  servfail: { title: "SERVFAIL", flags: 2 },
  notimp: { title: "NOTIMP", flags: 4 },
  refused: { title: "REFUSED", flags: 5 },
  yxdomain: { title: "YXDOMAIN", flags: 6 },
  nxrrset: { title: "NXRRSET", flags: 8 },
  rcode11: { title: "a response code that is not assigned", flags: 11 },
  badvers: { title: "BADVERS", sections: [[], [], [["", OPT, 0x01000000, []]]] },
  validated: { title: "AD", flags: 0x20, sections: [[a(here("validated"))]] },
  "nodata-no-soa": { title: "NODATA without a SOA" },
  "nxdomain-no-soa": { title: "NXDOMAIN without a SOA", flags: 3 },
  "nxdomain-with-cname": {
    title: "NXDOMAIN at the end of a chain",
    flags: 3,
    sections: [[cname(here("nxdomain-with-cname"), here("nobody"))], [soa(ZONE)]],
  },
  "nxdomain-with-address": {
    title: "NXDOMAIN with an address",
    flags: 3,
    sections: [[a(here("nxdomain-with-address"))], [soa(ZONE)]],
  },
  "noerror-chain-nodata": {
    title: "a chain that ends in NODATA",
    sections: [[cname(here("noerror-chain-nodata"), here("empty"))], [soa(ZONE)]],
  },
  "other-owner": {
    title: "an address of another name beside the right one",
    sections: [[a(here("other-owner")), a("bank.example", 66)]],
  },
  "only-other-owner": {
    title: "nothing but an address of another name",
    sections: [[a("bank.example", 66)]],
  },
  "other-type": {
    title: "a record of another type of the name",
    sections: [[a(here("other-type")), [here("other-type"), TXT, 300, [1, 0x78]]]],
  },
  duplicate: {
    title: "the same record twice",
    sections: [[a(here("duplicate")), a(here("duplicate"))]],
  },
  "mixed-ttl": {
    title: "an RRset with two TTLs",
    sections: [[a(here("mixed-ttl"), 1, 300), a(here("mixed-ttl"), 2, 60)]],
  },
  backwards: {
    title: "a chain in the wrong order",
    sections: [[a(here("backwards-target")), cname(here("backwards"), here("backwards-target"))]],
  },
  loop: {
    title: "a chain that loops",
    sections: [[cname(here("loop"), here("loop-b")), cname(here("loop-b"), here("loop"))]],
  },
  self: { title: "a CNAME to itself", sections: [[cname(here("self"), here("self"))]] },
  "two-cnames": {
    title: "two CNAMEs of one name",
    sections: [[
      cname(here("two-cnames"), here("target-a")),
      cname(here("two-cnames"), here("target-b")),
      a(here("target-a")),
      a(here("target-b"), 2),
    ]],
  },
  "cname-and-address": {
    title: "a CNAME and an address of one name",
    sections: [[cname(here("cname-and-address"), here("target-a")), a(here("cname-and-address"))]],
  },
  unfinished: {
    title: "a chain whose end is not told",
    sections: [[cname(here("unfinished"), here("target-a"))]],
  },
  "target-a": { title: "the end of it", sections: [[a(here("target-a"))]] },
  "target-b": { title: "the end of another", sections: [[a(here("target-b"), 2)]] },
  "backwards-target": { title: "and another", sections: [[a(here("backwards-target"))]] },
  "loop-b": {
    title: "the loop from its other end",
    sections: [[cname(here("loop-b"), here("loop")), cname(here("loop"), here("loop-b"))]],
  },
  empty: { title: "NODATA", sections: [[], [soa(ZONE)]] },
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => i + 1).flatMap((length) => scriptedChain(length)),
  ),
  "top-bit-ttl": {
    title: "a TTL with its top bit set",
    sections: [[a(here("top-bit-ttl"), 1, 0x80000001)]],
  },
  "huge-ttl": { title: "the largest TTL", sections: [[a(here("huge-ttl"), 1, 0x7fffffff)]] },
  referral: {
    title: "a referral",
    sections: [[], [[here("referral"), NS, 300, nameOctets("ns.example.net")]]],
  },
  "soa-of-child": {
    title: "NODATA with the SOA of a zone below",
    sections: [[], [soa(`below.${here("soa-of-child")}`)]],
  },
  "soa-of-others": {
    title: "NODATA with another zone's SOA",
    sections: [[], [soa("bank.example")]],
  },
  "soa-of-root": { title: "NODATA with the root's SOA", sections: [[], [soa("")]] },
  "glue-in-additional": {
    title: "addresses of others in the additional section",
    sections: [[a(here("glue-in-additional"))], [], [a("bank.example", 66)]],
  },
  "letter-case": {
    title: "the owner in other letter case",
    sections: [[a("LETTER-case.RAW.example")]],
  },
  "target-case": {
    title: "a target in mixed letter case",
    sections: [[cname(here("target-case"), "Target-A.RAW.example"), a(here("target-a"))]],
  },
  "class-chaos": {
    title: "a record of another class",
    sections: [[a(here("class-chaos"))]],
    change: (message) => withOctet(message, message.length - 11, 3),
  },
  garbage: {
    title: "octets after the end",
    sections: [[a(here("garbage"))]],
    change: (message) => Uint8Array.from([...message, 1, 2, 3]),
  },
  "short-address": {
    title: "an address of three octets",
    sections: [[[here("short-address"), A, 300, [192, 0, 2]]]],
  },
  "wrong-family": {
    title: "an address of the other family",
    sections: [[[here("wrong-family"), AAAA, 300, [0x20, 1, 0xd, 0xb8, ...Array(12).fill(1)]]]],
  },
  "count-too-high": {
    title: "fewer records than it says",
    sections: [[a(here("count-too-high"))]],
    change: (message) => withOctet(message, 7, 2),
  },
  truncated: {
    title: "TC over UDP, whole over TCP",
    truncatedOverUdp: true,
    sections: [[a(here("truncated"))]],
  },
  "truncated-no-tcp": {
    title: "TC over UDP, and TCP connections are closed",
    truncatedOverUdp: true,
    closesTcp: true,
    sections: [[a(here("truncated-no-tcp"))]],
  },
};

/** The answer to a query, where its name is one of the scripts'. */
export function scriptedAnswer(
  query: Uint8Array,
  question: string,
  transport: "udp" | "tcp",
): Uint8Array | "close" | undefined {
  const [label, rest] = splitOnce(question, ".");
  if (!rest.startsWith(`${ZONE}. `)) return undefined;
  const script: Script = SCRIPTS[label] ?? {
    title: "any other name",
    flags: 3,
    sections: [[], [soa(ZONE)]],
  };
  if (transport === "tcp" && script.closesTcp) return "close";
  const truncated = script.truncatedOverUdp === true && transport === "udp";
  const [answers, authority = [], additional = []] = script.sections ?? [[]];
  const sections = [truncated ? [] : answers, authority, additional];
  const questionEnd = query.indexOf(0, 12) + 5;
  const message = Uint8Array.from([
    ...query.subarray(0, 2),
    ...uint16(0x8180 | (script.flags ?? 0) | (truncated ? 0x200 : 0)),
    ...uint16(1),
    ...sections.flatMap((records) => uint16(records.length)),
    ...query.subarray(12, questionEnd),
    ...sections.flat().flatMap(([owner, type, ttl, data]) => [
      ...nameOctets(owner),
      ...uint16(type),
      ...uint16(1),
      ...uint16(ttl >>> 16),
      ...uint16(ttl & 0xffff),
      ...uint16(data.length),
      ...data,
    ]),
  ]);
  return script.change?.(message) ?? message;
}

/** A whole CNAME chain, as a recursive server gives it, from every name of it. */
function scriptedChain(length: number): [string, Script][] {
  const label = (index: number) => `chain${length}-${index}`;
  const records = [
    ...Array.from({ length }, (_, i) => cname(here(label(i)), here(label(i + 1)))),
    a(here(label(length))),
  ];
  return records.map((_, i) => [
    label(i),
    { title: `a chain of ${length} from ${i}`, sections: [records.slice(i)] },
  ]);
}

function nameOctets(name: string): number[] {
  const labels = name === "" ? [] : name.split(".");
  return [
    ...labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]),
    0,
  ];
}

function withOctet(message: Uint8Array, offset: number, octet: number): Uint8Array {
  const changed = Uint8Array.from(message);
  changed[offset] = octet;
  return changed;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}
