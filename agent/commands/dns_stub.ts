/**
 * A stub resolver for `outrigger demo`: sends real queries through a real socket and reads the answers
 * with dns-packet, so that what is shown is what any client sees.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { Clock } from "../system/clock.ts";
import type { Network } from "../system/network.ts";
import type { Random } from "../system/random.ts";
import type { SocketAddress } from "../system/socket_address.ts";

/** What came back for one query. */
export interface StubAnswer {
  /** E.g. `NOERROR`. */
  rcode: string;
  /** `name TYPE data`, one for each record of the answer section. */
  records: string[];
  /** The addresses or targets alone, of the records that have the type asked. */
  data: string[];
  /** Milliseconds from the query to its answer. */
  tookMs: number;
}

/** What a stub needs. */
export interface StubOptions {
  /** Opens its socket. */
  network: Network;
  /** Times out. */
  clock: Clock;
  /** Makes ids. */
  random: Random;
}

/** How long one query waits, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * Asks `server` one question over UDP.
 *
 * @throws when no answer comes in five seconds
 */
export async function askServer(
  server: SocketAddress,
  question: { name: string; type: string },
  { network, clock, random }: StubOptions,
): Promise<StubAnswer> {
  const id = random.uint16();
  const message = dnsPacket.encode({
    type: "query",
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name: question.name, type: question.type as dnsPacket.RecordType, class: "IN" }],
  });
  const startedMs = clock.monotonicMs();
  let cancel = () => {};
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const local = { address: server.address.includes(":") ? "::1" : "127.0.0.1", port: 0 };
  const socket = await network.bindUdp(local, {
    onMessage: (answer, from) => {
      if (from.port === server.port && (answer[0] << 8 | answer[1]) === id) resolve(answer);
    },
    onError: reject,
  });
  try {
    socket.send(message, server);
    cancel = clock.schedule(TIMEOUT_MS, () => {
      reject(new Error(`No answer for ${question.name} ${question.type} in ${TIMEOUT_MS} ms`));
    });
    const packet = dnsPacket.decode(Buffer.from(await promise)) as dnsPacket.DecodedPacket & {
      rcode: string;
    };
    const records = (packet.answers ?? []) as { name: string; type: string; data?: unknown }[];
    return {
      rcode: packet.rcode,
      records: records.map(({ name, type, data }) => `${name} ${type} ${data}`),
      data: records.filter(({ type }) => type === question.type).map(({ data }) => String(data)),
      tookMs: clock.monotonicMs() - startedMs,
    };
  } finally {
    cancel();
    socket.close();
  }
}

/**
 * Resolves a name as a stub with `options ndots:5` and a search list does (resolv.conf(5)): A and AAAA
 * of each candidate, until one of them has an address.
 *
 * @returns how many queries were sent, and the addresses
 */
export async function resolveLikeStub(
  server: SocketAddress,
  { name, searchDomains }: { name: string; searchDomains: string[] },
  options: StubOptions,
): Promise<{ queries: number; addresses: string[] }> {
  const searched = searchDomains.map((domain) => `${name}.${domain}`);
  const candidates = name.split(".").length > 5 ? [name, ...searched] : [...searched, name];
  let queries = 0;
  for (const candidate of candidates) {
    const answers = await Promise.all(
      ["A", "AAAA"].map((type) => askServer(server, { name: candidate, type }, options)),
    );
    queries += answers.length;
    const addresses = answers.flatMap(({ data }) => data);
    if (addresses.length > 0) return { queries, addresses };
  }
  return { queries, addresses: [] };
}
