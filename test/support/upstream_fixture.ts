/**
 * Upstream servers on a network in memory, asked while a clock that the test moves goes on.
 *
 * @module
 */
// @ts-types="@types/dns-packet"
import type { Packet } from "dns-packet";
import { formatType, RecordType } from "../../agent/dns/codes.ts";
import { formatAddress } from "../../agent/dns/ip_address.ts";
import { decodeName } from "../../agent/dns/name.ts";
import { silentLog } from "../../agent/system/log.ts";
import { type Nameserver, parseNameserver } from "../../agent/system/nameserver.ts";
import type { UpstreamOutcome } from "../../agent/upstream/tries.ts";
import {
  UpstreamServers,
  type UpstreamServersOptions,
} from "../../agent/upstream/upstream_servers.ts";
import { answerMessage, readMessage } from "./dns_messages.ts";
import { FakeNetwork, type FakeServer } from "./fake_network.ts";
import { FixedRandom } from "./fixed_random.ts";
import { ManualClock } from "./manual_clock.ts";

/** What an answer is to say; without `data` and `records` it has none. */
export interface AnswerParts {
  /** The one address. */
  data?: string;
  /** Records instead. */
  records?: Packet["answers"];
  /** Added to QR, RD and RA; the last four bits are the rcode. */
  flags?: number;
  /** The query's, unless given. */
  id?: number;
  /** The query's, unless given. */
  name?: string;
  /** Octets of a COOKIE option. */
  cookie?: Uint8Array;
  /** The upper bits of the rcode. */
  extendedRcode?: number;
}

/** An answer to `query`; the letter case of the question is kept. */
export function answerTo(query: Uint8Array, parts: AnswerParts = {}): Uint8Array {
  const asked = readMessage(query);
  const name = parts.name ?? asked.questions![0].name;
  const { data, cookie, extendedRcode = 0 } = parts;
  const withOpt = cookie !== undefined || extendedRcode > 0;
  const answers = parts.records ?? (data === undefined ? [] : [{ type: "A", name, ttl: 60, data }]);
  return answerMessage({
    id: parts.id ?? asked.id ?? 0,
    name,
    questionType: asked.questions![0].type,
    flags: 0x0180 | (parts.flags ?? 0),
    answers: answers as NonNullable<Packet["answers"]>,
    additionals: !withOpt ? [] : [{
      type: "OPT",
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: cookie === undefined ? [] : [{ code: 10, data: cookie }],
    }] as unknown as NonNullable<Packet["additionals"]>,
  });
}

/** The options of a query's OPT record by code; undefined without OPT. */
export function optionsOf(query: Uint8Array): Map<number, Uint8Array> | undefined {
  const opt = readMessage(query).additionals?.[0] as unknown as
    | { options: { code: number; data: Uint8Array }[] }
    | undefined;
  return opt && new Map(opt.options.map(({ code, data }) => [code, Uint8Array.from(data)]));
}

/** Answers with one address, after 10 ms unless told otherwise. */
export const answering = (data: string, delayMs = 10): FakeServer => ({ message, reply }) =>
  reply(answerTo(message, { data }), { delayMs });
/** Answers with a response code. */
export const refusing = (rcode: number): FakeServer => ({ message, reply }) =>
  reply(answerTo(message, { flags: rcode }));
/** Never answers. */
export const silent: FakeServer = () => {};

/** Servers, and what was seen of them. */
export class UpstreamFixture {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  /** What the observer was told, in words, since {@link takeSeen}. */
  seen: string[] = [];
  readonly upstream: UpstreamServers;

  /** @param servers of the default group, by the text of a nameserver */
  constructor(
    servers: Record<string, FakeServer> = {},
    options: Partial<UpstreamServersOptions> = {},
  ) {
    const see = (words: string) => void this.seen.push(words);
    this.upstream = new UpstreamServers({
      network: this.network,
      clock: this.clock,
      random: new FixedRandom(),
      log: silentLog,
      observer: {
        onRequest: (server) => see(`ask ${server}`),
        onAnswer: (server) => see(`answer ${server}`),
        onFailure: (server, reason) => see(`${reason} ${server}`),
        onHedge: (server) => see(`hedge ${server}`),
        onRetry: (server) => see(`retry ${server}`),
        onMismatch: (server) => see(`mismatch ${server}`),
        onTcpFallback: (server, reason) => see(`TCP ${server}: ${reason}`),
      },
      ...options,
    });
    this.replace(servers);
  }

  /** Puts servers in force, and on the network. */
  replace(
    servers: Record<string, FakeServer>,
    domains: Record<string, Record<string, FakeServer>> = {},
  ): void {
    const nameservers = (group: Record<string, FakeServer>): Nameserver[] =>
      Object.entries(group).map(([text, server]) => {
        const nameserver = parseNameserver(text)!;
        this.serve(text, server);
        return nameserver;
      });
    this.upstream.replaceServers({
      servers: nameservers(servers),
      domains: Object.entries(domains).map(([domain, group]) => ({
        domain,
        servers: nameservers(group),
      })),
    });
  }

  /** Replaces what a server does. */
  serve(text: string, server: FakeServer): void {
    const { address } = parseNameserver(text)!;
    const host = address.address.includes(":") ? `[${address.address}]` : address.address;
    this.network.serve(`${host}:${address.port}`, server);
  }

  /** Asks, and lets `ms` pass. */
  async ask(
    ms: number,
    name = "www.example.org",
    type: number = RecordType.A,
  ): Promise<UpstreamOutcome | undefined> {
    let outcome: UpstreamOutcome | undefined;
    const question = { name, type, class: 1 };
    const request = { question, dnssecOk: false, checkingDisabled: false };
    void this.upstream.exchange(request).then((result) => outcome = result);
    await this.clock.advance(ms);
    return outcome;
  }

  /** Like {@link ask}, in words: `192.0.2.1:53 192.0.2.80`. */
  async answer(ms: number, name?: string): Promise<string> {
    const outcome = await this.ask(ms, name);
    if (outcome === undefined) return "nothing yet";
    if (outcome.kind === "failure") return `failure: ${outcome.reason}`;
    const records = outcome.answer.answers.map(({ type, rdata }) =>
      type === RecordType.CNAME
        ? `-> ${decodeName(rdata, 0)!.name}`
        : type === RecordType.A
        ? formatAddress(rdata)
        : formatType(type)
    );
    const { rcode } = outcome.answer;
    return [outcome.server, ...rcode === 0 ? [] : [`rcode ${rcode}`], ...records].join(" ");
  }

  /** What was seen, and forgets it. */
  takeSeen(): string[] {
    const seen = this.seen;
    this.seen = [];
    return seen;
  }
}
