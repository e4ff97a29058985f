/**
 * Knot DNS as the authoritative server of the zones, on loopback, with signing of its own.
 *
 * @module
 */
import { join } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";

/** A zone that is served. */
export interface Zone {
  /** Its name, without a dot at the end. */
  name: string;
  /** How Knot signs it. */
  signing: "none" | "nsec" | "nsec3";
  /** The last field of its SOA: how long a negative answer may be kept, in seconds. */
  minimum: number;
  /** Its records, as a zone file has them, below `$ORIGIN`. */
  lines: readonly string[];
}

/** One Knot. */
export class Knot implements AsyncDisposable {
  readonly #child: Child;
  readonly #folder: string;

  private constructor(child: Child, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts one and waits until it has loaded, and signed, every zone. */
  static async start(
    { folder, port, zones }: { folder: string; port: number; zones: readonly Zone[] },
  ): Promise<Knot> {
    for (const name of ["zones", "database"]) {
      await Deno.mkdir(join(folder, name), { recursive: true });
    }
    await writeZones(folder, zones, 1);
    await Deno.writeTextFile(join(folder, "knot.conf"), configuration(folder, port, zones));
    const child = new Child("knotd", {
      args: ["--config", join(folder, "knot.conf")],
      cwd: folder,
      logPath: join(folder, "knot.log"),
    });
    const knot = new Knot(child, folder);
    try {
      await child.until(() => knot.#serials(zones, 1), "Knot serves every zone", 15_000);
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
    return knot;
  }

  /** Puts other contents of the zones in force; `serial` must be higher than before. */
  async replace(zones: readonly Zone[], serial: number): Promise<void> {
    await writeZones(this.#folder, zones, serial);
    this.#child.signal("SIGHUP");
    await this.#child.until(
      () => this.#serials(zones, serial),
      `Knot serves serial ${serial}`,
    );
  }

  /** True once every unsigned zone has this serial, and signed ones any. */
  async #serials(zones: readonly Zone[], serial: number): Promise<true | undefined> {
    for (const { name, signing } of zones) {
      const status = await runToEnd("knotc", [
        ...["--config", join(this.#folder, "knot.conf"), "--socket"],
        join(this.#folder, "knot.sock"),
        ...["zone-status", `${name}.`, "+serial"],
      ]);
      const [, found] = /serial: (\d+)/.exec(status) ?? [];
      if (found === undefined || signing === "none" && Number(found) !== serial) return undefined;
    }
    return true;
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function writeZones(folder: string, zones: readonly Zone[], serial: number): Promise<void> {
  for (const { name, minimum, lines } of zones) {
    const head = [
      `$ORIGIN ${name}.`,
      "$TTL 300",
      `@ 600 SOA ns.${name}. hostmaster.${name}. ${serial} 7200 1800 86400 ${minimum}`,
      `@ 600 NS ns.${name}.`,
      "ns 600 A 192.0.2.53",
    ];
    await Deno.writeTextFile(
      join(folder, "zones", `${name}.zone`),
      [...head, ...lines, ""].join("\n"),
    );
  }
}

function configuration(folder: string, port: number, zones: readonly Zone[]): string {
  const policy = (id: string, nsec3: string) =>
    `  - id: ${id}\n    algorithm: ECDSAP256SHA256\n    single-type-signing: on\n    rrsig-refresh: 3d\n    zone-max-ttl: 1d\n    nsec3: ${nsec3}\n`;
  const zone = ({ name, signing }: Zone) =>
    `  - domain: ${name}\n` + (signing === "none" ? "" : [
      "    dnssec-signing: on",
      `    dnssec-policy: ${signing}`,
      "    journal-content: all",
      "    zonefile-load: difference-no-serial",
      "",
    ].join("\n"));
  return `server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 4096
control:
  listen: "${folder}/knot.sock"
log:
  - target: stderr
    any: warning
database:
  storage: "${folder}/database"
policy:
${policy("nsec", "off")}${policy("nsec3", "on")}template:
  - id: default
    storage: "${folder}/zones"
    file: "%s.zone"
    zonefile-sync: -1
    semantic-checks: off
zone:
${zones.map(zone).join("")}`;
}
