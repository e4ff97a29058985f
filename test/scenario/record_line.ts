/**
 * Records as stories write them: `www.example.org 60 A 192.0.2.80`. A SOA record is told by its MINIMUM
 * alone (`example.org 60 SOA minimum 30`), and what has no text of its own in hexadecimal
 * (`\# 2 ab cd`). Messages are made and read with dns-packet, so that our own codecs are checked.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import { RecordType } from "../../agent/dns/codes.ts";
import { canonicalAddress } from "../../agent/dns/ip_address.ts";

/** One record; `data` is what dns-packet has for the type. */
export interface StoryRecord {
  name: string;
  ttl: number;
  type: string;
  data: unknown;
}

/** Reads a record. @throws {Error} saying what a record looks like */
export function parseRecordLine(line: string): StoryRecord {
  const match = /^(\S+) (\d+) ([A-Z][A-Z0-9]*) (.+)$/.exec(line);
  if (match === null) throw new Error(`"${line}" is no record: NAME TTL TYPE DATA`);
  const [, name, ttl, type, text] = match;
  const data = parseData(type, text);
  if (data === undefined) throw new Error(`"${text}" is no data of a record of type ${type}`);
  return { name: name === "." ? "" : name, ttl: Number(ttl), type, data };
}

/** A record of a message as a line; the TTL may be left open. */
export function formatRecordLine(record: StoryRecord, ttl: string = String(record.ttl)): string {
  const { name, type } = record;
  return `${name === "" ? "." : name} ${ttl} ${storyType(type)} ${formatData(record)}`;
}

/** A record as dns-packet encodes it. */
export function toPacket({ name, ttl, type, data }: StoryRecord): dnsPacket.Answer {
  return { name, ttl, class: "IN", type: packetType(type), data } as unknown as dnsPacket.Answer;
}

/** Types that dns-packet has no name for, by ours. */
const UNNAMED: Record<string, number> = { SVCB: RecordType.SVCB, HTTPS: RecordType.HTTPS };

/** A type of a story (`HTTPS`, `TYPE65280`) as dns-packet calls it. */
export function packetType(type: string): dnsPacket.RecordType {
  const number = UNNAMED[type] ?? /^TYPE(\d+)$/.exec(type)?.[1];
  return (number === undefined ? type : `UNKNOWN_${number}`) as dnsPacket.RecordType;
}

/** A type of dns-packet as stories call it. */
export function storyType(type: string): string {
  const number = /^UNKNOWN_(\d+)$/.exec(type)?.[1];
  if (number === undefined) return type;
  const named = Object.keys(UNNAMED).find((name) => UNNAMED[name] === Number(number));
  return named ?? `TYPE${number}`;
}

function parseData(type: string, text: string): unknown {
  const words = text.split(" ");
  const number = (index: number) => /^\d+$/.test(words[index]) ? Number(words[index]) : NaN;
  switch (type) {
    case "A":
    case "AAAA":
      return canonicalAddress(text);
    case "CNAME":
    case "PTR":
    case "NS":
    case "DNAME":
      return words.length === 1 ? text : undefined;
    case "MX":
      return words.length === 2 ? { preference: number(0), exchange: words[1] } : undefined;
    case "SRV": {
      const [priority, weight, port] = [0, 1, 2].map(number);
      return words.length === 4 ? { priority, weight, port, target: words[3] } : undefined;
    }
    case "SOA":
      return words.length === 2 && words[0] === "minimum"
        ? { mname: "ns.test", rname: "hostmaster.test", serial: 1, minimum: number(1) }
        : undefined;
    case "TXT": {
      // `"x" * 300` repeats a string, for answers that are large.
      const repeated = /^"([^"]*)" \* (\d+)$/.exec(text);
      if (repeated !== null) return new Array(Number(repeated[2])).fill(repeated[1]);
      const strings = [...text.matchAll(/"([^"]*)"/g)].map(([, string]) => string);
      return strings.length > 0 ? strings : undefined;
    }
    case "HINFO":
      return { cpu: text, os: "" };
  }
  const match = /^\\# (\d+)((?: [0-9a-f]{2})*)$/.exec(text);
  if (match === null) return undefined;
  const octets = Buffer.from(match[2].replaceAll(" ", ""), "hex");
  return octets.length === Number(match[1]) ? octets : undefined;
}

function formatData({ type, data }: StoryRecord): string {
  switch (type) {
    case "A":
    case "AAAA":
      return canonicalAddress(data as string)!;
    case "MX": {
      const { preference, exchange } = data as Record<string, unknown>;
      return `${preference ?? 0} ${exchange}`;
    }
    case "SRV": {
      const { priority, weight, port, target } = data as Record<string, unknown>;
      return `${priority ?? 0} ${weight ?? 0} ${port} ${target}`;
    }
    case "SOA":
      return `minimum ${(data as Record<string, unknown>).minimum}`;
    case "TXT":
      return [data].flat().map((string) => `"${string}"`).join(" ");
    case "HINFO":
      return String((data as Record<string, unknown>).cpu);
  }
  if (typeof data === "string") return data;
  const octets = [...data as Uint8Array].map((octet) => ` ${octet.toString(16).padStart(2, "0")}`);
  return `\\# ${octets.length}${octets.join("")}`;
}
