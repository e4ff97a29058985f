import assert from "node:assert/strict";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { failureAnswer } from "../dns/answer.ts";
import {
  CASE_CHANGES_MAX,
  CLIENT_COOKIE_MS,
  REFUSAL_REMEMBERED_MS,
  refusesForm,
  ServerTraits,
} from "./server_traits.ts";

const traits = (caseRandomization = false) =>
  new ServerTraits({ random: new FixedRandom(), caseRandomization: () => caseRandomization });
const octets = (length: number, value: number) => new Uint8Array(length).fill(value);
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

Deno.test("ServerTraits remembers for a while that a server does not speak EDNS", () => {
  const server = traits();
  const full = server.form(0);
  assert.equal(full.edns, "cookie");
  const edns = server.lowerForm(full)!;
  const none = server.lowerForm(edns)!;
  assert.deepEqual([edns.edns, edns.cookie, none.edns], ["edns", undefined, "none"]);
  assert.equal(server.lowerForm(none), undefined);
  assert.equal(server.form(1).edns, "cookie", "nothing is remembered before it answered");
  server.onLowerAnswered("none", 1_000);
  assert.equal(server.form(1_000 + REFUSAL_REMEMBERED_MS - 1).edns, "none");
  assert.equal(server.form(1_000 + REFUSAL_REMEMBERED_MS).edns, "cookie");
});

Deno.test("ServerTraits.acceptsCookie() wants our own back", async (t) => {
  const cases: [string, boolean, (ours: Uint8Array) => Uint8Array | undefined, boolean][] = [
    ["none, of a server that never gave one", false, () => undefined, true],
    ["none, of a server that gave one", true, () => undefined, false],
    ["both", true, (ours) => joined(ours, octets(8, 9)), true],
    ["both, the longest", true, (ours) => joined(ours, octets(32, 9)), true],
    ["too long", true, (ours) => joined(ours, octets(33, 9)), false],
    ["too short a server cookie", true, (ours) => joined(ours, octets(7, 9)), false],
    ["ours alone", true, (ours) => ours, true],
    ["a guess", true, () => octets(16, 0xee), false],
    ["a guess, of a server that never gave one", false, () => octets(16, 0xee), false],
    ["a part of ours", true, (ours) => ours.subarray(0, 7), false],
    ["nothing in it", true, () => new Uint8Array(0), false],
  ];
  for (const [title, known, received, accepted] of cases) {
    await t.step(title, () => {
      const server = traits();
      const ours = server.form(0).cookie!;
      if (known) assert.ok(server.acceptsCookie(ours, joined(ours, octets(8, 1))));
      assert.equal(server.acceptsCookie(ours, received(ours)), accepted);
    });
  }
});

Deno.test("ServerTraits sends back what the server gave, to that server", () => {
  const server = traits();
  const ours = server.form(0).cookie!;
  assert.equal(ours.length, 8);
  server.acceptsCookie(ours, joined(ours, octets(8, 1)));
  assert.deepEqual(server.form(1).cookie, joined(ours, octets(8, 1)));
  server.acceptsCookie(ours, joined(ours, octets(16, 2)));
  assert.deepEqual(server.form(1).cookie, joined(ours, octets(16, 2)));
  const renewed = server.form(CLIENT_COOKIE_MS).cookie!;
  assert.equal(renewed.length, 8);
  assert.notDeepEqual(renewed, ours);
  server.acceptsCookie(ours, joined(ours, octets(8, 3)));
  assert.deepEqual(server.form(CLIENT_COOKIE_MS).cookie, renewed, "the old one's counterpart");
});

Deno.test("ServerTraits.learnCookie() forgets what a server does not give by TCP any more", () => {
  const server = traits();
  const ours = server.form(0).cookie!;
  server.learnCookie(ours, joined(ours, octets(8, 1)));
  assert.equal(server.acceptsCookie(ours, undefined), false);
  server.learnCookie(undefined, undefined);
  assert.equal(server.acceptsCookie(ours, undefined), false, "it was not asked with one");
  server.learnCookie(ours, undefined);
  assert.equal(server.acceptsCookie(ours, undefined), true);
});

Deno.test("ServerTraits mixes letter case where that is wished, until a server changes it", () => {
  assert.equal(traits().form(0).mixCase, false);
  const server = traits(true);
  for (let i = 0; i < CASE_CHANGES_MAX; i++) {
    assert.equal(server.form(0).mixCase, true);
    server.onCaseChanged(0);
  }
  assert.equal(server.form(REFUSAL_REMEMBERED_MS - 1).mixCase, false);
  assert.equal(server.form(REFUSAL_REMEMBERED_MS).mixCase, true);
});

Deno.test("refusesForm() tells refusals of EDNS from answers", async (t) => {
  const cases: [string, number, boolean][] = [
    ["FORMERR", 1, true],
    ["NOTIMP", 4, true],
    ["BADVERS", 16, true],
    ["NOERROR", 0, false],
    ["SERVFAIL", 2, false],
    ["REFUSED", 5, false],
  ];
  for (const [title, rcode, refuses] of cases) {
    await t.step(title, () => assert.equal(refusesForm(failureAnswer(rcode)), refuses));
  }
});
