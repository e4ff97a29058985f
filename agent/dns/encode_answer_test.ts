import assert from "node:assert/strict";
import fc from "fast-check";
import { query, readMessage } from "../../test/support/dns_messages.ts";
import { poisonBuffers, SECRET_OCTET } from "../../test/support/poisoned_buffers.ts";
import { type Answer, failureAnswer, localAnswer } from "./answer.ts";
import { encodeAnswer, TCP_OCTETS_MAX, udpAnswerLimit } from "./encode_answer.ts";
import { addressRecord, cnameRecord, ptrRecord, soaRecord, srvRecord } from "./record.ts";

const TTL = { ttlSeconds: 30 };
const addresses = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => addressRecord(name, Uint8Array.of(192, 0, 2, i), TTL));

function encodeFor(name: string, answer: Answer, options: Parameters<typeof query>[2] = {}) {
  const asked = query(name, "A", options);
  const message = encodeAnswer(asked, answer, { maxOctets: udpAnswerLimit(asked) });
  return { message, packet: readMessage(message) };
}

Deno.test("encodeAnswer() writes what dns-packet reads", () => {
  const name = "productpage.ns1.svc.cluster.local.ns1.svc.cluster.local";
  const target = "productpage.ns1.svc.cluster.local";
  const { packet, message } = encodeFor(
    name,
    localAnswer({
      answers: [cnameRecord(name, target, TTL), ...addresses(target, 2)],
      authority: [soaRecord("cluster.local", { ttlSeconds: 5 })],
      additional: [
        srvRecord("_http._tcp.example.org", { host: "example.org", port: 80, weight: 1 }, TTL),
        ptrRecord("1.2.0.192.in-addr.arpa", "example.org", TTL),
      ],
    }),
    { id: 77 },
  );
  assert.equal(packet.id, 77);
  assert.equal(packet.flag_aa && packet.flag_ra && packet.flag_rd && packet.flag_qr, true);
  assert.equal(packet.flag_ad || packet.flag_tc, false);
  assert.deepEqual(packet.answers!.map((r) => [r.name, r.type, "data" in r && r.data]), [
    [name, "CNAME", target],
    [target, "A", "192.0.2.0"],
    [target, "A", "192.0.2.1"],
  ]);
  const soa = packet.authorities![0];
  assert.equal(soa.name, "cluster.local");
  assert.equal((soa as { data: { minimum: number } }).data.minimum, 5);
  assert.equal((packet.additionals![0] as { data: { port: number } }).data.port, 80);
  // The question, a CNAME of pointers, and addresses owned by pointers: 2 octets a repeated name.
  assert.ok(message.length < 290, `${message.length} octets`);
});

Deno.test("encodeAnswer() echoes the letter case of the question", () => {
  const { packet } = encodeFor("ProductPage.NS1", localAnswer({}));
  assert.equal(packet.questions![0].name, "ProductPage.NS1");
});

Deno.test("encodeAnswer() adds OPT for clients that sent one", () => {
  const edns = { udpPayloadSize: 1232, dnssecOk: true };
  const failure = failureAnswer(2, { code: 14, text: "not ready" });
  const { packet } = encodeFor("example.org", failure, { edns });
  const opt = packet.additionals![0] as unknown as {
    type: string;
    udpPayloadSize: number;
    flag_do: boolean;
    options: { code: number; data: Uint8Array }[];
  };
  assert.equal(opt.type, "OPT");
  assert.equal(opt.flag_do, true);
  assert.equal(opt.udpPayloadSize, 1232);
  assert.equal(opt.options[0].code, 15);
  assert.deepEqual([...opt.options[0].data], [0, 14, ...new TextEncoder().encode("not ready")]);
  assert.equal(encodeFor("example.org", failure).packet.additionals!.length, 0);
});

Deno.test("encodeAnswer() sets AD only for clients that look at it", () => {
  const answer: Answer = { ...localAnswer({}), authenticated: true };
  const ad = (options: Parameters<typeof query>[2]) =>
    encodeFor("a", answer, options).packet.flag_ad;
  assert.equal(ad({}), false);
  assert.equal(ad({ flags: 0x0120 }), true);
  assert.equal(ad({ edns: { udpPayloadSize: 512, dnssecOk: true } }), true);
  assert.equal(ad({ edns: { udpPayloadSize: 512 } }), false);
});

Deno.test("encodeAnswer() truncates at whole records", async (t) => {
  const many = localAnswer({ answers: addresses("example.org", 200) });
  await t.step("512 octets without EDNS", () => {
    const { packet, message } = encodeFor("example.org", many);
    assert.ok(message.length <= 512 && message.length > 512 - 16);
    assert.equal(packet.flag_tc, true);
    assert.equal(packet.answers!.length, 30);
  });
  await t.step("what the client advertises", () => {
    const { message } = encodeFor("example.org", many, { edns: { udpPayloadSize: 1232 } });
    assert.ok(message.length <= 1232 && message.length > 1232 - 16);
  });
  await t.step("never more than 4096", () => {
    const all = localAnswer({ answers: addresses("example.org", 255) });
    const three = localAnswer({ answers: [...all.answers, ...all.answers, ...all.answers] });
    const { message } = encodeFor("example.org", three, { edns: { udpPayloadSize: 65535 } });
    assert.ok(message.length <= 4096 && message.length > 4096 - 16);
  });
  await t.step("the CNAME stays", () => {
    const chain = localAnswer({
      answers: [cnameRecord("a", "example.org", TTL), ...addresses("example.org", 200)],
    });
    const { packet } = encodeFor("a", chain);
    assert.equal(packet.answers![0].type, "CNAME");
    assert.ok(packet.answers!.length > 20);
  });
  await t.step("additional records go without TC", () => {
    const { packet } = encodeFor("example.org", localAnswer({ additional: many.answers }));
    assert.equal(packet.flag_tc, false);
  });
  await t.step("TCP takes all", () => {
    const asked = query("example.org", "A");
    const packet = readMessage(encodeAnswer(asked, many, { maxOctets: TCP_OCTETS_MAX }));
    assert.equal(packet.answers!.length, 200);
    assert.equal(packet.flag_tc, false);
  });
});

Deno.test("encodeAnswer() never points to a name that was cut off again", () => {
  // The record that does not fit is the first to carry "cut.example": what follows may not point to it.
  fc.assert(fc.property(fc.integer({ min: 40, max: 600 }), (maxOctets) => {
    const asked = query("example.org", "MX");
    const answer = localAnswer({
      answers: addresses("example.org", 3),
      authority: [
        cnameRecord("one.cut.example", "two.cut.example", TTL),
        cnameRecord("three.cut.example", "four.cut.example", TTL),
      ],
      additional: addresses("three.cut.example", 5),
    });
    const message = encodeAnswer(asked, answer, { maxOctets });
    assert.ok(message.length <= maxOctets);
    const packet = readMessage(message);
    for (const record of packet.additionals!) assert.equal(record.name, "three.cut.example");
  }));
});

Deno.test("encodeAnswer() writes names in RDATA in their own letter case, and points to the same in another", () => {
  const mail = (text: string) => ({
    name: "example.org",
    type: 15,
    class: 1,
    ttlSeconds: 5,
    rdata: Uint8Array.from([0, 10, ...new TextEncoder().encode(text)]),
  });
  const answers = [
    mail("\x04Mail\x07Example\x03NET\0"),
    mail("\x04mAIL\x07example\x03net\0"),
    mail("\x01B\x07EXAMPLE\x03ORG\0"),
  ];
  const asked = query("Example.org", "MX");
  const message = encodeAnswer(asked, localAnswer({ answers }), { maxOctets: 512 });
  const exchanges = readMessage(message).answers!.map((record) =>
    (record as { data: { exchange: string } }).data.exchange
  );
  assert.deepEqual(exchanges, ["Mail.Example.NET", "Mail.Example.NET", "B.Example.org"]);
  assert.equal(message.length, 12 + 17 + (2 + 10) * 3 + 2 * 3 + 18 + 2 + 4);
});

Deno.test("encodeAnswer() sends no octet of what was in memory before, or of a record that did not fit", () => {
  using _ = poisonBuffers();
  const name = "www.example.org";
  for (let count = 0; count <= 120; count++) {
    const answers = addresses(name, count);
    // It is written before it turns out to be too long.
    const long = { ...answers[0], name, class: 1, type: 16, ttlSeconds: 0 };
    const rdata = new Uint8Array(4_000).fill(SECRET_OCTET);
    const all = count % 2 === 0 ? answers : [...answers, { ...long, rdata }];
    for (const edns of [undefined, { udpPayloadSize: 512 }, { udpPayloadSize: 1232 }]) {
      const { message, packet } = encodeFor(name, localAnswer({ answers: all }), edns && { edns });
      assert.equal(message.includes(SECRET_OCTET), false, `${count} addresses`);
      // Whole records up to the end, and nothing behind them.
      const octets = 12 + 21 + 16 * packet.answers!.length + (edns === undefined ? 0 : 11);
      assert.equal(message.length, octets, `${count} addresses`);
    }
  }
});
