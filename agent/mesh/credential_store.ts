/**
 * The node's key, certificate and vouched roots on disk: one file, so that no crash can part a key from
 * its certificate.
 *
 * @module
 */
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { refuseNewerFormat } from "./state_format.ts";

/** What a node proves itself with. */
export interface StoredCredentials {
  /** PKCS#8, PEM. */
  key: string;
  /** PEM certificates, the leaf first. */
  chain: string[];
  /** Roots beside those of the root file, each of which one of those vouched for. */
  roots: string[];
}

const FILE = "credentials.json";

/** See `state_format.ts`. */
const FORMAT = 1;
const formatSchema = z.object({ version: z.int() });
const schema = z.object({
  key: z.string(),
  chain: z.array(z.string()).min(1),
  roots: z.array(z.string()),
});

/** The file of a state folder. */
export class CredentialStore {
  readonly #path: string;
  readonly #files: Files;
  readonly #stateDir: string;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `stateDir`: made at the first write where there is none
   */
  constructor(options: { stateDir: string; files: Files }) {
    this.#path = join(options.stateDir, FILE);
    this.#stateDir = options.stateDir;
    this.#files = options.files;
  }

  /** Reads them; undefined where there are none, a sentence where the file is not usable. */
  async load(): Promise<StoredCredentials | string | undefined> {
    try {
      if (await this.#files.stat(this.#path) === undefined) return undefined;
      const content: unknown = JSON.parse(await this.#files.readText(this.#path));
      refuseNewerFormat(formatSchema.parse(content).version, FORMAT);
      const { key, chain, roots } = schema.parse(content);
      return { key, chain, roots };
    } catch (error) {
      // A schema's message quotes no value; the key stays out of every log.
      return `"${this.#path}" is not usable: ${messageOf(error).split("\n")[0].slice(0, 200)}`;
    }
  }

  /** Replaces them. @throws the disk's error */
  async save(credentials: StoredCredentials): Promise<void> {
    await this.#files.makeDirectory(this.#stateDir, { mode: 0o700 });
    const text = `${JSON.stringify({ version: FORMAT, ...credentials }, null, 1)}\n`;
    await this.#files.writeAtomic(this.#path, text, { mode: 0o600 });
  }
}
