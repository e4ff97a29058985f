import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError } from "./errors.ts";
import { type ConfigSources, loadConfig } from "./load_config.ts";

const FILE = "c.yaml";
const CP = "controlPlane: { address: 'istiod.example.org:15012' }\n";

function sources(text: string | undefined, more: Partial<ConfigSources> = {}): ConfigSources {
  return {
    file: FILE,
    environment: {},
    flags: [],
    hostname: "vm-1",
    files: {
      readText: () =>
        text === undefined ? Promise.reject(new Error("no such file")) : Promise.resolve(text),
      stat: () => Promise.resolve(undefined),
    },
    ...more,
  };
}

async function problems(text: string | undefined, more: Partial<ConfigSources> = {}) {
  try {
    await loadConfig(sources(text, more));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
}

Deno.test("loadConfig() fills in every default", async () => {
  const config = await loadConfig(sources(CP));
  assert.deepEqual(config, {
    node: {
      name: "vm-1",
      namespace: "default",
      serviceAccount: "default",
      cluster: "Kubernetes",
      network: "",
      trustDomain: "cluster.local",
      labels: {},
      meshId: "",
      revision: "default",
      register: false,
    },
    controlPlane: {
      addresses: ["istiod.example.org:15012"],
      serverName: "istiod.istio-system.svc",
      rootCert: "/etc/outrigger/root-cert.pem",
      token: "/etc/outrigger/istio-token",
      certificateLife: 86_400_000,
    },
    dns: {
      listen: ["127.0.0.1:15053"],
      clusterDomain: "cluster.local",
      fastPath: "auto",
      forward: [],
      receiveBuffer: 4 * 1024 ** 2,
      rebindProtection: false,
      rebindExempt: [],
      allowFrom: [],
      caseRandomization: false,
      autoAllocated: "auto",
      vipRanges: ["240.240.0.0/16", "2001:2::/48"],
      workers: 1,
    },
    health: { listen: "127.0.0.1:15054" },
    control: {},
    cache: {
      maxBytes: 16 * 1024 * 1024,
      minTtl: 0,
      maxTtl: 86_400_000,
      serveStale: 86_400_000,
      prefetch: true,
    },
    capture: { mode: "auto", allNameservers: false, containers: false },
    names: { files: [], exclude: [] },
    stateDir: "/var/lib/outrigger",
    log: { level: "info", format: "text" },
  });
});

Deno.test("loadConfig() names file, line and what is allowed", async (t) => {
  const cases: [string, string, string[]][] = [
    ["an unknown key", `${CP}dsn: {}\n`, [
      `${FILE}:2: dsn: unknown key; allowed here: from, node, controlPlane, dns, health, control, cache, ` +
      'capture, names, stateDir, log; did you mean "dns"?',
    ]],
    ["an unknown key below", `${CP}dns:\n  listen: ["[::1]:53"]\n  upstream: []\n`, [
      `${FILE}:4: dns.upstream: unknown key; allowed here: listen, fastPath, workers, receiveBuffer, upstreams, forward, rebindProtection, ` +
      "rebindExempt, allowFrom, caseRandomization, searchDomains, clusterDomain, autoAllocated, " +
      'vipRanges; did you mean "upstreams"?',
    ]],
    ["an unknown key of the control plane", "controlPlane:\n  addres: a:1\n", [
      `${FILE}:2: controlPlane.addres: unknown key; allowed here: address, addresses, serverName, ` +
      'rootCert, token, hosts, caAddress, certificateLife; did you mean "address"?',
      `${FILE}:1: controlPlane.address: must have address: host:port`,
    ]],
    ["no ip:port", `${CP}dns:\n  listen:\n    - 127.0.0.1:53\n    - localhost\n`, [
      `${FILE}:5: dns.listen.1: must be ip:port, e.g. 127.0.0.1:15053 or [::1]:15053`,
    ]],
    ["a text for a list", `${CP}dns: { listen: "127.0.0.1:53" }\n`, [
      `${FILE}:2: dns.listen: must be a list`,
    ]],
    ["a list for a mapping", `${CP}dns: []\n`, [
      `${FILE}:2: dns: must be a mapping of keys to values`,
    ]],
    ["an empty list", `${CP}dns: { upstreams: [] }\n`, [
      `${FILE}:2: dns.upstreams: must not be empty`,
    ]],
    ["another word", `${CP}log: { level: loud }\n`, [
      `${FILE}:2: log.level: must be one of debug, info, warn, error`,
    ]],
    ["no domain", `${CP}dns: { clusterDomain: "a..b" }\n`, [
      `${FILE}:2: dns.clusterDomain: must be a domain name, e.g. cluster.local`,
    ]],
    ["a slash in a SPIFFE path", `${CP}node: { namespace: "a/b" }\n`, [
      `${FILE}:2: node.namespace: must be letters, digits, '-', '.' or '_', and begin and end with ` +
      "a letter or digit",
    ]],
    ["a bad range", `${CP}dns: { vipRanges: ["240.0.0.0/99"] }\n`, [
      `${FILE}:2: dns.vipRanges.0: must be a range of addresses, e.g. 240.240.0.0/16`,
    ]],
    ["no size", `${CP}cache: { maxBytes: 16MB }\n`, [
      `${FILE}:2: cache.maxBytes: must be a size, e.g. 16MiB`,
    ]],
    ["too small a size", `${CP}cache: { maxBytes: 512KiB }\n`, [
      `${FILE}:2: cache.maxBytes: must be 1024KiB or more`,
    ]],
    ["too short a duration", `${CP}cache: { maxTtl: 0s }\n`, [
      `${FILE}:2: cache.maxTtl: must be 1s or more`,
    ]],
    ["neither a duration nor off", `${CP}cache: { serveStale: never }\n`, [
      `${FILE}:2: cache.serveStale: must be a duration, e.g. 24h, or off`,
    ]],
    ["two at once", `${CP}x: 1\nlog: { format: xml }\n`, [
      `${FILE}:3: log.format: must be one of text, json`,
      `${FILE}:2: x: unknown key; allowed here: from, node, controlPlane, dns, health, control, ` +
      "cache, capture, names, stateDir, log",
    ]],
    ["no address of the control plane", "controlPlane: {}\n", [
      `${FILE}:1: controlPlane.address: must have address: host:port`,
    ]],
    ["nothing to serve", "", [
      `${FILE}: there are no names to serve: set controlPlane.address (--control-plane HOST:PORT) ` +
      "or names.files (--names FILE), or join an Istio mesh with the files of istioctl (--from DIR)",
    ]],
    ["a list as a file", "- a\n", [`${FILE}:1: must be a mapping of keys to values`]],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, async () => assert.deepEqual(await problems(text), expected));
  }
  await t.step("YAML that is none", async () => {
    assert.match((await problems("dns:\n  listen: [a\nlog: {}\n"))[0], /^c\.yaml:\d: not YAML: /);
  });
  await t.step("a file that is not there", async () => {
    assert.deepEqual(await problems(undefined), [`${FILE}: cannot be read: no such file`]);
  });
});

Deno.test("loadConfig() reads sizes and durations of the cache", async () => {
  const text = `${CP}cache: { maxBytes: 1GiB, minTtl: 5s, maxTtl: 1h, serveStale: 72h }\n`;
  assert.deepEqual((await loadConfig(sources(text))).cache, {
    maxBytes: 1024 ** 3,
    minTtl: 5_000,
    maxTtl: 3_600_000,
    serveStale: 72 * 3_600_000,
    prefetch: true,
  });
  const environment = {
    OUTRIGGER_CACHE_SERVE_STALE: "off",
    OUTRIGGER_CACHE_PREFETCH: "false",
    OUTRIGGER_CACHE_MAX_BYTES: "2048KiB",
  };
  const { cache } = await loadConfig(sources(text, { environment }));
  assert.deepEqual([cache.serveStale, cache.prefetch, cache.maxBytes], [0, false, 2 * 1024 ** 2]);
});

Deno.test("loadConfig() lets the environment win over the file, and flags over both", async () => {
  const text =
    `${CP}dns: { listen: ["127.0.0.1:1"], searchDomains: [a.example] }\nlog: { level: warn }\n`;
  const config = await loadConfig(sources(text, {
    environment: {
      HOME: "/home",
      OUTRIGGER_DNS_LISTEN: "127.0.0.1:2, [::1]:2",
      OUTRIGGER_DNS_WORKERS: "3",
      OUTRIGGER_LOG_LEVEL: "debug",
      OUTRIGGER_NODE_LABELS: "app=db,tier=",
      OUTRIGGER_CONTROL_PLANE_ADDRESS: "192.0.2.1:15012",
    },
    flags: [{ path: ["dns", "listen"], value: ["127.0.0.1:3"], source: "--dns-listen" }],
  }));
  assert.deepEqual(config.dns.listen, ["127.0.0.1:3"]);
  assert.deepEqual(config.dns.searchDomains, ["a.example"]);
  assert.equal(config.dns.workers, 3);
  assert.equal(config.log.level, "debug");
  assert.deepEqual(config.node.labels, { app: "db", tier: "" });
  assert.deepEqual(config.controlPlane!.addresses, ["192.0.2.1:15012"]);
});

Deno.test("loadConfig() names the variable or flag that is wrong", async () => {
  assert.deepEqual(
    await problems(CP, {
      environment: { OUTRIGGER_LOG_LEVEL: "loud", OUTRIGGER_DNS_LISTN: "x" },
      flags: [{ path: ["dns", "upstreams"], value: ["example.org"], source: "--upstream" }],
    }),
    [
      "OUTRIGGER_DNS_LISTN: no such setting; see the configuration table in the README",
      "--upstream: dns.upstreams.0: must be an IP address, ip:port, or tls://ip#name for DNS over " +
      "TLS, e.g. 192.0.2.53, [2001:db8::53]:5353 or tls://192.0.2.53#dns.example.org",
      "OUTRIGGER_LOG_LEVEL: log.level: must be one of debug, info, warn, error",
    ],
  );
});

Deno.test("loadConfig() needs no file when flags say enough", async () => {
  const config = await loadConfig(sources(undefined, {
    file: undefined,
    flags: [{ path: ["names", "files"], value: ["mesh.yaml"], source: "--names" }],
  }));
  assert.deepEqual(config.names.files, ["mesh.yaml"]);
  assert.equal(config.controlPlane, undefined);
});

Deno.test("loadConfig() makes a node's name of any host name", async () => {
  for (const [hostname, name] of [["vm_1.example", "vm_1.example"], ["~a/b~", "a-b"], ["", "vm"]]) {
    assert.equal((await loadConfig(sources(CP, { hostname }))).node.name, name);
  }
});

Deno.test("loadConfig() throws nothing but ConfigError for any text", async () => {
  const yaml = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(
      fc.constantFrom("dns:", "  listen:", "- a", "&x", "*x", "{", "]", "\n", ": ", "node: ", "'"),
    )
      .map((parts) => parts.join("")),
    fc.json(),
  );
  await fc.assert(fc.asyncProperty(yaml, async (text) => void await problems(text)), {
    numRuns: 500,
  });
});

Deno.test("loadConfig() takes nameservers of domains as a list, a text, or a variable", async () => {
  const forward = async (text: string, environment: Record<string, string> = {}) =>
    (await loadConfig(sources(text, { environment }))).dns.forward;
  const expected = [
    { domain: "corp.example", servers: ["192.0.2.53", "tls://192.0.2.54#dns.example.org"] },
  ];
  const list = `[192.0.2.53, "tls://192.0.2.54#dns.example.org"]`;
  const text = "192.0.2.53 tls://192.0.2.54#dns.example.org";
  assert.deepEqual(await forward(`${CP}dns: { forward: { Corp.Example.: ${list} } }\n`), expected);
  assert.deepEqual(await forward(`${CP}dns: { forward: { corp.example: "${text}" } }\n`), expected);
  const environment = { OUTRIGGER_DNS_FORWARD: `corp.example=${text}` };
  assert.deepEqual(await forward(CP, environment), expected);
  const cases: [string, RegExp][] = [
    [`"": [192.0.2.53]`, /^c\.yaml:\d+: dns\.forward\.: must be below a domain/],
    [`"a..b": [192.0.2.53]`, /dns\.forward\.a\.\.b: must be below a domain/],
    ["corp.example: []", /dns\.forward\.corp\.example/],
    ["corp.example: [dns.example.org]", /dns\.forward\.corp\.example/],
  ];
  for (const [entry, expected] of cases) {
    const [problem] = await problems(`${CP}dns: { forward: { ${entry} } }\n`);
    assert.match(problem, expected, entry);
  }
});
