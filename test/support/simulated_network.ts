/**
 * A network in memory with both ends: hosts with addresses, UDP that loses, delays, repeats and reorders
 * as the test says, and TCP connections that carry whole messages.
 *
 * @module
 */
import type { Clock } from "../../agent/system/clock.ts";
import type {
  InterfaceAddress,
  MessageStream,
  MessageStreamHandlers,
  Network,
  TcpListener,
  UdpHandlers,
  UdpSocket,
} from "../../agent/system/network.ts";
import { formatSocketAddress, type SocketAddress } from "../../agent/system/socket_address.ts";
import { StreamPair } from "./simulated_stream.ts";

/** One datagram on its way. */
export interface Datagram {
  /** Who sent it, or seems to have. */
  from: SocketAddress;
  /** Where it goes. */
  to: SocketAddress;
  /** What it carries. */
  message: Uint8Array;
}

/** What becomes of a connection that is opened. */
export type TcpFate = "open" | "refused" | "no answer";

/** All hosts, and the way between them. */
export class SimulatedNetwork {
  /** Times the ways. */
  readonly clock: Clock;
  /** Sockets by what they are bound to. */
  readonly #udp = new Map<string, UdpHandlers>();
  readonly #tcp = new Map<string, ListeningHost>();
  #port = 32_768;
  /** The delay of each copy of a datagram that arrives, in milliseconds; none means that it is lost. */
  way: (datagram: Datagram) => number[] = () => [0];
  /** What becomes of a connection. */
  tcpFate: (remote: SocketAddress) => TcpFate = () => "open";
  /** How long each direction of a connection takes, in milliseconds. */
  tcpDelayMs: (local: SocketAddress, remote: SocketAddress) => number = () => 0;

  /** @param clock times the ways */
  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Puts a datagram on its way; also one whose sender is a lie. */
  send(datagram: Datagram): void {
    for (const delayMs of this.way(datagram)) this.deliver(datagram, delayMs);
  }

  /** Lets a datagram arrive after `delayMs`, past {@link way}. */
  deliver({ from, to, message }: Datagram, delayMs: number): void {
    this.clock.schedule(delayMs, () => this.#receiver(to)?.onMessage(message.slice(), from));
  }

  /** A machine with addresses; the first of each family is what it sends from. */
  host(addresses: readonly string[]): SimulatedHost {
    return new SimulatedHost(this, addresses);
  }

  /** Binds a UDP socket. @throws EADDRINUSE as the kernel does */
  bindUdp(local: SocketAddress, handlers: UdpHandlers): () => void {
    return claim(this.#udp, local, handlers);
  }

  /** Binds a listening TCP socket. @throws EADDRINUSE as the kernel does */
  listenTcp(local: SocketAddress, listening: ListeningHost): () => void {
    return claim(this.#tcp, local, listening);
  }

  /** Who listens at an address. */
  listenerAt(to: SocketAddress): ListeningHost | undefined {
    return this.#tcp.get(formatSocketAddress(to)) ?? this.#tcp.get(anyAddress(to));
  }

  /** A port that no UDP socket of the address has. */
  freePort(address: string): number {
    do this.#port = this.#port === 60_999 ? 32_768 : this.#port + 1; while (
      this.#udp.has(formatSocketAddress({ address, port: this.#port }))
    );
    return this.#port;
  }

  #receiver(to: SocketAddress): UdpHandlers | undefined {
    return this.#udp.get(formatSocketAddress(to)) ?? this.#udp.get(anyAddress(to));
  }
}

/** A listening socket. */
export interface ListeningHost {
  /** Whose streams are counted. */
  host: SimulatedHost;
  /** Takes a connection. */
  accept(stream: MessageStream): MessageStreamHandlers;
}

/** One machine. Each {@link Network} of a test is one; several may share their addresses. */
export class SimulatedHost implements Network {
  readonly #network: SimulatedNetwork;
  readonly #addresses: readonly string[];
  /** UDP sockets and listeners that are open now. */
  openSockets = 0;
  /** Ends of connections that are open now. */
  openStreams = 0;

  /** @param addresses literals of either family; the first of each is what it sends from */
  constructor(network: SimulatedNetwork, addresses: readonly string[]) {
    this.#network = network;
    this.#addresses = addresses;
  }

  /** See {@link Network.bindUdp}. */
  bindUdp(local: SocketAddress, handlers: UdpHandlers): Promise<UdpSocket> {
    const bound = this.#bound(local);
    return this.#open(() => this.#network.bindUdp(bound, handlers), (release) => ({
      local: bound,
      send: (message, to) => {
        const from = this.#sender(bound, to);
        if (from !== undefined) this.#network.send({ from, to, message: message.slice() });
        else handlers.onError(new Error(`EHOSTUNREACH ${formatSocketAddress(to)}`));
      },
      close: release,
    }));
  }

  /** See {@link Network.listenTcp}. */
  listenTcp(
    local: SocketAddress,
    onStream: (stream: MessageStream) => MessageStreamHandlers,
  ): Promise<TcpListener> {
    const bound = this.#bound(local);
    const listening = { host: this, accept: onStream };
    return this.#open(
      () => this.#network.listenTcp(bound, listening),
      (release) => ({ local: bound, close: release }),
    );
  }

  /** See {@link Network.connectTcp}. */
  connectTcp(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    signal: AbortSignal,
  ): Promise<MessageStream> {
    const network = this.#network;
    const { clock } = network;
    const local = this.#sender({ address: "", port: network.freePort("") }, remote);
    if (local === undefined) return Promise.reject(new Error("connect EHOSTUNREACH"));
    const delayMs = network.tcpDelayMs(local, remote);
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      if (network.tcpFate(remote) === "no answer") return;
      clock.schedule(2 * delayMs, () => {
        signal.removeEventListener("abort", abort);
        if (signal.aborted) return;
        const listener = network.listenerAt(remote);
        if (listener === undefined || network.tcpFate(remote) === "refused") {
          const error = new Error(`connect ECONNREFUSED ${formatSocketAddress(remote)}`);
          return reject(Object.assign(error, { code: "ECONNREFUSED" }));
        }
        const pair = new StreamPair({ local, remote, clock, delayMs });
        pair.near.attach(handlers, this);
        pair.far.attach(listener.accept(pair.far), listener.host);
        resolve(pair.near);
      });
    });
  }

  /** Connects as by TLS: to whom listens there by TCP, whose certificate is never looked at. */
  connectTls(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    options: { signal: AbortSignal },
  ): Promise<MessageStream> {
    return this.connectTcp(remote, handlers, options.signal);
  }

  /** See {@link Network.interfaceAddresses}. */
  interfaceAddresses(): InterfaceAddress[] {
    return this.#addresses.map((address) => {
      const internal = address.startsWith("127.") || address === "::1";
      return { interface: internal ? "lo" : "eth0", address, internal };
    });
  }

  #bound({ address, port }: SocketAddress): SocketAddress {
    return { address, port: port === 0 ? this.#network.freePort(address) : port };
  }

  /** The address that a datagram leaves from; undefined without one of that family. */
  #sender(bound: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    const unbound = bound.address === "" || bound.address === "0.0.0.0" || bound.address === "::";
    if (!unbound) return bound;
    const family = this.#addresses.filter((address) => isIpv6(address) === isIpv6(to.address));
    const address = family.includes(to.address) ? to.address : family[0];
    return address === undefined ? undefined : { address, port: bound.port };
  }

  #open<T>(claimIt: () => () => void, make: (release: () => void) => T): Promise<T> {
    try {
      const free = claimIt();
      this.openSockets++;
      let open = true;
      return Promise.resolve(make(() => {
        if (!open) return;
        open = false;
        this.openSockets--;
        free();
      }));
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function claim<T>(taken: Map<string, T>, local: SocketAddress, value: T): () => void {
  const key = formatSocketAddress(local);
  if (taken.has(key)) {
    throw Object.assign(new Error(`bind EADDRINUSE ${key}`), { code: "EADDRINUSE" });
  }
  taken.set(key, value);
  return () => void taken.delete(key);
}

function anyAddress({ address, port }: SocketAddress): string {
  return isIpv6(address) ? `[::]:${port}` : `0.0.0.0:${port}`;
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}
