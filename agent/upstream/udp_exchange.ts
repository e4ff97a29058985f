/**
 * One query by UDP: a fresh socket on a random port, a random id, and what makes a reply the reply.
 * What is not, is ignored, and the wait goes on; where somebody seems to guess, the question moves to
 * TCP, where nobody can.
 *
 * No socket is connected, and node:dgram's `connect` does not filter on this runtime: address and port are
 * compared here, so that what others send is seen and counted.
 *
 * @module
 */
import { addressWithoutZone } from "../dns/ip_address.ts";
import { encodeName } from "../dns/name.ts";
import { decodeUpstreamAnswer, type UpstreamAnswer } from "../dns/upstream_message.ts";
import { encodeUpstreamQuery, mixLetterCase } from "../dns/upstream_query.ts";
import { messageOf } from "../system/agent_error.ts";
import type { UdpSocket } from "../system/network.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import {
  type ExchangeFailure,
  type ExchangePorts,
  type TcpReason,
  UPSTREAM_UDP_OCTETS,
  type UpstreamRequest,
} from "./exchange.ts";
import type { QueryForm, ServerTraits } from "./server_traits.ts";

/** Replies that do not match before the question moves to TCP. */
export const MISMATCHES_MAX = 3;

/** What came of a query by UDP. */
export type UdpOutcome =
  | { kind: "answer"; message: UpstreamAnswer; roundTripMs: number }
  | { kind: "try TCP"; reason: TcpReason }
  | ExchangeFailure;

/** What a query by UDP needs. */
export interface UdpExchangeOptions extends ExchangePorts {
  /** What the query looks like. */
  form: QueryForm;
  /** What the server speaks; told what the reply shows. */
  traits: ServerTraits;
  /** Ends the wait. */
  signal: AbortSignal;
  /** A reply was ignored. */
  onMismatch(): void;
}

/** Asks `server` by UDP until it answers or the wait is ended; never rejects. */
export function exchangeUdp(
  server: SocketAddress,
  request: UpstreamRequest,
  options: UdpExchangeOptions,
): Promise<UdpOutcome> {
  const { network, clock, random, form, traits, signal } = options;
  const id = random.uint16();
  const { question } = request;
  const nameWire = form.mixCase
    ? mixLetterCase(encodeName(question.name), () => random.uint16())
    : undefined;
  const expected = { id, question, ...(nameWire && { nameWire }) };
  return new Promise((resolve) => {
    let socket: UdpSocket | undefined;
    let settled = false;
    let mismatches = 0;
    let sentMs = 0;
    const finish = (outcome: UdpOutcome) => {
      if (settled) return;
      settled = true;
      signal.removeEventListener("abort", abort);
      socket?.close();
      resolve(outcome);
    };
    const fail = (reason: string) => finish({ kind: "failure", reason });
    const abort = () => fail("the wait was ended");
    const mismatch = () => {
      options.onMismatch();
      if (++mismatches >= MISMATCHES_MAX) finish({ kind: "try TCP", reason: "mismatches" });
    };
    const suspect = (reason: TcpReason) => {
      options.onMismatch();
      finish({ kind: "try TCP", reason });
    };
    const onMessage = (octets: Uint8Array, from: SocketAddress) => {
      if (from.port !== server.port || !isSameHost(from, server)) return mismatch();
      const message = decodeUpstreamAnswer(octets, expected);
      if (message.kind === "mismatch") return mismatch();
      if (message.kind === "malformed") return fail(`unreadable answer: ${message.reason}`);
      // These two may be a guess that was right so far, or a server that forgot: TCP answers both.
      if (!message.caseKept) {
        traits.onCaseChanged(clock.monotonicMs());
        return suspect("letter case");
      }
      if (!traits.acceptsCookie(form.cookie, message.cookie)) return suspect("cookie");
      if (message.truncated) return finish({ kind: "try TCP", reason: "truncated" });
      finish({ kind: "answer", message, roundTripMs: clock.monotonicMs() - sentMs });
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const onError = (error: Error) => fail(error.message);
    network.bindUdp(anyAddress(server), { onMessage, onError }).then((opened) => {
      socket = opened;
      if (settled) return socket.close();
      sentMs = clock.monotonicMs();
      const udpPayloadSize = form.edns === "none" ? 0 : UPSTREAM_UDP_OCTETS;
      const { cookie } = form;
      socket.send(
        encodeUpstreamQuery({
          ...request,
          id,
          udpPayloadSize,
          ...(nameWire && { nameWire }),
          ...(cookie && { cookie }),
        }),
        server,
      );
    }, (error) => fail(messageOf(error)));
  });
}

/** Compares addresses, and not what they are written like; a text that is no address is no host's. */
function isSameHost(one: SocketAddress, other: SocketAddress): boolean {
  if (one.address === other.address) return true;
  const address = addressWithoutZone(one.address);
  return address !== undefined && address === addressWithoutZone(other.address);
}

function anyAddress(server: SocketAddress): SocketAddress {
  return { address: server.address.includes(":") ? "::" : "0.0.0.0", port: 0 };
}
