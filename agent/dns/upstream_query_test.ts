import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { readMessage } from "../../test/support/dns_messages.ts";
import { poisonBuffers, SECRET_OCTET } from "../../test/support/poisoned_buffers.ts";
import { decodeName, encodeName } from "./name.ts";
import { encodeUpstreamQuery, mixLetterCase } from "./upstream_query.ts";

const question = { name: "www.example.org", type: 1, class: 1 };
const options = { id: 9, question, checkingDisabled: true, dnssecOk: true, udpPayloadSize: 1232 };

Deno.test("encodeUpstreamQuery() writes a recursive query", () => {
  const packet = readMessage(encodeUpstreamQuery(options));
  assert.equal(packet.id, 9);
  assert.equal(packet.flag_rd && packet.flag_cd, true);
  assert.deepEqual(packet.questions, [{ name: "www.example.org", type: "A", class: "IN" }]);
  const opt = packet.additionals![0] as { udpPayloadSize: number; flag_do: boolean };
  assert.equal(opt.udpPayloadSize, 1232);
  assert.equal(opt.flag_do, true);
  const plain = readMessage(encodeUpstreamQuery({ ...options, udpPayloadSize: 0 }));
  assert.equal(plain.additionals!.length, 0);
});

Deno.test("encodeUpstreamQuery() writes cookie and padding", () => {
  const cookie = Buffer.from("0102030405060708a1a2a3a4a5a6a7a8", "hex");
  const message = encodeUpstreamQuery({ ...options, cookie, paddedToOctets: 128 });
  const opt = readMessage(message).additionals![0] as unknown as {
    options: { code: number; data: Uint8Array; length?: number }[];
  };
  assert.deepEqual(opt.options.map(({ code }) => code), [10, 12]);
  assert.equal(Buffer.from(opt.options[0].data).toString("hex"), cookie.toString("hex"));
  const without = encodeUpstreamQuery({ ...options, udpPayloadSize: 0, cookie });
  assert.equal(readMessage(without).additionals!.length, 0, "no OPT, no option");
});

Deno.test("encodeUpstreamQuery() pads to whole blocks, whatever the name's length", () => {
  for (let length = 1; length <= 200; length++) {
    const name = [..."x".repeat(length)].map((x, i) => i % 2 === 1 && i < length - 1 ? "." : x)
      .join("");
    const message = encodeUpstreamQuery({
      ...options,
      question: { ...question, name },
      paddedToOctets: 128,
    });
    assert.equal(message.length % 128, 0, name);
    assert.equal(readMessage(message).additionals!.length, 1, name);
  }
});

Deno.test("encodeUpstreamQuery() sends no octet of what was in memory before, in its padding least", () => {
  using _ = poisonBuffers();
  for (const paddedToOctets of [undefined, 128, 468]) {
    for (const udpPayloadSize of [0, 1232]) {
      for (const dnssecOk of [false, true]) {
        const message = encodeUpstreamQuery({
          ...options,
          dnssecOk,
          udpPayloadSize,
          ...paddedToOctets && { paddedToOctets },
        });
        assert.equal(message.includes(SECRET_OCTET), false);
        assert.equal(readMessage(message).id, 9);
      }
    }
  }
});

Deno.test("mixLetterCase() changes the case of letters and nothing else", () => {
  const name = "a-1.xn--example.\\046b.example.org";
  fc.assert(fc.property(fc.array(fc.nat(65535), { minLength: 4, maxLength: 4 }), (bits) => {
    const mixed = mixLetterCase(encodeName(name), () => bits.pop()!);
    assert.equal(decodeName(Buffer.concat([new Uint8Array(12), mixed]), 12)!.name, name);
  }));
  const upper = mixLetterCase(encodeName("abc.org"), () => 0b010101);
  assert.equal(Buffer.from(upper).toString("latin1"), "\x03AbC\x03oRg\0");
});
