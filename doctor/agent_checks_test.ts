import type { StatusProblem } from "../agent/health/api.ts";
import {
  answered,
  doctorFacts,
  silent,
  statusReport,
  units,
  unitState,
} from "../test/support/doctor_facts.ts";
import { testFindings } from "../test/support/finding_cases.ts";
import { vmFacts } from "../test/support/vm_facts.ts";
import type { DoctorFacts } from "./facts.ts";

const WELL = doctorFacts();
const STATUS = statusReport();
const DEAD: Partial<DoctorFacts> = {
  status: "Connection refused",
  selfQuery: silent(),
  meshNames: [],
};
const PENDING = { state: "pending", from: "0.1.0", to: "0.2.0", sinceMs: 0 } as const;
const problem = (code: string, message: string, remedy: string): StatusProblem => ({
  code,
  message,
  remedy,
});

testFindings([
  // The service.
  {
    name: "a broken configuration",
    facts: { config: { ...WELL.config, problem: "/etc/outrigger/config.yaml:3: unknown key" } },
    check: "configuration",
    result: "failed",
    evidence: /config\.yaml:3/,
    remedy: /reload/,
  },
  {
    name: "an agent that was stopped",
    facts: { ...DEAD, units: units({ "outrigger.service": { active: "inactive", sub: "dead" } }) },
    check: "units",
    result: "failed",
    evidence: /outrigger\.service is stopped/,
    remedy: /systemctl start outrigger\.socket outrigger-ipv6\.socket outrigger\.service/,
  },
  {
    name: "an upgrade that is not confirmed yet",
    facts: { upgrade: { pending: PENDING, nowMs: 5_000 } },
    check: "upgrade",
    result: "warning",
    evidence: /upgrade from 0\.1\.0 to 0\.2\.0 is not confirmed/,
    remedy: /Wait for a minute/,
  },
  {
    name: "an upgrade that was interrupted, and not taken back",
    facts: { upgrade: { pending: PENDING, nowMs: 3_600_000 } },
    check: "upgrade",
    result: "warning",
    evidence: /interrupted/,
    remedy: /Go back now/,
  },
  {
    name: "an upgrade that only root may look for",
    facts: { isRoot: false, upgrade: { pending: { state: "unseen" }, nowMs: 0 } },
    check: "upgrade",
    result: "skipped",
    evidence: /only root may look/,
    remedy: /sudo outrigger doctor/,
  },
  {
    name: "no upgrade on a machine without outrigger",
    facts: { ...DEAD, isInstalled: false },
    check: "upgrade",
    result: "skipped",
    evidence: /not installed/,
  },
  {
    name: "a crash loop that was released",
    facts: {
      ...DEAD,
      units: units({
        "outrigger.service": { active: "failed", sub: "failed", result: "exit-code", exitCode: 1 },
        "outrigger-release.service": { active: "inactive", endedAt: "Thu 2026-01-01 00:00:30 UTC" },
        "outrigger-retry.timer": { active: "active", sub: "waiting" },
      }),
      nextRetry: "Thu 2026-01-01 00:00:45 UTC",
      lastWords: { agent: "outrigger: no", capture: "" },
    },
    check: "units",
    result: "failed",
    evidence:
      /given up .*exit code 1\); the VM got its own DNS back at .*00:00:30 UTC; the next try is at .*00:00:45 UTC; its last words: outrigger: no/,
    remedy: /journalctl -b -u outrigger\), then: sudo systemctl reset-failed 'outrigger\*'/,
  },
  {
    name: "a crash by a wrong configuration",
    facts: {
      ...DEAD,
      units: units({ "outrigger.service": { active: "failed", result: "exit-code", exitCode: 3 } }),
    },
    check: "units",
    result: "failed",
    evidence: /exit code 3/,
    remedy: /Correct \/etc\/outrigger\/config\.yaml/,
  },
  {
    name: "an agent between two crashes",
    facts: {
      ...DEAD,
      units: units({
        "outrigger.service": {
          active: "activating",
          sub: "auto-restart",
          result: "signal",
          restarts: 3,
        },
      }),
    },
    check: "units",
    result: "failed",
    evidence: /activating \(auto-restart\), after 3 restarts \(signal\)/,
  },
  {
    name: "nobody who watches the capture",
    facts: { units: units({ "outrigger-capture.timer": unitState({ active: "inactive" }) }) },
    check: "units",
    result: "warning",
    evidence: /runs, but not outrigger-capture\.timer: /,
    remedy: /^sudo systemctl start outrigger-capture\.timer$/,
  },
  {
    name: "an agent that crashed and runs",
    facts: { units: units({ "outrigger.service": { restarts: 2 } }) },
    check: "units",
    result: "warning",
    evidence: /after 2 restarts/,
  },
  {
    name: "no outrigger at all",
    facts: { ...DEAD, isInstalled: false, units: new Map() },
    check: "units",
    result: "failed",
    evidence: /not installed/,
    remedy: /outrigger install/,
  },
  {
    name: "no outrigger at all",
    facts: { ...DEAD, isInstalled: false, units: new Map() },
    check: "self-query",
    result: "skipped",
    evidence: /not installed/,
  },
  // Sockets, readiness, the agent's own answer.
  {
    name: "a port that another program has",
    facts: {
      vm: vmFacts({ listeners: [{ address: "0.0.0.0", port: 15053, program: "pilot-agent" }] }),
    },
    check: "sockets",
    result: "failed",
    evidence: /127\.0\.0\.1:15053 is taken/,
    remedy: /pilot-agent/,
  },
  {
    name: "closed sockets",
    facts: { ...DEAD, vm: vmFacts() },
    check: "sockets",
    result: "failed",
    evidence: /nobody listens on 127\.0\.0\.1:15053/,
    remedy: /systemctl start/,
  },
  {
    name: "no port 53 where resolv.conf needs it",
    facts: {
      vm: vmFacts({ listeners: [{ address: "127.0.0.1", port: 15053, program: "systemd" }] }),
    },
    check: "sockets",
    result: "failed",
    evidence: /port 53 of 127\.0\.0\.15/,
    remedy: /outrigger install/,
  },
  {
    name: "an agent that is not ready",
    facts: { status: { ...STATUS, waitingFor: ["the first name table"] } },
    check: "agent",
    result: "failed",
    evidence: /waits for the first name table/,
  },
  {
    name: "a problem that no other check tells",
    facts: { status: { ...STATUS, problems: [problem("DISK", "The disk is full", "Make room.")] } },
    check: "agent",
    result: "warning",
    evidence: /^The disk is full$/,
    remedy: /^Make room\.$/,
  },
  {
    name: "an agent that hangs",
    facts: { ...DEAD },
    check: "self-query",
    result: "failed",
    evidence: /does not answer for localhost: no answer in 2000 ms/,
    remedy: /watchdog/,
  },
  // Names.
  {
    name: "a mesh name that programs do not get",
    facts: { meshNames: [{ ...WELL.meshNames[0], machine: silent("no address") }] },
    check: "mesh name",
    result: "failed",
    evidence: /not this VM's own lookup: productpage.*: no address/,
    remedy: /getent ahosts productpage/,
  },
  {
    name: "a mesh name that others answer",
    facts: { meshNames: [{ ...WELL.meshNames[0], machine: answered("203.0.113.1") }] },
    check: "mesh name",
    result: "failed",
    evidence: /is 203\.0\.113\.1, and not 10\.96\.1\.1/,
  },
  {
    name: "a mesh name that the agent does not answer",
    facts: {
      meshNames: [{ ...WELL.meshNames[0], straight: silent("NXDOMAIN without an address") }],
    },
    check: "mesh name",
    result: "failed",
    evidence: /the agent does not answer as its table says/,
    remedy: /outrigger lookup productpage/,
  },
  {
    name: "an empty table",
    facts: { meshNames: [], status: { ...STATUS, names: { ...STATUS.names, hosts: 0 } } },
    check: "mesh name",
    result: "warning",
    evidence: /table is empty/,
  },
  {
    name: "the only nameserver dead",
    facts: { upstreams: [{ server: "192.0.2.53:53", tried: silent() }] },
    check: "upstream 192.0.2.53:53",
    result: "failed",
    evidence: /does not answer: no answer in 2000 ms$/,
    remedy: /dns\.upstreams/,
  },
  {
    name: "one nameserver of two dead",
    facts: {
      upstreams: [
        { server: "192.0.2.53:53", tried: silent() },
        { server: "192.0.2.54:53", tried: answered("NOERROR") },
      ],
    },
    check: "upstream 192.0.2.53:53",
    result: "warning",
    evidence: /others answer/,
  },
  {
    name: "a domain's own nameserver that refuses",
    facts: {
      upstreams: [{ server: "192.0.2.54:53", domain: "corp.example", tried: answered("REFUSED") }],
    },
    check: "upstream 192.0.2.54:53 for corp.example",
    result: "failed",
    evidence: /answers REFUSED/,
    remedy: /dns\.forward/,
  },
  {
    name: "a nameserver that the agent alone can ask",
    facts: {
      upstreams: [{
        server: "192.0.2.53:53",
        tried: undefined,
        seen: { healthy: false, lastError: "no answer in 1000 ms" },
      }],
    },
    check: "upstream 192.0.2.53:53",
    result: "failed",
    evidence: /no answer in 1000 ms/,
  },
  {
    name: "no nameserver",
    facts: { upstreams: [] },
    check: "upstream",
    result: "failed",
    evidence: /no nameserver is known/,
  },
  {
    name: "a nameserver that leads back",
    facts: {
      status: {
        ...STATUS,
        problems: [problem("UPSTREAM_LOOP", "127.0.0.53 asks this agent", "Set dns.upstreams.")],
      },
    },
    check: "loop",
    result: "failed",
    evidence: /asks this agent/,
    remedy: /Set dns\.upstreams.*reload/,
  },
  {
    name: "an agent that refused to forward to itself",
    facts: {
      ...DEAD,
      lastWords: { agent: "outrigger: Refuse to forward in a loop: x", capture: "" },
    },
    check: "loop",
    result: "failed",
    evidence: /Refuse to forward in a loop/,
    remedy: /dns\.upstreams/,
  },
]);
