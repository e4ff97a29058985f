/**
 * Facts of a VM whose lookups are well, for tests of what is found where they are not.
 *
 * @module
 */
import type { StatusReport } from "../../agent/health/api.ts";
import { parseResolvConf } from "../../agent/host_dns/resolv_conf.ts";
import type { DoctorFacts, Tried } from "../../doctor/facts.ts";
import type { UnitState } from "../../doctor/unit_states.ts";
import { WATCHED_UNITS } from "../../doctor/unit_states.ts";
import { vmFacts } from "./vm_facts.ts";

/** An answer. */
export function answered(...answer: string[]): Tried {
  return { ok: true, answer, tookMs: 1 };
}

/** None. */
export function silent(reason = "no answer in 2000 ms"): Tried {
  return { ok: false, reason };
}

/** A status with nothing wrong, and these changes. */
export function statusReport(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    status: "ok",
    version: "0.1.0",
    uptimeSeconds: 60,
    listeners: ["udp://127.0.0.1:15053", "tcp://127.0.0.1:15053"],
    fastPath: { state: "on", reason: "" },
    waitingFor: [],
    problems: [],
    node: {
      name: "vm-1",
      namespace: "ns1",
      serviceAccount: "vm-sa",
      cluster: "Kubernetes",
      network: "",
      addresses: [],
    },
    controlPlane: {
      state: "connected",
      address: "istiod.example.org:15012",
      since: "2026-01-01T00:00:00.000Z",
      lastError: "",
      certificate: {
        state: "valid",
        identity: "spiffe://cluster.local/ns/ns1/sa/vm-sa",
        expiresAt: "2026-01-02T00:00:00.000Z",
        renewAt: "2026-01-01T12:00:00.000Z",
      },
    },
    names: {
      origin: "control-plane",
      version: "7",
      receivedAt: "2026-01-01T00:00:00.000Z",
      hosts: 12,
      rejected: [],
      rejectedTotal: 0,
      autoAllocated: "forward",
    },
    upstreams: [{ server: "192.0.2.53:53", healthy: true, lastError: "" }],
    cache: {
      entries: 0,
      bytes: 0,
      maxBytes: 1024,
      lookups: { positive: 0, negative: 0, failure: 0, stale: 0, expired: 0, miss: 0 },
      prefetches: 0,
      evictions: 0,
    },
    controlSocket: "",
    ...changes,
  };
}

/** How a unit is. */
export function unitState(changes: Partial<UnitState> = {}): UnitState {
  return {
    active: "active",
    sub: "running",
    result: "success",
    restarts: 0,
    exitCode: 0,
    endedAt: "",
    ...changes,
  };
}

/** All units as they are on a VM that is well, with these changes. */
export function units(
  changes: Partial<Record<typeof WATCHED_UNITS[number], Partial<UnitState>>> = {},
): Map<string, UnitState> {
  const atRest = { active: "inactive", sub: "dead" };
  return new Map(WATCHED_UNITS.map((name) => [
    name,
    unitState({
      ...(/capture\.service|release|retry/.test(name) && atRest),
      ...changes[name],
    }),
  ]));
}

/** A resolv.conf with this text as it is now. */
export function resolvConfNow(
  text: string,
  changes: Partial<DoctorFacts["resolvConf"]> = {},
): DoctorFacts["resolvConf"] {
  return {
    exists: true,
    namesAgent: text.includes("127.0.0.15"),
    content: parseResolvConf(text),
    writer: "",
    modifiedMs: 0,
    ...changes,
  };
}

/** A VM with a static resolv.conf, captured and well. */
export function doctorFacts(changes: Partial<DoctorFacts> = {}): DoctorFacts {
  return {
    isRoot: true,
    isInstalled: true,
    config: {
      problem: "",
      isDenied: false,
      dns: { address: "127.0.0.1", port: 15053 },
      port53: "127.0.0.15",
      health: "127.0.0.1:15054",
      containers: false,
    },
    vm: vmFacts({
      listeners: [
        { address: "127.0.0.1", port: 15053, program: "systemd" },
        { address: "127.0.0.15", port: 53, program: "systemd" },
      ],
    }),
    resolvConf: resolvConfNow("nameserver 127.0.0.15\n", { writer: "outrigger" }),
    resolved: undefined,
    nftables: { state: "missing" },
    capture: {
      plan: { captures: ["resolv-conf"], refusals: [], needsPort53: true },
      journals: {
        inForce: true,
        written: { capture: 1, install: 20 },
        isInstallFinished: true,
        problem: "",
      },
    },
    units: units(),
    upgrade: { pending: { state: "none" }, nowMs: 0 },
    nextRetry: "",
    lastWords: { agent: "", capture: "" },
    status: statusReport(),
    selfQuery: answered("127.0.0.1"),
    meshNames: [{
      name: "productpage.ns1.svc.cluster.local",
      expected: ["10.96.1.1"],
      straight: answered("10.96.1.1"),
      machine: answered("10.96.1.1"),
    }],
    upstreams: [{ server: "192.0.2.53:53", tried: answered("NXDOMAIN") }],
    controlPlane: {
      address: "istiod.example.org:15012",
      resolved: answered("192.0.2.15"),
      tcp: answered("192.0.2.15 port 15012"),
      tls: answered("192.0.2.15 port 15012"),
      token: { expiresMs: undefined },
      nowMs: 0,
    },
    routes: { tried: 12, total: 12, unroutable: [] },
    containers: [],
    ...changes,
  };
}
