/**
 * Messages for tests, made and read with dns-packet, so that our own codecs are checked against code
 * that is not ours.
 *
 * @module
 */
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
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
