import assert from "node:assert/strict";
import { type ClusterObjects, hostEntries } from "./host_entries.ts";
import { parseManifest } from "./manifest.ts";

function cluster(name: string, manifest: string): ClusterObjects {
  const { objects, problems } = parseManifest(manifest, { file: `${name}.yaml` });
  assert.deepEqual(problems, []);
  return { cluster: name, objects };
}

const service = (name: string, spec: string, annotations = "{}") =>
  `kind: Service\nmetadata: { name: ${name}, namespace: ns1, annotations: ${annotations} }\n` +
  `spec: ${spec}\n---\n`;
const slice = (serviceName: string, endpoints: string) =>
  `kind: EndpointSlice\nmetadata: { name: s, namespace: ns1, labels: ` +
  `{ kubernetes.io/service-name: ${serviceName} } }\nendpoints: ${endpoints}\n---\n`;
const entry = (hosts: string, spec: string) =>
  `kind: ServiceEntry\nmetadata: { name: se, namespace: ns1 }\nspec: { hosts: ${hosts}, ${spec} }\n---\n`;

/** `host: addresses`, a line each. */
function lines(
  clusters: ClusterObjects[],
  viewer = { namespace: "ns1", cluster: "Kubernetes" },
): string[] {
  const vipsOf = () => ["240.240.0.1", "2001:2::1"];
  return hostEntries(clusters, { clusterDomain: "cluster.local", viewer, vipsOf }).entries
    .map(({ host, addresses, registry }) => `${registry} ${host}: ${addresses.join(" ")}`);
}

Deno.test("hostEntries() follows Istio's rules", async (t) => {
  const redis = service("redis", "{ clusterIP: None }");
  const pods = slice(
    "redis",
    "[{ addresses: [10.1.0.1], hostname: redis-0 }, " +
      "{ addresses: [10.1.0.2], hostname: redis-1, conditions: { ready: false } }, { addresses: [10.1.0.3] }]",
  );
  const cases: [string, string, string[]][] = [
    ["a Service", service("a", "{ clusterIPs: [10.0.0.1, '2001:db8::1'] }"), [
      "Kubernetes a.ns1.svc.cluster.local: 10.0.0.1 2001:db8::1",
    ]],
    ["a headless Service: its ready pods", redis + pods, [
      "Kubernetes redis-0.redis.ns1.svc.cluster.local: 10.1.0.1",
      "Kubernetes redis.ns1.svc.cluster.local: 10.1.0.1 10.1.0.3",
    ]],
    [
      "publishNotReadyAddresses",
      service("redis", "{ clusterIP: None, publishNotReadyAddresses: true }") + pods,
      [
        "Kubernetes redis-0.redis.ns1.svc.cluster.local: 10.1.0.1",
        "Kubernetes redis-1.redis.ns1.svc.cluster.local: 10.1.0.2",
        "Kubernetes redis.ns1.svc.cluster.local: 10.1.0.1 10.1.0.2 10.1.0.3",
      ],
    ],
    ["a headless Service without pods", redis, []],
    [
      "slices of one pod in both families",
      redis + slice("redis", "[{ addresses: [10.1.0.1], hostname: r }]") +
      slice("redis", "[{ addresses: ['2001:db8::1'], hostname: r }]"),
      [
        "Kubernetes r.redis.ns1.svc.cluster.local: 10.1.0.1 2001:db8::1",
        "Kubernetes redis.ns1.svc.cluster.local: 10.1.0.1 2001:db8::1",
      ],
    ],
    ["ExternalName", service("x", "{ type: ExternalName, externalName: a.example }"), []],
    [
      "a ServiceEntry with addresses; ranges give none",
      entry("[A.example]", "addresses: [192.0.2.1, 192.0.2.0/24]"),
      [
        "External a.example: 192.0.2.1",
      ],
    ],
    ["a ServiceEntry with a range alone", entry("[a.example]", "addresses: [192.0.2.0/24]"), []],
    ["a ServiceEntry without addresses gets VIPs", entry("[a.example]", "resolution: DNS"), [
      "External a.example: 240.240.0.1 2001:2::1",
    ]],
    ["a wildcard", entry("['*.a.example']", "addresses: [192.0.2.1]"), [
      "External *.a.example: 192.0.2.1",
    ]],
    [
      "several entries of one host add up",
      entry("[a.example]", "addresses: [192.0.2.1]") +
      entry("[a.example]", "addresses: [192.0.2.2, 192.0.2.1]"),
      ["External a.example: 192.0.2.1 192.0.2.2"],
    ],
    [
      "a Service's host stays its own",
      service("a", "{ clusterIP: 10.0.0.1 }") +
      entry("[a.ns1.svc.cluster.local]", "addresses: [192.0.2.1]"),
      ["Kubernetes a.ns1.svc.cluster.local: 10.0.0.1"],
    ],
  ];
  for (const [title, manifest, expected] of cases) {
    await t.step(title, () => assert.deepEqual(lines([cluster("Kubernetes", manifest)]), expected));
  }
});

Deno.test("hostEntries() puts the viewer's own cluster first", async (t) => {
  const own = cluster("Kubernetes", service("a", "{ clusterIP: 10.0.0.1 }"));
  const redis = service("redis", "{ clusterIP: None }") +
    slice("redis", "[{ addresses: [10.9.0.1], hostname: redis-0 }]");
  const other = cluster(
    "cluster-2",
    service("a", "{ clusterIP: 10.9.0.1 }") +
      service("only", "{ clusterIP: 10.9.0.2 }") + redis,
  );
  await t.step("in the first cluster", () => {
    assert.deepEqual(lines([other, own]), [
      "Kubernetes a.ns1.svc.cluster.local: 10.0.0.1",
      "Kubernetes only.ns1.svc.cluster.local: 10.9.0.2",
      // Pods of another cluster have names, but a headless name means the pods of this one.
      "Kubernetes redis-0.redis.ns1.svc.cluster.local: 10.9.0.1",
    ]);
  });
  await t.step("in the second cluster", () => {
    assert.deepEqual(lines([own, other], { namespace: "ns1", cluster: "cluster-2" }), [
      "Kubernetes a.ns1.svc.cluster.local: 10.9.0.1",
      "Kubernetes only.ns1.svc.cluster.local: 10.9.0.2",
      "Kubernetes redis-0.redis.ns1.svc.cluster.local: 10.9.0.1",
      "Kubernetes redis.ns1.svc.cluster.local: 10.9.0.1",
    ]);
  });
});

Deno.test("hostEntries() respects exportTo", async (t) => {
  const cases: [string, string, string[]][] = [
    ["*", "ns2", ["a"]],
    [".", "ns1", ["a"]],
    [".", "ns2", []],
    ["ns2", "ns2", ["a"]],
    ["ns2", "ns1", []],
    ["~", "ns1", []],
    ["., ns3", "ns3", ["a"]],
  ];
  for (const [exportTo, namespace, seen] of cases) {
    await t.step(`${exportTo} seen from ${namespace}`, () => {
      const viewer = { namespace, cluster: "Kubernetes" };
      const annotated = service(
        "a",
        "{ clusterIP: 10.0.0.1 }",
        `{ networking.istio.io/exportTo: "${exportTo}" }`,
      );
      const list = exportTo.split(",").map((item) => `"${item.trim()}"`).join(", ");
      const external = entry("[a.example]", `addresses: [192.0.2.1], exportTo: [${list}]`);
      assert.equal(lines([cluster("Kubernetes", annotated)], viewer).length, seen.length);
      assert.equal(lines([cluster("Kubernetes", external)], viewer).length, seen.length);
    });
  }
});

Deno.test("hostEntries() notes what could not become a host", () => {
  const manifest = service("x", "{ type: ExternalName, externalName: a.example }") +
    entry("[b.example]", "resolution: NONE");
  const { notes } = hostEntries([cluster("Kubernetes", manifest)], {
    clusterDomain: "cluster.local",
    viewer: { namespace: "ns1", cluster: "Kubernetes" },
  });
  assert.deepEqual(notes, [
    "Kubernetes.yaml:1: Service x: ExternalName is not served",
    'Kubernetes.yaml:5: ServiceEntry se: "b.example" has no address to serve',
  ]);
});
