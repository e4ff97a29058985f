import assert from "node:assert/strict";
import { formatSocketAddress, parseHostPort, parseSocketAddress } from "./socket_address.ts";

Deno.test("parseSocketAddress() reads ip:port", async (t) => {
  const cases: [string, number | undefined, string | undefined][] = [
    ["127.0.0.1:53", undefined, "127.0.0.1:53"],
    ["[::1]:15053", undefined, "[::1]:15053"],
    ["127.0.0.1", 53, "127.0.0.1:53"],
    ["::1", 53, "[::1]:53"],
    ["127.0.0.1", undefined, undefined],
    ["::1", undefined, undefined],
    ["127.0.0.1:65536", undefined, undefined],
    ["127.0.0.1:", undefined, undefined],
    ["[127.0.0.1]:53", undefined, undefined],
    ["::1:53:", undefined, undefined],
    ["localhost:53", undefined, undefined],
    ["", 53, undefined],
  ];
  for (const [text, port, expected] of cases) {
    await t.step(`${text} ${port ?? ""}`, () => {
      const address = parseSocketAddress(text, port);
      assert.equal(address && formatSocketAddress(address), expected);
    });
  }
});

Deno.test("parseHostPort() takes names too", () => {
  assert.deepEqual(parseHostPort("istiod.example.org:15012"), {
    host: "istiod.example.org",
    port: 15012,
  });
  assert.deepEqual(parseHostPort("[2001:db8::1]:1"), { host: "2001:db8::1", port: 1 });
  for (const text of ["istiod.example.org", "a b:1", "a:99999", ":1"]) {
    assert.equal(parseHostPort(text), undefined, text);
  }
});
