/**
 * `outrigger doctor` in a VM, and what it is expected to find.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Finding } from "../../doctor/finding.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { BINARY } from "./vm_installation.ts";

/** What the doctor finds, and how it ends. */
export async function doctor(vm: VirtualMachine, { user = "root", program = BINARY } = {}) {
  const startedMs = performance.now();
  const { code, stdout, stderr } = await vm.attempt([program, "doctor", "--json"], { user });
  assert.notEqual(stdout, "", stderr);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const tookMs = performance.now() - startedMs;
  const ill = findings.filter(({ result }) => result === "failed" || result === "warning");
  return {
    code,
    tookMs,
    findings,
    /** The checks that found something, with their results. */
    wrong: ill.map(({ check, result }) => `${result} ${check}`),
    /** Expects a finding. */
    has(check: string, result: string, evidence: RegExp, remedy?: RegExp) {
      const finding = findings.find((finding) => finding.check === check);
      const all = JSON.stringify(finding ?? findings, null, 2);
      assert.equal(finding?.result, result, all);
      assert.match(finding.evidence, evidence, all);
      if (remedy !== undefined) assert.match(finding.remedy, remedy, all);
    },
  };
}
