/**
 * The moods of a simulated upstream server.
 *
 * @module
 */
import type { SeededRandom } from "../support/seeded_random.ts";
import type { TcpFate } from "../support/simulated_network.ts";

/** How a server behaves for a while. */
export type Mood =
  | { kind: "good" | "dead" | "slow" | "duplicated" | "garbled" | "without EDNS" }
  | { kind: "truncates" | "refuses TCP" | "closes TCP" }
  | { kind: "lossy"; probability: number }
  | { kind: "refuses"; rcode: number }
  | { kind: "forged"; count: number };

/** A mood by chance; the half are good. */
export function drawMood(random: SeededRandom): Mood {
  if (random.chance(0.5)) return { kind: "good" };
  return random.pick<() => Mood>([
    () => ({ kind: "dead" }),
    () => ({ kind: "slow" }),
    () => ({ kind: "duplicated" }),
    () => ({ kind: "garbled" }),
    () => ({ kind: "without EDNS" }),
    () => ({ kind: "truncates" }),
    () => ({ kind: "refuses TCP" }),
    () => ({ kind: "closes TCP" }),
    () => ({ kind: "lossy", probability: random.pick([0.2, 0.5, 0.8]) }),
    () => ({ kind: "refuses", rcode: random.pick([2, 5]) }),
    () => ({ kind: "forged", count: random.between(1, 6) }),
  ])();
}

/**
 * Whether a server of this mood answers every question, quickly, whoever else answers too. One from
 * before EDNS counts by UDP alone: where it truncates as well, TCP meets its refusal.
 */
export function isClean({ kind }: Mood, transport: "UDP" | "TCP"): boolean {
  return kind === "good" || kind === "duplicated" || kind === "truncates" || kind === "forged" ||
    kind === "without EDNS" && transport === "UDP";
}

/** What becomes of connections to a server of this mood. */
export function tcpFateOf({ kind }: Mood): TcpFate {
  return kind === "dead" ? "no answer" : kind === "refuses TCP" ? "refused" : "open";
}
