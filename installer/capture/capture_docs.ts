/**
 * The ways in which a VM's lookups are sent to the agent, for people: README's table.
 *
 * @module
 */
import type { CaptureName } from "./capture.ts";

/** A way. */
export interface CaptureDoc {
  /** Its name. */
  mode: CaptureName;
  /** Where `auto` takes it. */
  where: string;
  /** What it changes. */
  what: string;
  /** For how long it stays without anybody's doing. */
  until: string;
}

/** In the order in which `auto` tries them. */
export const CAPTURE_DOCS: readonly CaptureDoc[] = [
  {
    mode: "resolved",
    where: "systemd-resolved is asked: by its stub, or by glibc",
    what: "`/run/systemd/resolved.conf.d/zz-outrigger.conf`; a `resolv.conf` that names " +
      "systemd-resolved's own nameservers leads to its stub instead",
    until: "reboot; the link stays",
  },
  {
    mode: "networkmanager",
    where: "NetworkManager writes `/etc/resolv.conf`",
    what: "`/run/NetworkManager/conf.d/zz-outrigger.conf` (`dns=none`), and `/etc/resolv.conf`",
    until: "reboot; `/etc/resolv.conf` is given back early in the boot",
  },
  {
    mode: "resolvconf",
    where: "resolvconf or openresolv makes `/etc/resolv.conf`",
    what: "one more interface of it, `lo.outrigger`",
    until: "reboot",
  },
  {
    mode: "resolv-conf",
    where: "anything else that can be written: a plain file, a link, a mount",
    what: "`/etc/resolv.conf`; the one of before lies beside it",
    until: "given back at shutdown, or early in the next boot",
  },
  {
    mode: "nftables",
    where:
      "`/etc/resolv.conf` must stay as it is (immutable, read-only, another local nameserver, or " +
      "Docker or Podman, which copy it)",
    what: "`table inet outrigger`: queries to the nameservers in use are redirected",
    until: "reboot",
  },
];
