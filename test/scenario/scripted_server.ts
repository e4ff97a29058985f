/**
 * An upstream server of a story: it holds records, follows its own CNAMEs as a recursive server does,
 * and misbehaves as it is told.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import { isWithin } from "../../agent/dns/name.ts";
import type { MessageStream } from "../../agent/system/network.ts";
import { formatSocketAddress, type SocketAddress } from "../../agent/system/socket_address.ts";
import { LOOP_PROBE_DOMAIN } from "../../agent/upstream/loop_probe.ts";
import type { SimulatedNetwork, TcpFate } from "../support/simulated_network.ts";
import { type StoryRecord, storyType, toPacket } from "./record_line.ts";
import { type Behaviour, type Forgery, usualBehaviour } from "./server_behaviour.ts";

/** A question that came in. */
export interface AskedQuestion {
  name: string;
  type: string;
  transport: "UDP" | "TCP";
  /** UDP payload size of OPT; undefined without OPT. */
  edns: number | undefined;
  dnssecOk: boolean;
  checkingDisabled: boolean;
}

/** Rcodes by number. */
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** One server. */
export class ScriptedServer {
  readonly address: SocketAddress;
  readonly #network: SimulatedNetwork;
  readonly #onQuestion: (question: AskedQuestion) => void;
  /** What it knows. */
  records: StoryRecord[] = [];
  /** Records that it puts into every answer, asked for or not, by section. */
  readonly extras: { section: "answers" | "authorities" | "additionals"; record: StoryRecord }[] =
    [];
  /** How it behaves, by name; `""` stands for all names that have no own. */
  readonly #behaviours = new Map<string, Behaviour>();

  /** Opens the sockets. */
  constructor(
    address: SocketAddress,
    { network, onQuestion }: {
      network: SimulatedNetwork;
      onQuestion: (question: AskedQuestion) => void;
    },
  ) {
    this.address = address;
    this.#network = network;
    this.#onQuestion = onQuestion;
    const host = network.host([address.address]);
    void host.bindUdp(address, {
      onMessage: (message, from) =>
        this.#answer(message, {
          transport: "UDP",
          send: (answer, { delayMs, from: sender = address }) =>
            network.deliver({ from: sender, to: from, message: answer }, delayMs),
        }),
      onError() {},
    });
    void host.listenTcp(address, (stream) => ({
      onMessage: (message) => this.#onTcpMessage(stream, message),
      onClose() {},
    }));
  }

  /** How it behaves for a name, or for all that have no behaviour of their own. */
  behaviour(name = ""): Behaviour {
    const present = this.#behaviours.get(name) ?? usualBehaviour();
    this.#behaviours.set(name, present);
    return present;
  }

  /** What becomes of connections to it. */
  get tcpFate(): TcpFate {
    const { tcp } = this.behaviour();
    return tcp === "closed" ? "open" : tcp;
  }

  /** Makes it behave as a good server does. */
  heal(): void {
    this.#behaviours.clear();
    this.extras.length = 0;
  }

  #onTcpMessage(stream: MessageStream, message: Uint8Array): void {
    this.#answer(message, {
      transport: "TCP",
      send: (answer, { delayMs }) =>
        this.#network.clock.schedule(delayMs, () => stream.send(answer)),
      close: () => stream.close(),
    });
  }

  #answer(message: Uint8Array, way: Way): void {
    const query = dnsPacket.decode(Buffer.from(message));
    const { name, type } = query.questions![0];
    // What the agent asks to find servers that lead back to it is no part of a story.
    if (isWithin(name, LOOP_PROBE_DOMAIN)) return way.send(noSuchName(query), { delayMs: 0 });
    const opt = query.additionals!.find((record) => record.type === "OPT");
    this.#onQuestion({
      name: name === "." ? "" : name,
      type: storyType(type),
      transport: way.transport,
      edns: opt?.udpPayloadSize,
      dnssecOk: opt?.flag_do ?? false,
      checkingDisabled: query.flag_cd,
    });
    const behaviour = this.#behaviours.get(name.toLowerCase()) ?? this.behaviour();
    if (way.transport === "TCP" && behaviour.tcp === "closed") return way.close?.();
    if (behaviour.silent.has(way.transport) || behaviour.losses-- > 0) return;
    behaviour.losses = Math.max(0, behaviour.losses);
    const { delayMs } = behaviour;
    if (way.transport === "UDP") {
      for (const forgery of behaviour.forgeries) this.#forge(query, forgery, way);
    }
    for (let i = 0; i < behaviour.copies; i++) {
      way.send(this.#message(query, behaviour, way.transport), { delayMs });
    }
  }

  /** Sends what is not the answer: before it, since whoever guesses is quick. */
  #forge(query: dnsPacket.DecodedPacket, { kind, count, from }: Forgery, way: Way): void {
    const { name, type } = query.questions![0];
    for (let i = 0; i < count; i++) {
      const forged = dnsPacket.encode({
        type: "response",
        id: kind === "id" ? query.id! ^ (i + 1) : query.id!,
        flags: 0x0180,
        questions: [{ ...query.questions![0], name: kind === "question" ? "evil.example" : name }],
        answers: type === "A" ? [{ type: "A", name, ttl: 300, data: "203.0.113.66" }] : [],
      });
      const sender = from && { address: from.address || this.address.address, port: from.port };
      way.send(kind === "garbage" ? Buffer.alloc(64, 0xa5) : forged, {
        delayMs: 1,
        ...(sender && { from: sender }),
      });
    }
  }

  #message(
    query: dnsPacket.DecodedPacket,
    behaviour: Behaviour,
    transport: "UDP" | "TCP",
  ): Uint8Array {
    const question = query.questions![0];
    const opt = query.additionals!.find((record) => record.type === "OPT");
    const refusal = behaviour.refusesEdns && opt !== undefined ? "FORMERR" : behaviour.rcode;
    const found = refusal === undefined
      ? this.#find(question.name, storyType(question.type))
      : { rcode: refusal, answers: [], authorities: [] };
    const truncated = behaviour.truncates && transport === "UDP";
    const extra = (section: string) =>
      this.extras.filter((one) => one.section === section).map(({ record }) => record);
    const echo = behaviour.refusesEdns && refusal === "FORMERR" ? [] : [question];
    const encoded = dnsPacket.encode({
      type: "response",
      id: query.id,
      flags: 0x0180 | (truncated ? 0x0200 : 0) | (behaviour.authenticated ? 0x0020 : 0) |
        (query.flag_cd ? 0x0010 : 0) | RCODES.indexOf(found.rcode),
      questions: echo,
      answers: truncated ? [] : [...found.answers, ...extra("answers")].map(toPacket),
      authorities: truncated ? [] : [...found.authorities, ...extra("authorities")].map(toPacket),
      additionals: [
        ...extra("additionals").map(toPacket),
        ...opt === undefined || behaviour.ignoresEdns || refusal === "FORMERR"
          ? []
          : [optRecord(opt.flag_do)],
      ],
    });
    if (behaviour.cutsShort) return encoded.subarray(0, encoded.length - 14);
    return encoded;
  }

  #find(
    asked: string,
    type: string,
  ): { rcode: string; answers: StoryRecord[]; authorities: StoryRecord[] } {
    const answers: StoryRecord[] = [];
    const seen = new Set<string>();
    let name = asked.toLowerCase();
    for (;;) {
      const own = this.records.filter((record) =>
        record.name.toLowerCase() === name && record.type !== "SOA" || type === "SOA" &&
          record.name === name
      );
      const hits = own.filter((record) => record.type === type || type === "ANY");
      answers.push(...hits);
      const alias = own.find((record) => record.type === "CNAME");
      const target = String(alias?.data).toLowerCase();
      if (hits.length === 0 && alias !== undefined && !seen.has(name)) {
        answers.push(alias);
        seen.add(name);
        name = target;
        continue;
      }
      const exists = own.length > 0 ||
        this.records.some((record) => record.type !== "SOA" && record.name.endsWith(`.${name}`));
      // Where an alias leads out of what it knows, the chain alone is its answer.
      const zone = this.records.filter((record) =>
        record.type === "SOA" && isWithin(name, record.name)
      ).sort((a, b) =>
        b.name.length - a.name.length
      )[0];
      const negative = hits.length === 0 && zone !== undefined;
      const rcode = exists || answers.length > 0 && zone === undefined ? "NOERROR" : "NXDOMAIN";
      return { rcode, answers, authorities: negative ? [zone] : [] };
    }
  }
}

/** How an answer goes back. */
interface Way {
  transport: "UDP" | "TCP";
  send(answer: Uint8Array, options: { delayMs: number; from?: SocketAddress }): void;
  close?(): void;
}

function optRecord(dnssecOk: boolean): dnsPacket.Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: 1232,
    flags: dnssecOk ? dnsPacket.DNSSEC_OK : 0,
    ednsVersion: 0,
    extendedRcode: 0,
    options: [],
  } as unknown as dnsPacket.Answer;
}

/** `192.0.2.53`, or with its port where that is not 53. */
export function serverName(address: SocketAddress): string {
  return address.port === 53 ? address.address : formatSocketAddress(address);
}

function noSuchName({ id, questions }: dnsPacket.DecodedPacket): Uint8Array {
  return dnsPacket.encode({ type: "response", id: id!, flags: 0x0183, questions: questions! });
}
