/**
 * A Debian that boots: made once with debootstrap, kept outside the checkout
 * (`$XDG_CACHE_HOME/outrigger/images`), and made again when the recipe changes. Never changed once it is
 * whole: VMs write to a layer of their own.
 *
 * usage: debian_image.ts [--without-resolved] [SUITE [PACKAGE…]]
 *
 * Makes it and prints where it is.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../tools/cache_folder.ts";
import { runToEnd } from "../support/child_process.ts";

/** The releases that are booted: systemd 247, 252 and 257; glibc 2.31, 2.36 and 2.41. */
export type Suite = "bullseye" | "bookworm" | "trixie";

/** Packages of releases after bullseye, whose systemd has them in itself. */
const RESOLVED_PACKAGES = ["systemd-resolved", "libnss-resolve"];

/** How an image differs from the plain one. */
export interface ImageOptions {
  /** Packages beside those that all images have. */
  extra?: readonly string[];
  /** Whether systemd-resolved is a package of it; resolvconf and openresolv cannot be beside it. */
  hasResolved?: boolean;
}

/** All that an image is made from: another recipe makes another image. */
const recipe = (suite: Suite, { extra = [], hasResolved = true }: ImageOptions) => ({
  suite,
  packages: [
    "systemd",
    "systemd-sysv",
    ...suite === "bullseye" || !hasResolved ? [] : RESOLVED_PACKAGES,
    "dbus",
    "iproute2",
    suite === "trixie" ? "bind9-dnsutils" : "dnsutils",
    "ca-certificates",
    "procps",
    ...extra,
  ],
  /** What would start by itself at some hour, in the middle of a measurement. */
  masked: [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
  ],
  files: { "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n", "etc/machine-id": "" },
  removed: ["var/cache/apt/archives", "var/lib/apt/lists"],
});

/**
 * The image's folder; made where it is missing.
 *
 * @throws when debootstrap is missing or fails
 */
export async function debianImage(
  suite: Suite = "bookworm",
  options: ImageOptions = {},
): Promise<string> {
  const made = recipe(suite, options);
  const fingerprint = createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 12);
  const folder = cacheFolder("images");
  const image = join(folder, `debian-${suite}-${fingerprint}`);
  if (await exists(image)) return image;
  console.error(`making a Debian image (${suite}); this takes about a minute, once`);
  const startedMs = performance.now();
  await Deno.mkdir(folder, { recursive: true });
  // Under another name until it is whole: an interrupted run leaves nothing that would be used.
  const unfinished = `${image}.${crypto.randomUUID()}`;
  try {
    await runToEnd("debootstrap", [
      ...["--variant=minbase", `--include=${made.packages.join(",")}`],
      ...[suite, unfinished],
    ]);
    await finish(unfinished, made);
    await Deno.rename(unfinished, image);
  } catch (error) {
    const log = await Deno.readTextFile(join(unfinished, "debootstrap/debootstrap.log"))
      .catch(() => "");
    console.error(log.split("\n").slice(-10).join("\n"));
    // One file system: debootstrap may have left /proc mounted in there.
    await runToEnd("rm", ["-rf", "--one-file-system", unfinished]);
    // Another run may have been the first.
    if (!await exists(image)) throw error;
  }
  console.error(`made it in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return image;
}

async function finish(
  image: string,
  { masked, files, removed }: ReturnType<typeof recipe>,
): Promise<void> {
  for (const unit of masked) {
    await Deno.symlink("/dev/null", join(image, "etc/systemd/system", unit));
  }
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(image, path), text);
  }
  for (const path of removed) await Deno.remove(join(image, path), { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).catch(() => undefined) !== undefined;
}

if (import.meta.main) {
  const [suite, ...extra] = Deno.args.filter((arg) => arg !== "--without-resolved");
  const hasResolved = !Deno.args.includes("--without-resolved");
  console.log(await debianImage(suite as Suite | undefined, { extra, hasResolved }));
}
