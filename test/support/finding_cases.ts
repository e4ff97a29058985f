/**
 * Tables of what is wrong with a VM, and what the doctor has to find.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DoctorFacts } from "../../doctor/facts.ts";
import type { FindingResult } from "../../doctor/finding.ts";
import { findings } from "../../doctor/findings.ts";
import { doctorFacts } from "./doctor_facts.ts";

/** One failure. */
export interface FindingCase {
  /** What is wrong. */
  name: string;
  /** What is other than on a VM that is well. */
  facts: Partial<DoctorFacts>;
  /** The check that finds it. */
  check: string;
  /** How that ends. */
  result: FindingResult;
  /** What it says. */
  evidence: RegExp;
  /** What it recommends; that something is recommended is expected anyway. */
  remedy?: RegExp;
}

/** Tests each. */
export function testFindings(cases: readonly FindingCase[]): void {
  for (const { name, facts, check, result, evidence, remedy } of cases) {
    Deno.test(`findings() names ${name}: ${check}`, () => {
      const found = findings(doctorFacts(facts)).find((finding) => finding.check === check);
      assert.ok(found, `no finding of ${check}`);
      assert.equal(found.result, result, `${found.evidence}\n${found.remedy}`);
      assert.match(found.evidence, evidence);
      if (remedy !== undefined) assert.match(found.remedy, remedy);
      if (result === "failed" || result === "warning") assert.notEqual(found.remedy, "");
      else if (result === "ok") assert.equal(found.remedy, "");
    });
  }
}
