/**
 * Capture where NetworkManager writes resolv.conf: a file of its own under /run tells it not to, and
 * resolv.conf names the agent. What it would write it goes on writing to /run/NetworkManager/, where the
 * agent finds the nameservers.
 *
 * @module
 */
import { folderStep } from "../plan.ts";
import { type Capture, OWN_COMMENT } from "./capture.ts";
import { resolvConfCapture, resolvConfSteps } from "./resolv_conf.ts";

/** Also looked at when the facts are gathered: its dns=none is ours. */
export const NETWORK_MANAGER_DROP_IN = "/run/NetworkManager/conf.d/zz-outrigger.conf";

/** See the module. */
export const networkManagerCapture: Capture = {
  name: "networkmanager",
  needsPort53: () => true,
  fits(facts, settings) {
    const { networkManager, resolvConf } = facts;
    const no = (because: string) => ({ fits: false, because });
    if (networkManager === undefined) return no("NetworkManager does not run");
    const { dns, rcManager } = networkManager;
    if (dns === "none" || rcManager === "unmanaged") {
      return no(
        `NetworkManager leaves /etc/resolv.conf alone (${
          dns === "none" ? "dns=none" : "rc-manager=unmanaged"
        })`,
      );
    }
    if (resolvConf.content.manager !== "NetworkManager") {
      return no("NetworkManager runs, but /etc/resolv.conf is not by it");
    }
    // Its dnsmasq goes with its dns=: it is no nameserver that would be in the way.
    const content = { ...resolvConf.content, nameservers: [] };
    const file = resolvConfCapture.fits(
      { ...facts, resolvConf: { ...resolvConf, content } },
      settings,
    );
    if (!file.fits) return file;
    return { fits: true, because: `NetworkManager writes /etc/resolv.conf (dns=${dns})` };
  },
  steps(facts, settings) {
    const reload = { command: ["systemctl", "reload", "NetworkManager.service"] };
    const onlyIf = ["systemctl", "is-active", "--quiet", "NetworkManager.service"];
    return [
      {
        kind: "run",
        down: { ...reload, onlyIf },
        why: "NetworkManager writes /etc/resolv.conf again at the end",
      },
      folderStep("/run/NetworkManager/conf.d", "for the drop-in"),
      {
        kind: "write file",
        path: NETWORK_MANAGER_DROP_IN,
        mode: 0o644,
        text: `${OWN_COMMENT}\n[main]\ndns=none\n`,
        why: "NetworkManager leaves /etc/resolv.conf alone; gone at the next boot",
      },
      { kind: "run", up: reload, afterChange: true, why: "NetworkManager reads it" },
      ...resolvConfSteps(facts, settings),
    ];
  },
};
