import assert from "node:assert/strict";
import { readMessage } from "../../test/support/dns_messages.ts";
import type { FakeServer } from "../../test/support/fake_network.ts";
import {
  answering,
  answerTo,
  refusing,
  silent,
  UpstreamFixture,
} from "../../test/support/upstream_fixture.ts";
import { DEFAULT_GROUP, type UpstreamServersOptions } from "./upstream_servers.ts";

const PUBLIC = "192.0.2.1:53";
const CORP = "192.0.2.2:53";
const LAB = "192.0.2.3:53";

type Rdata = [owner: string, target: string][];
/** Answers with CNAMEs, and an address at their end. */
const chain =
  (links: Rdata, address?: [owner: string, data: string]): FakeServer => ({ message, reply }) =>
    reply(answerTo(message, {
      records: [
        ...links.map(([name, data]) => ({ type: "CNAME" as const, name, data, ttl: 60 })),
        ...address ? [{ type: "A" as const, name: address[0], data: address[1], ttl: 60 }] : [],
      ],
    }));

function fixture(
  servers: { public?: FakeServer; corp?: FakeServer; lab?: FakeServer } = {},
  options?: Pick<UpstreamServersOptions, "isAnsweredHere" | "mayBePrivate">,
): UpstreamFixture {
  const fixture = new UpstreamFixture({}, options);
  fixture.replace({ [PUBLIC]: servers.public ?? answering("192.0.2.80", 0) }, {
    "corp.example": { [CORP]: servers.corp ?? answering("198.51.100.2", 0) },
    "lab.corp.example": { [LAB]: servers.lab ?? answering("198.51.100.3", 0) },
  });
  return fixture;
}

Deno.test("UpstreamServers.groupOf() takes the longest domain", async (t) => {
  const { upstream } = fixture();
  const cases: [string, string][] = [
    ["www.example.org", DEFAULT_GROUP],
    ["corp.example", "corp.example"],
    ["x.y.corp.example", "corp.example"],
    ["notcorp.example", DEFAULT_GROUP],
    ["example", DEFAULT_GROUP],
    ["", DEFAULT_GROUP],
    ["lab.corp.example", "lab.corp.example"],
    ["x.lab.corp.example", "lab.corp.example"],
    ["*", DEFAULT_GROUP],
  ];
  for (const [name, group] of cases) {
    await t.step(name, () => assert.equal(upstream.groupOf(name), group));
  }
});

Deno.test("UpstreamServers.exchange() asks the group of the name", async (t) => {
  const cases: [string, string][] = [
    ["www.example.org", `${PUBLIC} 192.0.2.80`],
    ["www.corp.example", `${CORP} 198.51.100.2`],
    ["www.lab.corp.example", `${LAB} 198.51.100.3`],
  ];
  for (const [name, answer] of cases) {
    await t.step(name, async () => assert.equal(await fixture().answer(10, name), answer));
  }
});

Deno.test("UpstreamServers.exchange() never asks others for the names of a domain", async (t) => {
  const cases: [string, FakeServer | undefined, RegExp][] = [
    ["its server is silent", silent, /^failure: no upstream server answered/],
    ["its server refuses", refusing(5), /rcode 5$/],
    ["it says that there is no such name", refusing(3), /rcode 3$/],
    ["it has no servers", undefined, /^failure: no upstream server is known/],
  ];
  for (const [title, corp, outcome] of cases) {
    await t.step(title, async () => {
      const fixture = new UpstreamFixture();
      fixture.replace({ [PUBLIC]: answering("192.0.2.80") }, {
        "corp.example": corp === undefined ? {} : { [CORP]: corp },
      });
      assert.match(await fixture.answer(5_000, "www.corp.example"), outcome);
      assert.ok(!fixture.seen.some((line) => line.includes(PUBLIC)), fixture.seen.join());
    });
  }
});

Deno.test("UpstreamServers.exchange() believes a group about its own names alone", async (t) => {
  await t.step("a domain's server plants a public name", async () => {
    const upstream = fixture({
      corp: chain([["www.corp.example", "bank.example"]], ["bank.example", "203.0.113.6"]),
    });
    assert.equal(
      await upstream.answer(10, "www.corp.example"),
      `${CORP}, ${PUBLIC} -> bank.example 192.0.2.80`,
    );
  });
  await t.step("a public server plants a domain's name", async () => {
    const upstream = fixture({
      public: chain([["www.example.org", "git.corp.example"]], ["git.corp.example", "203.0.113.6"]),
    });
    assert.equal(
      await upstream.answer(10),
      `${PUBLIC}, ${CORP} -> git.corp.example 198.51.100.2`,
    );
  });
  await t.step("a chain inside a group is left whole", async () => {
    const upstream = fixture({
      corp: chain([["www.corp.example", "git.corp.example"]], ["git.corp.example", "192.0.2.9"]),
    });
    assert.equal(
      await upstream.answer(10, "www.corp.example"),
      `${CORP} -> git.corp.example 192.0.2.9`,
    );
  });
  await t.step("a chain over three groups", async () => {
    const upstream = fixture({
      public: chain([
        ["www.example.org", "www.example.net"],
        ["www.example.net", "a.corp.example"],
      ]),
      corp: chain([["a.corp.example", "b.lab.corp.example"]]),
    });
    assert.equal(
      await upstream.answer(10),
      `${PUBLIC}, ${CORP}, ${LAB} -> www.example.net -> a.corp.example ` +
        `-> b.lab.corp.example 198.51.100.3`,
    );
  });
  await t.step("what the last group says counts", async () => {
    const upstream = fixture({
      public: chain([["www.example.org", "a.corp.example"]], ["a.corp.example", "203.0.113.6"]),
      corp: refusing(3),
    });
    assert.equal(await upstream.answer(10), `${PUBLIC}, ${CORP} rcode 3 -> a.corp.example`);
  });
  await t.step("the last group is silent", async () => {
    const upstream = fixture({
      public: chain([["www.example.org", "a.corp.example"]], ["a.corp.example", "203.0.113.6"]),
      corp: silent,
    });
    assert.equal(await upstream.answer(4_400), "nothing yet");
    const later = fixture({
      public: chain([["www.example.org", "a.corp.example"]]),
      corp: silent,
    });
    assert.match(await later.answer(4_500), /^failure: no upstream server answered \(192\.0\.2\.2/);
  });
});

Deno.test("UpstreamServers.exchange() bounds chains over groups", async () => {
  let queries = 0;
  const pingPong = (other: string): FakeServer => (received) => {
    queries++;
    const { message, reply } = received;
    const name = new TextDecoder().decode(message.subarray(13, 13 + message[12]));
    const own = other === "corp.example" ? "example.org" : "corp.example";
    const target = `n${Number(name.slice(1)) + 1}.${other}`;
    reply(answerTo(message, {
      records: [{ type: "CNAME", name: `${name}.${own}`, data: target, ttl: 60 }],
    }));
  };
  const upstream = fixture({ public: pingPong("corp.example"), corp: pingPong("example.org") });
  assert.match(await upstream.answer(100, "n1.example.org"), /^failure: a chain of more than 12/);
  assert.equal(queries, 13);
});

Deno.test("UpstreamServers.exchange() never asks for names that are answered here", async () => {
  const servers = {
    corp: chain([["www.corp.example", "web.prod.svc.cluster.local"]], [
      "web.prod.svc.cluster.local",
      "203.0.113.6",
    ]),
  };
  const upstream = fixture(servers, {
    isAnsweredHere: ({ name, type }) => type === 1 && name.endsWith(".cluster.local"),
  });
  assert.equal(
    await upstream.answer(10, "www.corp.example"),
    `${CORP} -> web.prod.svc.cluster.local`,
  );
  assert.deepEqual(upstream.takeSeen(), [`ask ${CORP}`, `answer ${CORP}`]);
});

Deno.test("UpstreamServers.exchange() asks on where a chain ends before it says anything", async () => {
  const upstream = new UpstreamFixture({});
  upstream.replace({
    [PUBLIC]: ({ message, reply }) => {
      const [{ name }] = readMessage(message).questions!;
      const records = name === "www.example.org"
        ? [{ type: "CNAME" as const, name, data: "www.example.net", ttl: 60 }]
        : [{ type: "A" as const, name, data: "192.0.2.80", ttl: 60 }];
      reply(answerTo(message, { records }));
    },
  });
  assert.equal(
    await upstream.answer(10, "www.example.org"),
    `${PUBLIC}, ${PUBLIC} -> www.example.net 192.0.2.80`,
  );
});

Deno.test("UpstreamServers.exchange() takes private addresses from domains' own servers alone", async (t) => {
  const inside = "10.0.0.1";
  const cases: [string, string, string][] = [
    ["a public name", "www.example.org", `${PUBLIC}`],
    ["an exempt name", "nas.example.net", `${PUBLIC} ${inside}`],
    ["a domain's name", "www.corp.example", `${CORP} ${inside}`],
  ];
  for (const [title, name, expected] of cases) {
    await t.step(title, async () => {
      const servers = { public: answering(inside, 0), corp: answering(inside, 0) };
      const upstream = fixture(servers, { mayBePrivate: (name) => name === "nas.example.net" });
      assert.equal((await upstream.answer(10, name)).trim(), expected);
    });
  }
  await t.step("a chain that leads into a domain", async () => {
    const servers = {
      public: chain([["www.example.org", "a.corp.example"]]),
      corp: answering(inside, 0),
    };
    const upstream = fixture(servers, { mayBePrivate: () => false });
    assert.match(await upstream.answer(10, "www.example.org"), /10\.0\.0\.1/);
  });
});

Deno.test("UpstreamServers.replaceServers() keeps what is known of those that stay", async () => {
  const upstream = fixture({ public: silent });
  for (let i = 0; i < 3; i++) await upstream.ask(5_000);
  await upstream.ask(100, "www.corp.example");
  const known = () =>
    upstream.upstream.status().map(({ server, domain, healthy, roundTripMs }) =>
      [server, domain ?? "", healthy, roundTripMs !== undefined].join(" ")
    );
  assert.deepEqual(known(), [
    `${PUBLIC}  false false`,
    `${CORP} corp.example true true`,
    `${LAB} lab.corp.example true false`,
  ]);
  upstream.replace({ [CORP]: answering("198.51.100.2"), [PUBLIC]: silent }, {
    "corp.example": { [CORP]: answering("198.51.100.2") },
  });
  assert.deepEqual(known(), [
    `${CORP}  true true`,
    `${PUBLIC}  false false`,
    `${CORP} corp.example true true`,
  ]);
  upstream.replace({ [LAB]: answering("198.51.100.3") });
  assert.deepEqual(known(), [`${LAB}  true false`], "a server that comes back is a new one");
  await upstream.clock.advance(1_000);
  assert.equal(upstream.clock.pendingCount, 0, "who went is not probed any more");
});

Deno.test("UpstreamServers.close() ends what goes on in the background", async () => {
  const upstream = new UpstreamFixture({ "tls://192.0.2.1": answering("192.0.2.80") });
  await upstream.ask(50);
  assert.equal(upstream.network.openSockets, 1);
  upstream.upstream.close();
  assert.equal(upstream.network.openSockets, 0);
  assert.equal(upstream.clock.pendingCount, 0);
});
