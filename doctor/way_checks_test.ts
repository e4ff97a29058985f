import { doctorFacts, resolvConfNow, silent } from "../test/support/doctor_facts.ts";
import { testFindings } from "../test/support/finding_cases.ts";
import { RESOLVED } from "../test/support/vm_facts.ts";
import type { CaptureFacts, DoctorFacts } from "./facts.ts";

const WELL = doctorFacts();
const DEAD: Partial<DoctorFacts> = {
  status: "Connection refused",
  selfQuery: silent(),
  meshNames: [],
};

/** Another way of capture. */
function by(name: "resolved" | "nftables" | "resolv-conf", changes: Partial<CaptureFacts> = {}) {
  return {
    plan: { captures: [name], refusals: [], needsPort53: false },
    journals: WELL.capture!.journals,
    ...changes,
  };
}
const RELEASED = {
  ...WELL.capture!.journals!,
  inForce: false,
  written: { capture: 0, install: 20 },
};
const BY_RESOLVED: Partial<DoctorFacts> = {
  capture: by("resolved"),
  resolvConf: resolvConfNow("nameserver 127.0.0.53\n"),
  resolved: { servers: ["127.0.0.1:15053"], domains: ["ns1.svc.cluster.local", "~."], links: [] },
  vm: {
    ...WELL.vm!,
    nsswitchHosts: ["files", "resolve", "[!UNAVAIL=return]", "dns"],
    resolved: RESOLVED,
  },
};
const BY_NFTABLES: Partial<DoctorFacts> = {
  capture: by("nftables"),
  resolvConf: resolvConfNow("nameserver 192.0.2.53\n"),
  nftables: { state: "loaded", rules: 2, redirected: 6 },
};
/** Captured in another way, and containers by nftables. */
const CONTAINERS: Partial<DoctorFacts> = {
  config: { ...WELL.config, containers: true },
  vm: { ...WELL.vm!, containerBridges: [{ name: "docker0", address: "172.17.0.1" }] },
};

testFindings([
  // A program's first step.
  {
    name: "nsswitch without dns",
    facts: { vm: { ...WELL.vm!, nsswitchHosts: ["files"] } },
    check: "nsswitch",
    result: "failed",
    evidence: /"hosts: files" has neither `dns` nor `resolve`/,
    remedy: /sed -i .*nsswitch\.conf/,
  },
  {
    name: "nsswitch with a systemd-resolved that does not run, and nobody behind",
    facts: { vm: { ...WELL.vm!, nsswitchHosts: ["files", "resolve"] } },
    check: "nsswitch",
    result: "failed",
    evidence: /does not run/,
    remedy: /Add it/,
  },
  {
    name: "nsswitch that stops at systemd-resolved, captured elsewhere",
    facts: {
      vm: {
        ...WELL.vm!,
        resolved: RESOLVED,
        nsswitchHosts: ["files", "resolve", "[!UNAVAIL=return]", "dns"],
      },
    },
    check: "nsswitch",
    result: "failed",
    evidence: /goes no further/,
    remedy: /--capture auto/,
  },
  {
    name: "nsswitch that stops at a systemd-resolved that does not run",
    facts: { vm: { ...WELL.vm!, nsswitchHosts: ["files", "resolve", "[!UNAVAIL=return]", "dns"] } },
    check: "nsswitch",
    result: "ok",
    evidence: /glibc asks DNS/,
  },
  // resolv.conf.
  {
    name: "a rival that rewrote resolv.conf",
    facts: { resolvConf: resolvConfNow("nameserver 192.0.2.54\n", { writer: "dhcpcd" }) },
    check: "resolv.conf",
    result: "failed",
    evidence: /names 192\.0\.2\.54; written last at 1970-01-01T00:00:00.000Z by dhcpcd.*go past it/,
    remedy: /systemctl start outrigger-capture\.service/,
  },
  {
    name: "a rival that does not say who it is",
    facts: {
      resolvConf: resolvConfNow("nameserver 192.0.2.54\n"),
      vm: { ...WELL.vm!, otherWriters: ["dhclient"] },
    },
    check: "resolv.conf",
    result: "failed",
    evidence: /by somebody who does not say so: dhclient, or a hand/,
  },
  {
    name: "a line of a rival before the agent's",
    facts: { resolvConf: resolvConfNow("nameserver 192.0.2.54\nnameserver 127.0.0.15\n") },
    check: "resolv.conf",
    result: "warning",
    evidence: /not the first/,
  },
  {
    name: "a resolv.conf that still names a dead agent",
    facts: DEAD,
    check: "resolv.conf",
    result: "failed",
    evidence: /which is the agent, and that does not answer/,
    remedy: /sudo outrigger capture down/,
  },
  {
    name: "no resolv.conf",
    facts: { resolvConf: resolvConfNow("", { exists: false }) },
    check: "resolv.conf",
    result: "failed",
    evidence: /There is no \/etc\/resolv\.conf/,
  },
  // systemd-resolved.
  {
    name: "a systemd-resolved that asks the agent",
    facts: BY_RESOLVED,
    check: "systemd-resolved",
    result: "ok",
    evidence: /asks 127\.0\.0\.1:15053 \(domains ns1\.svc\.cluster\.local ~\.\)/,
  },
  {
    name: "a systemd-resolved that lost its drop-in",
    facts: {
      ...BY_RESOLVED,
      resolved: {
        servers: [],
        domains: [],
        links: [{ name: "eth0", servers: ["192.0.2.53"], domains: [] }],
      },
    },
    check: "systemd-resolved",
    result: "failed",
    evidence: /asks 192\.0\.2\.53 of eth0, and not the agent/,
    remedy: /outrigger-capture\.service/,
  },
  {
    name: "a link that draws all names as well",
    facts: {
      ...BY_RESOLVED,
      vm: { ...BY_RESOLVED.vm!, resolved: { ...RESOLVED, linksForAllNames: ["wg0"] } },
    },
    check: "systemd-resolved",
    result: "warning",
    evidence: /wg0 draws all names/,
    remedy: /resolvectl domain wg0/,
  },
  {
    name: "a systemd-resolved that validates",
    facts: {
      ...BY_RESOLVED,
      vm: { ...BY_RESOLVED.vm!, resolved: { ...RESOLVED, dnssec: "yes" } },
    },
    check: "systemd-resolved",
    result: "warning",
    evidence: /DNSSEC=yes/,
    remedy: /DNSSEC=no/,
  },
  {
    name: "a systemd-resolved that asks a dead agent",
    facts: { ...BY_RESOLVED, ...DEAD },
    check: "systemd-resolved",
    result: "failed",
    evidence: /does not answer/,
    remedy: /capture down/,
  },
  // nftables.
  {
    name: "a table that redirects",
    facts: BY_NFTABLES,
    check: "nftables",
    result: "ok",
    evidence: /2 rules that sent 6 packets/,
  },
  {
    name: "a table that was flushed",
    facts: {
      ...BY_NFTABLES,
      nftables: { state: "missing" },
      vm: { ...WELL.vm!, firewalls: ["firewalld"] },
    },
    check: "nftables",
    result: "failed",
    evidence: /not loaded.*firewalld may have flushed/,
    remedy: /outrigger-capture\.service/,
  },
  {
    name: "a table that nothing comes by",
    facts: { ...BY_NFTABLES, nftables: { state: "loaded", rules: 2, redirected: 0 } },
    check: "nftables",
    result: "warning",
    evidence: /no query to the nameservers in use was seen/,
  },
  {
    name: "a table of another capture",
    facts: { nftables: { state: "loaded", rules: 2, redirected: 1 } },
    check: "nftables",
    result: "warning",
    evidence: /not the way/,
    remedy: /capture down; sudo outrigger capture up/,
  },
  {
    name: "a table for containers alone",
    facts: {
      ...CONTAINERS,
      nftables: { state: "loaded", rules: 2, redirected: 0 },
    },
    check: "nftables",
    result: "ok",
    evidence: /2 rules/,
  },
  {
    name: "a table for containers alone that was flushed",
    facts: CONTAINERS,
    check: "nftables",
    result: "failed",
    evidence: /not loaded/,
  },
  {
    name: "a table that anybody may not see",
    facts: { ...BY_NFTABLES, nftables: { state: "unseen", reason: "Operation not permitted" } },
    check: "nftables",
    result: "skipped",
    evidence: /not permitted/,
    remedy: /sudo outrigger doctor/,
  },
  // The capture.
  {
    name: "a capture that is not in force",
    facts: {
      capture: by("resolv-conf", { journals: { ...RELEASED } }),
      lastWords: { agent: "", capture: "outrigger: no room" },
    },
    check: "capture",
    result: "failed",
    evidence: /not in force.*no room/,
    remedy: /journalctl -u outrigger-capture/,
  },
  {
    name: "a capture that is refused",
    facts: {
      capture: {
        ...by("resolv-conf"),
        plan: { captures: [], refusals: ["Istio is there."], needsPort53: false },
      },
    },
    check: "capture",
    result: "failed",
    evidence: /^Istio is there\.$/,
  },
  {
    name: "a capture that was released",
    facts: { ...DEAD, capture: by("resolv-conf", { journals: RELEASED }) },
    check: "capture",
    result: "ok",
    evidence: /released/,
  },
  {
    name: "a capture that stands without an agent",
    facts: DEAD,
    check: "capture",
    result: "failed",
    evidence: /still sent to the agent/,
    remedy: /undo\.sh/,
  },
  {
    name: "leftovers where nothing is installed",
    facts: { ...DEAD, isInstalled: false },
    check: "capture",
    result: "warning",
    evidence: /21 of its changes/,
    remedy: /outrigger uninstall/,
  },
  {
    name: "nothing but what --purge takes away",
    facts: {
      ...DEAD,
      isInstalled: false,
      capture: by("resolv-conf", {
        journals: { ...RELEASED, written: { capture: 0, install: 0 } },
      }),
    },
    check: "capture",
    result: "skipped",
    evidence: /not installed/,
  },
  {
    name: "an installation that was interrupted",
    facts: {
      capture: by("resolv-conf", {
        journals: { ...WELL.capture!.journals!, isInstallFinished: false },
      }),
    },
    check: "capture",
    result: "warning",
    evidence: /interrupted/,
    remedy: /outrigger install/,
  },
  {
    name: "a damaged journal",
    facts: {
      capture: by("resolv-conf", { journals: { ...RELEASED, problem: "Read journal.json: x" } }),
    },
    check: "capture",
    result: "failed",
    evidence: /journal\.json/,
  },
  {
    name: "a capture that only root sees",
    facts: { capture: by("resolv-conf", { journals: undefined }) },
    check: "capture",
    result: "skipped",
    evidence: /only root/,
    remedy: /sudo/,
  },
]);
