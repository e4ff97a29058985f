/**
 * One question over UDP.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { queryMessage } from "../support/dns_messages.ts";

/** What an answer says, as far as a benchmark looks at it. */
export interface OneAnswer {
  /** Its RCODE. */
  rcode: number;
  /** Records in its answer section. */
  records: number;
  /** Its octets. */
  octets: Uint8Array;
}

/**
 * Asks for addresses, again each `everyMs`, until the first answer to any of the tries.
 *
 * @throws when none comes within `timeoutMs`
 */
export async function askOnce(
  { address, port, name, everyMs = 100, timeoutMs = 500, accept = () => true }: {
    address: string;
    port: number;
    name: string;
    everyMs?: number;
    timeoutMs?: number;
    /** Which answer is waited for. */
    accept?: (answer: OneAnswer) => boolean;
  },
): Promise<OneAnswer> {
  const socket = createSocket("udp4");
  const message = queryMessage(name, "A");
  const send = () => socket.send(message, port, address, () => {});
  const { promise, resolve, reject } = Promise.withResolvers<OneAnswer>();
  const repeat = setInterval(send, everyMs);
  const timer = setTimeout(() => reject(new Error(`no answer: ${name}`)), timeoutMs);
  socket.on("error", () => {}); // refused: nobody listens yet
  socket.on("message", (octets) => {
    const answer = { rcode: octets[3] & 15, records: octets.readUInt16BE(6), octets };
    if (accept(answer)) resolve(answer);
  });
  try {
    send();
    return await promise;
  } finally {
    clearInterval(repeat);
    clearTimeout(timer);
    socket.close();
  }
}
