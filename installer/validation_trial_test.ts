import assert from "node:assert/strict";
import { adviceOnForged, findForged } from "./validation_trial.ts";

const FAILURES: Record<string, string> = {
  "forged.example.org":
    "forged.example.org: resolve call failed: DNSSEC validation failed: no-signature",
  "missing.example.org": "missing.example.org: Name 'missing.example.org' not found",
  "slow.example.org":
    "slow.example.org: resolve call failed: All attempts to contact name servers failed",
};

Deno.test("findForged() tells names that are not believed from those that fail otherwise", async () => {
  const runProgram = (command: readonly string[]) => {
    assert.equal(command[0], "timeout");
    const stderr = FAILURES[command.at(-1)!] ?? "";
    return Promise.resolve({ code: stderr === "" ? 0 : 1, stdout: "", stderr });
  };
  const names = ["bank.example.org", ...Object.keys(FAILURES)];
  assert.deepEqual(await findForged(names, { runProgram }), ["forged.example.org"]);
});

Deno.test("findForged() tells nothing where nobody answers", async () => {
  const runProgram = () => Promise.resolve({ code: 124, stdout: "", stderr: "" });
  assert.equal(await findForged(["bank.example.org"], { runProgram }), undefined);
});

const advice: [forged: string[], exempt: string][] = [
  [["svc.mesh.example.org"], "mesh.example.org >"],
  [["bank.example.net"], "mesh.example.org bank.example.net >"],
];
for (const [forged, exempt] of advice) {
  Deno.test(`adviceOnForged() exempts the cluster domain and what is outside of it: ${forged}`, () => {
    const text = adviceOnForged(forged, { clusterDomain: "mesh.example.org", dnssec: "yes" });
    assert.ok(text.includes(exempt), text);
  });
}
