/**
 * One question to one upstream server: UDP on a fresh random port with a random id, TCP where the
 * answer is truncated or somebody seems to guess. Owns what makes a reply the reply.
 *
 * node:dgram's `connect` does not filter on this runtime, so address and port are compared here.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { Rcode } from "../dns/codes.ts";
import { canonicalAddress } from "../dns/ip_address.ts";
import type { Question } from "../dns/query.ts";
import { decodeUpstreamAnswer } from "../dns/upstream_message.ts";
import { encodeUpstreamQuery } from "../dns/upstream_query.ts";
import { messageOf } from "../system/agent_error.ts";
import type { Clock } from "../system/clock.ts";
import type { MessageStream, Network, UdpSocket } from "../system/network.ts";
import type { Random } from "../system/random.ts";
import type { SocketAddress } from "../system/socket_address.ts";

/** What is asked of an upstream server. */
export interface UpstreamRequest {
  /** The question. */
  question: Question;
  /** DO. */
  dnssecOk: boolean;
  /** CD. */
  checkingDisabled: boolean;
}

/** What came of asking one server. */
export type ExchangeOutcome =
  /** Its answer, whatever the rcode. */
  | { kind: "answer"; answer: Answer; roundTripMs: number }
  /** None: time ran out, the network refused, or the answer was unreadable. */
  | { kind: "failure"; reason: string; timedOut: boolean };

/** What an exchange needs. */
export interface ExchangeOptions {
  /** Opens sockets. */
  network: Network;
  /** Times out. */
  clock: Clock;
  /** Makes ids. */
  random: Random;
  /** How long to wait in all, in milliseconds. */
  timeoutMs: number;
}

/** Largest UDP answer asked for, in octets: fits every path without fragments (DNS flag day 2020). */
export const UPSTREAM_UDP_OCTETS = 1232;
/** Replies that do not match before the question moves to TCP, where nobody can guess. */
export const MISMATCHES_MAX = 3;

/** Asks `server`; never rejects. */
export async function exchange(
  server: SocketAddress,
  request: UpstreamRequest,
  options: ExchangeOptions,
): Promise<ExchangeOutcome> {
  const startedMs = options.clock.monotonicMs();
  const remainingMs = () => options.timeoutMs - (options.clock.monotonicMs() - startedMs);
  let tried = await exchangeUdp(server, request, {
    ...options,
    udpPayloadSize: UPSTREAM_UDP_OCTETS,
  });
  // A server from before EDNS says FORMERR or NOTIMP to OPT (RFC 6891 section 7).
  if (tried.kind === "answer" && refusesEdns(tried.answer)) {
    const timeoutMs = remainingMs();
    tried = await exchangeUdp(server, request, { ...options, timeoutMs, udpPayloadSize: 0 });
  }
  if (tried.kind === "try TCP") {
    tried = await exchangeTcp(server, request, { ...options, timeoutMs: remainingMs() });
  }
  if (tried.kind === "failure") return tried;
  return {
    kind: "answer",
    answer: tried.answer,
    roundTripMs: options.clock.monotonicMs() - startedMs,
  };
}

type Tried = { kind: "answer"; answer: Answer } | {
  kind: "failure";
  reason: string;
  timedOut: boolean;
};

function exchangeUdp(
  server: SocketAddress,
  request: UpstreamRequest,
  options: ExchangeOptions & { udpPayloadSize: number },
): Promise<Tried | { kind: "try TCP" }> {
  const { network, clock, random, timeoutMs, udpPayloadSize } = options;
  const id = random.uint16();
  const expectedAddress = canonicalAddress(server.address);
  return new Promise((resolve) => {
    let socket: UdpSocket | undefined;
    let settled = false;
    let mismatches = 0;
    const finish = (outcome: Tried | { kind: "try TCP" }) => {
      if (settled) return;
      settled = true;
      cancel();
      socket?.close();
      resolve(outcome);
    };
    const cancel = clock.schedule(timeoutMs, () => {
      finish({
        kind: "failure",
        reason: `no answer in ${Math.round(timeoutMs)} ms`,
        timedOut: true,
      });
    });
    const mismatch = () => {
      if (++mismatches >= MISMATCHES_MAX) finish({ kind: "try TCP" });
    };
    network.bindUdp(anyAddress(server), {
      onMessage(message, from) {
        if (from.port !== server.port || canonicalAddress(from.address) !== expectedAddress) {
          mismatch();
          return;
        }
        const decoded = decodeUpstreamAnswer(message, { id, question: request.question });
        if (decoded.kind === "mismatch") mismatch();
        else if (decoded.kind === "malformed") {
          finish({
            kind: "failure",
            reason: `unreadable answer: ${decoded.reason}`,
            timedOut: false,
          });
        } else if (decoded.truncated) finish({ kind: "try TCP" });
        else finish(decoded);
      },
      onError: (error) => finish({ kind: "failure", reason: error.message, timedOut: false }),
    }).then((opened) => {
      socket = opened;
      if (settled) socket.close();
      else socket.send(encodeUpstreamQuery({ ...request, id, udpPayloadSize }), server);
    }, (error) => finish({ kind: "failure", reason: messageOf(error), timedOut: false }));
  });
}

async function exchangeTcp(
  server: SocketAddress,
  request: UpstreamRequest,
  { network, clock, random, timeoutMs }: ExchangeOptions,
): Promise<Tried> {
  const id = random.uint16();
  const limit = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Tried>();
  const cancel = clock.schedule(timeoutMs, () => {
    resolve({ kind: "failure", reason: "no answer in time by TCP", timedOut: true });
    limit.abort(new Error("time is up"));
  });
  let stream: MessageStream | undefined;
  try {
    const connecting = network.connectTcp(server, {
      onMessage(message) {
        const decoded = decodeUpstreamAnswer(message, { id, question: request.question });
        resolve(
          decoded.kind === "answer" && !decoded.truncated ? decoded : {
            kind: "failure",
            reason: decoded.kind === "answer" ? "truncated on TCP" : `by TCP ${decoded.reason}`,
            timedOut: false,
          },
        );
      },
      onClose: (error) =>
        resolve({
          kind: "failure",
          reason: error?.message ?? "the server closed the TCP connection",
          timedOut: false,
        }),
    }, limit.signal);
    connecting.then((opened) => {
      stream = opened;
      stream.send(encodeUpstreamQuery({ ...request, id, udpPayloadSize: UPSTREAM_UDP_OCTETS }));
    }, (error) => resolve({ kind: "failure", reason: messageOf(error), timedOut: false }));
    return await promise;
  } finally {
    cancel();
    limit.abort(new Error("done"));
    stream?.destroy();
  }
}

function refusesEdns({ rcode, answers }: Answer): boolean {
  const BADVERS = Rcode.BADVERS;
  return (rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP || rcode === BADVERS) &&
    answers.length === 0;
}

function anyAddress(server: SocketAddress): SocketAddress {
  return { address: server.address.includes(":") ? "::" : "0.0.0.0", port: 0 };
}
