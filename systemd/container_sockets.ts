/**
 * The sockets that containers are served on: on addresses of their bridges, which differ from VM to VM.
 *
 * @module
 */
import type { UnitFile } from "./units.ts";

/** A drop-in for outrigger.socket. @param sockets `address:port` of each bridge */
export function containerSockets(sockets: readonly string[]): UnitFile {
  return {
    path: "/etc/systemd/system/outrigger.socket.d/containers.conf",
    text: [
      "# Sockets for containers, on addresses of their bridges (with capture.containers).",
      "# A bridge may come after them, and go before them: FreeBind=.",
      "[Socket]",
      "FreeBind=yes",
      ...sockets.flatMap((socket) => [`ListenDatagram=${socket}`, `ListenStream=${socket}`]),
      "",
    ].join("\n"),
  };
}
