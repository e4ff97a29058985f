/**
 * This process and the machine's identity, as a port: environment, host name, signals.
 *
 * @module
 */
import { hostname } from "node:os";

/** Signals that the agent reacts to. */
export type ProcessSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** This process. */
export interface Process {
  /** The environment variables. */
  environment(): Record<string, string>;
  /** The machine's host name, not qualified. */
  hostname(): string;
  /** Calls `handler` at every `signal`; the returned function ends that. */
  onSignal(signal: ProcessSignal, handler: () => void): () => void;
  /** Resident set size in octets. */
  residentBytes(): number;
}

/** The process that runs this. */
export const systemProcess: Process = {
  environment: () => Deno.env.toObject(),
  hostname: () => hostname(),
  onSignal(signal, handler) {
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  },
  residentBytes: () => Deno.memoryUsage().rss,
};

/** Versions of the runtime. */
export function runtimeVersions(): {
  deno: string;
  v8: string;
  typescript: string;
  target: string;
} {
  return { ...Deno.version, target: Deno.build.target };
}
