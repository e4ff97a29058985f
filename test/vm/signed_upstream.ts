/**
 * Signed zones beyond a VM's links: a root of their own with `example.org` below it, both signed, and
 * `corp.example`, which is not. Knot DNS serves them all, so that whoever validates finds every link of the
 * chain at one nameserver.
 *
 * @module
 */
import { join } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import type { VmNetwork } from "./vm_network.ts";

/** A zone; its nameserver is left out. */
interface SignedZone {
  /** Its name, without a dot at the end. */
  name: string;
  /** Whether it is signed. */
  isSigned: boolean;
  /** Its records, as a zone file has them. */
  lines: readonly string[];
}

const ZONES: readonly SignedZone[] = [
  {
    name: "example.org",
    isSigned: true,
    lines: ["www A 203.0.113.80", "bank A 203.0.113.99"],
  },
  { name: "corp.example", isSigned: false, lines: ["ledger A 198.51.100.80"] },
];

/** One nameserver. */
export class SignedUpstream implements AsyncDisposable {
  /** The root's key, for the VM's `dnssec-trust-anchors.d/*.positive`. */
  readonly trustAnchor: string;
  readonly #child: Child;

  private constructor(child: Child, trustAnchor: string) {
    this.#child = child;
    this.trustAnchor = trustAnchor;
  }

  /** Starts one and waits until it has signed its zones. @param address with a port: `192.0.2.53@5300` */
  static async start(
    { folder, network, address }: { folder: string; network: VmNetwork; address: string },
  ): Promise<SignedUpstream> {
    const home = await Deno.makeTempDir({ dir: folder, prefix: "knot-" });
    const config = join(home, "knot.conf");
    await Deno.writeTextFile(config, configuration(home, address));
    const delegations: string[] = [];
    for (const { name, isSigned, lines } of ZONES) {
      await writeZone(home, name, lines);
      delegations.push(`${name}. NS ns.${name}.`);
      if (isSigned) delegations.push(await keyOf(config, `${name}.`));
    }
    const trustAnchor = await keyOf(config, ".");
    await writeZone(home, "", delegations);
    const [program, ...before] = network.beyond;
    const child = new Child(program, {
      cwd: home,
      logPath: join(home, "knot.log"),
      args: [...before, "knotd", "--config", config],
    });
    const knotc = ["knotc", "--socket", join(home, "knot.sock"), "zone-read", ".", "@", "RRSIG"];
    try {
      await child.until(
        async () => {
          const { code, stdout } = await new Deno.Command(knotc[0], { args: knotc.slice(1) })
            .output();
          return code === 0 && stdout.length > 0 || undefined;
        },
        "Knot has signed its zones",
        15_000,
      );
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
    return new SignedUpstream(child, trustAnchor);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

/** Makes a zone's key. @returns its DS record, for the parent */
async function keyOf(config: string, name: string): Promise<string> {
  await runToEnd("keymgr", [
    ...["--config", config, name, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes"],
  ]);
  const text = await runToEnd("keymgr", ["--config", config, name, "ds"]);
  return text.split("\n").find((line) => / DS \d+ \d+ 2 /.test(line))!.replace(" DS ", " IN DS ");
}

async function writeZone(home: string, name: string, lines: readonly string[]): Promise<void> {
  const suffix = name === "" ? "." : `.${name}.`;
  const head = [
    `$ORIGIN ${name}.`,
    "$TTL 300",
    `@ SOA ns${suffix} hostmaster${suffix} 1 7200 1800 86400 60`,
    `@ NS ns${suffix}`,
    `ns${suffix} A 192.0.2.53`,
  ];
  await Deno.writeTextFile(
    join(home, `${name || "root"}.zone`),
    [...head, ...lines, ""].join("\n"),
  );
}

function configuration(home: string, address: string): string {
  const zones = [{ name: "", isSigned: true }, ...ZONES].map(({ name, isSigned }) =>
    `  - domain: ${name}.\n    file: ${name || "root"}.zone\n` +
    (isSigned ? "    dnssec-signing: on\n    dnssec-policy: one-key\n" : "")
  );
  return `server:
  rundir: "${home}"
  listen: ${address}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: "${home}/knot.sock"
log:
  - target: stderr
    any: warning
database:
  storage: "${home}"
policy:
  - id: one-key
    algorithm: ECDSAP256SHA256
    single-type-signing: on
template:
  - id: default
    storage: "${home}"
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
    semantic-checks: off
zone:
${zones.join("")}`;
}
