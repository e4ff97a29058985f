/**
 * What a forwarder under test has for an upstream server: it passes questions on to Knot and counts
 * them, and answers itself what no authoritative server would say.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server, type Socket as TcpSocket } from "node:net";
import { exchangeTcp, readMessages, uint16 } from "./client.ts";
import { scriptedAnswer } from "./scripted_answers.ts";
import { readWire } from "./wire_reader.ts";

/** One front, for one forwarder. */
export class Front implements AsyncDisposable {
  /** How often each `name type class` was asked for, in lower case. */
  readonly questions = new Map<string, number>();
  readonly #knotPort: number;
  readonly #udp = createSocket("udp4");
  readonly #tcp: Server;
  readonly #outgoing = new Set<Socket>();
  readonly #clients = new Set<TcpSocket>();

  private constructor(knotPort: number) {
    this.#knotPort = knotPort;
    this.#udp.on("message", (query, client) => {
      this.#answer(query, "udp", (answer) => {
        if (answer !== "close") this.#udp.send(answer, client.port, client.address);
      });
    });
    this.#tcp = createServer((client) => {
      this.#clients.add(client);
      client.on("error", () => client.destroy());
      client.on("close", () => this.#clients.delete(client));
      readMessages(client, (query) => {
        this.#answer(query, "tcp", (answer) => {
          if (answer === "close") client.destroy();
          else client.write(Uint8Array.from([...uint16(answer.length), ...answer]));
        });
      });
    });
  }

  /** Listens. */
  static async start({ port, knotPort }: { port: number; knotPort: number }): Promise<Front> {
    const front = new Front(knotPort);
    await new Promise<void>((resolve, reject) => {
      front.#udp.once("error", reject);
      front.#udp.bind(port, "127.0.0.1", resolve);
    });
    await new Promise<void>((resolve, reject) => {
      front.#tcp.once("error", reject);
      front.#tcp.listen(port, "127.0.0.1", resolve);
    });
    return front;
  }

  /** How many questions came for this one. */
  count(question: string): number {
    return this.questions.get(question.toLowerCase()) ?? 0;
  }

  #answer(
    query: Uint8Array,
    transport: "udp" | "tcp",
    reply: (answer: Uint8Array | "close") => void,
  ): void {
    const question = readWire(query).question!.toLowerCase();
    this.questions.set(question, this.count(question) + 1);
    const scripted = scriptedAnswer(query, question, transport);
    if (scripted !== undefined) reply(scripted);
    else if (transport === "tcp") exchangeTcp(this.#knotPort, query).then(reply, () => {});
    else {
      const outgoing = createSocket("udp4");
      this.#outgoing.add(outgoing);
      outgoing.once("message", (answer) => {
        reply(answer);
        this.#close(outgoing);
      });
      outgoing.send(query, this.#knotPort, "127.0.0.1");
    }
  }

  #close(outgoing: Socket): void {
    if (this.#outgoing.delete(outgoing)) outgoing.close();
  }

  /** Stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const outgoing of this.#outgoing) this.#close(outgoing);
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }
}
