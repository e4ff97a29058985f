/**
 * Asks a DNS server over connections that are kept, as fast as it answers, and counts what is cut off: a
 * program of its own, so that it can run in the network of a VM.
 *
 * usage: tcp_load.ts ADDRESS:PORT NAME SECONDS     prints a {@link TcpLoad} as JSON
 *
 * @module
 */
import { encodeUpstreamQuery } from "../../agent/dns/upstream_query.ts";
import { parseSocketAddress } from "../../agent/system/socket_address.ts";

/** What came of it. */
export interface TcpLoad {
  /** Questions. */
  sent: number;
  /** Those that were answered with an address. */
  answered: number;
  /** Those whose connection ended before their answer: a client asks again. */
  cut: number;
  /** Connections that could not be made. */
  refused: number;
  /** Connections that were made. */
  connections: number;
}

const CLIENTS = 8;
const PAUSE_MS = 5;

async function client(server: string, name: string, endMs: number, load: TcpLoad): Promise<void> {
  const { address: hostname, port } = parseSocketAddress(server)!;
  const question = { name, type: 1, class: 1 };
  const query = encodeUpstreamQuery({
    ...{ id: 1, question, checkingDisabled: false, dnssecOk: false, udpPayloadSize: 0 },
  });
  const message = new Uint8Array(2 + query.length);
  message.set([query.length >> 8, query.length & 0xff]);
  message.set(query, 2);
  const answer = new Uint8Array(65_537);
  while (performance.now() < endMs) {
    let connection: Deno.TcpConn;
    try {
      connection = await Deno.connect({ hostname, port });
    } catch {
      load.refused++;
      continue;
    }
    load.connections++;
    try {
      while (performance.now() < endMs) {
        load.sent++;
        await connection.write(message);
        let octets = 0;
        while (octets < 2 || octets < 2 + (answer[0] << 8 | answer[1])) {
          const read = await connection.read(answer.subarray(octets));
          if (read === null) throw new Error("the end");
          octets += read;
        }
        // Response code and number of answers.
        if ((answer[5] & 0x0f) === 0 && answer[9] > 0) load.answered++;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch {
      load.cut++;
    } finally {
      connection.close();
    }
  }
}

if (import.meta.main) {
  const [server, name, seconds] = Deno.args;
  const load: TcpLoad = { sent: 0, answered: 0, cut: 0, refused: 0, connections: 0 };
  const endMs = performance.now() + Number(seconds) * 1_000;
  await Promise.all(Array.from({ length: CLIENTS }, () => client(server, name, endMs, load)));
  console.log(JSON.stringify(load));
}
