/**
 * What the clients of the benchmark print, and what makes a run with one void.
 *
 * @module
 */

/** What `saturate` and `latency_probe` print. */
export interface ClientOutput {
  /** Queries sent. */
  sent: number;
  /** Answers that came. */
  answered: number;
  /** Answers with another RCODE than NOERROR. */
  failed: number;
  /** Records in the answer sections of all answers. */
  records: number;
  /** Octets of all answers. */
  octets: number;
  /** How long it took; of `saturate`. */
  seconds?: number;
  /** Latencies in microseconds; of `latency_probe`. */
  p50Us?: number;
  p99Us?: number;
  p999Us?: number;
  maxUs?: number;
  /** How late the probe itself sent. */
  sentLateP99Us?: number;
}

/** What dnsperf says at its end. */
export interface DnsperfOutput {
  /** Queries sent. */
  sent: number;
  /** Queries answered. */
  answered: number;
  /** Answers that were no NOERROR. */
  failed: number;
  /** Answered queries a second. */
  queriesPerSecond: number;
}

/** Reads dnsperf's summary. @throws where it is none */
export function parseDnsperf(text: string): DnsperfOutput {
  const number = (title: string): number => {
    const found = new RegExp(`^\\s*${title}:\\s+([\\d.]+)`, "m").exec(text);
    if (found === null) throw new Error(`dnsperf does not say "${title}":\n${text.slice(-500)}`);
    return Number(found[1]);
  };
  const answered = number("Queries completed");
  const codes = /^\s*Response codes:\s+(.*)$/m.exec(text)?.[1] ?? "";
  const good = Number(/NOERROR (\d+)/.exec(codes)?.[1] ?? 0);
  return {
    sent: number("Queries sent"),
    answered,
    failed: answered - good,
    queriesPerSecond: number("Queries per second"),
  };
}

/** What a run should look like. */
export interface Expectation {
  /** Records in each answer. */
  records: number;
  /** Octets of an answer on average; undefined where servers may differ in how they write names. */
  octets?: number;
  /** Names that may be asked for once, where none may be asked for twice. */
  uniqueNames?: number;
}

/** The most that the client's core may be busy, of 1. */
export const CLIENT_LIMIT = 0.95;

/** The most of the server's core that may go to others, of 1: they take its caches too. */
export const OTHERS_LIMIT = 0.05;

/** Why a run with a client does not count; empty where it does. */
export function whyVoid(
  output: ClientOutput,
  { clientBusy, serverCoreOthers, expected }: {
    clientBusy: number;
    serverCoreOthers: number;
    expected: Expectation;
  },
): string[] {
  const reasons: string[] = [];
  if (clientBusy > CLIENT_LIMIT) {
    reasons.push(`the client's core was busy for ${(clientBusy * 100).toFixed(0)} %`);
  }
  if (serverCoreOthers > OTHERS_LIMIT) {
    reasons.push(`others took ${(serverCoreOthers * 100).toFixed(0)} % of the server's core`);
  }
  if (output.answered === 0) return [...reasons, "nothing was answered"];
  if (output.failed > 0) reasons.push(`${output.failed} answers were no NOERROR`);
  const records = output.records / output.answered;
  if (records !== expected.records) {
    reasons.push(`${records.toFixed(3)} records an answer, not ${expected.records}`);
  }
  const octets = output.octets / output.answered;
  // Names differ in length by a digit, and not all are asked for equally often.
  if (expected.octets !== undefined && Math.abs(octets - expected.octets) > 1) {
    reasons.push(`${octets.toFixed(1)} octets an answer, not ${expected.octets.toFixed(1)}`);
  }
  if (expected.uniqueNames !== undefined && output.sent > expected.uniqueNames) {
    reasons.push(`${output.sent} queries for ${expected.uniqueNames} names: some were cached`);
  }
  return reasons;
}
