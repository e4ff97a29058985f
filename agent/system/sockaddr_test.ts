import assert from "node:assert/strict";
import { decodeSockaddr, encodeSockaddr } from "./sockaddr.ts";

const CASES = [
  {
    name: "IPv4",
    address: { address: "192.0.2.1", port: 53 },
    octets: [2, 0, 0, 53, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "IPv6, port above 255",
    address: { address: "2001:db8::1", port: 15053 },
    // deno-fmt-ignore
    octets: [
      10, 0, 0x3a, 0xcd, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    ],
  },
  {
    name: "link-local, zone",
    address: { address: "fe80::1%258", port: 0 },
    // deno-fmt-ignore
    octets: [
      10, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0,
    ],
  },
  {
    name: "IPv4 in IPv6",
    address: { address: "::ffff:c000:201", port: 65535 },
    // deno-fmt-ignore
    octets: [
      10, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1, 0, 0, 0, 0,
    ],
  },
];

for (const { name, address, octets } of CASES) {
  Deno.test(`encodeSockaddr() and decodeSockaddr(): ${name}`, () => {
    assert.deepEqual(encodeSockaddr(address), Uint8Array.from(octets));
    assert.deepEqual(decodeSockaddr(Uint8Array.from(octets)), address);
    // In the middle of a larger buffer, as the kernel leaves it.
    const buffer = new Uint8Array(64);
    buffer.set(octets, 5);
    assert.deepEqual(decodeSockaddr(buffer.subarray(5, 5 + octets.length)), address);
  });
}

Deno.test("encodeSockaddr() asks for the index of an interface by its name", () => {
  const indexes: Record<string, number> = { eth0: 3 };
  const index = (name: string) => indexes[name] ?? 0;
  assert.equal(encodeSockaddr({ address: "fe80::1%eth0", port: 53 }, index)?.[24], 3);
  assert.equal(encodeSockaddr({ address: "fe80::1%eth1", port: 53 }, index), undefined);
  assert.equal(encodeSockaddr({ address: "fe80::1%eth0", port: 53 }), undefined);
  assert.equal(encodeSockaddr({ address: "example.org", port: 53 }), undefined);
});

Deno.test("decodeSockaddr() reads nothing but IPv4 and IPv6", () => {
  for (const octets of [[], [2, 0, 0, 53], [1, ...Array(27).fill(0)], [10, ...Array(15).fill(0)]]) {
    assert.equal(decodeSockaddr(Uint8Array.from(octets)), undefined);
  }
});
