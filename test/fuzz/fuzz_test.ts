import assert from "node:assert/strict";
import { fuzz, type FuzzTarget, HANG_MS, packetOf } from "./fuzz_loop.ts";
import { mutationsOf } from "./mutator.ts";
import { fuzzTargets } from "./targets.ts";

const SEED = 20261201;

Deno.test("every fuzz target takes hostile octets", async (t) => {
  for (const target of fuzzTargets()) {
    await t.step(target.name, () => {
      const report = fuzz(target, { seed: SEED, packets: target.weight * 100 });
      assert.deepEqual(report.crashes, []);
      assert.deepEqual(report.hangs, []);
      assert.ok(report.kinds.size > 1, "only one kind of packet");
    });
  }
});

Deno.test("fuzz() finds faults and hangs, and makes their packets again", async (t) => {
  const make = mutationsOf([new TextEncoder().encode("a valid packet")]);
  const target = (run: FuzzTarget["run"]): FuzzTarget => ({
    name: "planted",
    make,
    weight: 1,
    run,
  });
  await t.step("a fault", () => {
    const faulty = target((packet) => {
      if (packet.length === 3) throw new Error("planted");
      return "fine";
    });
    const report = fuzz(faulty, { seed: SEED, packets: 2000 });
    assert.ok(report.crashes.length > 0);
    assert.equal(report.kinds.get("CRASH")! + report.kinds.get("fine")!, 2000);
    for (const { packet, fault } of report.crashes) {
      assert.match(fault, /planted/);
      assert.equal(packetOf(faulty, SEED, packet).length, 3);
      assert.equal(fuzz(faulty, { seed: SEED, packets: 1, from: packet }).crashes.length, 1);
    }
  });
  await t.step("a packet that takes too long", () => {
    let slow = 0;
    const slowly = target((packet) => {
      if (packet.length !== 3 || slow++ >= 3) return "fine";
      const endMs = performance.now() + HANG_MS + 20;
      while (performance.now() < endMs);
      return "slow";
    });
    assert.equal(fuzz(slowly, { seed: SEED, packets: 2000 }).hangs.length, 1);
  });
  await t.step("no packet is like another", () => {
    const packets = Array.from({ length: 1000 }, (_, i) => packetOf(target(() => ""), SEED, i));
    assert.ok(new Set(packets.map((packet) => packet.join())).size > 700);
  });
});
