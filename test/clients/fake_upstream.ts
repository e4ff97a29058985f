/**
 * An upstream server with a handful of names, UDP and TCP. What does not fit is truncated over UDP.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server, type Socket as TcpSocket } from "node:net";
import { readMessages, uint16 } from "../differential/client.ts";
import { answerMessage, readMessage } from "../support/dns_messages.ts";

type Records = NonNullable<dnsPacket.Packet["answers"]>;

/** The zone of most of them. */
const ZONE = "example.org";

/** The records of its names, by `name TYPE`; other names do not exist. */
const RECORDS: Readonly<Record<string, Records>> = {
  "public.example.org A": [a("public.example.org", "192.0.2.81")],
  "alias.example.org A": [
    { type: "CNAME", name: "alias.example.org", data: "public.example.org", ttl: 60 },
    a("public.example.org", "192.0.2.81"),
  ],
  "big.example.org A": Array.from(
    { length: 100 },
    (_, i) => a("big.example.org", `198.51.100.${i + 1}`),
  ),
  "tool.corp.example A": [a("tool.corp.example", "192.0.2.82")],
  "six.example.org AAAA": [
    { type: "AAAA", name: "six.example.org", data: "2001:db8::81", ttl: 60 },
  ],
  "text.example.org TXT": [{ type: "TXT", name: "text.example.org", data: "text", ttl: 60 }],
};

/** The server. */
export class FakeUpstream implements AsyncDisposable {
  /** `transport name TYPE` of what was asked, in the order in which it came, names in lower case. */
  readonly questions: string[] = [];
  readonly #udp: Socket = createSocket("udp4");
  readonly #tcp: Server;
  readonly #clients = new Set<TcpSocket>();

  private constructor() {
    this.#udp.on("message", (query, client) => {
      const answer = this.#answer(query, "udp");
      this.#udp.send(answer, client.port, client.address);
    });
    this.#tcp = createServer((client) => {
      this.#clients.add(client);
      client.on("error", () => client.destroy());
      client.on("close", () => this.#clients.delete(client));
      readMessages(client, (query) => {
        const answer = this.#answer(query, "tcp");
        client.write(Uint8Array.from([...uint16(answer.length), ...answer]));
      });
    });
  }

  /** Listens on loopback. */
  static async start(port: number): Promise<FakeUpstream> {
    const upstream = new FakeUpstream();
    await new Promise<void>((resolve, reject) => {
      upstream.#udp.once("error", reject);
      upstream.#udp.bind(port, "127.0.0.1", resolve);
    });
    await new Promise<void>((resolve, reject) => {
      upstream.#tcp.once("error", reject);
      upstream.#tcp.listen(port, "127.0.0.1", resolve);
    });
    return upstream;
  }

  #answer(query: Uint8Array, transport: "udp" | "tcp"): Uint8Array {
    const { id, questions: [question] } = readMessage(query) as {
      id: number;
      questions: { name: string; type: string }[];
    };
    const name = question.name.toLowerCase();
    this.questions.push(`${transport} ${name} ${question.type}`);
    const answers = RECORDS[`${name} ${question.type}`] ?? [];
    const exists = name === ZONE || Object.keys(RECORDS).some((key) => key.startsWith(`${name} `));
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (exists ? 0 : 3);
    const head = { id, name: question.name, questionType: question.type };
    const whole = answerMessage({
      ...head,
      flags,
      answers,
      authorities: answers.length > 0 ? [] : [{ type: "SOA", name: ZONE, ttl: 60, data: SOA_DATA }],
    });
    if (transport === "tcp" || whole.length <= 512) return whole;
    return answerMessage({ ...head, flags: flags | dnsPacket.TRUNCATED_RESPONSE });
  }

  /** Stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }
}

const SOA_DATA = {
  ...{ mname: `ns.${ZONE}`, rname: `hostmaster.${ZONE}`, serial: 1 },
  ...{ refresh: 7200, retry: 1800, expire: 86400, minimum: 60 },
};

function a(name: string, data: string): Records[number] {
  return { type: "A", name, data, ttl: 60 };
}
