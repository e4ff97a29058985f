/**
 * The files that make systemd run outrigger, with the paths where they belong on a VM. Why each line is
 * there stands in the files themselves, which name the places of an installation of outrigger's own.
 *
 * They are the same on every version of systemd, but for drop-ins that only later versions know.
 *
 * @module
 */
import captureService from "./outrigger-capture.service" with { type: "text" };
import capturePath from "./outrigger-capture.path" with { type: "text" };
import captureTimer from "./outrigger-capture.timer" with { type: "text" };
import ipv6Socket from "./outrigger-ipv6.socket" with { type: "text" };
import leftoversService from "./outrigger-leftovers.service" with { type: "text" };
import recaptureService from "./outrigger-recapture.service" with { type: "text" };
import releaseService from "./outrigger-release.service" with { type: "text" };
import retryService from "./outrigger-retry.service" with { type: "text" };
import retryTimer from "./outrigger-retry.timer" with { type: "text" };
import service from "./outrigger.service" with { type: "text" };
import restartDropIn from "./outrigger.service.d/254-restart.conf" with { type: "text" };
import socket from "./outrigger.socket" with { type: "text" };
import port53DropIn from "./outrigger.socket.d/port-53.conf" with { type: "text" };
import sysusers from "./sysusers.conf" with { type: "text" };
import tmpfiles from "./tmpfiles.conf" with { type: "text" };
import { type Layout, OWN_LAYOUT, placeText } from "./layout.ts";

/** A file of root's that all may read. */
export interface UnitFile {
  /** Where it belongs. */
  readonly path: string;
  /** What it holds. */
  readonly text: string;
  /** The first version of systemd that knows all that is in it; any unless given. */
  readonly sinceSystemd?: number;
}

/** Where drop-ins belong in every layout: which ones there are depends on the VM, and no package brings them. */
const DROP_IN_FOLDER = "/etc/systemd/system";

/** All that every VM needs, in a layout; later ones may name users that earlier ones make. */
export function unitsOf(layout: Layout): readonly UnitFile[] {
  const unit = (name: string, text: string): UnitFile => ({
    path: `${layout.unitFolder}/${name}`,
    text: placeText(text, layout),
  });
  return [
    { path: layout.sysusers, text: sysusers },
    { path: layout.tmpfiles, text: tmpfiles },
    unit("outrigger.socket", socket),
    unit("outrigger-ipv6.socket", ipv6Socket),
    unit("outrigger.service", service),
    {
      path: `${DROP_IN_FOLDER}/outrigger.service.d/254-restart.conf`,
      text: restartDropIn,
      sinceSystemd: 254,
    },
    unit("outrigger-capture.service", captureService),
    unit("outrigger-capture.path", capturePath),
    unit("outrigger-capture.timer", captureTimer),
    unit("outrigger-recapture.service", recaptureService),
    unit("outrigger-release.service", releaseService),
    unit("outrigger-retry.service", retryService),
    unit("outrigger-retry.timer", retryTimer),
    unit("outrigger-leftovers.service", leftoversService),
  ];
}

/** Those of an installation of outrigger's own. */
export const UNITS: readonly UnitFile[] = unitsOf(OWN_LAYOUT);

/** What is added where a resolv.conf has to name the agent. */
export const PORT_53_UNIT: UnitFile = {
  path: `${DROP_IN_FOLDER}/outrigger.socket.d/port-53.conf`,
  text: port53DropIn,
};

/** The address of {@link PORT_53_UNIT}. */
export const PORT_53_ADDRESS = "127.0.0.15";

/** What `systemctl enable` is given; the other units are wanted by these. */
export const ENABLED_UNITS: readonly string[] = [
  "outrigger-leftovers.service",
  "outrigger.socket",
  "outrigger-ipv6.socket",
  "outrigger.service",
];
