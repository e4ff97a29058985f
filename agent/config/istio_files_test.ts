import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { systemFiles } from "../system/files.ts";
import { ConfigError } from "./errors.ts";
import { loadConfig } from "./load_config.ts";

const CLUSTER_ENV = `CA_ADDR='istiod-rev-1.istio-system.svc:15012'
ISTIO_INBOUND_PORTS='*'
ISTIO_METAJSON_LABELS='{"app":"db","service.istio.io/canonical-name":"db"}'
ISTIO_META_CLUSTER_ID='cluster-1'
ISTIO_META_MESH_ID='mesh-1'
ISTIO_META_NETWORK='vm-net'
ISTIO_META_WORKLOAD_NAME='db'
ISTIO_NAMESPACE='vm'
ISTIO_SVC_IP='192.0.2.10'
POD_NAMESPACE='vm'
SERVICE_ACCOUNT='vm-sa'
TRUST_DOMAIN=''
`;

const MESH_YAML = `defaultConfig:
  discoveryAddress: istiod-rev-1.istio-system.svc:15012
  proxyMetadata:
    ISTIO_META_CLUSTER_ID: overridden
    ISTIO_META_DNS_CAPTURE: "true"
    TRUST_DOMAIN: mesh.example
`;

/** Loads a configuration with files of Istio; what is undefined is not there. */
async function load(
  contents: Record<string, string | undefined>,
  { config = "", environment = {} }: { config?: string; environment?: Record<string, string> } = {},
) {
  await using directory = await TemporaryDirectory.make();
  for (const [name, content] of Object.entries(contents)) {
    if (content !== undefined) await directory.write(name, content);
  }
  const file = await directory.write("config.yaml", config);
  const { path } = directory;
  try {
    const loaded = await loadConfig({
      file,
      environment,
      flags: [{ path: ["from"], value: path, source: "--from" }],
      hostname: "vm-1",
      files: systemFiles,
    });
    return { ...loaded, path };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { path, problems: error.problems.map((problem) => problem.replaceAll(`${path}/`, "")) };
  }
}

const ALL = { "cluster.env": CLUSTER_ENV, "mesh.yaml": MESH_YAML, hosts: "" };

Deno.test("the files of istioctl become the node and its control plane", async () => {
  const loaded = await load(ALL);
  assert.ok("node" in loaded, JSON.stringify(loaded));
  const { node, controlPlane, path } = loaded;
  assert.deepEqual(node, {
    name: "vm-1",
    namespace: "vm",
    serviceAccount: "vm-sa",
    cluster: "cluster-1",
    network: "vm-net",
    meshId: "mesh-1",
    trustDomain: "mesh.example",
    address: "192.0.2.10",
    labels: { app: "db", "service.istio.io/canonical-name": "db" },
    revision: "default",
    workloadGroup: "db",
    register: false,
  });
  assert.deepEqual(controlPlane, {
    addresses: ["istiod-rev-1.istio-system.svc:15012"],
    serverName: "istiod-rev-1.istio-system.svc",
    caAddress: "istiod-rev-1.istio-system.svc:15012",
    certificateLife: 24 * 3_600_000,
    rootCert: `${path}/root-cert.pem`,
    token: `${path}/istio-token`,
    hosts: `${path}/hosts`,
  });
});

Deno.test("what is configured stands above the files; istiod's TLS name stays", async () => {
  const loaded = await load(ALL, {
    config: "node: { network: other }\ncontrolPlane: { addresses: ['gw.example:15012'] }",
    environment: { OUTRIGGER_NODE_CLUSTER: "cluster-2", OUTRIGGER_NODE_REGISTER: "true" },
  });
  assert.ok("node" in loaded, JSON.stringify(loaded));
  const { node, controlPlane } = loaded;
  assert.deepEqual(
    [node.network, node.cluster, node.namespace, node.register],
    ["other", "cluster-2", "vm", true],
  );
  assert.deepEqual(controlPlane!.addresses, ["gw.example:15012"]);
  assert.equal(controlPlane!.serverName, "istiod-rev-1.istio-system.svc");
});

Deno.test("one of the two files is enough, and Istio's default address holds", async () => {
  const loaded = await load({ "cluster.env": "SERVICE_ACCOUNT=vm-sa" });
  assert.ok("node" in loaded, JSON.stringify(loaded));
  assert.deepEqual(loaded.controlPlane!.addresses, ["istiod.istio-system.svc:15012"]);
  assert.equal(loaded.controlPlane!.hosts, undefined);
  const other = await load({ "mesh.yaml": MESH_YAML });
  assert.ok("node" in other && other.node.trustDomain === "mesh.example");
});

Deno.test("a problem names file, line and variable", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [
      { "cluster.env": "A=1\nSERVICE_ACCOUNT='a b'" },
      /^cluster\.env:2: SERVICE_ACCOUNT: node\.ser/,
    ],
    [{ "cluster.env": "A=$(id)" }, /^cluster\.env:1: \$ and ` are not expanded/],
    [
      { "cluster.env": "ISTIO_METAJSON_LABELS='{'" },
      /^cluster\.env:1: ISTIO_METAJSON_LABELS: must/,
    ],
    [{ "mesh.yaml": "defaultConfig:\n  discoveryAddress: [1]" }, /^mesh\.yaml:2: defaultConfig\.d/],
    [
      { "mesh.yaml": "defaultConfig:\n  discoveryAddress: nowhere" },
      /^mesh\.yaml:2: defaultConfig\.discoveryAddress: controlPlane\.address: must be host:port/,
    ],
    [{ "mesh.yaml": "a: [" }, /^mesh\.yaml:1: not YAML/],
    [{}, /holds neither cluster\.env nor mesh\.yaml/],
  ];
  for (const [contents, expected] of cases) {
    const loaded = await load(contents);
    assert.ok(loaded.problems !== undefined, JSON.stringify(contents));
    assert.match(loaded.problems[0], expected);
  }
});

Deno.test("to register takes a WorkloadGroup", async () => {
  const loaded = await load({ "mesh.yaml": MESH_YAML }, { config: "node: { register: true }" });
  assert.ok(loaded.problems !== undefined);
  assert.match(loaded.problems[0], /config\.yaml:1: node\.register: needs node\.workloadGroup/);
});
