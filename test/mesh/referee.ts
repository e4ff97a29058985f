/**
 * The DNS server of Istio's own agent, as a process of its own; and how answers of two servers are
 * held against each other.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { createSocket, type Socket } from "node:dgram";
import { answerMessage, queryMessage, readMessage } from "../support/dns_messages.ts";
import type { Question } from "../support/generated_table.ts";

/** Primary server of the SOA by which an answer of {@link MarkedUpstream} is known. */
const MARK = "forwarded.test";

/** An upstream server that answers everything with NXDOMAIN and a mark. */
export class MarkedUpstream implements AsyncDisposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Listens on port 53 of a loopback address, since resolv.conf names no other port. */
  static async start(address: string): Promise<MarkedUpstream> {
    const socket = createSocket("udp4");
    socket.on("message", (message, client) => {
      const { id, questions: [{ name, type }] } = readMessage(message) as {
        id: number;
        questions: { name: string; type: string }[];
      };
      const soa = { mname: MARK, rname: MARK, serial: 1, refresh: 1, retry: 1, expire: 1 };
      const answer = answerMessage({
        id,
        name,
        questionType: type,
        flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | 3,
        authorities: [{ type: "SOA", name: ".", ttl: 1, data: { ...soa, minimum: 1 } }],
      });
      socket.send(answer, client.port, client.address);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(53, address, resolve);
    });
    return new MarkedUpstream(socket);
  }

  /** Stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** What a server said, without what may differ between two that agree: id, order, TTL. */
export interface Outcome {
  /** Whether an upstream server said it. */
  forwarded: boolean;
  /** E.g. `NXDOMAIN`. */
  rcode: string;
  /** CNAME records of the answer, `name>target`, in order, lower case. */
  chain: string[];
  /** Other records, `name TYPE data`, sorted, lower case. */
  records: string[];
}

/** Asks a server on loopback all questions, a few at a time. */
export async function askAll(port: number, questions: readonly Question[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (next < questions.length) {
      const index = next++;
      outcomes[index] = await ask(port, questions[index]);
    }
  }));
  return outcomes;
}

async function ask(port: number, { name, type }: Question): Promise<Outcome> {
  const socket = createSocket("udp4");
  try {
    const message = queryMessage(name, type, { edns: { udpPayloadSize: 4096 } });
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer: ${name} ${type}`)), 10_000);
      socket.once("message", (bytes) => {
        clearTimeout(timer);
        resolve(bytes);
      });
      socket.send(message, port, "127.0.0.1");
    });
    return outcomeOf(answer);
  } finally {
    socket.close();
  }
}

function outcomeOf(message: Uint8Array): Outcome {
  const { rcode, answers = [], authorities = [] } = readMessage(message);
  const lower = (text: unknown) => String(text).toLowerCase().replace(/\.$/, "");
  const texts = answers as unknown as { type: string; name: string; data: unknown }[];
  return {
    forwarded: authorities.some((record) =>
      (record as { data?: { mname?: string } }).data?.mname === MARK
    ),
    rcode,
    chain: texts.filter(({ type }) => type === "CNAME")
      .map(({ name, data }) => `${lower(name)}>${lower(data)}`),
    records: texts.filter(({ type }) => type !== "CNAME")
      .map(({ name, type, data }) => `${lower(name)} ${type} ${lower(JSON.stringify(data))}`)
      .sort(),
  };
}

/** The DNS server of Istio's agent, with one table. */
export class IstioDnsServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Starts one on loopback and waits until its table is in force. */
  static async start(
    { command: [program, ...args], port, namespace, table }: {
      command: readonly string[];
      port: number;
      namespace: string;
      /** File with the encoded NameTable. */
      table: string;
    },
  ): Promise<IstioDnsServer> {
    const process = new Deno.Command(program, {
      args: [...args, `127.0.0.1:${port}`, namespace, table],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const server = new IstioDnsServer(process);
    let output = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (/^ready$/m.test(output)) return server;
    }
    throw new Error(`Istio's DNS server did not start: ${output}`);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }
}
