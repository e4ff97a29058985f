import assert from "node:assert/strict";
import { decodeNameTable } from "../names/name_table_message.ts";
import { CREATE_CERTIFICATE, nameTableResource, STREAM_AGGREGATED_RESOURCES } from "./protocol.ts";

const ENTRY = {
  host: "a.ns1.svc.cluster.local",
  addresses: ["10.0.0.1", "2001:db8::1"],
  registry: "Kubernetes",
  shortName: "a",
  namespace: "ns1",
  altHosts: ["a.example.org"],
};

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
