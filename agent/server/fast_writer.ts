/**
 * Writes the fast path's answer over the query that it answers: the header's id, RD and CD and the
 * question stay where they are.
 *
 * Checks no bounds: who writes has made sure that all of it fits into the slot.
 *
 * @module
 */
import { RecordClass, RecordType } from "../dns/codes.ts";
import { UDP_OCTETS_ADVERTISED } from "../dns/encode_answer.ts";
import type { FastQuery } from "./fast_query.ts";

// Bits of the header's octets 2 and 3 (RFC 1035 section 4.1.1, RFC 4035 section 3).
const QR = 0x80;
/** AA, of octet 2. */
export const AA = 0x04;
const RD = 0x01;
const RA = 0x80;
/** AD, of octet 3. */
export const AD = 0x20;
/** CD, of octet 3. */
export const CD = 0x10;

/** OPT without options and DO (RFC 6891 section 6.1.2). */
const OPT = Uint8Array.of(
  ...[0, 0, RecordType.OPT],
  ...[UDP_OCTETS_ADVERTISED >> 8, UDP_OCTETS_ADVERTISED & 0xff],
  ...[0, 0, 0, 0, 0, 0],
);
/** What {@link FastWriter.finish} adds at most. */
export const OPT_OCTETS: number = OPT.length;
/** A record up to its data: a pointer to its owner, type, class, TTL, length. */
export const RECORD_HEAD_OCTETS = 12;

/** Writes one answer after the other. */
export class FastWriter {
  /** Where messages lie. */
  packets: Uint8Array = new Uint8Array(0);
  /** The same memory. */
  view: DataView = new DataView(this.packets.buffer);
  /** Offset of the message. */
  at = 0;
  /** Offset of what is written next. */
  end = 0;

  /** Begins an answer behind the question of the message at `at`. */
  begin(packets: Uint8Array, at: number, headOctets: number): void {
    if (packets !== this.packets) {
      this.packets = packets;
      this.view = new DataView(packets.buffer, packets.byteOffset, packets.length);
    }
    this.at = at;
    this.end = at + headOctets;
  }

  /** Writes a record up to its data. */
  recordHead(owner: number, type: number, ttlSeconds: number, dataOctets: number): void {
    const { packets, end } = this;
    packets[end] = 0xc0 | owner >> 8;
    packets[end + 1] = owner;
    packets[end + 2] = type >> 8;
    packets[end + 3] = type;
    packets[end + 4] = 0;
    packets[end + 5] = RecordClass.IN;
    packets[end + 6] = 0;
    packets[end + 7] = 0;
    packets[end + 8] = ttlSeconds >> 8;
    packets[end + 9] = ttlSeconds;
    packets[end + 10] = dataOctets >> 8;
    packets[end + 11] = dataOctets;
    this.end = end + RECORD_HEAD_OCTETS;
  }

  /** Writes `source[from, from + count)`. */
  octets(source: Uint8Array, from: number, count: number): void {
    const { packets, end } = this;
    for (let i = 0; i < count; i++) packets[end + i] = source[from + i];
    this.end = end + count;
  }

  /** Writes a compression pointer to an offset in the message. */
  pointer(offset: number): void {
    this.packets[this.end++] = 0xc0 | offset >> 8;
    this.packets[this.end++] = offset;
  }

  /**
   * Writes the header's counts and flags, and OPT where the query has one; returns the message's length.
   *
   * @param bits2 of octet 2, {@link AA} or 0
   * @param bits3 of octet 3, {@link AD} or 0, and the response code
   */
  finish(
    query: FastQuery,
    bits2: number,
    bits3: number,
    answers: number,
    authority: number,
    additional: number,
  ): number {
    const { packets, at } = this;
    packets[at + 2] = QR | bits2 | packets[at + 2] & RD;
    packets[at + 3] = RA | bits3 | packets[at + 3] & CD;
    packets[at + 6] = answers >> 8;
    packets[at + 7] = answers;
    packets[at + 8] = authority >> 8;
    packets[at + 9] = authority;
    if (query.edns) {
      this.octets(OPT, 0, OPT_OCTETS);
      if (query.dnssecOk) packets[this.end - 4] = 0x80;
      additional++;
    }
    packets[at + 10] = additional >> 8;
    packets[at + 11] = additional;
    return this.end - at;
  }
}
