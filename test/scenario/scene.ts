/**
 * Where a story plays: a VM with the real agent, the servers that it may ask, the clients that ask it,
 * and what happened so far. Each statement of a story is one call of it.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import type { Logger } from "../../agent/system/log.ts";
import { formatSocketAddress, parseSocketAddress } from "../../agent/system/socket_address.ts";
import { AGENT_DNS, SimulatedVm, VM_ADDRESSES } from "../support/simulated_vm.ts";
import { type AnswerExpectation, compareAnswer, describeAnswer } from "./answer_expectation.ts";
import {
  compareQuestion,
  describeQuestion,
  type QuestionExpectation,
} from "./question_expectation.ts";
import { type AskedQuestion, ScriptedServer, serverName } from "./scripted_server.ts";
import { StoryClient } from "./story_client.ts";

/** An expectation that does not hold; the message says what was found instead. */
export class StoryFailure extends Error {}

/** "At once", in milliseconds of simulated time: what an expectation waits unless told otherwise. */
const AT_ONCE_MS = 100;

/** How long a socket may be open that nothing is asked through any more, in milliseconds. */
const SOCKETS_MS = 4_000;

/** A server's question that the story has not told of yet. */
interface UntoldQuestion {
  server: string;
  question: AskedQuestion;
}

/** One story's world. */
export class Scene {
  readonly vm: SimulatedVm;
  readonly #servers = new Map<string, ScriptedServer>();
  readonly #clients = new Map<string, StoryClient>();
  #untold: UntoldQuestion[] = [];
  #questionsMatter = true;
  #questions = 0;
  /** Probes since the story last told of one, by server: stories that are not about them pass them over. */
  readonly #probes = new Map<string, number>();
  /** What happened, with its time. */
  readonly events: string[] = [];

  /** @param options `seed` of the agent's randomness */
  constructor(options: { seed: number }) {
    this.vm = new SimulatedVm({ ...options, log: this.#log("") });
    this.vm.network.tcpFate = (remote) =>
      this.#servers.get(formatSocketAddress(remote))?.tcpFate ?? "open";
  }

  /** The upstream server at an address; made where there is none yet. */
  server(text: string): ScriptedServer {
    const address = parseSocketAddress(text, 53)!;
    const key = formatSocketAddress(address);
    let server = this.#servers.get(key);
    if (server === undefined) {
      const name = serverName(address);
      server = new ScriptedServer(address, {
        network: this.vm.network,
        onQuestion: (question) => {
          this.#tell(`server ${name} is asked ${describeQuestion(question)}`);
          if (isProbe(question)) this.#probes.set(name, (this.#probes.get(name) ?? 0) + 1);
          else this.#questions++;
          if (this.#questionsMatter && !isProbe(question)) {
            this.#untold.push({ server: name, question });
          }
        },
      });
      this.#servers.set(key, server);
    }
    return server;
  }

  /** A client by its name. */
  client(name: string): StoryClient {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = new StoryClient(name, {
        host: this.vm.network.host(VM_ADDRESSES.slice(1)),
        agent: AGENT_DNS,
        onEvent: (text) => this.#tell(text),
      });
      this.#clients.set(name, client);
    }
    return client;
  }

  /** Starts the agent. Unless it was told its servers, they are all of the story, in its order. */
  async start(): Promise<void> {
    const { settings } = this.vm;
    const found = await this.vm.files.stat("/etc/resolv.conf");
    if (!("dns.upstreams" in settings) && found === undefined && this.#servers.size > 0) {
      settings["dns.upstreams"] = [...this.#servers.keys()];
    }
    await this.vm.start();
    this.#tell("the agent starts");
  }

  /** Ends it and starts it again, with the disk that it left. */
  async restart(): Promise<void> {
    await this.vm.stop();
    await this.start();
  }

  /** Puts a table in force, or on the disk while no agent runs. */
  async push(entries: HostEntry[]): Promise<void> {
    if (this.vm.agent === undefined) this.vm.saveTable(entries);
    else await this.vm.push(entries);
    this.#tell(`the mesh becomes ${entries.length} hosts`);
  }

  /** Lets as much time pass as something needs to be done. */
  async during(done: Promise<void>, limitMs = AT_ONCE_MS): Promise<void> {
    let settled = false;
    done.finally(() => settled = true).catch(() => {});
    if (!await this.vm.clock.runUntil(() => settled, limitMs)) {
      throw new StoryFailure(`this is not done within ${limitMs} ms`);
    }
    await done;
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.vm.clock.advance(ms);
  }

  /** The wall clock jumps. */
  jumpWall(ms: number): void {
    this.vm.clock.jumpWall(ms);
    this.#tell(`the wall clock jumps by ${ms} ms`);
  }

  /** From now on, whether questions that the story does not tell of are a failure. */
  mindQuestions(matter: boolean): void {
    this.#questionsMatter = matter;
    this.#untold = [];
  }

  /** A client gets answers. */
  async expectAnswers(name: string, expected: AnswerExpectation, withinMs = AT_ONCE_MS) {
    const client = this.client(name);
    for (let i = 0; i < expected.times; i++) {
      await this.vm.clock.runUntil(() => client.answers.length > 0, withinMs);
      this.checkFaults();
      const at = expected.times === 1
        ? 0
        : client.answers.findIndex((answer) => compareAnswer(expected, answer).length === 0);
      const [received] = client.answers.splice(Math.max(0, at), 1);
      const count = expected.times === 1 ? "" : ` (answer ${i + 1} of ${expected.times})`;
      if (received === undefined) {
        throw new StoryFailure(`${name} got no answer within ${withinMs} ms${count}`);
      }
      const wrong = compareAnswer(expected, received);
      if (wrong.length > 0) {
        const told = describeAnswer(received).join("\n  ");
        throw new StoryFailure(
          `${name} got another answer${count}: ${wrong.join("; ")}\n  ${told}`,
        );
      }
    }
  }

  /** A client has got nothing. */
  async expectNoAnswer(name: string): Promise<void> {
    await this.pass(0);
    const [received] = this.client(name).answers;
    if (received === undefined) return;
    throw new StoryFailure(`${name} got an answer\n  ${describeAnswer(received).join("\n  ")}`);
  }

  /** A client's connection is closed by the agent. */
  async expectClosed(name: string, withinMs = AT_ONCE_MS): Promise<void> {
    const client = this.client(name);
    if (await this.vm.clock.runUntil(() => client.closedByAgent, withinMs)) return;
    throw new StoryFailure(`${name}'s connection is still open after ${withinMs} ms`);
  }

  /** A client's connection is open. */
  async expectOpen(name: string): Promise<void> {
    await this.pass(0);
    if (this.client(name).closedByAgent) throw new StoryFailure(`${name}'s connection is closed`);
  }

  /** A server is asked. */
  async expectQuestions(text: string, expected: QuestionExpectation, withinMs = AT_ONCE_MS) {
    const server = serverName(parseSocketAddress(text, 53)!);
    const next = () => this.#untold.findIndex((untold) => untold.server === server);
    for (let i = 0; i < expected.times; i++) {
      await this.vm.clock.runUntil(() => next() >= 0, withinMs);
      const [untold] = next() < 0 ? [] : this.#untold.splice(next(), 1);
      const count = expected.times === 1 ? "" : ` (question ${i + 1} of ${expected.times})`;
      if (untold === undefined) {
        throw new StoryFailure(`server ${server} was not asked within ${withinMs} ms${count}`);
      }
      const wrong = compareQuestion(expected, untold.question);
      if (wrong.length === 0) continue;
      throw new StoryFailure(
        `server ${server} was asked something else${count}: ${wrong.join("; ")}\n  ` +
          describeQuestion(untold.question),
      );
    }
  }

  /** A server is asked whether it is there, and not for anybody. */
  async expectProbe(text: string, withinMs = AT_ONCE_MS): Promise<void> {
    const server = serverName(parseSocketAddress(text, 53)!);
    const probed = () => (this.#probes.get(server) ?? 0) > 0;
    if (!await this.vm.clock.runUntil(probed, withinMs)) {
      throw new StoryFailure(`server ${server} was not probed within ${withinMs} ms`);
    }
    this.#probes.delete(server);
  }

  /** No server, or one, is asked anything that the story has not told. */
  async expectNoQuestion(text?: string): Promise<void> {
    await this.pass(0);
    const server = text && serverName(parseSocketAddress(text, 53)!);
    const untold = this.#untold.find((one) => server === undefined || one.server === server);
    if (untold === undefined) return;
    throw new StoryFailure(
      `server ${untold.server} was asked ${describeQuestion(untold.question)}`,
    );
  }

  /** All servers together were asked no more than so often since the beginning, probes apart. */
  expectQuestionsAtMost(count: number): void {
    if (this.#questions <= count) return;
    throw new StoryFailure(`${this.#questions} questions were sent`);
  }

  /** Whether the agent reports a problem; undefined stands for none at all. */
  expectProblem(code: string | undefined): void {
    // Stories play without a control plane, which is a problem that none of them is about.
    const codes = this.vm.agent!.status().problems.map((problem) => problem.code)
      .filter((found) => !MESH_PROBLEMS.test(found));
    if (code === undefined ? codes.length === 0 : codes.includes(code)) return;
    throw new StoryFailure(`the agent reports ${codes.join(", ") || "no problem"}`);
  }

  /** No socket towards upstream servers stays open; probes of dead ones come and go. */
  async expectNoUpstreamSocket(): Promise<void> {
    const listeners = this.vm.agent === undefined ? 0 : 2 * this.vm.agent.dnsAddresses.length;
    const left = () => this.vm.host.openSockets - listeners;
    await this.pass(0);
    if (await this.vm.clock.runUntil(() => left() === 0, SOCKETS_MS)) return;
    throw new StoryFailure(`${left()} UDP sockets towards servers stay open`);
  }

  /** What no story allows: faults of the protocol, faults of our own, and what was left untold. */
  checkFaults(): void {
    const faults = [...this.#clients.values()].flatMap(({ name, faults }) =>
      faults.map((fault) => `${name}: ${fault}`)
    );
    if (faults.length > 0) throw new StoryFailure(faults.join("\n"));
  }

  /** The end: everything that a client got and a server was asked has been told. */
  async end(): Promise<void> {
    await this.pass(0);
    this.checkFaults();
    for (const client of this.#clients.values()) await this.expectNoAnswer(client.name);
    await this.expectNoQuestion();
  }

  /** Ends the agent and closes what is open, whatever came of the story. */
  async close(): Promise<void> {
    await this.vm.stop();
    for (const client of this.#clients.values()) client.close();
  }

  #tell(text: string): void {
    this.events.push(`${(this.vm.clock.monotonicMs() / 1000).toFixed(3)} s  ${text}`);
  }

  #log(module: string): Logger {
    const line = (level: string) => (message: string, fields: Record<string, unknown> = {}) => {
      this.#tell(`${level} ${module} ${message} ${JSON.stringify(fields)}`.slice(0, 300));
    };
    return {
      debug() {},
      info() {},
      warn: line("warn"),
      error: line("error"),
      child: (name) => this.#log(name),
    };
  }
}

function isProbe({ name, type }: AskedQuestion): boolean {
  return name === "" && type === "NS";
}

/** Problems of the way to a control plane. */
const MESH_PROBLEMS = /^(ROOT|TOKEN|CONTROL_PLANE|CERTIFICATE)/;
