import assert from "node:assert/strict";
import { findOwnAddresses, UpstreamLoopError } from "./forward_loop.ts";

const at = (address: string, port = 53) => ({ address, port });
const interfaces = [
  { interface: "eth0", address: "192.0.2.10", internal: false },
  { interface: "eth0", address: "fe80::10", internal: false },
];

Deno.test("findOwnAddresses() finds servers that lead back here", async (t) => {
  const cases: [string, ReturnType<typeof at>, ReturnType<typeof at>, boolean][] = [
    ["the listener itself", at("127.0.0.1", 15053), at("127.0.0.1", 15053), true],
    ["another port", at("127.0.0.1", 53), at("127.0.0.1", 15053), false],
    ["another address", at("127.0.0.2"), at("127.0.0.1"), false],
    ["a link-local address with its zone", at("fe80::1%eth0"), at("fe80::1%eth0"), true],
    ["a link-local neighbour", at("fe80::2%eth0"), at("fe80::1%eth0"), false],
    ["another spelling", at("::1"), at("0:0:0:0:0:0:0:1"), true],
    ["a listener on all, asked on loopback", at("127.0.0.53"), at("0.0.0.0"), true],
    ["a listener on all, asked on an interface", at("192.0.2.10"), at("0.0.0.0"), true],
    ["a listener on all, asked at a link-local address", at("fe80::10%eth0"), at("::"), true],
    ["a listener on all, asked elsewhere", at("192.0.2.11"), at("0.0.0.0"), false],
    ["a listener on all of IPv6, asked on IPv4", at("127.0.0.1"), at("::"), false],
    ["a listener on all of IPv6", at("::1"), at("::"), true],
  ];
  for (const [title, server, listener, own] of cases) {
    await t.step(title, () => {
      const found = findOwnAddresses([server], { listeners: [listener], interfaces });
      assert.equal(found.length, own ? 1 : 0);
    });
  }
});

Deno.test("UpstreamLoopError says which server and what to do", () => {
  const server = at("127.0.0.1", 15053);
  assert.match(
    new UpstreamLoopError([{ server, listener: server }]).message,
    /"127\.0\.0\.1:15053" is this agent's own listener 127\.0\.0\.1:15053\. Set dns\.upstreams or --upstream/,
  );
});
