/**
 * Packages of a program for Debian's and Red Hat's package managers. The same sources give the same octets:
 * all times are the commit's.
 *
 * @module
 */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import project from "../deno.json" with { type: "json" };
import { OLDEST_SYSTEMD } from "../installer/install_plan.ts";
import { CAPTURE_JOURNAL } from "../installer/journal.ts";
import { releaseProgram } from "../installer/undo_script.ts";
import { PACKAGE_LAYOUT } from "../systemd/layout.ts";
import { type UnitFile, unitsOf } from "../systemd/units.ts";
import { realParts } from "../test/parts/real_parts.ts";
import { runToEnd } from "../test/support/child_process.ts";

/** What packages are made of. */
export interface PackageOptions {
  /** Path of the program. */
  program: string;
  /** What it was built for, e.g. `x86_64-unknown-linux-gnu`. */
  target: string;
  /** Its version. */
  version: string;
  /** Path of the licences of all that is in it. */
  licences: string;
  /** The folder that they go into. */
  folder: string;
  /** How they are packed; `xz` unless given, which takes half a minute each. */
  compression?: "gzip" | "xz";
  /** Files for systemd, of which those below /usr are packed; this version's unless given. */
  units?: readonly UnitFile[];
}

/** A file of a package. */
interface PackagedFile {
  /** Where it belongs. */
  path: string;
  /** What it holds, or the path of the file that does. */
  content: { text: string | Uint8Array<ArrayBuffer> } | { file: string };
  /** Permission bits; 0o644 unless given. */
  mode?: number;
  /** The only kind of package that it is in. */
  only?: PackageKind;
}

/** What nfpm calls them. */
type PackageKind = "deb" | "rpm";

/** What each calls an architecture. */
const ARCHITECTURES: Readonly<Record<string, Record<PackageKind, string>>> = {
  "x86_64-unknown-linux-gnu": { deb: "amd64", rpm: "x86_64" },
  "aarch64-unknown-linux-gnu": { deb: "arm64", rpm: "aarch64" },
};

const MAINTAINER = "outrigger maintainers <outrigger@example.org>";
const DESCRIPTION = [
  "DNS proxy of a service mesh, for virtual machines",
  "Answers the names of a service mesh on a virtual machine, from a table that",
  "the control plane of the mesh pushes, and sends all other lookups on to the",
  "nameservers of the machine. The package changes nothing by itself:",
  "`outrigger install` makes the machine use it.",
].join("\n");

/** What it needs: the runtime glibc, units and scripts systemd. The rest is used where it is there. */
const DEPENDENCIES = {
  deb: {
    depends: ["libc6 (>= 2.27)", `systemd (>= ${OLDEST_SYSTEMD})`, "passwd"],
    recommends: ["iproute2", "nftables"],
  },
  rpm: {
    depends: ["glibc >= 2.27", `systemd >= ${OLDEST_SYSTEMD}`, "/usr/sbin/userdel"],
    recommends: ["iproute", "nftables"],
  },
};

const SCRIPTS = ["preinstall", "postinstall", "preremove", "postremove"];

/**
 * Makes both.
 *
 * @returns their names
 * @throws when Go is missing, which nfpm is built with, once, or nfpm fails
 */
export async function makePackages(options: PackageOptions): Promise<string[]> {
  const { nfpm } = await realParts(["nfpm"]);
  const work = await Deno.makeTempDir({ prefix: "outrigger-packages-" });
  try {
    const time = await sourceTime();
    const config = join(work, "nfpm.json");
    await Deno.writeTextFile(config, JSON.stringify(await nfpmConfig(options, { work, time })));
    const names = packageNames(options);
    for (const [packager, name] of Object.entries(names)) {
      const target = join(options.folder, name);
      await runToEnd(nfpm, [
        "package",
        "--config",
        config,
        "--packager",
        packager,
        "--target",
        target,
      ]);
    }
    return Object.values(names);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The names that each kind has by convention. */
export function packageNames(
  { target, version }: Pick<PackageOptions, "target" | "version">,
): Record<PackageKind, string> {
  const { deb, rpm } = ARCHITECTURES[target];
  return { deb: `outrigger_${version}_${deb}.deb`, rpm: `outrigger-${version}-1.${rpm}.rpm` };
}

/** The files of the packages. */
export function packagedFiles(
  { program, version, licences, units = unitsOf(PACKAGE_LAYOUT) }: PackageOptions,
  time: Date,
): PackagedFile[] {
  const doc = "/usr/share/doc/outrigger";
  return [
    { path: PACKAGE_LAYOUT.program, content: { file: program }, mode: 0o755 },
    {
      path: PACKAGE_LAYOUT.release,
      content: { text: releaseProgram(CAPTURE_JOURNAL) },
      mode: 0o755,
    },
    // Drop-ins are for `outrigger install`, which knows whether this machine needs them.
    ...units.filter(({ path }) => path.startsWith("/usr/"))
      .map(({ path, text }) => ({ path, content: { text } })),
    { path: `${doc}/copyright`, content: { file: licences }, only: "deb" },
    {
      path: `${doc}/changelog.gz`,
      content: { text: new Uint8Array(gzipSync(debianChangelog(version, time), { level: 9 })) },
      only: "deb",
    },
    {
      path: "/usr/share/licenses/outrigger/LICENSES.txt",
      content: { file: licences },
      only: "rpm",
    },
  ];
}

async function nfpmConfig(
  options: PackageOptions,
  { work, time }: { work: string; time: Date },
): Promise<unknown> {
  const { target, version, compression = "xz" } = options;
  const mtime = time.toISOString();
  const contents: unknown[] = [];
  for (const { path, content, mode = 0o644, only } of packagedFiles(options, time)) {
    const src = "file" in content ? content.file : join(work, `${contents.length}`);
    if ("text" in content) {
      const { text } = content;
      await Deno.writeFile(src, typeof text === "string" ? new TextEncoder().encode(text) : text);
    }
    const info = { mode, mtime, owner: "root", group: "root" };
    contents.push({ src, dst: path, file_info: info, ...(only && { packager: only }) });
  }
  // Folders of a package's own go with it; dpkg finds that out itself.
  for (const path of ["/usr/lib/outrigger", "/usr/share/licenses/outrigger"]) {
    const info = { mode: 0o755, mtime, owner: "root", group: "root" };
    contents.push({ dst: path, type: "dir", packager: "rpm", file_info: info });
  }
  const scripts = new URL("../distribution/package/", import.meta.url).pathname;
  return {
    name: "outrigger",
    arch: ARCHITECTURES[target].deb,
    platform: "linux",
    version,
    section: "net",
    priority: "optional",
    maintainer: MAINTAINER,
    description: DESCRIPTION,
    license: project.license,
    mtime,
    contents,
    scripts: Object.fromEntries(SCRIPTS.map((name) => [name, `${scripts}${name}.sh`])),
    overrides: DEPENDENCIES,
    deb: { compression },
    // Else it has the name of the machine that it was made on.
    rpm: { compression, buildhost: "localhost" },
  };
}

/** As Debian has it; what changed says the project's own. */
function debianChangelog(version: string, time: Date): string {
  const date = time.toUTCString().replace("GMT", "+0000");
  return `outrigger (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the sources.\n\n` +
    ` -- ${MAINTAINER}  ${date}\n`;
}

/** When the sources were last changed; for whoever has them without git, what is agreed on elsewhere. */
async function sourceTime(): Promise<Date> {
  const seconds = Deno.env.get("SOURCE_DATE_EPOCH") ??
    await runToEnd("git", ["log", "-1", "--format=%ct"]).catch(() => "0");
  return new Date(Number(seconds) * 1000);
}
