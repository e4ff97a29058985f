/**
 * A nameserver over TLS on loopback, with a certificate authority of its own.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { SocketAddress } from "../../agent/system/socket_address.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** One message that the server got. */
export interface TlsMessage {
  /** The message. */
  message: Uint8Array;
  /** Counts connections from 1. */
  connection: number;
  /** Answers. */
  reply(message: Uint8Array): void;
  /** Closes the connection. */
  close(): void;
}

/** How a server is set up. */
export interface TlsNameServerOptions {
  /** Names and addresses in the certificate. */
  names: { type: "dns" | "ip"; value: string }[];
  /** Days from now to the end of its life; a day unless given. */
  validDays?: number;
  /** What it does with each message. */
  onMessage(received: TlsMessage): void;
}

/** A server that is listening. */
export class TlsNameServer implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The root that vouches for it, in PEM. */
  readonly root: string;
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Connections whose handshake was finished. */
  connections = 0;

  private constructor(server: Server, root: string, options: TlsNameServerOptions) {
    this.#server = server;
    this.root = root;
    this.address = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
    server.on("tlsClientError", () => {});
    server.on("secureConnection", (socket: Socket) => {
      const connection = ++this.connections;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      let pending = Buffer.alloc(0);
      socket.on("data", (chunk: Uint8Array) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
          const end = 2 + pending.readUInt16BE(0);
          const message = Uint8Array.from(pending.subarray(2, end));
          pending = pending.subarray(end);
          options.onMessage({
            message,
            connection,
            reply: (answer) => {
              const length = Uint8Array.of(answer.length >> 8, answer.length & 0xff);
              socket.write(Buffer.concat([length, answer]));
            },
            close: () => void socket.destroy(),
          });
        }
      });
    });
  }

  /** Makes the certificates and listens on 127.0.0.1. */
  static async start(options: TlsNameServerOptions): Promise<TlsNameServer> {
    const { root, certificate, key } = await certificates(options);
    const server = createServer({ cert: certificate, key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    return new TlsNameServer(server, root, options);
  }

  /** Closes it and its connections. */
  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

async function certificates({ names, validDays = 1 }: TlsNameServerOptions) {
  const makeKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const [rootKeys, keys] = [await makeKeys(), await makeKeys()];
  const now = Date.now();
  const life = {
    notBefore: new Date(now - 2 * DAY_MS),
    notAfter: new Date(now + validDays * DAY_MS),
    signingAlgorithm: ALGORITHM,
  };
  const root = await X509CertificateGenerator.createSelfSigned({
    ...life,
    notAfter: new Date(now + DAY_MS),
    name: "CN=Root of a test",
    keys: rootKeys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  const certificate = await X509CertificateGenerator.create({
    ...life,
    subject: "CN=Nameserver of a test",
    issuer: root.subject,
    signingKey: rootKeys.privateKey,
    publicKey: keys.publicKey,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  const body = Buffer.from(pkcs8).toString("base64");
  return {
    root: root.toString("pem"),
    certificate: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
  };
}
