/**
 * The node's key, certificate and vouched roots on disk: one file, so that no crash can part a key from
 * its certificate. And the key that the node joins with until it has a certificate: an answer that was
 * lost is asked for again with the same key, since a token may be good for one.
 *
 * Both say which machine made them: a copy of its disk is another machine, and needs keys of its own.
 *
 * @module
 */
import { createHash } from "node:crypto";
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

const CREDENTIALS = "credentials.json";
const JOIN_KEY = "join-key.json";
/** The machine's own name for itself (machine-id(5)), which every way to clone one renews. */
const MACHINE_ID = "/etc/machine-id";
/** There where the id is one of this boot alone, since /etc cannot be written: it tells nothing. */
const TRANSIENT_MACHINE_ID = "/run/machine-id";

/** See `state_format.ts`. */
const FORMAT = 1;
const formatSchema = z.object({ version: z.int() });
/** The id's hash, since nobody else shall learn the id; empty where the machine has none. */
const machine = z.string().default("");
const credentialsSchema = z.object({
  machine,
  key: z.string(),
  chain: z.array(z.string()).min(1),
  roots: z.array(z.string()),
});
const joinKeySchema = z.object({ version: z.literal(FORMAT), machine, key: z.string() });

/** The files of a state folder. */
export class CredentialStore {
  readonly #files: Files;
  readonly #stateDir: string;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `stateDir`: made at the first write where there is none
   */
  constructor(options: { stateDir: string; files: Files }) {
    this.#stateDir = options.stateDir;
    this.#files = options.files;
  }

  /** Removes what another machine made. @returns whether there was any @throws the disk's error */
  async dropForeign(): Promise<boolean> {
    const own = await this.#machine();
    let dropped = false;
    for (const name of [CREDENTIALS, JOIN_KEY]) {
      // What cannot be read is told of when it is loaded.
      const { machine } = z.object({ machine: z.string() }).safeParse(
        await this.#files.readText(this.#path(name)).then(JSON.parse).catch(() => undefined),
      ).data ?? { machine: "" };
      if (own === "" || machine === "" || machine === own) continue;
      await this.#files.remove(this.#path(name));
      dropped = true;
    }
    return dropped;
  }

  /** Reads them; undefined where there are none, a sentence where the file is not usable. */
  async load(): Promise<StoredCredentials | string | undefined> {
    const path = this.#path(CREDENTIALS);
    try {
      if (await this.#files.stat(path) === undefined) return undefined;
      const content: unknown = JSON.parse(await this.#files.readText(path));
      refuseNewerFormat(formatSchema.parse(content).version, FORMAT);
      const { key, chain, roots } = credentialsSchema.parse(content);
      return { key, chain, roots };
    } catch (error) {
      // A schema's message quotes no value; the key stays out of every log.
      return `"${path}" is not usable: ${messageOf(error).split("\n")[0].slice(0, 200)}`;
    }
  }

  /** Replaces them; the node has joined. @throws the disk's error */
  async save(credentials: StoredCredentials): Promise<void> {
    await this.#write(CREDENTIALS, credentials);
    await this.#files.remove(this.#path(JOIN_KEY));
  }

  /** The key to join with, PKCS#8, PEM; undefined where there is none that is usable. */
  async loadJoinKey(): Promise<string | undefined> {
    try {
      const text = await this.#files.readText(this.#path(JOIN_KEY));
      return joinKeySchema.parse(JSON.parse(text)).key;
    } catch {
      return undefined;
    }
  }

  /** Keeps the key to join with. @throws the disk's error */
  async saveJoinKey(key: string): Promise<void> {
    await this.#write(JOIN_KEY, { key });
  }

  async #write(name: string, content: object): Promise<void> {
    await this.#files.makeDirectory(this.#stateDir, { mode: 0o700 });
    const whole = { version: FORMAT, machine: await this.#machine(), ...content };
    const text = `${JSON.stringify(whole, null, 1)}\n`;
    await this.#files.writeAtomic(this.#path(name), text, { mode: 0o600 });
  }

  async #machine(): Promise<string> {
    const isTransient = await this.#files.stat(TRANSIENT_MACHINE_ID).catch(() => undefined);
    if (isTransient !== undefined) return "";
    const id = await this.#files.readText(MACHINE_ID).catch(() => "");
    if (!/^[0-9a-f]{32}\s*$/.test(id)) return "";
    return createHash("sha256").update(`outrigger ${id.trim()}`).digest("hex");
  }

  #path(name: string): string {
    return join(this.#stateDir, name);
  }
}
