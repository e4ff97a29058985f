/**
 * The name table in memory: one flat buffer, written once (`pack_table.ts`) and then only read, by the
 * resolver (`name_table.ts`) and by the workers of the fast path, which share it. This module says where
 * everything lies and how a name is hashed; nothing else may know offsets.
 *
 * ```
 * header        HEADER_WORDS words
 * records       name, host and address records; each at a multiple of 4
 * host list     one word a host: the offset of its host record, in the order of the source, wildcards last
 * name slots    open addressing, linear probing: [hash, offset of the name record] each; offset 0: free
 * address slots the same, for PTR: [hash, offset of the address record]
 * ```
 *
 * A name is in wire form, in lower case, without the root's octet: `3www7example3org`. Words are signed
 * 32-bit numbers in the machine's own order; counts in records are 16-bit, also of the machine.
 *
 * @module
 */
import type { HostPort } from "./host_entry.ts";

/** Words of the header. */
export const HEADER_WORDS = 16;

/** The words of the header by index. */
export const Header = {
  /** {@link TABLE_MAGIC}. */
  MAGIC: 0,
  /** Start value of {@link hashOctets}; random for each process, so that nobody can aim at one slot. */
  SEED: 1,
  /** Number of name slots less 1; a power of two less 1. */
  NAME_MASK: 2,
  /** Offset of the name slots in octets. */
  NAME_SLOTS: 3,
  /** Number of address slots less 1; a power of two less 1. */
  ADDRESS_MASK: 4,
  /** Offset of the address slots in octets. */
  ADDRESS_SLOTS: 5,
  /** Number of hosts, wildcards included. */
  HOSTS: 6,
  /** Offset of the host list in octets. */
  HOST_LIST: 7,
  /** How many of the hosts are wildcards. */
  WILDCARDS: 8,
  /** Octets of the buffer that are in use. */
  OCTETS: 9,
} as const;

/** The first word of a table: what it is, and the version of this layout. */
export const TABLE_MAGIC = 0x4f54_4231;

/** A slot has two words: the finished hash, and the offset of a record in octets (0: free). */
export const SLOT_OCTETS = 8;

/** A name record: what a name means. Its name follows at {@link NameRecord.NAME}. */
export const NameRecord = {
  /** Word: offset of the host record of this host or alias; 0 where it is neither. */
  HOST: 0,
  /** Word: offset of the host record of the wildcard `*.` before this name; 0 where there is none. */
  WILDCARD: 4,
  /** Octet: length of the name, 1 to 254. */
  NAME_OCTETS: 8,
  /** Octet: {@link NameFlag}s. */
  FLAGS: 9,
  /** The name. */
  NAME: 10,
} as const;

/** Flags of a name record. */
export const NameFlag = {
  /** In the cluster domain, and a host lies below it. */
  PARENT: 1,
} as const;

/**
 * A host record. Addresses follow at {@link HostRecord.ADDRESSES}: all IPv4 ones (4 octets each), then
 * all IPv6 ones (16 each); within a family those that are no automatic VIPs come first.
 */
export const HostRecord = {
  /** 16 bits: number of IPv4 addresses. */
  V4: 0,
  /** 16 bits: how many of them are served where automatic VIPs are not. */
  V4_PLAIN: 2,
  /** 16 bits: number of IPv6 addresses. */
  V6: 4,
  /** 16 bits: how many of them are served where automatic VIPs are not. */
  V6_PLAIN: 6,
  /** Octet: {@link HostFlag}s. */
  FLAGS: 8,
  /** Octet: length of the host's name; of a wildcard the one behind `*.`. */
  NAME_OCTETS: 9,
  /** Word: offset of that name. */
  NAME: 12,
  /** Word: offset of {@link HostDetails}; 0 where there are none. */
  DETAILS: 16,
  /** The addresses. */
  ADDRESSES: 20,
} as const;

/** Flags of a host record. */
export const HostFlag = {
  /** A Kubernetes Service, or a pod of one. */
  KUBERNETES: 1,
  /** It may be asked for by its short forms. */
  SHORT_FORMS: 2,
  /** `*.` stands before its name. */
  WILDCARD: 4,
} as const;

/**
 * What of a host is seldom asked for, as JSON in UTF-8 behind a word with its length. Absent where there
 * are no aliases and no ports, and the namespace follows from the name ({@link impliedNamespace}).
 */
export interface HostDetails {
  /** Namespace of the Service; empty for others. */
  namespace: string;
  /** Canonical further names. */
  altHosts: string[];
  /** Ports, where known. */
  ports: HostPort[];
}

/** The namespace of a Service by its canonical name: what stands before `.svc.` and is not the first label. */
export function impliedNamespace(host: string): string {
  const end = host.indexOf(".svc.", host.indexOf(".") + 1);
  return end === -1 ? "" : host.slice(host.lastIndexOf(".", end - 1) + 1, end);
}

/** An address record: the one name of an address. The address follows at {@link AddressRecord.ADDRESS}. */
export const AddressRecord = {
  /** Word: offset of the host record. */
  HOST: 0,
  /** Octet: 4 or 16. */
  ADDRESS_OCTETS: 4,
  /** Octet: {@link AddressFlag}s. */
  FLAGS: 5,
  /** The address. */
  ADDRESS: 6,
} as const;

/** Flags of an address record. */
export const AddressFlag = {
  /** The mesh gave the address out (to a Service or a pod of one, or as an automatic VIP). */
  OWNED: 1,
} as const;

/**
 * Hashes `octets[from, to)`, going on from `hash` (at first the seed): the hash of a name goes on from
 * the one of its first labels, so that one pass over a question gives the hash of every name that is
 * left when a search domain is cut off, and of every short form with its domain behind it. FNV-1a.
 */
export function hashOctets(hash: number, octets: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ octets[i], 0x0100_0193);
  return hash;
}

/** Spreads a hash over all bits; what slots hold and are chosen by. The finisher of MurmurHash3. */
export function finishedHash(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85eb_ca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2_ae35);
  return hash ^ hash >>> 16;
}
