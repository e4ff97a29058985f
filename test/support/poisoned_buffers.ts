/**
 * Memory as it is at its worst: what `Buffer.allocUnsafe` gives holds octets of somebody else, within its
 * bounds and around them.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The octet that the memory is full of: in no address, count or type of these tests. */
export const SECRET_OCTET = 0xa5;
/** What lies before and behind each buffer in the memory that it is a view of. */
const AROUND_OCTETS = 64;

/** Poisons what `Buffer.allocUnsafe` and `allocUnsafeSlow` give from now on, until it is disposed of. */
export function poisonBuffers(): Disposable {
  const { allocUnsafe, allocUnsafeSlow } = Buffer;
  const allocate = (size: number) => {
    const memory = new Uint8Array(size + 2 * AROUND_OCTETS).fill(SECRET_OCTET);
    return Buffer.from(memory.buffer, AROUND_OCTETS, size);
  };
  Object.assign(Buffer, { allocUnsafe: allocate, allocUnsafeSlow: allocate });
  return { [Symbol.dispose]: () => void Object.assign(Buffer, { allocUnsafe, allocUnsafeSlow }) };
}
