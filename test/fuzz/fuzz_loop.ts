/**
 * Feeds a target with mutated octets and counts what becomes of them. A packet depends on the seed and on
 * its number alone, so that one can be made again without those before it.
 *
 * @module
 */
import { numbersOf } from "../support/generated_table.ts";
import type { Numbers } from "./mutator.ts";

/** What is fuzzed. */
export interface FuzzTarget {
  /** What it is. */
  name: string;
  /** Makes one packet. */
  make(numbers: Numbers): Uint8Array;
  /** How much of all packets it gets: slow ones get less. */
  weight: number;
  /** Takes one packet, and says what kind it was. @throws when the code under test is at fault */
  run(packet: Uint8Array, numbers: Numbers): string;
}

/** What came of it. */
export interface FuzzReport {
  /** Packets that were run. */
  packets: number;
  /** How many of each kind. */
  kinds: Map<string, number>;
  /** The number of each packet that met a fault, and the fault. */
  crashes: { packet: number; fault: string }[];
  /** The numbers of those that took longer than {@link HANG_MS}, again and again. */
  hangs: number[];
  /** The longest time of one packet, in microseconds; the least of three tries. */
  slowestMicros: number;
  /** The number of that packet. */
  slowestPacket: number;
}

/** A packet that takes longer hangs: a thousand times what the slowest valid one takes. */
export const HANG_MS = 100;
/** Faults that are kept; the others are counted as kinds. */
const CRASHES_KEPT = 20;

/** Runs packets `from` to `from + packets - 1`; `onPacket` is called before each. */
export function fuzz(
  target: FuzzTarget,
  { seed, packets, from = 0, onPacket = () => {} }: {
    seed: number;
    packets: number;
    from?: number;
    onPacket?: (packet: number) => void;
  },
): FuzzReport {
  const report: FuzzReport = {
    packets,
    kinds: new Map(),
    crashes: [],
    hangs: [],
    slowestMicros: 0,
    slowestPacket: from,
  };
  for (let number = from; number < from + packets; number++) {
    onPacket(number);
    const startedMs = performance.now();
    const kind = runPacket(target, { seed, number }, report);
    const tookMs = performance.now() - startedMs;
    report.kinds.set(kind, (report.kinds.get(kind) ?? 0) + 1);
    if (tookMs * 1000 <= report.slowestMicros) continue;
    // The collector or another process may have had the time: only what is slow each time is.
    const leastMs = Math.min(
      tookMs,
      timePacket(target, seed, number),
      timePacket(target, seed, number),
    );
    if (leastMs * 1000 > report.slowestMicros) {
      report.slowestMicros = Math.round(leastMs * 1000);
      report.slowestPacket = number;
    }
    if (leastMs > HANG_MS) report.hangs.push(number);
  }
  return report;
}

/** The octets of one packet. */
export function packetOf(target: FuzzTarget, seed: number, number: number): Uint8Array {
  return target.make(numbersOfPacket(seed, number));
}

function numbersOfPacket(seed: number, number: number): Numbers {
  return numbersOf(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number, 0xc2b2ae35));
}

function runPacket(
  target: FuzzTarget,
  { seed, number }: { seed: number; number: number },
  report?: FuzzReport,
): string {
  const numbers = numbersOfPacket(seed, number);
  try {
    return target.run(target.make(numbers), numbers);
  } catch (fault) {
    const text = fault instanceof Error ? fault.stack ?? fault.message : String(fault);
    if (report !== undefined && report.crashes.length < CRASHES_KEPT) {
      report.crashes.push({ packet: number, fault: text });
    }
    return "CRASH";
  }
}

function timePacket(target: FuzzTarget, seed: number, number: number): number {
  const startedMs = performance.now();
  runPacket(target, { seed, number });
  return performance.now() - startedMs;
}
