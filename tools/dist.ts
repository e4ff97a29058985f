/**
 * `deno task dist`: builds for every architecture, and puts all into dist/ that is handed out: binaries, the
 * same packed, what is in them, under which terms, how to install them, and the sums of all of it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import project from "../deno.json" with { type: "json" };
import { licenceOf, licenceText } from "./licences.ts";
import { packagesInside } from "./packages_inside.ts";
import { sbom } from "./sbom.ts";

/** Names of what is handed out by what is built. Without Deno's own download there may be no base for all. */
const TARGETS = {
  "x86_64-unknown-linux-gnu": "outrigger-linux-x64",
  "aarch64-unknown-linux-gnu": "outrigger-linux-arm64",
};
/** Most that a binary may take, as it is and packed. */
const LIMIT_OCTETS = { binary: 100e6, packed: 30e6 };
/** What the last release took; changed by hand with each. */
const LAST: Readonly<Record<string, number>> = JSON.parse(
  await Deno.readTextFile("tools/last_release.json"),
);

await Deno.remove("dist", { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
const names: string[] = [];
const missing: string[] = [];
for (const [target, name] of Object.entries(TARGETS)) {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tools/build.ts", `--target=${target}`],
  }).spawn().status;
  if (!success) {
    missing.push(name);
    continue;
  }
  await Deno.rename("dist/outrigger", `dist/${name}`);
  // One thread: with several, the same octets are packed differently on other machines.
  await run("xz", "--keep", "--threads=1", "-9", `dist/${name}`);
  names.push(name, `${name}.xz`);
}
if (names.length === 0) throw new Error("Nothing was built");

const packages = await Promise.all(
  (await packagesInside()).map(async (inside) => ({ ...inside, licence: await licenceOf(inside) })),
);
await Deno.writeTextFile(
  "dist/sbom.cdx.json",
  sbom({ version: project.version, licence: project.license }, packages),
);
await Deno.writeTextFile(
  "dist/LICENSES.txt",
  licenceText(await Deno.readTextFile("LICENSE"), packages),
);
names.push("sbom.cdx.json", "LICENSES.txt");
try {
  await Deno.copyFile("distribution/install.sh", "dist/install.sh");
  names.push("install.sh");
} catch (error) {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  missing.push("install.sh");
}

const sums: string[] = [];
for (const name of names) {
  const octets = await Deno.readFile(`dist/${name}`);
  sums.push(`${createHash("sha256").update(octets).digest("hex")}  ${name}\n`);
  report(name, octets.length);
}
await Deno.writeTextFile("dist/SHA256SUMS", sums.join(""));
if (missing.length > 0) console.log(`Not for release: without ${missing.join(", ")}`);

function report(name: string, octets: number): void {
  const megabytes = (count: number) => `${(count / 1e6).toFixed(2)} MB`;
  const difference = LAST[name] === undefined
    ? "not in the last release"
    : `${octets < LAST[name] ? "" : "+"}${megabytes(octets - LAST[name])} since the last release`;
  const isProgram = name.startsWith("outrigger-");
  const limit = name.endsWith(".xz") ? LIMIT_OCTETS.packed : LIMIT_OCTETS.binary;
  const tooLarge = isProgram && octets > limit ? `, above the limit of ${megabytes(limit)}` : "";
  console.log(`dist/${name}: ${megabytes(octets)}, ${difference}${tooLarge}`);
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}
