/**
 * Knot Resolver: a resolver in C and Lua, here with names from a hosts file and as a forwarder.
 *
 * @module
 */
import { join } from "node:path";
import { requirePrograms } from "../../support/required_programs.ts";
import { hostsFile, type Peer, type PeerSite, versionOf } from "./peer.ts";

/** Debian's Knot Resolver. */
export const KNOT_RESOLVER: Peer = {
  name: "knot-resolver",
  abilities: ["mesh", "forward", "cache"],
  prepare: () => requirePrograms([{ program: "kresd", package: "knot-resolver" }]),
  version: () => versionOf("kresd", "--version"),
  async command(site) {
    const configuration = join(site.folder, "kresd.conf");
    await Deno.writeTextFile(join(site.folder, "hosts"), hostsFile(site.hosts));
    await Deno.writeTextFile(configuration, text(site));
    return ["kresd", "--noninteractive", "--config", configuration, site.folder];
  },
};

function text({ folder, address, port, upstream }: PeerSite): string {
  return `net.listen('${address}', ${port}, { kind = 'dns' })
net.ipv6 = false
log_level('crit')
cache.open(100 * MB, 'lmdb://${folder}/cache')
-- No validation: no other peer has it. What else looks at a query, or asks by itself, goes too.
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
modules.unload('detect_time_jump')
-- The hints module answers before the cache is looked at.
modules.load('hints > iterate')
hints.add_hosts('${folder}/hosts')
hints.ttl(30)
-- STUB, unlike FORWARD, caches no parts of an answer apart.
policy.add(policy.all(policy.STUB('${upstream}')))
`;
}
