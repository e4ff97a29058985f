/**
 * CoreDNS: the DNS server of Kubernetes, in Go, with the `hosts` plugin.
 *
 * @module
 */
import { join } from "node:path";
import { realParts } from "../../parts/real_parts.ts";
import { hostsFile, type Peer, versionOf } from "./peer.ts";

/** CoreDNS, built from its Go module. */
export const COREDNS: Peer = {
  name: "coredns",
  abilities: ["mesh", "forward", "cache"],
  writesNamesOut: true,
  prepare: async () => void await program(),
  version: async () => await versionOf(await program(), "-version"),
  async command({ folder, address, port, hosts, upstream }) {
    const [configuration, names] = [join(folder, "Corefile"), join(folder, "hosts")];
    await Deno.writeTextFile(names, hostsFile(hosts));
    // Two server blocks, so that the cache is in no mesh query's way: hosts is a map of its own.
    await Deno.writeTextFile(
      configuration,
      `cluster.local:${port} {
    bind ${address}
    hosts ${names} {
        ttl 30
        no_reverse
        reload 0
    }
}
.:${port} {
    bind ${address}
    cache {
        success 100000
    }
    forward . ${upstream} {
        max_concurrent 4096
        health_check 60s
    }
}
`,
    );
    return [await program(), "-quiet", "-conf", configuration];
  },
};

async function program(): Promise<string> {
  return (await realParts(["coredns"])).coredns;
}
