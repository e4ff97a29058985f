import assert from "node:assert/strict";
import { parseBenchOptions } from "./bench_options.ts";
import { meshHosts, queryLines } from "./bench_names.ts";
import { type ClientOutput, parseDnsperf, whyVoid } from "./client_output.ts";
import { plotResult } from "./plot.ts";
import { busyBetween, nanosecondsBetween, parseCoreTicks } from "./processor.ts";
import { formatWorkload } from "./result_table.ts";
import { type BenchResult, ratioBetween, type Round, rowOf } from "./results.ts";
import { medianOf, ratioOf, spreadsOf } from "./statistics.ts";
import { checkTargets, type Target } from "./targets.ts";

Deno.test("medianOf() takes the middle, or the mean of both in the middle", () => {
  assert.equal(medianOf([3, 1, 20]), 3);
  assert.equal(medianOf([4, 1, 3, 20]), 3.5);
  assert.throws(() => medianOf([]));
});

Deno.test("spreadsOf() sums up each metric over the rounds that have it", () => {
  assert.deepEqual(spreadsOf([{ a: 1, b: 5 }, { a: 3 }, { a: 2 }]), {
    a: { median: 2, min: 1, max: 3 },
    b: { median: 5, min: 5, max: 5 },
  });
});

Deno.test("ratioOf() pairs the rounds and passes over those that one lacks", () => {
  // Round by round 0.5, 0.5, 2; the ratio of the medians would be 0.4.
  assert.equal(ratioOf([1, 2, 8, 9], [2, 4, 4, undefined]), 0.5);
  assert.equal(ratioOf([1], [undefined]), undefined);
});

Deno.test("parseDnsperf() reads the summary", () => {
  const text = `Statistics:

  Queries sent:         566654
  Queries completed:    566650 (100.00%)
  Queries lost:         4 (0.00%)

  Response codes:       NOERROR 566640 (99.99%), NXDOMAIN 10 (0.01%)
  Average packet size:  request 50, response 66
  Run time (s):         3.000157
  Queries per second:   188874.908130
`;
  assert.deepEqual(parseDnsperf(text), {
    sent: 566_654,
    answered: 566_650,
    failed: 10,
    queriesPerSecond: 188_874.90813,
  });
  assert.throws(() => parseDnsperf("[Error] unable to open"), /Queries completed/);
});

const GOOD: ClientOutput = {
  sent: 1_000,
  answered: 1_000,
  failed: 0,
  records: 1_000,
  octets: 66_000,
};
const QUIET = { clientBusy: 0.5, serverCoreOthers: 0, expected: { records: 1, octets: 66 } };

const VOIDS: {
  what: string;
  output?: Partial<ClientOutput>;
  run?: Partial<typeof QUIET>;
  why?: RegExp;
}[] = [
  { what: "a run as it should be counts" },
  { what: "lost queries are measured, not void", output: { sent: 1_200 } },
  { what: "names differ by a digit", output: { octets: 66_400 } },
  {
    what: "a client at its limit",
    run: { clientBusy: 0.96 },
    why: /client's core was busy for 96 %/,
  },
  { what: "others beside the server", run: { serverCoreOthers: 0.2 }, why: /others took 20 %/ },
  { what: "no answer at all", output: { answered: 0 }, why: /nothing was answered/ },
  { what: "an RCODE", output: { failed: 1 }, why: /1 answers were no NOERROR/ },
  { what: "an empty answer", output: { records: 999 }, why: /0.999 records/ },
  { what: "records too many", output: { records: 2_000 }, why: /2.000 records/ },
  { what: "another size", output: { octets: 98_000 }, why: /98.0 octets an answer, not 66.0/ },
];

Deno.test("whyVoid() says why a run does not count", async (t) => {
  for (const { what, output, run, why } of VOIDS) {
    await t.step(what, () => {
      const reasons = whyVoid({ ...GOOD, ...output }, { ...QUIET, ...run });
      if (why === undefined) assert.deepEqual(reasons, []);
      else assert.match(reasons.join(), why);
    });
  }
});

Deno.test("whyVoid() knows when names that should be asked once had to repeat", () => {
  const expected = { records: 1, uniqueNames: 900 };
  assert.match(whyVoid(GOOD, { ...QUIET, expected }).join(), /1000 queries for 900 names/);
  assert.deepEqual(whyVoid(GOOD, { ...QUIET, expected: { ...expected, uniqueNames: 1_000 } }), []);
});

Deno.test("parseCoreTicks() reads one core's line", () => {
  const stat =
    "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 10 20 30 400 5 0 6 7 0 0\n";
  const before = parseCoreTicks(stat, 1);
  assert.deepEqual(before, { busy: 66, all: 478 });
  assert.equal(busyBetween(before, { busy: 116, all: 578 }), 0.5);
  assert.throws(() => parseCoreTicks(stat, 2), /no core 2/);
});

Deno.test("nanosecondsBetween() adds up all threads, with those that are new", () => {
  const before = new Map([["1", 100], ["2", 50]]);
  const after = new Map([["1", 180], ["3", 7]]);
  assert.equal(nanosecondsBetween(before, after), 87);
});

Deno.test("meshHosts() gives every host a name and an address of its own", () => {
  const hosts = meshHosts(100_000);
  assert.equal(hosts[123].host, "svc-0123.ns-23.svc.cluster.local");
  assert.equal(new Set(hosts.map(({ host }) => host)).size, 100_000);
  assert.equal(new Set(hosts.map(({ addresses: [address] }) => address)).size, 100_000);
});

Deno.test("queryLines() asks each name of a set once, in an order that the seed decides", () => {
  const options = { hosts: meshHosts(100), tag: "t", count: 0, seed: 1 };
  const lines = queryLines({ mesh: 1 }, options);
  assert.deepEqual(lines, queryLines({ mesh: 1 }, options));
  assert.notDeepEqual(lines, queryLines({ mesh: 1 }, { ...options, seed: 2 }));
  assert.deepEqual(lines.toSorted(), options.hosts.map(({ host }) => `${host} A`).toSorted());
  const [autopath] = queryLines({ autopath: 1 }, { ...options, hosts: meshHosts(1) });
  assert.equal(autopath, "svc-0000.ns-00.svc.cluster.local.default.svc.cluster.local A");
});

Deno.test("queryLines() never repeats a name that shall be forwarded, and mixes in parts", () => {
  const options = { hosts: meshHosts(10), tag: "r1", count: 5_000, seed: 1 };
  const misses = queryLines({ misses: 1 }, options);
  const other = queryLines({ misses: 1 }, { ...options, tag: "r2" });
  assert.equal(new Set([...misses, ...other]).size, 10_000);
  const mix = queryLines({ mesh: 0.75, cached: 0.22, misses: 0.03 }, options);
  const part = (end: string) => mix.filter((line) => line.includes(end)).length / mix.length;
  assert.ok(Math.abs(part("cluster.local") - 0.75) < 0.03);
  assert.ok(Math.abs(part("cached.example") - 0.22) < 0.03);
  const unique = mix.filter((line) => line.includes("misses.example"));
  assert.equal(new Set(unique).size, unique.length);
});

const KNOWN = { workloads: ["mesh-5000", "misses"], peers: ["outrigger", "unbound"] };

Deno.test("parseBenchOptions() reads the options and refuses what it does not know", () => {
  assert.deepEqual(parseBenchOptions([], KNOWN), {
    rounds: 5,
    seconds: 3,
    out: "dist/bench/result.json",
    short: false,
  });
  const { only, peers, rounds } = parseBenchOptions(
    ["--only=misses,mesh-5000", "--peers=unbound", "--rounds=7"],
    KNOWN,
  );
  assert.deepEqual([only, peers, rounds], [["misses", "mesh-5000"], ["unbound"], 7]);
  assert.deepEqual(parseBenchOptions(["--short"], KNOWN).only, ["mesh-5000"]);
  assert.throws(() => parseBenchOptions(["--only=hits"], KNOWN), /"hits"; there are mesh-5000/);
  assert.throws(() => parseBenchOptions(["--rounds=0"], KNOWN), /--rounds/);
  assert.throws(() => parseBenchOptions(["--seconds=x"], KNOWN), /--seconds/);
});

const rounds = (cpuUs: number[], voids: string[] = []): Round[] =>
  cpuUs.map((cpuUs) => ({ metrics: { cpuUs, queriesPerSecond: 1e6 / cpuUs, lost: 1 }, voids }));

const RESULT: BenchResult = {
  date: "2026-11-25T12:00:00.000Z",
  machine: { processor: "A <fast> one", cores: 2, memoryGb: 24, kernel: "6.1" },
  rounds: 3,
  seconds: 1,
  versions: {},
  workloads: [{
    name: "mesh-5000",
    title: "mesh A hits",
    rows: [
      rowOf("outrigger", rounds([4, 5, 4.4])),
      rowOf("unbound", rounds([5, 5, 6])),
      rowOf("floor", rounds([3.9, 4, 4])),
      rowOf("istio", rounds([9, 9, 9], ["98.0 octets an answer"])),
    ],
  }],
};

Deno.test("rowOf() leaves out the rounds that are void, and says so where all are", () => {
  const [good] = rounds([4]);
  const [bad] = rounds([40], ["noise"]);
  assert.equal(rowOf("a", [good, bad]).spreads.cpuUs.max, 4);
  assert.equal(rowOf("a", [good, bad]).void, undefined);
  assert.deepEqual(rowOf("a", [bad, bad]).void, ["noise"]);
  assert.equal(rowOf("a", [bad, bad]).spreads.cpuUs.median, 40);
});

Deno.test("ratioBetween() compares no round that is void", () => {
  const [workload] = RESULT.workloads;
  const ratio = (to: string) => ratioBetween(workload, { metric: "cpuUs", of: "outrigger", to });
  assert.equal(ratio("unbound"), 0.8);
  assert.equal(ratio("istio"), undefined);
  assert.equal(ratio("nobody"), undefined);
});

Deno.test("checkTargets() says what is met, missed and not measured", () => {
  const of = (target: Partial<Target>) =>
    checkTargets(RESULT, [{ workload: "mesh-5000", metric: "cpuUs", ...target } as Target])[0]
      ?.verdict;
  assert.equal(of({ against: "unbound", atMost: 0.8 }), "met");
  assert.equal(of({ against: "unbound", atMost: 0.79 }), "missed");
  assert.equal(of({ against: "unbound", metric: "queriesPerSecond", above: 1 }), "met");
  assert.equal(of({ against: "floor", metric: "queriesPerSecond", above: 1 }), "missed");
  assert.equal(of({ against: "istio", atMost: 0.5 }), "not measured");
  assert.equal(of({ absolute: 4.4, unit: "us" }), "met");
  assert.equal(of({ absolute: 4.3, unit: "us" }), "missed");
  assert.equal(of({ workload: "misses", against: "unbound", atMost: 1 }), undefined);
});

Deno.test("checkTargets() compares two workloads of outrigger by their medians", () => {
  const autopath = { ...RESULT.workloads[0], name: "autopath" };
  autopath.rows = [rowOf("outrigger", rounds([5, 5, 5.5]))];
  const result = { ...RESULT, workloads: [...RESULT.workloads, autopath] };
  const of = (atMost: number) => {
    const target = { workload: "autopath", metric: "cpuUs", againstWorkload: "mesh-5000", atMost };
    return checkTargets(result, [target])[0].verdict;
  };
  assert.equal(of(1.14), "met");
  assert.equal(of(1.13), "missed");
});

Deno.test("formatWorkload() shows columns that have numbers, and what is void", () => {
  const text = formatWorkload(RESULT.workloads[0]);
  assert.match(text, /^\| server \| CPU us\/query \| queries\/s \| lost \|$/m);
  assert.match(text, /^\| outrigger \| 4.40 \(4.00–5.00\) \| 227,273 \| 3 \|$/m);
  assert.match(text, /^\| istio \(void\) \|/m);
  assert.match(text, /istio is void: 98.0 octets an answer\./);
});

Deno.test("plotResult() draws a bar as long as its median, and escapes what it names", () => {
  const svg = plotResult(RESULT);
  const width = (kind: string) =>
    Number(new RegExp(`class="${kind}"[^>]* width="([\\d.]+)"`).exec(svg)![1]);
  assert.ok(Math.abs(width("own") / width("floor") - 4.4 / 4) < 0.01);
  assert.match(svg, /A &lt;fast&gt; one/);
  assert.match(svg, /9.00 \(void\)/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});

Deno.test("plotResult() cuts a bar that would flatten all others", () => {
  const rows = [1, 1.1, 1.2, 500].map((us, i) => rowOf(`peer-${i}`, rounds([us])));
  const svg = plotResult({ ...RESULT, workloads: [{ ...RESULT.workloads[0], rows }] });
  assert.match(svg, /500.00 →/);
  const widths = [...svg.matchAll(/class="bar"[^>]* width="([\d.]+)"/g)].map(([, width]) =>
    Number(width)
  );
  assert.ok(widths[0] > widths[3] / 4);
});
