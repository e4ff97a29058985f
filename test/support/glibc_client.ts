/**
 * A program that resolves through glibc, with a resolver set-up of its own, and what it sends counted
 * where it arrives.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { join } from "node:path";
import { readMessage } from "./dns_messages.ts";
import { runToEnd } from "../support/child_process.ts";

/** Passes datagrams on to a DNS server, and keeps the questions. */
export class CountingRelay implements AsyncDisposable {
  /** `name type`, in the order in which they came. */
  readonly questions: string[] = [];
  readonly #socket: Socket;
  readonly #outgoing = new Set<Socket>();

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Listens on port 53 of a loopback address, since resolv.conf names no other port. */
  static async start(address: string, targetPort: number): Promise<CountingRelay> {
    const socket = createSocket("udp4");
    const relay = new CountingRelay(socket);
    socket.on("message", (query, client) => {
      const { questions: [{ name, type }] } = readMessage(query) as {
        questions: { name: string; type: string }[];
      };
      relay.questions.push(`${name} ${type}`);
      const outgoing = createSocket("udp4");
      relay.#outgoing.add(outgoing);
      outgoing.once("message", (answer) => {
        socket.send(answer, client.port, client.address);
        relay.#close(outgoing);
      });
      outgoing.send(query, targetPort, "127.0.0.1");
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(53, address, resolve);
    });
    return relay;
  }

  #close(outgoing: Socket): void {
    if (this.#outgoing.delete(outgoing)) outgoing.close();
  }

  /** Stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const outgoing of this.#outgoing) this.#close(outgoing);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** The command that runs a program with a resolv.conf of its own, in a mount namespace of its own. */
export async function withResolvConf(
  folder: string,
  { nameserver, search }: { nameserver: string; search: readonly string[] },
): Promise<string[]> {
  const resolvConf = join(folder, `resolv.conf-${nameserver}`);
  const nsswitch = join(folder, "nsswitch.conf");
  await Deno.writeTextFile(
    resolvConf,
    `nameserver ${nameserver}\nsearch ${search.join(" ")}\noptions ndots:5\n`,
  );
  await Deno.writeTextFile(nsswitch, "hosts: dns\n");
  const script = 'mount --bind "$0" /etc/resolv.conf && mount --bind "$1" /etc/nsswitch.conf && ' +
    'shift && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, resolvConf, nsswitch];
}

/** The addresses that `getent ahosts` gives for a name. */
export async function getent(prefix: readonly string[], name: string): Promise<string[]> {
  const [program, ...args] = [...prefix, "getent", "ahosts", name];
  const output = await runToEnd(program, args);
  return [...new Set(output.trim().split("\n").map((line) => line.split(/\s+/)[0]))];
}
