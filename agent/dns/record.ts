/**
 * Resource records as the agent carries them: the owner as a canonical name, the RDATA as wire octets
 * in which no name is compressed, so that a record means the same in every message.
 *
 * @module
 */
import { RecordClass, RecordType } from "./codes.ts";
import { encodeName } from "./name.ts";

/** One resource record. */
export interface ResourceRecord {
  /** Owner, canonical. */
  name: string;
  /** Type number. */
  type: number;
  /** Class number. */
  class: number;
  /** 0 to 2^31 - 1 (RFC 2181 section 8). */
  ttlSeconds: number;
  /** RDATA without compression. */
  rdata: Uint8Array;
}

/** An A or AAAA record, by the length of `address`: 4 or 16 octets. */
export function addressRecord(
  name: string,
  address: Uint8Array,
  options: { ttlSeconds: number },
): ResourceRecord {
  const type = address.length === 4 ? RecordType.A : RecordType.AAAA;
  return record(name, type, options.ttlSeconds, address);
}

/** A CNAME record that points to the canonical name `target`. */
export function cnameRecord(
  name: string,
  target: string,
  options: { ttlSeconds: number },
): ResourceRecord {
  return record(name, RecordType.CNAME, options.ttlSeconds, encodeName(target));
}

/** A PTR record that points to the canonical name `target`. */
export function ptrRecord(
  name: string,
  target: string,
  options: { ttlSeconds: number },
): ResourceRecord {
  return record(name, RecordType.PTR, options.ttlSeconds, encodeName(target));
}

/** An SRV record (RFC 2782) with priority 0. */
export function srvRecord(
  name: string,
  target: { host: string; port: number; weight: number },
  options: { ttlSeconds: number },
): ResourceRecord {
  const host = encodeName(target.host);
  const rdata = new Uint8Array(6 + host.length);
  const view = new DataView(rdata.buffer);
  view.setUint16(2, target.weight);
  view.setUint16(4, target.port);
  rdata.set(host, 6);
  return record(name, RecordType.SRV, options.ttlSeconds, rdata);
}

/** The minimal HINFO answer to a question for ANY (RFC 8482 section 4.2). */
export function minimalAnyRecord(name: string, options: { ttlSeconds: number }): ResourceRecord {
  const rdata = new Uint8Array([7, ...new TextEncoder().encode("RFC8482"), 0]);
  return record(name, RecordType.HINFO, options.ttlSeconds, rdata);
}

/**
 * The SOA record of a zone that is made up here. Its MINIMUM bounds how long a negative answer is
 * remembered (RFC 2308 section 5).
 */
export function soaRecord(zone: string, options: { ttlSeconds: number }): ResourceRecord {
  const primary = encodeName(zone === "" ? "ns" : `ns.${zone}`);
  const mailbox = encodeName(zone === "" ? "hostmaster" : `hostmaster.${zone}`);
  const rdata = new Uint8Array(primary.length + mailbox.length + 20);
  rdata.set(primary);
  rdata.set(mailbox, primary.length);
  const view = new DataView(rdata.buffer, primary.length + mailbox.length);
  const SERIAL = 1, REFRESH = 7200, RETRY = 1800, EXPIRE = 86400;
  [SERIAL, REFRESH, RETRY, EXPIRE, options.ttlSeconds].forEach((value, i) => {
    view.setUint32(4 * i, value);
  });
  return record(zone, RecordType.SOA, options.ttlSeconds, rdata);
}

function record(name: string, type: number, ttlSeconds: number, rdata: Uint8Array): ResourceRecord {
  return { name, type, class: RecordClass.IN, ttlSeconds, rdata };
}
