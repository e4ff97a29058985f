/**
 * How an upstream server of a story may behave, and the words for it: what stands behind `server
 * 192.0.2.53`, and in the block below it.
 *
 * @module
 */
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import type { TcpFate } from "../support/simulated_network.ts";
import { parseDurationMs } from "./duration.ts";
import { parseRecordLine } from "./record_line.ts";
import type { ScriptedServer } from "./scripted_server.ts";

/** Replies that are not the answer and come before it. */
export interface Forgery {
  kind: "id" | "question" | "sender" | "garbage";
  count: number;
  /** Who seems to have sent it; an empty address is the server's own. */
  from?: SocketAddress;
}

/** How a server behaves. */
export interface Behaviour {
  silent: Set<"UDP" | "TCP">;
  /** How many more questions get lost. */
  losses: number;
  delayMs: number;
  copies: number;
  /** Instead of an answer. */
  rcode: string | undefined;
  truncates: boolean;
  cutsShort: boolean;
  authenticated: boolean;
  refusesEdns: boolean;
  ignoresEdns: boolean;
  /** What becomes of connections; `closed` opens them and closes them at the first question. */
  tcp: TcpFate | "closed";
  forgeries: Forgery[];
}

/** How long a server takes unless told otherwise, in milliseconds. */
const USUAL_DELAY_MS = 5;

/** A good server. */
export function usualBehaviour(): Behaviour {
  return {
    silent: new Set(),
    losses: 0,
    delayMs: USUAL_DELAY_MS,
    copies: 1,
    rcode: undefined,
    truncates: false,
    cutsShort: false,
    authenticated: false,
    refusesEdns: false,
    ignoresEdns: false,
    tcp: "open",
    forgeries: [],
  };
}

/** What a line does to a server. */
export type ServerChange = (server: ScriptedServer) => void;

/** Words for a behaviour; each may end in `for NAME`. */
const BEHAVIOURS: {
  /** As it is documented. */
  form: string;
  pattern: RegExp;
  change(behaviour: Behaviour, words: string[]): void;
}[] = [
  {
    form: "is silent",
    pattern: /^is silent$/,
    change: (b) => {
      b.silent = new Set(["UDP", "TCP"]);
      b.tcp = "no answer";
    },
  },
  {
    form: "is silent by TCP",
    pattern: /^is silent by (UDP|TCP)$/,
    change: (b, [transport]) => b.silent.add(transport as "UDP" | "TCP"),
  },
  {
    form: "loses the next 2 questions",
    pattern: /^loses the next (\d+) questions?$/,
    change: (b, [count]) => b.losses = Number(count),
  },
  {
    form: "takes 300 ms",
    pattern: /^takes (.+)$/,
    change: (b, [text]) => b.delayMs = parseDurationMs(text),
  },
  {
    form: "answers SERVFAIL",
    pattern: /^answers (NOERROR|FORMERR|SERVFAIL|NXDOMAIN|NOTIMP|REFUSED)$/,
    change: (b, [rcode]) => b.rcode = rcode,
  },
  { form: "answers twice", pattern: /^answers twice$/, change: (b) => b.copies = 2 },
  { form: "answers cut short", pattern: /^answers cut short$/, change: (b) => b.cutsShort = true },
  {
    form: "answers with AD",
    pattern: /^answers with AD$/,
    change: (b) => b.authenticated = true,
  },
  { form: "truncates", pattern: /^truncates$/, change: (b) => b.truncates = true },
  { form: "refuses EDNS", pattern: /^refuses EDNS$/, change: (b) => b.refusesEdns = true },
  { form: "ignores EDNS", pattern: /^ignores EDNS$/, change: (b) => b.ignoresEdns = true },
  { form: "refuses TCP", pattern: /^refuses TCP$/, change: (b) => b.tcp = "refused" },
  { form: "closes TCP", pattern: /^closes TCP$/, change: (b) => b.tcp = "closed" },
  {
    form: "is preceded by 2 answers with another id",
    pattern: /^is preceded by (\d+) answers? with another (id|question)$/,
    change: (b, [count, kind]) =>
      b.forgeries.push({ kind: kind as "id" | "question", count: Number(count) }),
  },
  {
    form: "is preceded by 2 answers from port 5353",
    pattern: /^is preceded by (\d+) answers? from port (\d+)$/,
    change: (b, [count, port]) => {
      const from = { address: "", port: Number(port) };
      b.forgeries.push({ kind: "sender", count: Number(count), from });
    },
  },
  {
    form: "is preceded by 2 answers from 203.0.113.66",
    pattern: /^is preceded by (\d+) answers? from ([0-9.]+)$/,
    change: (b, [count, address]) => {
      const from = { address, port: 53 };
      b.forgeries.push({ kind: "sender", count: Number(count), from });
    },
  },
  {
    form: "is preceded by 2 messages of garbage",
    pattern: /^is preceded by (\d+) messages? of garbage$/,
    change: (b, [count]) => b.forgeries.push({ kind: "garbage", count: Number(count) }),
  },
];

/** Words for what a server knows and for all that it does. */
const OTHERS: { form: string; pattern: RegExp; change(words: string[]): ServerChange }[] = [
  { form: "is well again", pattern: /^is well again$/, change: () => (server) => server.heal() },
  {
    form: "now has www.example.org 60 A 192.0.2.80",
    pattern: /^now has (.+)$/,
    change: ([line]) => {
      const record = parseRecordLine(line);
      return (server) => {
        const { name, type } = record;
        server.records = server.records.filter((old) => old.name !== name || old.type !== type);
        server.records.push(record);
      };
    },
  },
  {
    form: "no longer has www.example.org",
    pattern: /^no longer has (\S+)$/,
    change: ([name]) => (server) =>
      void (server.records = server.records.filter((old) => old.name !== name)),
  },
  {
    form: "adds to its answers evil.example 300 A 203.0.113.66",
    pattern: /^adds to its (answers|authorities|additionals) (.+)$/,
    change: ([section, line]) => {
      const record = parseRecordLine(line);
      return (server) => void server.extras.push({ section: section as "answers", record });
    },
  },
];

/** Every form, for messages and documentation. */
export const SERVER_FORMS: readonly string[] = [
  ...BEHAVIOURS.map(({ form }) => form),
  ...OTHERS.map(({ form }) => form),
];

/** Reads what a server does; undefined where it is none of the forms. @throws {Error} for bad values */
export function parseServerChange(text: string): ServerChange | undefined {
  for (const { pattern, change } of OTHERS) {
    const match = pattern.exec(text);
    if (match !== null) return change(match.slice(1));
  }
  const [, words, name] = /^(.*?)(?: for (\S+))?$/.exec(text)!;
  for (const { pattern, change } of BEHAVIOURS) {
    const match = pattern.exec(words);
    if (match === null) continue;
    // A trial run finds bad values where the story is read.
    change(usualBehaviour(), match.slice(1));
    return (server) => change(server.behaviour(name), match.slice(1));
  }
  return undefined;
}

/** Reads a line of a server's block: a record, or a behaviour. @throws {Error} where it is neither */
export function parseServerLine(line: string): ServerChange {
  if (/^\S+ \d+ [A-Z]/.test(line)) {
    const record = parseRecordLine(line);
    return (server) => void server.records.push(record);
  }
  const change = parseServerChange(line);
  if (change === undefined) {
    throw new Error(
      `a server does not "${line}"; it holds NAME TTL TYPE DATA, or ${SERVER_FORMS.join(", ")}`,
    );
  }
  return change;
}
