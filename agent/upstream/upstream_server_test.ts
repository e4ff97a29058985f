import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { FakeServer } from "../../test/support/fake_network.ts";
import {
  answering,
  answerTo,
  optionsOf,
  refusing,
  silent,
  UpstreamFixture,
} from "../../test/support/upstream_fixture.ts";
import { RecordType } from "../dns/codes.ts";
import { REFUSAL_REMEMBERED_MS } from "./server_traits.ts";

const A = "192.0.2.1:53";
const TLS = "tls://192.0.2.1:853#dns.example.org";

const SERVER_COOKIE = Buffer.from("a1a2a3a4a5a6a7a8", "hex");
/** The client's cookie in a query, with the server's behind it. */
function bothCookies(query: Uint8Array, server: Uint8Array = SERVER_COOKIE): Uint8Array {
  return Buffer.concat([optionsOf(query)!.get(10)!.subarray(0, 8), server]);
}

Deno.test("UpstreamServer.ask() goes to TCP when the answer is truncated", async () => {
  const fixture = new UpstreamFixture({
    [A]: ({ message, transport, reply }) =>
      reply(answerTo(message, transport === "udp" ? { flags: 0x0200 } : { data: "192.0.2.80" })),
  });
  assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`, `TCP ${A}: truncated`, `answer ${A}`]);
  for (let i = 0; i < 3; i++) await fixture.ask(100);
  assert.equal(fixture.network.connections, 1, "the connection is used again");
  await fixture.clock.advance(10_001);
  assert.equal(fixture.network.openSockets, 0, "and closed when it is idle");
});

Deno.test("UpstreamServer.ask() takes the largest answers by TCP", async () => {
  const records = Array.from({ length: 255 }, () => ({
    type: "TXT" as const,
    name: "www.example.org",
    ttl: 60,
    data: ["x".repeat(240)],
  }));
  const fixture = new UpstreamFixture({
    [A]: ({ message, transport, reply }) =>
      reply(answerTo(message, transport === "udp" ? { flags: 0x0200 } : { records })),
  });
  const outcome = await fixture.ask(100, "www.example.org", RecordType.TXT);
  assert.ok(outcome?.kind === "answer");
  const octets = outcome.answer.answers.reduce((sum, { rdata }) => sum + rdata.length, 0);
  assert.equal(octets, 255 * 241);
});

Deno.test("UpstreamServer.ask() does without EDNS where that is refused, and remembers it", async (t) => {
  const old = (rcode: number): FakeServer => (received) => {
    const withOpt = optionsOf(received.message) !== undefined;
    (withOpt ? refusing(rcode) : answering("192.0.2.80", 0))(received);
  };
  for (const [title, rcode] of [["FORMERR", 1], ["NOTIMP", 4]] as const) {
    await t.step(title, async () => {
      let queries = 0;
      const fixture = new UpstreamFixture({
        [A]: (received) => {
          queries++;
          old(rcode)(received);
        },
      });
      assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
      assert.equal(queries, 3, "with a cookie, with EDNS alone, without");
      await fixture.answer(100);
      assert.equal(queries, 4, "remembered");
      await fixture.clock.advance(REFUSAL_REMEMBERED_MS);
      await fixture.answer(100);
      assert.equal(queries, 7, "and tried again after a while");
    });
  }
  await t.step("a server that stumbles over the cookie alone keeps EDNS", async () => {
    const seen: string[] = [];
    const fixture = new UpstreamFixture({
      [A]: (received) => {
        const options = optionsOf(received.message);
        seen.push(options === undefined ? "none" : options.has(10) ? "cookie" : "edns");
        (options?.has(10) ? refusing(1) : answering("192.0.2.80", 0))(received);
      },
    });
    assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
    await fixture.answer(100);
    assert.deepEqual(seen, ["cookie", "edns", "edns"]);
  });
  await t.step("a question that is always refused changes nothing", async () => {
    let queries = 0;
    const fixture = new UpstreamFixture({
      [A]: (received) => {
        queries++;
        refusing(1)(received);
      },
    });
    assert.equal(await fixture.answer(100), `${A} rcode 1`);
    await fixture.answer(100);
    assert.equal(queries, 6);
  });
});

Deno.test("UpstreamServer.ask() gives the server's cookie back, and ignores replies without", async () => {
  const sent: string[] = [];
  const fixture = new UpstreamFixture({
    [A]: ({ message, reply }) => {
      sent.push(Buffer.from(optionsOf(message)!.get(10)!).toString("hex").slice(16));
      reply(answerTo(message, { data: "192.0.2.80", cookie: bothCookies(message) }));
    },
  });
  for (let i = 0; i < 2; i++) assert.equal(await fixture.answer(10), `${A} 192.0.2.80`);
  assert.deepEqual(sent, ["", SERVER_COOKIE.toString("hex")]);
  // An attacker who guessed port and id, but cannot see the cookie.
  for (const cookie of [undefined, Buffer.alloc(16, 0xee)]) {
    fixture.takeSeen();
    fixture.serve(A, ({ message, transport, reply }) => {
      if (transport === "udp") {
        reply(answerTo(message, { data: "203.0.113.6", ...(cookie && { cookie }) }));
      }
      reply(answerTo(message, { data: "192.0.2.80", cookie: bothCookies(message) }), {
        delayMs: 5,
      });
    });
    assert.equal(await fixture.answer(50), `${A} 192.0.2.80`);
    assert.deepEqual(fixture.takeSeen().slice(0, 3), [
      `ask ${A}`,
      `mismatch ${A}`,
      `TCP ${A}: cookie`,
    ]);
  }
});

Deno.test("UpstreamServer.ask() goes on with a server that forgot cookies", async () => {
  const fixture = new UpstreamFixture({
    [A]: ({ message, reply }) =>
      reply(answerTo(message, { data: "192.0.2.80", cookie: bothCookies(message) })),
  });
  await fixture.ask(10);
  fixture.serve(A, answering("192.0.2.80", 0));
  assert.equal(await fixture.answer(10), `${A} 192.0.2.80`, "by TCP");
  fixture.takeSeen();
  assert.equal(await fixture.answer(10), `${A} 192.0.2.80`);
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`, `answer ${A}`], "and by UDP from then on");
});

Deno.test("UpstreamServer.ask() answers BADCOOKIE once with the new cookie, then by TCP", async (t) => {
  const BADCOOKIE = { flags: 7, extendedRcode: 1 };
  await t.step("once", async () => {
    let queries = 0;
    const fixture = new UpstreamFixture({
      [A]: ({ message, reply }) => {
        queries++;
        const hasServerPart = optionsOf(message)!.get(10)!.length > 8;
        const cookie = bothCookies(message);
        reply(answerTo(
          message,
          hasServerPart ? { data: "192.0.2.80", cookie } : {
            ...BADCOOKIE,
            cookie,
          },
        ));
      },
    });
    assert.equal(await fixture.answer(10), `${A} 192.0.2.80`);
    assert.equal(queries, 2);
  });
  await t.step("for ever", async () => {
    let queries = 0;
    const fixture = new UpstreamFixture({
      [A]: ({ message, transport, reply }) => {
        queries++;
        const cookie = bothCookies(message);
        reply(answerTo(
          message,
          transport === "tcp" ? { data: "192.0.2.80", cookie } : {
            ...BADCOOKIE,
            cookie,
          },
        ));
      },
    });
    assert.equal(await fixture.answer(10), `${A} 192.0.2.80`);
    assert.equal(queries, 3);
    assert.ok(fixture.seen.includes(`TCP ${A}: cookie`));
  });
});

Deno.test("UpstreamServer.ask() speaks TLS alone with a server that is to be spoken to so", async (t) => {
  await t.step("on one connection, padded, without a cookie", async () => {
    const seen: [string, number, boolean][] = [];
    const fixture = new UpstreamFixture({
      [TLS]: (received) => {
        const { message, transport } = received;
        seen.push([transport, message.length % 128, optionsOf(message)!.has(10)]);
        answering("192.0.2.80")(received);
      },
    });
    for (let i = 0; i < 3; i++) assert.equal(await fixture.answer(50), `${TLS} 192.0.2.80`);
    assert.deepEqual(seen, Array(3).fill(["tls", 0, false]));
    assert.equal(fixture.network.connections, 1);
  });
  await t.step("never anything else, whatever fails", async () => {
    const transports = new Set<string>();
    const fixture = new UpstreamFixture({
      [TLS]: ({ transport, close }) => {
        transports.add(transport);
        close();
      },
    });
    const outcome = await fixture.answer(5_000);
    assert.match(outcome, /^failure: .*by TLS: the server closed the connection/);
    assert.deepEqual([...transports], ["tls"]);
  });
});

Deno.test("UpstreamServer opens another connection when one is silent", async () => {
  let answers = true;
  const fixture = new UpstreamFixture({
    [TLS]: (received) => (answers ? answering("192.0.2.80") : silent)(received),
  });
  await fixture.ask(50);
  answers = false;
  void fixture.ask(0);
  await fixture.clock.advance(999);
  assert.equal(fixture.network.connections, 1);
  answers = true;
  await fixture.clock.advance(100);
  assert.equal(fixture.network.connections, 2, "the second try has a connection of its own");
  assert.equal(fixture.upstream.status()[0].lastError, "");
});
