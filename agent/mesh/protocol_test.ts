import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CREATE_CERTIFICATE,
  decodeNameTable,
  encodeNameTable,
  nameTableResource,
  STREAM_AGGREGATED_RESOURCES,
} from "./protocol.ts";

const ENTRY = {
  host: "a.ns1.svc.cluster.local",
  addresses: ["10.0.0.1", "2001:db8::1"],
  registry: "Kubernetes",
  shortName: "a",
  namespace: "ns1",
  altHosts: ["a.example.org"],
};

Deno.test("decodeNameTable() reads the octets of Istio's NameTable", () => {
  // table { "a.b": { ips: "1.2.3.4", registry: "X" } } and a field that is not known, by hand.
  const info = [0x0a, 7, ...text("1.2.3.4"), 0x12, 1, ...text("X"), 0x7a, 1, 0];
  const map = [0x0a, 3, ...text("a.b"), 0x12, info.length, ...info];
  const table = Uint8Array.from([0x0a, map.length, ...map, 0xf8, 0x07, 1]);
  assert.deepEqual([...decodeNameTable(table)], [{
    host: "a.b",
    addresses: ["1.2.3.4"],
    registry: "X",
    shortName: "",
    namespace: "",
    altHosts: [],
  }]);
});

Deno.test("decodeNameTable() reads what encodeNameTable() writes, and throws on every cut", () => {
  const bytes = encodeNameTable([ENTRY]);
  assert.deepEqual([...decodeNameTable(bytes)], [ENTRY]);
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => [...decodeNameTable(bytes.subarray(0, length))], `${length} octets`);
  }
});

Deno.test("decodeNameTable() reads any octets or throws an Error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        for (const { host, addresses } of decodeNameTable(bytes)) {
          assert.equal(typeof host, "string");
          assert.ok(Array.isArray(addresses));
        }
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("STREAM_AGGREGATED_RESOURCES carries node, metadata and errors", () => {
  const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } =
    STREAM_AGGREGATED_RESOURCES;
  const request = {
    versionInfo: "1",
    node: {
      id: "sidecar~x",
      cluster: "c",
      metadata: { A: "b", EMPTY: "", LABELS: { x: "y" }, L: ["z"] },
    },
    typeUrl: "t",
    responseNonce: "n",
    errorDetail: { code: 3, message: "no" },
  };
  assert.deepEqual(requestDeserialize(requestSerialize(request)), request);
  assert.equal(requestDeserialize(requestSerialize({ typeUrl: "t" })).node, undefined);
  const response = {
    versionInfo: "1",
    resources: [nameTableResource([ENTRY])],
    typeUrl: "t",
    nonce: "n",
  };
  const read = responseDeserialize(responseSerialize(response));
  assert.deepEqual([...decodeNameTable(read.resources[0].value)], [ENTRY]);
});

Deno.test("CREATE_CERTIFICATE carries the request and the chain", () => {
  const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } =
    CREATE_CERTIFICATE;
  const request = { csr: "pem", validityDuration: 86_400 };
  assert.deepEqual(requestDeserialize(requestSerialize(request)), request);
  assert.deepEqual(responseDeserialize(responseSerialize({ certChain: ["a", "b"] })), {
    certChain: ["a", "b"],
  });
});

function text(string: string): number[] {
  return [...new TextEncoder().encode(string)];
}
