/**
 * Numbers in messages, most significant octet first (RFC 1035 section 2.3.2). Not by a DataView: to make one
 * for a message costs more than all that is read or written by it.
 *
 * Who reads has seen that the message goes so far.
 *
 * @module
 */

/** Nothing; shared, since it cannot be written to. */
export const NO_OCTETS: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Two octets of a message as a number. */
export function uint16(message: Uint8Array, offset: number): number {
  return message[offset] << 8 | message[offset + 1];
}

/** Four octets of a message as a number. */
export function uint32(message: Uint8Array, offset: number): number {
  return uint16(message, offset) * 0x10000 + uint16(message, offset + 2);
}

/** Writes a number into two octets of a message. */
export function putUint16(message: Uint8Array, offset: number, value: number): void {
  message[offset] = value >> 8;
  message[offset + 1] = value;
}
