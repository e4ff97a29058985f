/**
 * Tokens that nodes join with. A token is 256 random bits, bound to a namespace and a service account;
 * the disk holds only its SHA-256, so that a copy of the state joins nobody.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Clock } from "../agent/system/clock.ts";
import type { Files } from "../agent/system/files.ts";
import type { Random } from "../agent/system/random.ts";
import { StateFileError } from "./errors.ts";

/** What a token lets its bearer become. */
export interface Workload {
  /** Namespace. */
  namespace: string;
  /** Service account. */
  serviceAccount: string;
}

/** What became of a token that was shown. */
export type TokenVerdict =
  /** It is good. */
  | { kind: "valid"; workload: Workload }
  /** It was good until `expiresAt`. */
  | { kind: "expired"; expiresAt: string }
  /** Nobody made it. */
  | { kind: "unknown" };

const FILE = "join-tokens.json";

const stateSchema = z.strictObject({
  version: z.literal(1),
  tokens: z.array(z.strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    namespace: z.string(),
    serviceAccount: z.string(),
    expiresAt: z.iso.datetime(),
  })),
});
type Entry = z.output<typeof stateSchema>["tokens"][number];

/** The tokens of one state folder. The file is read at each use: another process may add to it. */
export class JoinTokens {
  readonly #path: string;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #random: Random;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `stateDir`: the control plane's state folder, which must exist
   */
  constructor(options: { stateDir: string; files: Files; clock: Clock; random: Random }) {
    this.#path = join(options.stateDir, FILE);
    this.#files = options.files;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /**
   * Makes a token; its text is nowhere else.
   *
   * @throws {StateFileError} when the file of tokens is not usable
   */
  async create(workload: Workload, options: { ttlSeconds: number }): Promise<string> {
    const token = `ort_${base64url(this.#random.bytes(32))}`;
    const nowMs = this.#clock.wallMs();
    // Those that ended a day ago and more are of no use, not even for a clear message.
    const kept = (await this.#read()).filter(({ expiresAt }) =>
      Date.parse(expiresAt) > nowMs - 86_400_000
    );
    const expiresAt = new Date(nowMs + options.ttlSeconds * 1000).toISOString();
    const tokens = [...kept, { sha256: digest(token), ...workload, expiresAt }];
    await this.#files.writeAtomic(
      this.#path,
      `${JSON.stringify({ version: 1, tokens }, null, 1)}\n`,
      { mode: 0o600 },
    );
    return token;
  }

  /**
   * Looks a token up.
   *
   * @throws {StateFileError} when the file of tokens is not usable
   */
  async verify(token: string): Promise<TokenVerdict> {
    const shown = new TextEncoder().encode(digest(token));
    const entry = (await this.#read()).find(({ sha256 }) =>
      timingSafeEqual(new TextEncoder().encode(sha256), shown)
    );
    if (entry === undefined) return { kind: "unknown" };
    const { namespace, serviceAccount, expiresAt } = entry;
    if (Date.parse(expiresAt) <= this.#clock.wallMs()) return { kind: "expired", expiresAt };
    return { kind: "valid", workload: { namespace, serviceAccount } };
  }

  async #read(): Promise<Entry[]> {
    if (await this.#files.stat(this.#path) === undefined) return [];
    try {
      return stateSchema.parse(JSON.parse(await this.#files.readText(this.#path))).tokens;
    } catch (cause) {
      throw new StateFileError(this.#path, {
        reason: `not a list of join tokens: ${messageOf(cause).split("\n")[0]}`,
        remedy: "Restore it from a backup, or move it away and make new tokens.",
        cause,
      });
    }
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
