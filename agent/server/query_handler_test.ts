import assert from "node:assert/strict";
import { queryMessage, readMessage } from "../../test/support/dns_messages.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { localAnswer } from "../dns/answer.ts";
import { addressRecord } from "../dns/record.ts";
import type { Resolution, ResolverRequest } from "../resolver/resolver.ts";
import { type Logger, silentLog } from "../system/log.ts";
import { type MessageOrigin, QueryHandler } from "./query_handler.ts";

const here = (name: string): Resolution => ({
  answer: localAnswer({
    answers: Array.from(
      { length: 100 },
      (_, i) => addressRecord(name, Uint8Array.of(192, 0, 2, i), { ttlSeconds: 30 }),
    ),
  }),
  source: "mesh",
  why: [],
});

function make(
  options: { maxInFlight?: number; maxInFlightPerClient?: number; fault?: boolean } = {},
) {
  const clock = new ManualClock();
  const events: string[] = [];
  const errors: string[] = [];
  const log: Logger = { ...silentLog, error: (message) => void errors.push(message) };
  const pending: ((resolution: Resolution) => void)[] = [];
  const handler = new QueryHandler({
    resolver: {
      answerHere({ question }: ResolverRequest) {
        if (options.fault) throw new TypeError("a bug");
        return question.name.endsWith("mesh") ? here(question.name) : undefined;
      },
      forward: () => new Promise<Resolution>((resolve) => pending.push(resolve)),
      answerUnderLoad: ({ question: { name } }) =>
        name.startsWith("stale.") ? { ...here(name), source: "stale" } : undefined,
    },
    isLoopProbe: (name) => name === "probe.example",
    clock,
    observer: {
      onQuery: ({ transport, type }) => events.push(`query ${transport} ${type}`),
      onAnswer: ({ source, rcode, seconds }) => events.push(`answer ${source} ${rcode} ${seconds}`),
      onDropped: (reason) => events.push(`dropped ${reason}`),
    },
    log,
    ...options,
  });
  const answers: Uint8Array[] = [];
  const send = (
    message: Uint8Array,
    { transport = "udp", client = "127.0.0.1" }: Partial<MessageOrigin> = {},
  ) => handler.handle(message, { transport, client }, (answer) => answers.push(answer));
  return { handler, clock, events, errors, pending, answers, send };
}

Deno.test("QueryHandler answers at once what is known here, as large as the transport takes", () => {
  const { send, answers, events } = make();
  assert.equal(send(queryMessage("a.mesh", "A")), true);
  assert.equal(send(queryMessage("a.mesh", "A"), { transport: "tcp" }), true);
  const [udp, tcp] = answers.map(readMessage);
  assert.deepEqual([udp.flag_tc, tcp.flag_tc, tcp.answers!.length], [true, false, 100]);
  assert.deepEqual(events.slice(0, 2), ["query udp 1", "answer mesh 0 0"]);
});

Deno.test("QueryHandler answers later what an upstream server is asked for", async () => {
  const { send, answers, events, pending, clock, handler } = make();
  send(queryMessage("www.example.org", "A", { id: 99 }));
  assert.equal(answers.length, 0);
  assert.equal(handler.inFlight, 1);
  const settled = handler.settled();
  await clock.advance(250);
  pending[0]({ ...here("www.example.org"), source: "upstream" });
  await settled;
  assert.equal(readMessage(answers[0]).id, 99);
  assert.equal(events.at(-1), "answer upstream 0 0.25");
  assert.equal(handler.inFlight, 0);
});

Deno.test("QueryHandler says what is wrong with a message, or nothing", () => {
  const { send, answers, events } = make();
  assert.equal(send(new Uint8Array(5)), false);
  const response = queryMessage("a", "A");
  response[2] |= 0x80;
  assert.equal(send(response), false);
  assert.equal(send(queryMessage("a.mesh", "AXFR")), true);
  assert.equal(readMessage(answers[0]).rcode, "REFUSED");
  assert.deepEqual(events, ["dropped short", "dropped response", "dropped rcode 5"]);
});

Deno.test("QueryHandler sheds new questions for upstream past its limit, and no others", () => {
  const { send, answers } = make({ maxInFlight: 2 });
  for (let i = 0; i < 3; i++) send(queryMessage(`${i}.example.org`, "A"));
  assert.equal(answers.length, 1);
  assert.equal(readMessage(answers[0]).rcode, "SERVFAIL");
  send(queryMessage("a.mesh", "A"));
  assert.equal(readMessage(answers[1]).rcode, "NOERROR");
});

Deno.test("QueryHandler sheds questions of one client past its share, and not those of others", async () => {
  const { send, answers, pending, handler } = make({ maxInFlightPerClient: 2 });
  const ask = (client: string) => send(queryMessage("www.example.org", "A"), { client });
  for (let i = 0; i < 3; i++) ask("192.0.2.1");
  assert.deepEqual(answers.map((answer) => readMessage(answer).rcode), ["SERVFAIL"]);
  ask("192.0.2.2");
  assert.equal(pending.length, 3);
  for (const resolve of pending) resolve({ ...here("www.example.org"), source: "upstream" });
  await handler.settled();
  ask("192.0.2.1");
  assert.equal(pending.length, 4);
});

Deno.test("QueryHandler gives a stale answer where there is no room to ask for a better one", () => {
  const { send, answers } = make({ maxInFlight: 0 });
  send(queryMessage("stale.example.org", "A"));
  assert.equal(readMessage(answers[0]).rcode, "NOERROR");
});

Deno.test("QueryHandler refuses the agent's own question that came back", () => {
  const { send, answers, pending } = make();
  send(queryMessage("probe.example", "A"));
  assert.deepEqual([readMessage(answers[0]).rcode, pending.length], ["REFUSED", 0]);
});

Deno.test("QueryHandler.refuse() says REFUSED to questions, and nothing to other messages", () => {
  const { handler, events } = make();
  const answers: Uint8Array[] = [];
  const origin = { transport: "udp", client: "192.0.2.1" } as const;
  for (const message of [queryMessage("a.mesh", "A"), new Uint8Array(5)]) {
    handler.refuse(message, origin, (answer) => answers.push(answer));
  }
  assert.deepEqual(answers.map((answer) => readMessage(answer).rcode), ["REFUSED"]);
  assert.deepEqual(events, Array(2).fill("dropped client not allowed"));
});

Deno.test("QueryHandler asks nobody for a query without RD", () => {
  const { send, answers, pending } = make();
  send(queryMessage("www.example.org", "A", { flags: 0 }));
  assert.equal(readMessage(answers[0]).rcode, "REFUSED");
  assert.equal(pending.length, 0);
  send(queryMessage("a.mesh", "A", { flags: 0 }));
  assert.equal(readMessage(answers[1]).rcode, "NOERROR");
});

Deno.test("QueryHandler answers SERVFAIL to a question that meets a fault, and goes on", () => {
  const { send, answers, errors } = make({ fault: true });
  send(queryMessage("a.mesh", "A"));
  assert.equal(readMessage(answers[0]).rcode, "SERVFAIL");
  assert.equal(errors.length, 1);
});
