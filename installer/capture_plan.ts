/**
 * Which way a VM's lookups are sent to the agent: the first that fits, from the one that tells the most to
 * the one that needs the least. Pure.
 *
 * @module
 */
import type { CAPTURE_MODES } from "../agent/config/capture_modes.ts";
import {
  type Capture,
  CAPTURE_NAMES,
  type CaptureName,
  type CaptureSettings,
  IN_RESOLV_CONF,
} from "./capture/capture.ts";
import { networkManagerCapture } from "./capture/network_manager.ts";
import { capturedBridges } from "./capture/containers.ts";
import { containerSteps, nftablesCapture } from "./capture/nftables.ts";
import { resolvConfCapture } from "./capture/resolv_conf.ts";
import { resolvconfCapture } from "./capture/resolvconf.ts";
import { isGoneAround, resolvedCapture } from "./capture/resolved.ts";
import { otherListener, type VmFacts } from "./facts.ts";
import type { Plan, TraceLine } from "./plan.ts";

/** What may be asked for. */
export type CaptureMode = typeof CAPTURE_MODES[number];

/** A plan for a capture. */
export interface CapturePlan extends Plan {
  /** The ways; two where glibc and resolv.conf lead to different places. */
  captures: CaptureName[];
  /** Whether the agent must serve on port 53 too. */
  needsPort53: boolean;
  /** What systemd-resolved is told by `DNSSEC=`, where it validates what the agent answers. */
  validation: string | undefined;
}

const CAPTURES: Record<CaptureName, Capture> = {
  "resolved": resolvedCapture,
  "networkmanager": networkManagerCapture,
  "resolvconf": resolvconfCapture,
  "resolv-conf": resolvConfCapture,
  "nftables": nftablesCapture,
};

/** Makes the plan. */
export function planCapture(
  facts: VmFacts,
  mode: CaptureMode,
  settings: CaptureSettings,
): CapturePlan {
  const plan: CapturePlan = {
    captures: [],
    needsPort53: false,
    validation: undefined,
    steps: [],
    trace: [],
    refusals: [],
    warnings: [],
  };
  if (mode === "none") {
    plan.trace.push({ fact: "capture is none", conclusion: "lookups stay as they are" });
    return plan;
  }
  plan.refusals.push(...refusalsOf(facts, settings));
  const chosen = mode === "auto" ? choose(facts, settings, plan.trace) : [CAPTURES[mode]];
  for (const capture of chosen) {
    const { fits, because } = capture.fits(facts, settings);
    if (mode !== "auto") {
      plan.trace.push({ fact: because, conclusion: `${capture.name} was asked for` });
      if (!fits) plan.refusals.push(`Capture by ${capture.name} does not work here: ${because}.`);
    }
    plan.captures.push(capture.name);
    plan.steps.push(...capture.steps(facts, settings));
    plan.needsPort53 ||= capture.needsPort53(facts);
  }
  if (chosen.length === 0) {
    plan.refusals.push(
      `No way to send this machine's lookups to the agent fits: ${
        plan.trace.map(({ fact }) => fact).join("; ")
      }. Install nftables, or choose --capture none and send them yourself.`,
    );
  }
  if (plan.needsPort53) {
    const taken = otherListener(facts, { address: settings.port53, port: 53 });
    if (taken !== undefined && plan.refusals.length === 0) {
      plan.refusals.push(
        `${taken.program ?? "Another program"} listens on port 53 of ${taken.address}, which the ` +
          `agent needs on ${settings.port53}. Choose --capture nftables.`,
      );
    }
  }
  if (settings.containers) addContainers(plan, facts, settings);
  const { resolved } = facts;
  const isAsked = resolvedCapture.fits(facts, settings).fits &&
    plan.captures.some((name) => name === "resolved" || name === "nftables");
  if (isAsked && resolved !== undefined && resolved.dnssec !== "no") {
    plan.validation = resolved.dnssec;
    plan.trace.push({
      fact: `systemd-resolved validates (DNSSEC=${resolved.dnssec})`,
      conclusion: "names of the mesh are tried through it" +
        (mode === "auto" ? ", and lookups given back where it takes them for forged" : ""),
    });
  }
  plan.warnings.push(...warningsOf(facts, plan.captures, settings));
  return plan;
}

/** Containers, whatever way the VM's own lookups take. */
function addContainers(plan: CapturePlan, facts: VmFacts, settings: CaptureSettings): void {
  const bridges = capturedBridges(facts, settings);
  const found = bridges.map(({ name, address }) => `${name} (${address})`).join(", ");
  plan.trace.push({
    fact: found === "" ? "there is no bridge of a container engine" : `there is ${found}`,
    conclusion: found === ""
      ? "no containers to capture; run install again once there is one"
      : "queries of its containers are redirected",
  });
  if (found !== "" && facts.nftVersion === undefined) {
    plan.refusals.push(
      "capture.containers needs nft, which is not there. Install nftables, or leave it out.",
    );
  }
  if (found !== "" && facts.firewalls.length > 0) {
    plan.warnings.push(
      `${facts.firewalls.join(" and ")} runs: it must let containers reach port ` +
        `${settings.dns.port} of ${found}, by UDP and TCP.`,
    );
  }
  if (!plan.captures.includes("nftables")) plan.steps.push(...containerSteps(facts, settings));
}

function choose(facts: VmFacts, settings: CaptureSettings, trace: TraceLine[]): Capture[] {
  const chosen: Capture[] = [];
  const engines = containerEngines(facts);
  const isCopied = engines !== "" && nftablesCapture.fits(facts, settings).fits;
  for (const name of CAPTURE_NAMES) {
    const capture = CAPTURES[name];
    const { fits, because } = capture.fits(facts, settings);
    trace.push({ fact: because, conclusion: `${name} ${fits ? "fits" : "does not fit"}` });
    if (!fits) continue;
    if (isCopied && IN_RESOLV_CONF.includes(name)) {
      // Without a nameserver a container gets public ones, and keeps them when the agent is gone.
      trace.push({
        fact: `${engines} gives containers a copy of /etc/resolv.conf, without loopback`,
        conclusion: "it stays as it is: nftables",
      });
      return [...chosen, nftablesCapture];
    }
    chosen.push(capture);
    if (name !== "resolved" || !isGoneAround(facts)) return chosen;
    trace.push({
      fact: "/etc/resolv.conf names other nameservers than systemd-resolved's stub",
      conclusion: "it needs a way of its own",
    });
  }
  return chosen;
}

function refusalsOf(facts: VmFacts, { dns }: CaptureSettings): string[] {
  const refusals: string[] = [];
  const taken = otherListener(facts, dns);
  if (taken !== undefined) refusals.push(portTaken(taken.program, dns.port));
  if (facts.istioRedirectsDns) {
    refusals.push(
      "Istio's own rules redirect DNS on this machine (chain ISTIO_OUTPUT): two captures would send " +
        "queries in circles. Take them away (istio-iptables --cleanup, or ISTIO_META_DNS_CAPTURE=false " +
        "in /var/lib/istio/envoy/cluster.env and a restart of istio), or choose --capture none.",
    );
  }
  return refusals;
}

/** Who is in the way of the agent's own port, and what to do. */
export function portTaken(program: string | undefined, port: number): string {
  return program === "pilot-agent"
    ? `Istio's agent (pilot-agent) serves DNS on port ${port} already. Turn that off ` +
      "(ISTIO_META_DNS_CAPTURE=false in /var/lib/istio/envoy/cluster.env, and a restart of istio), or " +
      "give outrigger another port (dns.listen)."
    : `${
      program ?? "Another program"
    } listens on port ${port}. Stop it, or give outrigger another ` +
      "port (dns.listen).";
}

function warningsOf(
  facts: VmFacts,
  captures: readonly CaptureName[],
  { containers }: CaptureSettings,
): string[] {
  const { resolved, nsswitchHosts, firewalls, isWsl, otherWriters } = facts;
  const warnings: string[] = [];
  const isResolved = captures.includes("resolved");
  const isFile = captures.some((name) => ["resolv-conf", "networkmanager"].includes(name));
  if (isResolved && (resolved?.linksForAllNames.length ?? 0) > 0) {
    warnings.push(
      `${
        resolved!.linksForAllNames.join(", ")
      } also draws all names (~.): systemd-resolved asks its ` +
        "nameservers and the agent at once, and takes the first answer. Take ~. from that link.",
    );
  }
  if (
    nsswitchHosts.length > 0 && !nsswitchHosts.some((word) => ["dns", "resolve"].includes(word))
  ) {
    warnings.push(
      "nsswitch.conf has neither `dns` nor `resolve` for hosts: programs that use glibc make no DNS " +
        "queries at all. Add `dns` to its line `hosts:`.",
    );
  }
  if (captures.includes("nftables") && !isResolved && resolved !== undefined) {
    warnings.push(
      "systemd-resolved asks no nameserver for names below .local (RFC 6762), unless they are among its " +
        "domains: whoever asks it gets no names below cluster.local. Choose --capture resolved.",
    );
  }
  if (captures.includes("nftables") && firewalls.length > 0) {
    warnings.push(
      `${
        firewalls.join(" and ")
      } runs. It leaves our table alone; where \`flush ruleset\` takes it ` +
        "away, it is put back within a minute.",
    );
  }
  const engines = containerEngines(facts);
  if (engines !== "" && !containers && captures.length > 0) {
    const isCopied = captures.some((name) => IN_RESOLV_CONF.includes(name));
    warnings.push(
      `Containers of ${engines} get no nameserver on loopback, and so no names of the mesh: they ask ` +
        (isCopied
          ? "public nameservers (8.8.8.8), unless their engine is told of others (`dns` in Docker's " +
            "daemon.json)."
          : "the nameservers of this machine themselves.") +
        " To answer them here: --containers.",
    );
  }
  if (isFile && isWsl) {
    warnings.push(
      "WSL writes /etc/resolv.conf at each start (generateResolvConf in /etc/wsl.conf); it is " +
        "captured again after that.",
    );
  }
  if (isFile && otherWriters.length > 0) {
    warnings.push(
      `${
        otherWriters.join(", ")
      } may write /etc/resolv.conf: the nameservers are learnt from it, and ` +
        "the capture is put back.",
    );
  }
  return warnings;
}

/** Those that start containers, for people. */
function containerEngines({ engines }: VmFacts): string {
  return engines.filter((engine) => engine !== "libvirt").join(" and ");
}
