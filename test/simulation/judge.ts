/**
 * What an answer may say: no more than the tables that were in force and what upstream servers said in
 * time. Each verdict is a sentence, or nothing where all is well.
 *
 * @module
 */
import type { Answered, Ask } from "./client_world.ts";
import { meshAddress, type MeshHistory, type MeshTable } from "./mesh_history.ts";
import { ALIASES, packVersion, POISON, SERVICES, versionOfAddress } from "./universe.ts";
import { questionKey, type Said, type UpstreamWorld } from "./upstream_world.ts";

/** What the invariants allow. */
export interface Limits {
  /** How long past its TTL an answer may be served, in seconds (RFC 8767); 0 for never. */
  staleSeconds: number;
  /** TTL of a stale answer at most, in seconds (RFC 8767 section 4). */
  staleTtlSeconds: number;
  /** How long a failure may be remembered, in milliseconds (RFC 9520 section 3.2: five minutes). */
  failureMs: number;
  /** By when a question has its answer, in milliseconds. */
  deadlineMs: number;
}

/** The promises of the agent as it is. */
export const PRESENT_LIMITS: Limits = {
  staleSeconds: 86_400,
  staleTtlSeconds: 30,
  failureMs: 300_000,
  deadlineMs: 5_000,
};

/** What is left to rounding of ages to whole seconds. */
const ROUNDING_SECONDS = 1;
const MESH_TTL = 30;
const LOCAL_NEGATIVE_TTL = 5;

interface Shown {
  name: string;
  type: string;
  ttl: number;
  data: unknown;
}

/** Judges answers. */
export class Judge {
  readonly #mesh: MeshHistory;
  readonly #upstream: UpstreamWorld;
  readonly #limits: Limits;

  constructor(options: { mesh: MeshHistory; upstream: UpstreamWorld; limits: Limits }) {
    this.#mesh = options.mesh;
    this.#upstream = options.upstream;
    this.#limits = options.limits;
  }

  /** What is wrong with an answer that came at `nowMs`; undefined where nothing is. */
  judge(ask: Ask, { packet, octets }: Answered, nowMs: number): string | undefined {
    if (nowMs - ask.askedMs > this.#limits.deadlineMs) {
      return `it took ${nowMs - ask.askedMs} ms`;
    }
    const [question] = packet.questions!;
    if (question?.name !== ask.name || question.type !== ask.type) {
      return `it answers "${question?.name} ${question?.type}"`;
    }
    if (packet.type !== "response" || !packet.flag_ra) return "it is no response with RA";
    if (ask.transport === "UDP" && octets > (ask.dnssecOk ? 1232 : 512)) return "it is too large";
    if (packet.flag_tc) return "it is truncated without need";
    if ((packet.additionals!.some(({ type }) => type === "OPT")) !== ask.dnssecOk) {
      return "its OPT is not the client's";
    }
    const records = packet.answers as unknown as Shown[];
    if (records.some(({ data }) => data === POISON)) return "it is what a forger said";
    // One table of those in force must explain the answer.
    const wrongs: string[] = [];
    for (const table of this.#mesh.between(ask.askedMs, nowMs)) {
      const wrong = this.#byTable(ask, packet, { table, nowMs });
      if (wrong === undefined) return undefined;
      wrongs.push(wrong);
    }
    return [...new Set(wrongs)].join(", and with the other table ");
  }

  #byTable(
    ask: Ask,
    packet: Answered["packet"],
    { table, nowMs }: { table: MeshTable; nowMs: number },
  ): string | undefined {
    const { name, type, host, form } = ask;
    const records = packet.answers as unknown as Shown[];
    const version = host === undefined ? undefined : table?.get(host);
    const service = host !== undefined && SERVICES.includes(host);
    const here = version !== undefined && (service || type === "A" || type === "AAAA");
    if (form === "alias" && here) {
      const [cname, ...rest] = records;
      if (isFailure(packet)) return this.#failure(ask);
      if (cname?.type !== "CNAME" || cname.data !== host) return "its alias is missing";
      const target = { ...packet, answers: rest } as unknown as Answered["packet"];
      return meshAnswer(target, { owner: host!, host: host!, version: version!, type }) ??
        (this.#said(ask, nowMs).length === 0 ? "nobody said the alias in time" : undefined);
    }
    if (here) {
      if (!packet.flag_aa) return `the mesh has "${host}", and it is no answer of the mesh`;
      const autopath = form === "search domain";
      const chain = autopath ? records.slice(0, 1) : [];
      if (autopath && (chain[0]?.type !== "CNAME" || chain[0].data !== host)) {
        return "its CNAME to the host is missing";
      }
      const rest = { ...packet, answers: records.slice(chain.length) } as unknown as typeof packet;
      return meshAnswer(rest, { owner: autopath ? host! : name, host: host!, version, type });
    }
    if (name.endsWith(".cluster.local")) {
      if (table === undefined && packet.rcode === "SERVFAIL") return undefined;
      return negative(packet, "NXDOMAIN") ?? (packet.flag_aa ? undefined : "it has no AA");
    }
    if (packet.flag_aa) return "it has AA, and the mesh has no such host";
    return this.#upstreamAnswer(ask, packet, nowMs);
  }

  #upstreamAnswer(ask: Ask, packet: Answered["packet"], nowMs: number): string | undefined {
    const { rcode } = packet;
    if (isFailure(packet)) return this.#failure(ask);
    const records = [...packet.answers as unknown as Shown[]];
    const alias = ALIASES.get(ask.name);
    if (alias !== undefined) {
      const cname = records.shift();
      if (cname?.type !== "CNAME" || cname.data !== alias) return "its alias is missing";
    }
    const owner = alias ?? ask.name;
    const soa = (packet.authorities as unknown as Shown[]).find(({ type }) => type === "SOA");
    const [record] = records;
    if (records.length > 1) return "it has more records than anybody said";
    if (record !== undefined && (record.type !== ask.type || record.name !== owner)) {
      return `its record is ${record.name} ${record.type}`;
    }
    if (record === undefined && soa === undefined) return "it has neither records nor a SOA";
    const shown = record ?? soa!;
    const packed = record === undefined
      ? (soa!.data as { serial: number }).serial
      : packedOf(record);
    const fits = this.#said(ask, nowMs).filter((said) =>
      (said.packed ?? 0) === packed && said.positive === (record !== undefined) &&
      said.rcode === rcode
    );
    if (fits.length === 0) return `nobody said ${rcode} version ${packed} in time`;
    const least = Math.min(...fits.map((said) => this.#ttlExcess(said, shown.ttl, nowMs)));
    if (least > 0) return `its TTL ${shown.ttl} is ${least.toFixed(3)} s too long`;
    if (fits.some((said) => !isStale(said, ask, nowMs))) return undefined;
    return this.#hadFault(ask) ? undefined : "it is stale, and no server failed";
  }

  /** What servers said to a question and may still be told. */
  #said(ask: Ask, nowMs: number): Said[] {
    const windowMs = this.#limits.staleSeconds * 1000;
    return keysOf(ask).flatMap((key) => this.#upstream.said.get(key) ?? []).filter((said) =>
      said.arrivalMs <= nowMs && !isStale(said, ask, nowMs - windowMs)
    );
  }

  #ttlExcess(said: Said, ttl: number, nowMs: number): number {
    const ageSeconds = (nowMs - said.arrivalMs) / 1000;
    const stale = ageSeconds > said.lifetime && this.#limits.staleSeconds > 0;
    const left = said.ttl - ageSeconds + ROUNDING_SECONDS;
    return ttl - Math.max(stale ? this.#limits.staleTtlSeconds : 0, left);
  }

  /** A failure needs faults: one at this question, and one of every server that could have known. */
  #failure(ask: Ask): string | undefined {
    if (!this.#hadFault(ask)) return "it is a failure, and no server failed";
    const sinceMs = this.#sinceMs(ask);
    const good = this.#upstream.servers.find(({ faultMs }) => faultMs < sinceMs);
    return good && `it is a failure, and ${good.address.address} would have answered`;
  }

  #hadFault(ask: Ask): boolean {
    const sinceMs = this.#sinceMs(ask);
    return keysOf(ask).some((key) => (this.#upstream.faults.get(key) ?? -Infinity) >= sinceMs);
  }

  /** Since when a fault may be the reason of an answer. */
  #sinceMs({ askedMs }: Ask): number {
    return askedMs - this.#limits.failureMs - this.#limits.deadlineMs;
  }
}

/** Whether an answer has ended; who asked before it arrived may have it, whatever its TTL. */
function isStale({ arrivalMs, lifetime }: Said, { askedMs }: Ask, nowMs: number): boolean {
  return arrivalMs < askedMs && nowMs - arrivalMs > lifetime * 1000;
}

function isFailure({ rcode }: Answered["packet"]): boolean {
  return rcode !== "NOERROR" && rcode !== "NXDOMAIN";
}

/** A server from before EDNS is asked without it, and so without DO. */
function keysOf(ask: Ask): string[] {
  const keys = [questionKey(ask)];
  return ask.dnssecOk ? [...keys, questionKey({ ...ask, dnssecOk: false })] : keys;
}

/** What is wrong with a mesh answer for a host; `packet` has no CNAME of autopath any more. */
function meshAnswer(
  packet: Answered["packet"],
  expected: { owner: string; host: string; version: number; type: string },
): string | undefined {
  const { owner, host, version, type } = expected;
  if (type !== "A") return negative(packet, "NOERROR");
  const records = packet.answers as unknown as Shown[];
  const address = meshAddress(host, version);
  const [record] = records;
  if (packet.rcode !== "NOERROR" || records.length !== 1 || record.type !== "A") {
    return `it is not the one address of "${host}"`;
  }
  if (record.name !== owner) return `its owner is "${record.name}" and not "${owner}"`;
  if (record.data !== address) return `it says ${record.data}, and the table ${address}`;
  return record.ttl <= MESH_TTL ? undefined : `its TTL is ${record.ttl}`;
}

function negative(packet: Answered["packet"], rcode: string): string | undefined {
  const soa = (packet.authorities as unknown as Shown[]).find(({ type }) => type === "SOA");
  if (packet.rcode !== rcode) return `its rcode is ${packet.rcode} and not ${rcode}`;
  if (packet.answers!.length > 0) return "it has records, and should have none";
  return soa !== undefined && soa.ttl <= LOCAL_NEGATIVE_TTL ? undefined : "it has no local SOA";
}

/** The version that an upstream record carries. */
function packedOf({ type, data }: Shown): number | undefined {
  if (type === "TXT") return Number(String([data].flat()[0]));
  const found = versionOfAddress(String(data));
  return found?.where === "upstream" ? packVersion(found) : undefined;
}
