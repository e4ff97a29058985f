import assert from "node:assert/strict";
import { localAnswer } from "./answer.ts";
import { RecordType } from "./codes.ts";
import { parseAddress } from "./ip_address.ts";
import { isPrivateAddress, withoutPrivateAddresses } from "./private_addresses.ts";
import { addressRecord, cnameRecord } from "./record.ts";

const TTL = { ttlSeconds: 60 };
const address = (text: string) => addressRecord("www.example.org", parseAddress(text)!, TTL);

Deno.test("isPrivateAddress() knows what nobody outside can mean", () => {
  const cases: [string, boolean][] = [
    ["0.0.0.0", true],
    ["10.0.0.1", true],
    ["100.63.255.255", false],
    ["100.64.0.1", true],
    ["127.0.0.1", true],
    ["169.254.169.254", true],
    ["172.15.255.255", false],
    ["172.31.255.255", true],
    ["192.168.0.1", true],
    ["192.0.2.1", false],
    ["::", true],
    ["::1", true],
    ["::2", false],
    ["fd00::1", true],
    ["fe80::1", true],
    ["2001:db8::1", false],
  ];
  for (const [text, expected] of cases) {
    assert.equal(isPrivateAddress(parseAddress(text)!), expected, text);
  }
  const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]);
  assert.equal(isPrivateAddress(mapped), true);
  assert.equal(isPrivateAddress(mapped.with(12, 192)), false);
});

Deno.test("withoutPrivateAddresses() leaves everything else as it is", () => {
  const good = localAnswer({ answers: [address("192.0.2.1"), address("2001:db8::1")] });
  assert.equal(withoutPrivateAddresses(good), good);
  const chain = cnameRecord("a.example.org", "www.example.org", TTL);
  const mixed = localAnswer({
    answers: [chain, address("192.0.2.1"), address("10.0.0.1"), address("fd00::1")],
  });
  const filtered = withoutPrivateAddresses(mixed);
  assert.deepEqual(filtered.answers, [chain, address("192.0.2.1")]);
  assert.match(filtered.extendedError!.text, /rebindProtection/);
  // Octets of another type that look like an address are none.
  const other = localAnswer({ answers: [{ ...address("10.0.0.1"), type: RecordType.TXT }] });
  assert.equal(withoutPrivateAddresses(other), other);
});
