/**
 * The nameserver that everything but the mesh is forwarded to: Knot DNS, with a wildcard for each
 * domain, on the client's core.
 *
 * @module
 */
import { join } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import { CACHED_DOMAIN, MISSES_DOMAIN } from "./bench_names.ts";
import { askOnce } from "./ask_once.ts";

/** Address of the nameserver; its port is 53, since resolv.conf names no other. */
export const AUTHORITY_ADDRESS = "127.0.0.2";

/** Starts it and waits until it answers. */
export async function startAuthority(folder: string, core: number): Promise<AsyncDisposable> {
  await Deno.mkdir(folder, { recursive: true });
  for (const domain of [CACHED_DOMAIN, MISSES_DOMAIN]) {
    await Deno.writeTextFile(
      join(folder, `${domain}.zone`),
      [
        `$ORIGIN ${domain}.`,
        "$TTL 3600",
        `@ SOA ns.${domain}. hostmaster.${domain}. 1 7200 1800 86400 300`,
        `@ NS ns.${domain}.`,
        "ns A 192.0.2.53",
        "* A 192.0.2.1",
        "",
      ].join("\n"),
    );
  }
  const path = join(folder, "knot.conf");
  await Deno.writeTextFile(path, configuration(folder));
  const child = new Child("knotd", {
    args: ["--config", path],
    cwd: folder,
    logPath: join(folder, "knot.log"),
  });
  const ask = () => askOnce({ address: AUTHORITY_ADDRESS, port: 53, name: `a.${CACHED_DOMAIN}` });
  try {
    await child.until(async () => (await ask()).records === 1 || undefined, "Knot answers");
    // Its workers choose a core by themselves.
    await runToEnd("taskset", ["--all-tasks", "--pid", "--cpu-list", `${core}`, `${child.pid}`]);
  } catch (error) {
    await child.end("SIGKILL");
    throw error;
  }
  return child;
}

function configuration(folder: string): string {
  const zone = (domain: string) => `  - domain: ${domain}\n`;
  return `server:
  rundir: "${folder}"
  listen: ${AUTHORITY_ADDRESS}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: warning
database:
  storage: "${folder}/database"
template:
  - id: default
    storage: "${folder}"
    file: "%s.zone"
zone:
${zone(CACHED_DOMAIN)}${zone(MISSES_DOMAIN)}`;
}
