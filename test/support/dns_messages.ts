/**
 * Messages for tests, made and read with dns-packet, so that our own codecs are checked against code
 * that is not ours.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { Answer } from "../../agent/dns/answer.ts";
import { encodeAnswer } from "../../agent/dns/encode_answer.ts";
import { decodeQuery, type Query } from "../../agent/dns/query.ts";

/** A query message. */
export function queryMessage(
  name: string,
  type: string,
  options: {
    id?: number;
    flags?: number;
    edns?: { udpPayloadSize: number; dnssecOk?: boolean; version?: number };
  } = {},
): Uint8Array {
  const { edns } = options;
  return dnsPacket.encode({
    type: "query",
    id: options.id ?? 1,
    flags: options.flags ?? dnsPacket.RECURSION_DESIRED,
    questions: [{ type: type as dnsPacket.RecordType, name, class: "IN" }],
    additionals: edns === undefined ? [] : [{
      type: "OPT",
      name: ".",
      udpPayloadSize: edns.udpPayloadSize,
      flags: edns.dnssecOk ? dnsPacket.DNSSEC_OK : 0,
      ednsVersion: edns.version ?? 0,
      extendedRcode: 0,
      flag_do: edns.dnssecOk ?? false,
      options: [],
    }],
  });
}

/** The query that {@link queryMessage} decodes to. */
export function query(...parameters: Parameters<typeof queryMessage>): Query {
  const decoded = decodeQuery(queryMessage(...parameters));
  if (decoded.kind !== "query") throw new Error(`not a query: ${JSON.stringify(decoded)}`);
  return decoded.query;
}

/** A message as dns-packet reads it. */
export function readMessage(message: Uint8Array): dnsPacket.DecodedPacket & { rcode: string } {
  return dnsPacket.decode(Buffer.from(message)) as dnsPacket.DecodedPacket & { rcode: string };
}

/** An answer message of an upstream server; the whole question is repeated. */
export function answerMessage(
  packet: Omit<dnsPacket.Packet, "type"> & { name: string; questionType: string },
): Uint8Array {
  const { name, questionType, ...rest } = packet;
  return dnsPacket.encode({
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
    questions: [{ type: questionType as dnsPacket.RecordType, name, class: "IN" }],
    ...rest,
    type: "response",
  });
}

/** The records of an answer, one a line: `section name ttl TYPE data`, read back from the wire. */
export function answerLines(answer: Answer): string[] {
  const packet = readMessage(encodeAnswer(query("q.test", "A"), answer, { maxOctets: 65535 }));
  const line = (section: string) => (record: dnsPacket.Answer) => {
    const { name, type, ttl, data } = record as unknown as Record<string, unknown>;
    return `${section} ${name} ${ttl} ${type} ${dataText(data)}`;
  };
  return [
    ...packet.answers!.map(line("answer")),
    ...packet.authorities!.map(line("authority")),
    ...packet.additionals!.map(line("additional")),
  ];
}

function dataText(data: unknown): string {
  if (typeof data !== "object" || data === null) return String(data);
  if ("mname" in data) return String(data.mname);
  if ("cpu" in data) return String(data.cpu);
  if ("port" in data && "target" in data) return `${data.port} ${data.target}`;
  return JSON.stringify(data);
}
