/**
 * The files that make systemd run outrigger, with the paths where they belong on a VM. Why each line is
 * there stands in the files themselves.
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

/** A file of root's that all may read. */
export interface UnitFile {
  /** Where it belongs. */
  readonly path: string;
  /** What it holds. */
  readonly text: string;
  /** The first version of systemd that knows all that is in it; any unless given. */
  readonly sinceSystemd?: number;
}

const UNIT_FOLDER = "/etc/systemd/system";

/** All that every VM needs; later ones may name users that earlier ones make. */
export const UNITS: readonly UnitFile[] = [
  { path: "/etc/sysusers.d/outrigger.conf", text: sysusers },
  { path: "/etc/tmpfiles.d/outrigger.conf", text: tmpfiles },
  { path: `${UNIT_FOLDER}/outrigger.socket`, text: socket },
  { path: `${UNIT_FOLDER}/outrigger-ipv6.socket`, text: ipv6Socket },
  { path: `${UNIT_FOLDER}/outrigger.service`, text: service },
  {
    path: `${UNIT_FOLDER}/outrigger.service.d/254-restart.conf`,
    text: restartDropIn,
    sinceSystemd: 254,
  },
  { path: `${UNIT_FOLDER}/outrigger-capture.service`, text: captureService },
  { path: `${UNIT_FOLDER}/outrigger-capture.path`, text: capturePath },
  { path: `${UNIT_FOLDER}/outrigger-capture.timer`, text: captureTimer },
  { path: `${UNIT_FOLDER}/outrigger-recapture.service`, text: recaptureService },
  { path: `${UNIT_FOLDER}/outrigger-release.service`, text: releaseService },
  { path: `${UNIT_FOLDER}/outrigger-retry.service`, text: retryService },
  { path: `${UNIT_FOLDER}/outrigger-retry.timer`, text: retryTimer },
  { path: `${UNIT_FOLDER}/outrigger-leftovers.service`, text: leftoversService },
];

/** What is added where a resolv.conf has to name the agent. */
export const PORT_53_UNIT: UnitFile = {
  path: `${UNIT_FOLDER}/outrigger.socket.d/port-53.conf`,
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
