/**
 * The hand-made part of the zones: each shape of an answer that is known to matter, with the questions
 * that bring it about.
 *
 * @module
 */

/** A shape: records of a zone, and what is asked about them. */
export interface Shape {
  /** What it is, for people. */
  title: string;
  /** Lines of the zone file. */
  lines: readonly string[];
  /** `name type`, the name relative to the zone, `@` for the zone itself; the type a name or number. */
  questions: readonly string[];
}

/** Numbers of the types that are asked for by name. */
export const TYPES: Readonly<Record<string, number>> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, HINFO: 13, MX: 15, TXT: 16, RP: 17, AFSDB: 18 },
  ...{ AAAA: 28, LOC: 29, SRV: 33, NAPTR: 35, KX: 36, CERT: 37, DNAME: 39, DS: 43, SSHFP: 44 },
  ...{ RRSIG: 46, NSEC: 47, DNSKEY: 48, NSEC3: 50, NSEC3PARAM: 51, TLSA: 52, OPENPGPKEY: 61 },
  ...{ SVCB: 64, HTTPS: 65, EUI48: 108, ANY: 255, URI: 256, CAA: 257 },
};

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/** Character strings that have `octets` octets in all. */
function strings(octets: number): string {
  const whole = Array(Math.floor(octets / 255)).fill(`"${"x".repeat(255)}"`);
  return [...whole, `"${"y".repeat(octets % 255)}"`].join(" ");
}

/** A CNAME chain of `length` records with an address behind it. */
function chain(length: number): Shape {
  const name = (index: number) => `chain${length}-${index}`;
  return {
    title: `a CNAME chain of ${length}`,
    lines: [
      ...range(length).map((i) => `${name(i)} CNAME ${name(i + 1)}`),
      `${name(length)} A 192.0.2.7`,
    ],
    questions: [`${name(0)} A`, `${name(0)} AAAA`, `${name(0)} CNAME`],
  };
}

/** Addresses of one name. */
function addresses(name: string, count: number): string[] {
  return range(count).map((i) => `${name} A 10.${Math.floor(i / 250)}.0.${i % 250 + 1}`);
}

const LABEL_63 = "l".repeat(63);
/** With `.example.org` the longest name there is. */
const LONGEST = [LABEL_63, LABEL_63, LABEL_63, "m".repeat(49)].join(".");
const MANY_LABELS = Array(115).fill("a").join(".");

/** The shapes. Every zone has all of them, signed or not. */
export const SHAPES: readonly Shape[] = [
  ...range(16, 1).map(chain),
  {
    title: "CNAME loops",
    lines: [
      "self CNAME self",
      "loop2a CNAME loop2b",
      "loop2b CNAME loop2a",
      "into CNAME loop2a",
    ],
    questions: ["self A", "loop2a A", "into A", "self CNAME"],
  },
  {
    title: "CNAMEs that lead to nothing",
    lines: ["to-nobody CNAME nobody", "to-nodata CNAME only-aaaa", "only-aaaa AAAA 2001:db8::1"],
    questions: ["to-nobody A", "to-nodata A", "to-nodata AAAA", "to-nobody CNAME"],
  },
  {
    title: "CNAMEs with different TTLs",
    lines: ["long-short 300 CNAME short-end", "short-end 60 A 192.0.2.9"],
    questions: ["long-short A"],
  },
  {
    title: "a CNAME into another zone",
    lines: ["abroad CNAME elsewhere.corp.example."],
    questions: ["abroad A", "abroad AAAA", "abroad CNAME"],
  },
  {
    title: "DNAME",
    lines: [
      "tree DNAME forest",
      "x.forest A 192.0.2.11",
      "deep.x.forest TXT found",
      `overlong DNAME ${LONGEST.slice(0, 180)}`,
      "dname-abroad DNAME corp.example.",
    ],
    questions: [
      ...["tree DNAME", "tree A", "x.tree A", "deep.x.tree TXT", "nobody.tree A"],
      ...[`${"q".repeat(60)}.${"r".repeat(60)}.overlong A`, "elsewhere.dname-abroad A"],
      ...["x.tree AAAA", "overlong DNAME"],
    ],
  },
  {
    title: "large TXT",
    lines: [100, 511, 1000, 1300, 2000, 5000, 20_000, 60_000].map((octets) =>
      `txt${octets} TXT ${strings(octets)}`
    ),
    questions: [100, 511, 1000, 1300, 2000, 5000, 20_000, 60_000].map((n) => `txt${n} TXT`),
  },
  {
    title: "many records",
    lines: [28, 29, 30, 31, 75, 100, 250, 251, 252, 253, 300, 1000].flatMap((count) =>
      addresses(`many${count}`, count)
    ),
    questions: [28, 29, 30, 31, 75, 100, 250, 251, 252, 253, 300, 1000].map((n) => `many${n} A`),
  },
  {
    title: "more records than outrigger takes",
    lines: addresses("many1100", 1100),
    questions: ["many1100 A"],
  },
  {
    title: "a long list behind a chain",
    lines: ["to-many CNAME to-many2", "to-many2 CNAME many100"],
    questions: ["to-many A"],
  },
  {
    title: "empty non-terminals",
    lines: ["a.b.c.ent A 192.0.2.12"],
    questions: ["ent A", "c.ent A", "b.c.ent TXT", "a.b.c.ent A", "x.c.ent A"],
  },
  {
    title: "wildcards",
    lines: [
      "*.wild A 192.0.2.13",
      "*.wild TXT wildcard",
      "there.wild TXT there",
      "*.wild-cname CNAME short-end",
      "*.wild-nowhere CNAME nobody",
    ],
    questions: [
      ...["any.wild A", "any.wild TXT", "any.wild MX", "a.b.wild A", "*.wild A", "wild A"],
      ...["there.wild A", "below.there.wild A", "any.wild-cname A", "any.wild-nowhere A"],
    ],
  },
  {
    title: "TTLs",
    lines: [
      "ttl0 0 A 192.0.2.14",
      "ttl86400 86400 A 192.0.2.14",
      "ttl86401 86401 A 192.0.2.14",
      "ttl604800 604800 A 192.0.2.14",
      "ttlmax 2147483647 A 192.0.2.14",
      "cname-ttl0 0 CNAME ttl86400",
    ],
    questions: ["ttl0 A", "ttl86400 A", "ttl86401 A", "ttl604800 A", "ttlmax A", "cname-ttl0 A"],
  },
  {
    title: "letter case",
    lines: ["MixedCase A 192.0.2.15", "mixed-mx MX 10 Mail.Example.ORG.", "UP CNAME MixedCase"],
    questions: ["mixedcase A", "MIXEDCASE A", "mIxEdCaSe TXT", "mixed-mx MX", "up A", "NoBoDy A"],
  },
  {
    title: "odd labels",
    lines: [
      String.raw`dot\046dot A 192.0.2.16`,
      String.raw`sp\032ace A 192.0.2.16`,
      String.raw`high\200\255 A 192.0.2.16`,
      String.raw`nul\000 A 192.0.2.16`,
      String.raw`back\092slash A 192.0.2.16`,
      String.raw`quote\034 A 192.0.2.16`,
      "_under_score A 192.0.2.16",
      "-dash- A 192.0.2.16",
      String.raw`to-odd CNAME Dot\046Dot`,
    ],
    questions: [
      ...[String.raw`dot\046dot A`, "dot.dot A", String.raw`sp\032ace A`, "_under_score A"],
      ...[String.raw`high\200\255 A`, String.raw`nul\000 A`, String.raw`back\092slash A`],
      ...[String.raw`quote\034 A`, "-dash- A", "to-odd A", String.raw`nobody\007 A`],
    ],
  },
  {
    title: "long names",
    lines: [`${LONGEST} A 192.0.2.17`, `${MANY_LABELS} A 192.0.2.17`, `to-long CNAME ${LONGEST}`],
    questions: [`${LONGEST} A`, `${LONGEST} TXT`, `${MANY_LABELS} A`, "to-long A"],
  },
  {
    title: "unknown types",
    lines: [
      String.raw`unknown TYPE65280 \# 4 0a000001`,
      String.raw`unknown TYPE65281 \# 0`,
      String.raw`unknown TYPE65534 \# 3 c00c00`,
      String.raw`unknown TYPE999 \# 2 ffff`,
    ],
    questions: ["unknown 65280", "unknown 65281", "unknown 65534", "unknown 999", "unknown 65000"],
  },
  {
    title: "service bindings",
    lines: [
      "https HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
      "https HTTPS 2 Pool.Example.ORG. port=8443",
      "alias HTTPS 0 https",
      "_dns SVCB 1 dns.example.net. alpn=dot key65333=abc",
    ],
    questions: ["https HTTPS", "alias HTTPS", "_dns SVCB", "https SVCB"],
  },
  {
    title: "other types",
    lines: [
      'caa CAA 0 issue "ca.example.net"',
      'caa CAA 128 iodef "mailto:security@example.net"',
      "_443._tcp TLSA 3 1 1 " + "ab".repeat(32),
      "_sip._udp SRV 10 60 5060 Big.Sip.example.org.",
      "_sip._udp SRV 10 20 5060 small.sip",
      "_sip._udp SRV 0 0 0 .",
      'naptr NAPTR 100 10 "S" "SIP+D2U" "!^.*$!sip:info@example.org!" _sip._udp',
      'naptr NAPTR 100 20 "" "" "" Replaced',
      "mx MX 10 mail",
      "mx MX 20 mail.example.net.",
      "mail A 192.0.2.25",
      'hinfo HINFO "PDP-11" "UNIX"',
      "rp RP Admin.people txt.people",
      "afsdb AFSDB 1 Afs",
      "kx KX 10 Kx",
      "loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
      "sshfp SSHFP 4 2 " + "cd".repeat(32),
      "cert CERT 1 0 0 MTIz",
      "key OPENPGPKEY MTIz",
      "eui EUI48 00-00-5e-00-53-2a",
      'uri URI 10 1 "https://www.example.org/"',
      "null-mx MX 0 .",
    ],
    questions: [
      ...["caa CAA", "_443._tcp TLSA", "_sip._udp SRV", "naptr NAPTR", "mx MX", "hinfo HINFO"],
      ...["rp RP", "afsdb AFSDB", "kx KX", "loc LOC", "sshfp SSHFP", "cert CERT"],
      ...["key OPENPGPKEY", "eui EUI48", "uri URI", "null-mx MX", "mail A", "mx A"],
    ],
  },
  {
    title: "the zone itself",
    lines: ["@ MX 10 mail", "@ A 192.0.2.80"],
    questions: ["@ SOA", "@ NS", "@ MX", "@ A", "@ TXT", "@ AAAA", "@ DNSKEY", "@ NSEC3PARAM"],
  },
  {
    title: "a delegation",
    lines: ["child NS ns.child", "child NS ns2.corp.example.", "ns.child A 192.0.2.54"],
    questions: ["child NS", "child A", "www.child A", "ns.child A", "child DS", "deep.www.child A"],
  },
  {
    title: "types that are no types of records",
    lines: [],
    questions: ["@ 0", "@ 41", "@ 128", "@ 249", "@ 250", "@ 251", "@ 252", "@ 253", "@ 254"],
  },
  {
    title: "ANY",
    lines: ["any A 192.0.2.18", "any TXT any", "any AAAA 2001:db8::18"],
    questions: ["any ANY", "@ ANY", "nobody ANY", "chain1-0 ANY"],
  },
  {
    title: "records of DNSSEC, asked for themselves",
    lines: ["ds NS ns.child", "ds DS 12345 13 2 " + "ef".repeat(32)],
    questions: ["ds DS", "mail RRSIG", "mail NSEC", "@ RRSIG", "@ NSEC"],
  },
  { title: "nobody", lines: [], questions: ["nobody A", "nobody.nobody AAAA", "nobody 65280"] },
];
