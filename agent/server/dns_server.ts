/**
 * The DNS listeners: UDP and TCP sockets on each address, opened, replaced and drained together.
 *
 * @module
 */
import type { Clock } from "../system/clock.ts";
import { sleep } from "../system/clock.ts";
import { canonicalAddress } from "../dns/ip_address.ts";
import type { Logger } from "../system/log.ts";
import type {
  ListenAddress,
  MessageStream,
  Network,
  TcpListener,
  UdpHandlers,
  UdpSocket,
} from "../system/network.ts";
import type { InheritedSocket } from "../system/inherited_sockets.ts";
import { formatSocketAddress, isLoopback, type SocketAddress } from "../system/socket_address.ts";
import { ListenError } from "./errors.ts";
import type { FastPath } from "./fast_path.ts";
import type { QueryHandler } from "./query_handler.ts";

/** What a {@link DnsServer} is made of. */
export interface DnsServerOptions {
  /** Opens the sockets. */
  network: Network;
  /** Opens UDP sockets on loopback where it is there. */
  fastPath?: () => Pick<FastPath, "bindUdp"> | undefined;
  /** Ends idle connections and the drain. */
  clock: Clock;
  /** Sockets that are open already: they serve their addresses. */
  inherited?: readonly InheritedSocket[];
  /** Answers the messages. */
  handler: QueryHandler;
  /** Who may ask on a socket that others can reach; on loopback everybody may who gets there. */
  isAllowed: (client: string) => boolean;
  /** What the kernel keeps of queries that wait: bursts queue there and not in our memory. */
  receiveBufferBytes: () => number;
  /** For failures of sockets. */
  log: Logger;
  /** See {@link TCP_CLIENTS_DEFAULT}. */
  maxTcpClients?: number;
}

/** TCP connections at a time, all clients together; the one idle longest makes room for a new one. */
export const TCP_CLIENTS_DEFAULT = 200;
/** How long a TCP connection may be idle, in milliseconds (RFC 7766 section 6.2.3: seconds). */
export const TCP_IDLE_MS = 10_000;
/** Questions of one TCP connection that may wait for answers; reading stops there. */
export const TCP_PIPELINE_MAX = 64;
/** What may wait for a client that reads slowly, in octets: two of the longest answers. */
export const TCP_QUEUE_MAX_OCTETS = 2 * 65_537;
/** How long a drain waits for answers that are under way, in milliseconds: past the 4.5 s of a question. */
export const DRAIN_MS = 5_000;

/** One address with its two sockets. */
interface Listener {
  udp: UdpSocket;
  tcp: TcpListener;
}

interface TcpClient {
  stream: MessageStream;
  waiting: number;
  idleSinceMs: number;
}

/** Serves DNS on any number of addresses. */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #tcpClients = new Set<TcpClient>();
  #cancelSweep: (() => void) | undefined;

  /** Wires the parts; {@link replaceListeners} opens the sockets. */
  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /**
   * Listens on `addresses` and no others. Where one cannot be opened, those of before stay.
   *
   * @throws {ListenError} naming the address
   */
  async replaceListeners(addresses: readonly SocketAddress[]): Promise<void> {
    const wanted = new Map(addresses.map((address) => [keyOf(address), address]));
    const opened = new Map<string, Listener>();
    try {
      for (const [key, address] of wanted) {
        if (!this.#listeners.has(key)) opened.set(key, await this.#open(address));
      }
    } catch (error) {
      for (const listener of opened.values()) closeListener(listener);
      throw error;
    }
    for (const [key, listener] of this.#listeners) {
      if (wanted.has(key)) continue;
      closeListener(listener);
      this.#listeners.delete(key);
    }
    for (const [key, listener] of opened) this.#listeners.set(key, listener);
    this.#cancelSweep ??= this.#scheduleSweep();
  }

  /** The addresses that are served, with the ports that the kernel chose. */
  get addresses(): SocketAddress[] {
    return [...this.#listeners.values()].map(({ udp }) => udp.local);
  }

  /**
   * Ends: takes no new connections, answers what is in flight, for at most {@link DRAIN_MS}, and closes.
   * UDP sockets stay readable until then, so that a query that was already sent is answered; those that
   * live on are left to the next process at once, or queries without end would be cut off in the end.
   */
  async drain(): Promise<void> {
    for (const { tcp } of this.#listeners.values()) tcp.close();
    await Promise.all([...this.#listeners.values()].map(({ udp }) => udp.stopReading?.()));
    const limit = new AbortController();
    await Promise.race([
      this.#options.handler.settled(),
      sleep(this.#options.clock, DRAIN_MS, limit.signal).catch(() => {}),
    ]);
    limit.abort();
    this.#cancelSweep?.();
    for (const { udp } of this.#listeners.values()) udp.close();
    this.#listeners.clear();
    for (const { stream } of this.#tcpClients) stream.close();
  }

  async #open(address: SocketAddress, tries = 5): Promise<Listener> {
    const { network, handler, log } = this.#options;
    const udp: UdpSocket = await this.#bindUdp(address, {
      onMessage: (message, from) => {
        // Source port 0 cannot be answered.
        if (from.port === 0) return;
        const origin = { transport: "udp", client: from.address } as const;
        const reply = (answer: Uint8Array) => udp.send(answer, from);
        if (this.#mayAsk(address, from)) handler.handle(message, origin, reply);
        else handler.refuse(message, origin, reply);
      },
      onError: (error) => log.debug("A UDP answer could not be sent", { reason: error.message }),
    });
    try {
      // The port that the kernel chose for UDP serves TCP as well.
      const local = { address: address.address, port: udp.local.port };
      return {
        udp,
        tcp: await network.listenTcp(
          this.#socketOf("tcp", local),
          (stream) => this.#accept(stream, address),
        ),
      };
    } catch (cause) {
      udp.close();
      // … unless another program has it for TCP: then the kernel chooses again.
      if (address.port === 0 && tries > 1) return this.#open(address, tries - 1);
      throw new ListenError(address, "tcp", cause);
    }
  }

  /** Who may ask is the slow path's to decide, so that workers serve only what everybody may ask. */
  async #bindUdp(address: SocketAddress, handlers: UdpHandlers): Promise<UdpSocket> {
    const { network, fastPath } = this.#options;
    const options = { receiveBufferBytes: this.#options.receiveBufferBytes() };
    const where = this.#socketOf("udp", address);
    const fast = isLoopback(address.address) ? fastPath?.() : undefined;
    try {
      return fast?.bindUdp(where, handlers, options) ??
        await network.bindUdp(where, handlers, options);
    } catch (cause) {
      throw new ListenError(address, "udp", cause);
    }
  }

  /** An address, with the socket that is open there already. */
  #socketOf(kind: InheritedSocket["kind"], address: SocketAddress): ListenAddress {
    const found = this.#options.inherited?.find((socket) =>
      socket.kind === kind && keyOf(socket.local) === keyOf(address)
    );
    return found === undefined ? address : { ...address, fd: found.fd };
  }

  /**
   * Decided by what the socket is bound to, never by a loopback source address: a client that was
   * redirected here shows the machine's own, and so may a packet from elsewhere.
   */
  #mayAsk(listener: SocketAddress, client: SocketAddress): boolean {
    return isLoopback(listener.address) || this.#options.isAllowed(client.address);
  }

  #accept(stream: MessageStream, listener: SocketAddress) {
    const { handler, clock } = this.#options;
    const origin = { transport: "tcp", client: stream.remote.address } as const;
    const mayAsk = this.#mayAsk(listener, stream.remote);
    const client: TcpClient = { stream, waiting: 0, idleSinceMs: clock.monotonicMs() };
    if (this.#tcpClients.size >= (this.#options.maxTcpClients ?? TCP_CLIENTS_DEFAULT)) {
      this.#closeLongestIdle();
    }
    this.#tcpClients.add(client);
    return {
      onMessage: (message: Uint8Array) => {
        if (!mayAsk) {
          handler.refuse(message, origin, (answer) => stream.send(answer));
          stream.close();
          return;
        }
        if (++client.waiting >= TCP_PIPELINE_MAX) stream.pause();
        const answerable = handler.handle(message, origin, (answer) => {
          client.waiting--;
          client.idleSinceMs = clock.monotonicMs();
          stream.send(answer);
          // A client that does not read its answers is cut off: they may not pile up here.
          if (stream.queuedOctets > TCP_QUEUE_MAX_OCTETS) stream.destroy();
          else if (client.waiting < TCP_PIPELINE_MAX) stream.resume();
        });
        // What follows a message that is no query cannot be trusted to be one.
        if (!answerable) stream.destroy();
      },
      onClose: () => void this.#tcpClients.delete(client),
    };
  }

  #closeLongestIdle(): void {
    const [first] = [...this.#tcpClients].sort((a, b) => a.idleSinceMs - b.idleSinceMs);
    this.#tcpClients.delete(first);
    first.stream.destroy();
  }

  #scheduleSweep(): () => void {
    return this.#options.clock.schedule(TCP_IDLE_MS / 4, () => {
      const nowMs = this.#options.clock.monotonicMs();
      for (const { stream, waiting, idleSinceMs } of this.#tcpClients) {
        if (waiting === 0 && nowMs - idleSinceMs >= TCP_IDLE_MS) stream.close();
      }
      this.#cancelSweep = this.#scheduleSweep();
    });
  }
}

/** The same for every way to write an address. */
function keyOf({ address, port }: SocketAddress): string {
  return formatSocketAddress({ address: canonicalAddress(address) ?? address, port });
}

function closeListener({ udp, tcp }: Listener): void {
  udp.close();
  tcp.close();
}
