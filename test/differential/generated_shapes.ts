/**
 * The generated part of the zones: the same seed gives the same records and questions.
 *
 * @module
 */
import { numbersOf } from "../support/generated_table.ts";
import type { Shape } from "./shapes.ts";

/** Makes `count` shapes. */
export function generateShapes(seed: number, count: number): Shape[] {
  const random = numbersOf(seed);
  const below = (limit: number) => random() % limit;
  const pick = <T>(items: readonly T[]): T => items[below(items.length)];
  const times = <T>(least: number, most: number, make: (index: number) => T): T[] =>
    Array.from({ length: least + below(most - least + 1) }, (_, i) => make(i));
  const ttl = () => pick([30, 60, 300, 300, 3600, 86400]);
  const hex = (octets: number) =>
    times(octets, octets, () => below(256).toString(16).padStart(2, "0")).join("");
  const label = () =>
    pick([
      () => `n${below(100_000)}`,
      () => `N${below(100_000)}MiXed`,
      () => `_svc${below(1000)}`,
      () => times(1, 12, () => `\\${String(below(256)).padStart(3, "0")}`).join(""),
      () => "z".repeat(1 + below(60)),
      () => `xn--${hex(4)}`,
    ])();
  const name = (index: number) => [...times(0, 4, label), `g${index}`].join(".");
  const host = () => pick([`g${below(count)}`, "mail", "many30", "nobody", "corp.example."]);
  const kinds: Record<string, (name: string) => string[]> = {
    A: (owner) => {
      const seconds = ttl();
      return times(1, 9, (i) => `${owner} ${seconds} A 192.0.2.${(i * 28 + below(28)) % 256}`);
    },
    AAAA: (owner) => {
      const seconds = ttl();
      return times(1, 9, (i) => `${owner} ${seconds} AAAA 2001:db8::${i}:${hex(2)}`);
    },
    TXT: (owner) => {
      const text = () => times(1, 60, () => pick([..."abc XYZ;=019"])).join("");
      return [`${owner} ${ttl()} TXT ${times(1, 6, () => `"${text()}"`).join(" ")}`];
    },
    MX: (owner) => {
      const seconds = ttl();
      return times(1, 5, (i) => `${owner} ${seconds} MX ${i} ${host()}`);
    },
    SRV: (owner) => {
      const seconds = ttl();
      return times(
        1,
        5,
        (i) => `${owner} ${seconds} SRV ${i} ${below(100)} ${below(65536)} ${host()}`,
      );
    },
    CNAME: (owner) => [`${owner} ${ttl()} CNAME ${host()}`],
    CAA: (owner) => [`${owner} ${ttl()} CAA ${pick([0, 128])} issue "ca${below(100)}.example.net"`],
    HTTPS: (owner) => [`${owner} ${ttl()} HTTPS 1 . alpn=h2 port=${below(65536)}`],
    NAPTR: (owner) => [`${owner} ${ttl()} NAPTR ${below(9)} 1 "u" "E2U+sip" "!a!b!" .`],
    TLSA: (owner) => [`${owner} ${ttl()} TLSA 3 1 1 ${hex(32)}`],
    "65300": (owner) => {
      const octets = below(80);
      return [`${owner} ${ttl()} TYPE65300 \\# ${octets} ${hex(octets)}`.trimEnd()];
    },
  };
  return Array.from({ length: count }, (_, index): Shape => {
    const owner = name(index);
    const type = pick(Object.keys(kinds));
    const wildcard = below(8) === 0;
    const lines = kinds[type](wildcard ? `*.${owner}` : owner);
    const asked = wildcard ? `${label()}.${owner}` : owner;
    const other = pick(Object.keys(kinds));
    const relatives = [`${label()}.${owner}`, owner.slice(owner.indexOf(".") + 1), `g${index}`];
    return {
      title: `generated ${index}: ${type}${wildcard ? " of a wildcard" : ""}`,
      lines,
      questions: [`${asked} ${type}`, `${asked} ${other}`, `${pick(relatives)} ${type}`],
    };
  });
}
