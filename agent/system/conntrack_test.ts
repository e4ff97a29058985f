import assert from "node:assert/strict";
import { decodeAnswer, encodeRequest } from "./conntrack.ts";

/** An attribute: length, type, value, padding. */
function attribute(type: number, ...values: Uint8Array[]): Uint8Array {
  const value = values.flatMap((part) => [...part]);
  const length = 4 + value.length;
  const octets = [length & 0xff, length >> 8, type & 0xff, type >> 8, ...value];
  while (octets.length % 4 !== 0) octets.push(0);
  return Uint8Array.from(octets);
}
const NESTED = 0x8000;
const bytes = (...octets: number[]) => Uint8Array.from(octets);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

const addresses = attribute(
  1 | NESTED,
  attribute(1, bytes(192, 0, 2, 2)),
  attribute(2, bytes(192, 0, 2, 53)),
);
const tuple = (protocol: number, port: number) =>
  attribute(
    1 | NESTED,
    addresses,
    attribute(
      2 | NESTED,
      attribute(1, bytes(protocol)),
      attribute(2, bytes(156, 64)),
      attribute(3, bytes(port >> 8, port & 0xff)),
    ),
  );
const reply = attribute(2 | NESTED, addresses);
const zone = attribute(18, bytes(58, 205));

Deno.test("decodeAnswer() reads tracked exchanges, and what names them", () => {
  const udp = encodeRequest(0x100, 2, { family: 2, attributes: join(tuple(17, 53), reply, zone) });
  const tcp = encodeRequest(0x100, 2, { family: 10, attributes: join(reply, tuple(6, 443)) });
  const done = encodeRequest(3, 2);
  const { exchanges, ...rest } = decodeAnswer(join(udp, tcp, done) as Uint8Array<ArrayBuffer>);
  assert.deepEqual(rest, { done: true, error: 0 });
  assert.deepEqual(exchanges, [
    { family: 2, protocol: 17, port: 53, name: join(tuple(17, 53), zone) },
    { family: 10, protocol: 6, port: 443, name: tuple(6, 443) },
  ]);
});

Deno.test("decodeAnswer() tells an error, and an acknowledgement", () => {
  const answer = (errno: number) => {
    const message = encodeRequest(2, 0, { attributes: new Uint8Array(16) });
    new DataView(message.buffer).setInt32(16, -errno, true);
    return decodeAnswer(message).error;
  };
  assert.equal(answer(1), 1);
  assert.equal(answer(0), 0);
});

Deno.test("decodeAnswer() passes over what is cut short", () => {
  const whole = encodeRequest(0x100, 2, { family: 2, attributes: tuple(17, 53) });
  for (let octets = 0; octets < whole.length; octets++) {
    assert.deepEqual(decodeAnswer(whole.slice(0, octets)).exchanges, []);
  }
  const lying = whole.slice();
  lying[20] = 0xff;
  assert.deepEqual(decodeAnswer(lying).exchanges, []);
});
