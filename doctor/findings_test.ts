import assert from "node:assert/strict";
import { doctorFacts } from "../test/support/doctor_facts.ts";
import type { DoctorFacts } from "./facts.ts";
import { findings } from "./findings.ts";

const WELL = doctorFacts();

Deno.test("findings() finds nothing wrong with a VM that is well", () => {
  const wrong = findings(WELL).filter(({ result }) => result !== "ok")
    .map(({ check, result }) => `${result} ${check}`);
  assert.deepEqual(wrong, ["skipped systemd-resolved", "skipped nftables", "skipped containers"]);
});

Deno.test("findings() goes in the order of a lookup's way", () => {
  const order = findings(WELL).map(({ check }) => check);
  assert.deepEqual(order, [
    "nsswitch",
    "resolv.conf",
    "systemd-resolved",
    "nftables",
    "capture",
    "configuration",
    "units",
    "upgrade",
    "sockets",
    "agent",
    "self-query",
    "mesh name",
    "upstream 192.0.2.53:53",
    "loop",
    "control plane: address",
    "control plane: TCP",
    "control plane: TLS",
    "control plane: certificate",
    "control plane: token",
    "control plane: stream",
    "name table",
    "routes",
    "containers",
  ]);
});

Deno.test("findings() says what could not be looked at", () => {
  const blind: Partial<DoctorFacts> = {
    vm: undefined,
    capture: undefined,
    controlPlane: undefined,
    routes: undefined,
    units: new Map(),
  };
  const skipped = findings(doctorFacts(blind)).filter(({ result }) => result === "skipped")
    .map(({ check }) => check);
  for (const check of ["nsswitch", "capture", "units", "sockets", "control plane", "routes"]) {
    assert.ok(skipped.includes(check), check);
  }
});
