/**
 * Capture where the program resolvconf makes resolv.conf: it is told of one more interface, whose
 * nameserver is the agent. What it was told is under /run, and gone at the next boot.
 *
 * @module
 */
import { otherListener } from "../facts.ts";
import { type Capture, searchDomains } from "./capture.ts";
import { localServer } from "./resolv_conf.ts";

/** Debian's resolvconf puts `lo.*` first, and drops all nameservers behind one on loopback. */
const INTERFACE = "lo.outrigger";

/** See the module. */
export const resolvconfCapture: Capture = {
  name: "resolvconf",
  needsPort53: () => true,
  fits(facts, settings) {
    const { resolvconf, resolvConf } = facts;
    const no = (because: string) => ({ fits: false, because });
    if (resolvconf === undefined) return no("there is no resolvconf");
    if (resolvConf.content.manager !== "resolvconf") {
      return no(`${resolvconf} is there, but /etc/resolv.conf is not by it`);
    }
    const taken = otherListener(facts, { address: settings.port53, port: 53 });
    if (taken !== undefined) {
      return no(`${taken.program ?? "another program"} listens on port 53 of ${taken.address}`);
    }
    const local = localServer(facts);
    if (local !== undefined && local !== settings.port53) {
      return no(`/etc/resolv.conf names ${local}, a nameserver on this machine`);
    }
    return { fits: true, because: `${resolvconf} makes /etc/resolv.conf` };
  },
  steps(facts, settings) {
    const isOpenresolv = facts.resolvconf === "openresolv";
    const folder = `/run/resolvconf/interface${isOpenresolv ? "s" : ""}`;
    const nameserver = `nameserver ${settings.port53}`;
    return [{
      kind: "run",
      up: {
        // openresolv orders by metric, and has no rule for lo.*.
        command: ["resolvconf", ...isOpenresolv ? ["-m", "0"] : [], "-a", INTERFACE],
        input: `search ${searchDomains(facts, settings).join(" ")}\n${nameserver}\n`,
      },
      down: {
        command: ["resolvconf", "-d", INTERFACE],
        onlyIf: ["test", "-e", `${folder}/${INTERFACE}`],
      },
      unless: ["grep", "-qsxF", nameserver, `${folder}/${INTERFACE}`],
      why: `${facts.resolvconf} names the agent first`,
    }];
  },
};
