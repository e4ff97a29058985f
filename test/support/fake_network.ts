/**
 * A network in memory: UDP and TCP servers that tests script, on a clock that tests move. Deliveries take
 * no time unless a server says so.
 *
 * @module
 */
import type { Clock } from "../../agent/system/clock.ts";
import type {
  InterfaceAddress,
  MessageStream,
  MessageStreamHandlers,
  Network,
  TlsOptions,
  UdpHandlers,
  UdpSocket,
} from "../../agent/system/network.ts";
import { formatSocketAddress, type SocketAddress } from "../../agent/system/socket_address.ts";

/** One message that a server got, and how it answers. */
export interface ReceivedMessage {
  /** The message. */
  message: Uint8Array;
  /** Which way it came. */
  transport: "udp" | "tcp" | "tls";
  /** Where it came from; the same on each message of a connection. */
  from: SocketAddress;
  /** Answers after `delayMs`, from the server's own address unless another is given (UDP). */
  reply(message: Uint8Array, options?: { delayMs?: number; from?: SocketAddress }): void;
  /** Closes the connection (TCP and TLS). */
  close(): void;
}

/** What a server does with each message. */
export type FakeServer = (received: ReceivedMessage) => void;

/** A {@link Network} without a kernel. */
export class FakeNetwork implements Network {
  readonly #clock: Clock;
  readonly #servers = new Map<string, FakeServer>();
  #port = 40_000;
  /** Sockets that are open now. */
  openSockets = 0;
  /** TCP and TLS connections that were ever made. */
  connections = 0;
  /** Addresses that {@link interfaceAddresses} tells. */
  addresses: InterfaceAddress[] = [];

  /** @param clock what delays are measured by */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a server at `ip:port`. */
  serve(address: string, server: FakeServer): void {
    this.#servers.set(address, server);
  }

  /** See {@link Network.bindUdp}. */
  bindUdp(local: SocketAddress, handlers: UdpHandlers): Promise<UdpSocket> {
    let open = true;
    this.openSockets++;
    const from = { address: "192.0.2.200", port: this.#port++ };
    return Promise.resolve({
      local: { address: local.address, port: from.port },
      send: (message, to) => {
        this.#servers.get(formatSocketAddress(to))?.({
          message,
          transport: "udp",
          from,
          close() {},
          reply: (answer, { delayMs = 0, from = to } = {}) => {
            this.#clock.schedule(delayMs, () => {
              if (open) handlers.onMessage(answer, from);
            });
          },
        });
      },
      close: () => {
        if (open) this.openSockets--;
        open = false;
      },
    });
  }

  /** See {@link Network.connectTcp}. */
  connectTcp(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    signal: AbortSignal,
  ): Promise<MessageStream> {
    return this.#connect(remote, handlers, { signal, transport: "tcp" });
  }

  /** See {@link Network.connectTls}; every certificate is good. */
  connectTls(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    { signal }: TlsOptions,
  ): Promise<MessageStream> {
    return this.#connect(remote, handlers, { signal, transport: "tls" });
  }

  #connect(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    { signal, transport }: { signal: AbortSignal; transport: "tcp" | "tls" },
  ): Promise<MessageStream> {
    const server = formatSocketAddress(remote);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.#servers.has(server)) return Promise.reject(new Error("connection refused"));
    let open = true;
    this.openSockets++;
    this.connections++;
    const from = { address: "192.0.2.200", port: this.#port++ };
    const close = () => {
      if (!open) return;
      open = false;
      this.openSockets--;
      handlers.onClose();
    };
    return Promise.resolve({
      remote,
      local: from,
      queuedOctets: 0,
      send: (message) => {
        if (!open) return;
        this.#servers.get(server)?.({
          message,
          transport,
          from,
          close,
          reply: (answer, { delayMs = 0 } = {}) => {
            this.#clock.schedule(delayMs, () => {
              if (open) handlers.onMessage(answer);
            });
          },
        });
      },
      pause() {},
      resume() {},
      close,
      destroy: close,
    });
  }

  /** Not part of this network. */
  listenTcp(): Promise<never> {
    return Promise.reject(new Error("this network has no listeners"));
  }

  /** See {@link Network.interfaceAddresses}. */
  interfaceAddresses(): InterfaceAddress[] {
    return this.addresses;
  }
}
