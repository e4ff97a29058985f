/**
 * Sockets, as a port, over node:dgram and node:net. Owns every socket of the DNS data path. Knows
 * nothing of DNS but the two-octet length that frames a message on TCP (RFC 1035 section 4.2.2).
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { connect, createServer, isIPv6, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { connect as connectSecurely } from "node:tls";
import { openDatagramSocket } from "./datagram_socket.ts";
import { openInheritedUdp } from "./inherited_sockets.ts";
import { acceptedStream, connectedStream, systemRoots } from "./message_stream.ts";
import { nodeDgramSocket } from "./node_dgram_socket.ts";
import type { SocketAddress } from "./socket_address.ts";

/** A bound UDP socket. */
export interface UdpSocket {
  /** What it is bound to, with the port that the kernel chose. */
  readonly local: SocketAddress;
  /** Sends one datagram; a failure is reported to `onError`. */
  send(message: Uint8Array, to: SocketAddress): void;
  /**
   * Takes no more datagrams than one that is being waited for: the others are left to whoever reads the
   * socket next. Resolves when all that were taken have been given to `onMessage`. Only a socket that
   * outlives this process has it: of any other they would be lost.
   */
  stopReading?(): Promise<void>;
  /** Sends what is under way, then closes it; no callback comes after the call. */
  close(): void;
}

/** Where to listen. */
export interface ListenAddress extends SocketAddress {
  /** A socket that is bound there already, which others hold as well: see `inherited_sockets.ts`. */
  fd?: number;
}

/** Callbacks of a UDP socket. */
export interface UdpHandlers {
  /** One datagram, in memory of its own that belongs to the callee. */
  onMessage(message: Uint8Array, from: SocketAddress): void;
  /** A failure to send or to receive; the socket stays open. */
  onError(error: Error): void;
}

/** One TCP connection that carries length-prefixed messages. */
export interface MessageStream {
  /** The other end. */
  readonly remote: SocketAddress;
  /** The end here. */
  readonly local: SocketAddress;
  /** Sends one message of at most 65,535 octets; it is queued while the peer reads slowly. */
  send(message: Uint8Array): void;
  /** Octets that are queued because the peer reads slowly. */
  readonly queuedOctets: number;
  /** Stops reading until {@link resume}: back-pressure on a peer that asks faster than it is answered. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Sends what is queued, then closes. */
  close(): void;
  /** Closes at once. */
  destroy(): void;
}

/** Callbacks of a {@link MessageStream}. */
export interface MessageStreamHandlers {
  /** One whole message. */
  onMessage(message: Uint8Array): void;
  /** Called once, at the end, with the reason where it was a failure. */
  onClose(error?: Error): void;
}

/** A listening TCP socket. */
export interface TcpListener {
  /** What it is bound to, with the port that the kernel chose. */
  readonly local: SocketAddress;
  /** Accepts no more; open connections go on. */
  close(): void;
}

/** How a TLS connection is made. */
export interface TlsOptions {
  /** Ends the attempt to connect. */
  signal: AbortSignal;
  /** The name that the certificate must be for; the address itself unless given. */
  serverName?: string;
  /** Root certificates in PEM; those of this machine unless given. */
  roots?: readonly string[];
}

/** An address of an interface of this machine. */
export interface InterfaceAddress {
  /** Name of the interface, e.g. `eth0`. */
  interface: string;
  /** IPv4 or IPv6 literal. */
  address: string;
  /** Whether the kernel calls it internal (loopback). */
  internal: boolean;
  /** The range that is reached through it, e.g. `192.0.2.1/24`, where it is known. */
  range?: string;
}

/** The network. */
export interface Network {
  /** Whether its sockets are the kernel's, so that the fast path may open some of its own beside them. */
  readonly isKernel?: boolean;
  /**
   * Opens a UDP socket.
   *
   * @param options `receiveBufferBytes`: of a listener: what the kernel keeps of
   * messages that wait, as far as kernel and runtime let us
   * @throws the runtime's error (EADDRINUSE, EACCES, …)
   */
  bindUdp(
    local: ListenAddress,
    handlers: UdpHandlers,
    options?: { receiveBufferBytes?: number },
  ): Promise<UdpSocket>;
  /** Listens on TCP. @throws the runtime's error */
  listenTcp(
    local: ListenAddress,
    onStream: (stream: MessageStream) => MessageStreamHandlers,
  ): Promise<TcpListener>;
  /** Connects by TCP. @throws the runtime's error, or the signal's reason */
  connectTcp(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    signal: AbortSignal,
  ): Promise<MessageStream>;
  /**
   * Connects by TCP and TLS; nothing is sent before the certificate was verified.
   *
   * @throws the runtime's error (`CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`, …), or the
   * signal's reason
   */
  connectTls(
    remote: SocketAddress,
    handlers: MessageStreamHandlers,
    options: TlsOptions,
  ): Promise<MessageStream>;
  /** Every address of every interface. */
  interfaceAddresses(): InterfaceAddress[];
}

/** The network of this machine. */
export const systemNetwork: Network = {
  isKernel: true,

  async bindUdp(local, handlers, options = {}) {
    if (local.fd !== undefined) return await openInheritedUdp(local.fd, handlers);
    // A listener on `::` must leave IPv4 alone, which the runtime's own datagrams cannot be told.
    const isForBoth = local.address === "::" && options.receiveBufferBytes !== undefined;
    const socket = isForBoth ? undefined : openDatagramSocket(local, handlers);
    return socket ?? await bindDgram(local, handlers, options);
  },

  listenTcp(local, onStream) {
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      const [stream, start] = acceptedStream(socket);
      start(onStream(stream));
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const where = local.fd === undefined
        ? { host: local.address, port: local.port, ipv6Only: true }
        : { fd: local.fd };
      server.listen(where, () => {
        server.off("error", reject);
        server.on("error", () => {});
        const bound = server.address() as { address: string; port: number };
        resolve({
          local: local.fd === undefined
            ? { address: bound.address, port: bound.port }
            : { address: local.address, port: local.port },
          close: () => server.close(),
        });
      });
    });
  },

  connectTcp(remote, handlers, signal) {
    const socket = connect({ host: remote.address, port: remote.port, noDelay: true });
    return connectedStream(socket, "connect", { handlers, signal });
  },

  async connectTls(remote, handlers, { signal, serverName, roots = systemRoots() }) {
    const socket = connectSecurely({
      host: remote.address,
      port: remote.port,
      ca: [...roots],
      // Unless given, the certificate must be for `host`. An address is no server name (RFC 6066 section 3).
      ...(serverName !== undefined && serverName !== remote.address && { servername: serverName }),
      // RFC 7858 section 3.2: nothing older than what BCP 195 allows.
      minVersion: "TLSv1.2",
    });
    socket.setNoDelay(true);
    return await connectedStream(socket, "secureConnect", { handlers, signal });
  },

  interfaceAddresses() {
    return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ address, internal, cidr }) => ({
        interface: name,
        address,
        internal,
        ...(cidr && { range: cidr }),
      }))
    );
  },
};

/** A socket of node:dgram. */
function bindDgram(
  local: SocketAddress,
  handlers: UdpHandlers,
  { receiveBufferBytes }: { receiveBufferBytes?: number },
): Promise<UdpSocket> {
  const type = isIPv6(local.address) ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: local.address, port: local.port, exclusive: true }, () => {
      socket.off("error", reject);
      if (receiveBufferBytes !== undefined) {
        try {
          socket.setRecvBufferSize(receiveBufferBytes);
        } catch { /* a smaller buffer only loses more in a burst */ }
      }
      const { address, port } = socket.address();
      resolve(nodeDgramSocket(socket, { address, port }, handlers));
    });
  });
}
