import assert from "node:assert/strict";
import { rollbackScript } from "../../installer/upgrade_plan.ts";
import { commandContext } from "../../test/support/command_context.ts";
import { statusReport } from "../../test/support/doctor_facts.ts";
import type { FileFacts, Files } from "../system/files.ts";
import type { Machine } from "./machine.ts";
import { status } from "./status.ts";

/** Runs it on a machine with these files, whose agent has nothing to complain of. */
async function run({ files, json }: { files: Pick<Files, "stat" | "readText">; json: boolean }) {
  const { context, output } = commandContext({
    files: files as Files,
    machine: () => ({ world: { clock: { wallMs: () => 5_000 } } }) as unknown as Machine,
    fetch: () => Promise.resolve(new Response(JSON.stringify(statusReport()))),
  });
  const exitCode = await status({ health: "127.0.0.1:15054", json }, context);
  return { exitCode, output: output() };
}

const SCRIPT = rollbackScript(
  { files: [], enabled: [], changesSockets: false },
  { from: "0.1.0", to: "0.2.0" },
);
const PENDING = {
  stat: () => Promise.resolve({ modifiedMs: 1_000 } as FileFacts),
  readText: () => Promise.resolve(SCRIPT),
};

Deno.test("outrigger status tells of an upgrade that is not confirmed", async () => {
  const { exitCode, output } = await run({ files: PENDING, json: false });
  assert.equal(exitCode, 1);
  assert.match(output, /^status +degraded, /);
  assert.match(
    output,
    /^problem: This machine's upgrade from 0\.1\.0 to 0\.2\.0 is not confirmed: .*\n {2}to do: Wait for a minute/m,
  );
  const machines = await run({ files: PENDING, json: true });
  assert.equal(machines.exitCode, 1);
  const { status, problems } = JSON.parse(machines.output);
  assert.deepEqual([status, problems.map(({ code }: { code: string }) => code)], [
    "degraded",
    ["UPGRADE_PENDING"],
  ]);
});

Deno.test("outrigger status tells nothing of upgrades where there is none, or nobody may look", async () => {
  const denied = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
  const none = () => Promise.resolve(undefined);
  for (const stat of [none, denied]) {
    const { exitCode, output } = await run({ files: { stat, readText: denied }, json: false });
    assert.equal(exitCode, 0);
    assert.match(output, /^status +ok, /);
    assert.doesNotMatch(output, /problem/);
  }
});
