import assert from "node:assert/strict";
import { RecordType } from "../agent/dns/codes.ts";
import { systemWorld } from "../agent/system/world.ts";
import { ManualClock } from "../test/support/manual_clock.ts";
import { ask, ASK_MS, askAddresses, within } from "./ask.ts";

const QUESTION = { name: "localhost", type: RecordType.A };

/** A world of silence, or of sockets that fail. */
function world(bindUdp = () => Promise.resolve({ local: SERVER, send() {}, close() {} })) {
  const { network, random } = systemWorld();
  return { clock: new ManualClock(), random, network: { ...network, bindUdp } };
}
const SERVER = { address: "192.0.2.53", port: 53 };

Deno.test("ask() waits for a silent server no longer than it may", async () => {
  const ports = world();
  const asked = ask({ address: SERVER }, QUESTION, ports);
  await ports.clock.advance(ASK_MS - 1);
  await ports.clock.advance(1);
  assert.deepEqual(await asked, { reason: "no answer in 2000 ms" });
});

Deno.test("askAddresses() says why the network refused", async () => {
  const ports = world(() => Promise.reject(new Error("Network is unreachable")));
  assert.deepEqual(await askAddresses({ address: SERVER }, QUESTION, ports), {
    ok: false,
    reason: "Network is unreachable",
  });
});

Deno.test("within() gives what came, or what stands for it after the limit and a failure", async (t) => {
  const limit = { limitMs: 1_000, otherwise: "late" };
  const never = new Promise<string>(() => {});
  await t.step("what came", async () => {
    assert.equal(await within(new ManualClock(), limit, Promise.resolve("here")), "here");
  });
  await t.step("a failure", async () => {
    assert.equal(await within(new ManualClock(), limit, Promise.reject(new Error("no"))), "late");
  });
  await t.step("nothing", async () => {
    const clock = new ManualClock();
    const waited = within(clock, limit, never);
    await clock.advance(1_000);
    assert.equal(await waited, "late");
  });
});
