import assert from "node:assert/strict";
import { isIP } from "node:net";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { addressInHosts, channelError } from "./control_plane_channel.ts";

Deno.test("addressInHosts() reads hosts(5)", async (t) => {
  const hosts =
    "# istiod\n192.0.2.7 other istiod.istio-system.svc # 192.0.2.8 x\n2001:db8::7\tSix.example\n" +
    "nonsense istiod2\n192.0.2.9 istiod.istio-system.svc\n";
  const cases: [string, string | undefined][] = [
    ["istiod.istio-system.svc", "192.0.2.7"],
    ["ISTIOD.istio-system.svc", "192.0.2.7"],
    ["six.example", "2001:db8::7"],
    ["x", undefined],
    ["istiod2", undefined],
    ["192.0.2.7", undefined],
    ["", undefined],
  ];
  for (const [host, address] of cases) {
    await t.step(host, () => assert.equal(addressInHosts(hosts, host), address));
  }
});

Deno.test("addressInHosts() gives an address or nothing for any text", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (text, host) => {
    const address = addressInHosts(`${text}\n127.0.0.1 ${host}`, host);
    assert.ok(address === undefined || isIP(address) !== 0);
  }));
});

Deno.test("channelError() puts gRPC's failures into words", async (t) => {
  const wrapped = (cause: string) =>
    `No connection established. Last error: ${cause}. Resolution note: `;
  const cases: [string, string, string, RegExp, number?][] = [
    [
      "refused",
      wrapped("Error: connect ECONNREFUSED 192.0.2.1:15012"),
      "CONTROL_PLANE_UNREACHABLE",
      /does not answer: connect ECONNREFUSED 192\.0\.2\.1:15012$/,
    ],
    [
      "another root",
      wrapped("Error: invalid peer certificate: UnknownIssuer"),
      "CONTROL_PLANE_UNTRUSTED",
      /could not prove itself: invalid peer certificate: UnknownIssuer$/,
    ],
    [
      "another name",
      wrapped("Error: invalid peer certificate: NotValidForName"),
      "CONTROL_PLANE_UNTRUSTED",
      /could not prove itself/,
    ],
    [
      "anything else",
      "Connection dropped",
      "CONTROL_PLANE_UNREACHABLE",
      /does not answer: Connection dropped$/,
    ],
    [
      "a refusal",
      "cannot find WorkloadGroup vm/vms",
      "CONTROL_PLANE_REFUSES",
      /refuses this node: cannot find WorkloadGroup vm\/vms$/,
      status.UNKNOWN,
    ],
  ];
  for (const [title, details, code, message, grpcCode = status.UNAVAILABLE] of cases) {
    await t.step(title, () => {
      const error = channelError("istiod.example.org:15012", { code: grpcCode, details });
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.notEqual(error.remedy, "");
    });
  }
});
