import assert from "node:assert/strict";
import { findEnvoyInterception } from "./envoy_interception.ts";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
const line = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 0:0 00:0 0 1337\n`;

Deno.test("findEnvoyInterception() looks for a listener on port 15001", async (t) => {
  const cases: [string, Record<string, string>, boolean][] = [
    ["nothing readable", {}, false],
    ["no socket", { "/proc/self/net/tcp": HEADER }, false],
    ["IPv4", { "/proc/self/net/tcp": HEADER + line("00000000:3A99", "0A") }, true],
    ["IPv6", { "/proc/self/net/tcp6": HEADER + line(`${"0".repeat(32)}:3A99`, "0A") }, true],
    [
      "a connection from that port",
      { "/proc/self/net/tcp": HEADER + line("0100007F:3A99", "01") },
      false,
    ],
    ["another port", { "/proc/self/net/tcp": HEADER + line("00000000:3A98", "0A") }, false],
  ];
  for (const [title, content, found] of cases) {
    await t.step(title, async () => {
      const readText = (path: string) =>
        path in content ? Promise.resolve(content[path]) : Promise.reject(new Error("absent"));
      assert.equal(await findEnvoyInterception({ readText }), found);
    });
  }
});
