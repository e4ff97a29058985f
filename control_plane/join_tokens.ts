/**
 * Tokens that nodes join with. A token is 256 random bits, bound to a namespace and a service account, good
 * for a number of keys; the disk holds only its SHA-256, so that a copy of the state joins nobody.
 *
 * Each token is a file of its own: who makes one and who redeems another never write the same file, also
 * where they are two processes.
 *
 * @module
 */
import { createHash } from "node:crypto";
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
  /** As many keys as it was made for have their certificate. */
  | { kind: "spent"; uses: number }
  /** Nobody made it. */
  | { kind: "unknown" };

const FOLDER = "join-tokens";
/** Those that ended so long ago are of no use, not even for a clear message. */
const KEPT_AFTER_END_MS = 86_400_000;

const tokenSchema = z.strictObject({
  version: z.literal(1),
  namespace: z.string(),
  serviceAccount: z.string(),
  expiresAt: z.iso.datetime(),
  /** How many keys may join with it. */
  uses: z.number().int().min(1),
  /** SHA-256 of the public keys that did. */
  keys: z.array(z.string()),
});
type Entry = z.output<typeof tokenSchema>;

/** The tokens of one state folder. Files are read at each use: another process may add to them. */
export class JoinTokens {
  readonly #folder: string;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #random: Random;
  #redeeming: Promise<unknown> = Promise.resolve();

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `stateDir`: the control plane's state folder, which must exist
   */
  constructor(options: { stateDir: string; files: Files; clock: Clock; random: Random }) {
    this.#folder = join(options.stateDir, FOLDER);
    this.#files = options.files;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /**
   * Makes a token; its text is nowhere else.
   *
   * @param options `uses`: how many keys may join with it, 1 unless given
   * @throws the disk's error
   */
  async create(
    { namespace, serviceAccount }: Workload,
    { ttlSeconds, uses = 1 }: { ttlSeconds: number; uses?: number },
  ): Promise<string> {
    const token = `ort_${base64url(this.#random.bytes(32))}`;
    const expiresAt = new Date(this.#clock.wallMs() + ttlSeconds * 1000).toISOString();
    await this.#files.makeDirectory(this.#folder, { mode: 0o700 });
    await this.#forgetOld();
    await this.#write(token, {
      version: 1,
      namespace,
      serviceAccount,
      expiresAt,
      uses,
      keys: [],
    });
    return token;
  }

  /**
   * Uses a token up for a key. The same key may come again, since the answer to it may have been lost.
   *
   * @param publicKey SHA-256 of the key that is to be signed; undefined only looks the token up
   * @throws {StateFileError} when the token's file is not usable
   */
  redeem(token: string, publicKey: string | undefined): Promise<TokenVerdict> {
    // One at a time: two keys must not have the last use of one token.
    const verdict = this.#redeeming.then(() => this.#redeem(token, publicKey));
    this.#redeeming = verdict.catch(() => {});
    return verdict;
  }

  async #redeem(token: string, publicKey: string | undefined): Promise<TokenVerdict> {
    const entry = await this.#read(token);
    if (entry === undefined) return { kind: "unknown" };
    const { namespace, serviceAccount, expiresAt, uses, keys } = entry;
    if (Date.parse(expiresAt) <= this.#clock.wallMs()) return { kind: "expired", expiresAt };
    const workload = { namespace, serviceAccount };
    if (publicKey !== undefined && keys.includes(publicKey)) return { kind: "valid", workload };
    if (keys.length >= uses) return { kind: "spent", uses };
    // On disk before anybody has the certificate: a crash must not give the token another use.
    if (publicKey !== undefined) await this.#write(token, { ...entry, keys: [...keys, publicKey] });
    return { kind: "valid", workload };
  }

  async #write(token: string, entry: Entry): Promise<void> {
    const text = `${JSON.stringify(entry, null, 1)}\n`;
    await this.#files.writeAtomic(this.#pathOf(token), text, { mode: 0o600 });
  }

  async #read(token: string): Promise<Entry | undefined> {
    const path = this.#pathOf(token);
    if (await this.#files.stat(path) === undefined) return undefined;
    try {
      return tokenSchema.parse(JSON.parse(await this.#files.readText(path)));
    } catch (cause) {
      throw new StateFileError(path, {
        reason: `not a join token: ${messageOf(cause).split("\n")[0]}`,
        remedy: "Restore it from a backup, or remove it and make a new token.",
        cause,
      });
    }
  }

  /** Found by its hash: whoever can time the look-up learns of a hash, and of no token. */
  #pathOf(token: string): string {
    return join(this.#folder, `${createHash("sha256").update(token).digest("hex")}.json`);
  }

  async #forgetOld(): Promise<void> {
    const beforeMs = this.#clock.wallMs() - KEPT_AFTER_END_MS;
    for (const name of await this.#files.list(this.#folder)) {
      const path = join(this.#folder, name);
      // What cannot be read is not ours to remove.
      const entry = await this.#files.readText(path).then(JSON.parse).catch(() => undefined);
      if (Date.parse(entry?.expiresAt) < beforeMs) await this.#files.remove(path);
    }
  }
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
