/**
 * Asks a DNS server at a steady rate over UDP, each question once, and counts what comes back: a program
 * of its own, so that it can run in the network of a VM.
 *
 * usage: query_load.ts ADDRESS:PORT NAME PER_SECOND SECONDS     prints a {@link QueryLoad} as JSON
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { encodeUpstreamQuery } from "../../agent/dns/upstream_query.ts";
import { parseSocketAddress } from "../../agent/system/socket_address.ts";

/** What came of it. */
export interface QueryLoad {
  /** Questions. */
  sent: number;
  /** Those that were never answered. */
  lost: number;
  /** Those that were answered with something else than an address. */
  failed: number;
  /** How long the slowest answer took, in milliseconds. */
  slowestMs: number;
}

/** How long an answer may take, once all questions have left: as long as a stub waits. */
const ANSWER_MS = 5_000;
/**
 * Answers come thousands at once after a restart, and on a busy machine while nobody reads them: of one socket
 * some 270 fit into the queue, and what does not is not the server's loss (seen with 64: 1,111 of 48,000). So
 * many sockets that all answers fit.
 */
const SOCKETS = 512;
/** Questions are sent in groups: a timer is no finer. */
const GROUP_MS = 5;

/** Asks; at most 65,536 times, since the id tells the questions apart. */
export async function queryLoad(
  { server, name, perSecond, seconds }: {
    server: string;
    name: string;
    perSecond: number;
    seconds: number;
  },
): Promise<QueryLoad> {
  const to = parseSocketAddress(server)!;
  const total = Math.min(perSecond * seconds, 65_536);
  const sentMs = new Float64Array(total);
  const unanswered = new Set<number>();
  let failed = 0;
  let left = 0;
  let slowestMs = 0;
  const onMessage = (answer: Uint8Array) => {
    const id = answer[0] << 8 | answer[1];
    if (!unanswered.delete(id)) return;
    slowestMs = Math.max(slowestMs, performance.now() - sentMs[id]);
    if ((answer[3] & 0x0f) !== 0 || (answer[6] << 8 | answer[7]) === 0) failed++;
  };
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, async () => {
    const socket = createSocket(to.address.includes(":") ? "udp6" : "udp4");
    socket.on("message", onMessage);
    await new Promise<void>((resolve) => socket.bind(0, () => resolve()));
    return socket;
  }));
  const startedMs = performance.now();
  const question = { name, type: 1, class: 1 };
  for (let id = 0; id < total;) {
    const due = Math.min(total, Math.ceil((performance.now() - startedMs) / 1000 * perSecond));
    for (; id < due; id++) {
      unanswered.add(id);
      sentMs[id] = performance.now();
      sockets[id % SOCKETS].send(
        encodeUpstreamQuery({
          id,
          question,
          checkingDisabled: false,
          dnssecOk: false,
          udpPayloadSize: 0,
        }),
        to.port,
        to.address,
        // On a busy machine thousands wait here for seconds, which is not the server's loss.
        () => left++,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, GROUP_MS));
  }
  while (left < total) await new Promise((resolve) => setTimeout(resolve, GROUP_MS));
  const endMs = performance.now() + ANSWER_MS;
  while (unanswered.size > 0 && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, GROUP_MS));
  }
  for (const socket of sockets) socket.close();
  return { sent: total, lost: unanswered.size, failed, slowestMs: Math.round(slowestMs) };
}

if (import.meta.main) {
  const [server, name, perSecond, seconds] = Deno.args;
  const load = await queryLoad({
    server,
    name,
    perSecond: Number(perSecond),
    seconds: Number(seconds),
  });
  console.log(JSON.stringify(load));
}
