import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import {
  addressWithoutZone,
  formatAddress,
  isInRange,
  parseAddress,
  parseRange,
  parseReverseName,
  reverseName,
} from "./ip_address.ts";

Deno.test("parseAddress() takes literals in their usual spelling, and nothing else", async (t) => {
  const cases: [string, string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::", "::"],
    ["192.0.2", undefined],
    ["192.0.2.256", undefined],
    ["192.0.2.01", undefined],
    ["0x7f.0.0.1", undefined],
    ["2130706433", undefined],
    ["fe80::1%eth0", undefined],
    ["[::1]", undefined],
    ["192.0.2.0/24", undefined],
    [" 192.0.2.1", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    await t.step(text, () => {
      const address = parseAddress(text);
      assert.equal(address && formatAddress(address), expected);
    });
  }
});

Deno.test("parseAddress() takes the IPv4 addresses that the runtime takes", () => {
  const text = fc.array(fc.constantFrom("0", "1", "25", "9", "255", ".", ".", "256", " ", "a"), {
    maxLength: 9,
  }).map((parts) => parts.join(""));
  fc.assert(fc.property(fc.oneof(text, fc.ipV4()), (text) => {
    const address = parseAddress(text);
    assert.equal(address !== undefined, isIP(text) === 4);
    if (address !== undefined) assert.equal(address.join("."), text);
  }));
});

Deno.test("addressWithoutZone() cuts the zone off link-local addresses alone", async (t) => {
  const cases: [string, string | undefined][] = [
    ["fe80::1%eth0", "fe80::1"],
    ["FE80:0::1%4", "fe80::1"],
    ["fe80::1", "fe80::1"],
    ["192.0.2.1", "192.0.2.1"],
    ["fe80::1%", undefined],
    ["2001:db8::1%eth0", undefined],
    ["192.0.2.1%eth0", undefined],
    ["%eth0", undefined],
  ];
  for (const [text, expected] of cases) {
    await t.step(text, () => assert.equal(addressWithoutZone(text), expected));
  }
});

Deno.test("isInRange() compares leading bits", async (t) => {
  const cases: [string, string, boolean][] = [
    ["240.240.255.255", "240.240.0.0/16", true],
    ["240.241.0.0", "240.240.0.0/16", false],
    ["192.0.2.127", "192.0.2.0/25", true],
    ["192.0.2.128", "192.0.2.0/25", false],
    ["192.0.2.1", "192.0.2.1/32", true],
    ["203.0.113.1", "0.0.0.0/0", true],
    ["2001:2::1", "2001:2::/48", true],
    ["2001:2:1::1", "2001:2::/48", false],
    ["2001:2::1", "0.0.0.0/0", false],
  ];
  for (const [address, range, inside] of cases) {
    await t.step(`${address} ${range}`, () => {
      assert.equal(isInRange(parseAddress(address)!, parseRange(range)!), inside);
    });
  }
  for (const text of ["192.0.2.0", "192.0.2.0/33", "x/8", "192.0.2.0/-1", "::/129"]) {
    assert.equal(parseRange(text), undefined, text);
  }
});

Deno.test("parseReverseName() reads what reverseName() writes", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(octets, (address) => {
    assert.deepEqual(parseReverseName(reverseName(address)), address);
  }));
  const bad = [
    "1.2.in-addr.arpa",
    "256.2.3.4.in-addr.arpa",
    "01.2.3.4.in-addr.arpa",
    "a.b.c.d.in-addr.arpa",
    "1.ip6.arpa",
    "example.org",
  ];
  for (const name of bad) assert.equal(parseReverseName(name), undefined, name);
});
