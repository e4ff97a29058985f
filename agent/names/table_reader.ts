/**
 * The name table as the fast path reads it: at the level of octets and offsets, so that nothing is
 * allocated for a query. Checks nothing, since only `pack_table.ts` writes such a buffer.
 *
 * @module
 */
import { RecordIndex } from "./record_index.ts";
import { finishedHash, Header, HEADER_WORDS, NameRecord } from "./table_layout.ts";

/** A table's buffer, opened for reading. */
export class TableReader {
  /** The whole buffer. */
  readonly octets: Uint8Array;
  /** The same in words. */
  readonly words: Int32Array;
  /** What hashes of names begin with. */
  readonly seed: number;
  readonly #names: RecordIndex;

  /** Opens a table. */
  constructor(buffer: SharedArrayBuffer) {
    this.octets = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.seed = this.words[Header.SEED];
    this.#names = openNameIndex(buffer);
  }

  /**
   * The offset of the record of a name, 0 where the table has none.
   *
   * @param names holds the name in `[from, to)`, in wire form and lower case, without the root's octet
   * @param hash `hashOctets` of it, not finished
   */
  find(names: Uint8Array, from: number, to: number, hash: number): number {
    return this.#names.find(finishedHash(hash), names, from, to);
  }

  /** A 16-bit count of a record. */
  count(offset: number): number {
    return this.octets[offset] | this.octets[offset + 1] << 8;
  }
}

/** The index of a table's names. */
export function openNameIndex(buffer: SharedArrayBuffer): RecordIndex {
  const header = new Int32Array(buffer, 0, HEADER_WORDS);
  return new RecordIndex(new Uint8Array(buffer), {
    lengthAt: NameRecord.NAME_OCTETS,
    keyAt: NameRecord.NAME,
    slots: new Int32Array(buffer, header[Header.NAME_SLOTS], 2 * (header[Header.NAME_MASK] + 1)),
  });
}
