import assert from "node:assert/strict";
import { ManualClock } from "../test/support/manual_clock.ts";
import { AllowedClients } from "./allowed_clients.ts";

const OWN = ["127.0.0.1", "192.0.2.10", "2001:db8::10", "fe80::1"];

/** This machine and its ranges, which a test may change, and how often its addresses were read. */
function machine() {
  const clock = new ManualClock();
  const state = {
    addresses: OWN,
    allowFrom: ["198.51.100.0/24", "2001:db8:1::/48"],
    containers: false,
    reads: 0,
  };
  const network = {
    interfaceAddresses() {
      state.reads++;
      return [
        ...state.addresses.map((address) => ({ interface: "eth0", address, internal: false })),
        { interface: "docker0", address: "203.0.113.1", internal: false, range: "203.0.113.1/28" },
        { interface: "eth1", address: "203.0.113.17", internal: false, range: "203.0.113.17/28" },
      ];
    },
  };
  return {
    clock,
    state,
    allowed: new AllowedClients({ network, clock, config: () => ({ dns: state, capture: state }) }),
  };
}

Deno.test("AllowedClients.has() knows this machine's addresses and the ranges", () => {
  const { allowed, state } = machine();
  const cases: [string, boolean][] = [
    ["198.51.100.7", true],
    ["::ffff:198.51.100.7", true],
    ["2001:db8:1::7", true],
    ["192.0.2.10", true],
    ["2001:DB8:0::10", true],
    ["fe80::1%eth0", true],
    ["192.0.2.11", false],
    ["fe80::2%eth0", false],
    ["nonsense", false],
  ];
  for (const [client, expected] of cases) assert.equal(allowed.has(client), expected, client);
  state.allowFrom = ["203.0.113.0/24"];
  assert.deepEqual([allowed.has("198.51.100.7"), allowed.has("203.0.113.7")], [false, true]);
});

Deno.test("AllowedClients.has() knows containers where they are captured, and no other neighbours", () => {
  const { allowed, state } = machine();
  assert.equal(allowed.has("203.0.113.2"), false);
  state.containers = true;
  assert.deepEqual([allowed.has("203.0.113.2"), allowed.has("203.0.113.18")], [true, false]);
});

Deno.test("AllowedClients.has() reads this machine's addresses once a second at most", async () => {
  const { allowed, clock, state } = machine();
  assert.equal(allowed.has("198.51.100.7"), true);
  assert.equal(state.reads, 0, "a range needs no address");
  for (let i = 0; i < 1_000; i++) allowed.has(`192.0.2.${i % 256}`);
  assert.equal(state.reads, 1);
  state.addresses = ["192.0.2.11"];
  await clock.advance(999);
  assert.deepEqual([allowed.has("192.0.2.10"), allowed.has("192.0.2.11")], [true, false]);
  await clock.advance(1);
  assert.deepEqual([allowed.has("192.0.2.10"), allowed.has("192.0.2.11")], [false, true]);
  assert.equal(state.reads, 2);
});

Deno.test("AllowedClients.has() parses the ranges once", () => {
  const { allowed, state } = machine();
  let parsed = 0;
  const counted = state.allowFrom;
  counted.map = (...parameters) => {
    parsed++;
    return Array.prototype.map.apply(counted, parameters) as never;
  };
  for (let i = 0; i < 1_000; i++) assert.equal(allowed.has("198.51.100.7"), true);
  assert.equal(parsed, 1);
});
