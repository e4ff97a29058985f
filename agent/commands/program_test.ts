import assert from "node:assert/strict";
import type { LookupReport, NamesReport, StatusReport } from "../health/api.ts";
import { systemFiles } from "../system/files.ts";
import type { Process } from "../system/process.ts";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { AgentUnreachableError } from "./agent_api.ts";
import { parseDuration } from "./control_plane.ts";
import { runProgram } from "./program.ts";
import { formatStatus } from "./status.ts";

const process: Process = {
  environment: () => ({}),
  hostname: () => "vm-1",
  onSignal: () => () => {},
  residentBytes: () => 0,
};

/** Runs a command line against an agent that answers `body` to everything. */
async function run(args: string[], body?: unknown, status = 200) {
  let output = "";
  const urls: string[] = [];
  const exitCode = await runProgram(args, {
    print: (text) => void (output += text),
    colour: false,
    process,
    files: systemFiles,
    fetch: (url) => {
      urls.push(url);
      if (body === undefined) return Promise.reject(new Error("connection refused"));
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    },
  });
  return { exitCode, output, urls };
}

const STATUS: StatusReport = {
  status: "degraded",
  version: "0.1.0",
  uptimeSeconds: 93_784,
  listeners: ["udp://127.0.0.1:15053", "tcp://127.0.0.1:15053"],
  waitingFor: [],
  problems: [{
    code: "TOKEN_EXPIRED",
    message: "The token expired",
    remedy: "Put a fresh token there.",
  }],
  node: {
    name: "vm-1",
    namespace: "ns1",
    serviceAccount: "vm-sa",
    cluster: "Kubernetes",
    network: "",
    addresses: [],
  },
  controlPlane: {
    state: "waiting",
    address: "istiod.example.org:15012",
    since: "2026-01-01T00:00:00.000Z",
    lastError: "",
    certificate: { state: "none", identity: "", expiresAt: "", renewAt: "" },
  },
  names: {
    origin: "disk",
    version: "7",
    receivedAt: "2026-01-01T00:00:00.000Z",
    hosts: 12,
    rejected: ['"": not a domain name'],
    rejectedTotal: 1,
    autoAllocated: "forward",
  },
  upstreams: [
    { server: "192.0.2.1:53", healthy: true, roundTripMs: 3.5, lastError: "" },
    { server: "192.0.2.2:53", healthy: false, lastError: "no answer in 1000 ms" },
  ],
  cache: { entries: 3, bytes: 2_000, maxBytes: 1 },
};

Deno.test("outrigger status tells people what is going on", async () => {
  const { exitCode, output, urls } = await run(["status"], STATUS);
  assert.equal(exitCode, 1);
  assert.deepEqual(urls, ["http://127.0.0.1:15054/api/v1/status"]);
  assert.equal(
    output,
    `status         degraded, version 0.1.0, up 1 d 2 h
serving        udp://127.0.0.1:15053  tcp://127.0.0.1:15053
node           vm-1, namespace ns1, service account vm-sa, cluster Kubernetes
names          12 hosts from disk, version 7, received 2026-01-01T00:00:00.000Z
               1 left out:
                 "": not a domain name
control plane  waiting istiod.example.org:15012 since 2026-01-01T00:00:00.000Z
certificate    none
upstream       192.0.2.1:53 healthy, 3.5 ms
upstream       192.0.2.2:53 does not answer: no answer in 1000 ms
cache          3 answers, 2 KiB

problem: The token expired
  to do: Put a fresh token there.
`,
  );
  assert.ok(formatStatus(STATUS, { colour: true }).includes("\x1b[33mdegraded\x1b[0m"));
  assert.equal((await run(["status"], { ...STATUS, status: "ok", problems: [] })).exitCode, 0);
});

Deno.test("outrigger status --json prints what the agent says", async () => {
  const { output, urls } = await run(["status", "--json", "--health", "192.0.2.9:1"], STATUS);
  assert.deepEqual(JSON.parse(output), STATUS);
  assert.deepEqual(urls, ["http://192.0.2.9:1/api/v1/status"]);
});

Deno.test("outrigger lookup prints the answer, and why", async () => {
  const report: LookupReport = {
    name: "reviews.ns1",
    type: "A",
    rcode: "NOERROR",
    answers: ["reviews.ns1. 30 IN A 10.0.0.1"],
    authority: [],
    source: "mesh",
    why: ['short form of "reviews.ns1.svc.cluster.local"'],
    tookMs: 0.05,
  };
  const { exitCode, output, urls } = await run(["lookup", "reviews.ns1"], report);
  assert.equal(exitCode, 0);
  assert.deepEqual(urls, ["http://127.0.0.1:15054/api/v1/lookup?name=reviews.ns1&type=A"]);
  assert.equal(
    output,
    `reviews.ns1 A: NOERROR
  reviews.ns1. 30 IN A 10.0.0.1

why: mesh, in 0.05 ms
  short form of "reviews.ns1.svc.cluster.local"
`,
  );
  const none = {
    ...report,
    rcode: "NXDOMAIN",
    answers: [],
    authority: ["cluster.local. 5 IN SOA x"],
  };
  const negative = await run(["lookup", "x", "aaaa", "--json"], none);
  assert.equal(negative.exitCode, 1);
  assert.match(negative.urls[0], /name=x&type=aaaa$/);
});

Deno.test("outrigger names prints the table", async () => {
  const name = {
    host: "a.example",
    addresses: ["192.0.2.1"],
    registry: "External",
    namespace: "",
    altHosts: ["b.example"],
    autoAllocated: true,
    served: false,
  };
  const report: NamesReport = { total: 3, names: [name] };
  const { exitCode, output, urls } = await run(["names", "a*", "--limit", "1"], report);
  assert.equal(exitCode, 0);
  assert.match(urls[0], /pattern=a\*&limit=1$/);
  assert.equal(
    output,
    "a.example  192.0.2.1  (External, automatic VIP, left to the upstream servers, alias b.example)\n" +
      "… and 2 more (--limit)\n",
  );
  const none = await run(["names", "z"], { total: 0, names: [] });
  assert.deepEqual([none.exitCode, none.output], [1, "no host matches\n"]);
});

Deno.test("commands that ask an agent say when nobody answers, or when it refuses", async () => {
  await assert.rejects(
    run(["status"]),
    (error: unknown) =>
      error instanceof AgentUnreachableError &&
      /No outrigger answers at http:\/\/127\.0\.0\.1:15054: connection refused\. .*--health/.test(
        error.message,
      ),
  );
  await assert.rejects(
    run(["lookup", "a..b"], { error: 'name "a..b" is not a domain name' }, 400),
    /not a domain name/,
  );
});

Deno.test("outrigger version names what it is made of", async () => {
  const { output } = await run(["version", "--json"]);
  const versions = JSON.parse(output);
  assert.match(versions.version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(Object.keys(versions), ["version", "commit", "base", "deno", "v8", "target"]);
  assert.match((await run(["version"])).output, /^outrigger \d+\.\d+\.\d+ \(commit source, Deno /);
});

Deno.test("outrigger control-plane token create makes a token without a control plane", async () => {
  await using directory = await TemporaryDirectory.make();
  const args = [
    "control-plane",
    "token",
    "create",
    "--namespace",
    "vm",
    "--service-account",
    "vm-sa",
  ];
  const { exitCode, output } = await run([...args, "--state-dir", `${directory.path}/state`]);
  assert.equal(exitCode, 0);
  assert.match(output, /^ort_[A-Za-z0-9_-]{43}\n$/);
  assert.match(
    await Deno.readTextFile(`${directory.path}/state/join-tokens.json`),
    /"namespace": "vm"/,
  );
  await assert.rejects(
    run([...args, "--ttl", "soon"]),
    /--ttl "soon" is no duration, e\.g\. 30m, 1h or 7d/,
  );
});

Deno.test("parseDuration() reads seconds to days", () => {
  const texts = ["90s", "30m", "1h", "7d", "0s", "1", "h", "-1h", "1h30m"];
  assert.deepEqual(texts.map(parseDuration), [
    90,
    1_800,
    3_600,
    604_800,
    ...Array(5).fill(undefined),
  ]);
});

Deno.test("a wrong command line ends with 2, help with 0", async (t) => {
  const cases: [string[], number][] = [
    [["--help"], 0],
    [["run", "--help"], 0],
    [["frob"], 2],
    [["run", "--frob"], 2],
    [["lookup"], 2],
    [["control-plane"], 2],
    [["control-plane", "token", "create"], 2],
  ];
  for (const [args, exitCode] of cases) {
    await t.step(args.join(" "), async () => assert.equal((await run(args)).exitCode, exitCode));
  }
  await t.step("help teaches: examples and exit codes", async () => {
    const { output } = await run(["--help"]);
    assert.match(output, /Examples:\n {2}outrigger demo --exit/);
    assert.match(output, /Exit codes:\n {2}0 {2}done/);
  });
});
