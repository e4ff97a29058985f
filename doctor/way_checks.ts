/**
 * The first half of a lookup's way: from a program to the agent, through nsswitch.conf, resolv.conf,
 * systemd-resolved or nftables. Pure.
 *
 * @module
 */
import { formatSocketAddress } from "../agent/system/socket_address.ts";
import { IN_RESOLV_CONF } from "../installer/capture/capture.ts";
import type { DoctorFacts } from "./facts.ts";
import { failed, type Finding, ok, skipped, warning } from "./finding.ts";

/** Puts the capture in place now; by itself it comes within a minute. */
const CAPTURE_AGAIN = "sudo systemctl start outrigger-capture.service";
/** Gives the VM its own DNS back. */
const RELEASE = "Give the VM its own DNS back: sudo outrigger capture down";
/** What is said of things that only root sees. */
export const NEEDS_ROOT = "only root may look";
/** What to do about that. */
export const AS_ROOT = "sudo outrigger doctor";
const TOO_SLOW = "this VM did not tell in time";

/** What glibc asks, and in which order. */
export function checkNsswitch({ vm, capture }: DoctorFacts): Finding {
  const check = "nsswitch";
  if (vm === undefined) return skipped(check, TOO_SLOW);
  const { nsswitchHosts: words, resolved } = vm;
  if (words.length === 0) {
    return ok(check, "nsswitch.conf has no line `hosts:`: glibc asks DNS, then files");
  }
  const line = `hosts: ${words.join(" ")}`;
  const [resolve, dns] = [words.indexOf("resolve"), words.indexOf("dns")];
  const add = "Add it: sudo sed -i '/^hosts:/s/$/ dns/' /etc/nsswitch.conf";
  if (dns === -1 && (resolve === -1 || resolved === undefined)) {
    const why = resolve === -1
      ? "has neither `dns` nor `resolve`"
      : "has no `dns`, and systemd-resolved, which `resolve` asks, does not run";
    return failed(check, `"${line}" ${why}: programs that use glibc make no DNS queries`, add);
  }
  const asksResolved = resolve !== -1 && resolved !== undefined && (dns === -1 || resolve < dns);
  const stops = words.slice(resolve, dns === -1 ? undefined : dns)
    .some((word) => /^\[.*return\]$/i.test(word));
  const captures = capture?.plan.captures ?? [];
  if (asksResolved && stops && captures.length > 0 && !captures.includes("resolved")) {
    return failed(
      check,
      `"${line}": glibc asks systemd-resolved and goes no further, but lookups are sent to the agent ` +
        `by ${captures.join(" and ")}`,
      "Choose the way that fits: sudo outrigger install --capture auto",
    );
  }
  return ok(check, `"${line}": glibc asks ${asksResolved ? "systemd-resolved" : "DNS"}`);
}

/** The nameservers that programs read, and who wrote them. */
export function checkResolvConf(facts: DoctorFacts): Finding {
  const check = "resolv.conf";
  const { resolvConf: { exists, content, namesAgent }, capture, selfQuery } = facts;
  const { nameservers } = content;
  if (!exists || nameservers.length === 0) {
    const what = exists ? "/etc/resolv.conf names no nameserver" : "There is no /etc/resolv.conf";
    const asksResolved = facts.resolved !== undefined &&
      facts.vm?.nsswitchHosts.includes("resolve");
    return (asksResolved ? warning : failed)(
      check,
      `${what}: programs that read it ask 127.0.0.1`,
      capture?.plan.captures.some((name) => IN_RESOLV_CONF.includes(name))
        ? `Put the agent there: ${CAPTURE_AGAIN}`
        : "Write the VM's nameservers there, or let their manager do it.",
    );
  }
  const names = `/etc/resolv.conf names ${nameservers.join(", ")}`;
  const written = `${names}; ${writtenBy(facts)}`;
  if (namesAgent && !selfQuery.ok) {
    return failed(check, `${names}, which is the agent, and that does not answer`, RELEASE);
  }
  const isMeantTo = capture?.plan.captures.some((name) => IN_RESOLV_CONF.includes(name)) ?? false;
  if (isMeantTo && !namesAgent && selfQuery.ok) {
    return failed(
      check,
      `${written}. That is not the agent: lookups go past it`,
      `Put it back (the new nameservers are learnt): ${CAPTURE_AGAIN}`,
    );
  }
  if (namesAgent && nameservers[0] !== facts.config.port53) {
    return warning(
      check,
      `${written}. The agent is not the first, and programs ask the others`,
      `Put it back: ${CAPTURE_AGAIN}`,
    );
  }
  return ok(check, namesAgent ? `${names}: the agent` : written);
}

/** Who wrote it last, and when; who else might have where it does not say. */
function writtenBy({ resolvConf: { writer, modifiedMs }, vm }: DoctorFacts): string {
  const others = vm?.otherWriters ?? [];
  const who = writer !== ""
    ? `by ${writer}`
    : others.length > 0
    ? `by somebody who does not say so: ${others.join(" or ")}, or a hand`
    : "by hand, or by a program that does not say so";
  const when = modifiedMs === undefined ? "" : ` at ${new Date(modifiedMs).toISOString()}`;
  return `written last${when} ${who}`;
}

/** What systemd-resolved asks, and who competes. */
export function checkResolved(facts: DoctorFacts): Finding {
  const check = "systemd-resolved";
  const { resolved, vm, capture, selfQuery, config: { dns, port53 } } = facts;
  if (resolved === undefined) return skipped(check, "it does not run");
  const { servers, domains, links } = resolved;
  const own = [formatSocketAddress(dns), port53, ...dns.port === 53 ? [dns.address] : []];
  const asksAgent = servers.some((server) => own.includes(server.replace(/#.*/, "")));
  const asks = `it asks ${
    [
      ...servers.length > 0
        ? [`${servers.join(", ")} (domains ${domains.join(" ") || "none"})`]
        : [],
      ...links.map(({ name, servers, domains }) =>
        `${servers.join(", ")} of ${name}${
          domains.length > 0 ? ` (domains ${domains.join(" ")})` : ""
        }`
      ),
    ].join("; ") || "nobody"
  }`;
  if (asksAgent && !selfQuery.ok) {
    return failed(check, `${asks}: the agent is among them, and does not answer`, RELEASE);
  }
  if (!(capture?.plan.captures.includes("resolved") ?? false)) return ok(check, asks);
  if (selfQuery.ok && !(asksAgent && domains.includes("~."))) {
    return failed(
      check,
      `${asks}, and not the agent for all names`,
      `Put it back: ${CAPTURE_AGAIN}`,
    );
  }
  const rivals = vm?.resolved?.linksForAllNames ?? [];
  if (rivals.length > 0) {
    return warning(
      check,
      `${asks}; ${
        rivals.join(", ")
      } draws all names (~.) as well: both are asked at once, and the ` +
        "first answer counts, so mesh names may be said not to exist",
      `Take ~. from that link, in the configuration of who sets it up; until then: sudo resolvectl ` +
        `domain ${rivals[0]} ''`,
    );
  }
  const dnssec = vm?.resolved?.dnssec ?? "no";
  if (dnssec !== "no") {
    return warning(
      check,
      `${asks}; it validates (DNSSEC=${dnssec}): mesh names that the signed public DNS says do not ` +
        "exist may fail",
      "Use full names, or set DNSSEC=no in /etc/systemd/resolved.conf and: sudo systemctl " +
        "reload-or-restart systemd-resolved",
    );
  }
  return ok(check, asks);
}

/** Whether queries are redirected, where that is the way. */
export function checkNftables(facts: DoctorFacts): Finding {
  const check = "nftables";
  const { nftables, capture, selfQuery, vm, config } = facts;
  const isVms = capture?.plan.captures.includes("nftables") ?? false;
  // Containers are captured by it, whatever way the VM's own lookups take.
  const isWay = isVms || config.containers && (vm?.containerBridges.length ?? 0) > 0;
  if (nftables.state === "unseen") {
    return isWay
      ? skipped(check, nftables.reason, AS_ROOT)
      : skipped(check, `not the way that lookups are sent to the agent (${nftables.reason})`);
  }
  if (nftables.state === "missing") {
    if (!isWay) return skipped(check, "not the way that lookups are sent to the agent");
    if (!selfQuery.ok) return ok(check, "the table is not loaded: the agent does not answer");
    const firewalls = vm?.firewalls ?? [];
    return failed(
      check,
      "`table inet outrigger` is not loaded: queries go past the agent" +
        (firewalls.length === 0
          ? "; another program flushed the ruleset"
          : `; ${firewalls.join(" or ")} may have flushed the ruleset`),
      `Load it: ${CAPTURE_AGAIN} (by itself within a minute)`,
    );
  }
  const seen = `\`table inet outrigger\` has ${nftables.rules} rules that sent ` +
    `${nftables.redirected} packets to the agent`;
  if (!selfQuery.ok) return failed(check, `${seen}, which does not answer`, RELEASE);
  if (!isWay) {
    return warning(
      check,
      `${seen}, though that is not the way lookups are to be sent to it`,
      "Undo it, and capture as planned: sudo outrigger capture down; sudo outrigger capture up",
    );
  }
  if (isVms && nftables.redirected === 0) {
    return warning(
      check,
      `${seen}: no query to the nameservers in use was seen, not even this program's`,
      "See whom programs ask (the lines above), and compare: sudo nft list table inet outrigger",
    );
  }
  return ok(check, seen);
}

/** Whether what was planned is in force, and what is left of earlier times. */
export function checkCapture(facts: DoctorFacts): Finding {
  const check = "capture";
  const { capture, isInstalled, selfQuery, lastWords } = facts;
  if (capture === undefined) return skipped(check, TOO_SLOW);
  const { journals, plan: { captures, refusals } } = capture;
  if (journals === undefined) return skipped(check, NEEDS_ROOT, AS_ROOT);
  const { inForce, written, isInstallFinished, problem } = journals;
  if (problem !== "") {
    return failed(
      check,
      problem,
      "See what is left by hand, beside it: sh /var/lib/outrigger-capture/undo.sh undoes a capture",
    );
  }
  if (!isInstalled) {
    const left = written.capture + written.install;
    return left === 0 ? skipped(check, "outrigger is not installed") : warning(
      check,
      `outrigger is not installed, but ${left} of its changes are written down as not undone`,
      "Undo them: sudo outrigger uninstall (without the program: sudo sh " +
        "/var/lib/outrigger-capture/undo.sh)",
    );
  }
  if (!selfQuery.ok) {
    return written.capture === 0
      ? ok(check, "released: the agent does not answer, and the VM has its own DNS")
      : failed(
        check,
        "lookups are still sent to the agent, which does not answer",
        `${RELEASE}; where the program does not run: sudo sh /var/lib/outrigger-capture/undo.sh`,
      );
  }
  if (refusals.length > 0) {
    return failed(check, refusals.join(" "), "Do what it says, then: sudo outrigger install");
  }
  if (!isInstallFinished) {
    return warning(
      check,
      "an installation was interrupted: part of it may be missing",
      "Finish it: sudo outrigger install (or undo it: sudo outrigger uninstall)",
    );
  }
  if (captures.length === 0) return ok(check, "capture.mode is none: lookups stay as they are");
  if (inForce) return ok(check, `lookups go to the agent, by ${captures.join(" and ")}`);
  const said = lastWords.capture === "" ? "" : `; the last try said: ${lastWords.capture}`;
  return failed(
    check,
    `not in force: ${
      captures.join(" and ")
    } is planned, but something of it is missing, or the VM's ` +
      `nameservers have changed${said}`,
    `Put it in place: ${CAPTURE_AGAIN}; and see: sudo journalctl -u outrigger-capture`,
  );
}
