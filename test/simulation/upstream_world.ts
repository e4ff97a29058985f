/**
 * The upstream servers of the simulated world: one truth that changes with time, told by servers that
 * each have their moods. Keeps what was said, when it arrived, and which questions met a fault.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import type { SeededRandom } from "../support/seeded_random.ts";
import type { SimulatedNetwork } from "../support/simulated_network.ts";
import { drawMood, isClean, type Mood, tcpFateOf } from "./server_mood.ts";
import {
  addressOf,
  ALIASES,
  ipv6AddressOf,
  packVersion,
  POISON,
  type Version,
  VERSIONED_NAMES,
} from "./universe.ts";

/** What the truth about a name is at a time. */
interface Truth extends Version {
  kind: "positive" | "nodata" | "nxdomain";
  ttl: number;
  /** MINIMUM of the zone's SOA. */
  minimum: number;
}

/** One answer of a server that was on its way unharmed. */
export interface Said {
  arrivalMs: number;
  rcode: "NOERROR" | "NXDOMAIN";
  /** Version of its addresses, or of its SOA; undefined for names that nobody has. */
  packed: number | undefined;
  /** Whether it holds addresses or texts beside a CNAME. */
  positive: boolean;
  /** TTL of the record that carries the version. */
  ttl: number;
  /** How long it may be kept, in seconds. */
  lifetime: number;
}

/** One server. */
export interface UpstreamServer {
  address: SocketAddress;
  mood: Mood;
  roundTripMs: number;
  /** When it last met a fault, at any question; -Infinity before. */
  faultMs: number;
}

/** The key of a question: what may change its answer. */
export function questionKey(question: { name: string; type: string; dnssecOk: boolean }): string {
  return `${question.name.toLowerCase()} ${question.type}${question.dnssecOk ? " DO" : ""}`;
}

/** All servers and what they know. */
export class UpstreamWorld {
  readonly servers: UpstreamServer[] = [];
  /** By key of the question, in the order of arrival. */
  readonly said = new Map<string, Said[]>();
  /** When a question last met a fault, by key. */
  readonly faults = new Map<string, number>();
  /** What no server may be asked. */
  readonly leaks: string[] = [];
  questions = 0;
  readonly #truth = new Map<string, Truth>();
  readonly #random: SeededRandom;
  readonly #network: SimulatedNetwork;
  readonly #tell: (text: string) => void;

  /** Opens the servers' sockets. */
  constructor(
    options: {
      count: number;
      random: SeededRandom;
      network: SimulatedNetwork;
      tell: (text: string) => void;
    },
  ) {
    this.#random = options.random;
    this.#network = options.network;
    this.#tell = options.tell;
    for (const name of VERSIONED_NAMES) this.change(name);
    for (let i = 0; i < options.count; i++) this.#open({ address: `192.0.2.${53 + i}`, port: 53 });
    this.#network.tcpFate = (remote) => {
      const server = this.servers.find(({ address }) => address.address === remote.address);
      const fate = server === undefined ? "open" : tcpFateOf(server.mood);
      if (fate !== "open") server!.faultMs = this.#network.clock.monotonicMs();
      return fate;
    };
  }

  /** The truth about a name changes. */
  change(name: string): void {
    const random = this.#random;
    const before = this.#truth.get(name);
    this.#truth.set(name, {
      index: VERSIONED_NAMES.indexOf(name),
      version: (before?.version ?? 0) + 1,
      kind: random.chance(0.75) ? "positive" : random.pick(["nodata", "nxdomain"]),
      ttl: random.pick([0, 1, 5, 30, 60, 300, 3600]),
      minimum: random.pick([0, 5, 60, 900]),
    });
  }

  /** A server gets another mood; most are good ones. */
  changeMood(server: UpstreamServer): void {
    server.mood = drawMood(this.#random);
    this.#tell(`server ${server.address.address} is ${JSON.stringify(server.mood)}`);
  }

  #open(address: SocketAddress): void {
    const server: UpstreamServer = {
      address,
      mood: { kind: "good" },
      roundTripMs: this.#random.between(1, 80),
      faultMs: -Infinity,
    };
    this.servers.push(server);
    const host = this.#network.host([address.address]);
    void host.bindUdp(address, {
      onMessage: (message, from) =>
        this.#handle(server, message, {
          transport: "UDP",
          send: (answer, delayMs, sender = address) =>
            this.#network.deliver({ from: sender, to: from, message: answer }, delayMs),
        }),
      onError() {},
    });
    void host.listenTcp(address, (stream) => ({
      onMessage: (message) =>
        this.#handle(server, message, {
          transport: "TCP",
          send: (answer, delayMs) =>
            this.#network.clock.schedule(delayMs, () => stream.send(answer)),
          close: () => stream.close(),
        }),
      onClose() {},
    }));
  }

  #handle(server: UpstreamServer, message: Uint8Array, way: Way): void {
    this.questions++;
    const { mood } = server;
    const query = dnsPacket.decode(Buffer.from(message));
    const [{ name, type }] = query.questions!;
    const opt = query.additionals!.find((record) => record.type === "OPT");
    const key = questionKey({ name, type, dnssecOk: opt?.flag_do ?? false });
    this.#tell(`  server ${server.address.address} is asked ${key} by ${way.transport}`);
    if (name.toLowerCase().endsWith("cluster.local")) this.leaks.push(key);
    if (!isClean(mood, way.transport)) {
      server.faultMs = this.#network.clock.monotonicMs();
      this.faults.set(key, server.faultMs);
    }
    const delays = this.#delays(server);
    if (way.transport === "TCP" && mood.kind === "closes TCP") return way.close?.();
    if (way.transport === "UDP" && mood.kind === "forged") this.#forge(query, mood.count, way);
    for (const delayMs of delays) {
      const said = this.#find(name.toLowerCase(), type);
      const packet = this.#encode(query, said, server, way.transport);
      if (packet.clean) {
        const arrivalMs = this.#network.clock.monotonicMs() + delayMs;
        const list = this.said.get(key) ?? [];
        list.push({ ...said.said, arrivalMs });
        this.said.set(key, list);
        const { rcode, packed, ttl } = said.said;
        this.#tell(`    says ${rcode} ${packed ?? ""} ttl ${ttl} in ${delayMs} ms`);
      }
      way.send(packet.message, delayMs);
    }
  }

  /** When the copies of an answer arrive; none where it gets lost. */
  #delays({ mood, roundTripMs }: UpstreamServer): number[] {
    const random = this.#random;
    const usual = roundTripMs + random.between(0, 10);
    if (mood.kind === "dead" || mood.kind === "lossy" && random.chance(mood.probability)) return [];
    if (mood.kind === "slow") return [usual + random.between(200, 4_000)];
    if (mood.kind === "duplicated") return [usual, usual + random.between(0, 1_500)];
    return [usual];
  }

  #encode(
    query: dnsPacket.DecodedPacket,
    { said, answers, authorities }: Found,
    { mood }: UpstreamServer,
    transport: "UDP" | "TCP",
  ): { message: Uint8Array; clean: boolean } {
    const opt = query.additionals!.find((record) => record.type === "OPT");
    const refusal = mood.kind === "refuses"
      ? mood.rcode
      : mood.kind === "without EDNS" && opt !== undefined
      ? 1
      : undefined;
    const truncated = transport === "UDP" &&
      (mood.kind === "truncates" || mood.kind === "closes TCP" || mood.kind === "refuses TCP");
    const rcode = refusal ?? (said.rcode === "NXDOMAIN" ? 3 : 0);
    const empty = refusal !== undefined || truncated;
    const message = dnsPacket.encode({
      type: "response",
      id: query.id,
      flags: 0x0180 | rcode | (truncated ? 0x0200 : 0),
      questions: query.questions,
      answers: empty ? [] : answers,
      authorities: empty ? [] : authorities,
    });
    if (mood.kind === "garbled") {
      return { message: message.subarray(0, this.#random.between(12, 30)), clean: false };
    }
    return { message, clean: !empty };
  }

  /** Guesses of somebody who does not know the id, the port, or the question. */
  #forge(query: dnsPacket.DecodedPacket, count: number, way: Way): void {
    const [question] = query.questions!;
    for (let i = 0; i < count; i++) {
      const wrong = this.#random.pick(["id", "port", "address", "question"] as const);
      const message = dnsPacket.encode({
        type: "response",
        id: wrong === "id" ? query.id! ^ this.#random.between(1, 0xffff) : query.id!,
        flags: 0x0180,
        questions: [wrong === "question" ? { ...question, name: "evil.example" } : question],
        answers: [{ type: "A", name: question.name, ttl: 3600, data: POISON }],
      });
      const from = wrong === "port"
        ? { address: "192.0.2.53", port: 5353 }
        : wrong === "address"
        ? { address: "203.0.113.1", port: 53 }
        : undefined;
      way.send(message, 0, from);
    }
  }

  #find(name: string, type: string): Found {
    const alias = ALIASES.get(name);
    const chain: dnsPacket.Answer[] = alias === undefined
      ? []
      : [{ type: "CNAME", name, ttl: ALIAS_TTL, data: alias }];
    const target = alias ?? name;
    const truth = this.#truth.get(target);
    const packed = truth && packVersion(truth);
    const data = truth && truth.kind === "positive" ? recordData(type, truth) : undefined;
    const least = (seconds: number) => alias === undefined ? seconds : Math.min(seconds, ALIAS_TTL);
    if (truth !== undefined && data !== undefined) {
      const record = { type, name: target, ttl: truth.ttl, data } as unknown as dnsPacket.Answer;
      const lifetime = least(truth.ttl);
      return {
        said: { rcode: "NOERROR", packed, positive: true, ttl: truth.ttl, lifetime },
        answers: [...chain, record],
        authorities: [],
      };
    }
    const nxdomain = truth === undefined || truth.kind === "nxdomain";
    const { ttl, minimum } = truth ?? { ttl: 300, minimum: 300 };
    const soa: dnsPacket.Answer = {
      type: "SOA",
      name: truth === undefined ? "." : target.split(".").slice(1).join("."),
      ttl,
      data: { mname: "ns.test", rname: "hostmaster.test", serial: packed ?? 0, minimum },
    };
    const lifetime = least(Math.min(ttl, minimum));
    const rcode = nxdomain ? "NXDOMAIN" : "NOERROR";
    return {
      said: { rcode, packed, positive: false, ttl, lifetime },
      answers: chain,
      authorities: [soa],
    };
  }
}

const ALIAS_TTL = 120;

/** How an answer goes back. */
interface Way {
  transport: "UDP" | "TCP";
  send(answer: Uint8Array, delayMs: number, from?: SocketAddress): void;
  close?(): void;
}

interface Found {
  said: Omit<Said, "arrivalMs">;
  answers: dnsPacket.Answer[];
  authorities: dnsPacket.Answer[];
}

/** Data of a record of a version; undefined for types that no name has. */
function recordData(type: string, version: Version): unknown {
  if (type === "A") return addressOf(version, "upstream");
  if (type === "AAAA") return version.index % 2 === 0 ? ipv6AddressOf(version) : undefined;
  return type === "TXT" ? [String(packVersion(version))] : undefined;
}
