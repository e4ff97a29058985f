/**
 * A control plane that was started long ago: the certificate that it shows has expired.
 *
 * usage: old_control_plane.ts CONFIG_DIR STATE_DIR BINARIES ADDRESS
 *
 * Prints the line that a machine joins by, and serves until it is ended.
 *
 * @module
 */
import { systemClock } from "../../agent/system/clock.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { silentLog } from "../../agent/system/log.ts";
import { SystemRandom } from "../../agent/system/random.ts";
import { ControlPlane } from "../../control_plane/control_plane.ts";
import { joinLine, loadJoinPoint } from "../../control_plane/join_point.ts";
import { findBinaries } from "../../control_plane/join_server.ts";

/** Longer than the life of its certificate, and shorter than that of its root. */
const AGO_MS = 400 * 86_400_000;

const [configDir, stateDir, folder, address] = Deno.args;
const plane = new ControlPlane({
  clock: { ...systemClock, wallMs: () => Date.now() - AGO_MS },
  random: new SystemRandom(),
  files: systemFiles,
  log: silentLog,
  configDir,
  stateDir,
  grpcListen: { address, port: 15012 },
  trustDomain: "cluster.local",
  clusterDomain: "cluster.local",
  join: {
    listen: { address, port: 15443 },
    plainListen: { address, port: 15080 },
    host: address,
    binaries: await findBinaries({ folder, arch: "x64" }, systemFiles),
  },
});
await plane.start();
const workload = { namespace: "ns1", serviceAccount: "vm-sa" };
const token = await plane.createToken({ ...workload, ttlSeconds: 3600 });
console.log(joinLine(await loadJoinPoint(stateDir, systemFiles), { token, workload }));
