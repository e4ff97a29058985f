/**
 * The client of the control plane: credentials, the stream of name tables, and the table on disk, run
 * together. Whatever fails here, the last good table stays in force.
 *
 * @module
 */
import type { Client } from "@grpc/grpc-js";
import { messageOf } from "../system/agent_error.ts";
import { type Clock, sleep } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/log.ts";
import type { Random } from "../system/random.ts";
import { backoffMs } from "./backoff.ts";
import {
  channelError,
  type ChannelOptions,
  type Keepalive,
  openChannel,
} from "./control_plane_channel.ts";
import { type CertificateStatus, CredentialManager } from "./credentials.ts";
import { MeshError, type MeshProblem } from "./errors.ts";
import { type ReceivedTable, runNameTableStream } from "./name_table_stream.ts";
import { discoveryNode, type MeshNode } from "./node_identity.ts";
import type { NameTablePush, PushVerdict, SavedTable } from "./saved_table.ts";

/** Where the control plane is, and what it is trusted by. */
export interface ControlPlaneSettings {
  /** `host:port`; tried in turn. */
  addresses: readonly string[];
  /** Name in its certificate. */
  serverName: string;
  /** The certificate service, where it is another one. */
  certificateService?: { address: string; serverName: string };
  /** PEM file of the roots. */
  rootCertPath: string;
  /** File of the token. */
  tokenPath: string;
  /** File in the format of hosts(5) with the control plane's names. */
  hostsPath?: string;
  /** Life asked for a certificate, in milliseconds. */
  certificateLifeMs: number;
}

/** What a {@link MeshClient} is made of. */
export interface MeshClientOptions {
  /** Dates and waits. */
  clock: Clock;
  /** Spreads renewals and reconnects. */
  random: Random;
  /** The disk. */
  files: Files;
  /** Where it reports. */
  log: Logger;
  /** Who this node is now; see {@link MeshClient.announce}. */
  node(): MeshNode;
  /** Where the control plane is and what it is trusted by. */
  controlPlane: ControlPlaneSettings;
  /** Folder of the credentials. */
  stateDir: string;
  /** Where tables are kept. */
  saved: SavedTable;
  /** Asks the upstream servers for the control plane's own name. */
  resolveHost(name: string): Promise<string[]>;
  /** Puts a table in force, or refuses it. */
  onTable(push: NameTablePush): Promise<PushVerdict>;
  /** The usual one unless given. */
  keepalive?: Keepalive;
}

type ChannelCredentials = Pick<ChannelOptions, "roots" | "clientPair">;

/** The connection as status shows it. */
export interface ConnectionStatus {
  /** What it does now. */
  state: "connecting" | "connected" | "waiting";
  /** Address in use or tried last. */
  address: string;
  /** RFC 3339. */
  since: string;
  /** The last failure; empty after a success. */
  lastError: string;
  /** The certificate. */
  certificate: CertificateStatus;
}

/** A stream that lasted so long, in milliseconds, was a good one: the next try comes soon. */
const STABLE_MS = 10_000;
/** How long the first table of a stream may take, in milliseconds. */
const FIRST_TABLE_MS = 30_000;

/** One node's client. */
export class MeshClient {
  readonly #options: MeshClientOptions;
  readonly #credentials: CredentialManager;
  /** Certificate requests, and failed streams: each moves on to the next address. */
  #requests = 0;
  #failures = 0;
  #version = "";
  #state: ConnectionStatus["state"] = "connecting";
  #address: string;
  #sinceMs: number;
  #problem: MeshProblem | undefined;
  #refused: MeshProblem | undefined;
  /** What this stream's node was said to be, and what ends the stream when it is not so any more. */
  #told: { node: string; change: AbortController } | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: MeshClientOptions) {
    this.#options = options;
    this.#address = options.controlPlane.addresses[0];
    this.#sinceMs = options.clock.wallMs();
    this.#credentials = new CredentialManager({
      ...options,
      log: options.log,
      ...options.controlPlane,
      workload: options.node(),
      cluster: options.node().cluster,
      openChannel: (channel) => this.#openForCertificates(channel),
    });
  }

  /** Loads the saved credentials. Never throws for bad content. */
  async restore(): Promise<void> {
    await this.#credentials.restore();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#credentials.run(signal), this.#follow(signal)]);
    await this.#options.saved.flush();
  }

  /**
   * Tells the control plane who this node is, where that changed since it was told last: by a new
   * stream, since istiod reads the node of a stream's first request alone.
   */
  announce(): void {
    if (this.#told === undefined) return;
    const node = this.#options.node();
    if (JSON.stringify(node) === this.#told.node) return;
    this.#options.log.info("This node changed; the control plane is told", {
      addresses: node.addresses,
    });
    this.#told.change.abort();
  }

  /** What is going on, and what is wrong. */
  status(): { controlPlane: ConnectionStatus; problems: MeshProblem[] } {
    const problems = [
      ...this.#credentials.problems,
      this.#problem,
      this.#refused,
      this.#options.saved.problem,
    ].filter((problem) => problem !== undefined);
    // Both parts may meet the same trouble; it is told once.
    const told = new Map(problems.map((problem) => [problem.code, problem]));
    return {
      controlPlane: {
        state: this.#state,
        address: this.#address,
        since: new Date(this.#sinceMs).toISOString(),
        lastError: this.#problem?.message ?? "",
        certificate: this.#credentials.certificate,
      },
      problems: [...told.values()],
    };
  }

  /** Keeps one stream open, over the addresses in turn. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      try {
        const usable = await this.#credentials.usable();
        if (usable === undefined) {
          this.#enter("waiting");
          await this.#credentials.next(signal);
          continue;
        }
        this.#enter("connecting");
        const startedMs = clock.monotonicMs();
        const { client, address } = await this.#openForNames({
          roots: usable.roots,
          clientPair: usable,
        });
        try {
          await this.#stream(client, { address, signal });
        } finally {
          client.close();
          if (clock.monotonicMs() - startedMs >= STABLE_MS) failures = 0;
        }
      } catch (error) {
        if (!signal.aborted) this.#report(error);
      }
      if (signal.aborted) return;
      this.#enter("waiting");
      await sleep(clock, backoffMs(failures++, random), signal).catch(() => {});
    }
  }

  async #stream(
    client: Client,
    { address, signal }: { address: string; signal: AbortSignal },
  ): Promise<void> {
    const { clock } = this.#options;
    const node = this.#options.node();
    const silence = new AbortController();
    const cancel = clock.schedule(FIRST_TABLE_MS, () => silence.abort());
    const change = new AbortController();
    this.#told = { node: JSON.stringify(node), change };
    try {
      const error = await runNameTableStream({
        client,
        node: discoveryNode(node),
        version: this.#version,
        onTable: (table) => {
          cancel();
          this.#problem = undefined;
          this.#enter("connected");
          return this.#receive(table);
        },
        onRefused: (reason) => this.#onRefused(reason),
        signal: AbortSignal.any([signal, silence.signal, change.signal]),
      });
      if (silence.signal.aborted) {
        throw channelError(address, new Error(`no name table came in ${FIRST_TABLE_MS / 1000} s`));
      }
      if (error !== undefined) throw channelError(address, error);
      if (!signal.aborted && !change.signal.aborted) {
        this.#options.log.info("The control plane closed the stream", { address });
      }
    } finally {
      cancel();
      this.#told = undefined;
    }
  }

  async #receive(table: ReceivedTable): Promise<PushVerdict> {
    const snapshot = { ...table, receivedAtMs: this.#options.clock.wallMs() };
    const verdict = await this.#options.onTable({ ...snapshot, origin: "control-plane" });
    if (verdict.accepted) {
      this.#version = table.version;
      this.#refused = undefined;
      this.#options.saved.save(snapshot);
    }
    return verdict;
  }

  #onRefused(reason: string): void {
    this.#refused = {
      code: "NAME_TABLE_REFUSED",
      message: `The control plane's name table was refused: ${reason}; the last good one stays`,
      remedy: "See the control plane's log; the next good table is taken over by itself.",
    };
    this.#options.log.warn(this.#refused.message);
  }

  /** The next address with each `turn`. */
  #target(turn: number): { address: string; serverName: string } {
    const { addresses, serverName } = this.#options.controlPlane;
    return { address: addresses[turn % addresses.length], serverName };
  }

  async #openForNames(channel: ChannelCredentials): Promise<{ client: Client; address: string }> {
    const target = this.#target(this.#failures);
    this.#address = target.address;
    return await this.#open(channel, target);
  }

  async #openForCertificates(
    channel: ChannelCredentials,
  ): Promise<{ client: Client; address: string }> {
    const { certificateService } = this.#options.controlPlane;
    return await this.#open(channel, certificateService ?? this.#target(this.#requests++));
  }

  async #open(
    channel: ChannelCredentials,
    target: { address: string; serverName: string },
  ): Promise<{ client: Client; address: string }> {
    const { controlPlane, files, resolveHost, keepalive } = this.#options;
    const client = await openChannel(
      { ...channel, ...target, ...(keepalive && { keepalive }) },
      { files, hostsPath: controlPlane.hostsPath, resolveHost },
    );
    return { client, address: target.address };
  }

  #enter(state: ConnectionStatus["state"]): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#sinceMs = this.#options.clock.wallMs();
    if (state === "connected") {
      this.#options.log.info("Connected to the control plane", { address: this.#address });
    }
  }

  #report(error: unknown): void {
    this.#failures++;
    const known = error instanceof MeshError
      ? error
      : new MeshError("CONTROL_PLANE_UNREACHABLE", messageOf(error));
    if (this.#problem?.message !== known.message) {
      this.#options.log.warn(known.message, { remedy: known.remedy });
    }
    this.#problem = { code: known.code, message: known.message, remedy: known.remedy };
  }
}
