/**
 * The upstream server of `outrigger demo`: a few names on a real socket, and a count of what is asked.
 *
 * @module
 */
import { localAnswer } from "../dns/answer.ts";
import { formatType, Rcode, RecordType } from "../dns/codes.ts";
import { encodeAnswer, udpAnswerLimit } from "../dns/encode_answer.ts";
import { parseAddress } from "../dns/ip_address.ts";
import { decodeQuery } from "../dns/query.ts";
import { addressRecord, soaRecord } from "../dns/record.ts";
import type { Network, UdpSocket } from "../system/network.ts";
import type { SocketAddress } from "../system/socket_address.ts";

/** A nameserver for a handful of IPv4 addresses. */
export class DemoUpstream {
  readonly #socket: UdpSocket;
  /** `name TYPE` of each query, in order. */
  readonly queries: string[] = [];

  private constructor(socket: UdpSocket) {
    this.#socket = socket;
  }

  /** Starts one on a free port of 127.0.0.1. */
  static async start(network: Network, names: Record<string, string>): Promise<DemoUpstream> {
    const local = { address: "127.0.0.1", port: 0 };
    const socket: UdpSocket = await network.bindUdp(local, {
      onMessage: (message, from) => {
        const decoded = decodeQuery(message);
        if (decoded.kind !== "query") return;
        const { query } = decoded;
        const { name, type } = query.question;
        server.queries.push(`${name} ${formatType(type)}`);
        const address = names[name];
        const answers = address !== undefined && type === RecordType.A
          ? [addressRecord(name, parseAddress(address)!, { ttlSeconds: 60 })]
          : [];
        const answer = localAnswer({
          rcode: address === undefined ? Rcode.NXDOMAIN : Rcode.NOERROR,
          answers,
          authority: answers.length > 0 ? [] : [soaRecord("", { ttlSeconds: 60 })],
        });
        socket.send(encodeAnswer(query, answer, { maxOctets: udpAnswerLimit(query) }), from);
      },
      onError: () => {},
    });
    const server = new DemoUpstream(socket);
    return server;
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#socket.local;
  }

  /** Closes it. */
  close(): void {
    this.#socket.close();
  }
}
