import assert from "node:assert/strict";
import fc from "fast-check";
import { formatProblem, parseManifest } from "./manifest.ts";

const parse = (text: string) => parseManifest(text, { file: "m.yaml" });
const problems = (text: string) => parse(text).problems.map(formatProblem);
const names = (text: string) => parse(text).objects.map(({ kind, name }) => `${kind} ${name}`);

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: reviews
  namespace: ns1
  annotations: { networking.istio.io/exportTo: "., ns2" }
spec:
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1, "2001:db8::1"]
  ports:
    - { name: http, port: 9080 }
    - { name: dns, port: 53, protocol: UDP }
    - { name: sctp, port: 5, protocol: SCTP }
`;

Deno.test("parseManifest() reads a Service", () => {
  assert.deepEqual(parse(SERVICE), {
    objects: [{
      kind: "Service",
      name: "reviews",
      namespace: "ns1",
      exportTo: [".", "ns2"],
      source: "m.yaml:1",
      clusterIPs: ["10.96.0.1", "2001:db8::1"],
      headless: false,
      publishNotReadyAddresses: false,
      ports: [
        { name: "http", protocol: "tcp", port: 9080 },
        { name: "dns", protocol: "udp", port: 53 },
      ],
    }],
    problems: [],
  });
});

Deno.test("parseManifest() reads an EndpointSlice and a ServiceEntry", () => {
  const { objects, problems } = parse(`
kind: EndpointSlice
metadata: { name: redis-x, namespace: ns1, labels: { kubernetes.io/service-name: redis } }
addressType: IPv4
endpoints:
  - { addresses: [10.1.0.1], hostname: redis-0, conditions: { ready: true } }
  - { addresses: [10.1.0.2], conditions: { ready: false } }
  - { addresses: [10.1.0.3] }
---
kind: ServiceEntry
metadata: { name: db, labels: { networking.istio.io/enable-autoallocate-ip: "False" } }
spec:
  hosts: [db.example.org, "*.db.example.org"]
  addresses: [192.0.2.1, 192.0.2.0/24]
  resolution: STATIC
  exportTo: ["~"]
  ports: [{ number: 443, name: tls, protocol: TLS }]
status: { addresses: [{ value: 240.240.0.7, host: db.example.org }] }
`);
  assert.deepEqual(problems, []);
  const [slice, entry] = objects;
  assert.ok(slice.kind === "EndpointSlice" && entry.kind === "ServiceEntry");
  assert.equal(slice.serviceName, "redis");
  assert.deepEqual(slice.endpoints.map(({ hostname, ready }) => [hostname, ready]), [
    ["redis-0", true],
    ["", false],
    ["", true],
  ]);
  assert.equal(entry.namespace, "default");
  assert.equal(entry.autoAllocateOff, true);
  assert.deepEqual(entry.exportTo, ["~"]);
  assert.deepEqual(entry.addresses, ["192.0.2.1", "192.0.2.0/24"]);
  assert.deepEqual(entry.statusAddresses, [{ value: "240.240.0.7", host: "db.example.org" }]);
  assert.deepEqual(entry.ports, [{ name: "tls", protocol: "tcp", port: 443 }]);
});

Deno.test("parseManifest() reads what kubectl prints, and JSON", async (t) => {
  const item = { kind: "Service", metadata: { name: "a" }, spec: { clusterIP: "None" } };
  const cases: [string, string, string[]][] = [
    ["several documents", `${SERVICE}---\n${SERVICE.replace("reviews", "details")}`, [
      "Service reviews",
      "Service details",
    ]],
    ["an empty document", `---\n---\n${SERVICE}---\n`, ["Service reviews"]],
    ["kind: List", JSON.stringify({ kind: "List", items: [item, { kind: "Pod" }, item] }), [
      "Service a",
      "Service a",
    ]],
    ["ServiceList", JSON.stringify({ kind: "ServiceList", items: [item] }), ["Service a"]],
    ["an empty list", '{"kind":"List","items":[]}', []],
    ["other kinds", "kind: Deployment\nmetadata: { name: a }\n", []],
    ["nothing", "", []],
    ["comments", "# nothing\n", []],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, () => {
      assert.deepEqual(names(text), expected);
      assert.deepEqual(problems(text), []);
    });
  }
  await t.step("a headless Service", () => {
    const [service] = parse(JSON.stringify(item)).objects;
    assert.ok(service.kind === "Service" && service.headless && service.clusterIPs.length === 0);
  });
});

Deno.test("parseManifest() names the line of what is wrong, and reads the rest", async (t) => {
  const cases: [string, string, string[], string[]][] = [
    ["a port out of range", SERVICE.replace("9080", "70000"), [
      "m.yaml:11: Service reviews: spec.ports.0.port: must be a port, 1 to 65535",
    ], []],
    ["beside a good one", `${SERVICE}---\nkind: Service\nmetadata: {}\nspec: {}\n`, [
      "m.yaml:16: Service: metadata.name: must be a text",
    ], ["Service reviews"]],
    [
      "within a list",
      "kind: List\nitems:\n  - kind: ServiceEntry\n    metadata: { name: x }\n" +
      "    spec:\n      hosts: [a.example]\n      resolution: dns\n",
      [
        "m.yaml:7: ServiceEntry x: spec.resolution: must be one of NONE, STATIC, DNS, DNS_ROUND_ROBIN, " +
        "DYNAMIC_DNS",
      ],
      [],
    ],
    ["no hosts", "kind: ServiceEntry\nmetadata: { name: x }\nspec: { hosts: [] }\n", [
      "m.yaml:3: ServiceEntry x: spec.hosts: must name at least one host",
    ], []],
    [
      "no kind",
      "metadata: { name: x }\n",
      ["m.yaml:1: not a Kubernetes object: it has no kind"],
      [],
    ],
    ["a text", "hello\n", ["m.yaml:1: not a Kubernetes object: it has no kind"], []],
    ["a list without items", "kind: List\n", ["m.yaml:1: a List without items"], []],
  ];
  for (const [title, text, expected, objects] of cases) {
    await t.step(title, () => {
      assert.deepEqual(problems(text), expected);
      assert.deepEqual(names(text), objects);
    });
  }
  await t.step("half a file", () => {
    const half = SERVICE.slice(0, SERVICE.indexOf("10.96.0.1,") + 5);
    assert.match(problems(half)[0], /^m\.yaml:\d+: not YAML: /);
    assert.deepEqual(names(half), []);
  });
  await t.step("a bomb of aliases", () => {
    const bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" +
      [..."bcdefghi"].map((name, i) =>
        `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`)}]\n`
      )
        .join("");
    assert.match(problems(bomb)[0], /not usable YAML|no kind/);
  });
});

Deno.test("parseManifest() never throws", () => {
  const piece = fc.constantFrom(
    "kind: Service\n",
    "kind: List\n",
    "items:\n",
    "  - ",
    "metadata: ",
    "{",
    "}",
    "[",
    "spec:\n",
    "---\n",
    "&a ",
    "*a",
    "name: x\n",
    "ports: 5\n",
    "null\n",
    "!!binary ",
    "? ",
    ": ",
    "\t",
    "<<: *a\n",
  );
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(piece).map((all) => all.join("")),
    fc.json(),
  );
  fc.assert(
    fc.property(text, (text) => {
      const { problems } = parse(text);
      for (const { line, message } of problems) assert.ok(line >= 1 && message !== "");
    }),
    { numRuns: 2000 },
  );
});
