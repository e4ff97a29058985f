/**
 * Writes the records of a name table (`table_layout.ts`) one behind the other, into memory that grows
 * with them. Knows their form, and nothing of what they mean together.
 *
 * @module
 */
import type { CheckedHost } from "./host_check.ts";
import {
  AddressFlag,
  AddressRecord,
  HEADER_WORDS,
  type HostDetails,
  HostFlag,
  HostRecord,
  impliedNamespace,
  NameRecord,
} from "./table_layout.ts";

/** Room at first, in octets. */
const ROOM_MIN = 4096;

/** What else a host record is written from. */
export interface HostPlace {
  /** All its addresses, those that are no automatic VIPs first. */
  addresses: readonly Uint8Array[];
  /** How many of them are no automatic VIPs. */
  plain: number;
  /** Offset of its name record. */
  nameRecord: number;
}

/** Records, from behind the header on. Offsets are those of the finished table. */
export class RecordWriter {
  /** The memory as octets; another one after each write. */
  octets = new Uint8Array(ROOM_MIN);
  /** The same as words. */
  words = new Int32Array(this.octets.buffer);
  #halves = new Uint16Array(this.octets.buffer);
  #end = HEADER_WORDS * 4;

  /** Offset behind the last record; a multiple of 4. */
  get end(): number {
    return this.#end;
  }

  /** Writes the record of the name `wire[from, to)`, which means nothing yet. */
  writeName(wire: Uint8Array, from: number, to: number): number {
    const record = this.#reserve(NameRecord.NAME + to - from);
    this.octets[record + NameRecord.NAME_OCTETS] = to - from;
    for (let i = from; i < to; i++) this.octets[record + NameRecord.NAME + i - from] = wire[i];
    return record;
  }

  /** Writes the record of a host. */
  writeHost(host: CheckedHost, { addresses, plain, nameRecord }: HostPlace): number {
    const details = this.#writeDetails(host);
    let size: number = HostRecord.ADDRESSES;
    for (const { length } of addresses) size += length;
    const record = this.#reserve(size);
    this.#writeFamily(record + HostRecord.V4, addresses, { plain, octets: 4 });
    this.#writeFamily(record + HostRecord.V6, addresses, { plain, octets: 16 });
    this.octets[record + HostRecord.FLAGS] = flagsOf(host);
    this.octets[record + HostRecord.NAME_OCTETS] = this.octets[nameRecord + NameRecord.NAME_OCTETS];
    this.words[record + HostRecord.NAME >> 2] = nameRecord + NameRecord.NAME;
    this.words[record + HostRecord.DETAILS >> 2] = details;
    let at = record + HostRecord.ADDRESSES;
    for (const octets of [4, 16]) {
      for (const address of addresses) {
        if (address.length !== octets) continue;
        this.octets.set(address, at);
        at += octets;
      }
    }
    return record;
  }

  /** Writes the record of the address `key[from, to)`, which has no host yet. */
  writeAddress(key: Uint8Array, from: number, to: number): number {
    const record = this.#reserve(AddressRecord.ADDRESS + to - from);
    this.octets[record + AddressRecord.ADDRESS_OCTETS] = to - from;
    for (let i = from; i < to; i++) this.octets[record + AddressRecord.ADDRESS + i - from] = key[i];
    return record;
  }

  /** Says whose an address is. */
  setAddressHost(record: number, hostRecord: number, owned: boolean): void {
    this.words[record + AddressRecord.HOST >> 2] = hostRecord;
    if (owned) this.octets[record + AddressRecord.FLAGS] |= AddressFlag.OWNED;
  }

  #writeFamily(
    at: number,
    addresses: readonly Uint8Array[],
    { plain, octets }: { plain: number; octets: number },
  ): void {
    let [count, plainCount] = [0, 0];
    for (let i = 0; i < addresses.length; i++) {
      if (addresses[i].length !== octets) continue;
      count++;
      if (i < plain) plainCount++;
    }
    this.#halves[at >> 1] = count;
    this.#halves[(at >> 1) + 1] = plainCount;
  }

  #writeDetails(host: CheckedHost): number {
    const { namespace, altHosts, ports } = host;
    const implied = (flagsOf(host) & HostFlag.SHORT_FORMS) !== 0 ? impliedNamespace(host.host) : "";
    if (namespace === implied && altHosts.length === 0 && ports.length === 0) return 0;
    const details: HostDetails = { namespace, altHosts, ports };
    const text = new TextEncoder().encode(JSON.stringify(details));
    const record = this.#reserve(4 + text.length);
    this.words[record >> 2] = text.length;
    this.octets.set(text, record + 4);
    return record;
  }

  /**
   * Room for a record, zeroed.
   *
   * @throws {RangeError} where offsets would not fit into a word
   */
  #reserve(octets: number): number {
    const record = this.#end;
    this.#end = record + octets + 3 & ~3;
    if (this.#end < 0) throw new RangeError("the table is larger than 2 GiB");
    if (this.#end > this.octets.length) {
      const grown = new Uint8Array(Math.max(2 * this.octets.length, this.#end + 3 & ~3));
      grown.set(this.octets);
      this.octets = grown;
      this.words = new Int32Array(grown.buffer);
      this.#halves = new Uint16Array(grown.buffer);
    }
    return record;
  }
}

function flagsOf({ host, kubernetes, shortName }: CheckedHost): number {
  return (kubernetes ? HostFlag.KUBERNETES : 0) |
    (kubernetes && shortName !== "" ? HostFlag.SHORT_FORMS : 0) |
    (host.startsWith("*.") ? HostFlag.WILDCARD : 0);
}
