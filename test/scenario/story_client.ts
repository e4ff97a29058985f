/**
 * A client of a story: a stub with a UDP socket and, where the story says so, a TCP connection. It
 * notices by itself what no answer may be: one to another question, or a second one to the same.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import type { MessageStream, UdpSocket } from "../../agent/system/network.ts";
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import type { SimulatedHost } from "../support/simulated_network.ts";
import { packetType, storyType } from "./record_line.ts";

/** What a client asks. */
export interface ClientQuestion {
  name: string;
  type: string;
  transport: "UDP" | "TCP";
  class: string;
  /** Header bits beside RD. */
  flags: number;
  recursionDesired: boolean;
  opcode: number;
  /** OPT, where the client speaks EDNS. */
  edns: { payload: number; dnssecOk: boolean; version: number } | undefined;
}

/** An answer that the story has not looked at yet. */
export interface ReceivedAnswer {
  packet: dnsPacket.DecodedPacket;
  octets: number;
  transport: "UDP" | "TCP";
  question: string;
}

const FLAGS: Record<string, number> = { AD: 0x0020, CD: 0x0010 };

/** Reads `NAME TYPE[, by TCP][, EDNS 1232][, DO][, CD][, AD][, no RD][, class CH][, opcode 4]`. */
export function parseClientQuestion(text: string): ClientQuestion[] {
  const [head, ...words] = text.split(", ");
  const match = /^(\S+) ([A-Z][A-Z0-9]*)$/.exec(head);
  if (match === null) throw new Error(`"${head}" is no question: NAME TYPE`);
  const question: ClientQuestion = {
    name: match[1],
    type: match[2],
    transport: "UDP",
    class: "IN",
    flags: 0,
    recursionDesired: true,
    opcode: 0,
    edns: undefined,
  };
  const edns = () => question.edns ??= { payload: 1232, dnssecOk: false, version: 0 };
  for (const word of words) {
    const number = Number(/ (\d+)$/.exec(word)?.[1]);
    if (word === "by TCP") question.transport = "TCP";
    else if (/^EDNS \d+$/.test(word)) edns().payload = number;
    else if (/^EDNS version \d+$/.test(word)) edns().version = number;
    else if (word === "DO") edns().dnssecOk = true;
    else if (word in FLAGS) question.flags |= FLAGS[word];
    else if (word === "no RD") question.recursionDesired = false;
    else if (/^class [A-Z]+$/.test(word)) question.class = word.slice("class ".length);
    else if (/^opcode \d+$/.test(word)) question.opcode = number;
    else throw new Error(`"${word}" says nothing about a question`);
  }
  return expandName(question.name).map((name) => ({ ...question, name }));
}

/** `q{1..3}.example.org` as its three names. */
function expandName(name: string): string[] {
  const match = /^(.*)\{(\d+)\.\.(\d+)\}(.*)$/.exec(name);
  if (match === null) return [name];
  const [, before, from, to, after] = match;
  const count = Number(to) - Number(from) + 1;
  return Array.from({ length: count }, (_, i) => `${before}${Number(from) + i}${after}`);
}

function encodeQuestion(id: number, question: ClientQuestion): Uint8Array {
  const { edns } = question;
  return dnsPacket.encode({
    type: "query",
    id,
    flags: question.flags | question.opcode << 11 | (question.recursionDesired ? 0x0100 : 0),
    questions: [{
      name: question.name,
      type: packetType(question.type),
      class: question.class as "IN",
    }],
    additionals: edns === undefined ? [] : [{
      type: "OPT",
      name: ".",
      udpPayloadSize: edns.payload,
      extendedRcode: 0,
      ednsVersion: edns.version,
      flags: edns.dnssecOk ? dnsPacket.DNSSEC_OK : 0,
      flag_do: edns.dnssecOk,
      options: [],
    }],
  });
}

/** One client. */
export class StoryClient {
  readonly name: string;
  readonly #host: SimulatedHost;
  readonly #agent: SocketAddress;
  readonly #onEvent: (text: string) => void;
  /** Questions that have no answer yet, by id. */
  readonly #waiting = new Map<number, { text: string; message: Uint8Array; copies: number }>();
  #udp: UdpSocket | undefined;
  /** The connection that is in use; undefined once either side closed it. */
  #connection: { stream: MessageStream | undefined } | undefined;
  #last: { message: Uint8Array; transport: "UDP" | "TCP" } | undefined;
  #id = 0;
  /** Answers that the story has not looked at yet. */
  readonly answers: ReceivedAnswer[] = [];
  /** What no client may meet, whatever the story says. */
  readonly faults: string[] = [];
  /** Whether the last connection was closed by the agent. */
  closedByAgent = false;

  /** Opens nothing yet. */
  constructor(
    name: string,
    options: { host: SimulatedHost; agent: SocketAddress; onEvent: (text: string) => void },
  ) {
    this.name = name;
    this.#host = options.host;
    this.#agent = options.agent;
    this.#onEvent = options.onEvent;
  }

  /** Asks a question. */
  async ask(question: ClientQuestion): Promise<void> {
    const id = ++this.#id;
    const text = `${question.name} ${question.type}`;
    const message = encodeQuestion(id, question);
    this.#waiting.set(id, { text, message, copies: 1 });
    this.#onEvent(`${this.name} asks ${text} by ${question.transport}`);
    await this.#send(message, question.transport);
  }

  /** Sends the last question once more, as a stub does that lost its patience. */
  async askAgain(): Promise<void> {
    if (this.#last === undefined) throw new Error(`${this.name} asked nothing yet`);
    const { message, transport } = this.#last;
    const waiting = this.#waiting.get(Buffer.from(message).readUInt16BE(0));
    if (waiting !== undefined) waiting.copies++;
    this.#onEvent(`${this.name} asks again`);
    await this.#send(message, transport);
  }

  /** Sends any octets; an answer to them may have any question. */
  async sendOctets(message: Uint8Array, transport: "UDP" | "TCP"): Promise<void> {
    if (message.length >= 2) {
      const id = Buffer.from(message).readUInt16BE(0);
      this.#waiting.set(id, { text: "", message, copies: 1 });
    }
    this.#onEvent(`${this.name} sends ${message.length} octets by ${transport}`);
    await this.#send(message, transport);
  }

  /** Opens a connection. @throws what the network throws */
  async connect(): Promise<void> {
    this.closedByAgent = false;
    const connection = { stream: undefined as MessageStream | undefined };
    this.#connection = connection;
    connection.stream = await this.#host.connectTcp(this.#agent, {
      onMessage: (message) => this.#receive(message, "TCP"),
      onClose: () => {
        this.#onEvent(`${this.name}'s connection is closed`);
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        this.closedByAgent = true;
      },
    }, new AbortController().signal);
  }

  /** Closes the connection. */
  disconnect(): void {
    this.#connection?.stream?.close();
    this.#connection = undefined;
  }

  /** Stops or goes on reading from the connection. */
  read(reads: boolean): void {
    if (reads) this.#connection?.stream?.resume();
    else this.#connection?.stream?.pause();
  }

  /** Closes everything. */
  close(): void {
    this.#udp?.close();
    this.disconnect();
  }

  async #send(message: Uint8Array, transport: "UDP" | "TCP"): Promise<void> {
    this.#last = { message, transport };
    if (transport === "TCP") {
      if (this.#connection === undefined) await this.connect();
      this.#connection?.stream?.send(message);
      return;
    }
    this.#udp ??= await this.#host.bindUdp({ address: this.#agent.address, port: 0 }, {
      onMessage: (answer, from) => {
        if (from.port !== this.#agent.port || from.address !== this.#agent.address) {
          this.faults.push(`an answer came from ${from.address} port ${from.port}`);
        }
        this.#receive(answer, "UDP");
      },
      onError: (error) => this.faults.push(error.message),
    });
    this.#udp.send(message, this.#agent);
  }

  #receive(message: Uint8Array, transport: "UDP" | "TCP"): void {
    let packet: dnsPacket.DecodedPacket;
    try {
      packet = dnsPacket.decode(Buffer.from(message));
    } catch (error) {
      this.faults.push(`an answer cannot be read: ${(error as Error).message}`);
      return;
    }
    const asked = this.#waiting.get(packet.id!);
    if (asked === undefined) {
      this.faults.push(`an answer came with id ${packet.id}, which nothing asked waits for`);
      return;
    }
    if (--asked.copies === 0) this.#waiting.delete(packet.id!);
    const [question] = packet.questions!;
    const text = question === undefined ? "" : `${question.name} ${storyType(question.type)}`;
    if (question !== undefined && asked.text !== "" && text !== asked.text) {
      this.faults.push(`the answer to "${asked.text}" says that "${text}" was asked`);
    }
    this.answers.push({ packet, octets: message.length, transport, question: asked.text });
  }
}
