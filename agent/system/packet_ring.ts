/**
 * Hands datagrams from one worker to the main thread through shared memory, in order and bounded, with a
 * doorbell: the worker posts a message only where the main thread would not look by itself.
 *
 * No wake-up is lost. The writer publishes a record (A: stores WRITTEN) and then exchanges BELL for RUNG
 * (B); it posts where BELL was QUIET. The reader, having found nothing more, stores QUIET (C) and then
 * loads WRITTEN once more (D). All four are atomic and so have one order. Is A before D, the reader sees
 * the record, and goes on. Otherwise C < D < A < B: the exchange finds QUIET, and the writer posts. Where
 * both happen, the reader's own exchange tells who came first, so that only one of them goes on.
 *
 * @module
 */
import { SOCKADDR_OCTETS } from "./sockaddr.ts";

/** Where records come from: `UdpBatch`. */
export interface PacketSource {
  /** Length of message `i`. */
  octets(i: number): number;
  /** Copies the `sockaddr` that message `i` came from; returns its length. */
  copySource(i: number, into: Uint8Array, at: number): number;
  /** Copies message `i`. */
  copyMessage(i: number, into: Uint8Array, at: number): void;
}

/** Words of the header. */
const HEADER_WORDS = 16;
const Word = {
  /** Octets written since the start, modulo 2^32; of the writer. */
  WRITTEN: 0,
  /** Octets read since the start, modulo 2^32; of the reader. */
  READ: 1,
  /** Records written since the start, modulo 2^32; of the writer. */
  RECORDS_WRITTEN: 2,
  /** Records read since the start, modulo 2^32; of the reader. */
  RECORDS_READ: 3,
  /** {@link QUIET} or {@link RUNG}. */
  BELL: 4,
  /** How many records may wait. */
  MOST_RECORDS: 5,
} as const;

/** The reader found nothing more, and looks again only when a message tells it to. */
const QUIET = 0;
/** The reader looks, or a message that makes it look is under way. */
const RUNG = 1;

/** A record: a word with both lengths, the tag, the `sockaddr`, the message; padded to whole words. */
const SOURCE_AT = 8;
const MESSAGE_AT = SOURCE_AT + SOCKADDR_OCTETS;
/** In place of the lengths: the record lies at the start of the memory, since there was no room here. */
const GO_TO_START = -1;

/** Twice the longest record, so that there is room for one wherever the last one ended. */
const LEAST_OCTETS = 16_384;

/** How much may wait in a ring. */
export interface PacketRingLimits {
  /** Octets of memory, a power of two, 16 KiB at least. */
  octets: number;
  /** Records. */
  records: number;
}

/** The memory of a ring. */
export function allocatePacketRing({ octets, records }: PacketRingLimits): SharedArrayBuffer {
  if (octets < LEAST_OCTETS || (octets & octets - 1) !== 0) {
    throw new Error(`A ring cannot have ${octets} octets`);
  }
  const memory = new SharedArrayBuffer(HEADER_WORDS * 4 + octets);
  new Int32Array(memory)[Word.MOST_RECORDS] = records;
  return memory;
}

/** The end of the worker. */
export class PacketRingWriter {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #lengths: Int32Array<SharedArrayBuffer>;
  readonly #octets: Uint8Array<SharedArrayBuffer>;
  readonly #post: () => void;
  readonly #mostRecords: number;
  #written: number;
  #records: number;
  #isNew = false;

  /**
   * Goes on where the memory stands.
   *
   * @param post posts any message to the reader's thread
   */
  constructor(memory: SharedArrayBuffer, post: () => void) {
    this.#header = new Int32Array(memory, 0, HEADER_WORDS);
    this.#lengths = new Int32Array(memory, HEADER_WORDS * 4);
    this.#octets = new Uint8Array(memory, HEADER_WORDS * 4);
    this.#post = post;
    this.#mostRecords = this.#header[Word.MOST_RECORDS];
    this.#written = Atomics.load(this.#header, Word.WRITTEN);
    this.#records = Atomics.load(this.#header, Word.RECORDS_WRITTEN);
  }

  /**
   * Writes message `i` of a batch; false where there is no room. Nobody is told before {@link ringBell}.
   *
   * @param tag what the reader knows the message's socket by
   */
  push(from: PacketSource, i: number, tag: number): boolean {
    const header = this.#header;
    const waiting = this.#records - Atomics.load(header, Word.RECORDS_READ) | 0;
    if (waiting >= this.#mostRecords) return false;

    const messageOctets = from.octets(i);
    const size = MESSAGE_AT + messageOctets + 3 & ~3;
    const capacity = this.#octets.length;
    let at = this.#written & capacity - 1;
    const skipped = at + size > capacity ? capacity - at : 0;
    const used = this.#written - Atomics.load(header, Word.READ) | 0;
    if (used + skipped + size > capacity) return false;
    if (skipped > 0) {
      this.#lengths[at >> 2] = GO_TO_START;
      at = 0;
    }

    this.#lengths[(at >> 2) + 1] = tag;
    const sourceOctets = from.copySource(i, this.#octets, at + SOURCE_AT);
    from.copyMessage(i, this.#octets, at + MESSAGE_AT);
    this.#lengths[at >> 2] = sourceOctets << 16 | messageOctets;
    this.#records = this.#records + 1 | 0;
    this.#written = this.#written + skipped + size | 0;
    Atomics.store(header, Word.RECORDS_WRITTEN, this.#records);
    Atomics.store(header, Word.WRITTEN, this.#written);
    this.#isNew = true;
    return true;
  }

  /** Makes sure that the reader sees what was pushed: once for each batch. */
  ringBell(): void {
    if (!this.#isNew) return;
    this.#isNew = false;
    if (Atomics.exchange(this.#header, Word.BELL, RUNG) === QUIET) this.#post();
  }
}

/** Takes a message, the `sockaddr` that it came from, and its tag. */
export type PacketHandler = (
  message: Uint8Array<ArrayBuffer>,
  source: Uint8Array<ArrayBuffer>,
  tag: number,
) => void;

/** Records between two turns of the event loop: 1 to 3 ms of work. */
const RECORDS_A_TURN = 32;

/** The end of the main thread. */
export class PacketRingReader {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #lengths: Int32Array<SharedArrayBuffer>;
  readonly #octets: Uint8Array<SharedArrayBuffer>;
  #read: number;

  /** Goes on where the memory stands. */
  constructor(memory: SharedArrayBuffer) {
    this.#header = new Int32Array(memory, 0, HEADER_WORDS);
    this.#lengths = new Int32Array(memory, HEADER_WORDS * 4);
    this.#octets = new Uint8Array(memory, HEADER_WORDS * 4);
    this.#read = Atomics.load(this.#header, Word.READ);
  }

  /**
   * Takes all that is there, a few records a turn of the event loop. To be called whenever the writer's
   * message comes.
   */
  drainInTurns(handler: PacketHandler): void {
    if (this.drain(handler, RECORDS_A_TURN)) setImmediate(() => this.drainInTurns(handler));
  }

  /**
   * Takes what is there. To be called whenever the writer's message comes.
   *
   * @param handler gets copies of the message and of the `sockaddr` that it came from; must not throw
   * @param most how many records are taken at most, so that a flood leaves room for other work
   * @returns whether more waits: then no message comes, and it is the caller who has to come back
   */
  drain(
    handler: PacketHandler,
    most = Infinity,
  ): boolean {
    const header = this.#header;
    for (let taken = 0;;) {
      while (this.#read !== Atomics.load(header, Word.WRITTEN)) {
        if (taken++ >= most) return true;
        this.#take(handler);
      }
      Atomics.store(header, Word.BELL, QUIET);
      if (this.#read === Atomics.load(header, Word.WRITTEN)) return false;
      if (Atomics.exchange(header, Word.BELL, RUNG) === RUNG) return false;
    }
  }

  /**
   * Takes what was written before the call, all at once, and nothing that comes meanwhile. For a writer
   * that is known to have written its last: no message has to come, and one that does finds nothing.
   */
  drainWritten(handler: PacketHandler): void {
    const end = Atomics.load(this.#header, Word.WRITTEN);
    while ((this.#read - end | 0) < 0) this.#take(handler);
  }

  #take(handler: PacketHandler) {
    const capacity = this.#octets.length;
    let at = this.#read & capacity - 1;
    if (this.#lengths[at >> 2] === GO_TO_START) {
      this.#read = this.#read + capacity - at | 0;
      at = 0;
    }
    const lengths = this.#lengths[at >> 2];
    const messageOctets = lengths & 0xffff;
    const tag = this.#lengths[(at >> 2) + 1];
    const source = this.#copy(at + SOURCE_AT, lengths >> 16);
    const message = this.#copy(at + MESSAGE_AT, messageOctets);
    this.#read = this.#read + (MESSAGE_AT + messageOctets + 3 & ~3) | 0;
    Atomics.store(this.#header, Word.READ, this.#read);
    Atomics.add(this.#header, Word.RECORDS_READ, 1);
    handler(message, source, tag);
  }

  #copy(at: number, octets: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(octets);
    copy.set(this.#octets.subarray(at, at + octets));
    return copy;
  }
}
