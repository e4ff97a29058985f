/**
 * Asking one server one question, and waiting for things no longer than may be.
 *
 * @module
 */
import { formatRcode, RecordClass, RecordType } from "../agent/dns/codes.ts";
import { formatAddress } from "../agent/dns/ip_address.ts";
import { silentLog } from "../agent/system/log.ts";
import type { Clock } from "../agent/system/clock.ts";
import type { Nameserver } from "../agent/system/nameserver.ts";
import type { ExchangePorts } from "../agent/upstream/exchange.ts";
import { UpstreamServer } from "../agent/upstream/upstream_server.ts";
import type { Tried } from "./facts.ts";

/** How long a server may take, in milliseconds: twice what the agent gives it. */
export const ASK_MS = 2_000;

/** What is asked. */
export interface DoctorQuestion {
  /** Canonical. */
  name: string;
  /** A type's number. */
  type: number;
}

/** What a server said: its addresses, and its rcode. Never rejects. */
export async function ask(
  server: Nameserver,
  { name, type }: DoctorQuestion,
  ports: ExchangePorts,
): Promise<{ rcode: string; addresses: string[]; tookMs: number } | { reason: string }> {
  const { clock } = ports;
  const limit = new AbortController();
  const cancel = clock.schedule(ASK_MS, () => limit.abort());
  const startedMs = clock.monotonicMs();
  const upstream = new UpstreamServer(server, { ...ports, log: silentLog });
  const outcome = await upstream.ask({
    question: { name, type, class: RecordClass.IN },
    dnssecOk: false,
    checkingDisabled: false,
  }, limit.signal);
  cancel();
  upstream.close();
  if (outcome.kind === "failure") {
    return { reason: limit.signal.aborted ? `no answer in ${ASK_MS} ms` : outcome.reason };
  }
  const { rcode, answers } = outcome.answer;
  return {
    rcode: formatRcode(rcode),
    addresses: answers
      .filter((record) => record.type === RecordType.A || record.type === RecordType.AAAA)
      .map(({ rdata }) => formatAddress(rdata)),
    tookMs: clock.monotonicMs() - startedMs,
  };
}

/** The addresses that a server knows of a name. */
export async function askAddresses(
  server: Nameserver,
  question: DoctorQuestion,
  ports: ExchangePorts,
): Promise<Tried> {
  const said = await ask(server, question, ports);
  if ("reason" in said) return { ok: false, ...said };
  const { rcode, addresses, tookMs } = said;
  return addresses.length > 0
    ? { ok: true, answer: addresses, tookMs }
    : { ok: false, reason: `${rcode} without an address` };
}

/** What `work` comes to, or `otherwise` where that takes too long or fails. */
export function within<T, U>(
  clock: Clock,
  { limitMs, otherwise }: { limitMs: number; otherwise: U },
  work: Promise<T>,
): Promise<T | U> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(limitMs, () => resolve(otherwise));
    work.then((value) => (cancel(), resolve(value)), () => (cancel(), resolve(otherwise)));
  });
}
