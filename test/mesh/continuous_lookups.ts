/**
 * Lookups that go on while something happens to the mesh.
 *
 * @module
 */
import type { AgentProcess } from "../support/agent_process.ts";

/** What became of them. */
export interface LookupRecord {
  /** How long each took that was answered, in milliseconds. */
  tookMs: number[];
  /** Those without addresses, and why. */
  failed: string[];
}

/**
 * Asks for names in turn until told to end, one after the other.
 *
 * @param pauseMs between an answer and the next question
 */
export function lookUpAllTheTime(
  agent: AgentProcess,
  names: readonly string[],
  pauseMs = 20,
): { end(): Promise<LookupRecord> } {
  const record: LookupRecord = { tookMs: [], failed: [] };
  let ending = false;
  const ended = (async () => {
    for (let i = 0; !ending; i++) {
      const name = names[i % names.length];
      try {
        const { rcode, data, tookMs } = await agent.ask(name);
        record.tookMs.push(tookMs);
        if (rcode !== "NOERROR" || data.length === 0) record.failed.push(`${name}: ${rcode}`);
      } catch (error) {
        record.failed.push(`${name}: ${error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  })();
  return {
    async end() {
      ending = true;
      await ended;
      return record;
    },
  };
}

/** The value that this part of all values, 0 to 1, does not exceed. */
export function percentileOf(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}
