/**
 * Capture by systemd-resolved: a drop-in under /run makes the agent its nameserver for all names.
 *
 * @module
 */
import { formatSocketAddress } from "../../agent/system/socket_address.ts";
import type { VmFacts } from "../facts.ts";
import { folderStep } from "../plan.ts";
import type { Step } from "../steps.ts";
import { type Capture, OWN_COMMENT, searchDomains } from "./capture.ts";

/** The last one in the order of names: what it empties are the lists of all others. */
const DROP_IN = "/run/systemd/resolved.conf.d/zz-outrigger.conf";
/** The first version that takes `DNS=address:port`; before, it is ignored without a word. */
const PORT_SINCE = 246;
/** Its resolv.conf that names its own nameservers, and the one that names its stub. */
export const UPLINK_FILE = "/run/systemd/resolve/resolv.conf";
/** See {@link UPLINK_FILE}. */
export const STUB_FILE = "/run/systemd/resolve/stub-resolv.conf";

/** See the module. */
export const resolvedCapture: Capture = {
  name: "resolved",
  needsPort53: ({ systemdVersion = 0 }) => systemdVersion < PORT_SINCE,
  fits(facts) {
    const { resolved, resolvConf } = facts;
    if (resolved === undefined) return { fits: false, because: "systemd-resolved does not run" };
    if (resolvConf.content.manager === "systemd-resolved" && leadsToStub(facts)) {
      const how = resolvConf.type === "link" ? "a link to its stub" : "a plain copy of its stub";
      return { fits: true, because: `/etc/resolv.conf is ${how}: systemd-resolved is asked` };
    }
    if (isAskedByGlibc(facts)) {
      return { fits: true, because: "nsswitch.conf has `resolve`: systemd-resolved is asked" };
    }
    return {
      fits: false,
      because: "systemd-resolved runs, but neither /etc/resolv.conf nor nsswitch.conf leads to it",
    };
  },
  steps(facts, settings) {
    const { resolved, systemdVersion = 0, resolvConf } = facts;
    const server = systemdVersion < PORT_SINCE
      ? settings.port53
      : formatSocketAddress(settings.dns);
    // Not where it was never started: early in a boot after a power loss, that would hold up the boot.
    const onlyIf = [
      "sh",
      "-c",
      "systemctl is-active --quiet $0 || systemctl is-failed --quiet $0",
      "systemd-resolved.service",
    ];
    const reload = { command: ["systemctl", "reload-or-restart", "systemd-resolved.service"] };
    // Restarts by others may have used up its start limit, and then ours would be refused.
    const resetFailed = { command: ["systemctl", "reset-failed", "systemd-resolved.service"] };
    const steps: Step[] = [
      {
        kind: "run",
        down: { ...reload, onlyIf },
        why: "systemd-resolved reads its configuration anew at the end",
      },
      {
        kind: "run",
        down: { ...resetFailed, onlyIf },
        why: "its start limit does not stand in the way",
      },
      folderStep("/run/systemd/resolved.conf.d", "for the drop-in"),
      {
        kind: "write file",
        path: DROP_IN,
        mode: 0o644,
        text: [
          OWN_COMMENT,
          "[Resolve]",
          "# What others configured is the agent's business now: it asks those servers.",
          "DNS=",
          `DNS=${server}`,
          // ~. draws all names here, and so keeps them from the links' own servers.
          "Domains=",
          `Domains=${[...searchDomains(facts, settings), "~."].join(" ")}`,
          // To the agent on loopback; the agent itself asks by TLS where that was configured.
          ...resolved?.dnsOverTls === "no" ? [] : ["DNSOverTLS=no"],
          "",
        ].join("\n"),
        why: "systemd-resolved asks the agent; gone at the next boot",
      },
      {
        kind: "run",
        up: resetFailed,
        afterChange: true,
        why: "its start limit does not stand in the way",
      },
      { kind: "run", up: reload, afterChange: true, why: "systemd-resolved reads it" },
    ];
    if (resolvConf.target === UPLINK_FILE && resolved?.hasStub) {
      steps.push({
        kind: "make link",
        path: "/etc/resolv.conf",
        target: STUB_FILE,
        why: "programs that read it ask systemd-resolved too, and not its nameservers",
      });
    }
    return steps;
  },
};

/** Whether resolv.conf names the stub, or nothing. */
function leadsToStub({ resolvConf }: VmFacts): boolean {
  const { nameservers } = resolvConf.content;
  return nameservers.length > 0 &&
    nameservers.every((address) => /^127\.0\.0\.5[34]$/.test(address));
}

/** Whether glibc asks systemd-resolved first. */
function isAskedByGlibc({ nsswitchHosts }: VmFacts): boolean {
  const [resolve, dns] = ["resolve", "dns"].map((word) => nsswitchHosts.indexOf(word));
  return resolve !== -1 && (dns === -1 || resolve < dns);
}

/** Whether programs that read resolv.conf go around systemd-resolved all the same. */
export function isGoneAround(facts: VmFacts): boolean {
  const { resolvConf, resolved } = facts;
  if (resolvConf.target === UPLINK_FILE && resolved?.hasStub) return false;
  return resolvConf.content.nameservers.length > 0 && !leadsToStub(facts);
}
