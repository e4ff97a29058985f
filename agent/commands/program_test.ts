import assert from "node:assert/strict";
import type { CacheFlushReport, LookupReport, NamesReport, StatusReport } from "../health/api.ts";
import { AgentError } from "../system/agent_error.ts";
import { commandContext } from "../../test/support/command_context.ts";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { AgentUnreachableError } from "./agent_api.ts";
import { parseDuration } from "./control_plane.ts";
import { runProgram } from "./program.ts";
import { formatStatus } from "./status.ts";

/** Runs a command line against an agent that answers `body` to everything, or fails. */
async function run(args: string[], body?: unknown, status = 200) {
  const urls: string[] = [];
  const answer = (url: string) => {
    urls.push(url);
    if (body === undefined) return Promise.reject(new Error("connection refused"));
    if (body instanceof Error) return Promise.reject(body);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  };
  const { context, output } = commandContext({
    fetch: answer,
    control: (socket, target) => answer(`${socket} ${target}`),
  });
  const exitCode = await runProgram(args, context);
  return { exitCode, output: output(), urls };
}

const STATUS: StatusReport = {
  status: "degraded",
  version: "0.1.0",
  uptimeSeconds: 93_784,
  listeners: ["udp://127.0.0.1:15053", "tcp://127.0.0.1:15053"],
  fastPath: { state: "off", reason: "dns.fastPath is off" },
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
    { server: "192.0.2.3:53", domain: "corp.example", healthy: true, lastError: "" },
  ],
  cache: {
    entries: 3,
    bytes: 2_000,
    maxBytes: 16 * 1024 * 1024,
    lookups: { positive: 90, negative: 4, failure: 1, stale: 1, expired: 10, miss: 14 },
    prefetches: 2,
    evictions: 0,
  },
  controlSocket: "/var/lib/outrigger/control.sock",
};

Deno.test("outrigger status tells people what is going on", async () => {
  const { exitCode, output, urls } = await run(["status"], STATUS);
  assert.equal(exitCode, 1);
  assert.deepEqual(urls, ["http://127.0.0.1:15054/api/v1/status"]);
  assert.equal(
    output,
    `status         degraded, version 0.1.0, up 1 d 2 h
serving        udp://127.0.0.1:15053  tcp://127.0.0.1:15053
fast path      off: dns.fastPath is off
node           vm-1, namespace ns1, service account vm-sa, cluster Kubernetes
names          12 hosts from disk, version 7, received 2026-01-01T00:00:00.000Z
               1 left out:
                 "": not a domain name
control plane  waiting istiod.example.org:15012 since 2026-01-01T00:00:00.000Z
certificate    none
upstream       192.0.2.1:53 healthy, 3.5 ms
upstream       192.0.2.2:53 does not answer: no answer in 1000 ms
upstream       192.0.2.3:53 for corp.example healthy
cache          3 answers, 2 of 16384 KiB; answered 96 of 120 lookups, 1 with stale answers

problem: The token expired
  to do: Put a fresh token there.
`,
  );
  const fast: StatusReport = { ...STATUS, fastPath: { state: "on", reason: "" } };
  assert.match(formatStatus(fast, { colour: false }), /^fast path {6}on$/m);
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

Deno.test("outrigger cache flush says how much was forgotten", async (t) => {
  const cases: [string[], CacheFlushReport, string, string][] = [
    [[], { name: ".", flushed: 120 }, "name=.", "forgot 120 answers\n"],
    [
      ["example.org"],
      { name: "example.org", flushed: 1 },
      "name=example.org",
      "forgot 1 answer for example.org and the names below it\n",
    ],
  ];
  for (const [args, report, query, text] of cases) {
    await t.step(args.join(" ") || "everything", async () => {
      const { exitCode, output, urls } = await run(["cache", "flush", ...args], report);
      assert.equal(exitCode, 0);
      assert.deepEqual(urls, [`/var/lib/outrigger/control.sock /v1/cache/flush?${query}`]);
      assert.equal(output, text);
      const machine = await run(["cache", "flush", ...args, "--json", "--socket", "s"], report);
      assert.deepEqual(machine.urls, [`s /v1/cache/flush?${query}`]);
      assert.deepEqual(JSON.parse(machine.output), report);
    });
  }
});

Deno.test("outrigger cache flush says why it could not", async (t) => {
  const denied = Object.assign(new Error("Permission denied (os error 13)"), { code: "EACCES" });
  const cases: [string, unknown, number, RegExp, boolean][] = [
    ["nobody listens", undefined, 200, /No outrigger answers at .*control\.sock: .*--socket/, true],
    ["another user's agent", denied, 200, /permission denied\. Only the agent's own user/, false],
    ["no name", { error: 'name "a..b" is not a domain name' }, 400, /not a domain name/, false],
  ];
  for (const [title, body, status, message, unreachable] of cases) {
    await t.step(title, async () => {
      await assert.rejects(run(["cache", "flush"], body, status), (error: unknown) => {
        assert.ok(error instanceof AgentError);
        assert.match(error.message, message);
        return error instanceof AgentUnreachableError === unreachable;
      });
    });
  }
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
  const keys = ["version", "commit", "base", "release", "deno", "v8", "typescript"];
  assert.deepEqual(Object.keys(versions), [...keys, "target", "dependencies"]);
  assert.equal(versions.release, false, "a run from source");
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
  const state = ["--state-dir", `${directory.path}/state`];
  const { exitCode, output } = await run([...args, "--token-only", ...state]);
  assert.equal(exitCode, 0);
  assert.match(output, /^ort_[A-Za-z0-9_-]{43}\n$/);
  const [{ name }] = await Array.fromAsync(Deno.readDir(`${directory.path}/state/join-tokens`));
  const kept = await Deno.readTextFile(`${directory.path}/state/join-tokens/${name}`);
  assert.match(kept, /"namespace": "vm"/);
  const refusals: [string[], RegExp][] = [
    [["--ttl", "soon"], /--ttl "soon" is no duration, e\.g\. 30m, 1h or 7d/],
    [["--uses", "0"], /--uses "0" is no number/],
    [["--namespace", "a;reboot"], /--namespace "a;reboot" is no name of Kubernetes/],
    [["--service-account", "$(id)"], /--service-account "\$\(id\)" is no name of Kubernetes/],
    [[], /start the control plane .* first.* --token-only/],
  ];
  for (const [flags, message] of refusals) {
    await assert.rejects(run([...args, ...state, ...flags]), message);
  }
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
    [["cache", "flush", "--help"], 0],
    [["cache", "frob"], 2],
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
