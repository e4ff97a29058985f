/**
 * outrigger: the compiled binary that `BINARY_UNDER_TEST` names, else from source. It joins a control
 * plane by TLS and gets its names from there, as on a VM.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { UNITS } from "../../../systemd/units.ts";
import { SEARCH_DOMAINS } from "../bench_names.ts";
import { type Peer, type PeerSite, versionOf } from "./peer.ts";

/** outrigger. */
export const OUTRIGGER: Peer = {
  name: "outrigger",
  abilities: ["mesh", "autopath", "forward", "cache"],
  prepare: () => Promise.resolve(),
  version: async () =>
    `${await versionOf(...program(), "version")} (${isBinary() ? "binary" : "source"})`,
  async command(site) {
    const rootCert = join(site.folder, "root-cert.pem");
    const token = join(site.folder, "token");
    await Deno.writeTextFile(rootCert, site.controlPlane.authority.rootCertificate);
    await Deno.writeTextFile(token, "good-token\n");
    return outriggerCommand(site, [
      ...["--control-plane", site.controlPlane.address, "--root-cert", rootCert, "--token", token],
    ]);
  },
};

/** The command of an agent; `names` says where its names come from. */
export function outriggerCommand(
  { address, port, folder, upstream }: Omit<PeerSite, "hosts" | "controlPlane">,
  names: readonly string[],
): string[] {
  return [
    // As large as the kernel gives the peers, who do not ask for more.
    ...["env", "OUTRIGGER_DNS_RECEIVE_BUFFER=104KiB", ...memorySettings()],
    ...program(),
    "run",
    ...["--dns-listen", `${address}:${port}`, "--health-listen", `${address}:${healthPort(port)}`],
    ...["--state-dir", join(folder, "state"), "--upstream", upstream],
    ...SEARCH_DOMAINS.flatMap((domain) => ["--search", domain]),
    ...names,
  ];
}

/** How its unit makes glibc use memory: `NAME=VALUE`. */
function memorySettings(): string[] {
  const { text } = UNITS.find(({ path }) => path.endsWith("/outrigger.service"))!;
  return /^Environment=(MALLOC_.*)$/m.exec(text)![1].split(" ");
}

/** Where the agent that serves DNS on a port serves health. */
export function healthPort(port: number): number {
  return port + 1_000;
}

function isBinary(): boolean {
  return Boolean(Deno.env.get("BINARY_UNDER_TEST"));
}

function program(): [string, ...string[]] {
  const binary = Deno.env.get("BINARY_UNDER_TEST");
  if (binary) return [resolve(binary)];
  const main = resolve(import.meta.dirname!, "../../../agent/main.ts");
  return [Deno.execPath(), "run", "--allow-all", "--quiet", main];
}
