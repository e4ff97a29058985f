/**
 * The part of the long run that may hang: it says in shared memory where it is, and somebody else looks.
 *
 * @module
 */
import { fuzz } from "./fuzz_loop.ts";
import { fuzzTargets } from "./targets.ts";

/** What it is given. */
export interface FuzzOrder {
  /** Index of the target. */
  target: number;
  /** See `fuzz`. */
  seed: number;
  /** See `fuzz`. */
  packets: number;
  /** See `fuzz`. */
  from: number;
  /** One number of 32 bits: the packet that is run. */
  progress: SharedArrayBuffer;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<FuzzOrder>) => void;
  postMessage(message: unknown): void;
};
const targets = fuzzTargets();

scope.onmessage = ({ data: { target, seed, packets, from, progress } }) => {
  const cell = new Int32Array(progress);
  const onPacket = (packet: number) => {
    Atomics.store(cell, 0, packet);
  };
  scope.postMessage(fuzz(targets[target], { seed, packets, from, onPacket }));
};
