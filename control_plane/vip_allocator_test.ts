import assert from "node:assert/strict";
import fc from "fast-check";
import type { ServiceEntry } from "../agent/names/mesh_object.ts";
import { hostsNeedingVip, VipAllocator, vipKey } from "./vip_allocator.ts";

function entry(more: Partial<ServiceEntry> = {}): ServiceEntry {
  return {
    kind: "ServiceEntry",
    name: "db",
    namespace: "ns1",
    exportTo: ["*"],
    source: "a.yaml:1",
    hosts: ["db.example.org"],
    addresses: [],
    statusAddresses: [],
    resolution: "DNS",
    autoAllocateOff: false,
    ports: [],
    ...more,
  };
}

Deno.test("hostsNeedingVip() follows Istio's rules", async (t) => {
  const cases: [string, Partial<ServiceEntry>, string[]][] = [
    ["a DNS host", {}, ["db.example.org"]],
    ["a STATIC host", { resolution: "STATIC" }, ["db.example.org"]],
    ["resolution NONE", { resolution: "NONE" }, []],
    ["addresses of its own", { addresses: ["192.0.2.1"] }, []],
    ["addresses in its status", { statusAddresses: [{ value: "240.240.0.9", host: "" }] }, []],
    ["switched off", { autoAllocateOff: true }, []],
    ["a wildcard", { hosts: ["*.example.org"] }, []],
    ["a wildcard beside a host", { hosts: ["*.example.org", "A.example.org"] }, ["a.example.org"]],
  ];
  for (const [title, more, hosts] of cases) {
    await t.step(title, () => assert.deepEqual(hostsNeedingVip(entry(more)), hosts));
  }
  assert.equal(vipKey(entry(), "db.example.org"), "ns1/db/db.example.org");
});

Deno.test("VipAllocator gives the first hosts what istiod gives them", () => {
  const { pairs, exhausted } = new VipAllocator().assign(["db1", "db2"]);
  assert.deepEqual(Object.fromEntries(pairs), {
    db1: { ipv4: "240.240.0.1", ipv6: "2001:2::1" },
    db2: { ipv4: "240.240.0.2", ipv6: "2001:2::2" },
  });
  assert.deepEqual(exhausted, []);
});

Deno.test("VipAllocator never moves a VIP", () => {
  const allocator = new VipAllocator();
  allocator.assign(["a", "b", "c"]);
  const { pairs } = allocator.assign(["c", "d"]);
  assert.equal(pairs.get("c")!.ipv4, "240.240.0.3");
  assert.equal(pairs.get("d")!.ipv4, "240.240.0.4");
  assert.equal(allocator.assign(["b"]).pairs.get("b")!.ipv4, "240.240.0.2");
});

Deno.test("VipAllocator passes over addresses that are taken by hand", () => {
  const taken = new Set(["240.240.0.1", "2001:2::2"]);
  const { pairs } = new VipAllocator().assign(["a"], { taken });
  assert.equal(pairs.get("a")!.ipv4, "240.240.0.3");
});

Deno.test("VipAllocator gives away the VIP of the host longest gone when the range is used up", () => {
  const allocator = new VipAllocator({ ipv4: "240.240.0.0/30", ipv6: "2001:2::/48" });
  allocator.assign(["a", "b"]);
  allocator.assign(["a"]);
  const full = allocator.assign(["a", "c", "d"]);
  assert.equal(full.pairs.get("a")!.ipv4, "240.240.0.1");
  assert.equal(full.pairs.get("c")!.ipv4, "240.240.0.2");
  assert.deepEqual(full.exhausted, ["d"]);
});

Deno.test("VipAllocator.restore() brings every VIP back, or says what is wrong", async (t) => {
  const before = new VipAllocator();
  const first = before.assign(["a", "b"]);
  assert.equal(first.changed, true);
  assert.equal(before.assign(["a", "b"]).changed, false);
  const after = new VipAllocator();
  assert.equal(after.restore(before.format()), undefined);
  assert.deepEqual(after.assign(["b", "a"]).pairs.get("b"), first.pairs.get("b"));
  assert.equal(after.assign(["new"]).pairs.get("new")!.ipv4, "240.240.0.3");
  const cases: [string, string, RegExp][] = [
    ["nothing", "", /^not JSON/],
    ["half a file", before.format().slice(0, 30), /^not JSON/],
    ["another version", '{"version":2,"vips":[]}', /^not a list of VIPs/],
    ["another shape", "[]", /^not a list of VIPs/],
    [
      "one VIP twice",
      '{"version":1,"vips":[{"key":"a","index":1},{"key":"b","index":1}]}',
      /two hosts/,
    ],
  ];
  for (const [title, text, reason] of cases) {
    await t.step(title, () => assert.match(new VipAllocator().restore(text)!, reason));
  }
});

Deno.test("VipAllocator keeps VIPs apart and in place over any edits and restarts", () => {
  const steps = fc.array(fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { maxLength: 8 }), {
    maxLength: 12,
  });
  fc.assert(fc.property(steps, (sets) => {
    let allocator = new VipAllocator();
    const known = new Map<string, string>();
    for (const keys of sets) {
      const { pairs } = allocator.assign(keys);
      assert.equal(new Set([...pairs.values()].map(({ ipv4 }) => ipv4)).size, keys.length);
      for (const [key, { ipv4 }] of pairs) {
        assert.equal(known.get(key) ?? ipv4, ipv4);
        known.set(key, ipv4);
      }
      const restarted = new VipAllocator();
      assert.equal(restarted.restore(allocator.format()), undefined);
      allocator = restarted;
    }
  }));
});
