/**
 * Records as texts for people: `name ttl IN TYPE data`, in the presentation format of RFC 1035 section 5
 * for the usual types and of RFC 3597 section 5 (`\# length hex`) for all others.
 *
 * @module
 */
import { formatType, RecordClass, RecordType } from "./codes.ts";
import { formatAddress } from "./ip_address.ts";
import { decodeName } from "./name.ts";
import type { ResourceRecord } from "./record.ts";

/** One line for a record. RDATA that does not fit its type is shown in hexadecimal. */
export function formatRecord(
  { name, type, class: recordClass, ttlSeconds, rdata }: ResourceRecord,
): string {
  const className = recordClass === RecordClass.IN ? "IN" : `CLASS${recordClass}`;
  const data = formatRdata(type, rdata) ?? unknownRdata(rdata);
  return `${name}. ${ttlSeconds} ${className} ${formatType(type)} ${data}`;
}

function formatRdata(type: number, rdata: Uint8Array): string | undefined {
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length);
  const nameAt = (offset: number) => {
    const decoded = decodeName(rdata, offset);
    return decoded && { text: `${decoded.name}.`, end: decoded.end };
  };
  switch (type) {
    case RecordType.A:
    case RecordType.AAAA:
      return rdata.length === (type === RecordType.A ? 4 : 16) ? formatAddress(rdata) : undefined;
    case RecordType.CNAME:
    case RecordType.DNAME:
    case RecordType.NS:
    case RecordType.PTR:
      return nameAt(0)?.text;
    case RecordType.MX: {
      const target = rdata.length > 2 ? nameAt(2) : undefined;
      return target && `${view.getUint16(0)} ${target.text}`;
    }
    case RecordType.SRV: {
      const target = rdata.length > 6 ? nameAt(6) : undefined;
      return target && [0, 2, 4].map((offset) => view.getUint16(offset)).join(" ") +
          ` ${target.text}`;
    }
    case RecordType.SOA: {
      const primary = nameAt(0);
      const mailbox = primary && nameAt(primary.end);
      if (mailbox === undefined || rdata.length !== mailbox.end + 20) return undefined;
      const numbers = [0, 4, 8, 12, 16].map((offset) => view.getUint32(mailbox.end + offset));
      return [primary!.text, mailbox.text, ...numbers].join(" ");
    }
    case RecordType.TXT:
    case RecordType.HINFO:
      return formatStrings(rdata);
    case RecordType.CAA: {
      const tagEnd = 2 + (rdata[1] ?? Infinity);
      if (tagEnd > rdata.length) return undefined;
      return `${rdata[0]} ${printable(rdata.subarray(2, tagEnd))} "${
        printable(rdata.subarray(tagEnd))
      }"`;
    }
  }
  return undefined;
}

/** Character strings, each in quotes. */
function formatStrings(rdata: Uint8Array): string | undefined {
  const strings: string[] = [];
  for (let offset = 0; offset < rdata.length;) {
    const end = offset + 1 + rdata[offset];
    if (end > rdata.length) return undefined;
    strings.push(`"${printable(rdata.subarray(offset + 1, end))}"`);
    offset = end;
  }
  return strings.length > 0 ? strings.join(" ") : undefined;
}

function printable(octets: Uint8Array): string {
  return Array.from(octets, (octet) => {
    const character = String.fromCharCode(octet);
    if (character === '"' || character === "\\") return `\\${character}`;
    return octet >= 0x20 && octet < 0x7f ? character : `\\${octet.toString().padStart(3, "0")}`;
  }).join("");
}

function unknownRdata(rdata: Uint8Array): string {
  const hex = Array.from(rdata, (octet) => octet.toString(16).padStart(2, "0")).join("");
  return `\\# ${rdata.length}${hex === "" ? "" : ` ${hex}`}`;
}
