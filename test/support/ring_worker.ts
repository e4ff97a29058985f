/**
 * A worker that does nothing but write records into a ring, as fast as it can, some at a time.
 *
 * @module
 */
import { PacketRingWriter } from "../../agent/system/packet_ring.ts";

/** What the worker is started with. */
export interface RingWorkerOptions {
  /** Memory of the ring. */
  ring: SharedArrayBuffer;
  /** Records to write. */
  records: number;
}

/** Octets of record `n`: all lengths up to 299 come, and each record says its number. */
export function recordOctets(n: number): number {
  return 4 + n * 7919 % 296;
}

declare const self: {
  onmessage?: (event: { data: RingWorkerOptions }) => void;
  postMessage(message: string | null): void;
  close(): void;
};

if ("WorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { ring, records } }) => {
    const writer = new PacketRingWriter(ring, () => self.postMessage(null));
    const pause = new Int32Array(new SharedArrayBuffer(4));
    let full = 0;
    let bells = 0;
    const source = {
      octets: recordOctets,
      copySource(n: number, into: Uint8Array, at: number) {
        into.fill(n, at, at + 16);
        return 16;
      },
      copyMessage(n: number, into: Uint8Array, at: number) {
        into.fill(n, at, at + recordOctets(n));
        for (let j = 0; j < 4; j++) into[at + j] = n >>> 8 * j;
      },
    };
    for (let n = 0; n < records; n++) {
      while (!writer.push(source, n, n)) {
        full++;
        writer.ringBell();
        Atomics.wait(pause, 0, 0, 0.05);
      }
      // Sometimes at once, sometimes late, and now and then after the reader has fallen asleep.
      if (n % 3 === 0 || n % 7 === 0) writer.ringBell(), bells++;
      if (n % 20_011 === 0) Atomics.wait(pause, 0, 0, 2);
    }
    writer.ringBell();
    self.postMessage(`${bells} ${full}`);
    self.close();
  };
}
