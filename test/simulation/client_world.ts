/**
 * The clients of the simulated world: what they ask, by UDP and TCP, and what they get.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { MessageStream, UdpSocket } from "../../agent/system/network.ts";
import type { SeededRandom } from "../support/seeded_random.ts";
import type { SimulatedHost } from "../support/simulated_network.ts";
import { AGENT_DNS } from "../support/simulated_vm.ts";
import { ALIASES, EXTERNAL_HOSTS, MESH_HOSTS, PUBLIC_NAMES, SEARCH_DOMAINS } from "./universe.ts";
import { SERVICES } from "./universe.ts";

/** A question, and what it means. */
export interface Ask {
  /** As it is asked, in lower case. */
  name: string;
  type: string;
  dnssecOk: boolean;
  transport: "UDP" | "TCP";
  /** The host that the name means if a table holds it. */
  host: string | undefined;
  /** How the name says so. */
  form: "full" | "short" | "search domain" | "alias" | "public";
  askedMs: number;
  id: number;
  /** Answers that are to come: one for each time it was sent. */
  waiting: number;
}

/** An answer as it came. */
export interface Answered {
  packet: dnsPacket.DecodedPacket & { rcode: string };
  octets: number;
}

/** Sends questions and receives answers. */
export class ClientWorld {
  /** Questions that wait. */
  readonly open = new Set<Ask>();
  asked = 0;
  readonly #host: SimulatedHost;
  readonly #random: SeededRandom;
  readonly #now: () => number;
  readonly #onAnswer: (ask: Ask, answer: Answered) => void;
  readonly #onFault: (text: string) => void;
  readonly #byId = new Map<number, Ask>();
  #udp: UdpSocket | undefined;
  #id = 0;
  #new = 0;

  constructor(
    options: {
      host: SimulatedHost;
      random: SeededRandom;
      now: () => number;
      onAnswer: (ask: Ask, answer: Answered) => void;
      onFault: (text: string) => void;
    },
  ) {
    this.#host = options.host;
    this.#random = options.random;
    this.#now = options.now;
    this.#onAnswer = options.onAnswer;
    this.#onFault = options.onFault;
  }

  /** Draws a question. */
  draw(): Ask {
    const random = this.#random;
    const meant = this.#drawName();
    const type = random.chance(0.7) ? "A" : random.pick(["AAAA", "TXT", "MX"]);
    return {
      ...meant,
      type,
      dnssecOk: random.chance(0.1),
      transport: "UDP",
      askedMs: 0,
      id: 0,
      waiting: 1,
    };
  }

  /** A question for a name that nobody has and nobody asked before. */
  drawNew(): Ask {
    const name = `q${++this.#new}.example.org`;
    const ask = { name, type: "A", dnssecOk: false, transport: "UDP" as const };
    return { ...ask, host: undefined, form: "public", askedMs: 0, id: 0, waiting: 1 };
  }

  /** Sends one by UDP; some are sent once more, as an impatient stub does. */
  async ask(ask: Ask): Promise<void> {
    this.#udp ??= await this.#host.bindUdp({ address: "127.0.0.1", port: 0 }, {
      onMessage: (message) => this.#receive(message),
      onError: (error) => this.#onFault(error.message),
    });
    const message = this.#prepare(ask);
    this.#udp.send(message, AGENT_DNS);
    if (!this.#random.chance(0.05)) return;
    ask.waiting++;
    this.#udp.send(message, AGENT_DNS);
  }

  /** Sends several by one TCP connection; who of the two closes it when all are answered varies. */
  async askByTcp(asks: Ask[]): Promise<void> {
    const closes = this.#random.chance(0.7);
    let left = asks.length;
    const stream: MessageStream = await this.#host.connectTcp(AGENT_DNS, {
      onMessage: (message) => {
        this.#receive(message);
        if (--left === 0 && closes) stream.close();
      },
      onClose: () => {
        if (left > 0) this.#onFault(`a connection was closed with ${left} questions open`);
      },
    }, new AbortController().signal);
    for (const ask of asks) stream.send(this.#prepare({ ...ask, transport: "TCP" }));
  }

  /** Closes the socket. */
  close(): void {
    this.#udp?.close();
  }

  #prepare(ask: Ask): Uint8Array {
    this.asked++;
    ask.id = this.#id = this.#id % 0xffff + 1;
    ask.askedMs = this.#now();
    this.open.add(ask);
    this.#byId.set(ask.id, ask);
    return dnsPacket.encode({
      type: "query",
      id: ask.id,
      flags: 0x0100,
      questions: [{ name: ask.name, type: ask.type as "A", class: "IN" }],
      additionals: ask.dnssecOk ? [OPT_WITH_DO] : [],
    });
  }

  #receive(message: Uint8Array): void {
    const packet = dnsPacket.decode(Buffer.from(message)) as Answered["packet"];
    const ask = this.#byId.get(packet.id!);
    if (ask === undefined || ask.waiting === 0) {
      this.#onFault(`an answer with id ${packet.id} is one too many (${ask?.name} ${ask?.type})`);
      return;
    }
    if (--ask.waiting === 0) {
      this.open.delete(ask);
      this.#byId.delete(packet.id!);
    }
    this.#onAnswer(ask, { packet, octets: message.length });
  }

  #drawName(): Pick<Ask, "name" | "host" | "form"> {
    const random = this.#random;
    const dice = random.fraction();
    if (dice < 0.45) {
      // A few names are asked much more often than the others.
      const index = Math.floor(PUBLIC_NAMES.length * random.fraction() ** 2);
      return { name: PUBLIC_NAMES[index], host: undefined, form: "public" };
    }
    if (dice < 0.55) {
      const name = random.pick([...ALIASES.keys()]);
      return { name, host: ALIASES.get(name), form: "alias" };
    }
    const host = random.pick(random.chance(0.6) ? SERVICES : EXTERNAL_HOSTS);
    const form = random.pick(["full", "full", "short", "search domain"] as const);
    if (form === "search domain") {
      return { name: `${host}.${random.pick(SEARCH_DOMAINS)}`, host, form };
    }
    if (form === "full" || !SERVICES.includes(host)) return { name: host, host, form: "full" };
    const depth = random.pick([2, 3]);
    return { name: host.split(".").slice(0, depth).join("."), host, form };
  }
}

const OPT_WITH_DO = {
  type: "OPT",
  name: ".",
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: dnsPacket.DNSSEC_OK,
  flag_do: true,
  options: [],
} as unknown as dnsPacket.Answer;

/** Whether a host is one of the mesh's own names, which nobody outside knows. */
export function isService(host: string | undefined): boolean {
  return host !== undefined && SERVICES.includes(host) && MESH_HOSTS.includes(host);
}
