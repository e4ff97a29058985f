/**
 * The DNS server of Istio's own agent (`pkg/dns/client`), in Go. It has no cache: every external name
 * is asked for anew.
 *
 * @module
 */
import { join } from "node:path";
import { encodeNameTable } from "../../../agent/mesh/protocol.ts";
import { realParts } from "../../parts/real_parts.ts";
import { runToEnd } from "../../support/child_process.ts";
import { withResolvConf } from "../../support/glibc_client.ts";
import { SEARCH_DOMAINS } from "../bench_names.ts";
import type { Peer } from "./peer.ts";

/** Istio's, built from its Go module. */
export const ISTIO: Peer = {
  name: "istio",
  abilities: ["mesh", "autopath", "forward"],
  writesNamesOut: true,
  prepare: async () => void await program(),
  version: async () => {
    const module = join(import.meta.dirname!, "../../parts/istio/go.mod");
    return /istio\.io\/istio v0\.0\.0-(\d{8})/.exec(await Deno.readTextFile(module))![1];
  },
  async command({ folder, address, port, hosts, upstream }) {
    const [table, input] = [join(folder, "table.bin"), join(folder, "stdin")];
    await Deno.writeFile(table, new Uint8Array(encodeNameTable(hosts)));
    // It ends with its standard input; a pipe that it holds itself never does.
    await runToEnd("mkfifo", [input]);
    return [
      ...await withResolvConf(folder, { nameserver: upstream, search: SEARCH_DOMAINS }),
      ...["sh", "-c", `exec "$0" "$@" <>'${input}'`],
      ...[await program(), `${address}:${port}`, "default", table],
    ];
  },
};

async function program(): Promise<string> {
  return (await realParts(["istio-dns-server"]))["istio-dns-server"];
}
