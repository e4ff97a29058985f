/**
 * unbound: a resolver in C, here with local data and as a forwarder.
 *
 * @module
 */
import { join } from "node:path";
import { requirePrograms } from "../../support/required_programs.ts";
import { type Peer, type PeerSite, versionOf } from "./peer.ts";

/** Debian's unbound. */
export const UNBOUND: Peer = {
  name: "unbound",
  abilities: ["mesh", "forward", "cache"],
  prepare: () => requirePrograms([{ program: "unbound", package: "unbound" }]),
  version: () => versionOf("unbound", "-V"),
  async command(site) {
    const path = join(site.folder, "unbound.conf");
    await Deno.writeTextFile(path, configuration(site));
    return ["unbound", "-d", "-c", path];
  },
};

function configuration({ folder, address, port, hosts, upstream }: PeerSite): string {
  const data = hosts.map(({ host, addresses: [ip] }) => `  local-data: "${host}. 30 IN A ${ip}"\n`);
  return `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  interface: ${address}
  port: ${port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  # One core: one thread, and one socket that it alone reads.
  num-threads: 1
  so-reuseport: no
  # Nothing is written or counted for a query.
  use-syslog: no
  verbosity: 0
  log-queries: no
  statistics-interval: 0
  extended-statistics: no
  # No validator: no other peer has one.
  module-config: "iterator"
  minimal-responses: yes
  rrset-roundrobin: no
  qname-minimisation: no
  do-not-query-localhost: no
  # Room for what one client has under way.
  num-queries-per-thread: 4096
  outgoing-range: 8192
  msg-cache-size: 64m
  rrset-cache-size: 128m
  # Answered before its caches are looked at.
  local-zone: "cluster.local." static
${data.join("")}remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: ${upstream}
`;
}
