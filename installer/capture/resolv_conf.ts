/**
 * Capture by /etc/resolv.conf itself: it names the agent's address, where the agent serves on port 53.
 *
 * @module
 */
import { RESOLV_CONF } from "../../agent/host_dns/host_dns.ts";
import { otherListener, type VmFacts } from "../facts.ts";
import { savedPath, type Step } from "../steps.ts";
import { type Capture, type CaptureSettings, OWN_COMMENT, searchDomains } from "./capture.ts";

/** See the module. */
export const resolvConfCapture: Capture = {
  name: "resolv-conf",
  needsPort53: () => true,
  fits(facts, settings) {
    const { resolvConf } = facts;
    const no = (because: string) => ({ fits: false, because });
    if (resolvConf.isImmutable) {
      return no("/etc/resolv.conf is immutable (chattr +i): somebody wants it to stay as it is");
    }
    if (resolvConf.isReadOnly) return no("/etc/resolv.conf cannot be written");
    if (resolvConf.type === "other") return no("/etc/resolv.conf is neither a file nor a link");
    const taken = otherListener(facts, { address: settings.port53, port: 53 });
    if (taken !== undefined) {
      return no(
        `${taken.program ?? "another program"} listens on port 53 of ${taken.address}, ` +
          `and so on ${settings.port53}`,
      );
    }
    const local = localServer(facts);
    if (local !== undefined) {
      // It reads resolv.conf for its own nameservers: named there, the agent and it would ask each other.
      return no(`/etc/resolv.conf names ${local}, a nameserver on this machine`);
    }
    return { fits: true, because: describe(facts) };
  },
  steps: (facts, settings) => resolvConfSteps(facts, settings),
};

/** The steps that make resolv.conf name the agent, for every capture that ends in that. */
export function resolvConfSteps(facts: VmFacts, settings: CaptureSettings): Step[] {
  const { resolvConf } = facts;
  const write: Step = {
    kind: "write file",
    path: RESOLV_CONF,
    mode: 0o644,
    text: resolvConfText(facts, settings),
    nameserver: settings.port53,
    ...(resolvConf.isMount && { inPlace: true }),
    why: "what reads it asks the agent; search domains and options stay",
  };
  if (!resolvConf.isMount) return [write];
  return [{
    kind: "write file",
    path: savedPath(RESOLV_CONF),
    mode: 0o644,
    text: resolvConf.text,
    why: "the agent reads there which nameservers this machine has",
  }, write];
}

/** The text of a resolv.conf that names the agent. No other nameserver: some stubs ask all at once. */
export function resolvConfText(facts: VmFacts, settings: CaptureSettings): string {
  const { options } = facts.resolvConf.content;
  return [
    OWN_COMMENT,
    `search ${searchDomains(facts, settings).join(" ")}`,
    `nameserver ${settings.port53}`,
    ...options.length === 0 ? [] : [`options ${options.join(" ")}`],
    "",
  ].join("\n");
}

function describe({ resolvConf }: VmFacts): string {
  const { type, target, isDangling, isMount } = resolvConf;
  if (isMount) return "/etc/resolv.conf is a mount: its content is written anew";
  if (type === "missing") return "there is no /etc/resolv.conf";
  if (isDangling) return `/etc/resolv.conf is a link to ${target}, which is missing`;
  return type === "link"
    ? `/etc/resolv.conf is a link to ${target}`
    : "/etc/resolv.conf is a plain file";
}

/** A loopback address in resolv.conf that is not systemd-resolved's. */
export function localServer({ resolvConf }: VmFacts): string | undefined {
  return resolvConf.content.nameservers.find((address) =>
    (address === "::1" || address.startsWith("127.")) && !/^127\.0\.0\.5[34]$/.test(address)
  );
}
