/**
 * The statements of a story: how each is written, and what it does. This table is the language; a new
 * kind of statement is one entry.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parse as parseYaml } from "yaml";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { parseAddress } from "../../agent/dns/ip_address.ts";
import { parseSocketAddress } from "../../agent/system/socket_address.ts";
import { externalEntry, serviceEntry } from "../support/host_entries.ts";
import { parseAnswerExpectation } from "./answer_expectation.ts";
import { DURATION, parseDurationMs } from "./duration.ts";
import { parseQuestionExpectation } from "./question_expectation.ts";
import type { Scene } from "./scene.ts";
import { parseServerChange, parseServerLine, SERVER_FORMS } from "./server_behaviour.ts";
import { parseClientQuestion } from "./story_client.ts";

/** What a statement does to the scene of its story. */
export type Step = (scene: Scene) => void | Promise<void>;

interface StatementKind {
  /** As it is documented. */
  form: string;
  pattern: RegExp;
  /** What the indented lines below it are; none are allowed where absent. */
  block?: string;
  /** Reads it. @throws {Error} for bad values; `BlockError` where a line of the block is bad */
  read(words: string[], block: readonly string[]): Step;
}

/** A bad line in the block of a statement. */
export class BlockError extends Error {
  /** Index of the line in the block. */
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

const CLIENT = "(client(?: [A-Z])?)";
const WITHIN = `(?:within (${DURATION}), )?`;
const SERVER = "server ([0-9a-f.:\\[\\]]+)";
const pattern = (text: string) => new RegExp(`^${text}$`);
const withinMs = (text: string | undefined) =>
  text === undefined ? undefined : parseDurationMs(text);

/** Every kind of statement. */
export const STATEMENTS: readonly StatementKind[] = [
  {
    form: "mesh",
    pattern: pattern("(?:mesh|the mesh becomes)"),
    block: "HOST ADDRESS…, one host a line; (none) for an empty table",
    read: (_, block) => {
      const entries = eachLine(block, parseHostLine).filter((entry) => entry !== undefined);
      return (scene) => scene.push(entries);
    },
  },
  {
    form: "server 192.0.2.53",
    pattern: pattern(SERVER),
    block: "records and behaviours",
    read: ([address], block) => {
      checkServer(address);
      const changes = eachLine(block, parseServerLine);
      return (scene) => {
        const server = scene.server(address);
        for (const change of changes) change(server);
      };
    },
  },
  {
    form: "config dns.searchDomains [corp.example]",
    pattern: pattern("config (\\S+) (.+)"),
    read: ([key, value]) => {
      const parsed = parseYaml(value);
      return (scene) => void (scene.vm.settings[key] = parsed);
    },
  },
  {
    form: "file /etc/resolv.conf",
    pattern: pattern("file (/\\S+)"),
    block: "its text",
    read: ([path], block) => {
      const text = block.map((line) => `${line}\n`).join("");
      return (scene) => scene.vm.files.write(path, text);
    },
  },
  {
    form: "file /etc/resolv.conf is removed",
    pattern: pattern("file (/\\S+) is removed"),
    read: ([path]) => (scene) => scene.vm.files.remove(path),
  },
  {
    form: "the agent starts",
    pattern: pattern("the agent (starts|restarts|stops|reloads)"),
    read: ([what]) => async (scene) => {
      if (what === "starts") await scene.start();
      else if (what === "restarts") await scene.restart();
      else if (what === "stops") await scene.vm.stop();
      else await scene.vm.reload();
    },
  },
  {
    form: "the agent reports NO_UPSTREAM",
    pattern: pattern("the agent reports (no problem|[A-Z_]+)"),
    read: ([code]) => (scene) => scene.expectProblem(code === "no problem" ? undefined : code),
  },
  {
    form: "the table on the disk is damaged",
    pattern: pattern("the table on the disk is damaged"),
    read: () => (scene) => scene.vm.damageTable(),
  },
  {
    form: "no socket towards a server stays open",
    pattern: pattern("no socket towards a server stays open"),
    read: () => (scene) => scene.expectNoUpstreamSocket(),
  },
  {
    form: "30 s pass",
    pattern: pattern(`(${DURATION}) pass(?:es)?`),
    read: ([text]) => {
      const ms = parseDurationMs(text);
      return (scene) => scene.pass(ms);
    },
  },
  {
    form: "the wall clock jumps 2 h ahead",
    pattern: pattern(`the wall clock jumps (${DURATION}) (ahead|back)`),
    read: ([text, way]) => {
      const ms = parseDurationMs(text) * (way === "back" ? -1 : 1);
      return (scene) => scene.jumpWall(ms);
    },
  },
  {
    form: "client asks www.example.org A, EDNS 1232, DO, by TCP",
    pattern: pattern(`${CLIENT} asks (\\S+ [A-Z].*)`),
    read: ([client, text]) => {
      const questions = parseClientQuestion(text);
      return async (scene) => {
        for (const question of questions) await scene.during(scene.client(client).ask(question));
      };
    },
  },
  {
    form: "client asks again",
    pattern: pattern(`${CLIENT} asks again`),
    read: ([client]) => (scene) => scene.during(scene.client(client).askAgain()),
  },
  {
    form: "client sends 00 01 ff",
    pattern: pattern(`${CLIENT} sends ((?:[0-9a-f]{2} ?)*)(, by TCP)?`),
    read: ([client, hex, tcp]) => {
      const octets = new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
      const transport = tcp === undefined ? "UDP" : "TCP";
      return (scene) => scene.during(scene.client(client).sendOctets(octets, transport));
    },
  },
  {
    form: "client connects",
    pattern: pattern(`${CLIENT} (connects|disconnects|stops reading|reads again)`),
    read: ([name, what]) => async (scene) => {
      const client = scene.client(name);
      if (what === "connects") await scene.during(client.connect());
      else if (what === "disconnects") client.disconnect();
      else client.read(what === "reads again");
    },
  },
  {
    form: "client gets nothing",
    pattern: pattern(`${CLIENT} gets nothing`),
    read: ([client]) => (scene) => scene.expectNoAnswer(client),
  },
  {
    form: "within 4.5 s, client gets SERVFAIL, EDE 22, for www.example.org A, 2 times",
    pattern: pattern(`${WITHIN}${CLIENT} gets ([A-Z].*)`),
    block: "[authority |additional ]NAME TTL|* TYPE DATA",
    read: ([within, client, text], block) => {
      const expected = parseBlock(block, (lines) => parseAnswerExpectation(text, lines));
      const ms = withinMs(within);
      return (scene) => scene.expectAnswers(client, expected, ms);
    },
  },
  {
    form: "within 12 s, client's connection is closed",
    pattern: pattern(`${WITHIN}${CLIENT}'s connection is (closed|open)`),
    read: ([within, client, what]) => {
      const ms = withinMs(within);
      return (scene) =>
        what === "closed" ? scene.expectClosed(client, ms) : scene.expectOpen(client);
    },
  },
  {
    form: "server 192.0.2.53 is asked nothing",
    pattern: pattern(`${SERVER} is asked nothing`),
    read: ([address]) => {
      checkServer(address);
      return (scene) => scene.expectNoQuestion(address);
    },
  },
  {
    form: "within 10 s, server 192.0.2.53 is probed",
    pattern: pattern(`${WITHIN}${SERVER} is probed`),
    read: ([within, address]) => {
      checkServer(address);
      const ms = withinMs(within);
      return (scene) => scene.expectProbe(address, ms);
    },
  },
  {
    form: "within 1 s, server 192.0.2.53 is asked www.example.org A, by TCP, no EDNS, 2 times",
    pattern: pattern(`${WITHIN}${SERVER} is asked (.+)`),
    read: ([within, address, text]) => {
      checkServer(address);
      const expected = parseQuestionExpectation(text);
      const ms = withinMs(within);
      return (scene) => scene.expectQuestions(address, expected, ms);
    },
  },
  {
    form: "nothing is sent",
    pattern: pattern("nothing is sent"),
    read: () => (scene) => scene.expectNoQuestion(),
  },
  {
    form: "at most 130 questions were sent",
    pattern: pattern("at most (\\d+) questions were sent"),
    read: ([count]) => (scene) => scene.expectQuestionsAtMost(Number(count)),
  },
  {
    form: "other questions do not matter",
    pattern: pattern("other questions (do not matter|matter again)"),
    read: ([what]) => (scene) => scene.mindQuestions(what === "matter again"),
  },
  {
    form: "server 192.0.2.53 is silent",
    pattern: pattern(`${SERVER} (.+)`),
    read: ([address, text]) => {
      checkServer(address);
      const change = parseServerChange(text);
      if (change === undefined) {
        throw new Error(`a server does not "${text}"; it ${SERVER_FORMS.join(", ")}`);
      }
      return (scene) => change(scene.server(address));
    },
  },
];

/** `name.namespace` is a Kubernetes service, `name.namespace.svc.cluster.local` too, others are external. */
function parseHostLine(line: string): HostEntry | undefined {
  if (line === "(none)") return undefined;
  const [host, ...addresses] = line.split(/\s+/);
  const bad = addresses.find((address) => parseAddress(address) === undefined);
  if (bad !== undefined) throw new Error(`"${bad}" is no IP address`);
  const service = /^(.+)\.svc\.cluster\.local$/.exec(host);
  return service === null ? externalEntry(host, addresses) : serviceEntry(service[1], addresses);
}

function checkServer(text: string): void {
  if (parseSocketAddress(text, 53) === undefined) throw new Error(`"${text}" is no IP address`);
}

function eachLine<T>(block: readonly string[], read: (line: string) => T): T[] {
  return block.map((line, index) => {
    try {
      return read(line);
    } catch (error) {
      throw new BlockError(index, (error as Error).message);
    }
  });
}

/** Reads a block whose lines belong together: the first prefix of it that fails names the line. */
function parseBlock<T>(block: readonly string[], read: (lines: readonly string[]) => T): T {
  read([]);
  block.forEach((line, index) => {
    try {
      read([line]);
    } catch (error) {
      throw new BlockError(index, (error as Error).message);
    }
  });
  return read(block);
}
