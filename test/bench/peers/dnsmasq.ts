/**
 * dnsmasq: a small forwarder in C with names from a hosts file.
 *
 * @module
 */
import { join } from "node:path";
import { requirePrograms } from "../../support/required_programs.ts";
import { hostsFile, type Peer, versionOf } from "./peer.ts";

/** Debian's dnsmasq. */
export const DNSMASQ: Peer = {
  name: "dnsmasq",
  abilities: ["mesh", "forward", "cache"],
  prepare: () => requirePrograms([{ program: "dnsmasq", package: "dnsmasq-base" }]),
  version: () => versionOf("dnsmasq", "--version"),
  async command({ folder, address, port, hosts, upstream }) {
    const [configuration, names] = [join(folder, "dnsmasq.conf"), join(folder, "hosts")];
    await Deno.writeTextFile(names, hostsFile(hosts));
    await Deno.writeTextFile(
      configuration,
      [
        "keep-in-foreground",
        "user=root",
        "pid-file=",
        `listen-address=${address}`,
        // Else it listens on every address and looks at each query's.
        "bind-interfaces",
        `port=${port}`,
        "no-hosts",
        // Into its hash table once, which grows with the file; host-record would be a list.
        `addn-hosts=${names}`,
        "local-ttl=30",
        "no-resolv",
        "no-poll",
        `server=${upstream}`,
        "cache-size=10000",
        // What one client has under way; 150 by default.
        "dns-forward-max=4096",
        "",
      ].join("\n"),
    );
    return ["dnsmasq", `--conf-file=${configuration}`];
  },
};
