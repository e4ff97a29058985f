import assert from "node:assert/strict";
import type { StatusReport } from "../health/api.ts";
import { vmContext } from "../../test/support/command_context.ts";
import { statusReport } from "../../test/support/doctor_facts.ts";
import { MemoryVm, type MemoryVmOptions } from "../../test/support/memory_vm.ts";
import { formatFindings } from "./doctor.ts";
import { runProgram } from "./program.ts";

/** Runs a command line on a VM in memory, which it may not change, with an agent that says `status`. */
async function run(args: string[], options: MemoryVmOptions, status?: StatusReport) {
  const vm = new MemoryVm(options);
  const before = vm.state();
  const urls: string[] = [];
  const refused = () => Promise.reject(new Error("connection refused"));
  const { context, output } = vmContext(vm, {
    // Nobody is asked: each socket fails at once.
    network: { bindUdp: refused, connectTcp: refused },
    fetch: (url) => {
      urls.push(url);
      return status === undefined ? refused() : Promise.resolve(
        new Response(JSON.stringify(url.includes("/names") ? { total: 0, names: [] } : status)),
      );
    },
    control: () => assert.fail("changes nothing"),
  });
  const exitCode = await runProgram(args, context);
  assert.deepEqual(vm.state(), before);
  return { output: output(), exitCode, urls };
}

const FILES = { "/etc/resolv.conf": "nameserver 192.0.2.53\n" };

Deno.test("outrigger doctor works where nothing is installed, and changes nothing", async () => {
  const { output, exitCode } = await run(["doctor"], { files: FILES });
  assert.equal(exitCode, 4);
  assert.match(output, /^ok +nsswitch +"hosts: files dns": glibc asks DNS$/m);
  assert.match(
    output,
    /^failed +units +outrigger is not installed, and none runs\n +to do: .*outrigger install /m,
  );
  assert.match(output, /^failed +upstream 192\.0\.2\.53:53 +does not answer: connection refused$/m);
  assert.match(output, /\n\n2 failed, 0 warnings, \d+ ok, \d+ skipped\n$/);
});

Deno.test("outrigger doctor says that a configuration is broken, and goes on", async () => {
  const files = {
    ...FILES,
    "/etc/systemd/system/outrigger.service": "",
    "/etc/outrigger/config.yaml": "dns:\n  lisen: []\n",
  };
  const { output } = await run(["doctor"], { files });
  assert.match(output, /^failed +configuration +\/etc\/outrigger\/config\.yaml:2: .*lisen/m);
  assert.match(output, /^failed +self-query /m);
});

Deno.test("outrigger doctor counts what waits to be undone, but for what --purge takes away", async () => {
  const undo = (key: string, onlyPurge: boolean) => ({
    ...{ key, what: key, onlyPurge },
    inverse: { kind: "remove directory", path: `/${key}` },
  });
  const journal = {
    version: 1,
    finished: false,
    plan: [],
    entries: [undo("a", false), undo("b", true)],
  };
  const files = { ...FILES, "/var/lib/outrigger-install/journal.json": JSON.stringify(journal) };
  const { output } = await run(["doctor"], { files });
  assert.match(output, /^warning +capture .*not installed, but 1 of its changes/m);
  const anybody = await run(["doctor"], { files, output: { "id -u": "1000\n" } });
  assert.match(
    anybody.output,
    /^skipped +capture +only root may look\n +to do: sudo outrigger doctor$/m,
  );
});

Deno.test("outrigger doctor --json says it to machines, by the agent that --health names", async () => {
  const status = statusReport({ waitingFor: ["the first name table"] });
  const args = ["doctor", "--json", "--health", "192.0.2.9:1"];
  const { output, exitCode, urls } = await run(args, { files: FILES }, status);
  assert.equal(exitCode, 1);
  assert.equal(urls[0], "http://192.0.2.9:1/api/v1/status");
  const { counts, findings } = JSON.parse(output);
  assert.deepEqual(Object.keys(counts), ["failed", "warning", "ok", "skipped"]);
  const agent = findings.find(({ check }: { check: string }) => check === "agent");
  assert.equal(agent.result, "failed");
  assert.equal(agent.evidence, "not ready: it waits for the first name table");
});

Deno.test("formatFindings() puts the remedy below what was seen, in colour on a terminal", () => {
  const found = [
    { check: "a", result: "ok" as const, evidence: "seen", remedy: "" },
    { check: "bcd", result: "failed" as const, evidence: "broken", remedy: "mend" },
  ];
  assert.equal(
    formatFindings(found, { colour: false }),
    "ok       a    seen\nfailed   bcd  broken\n         to do: mend\n\n1 failed, 0 warnings, 1 ok, 0 skipped\n",
  );
  assert.ok(formatFindings(found, { colour: true }).includes("\x1b[31mfailed \x1b[0m  bcd"));
});
