/**
 * A Debian that boots: made once with debootstrap, kept outside the checkout
 * (`$XDG_CACHE_HOME/outrigger/images`), and made again when the recipe changes. Never changed once it is
 * whole: VMs write to a layer of their own.
 *
 * usage: debian_image.ts     makes it and prints where it is
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../parts/cache_folder.ts";
import { runToEnd } from "../support/child_process.ts";

/** All that an image is made from: another recipe makes another image. */
const RECIPE = {
  suite: "bookworm",
  packages: [
    "systemd",
    "systemd-sysv",
    "systemd-resolved",
    "libnss-resolve",
    "dbus",
    "iproute2",
    "dnsutils",
    "ca-certificates",
    "procps",
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
};

/** The image's folder; made where it is missing. @throws when debootstrap is missing or fails */
export async function debianImage(): Promise<string> {
  const { suite, packages } = RECIPE;
  const fingerprint = createHash("sha256").update(JSON.stringify(RECIPE)).digest("hex").slice(
    0,
    12,
  );
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
      ...["--variant=minbase", `--include=${packages.join(",")}`],
      ...[suite, unfinished],
    ]);
    await finish(unfinished);
    await Deno.rename(unfinished, image);
  } catch (error) {
    // One file system: debootstrap may have left /proc mounted in there.
    await runToEnd("rm", ["-rf", "--one-file-system", unfinished]);
    // Another run may have been the first.
    if (!await exists(image)) throw error;
  }
  console.error(`made it in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return image;
}

async function finish(image: string): Promise<void> {
  for (const unit of RECIPE.masked) {
    await Deno.symlink("/dev/null", join(image, "etc/systemd/system", unit));
  }
  for (const [path, text] of Object.entries(RECIPE.files)) {
    await Deno.writeTextFile(join(image, path), text);
  }
  for (const path of RECIPE.removed) await Deno.remove(join(image, path), { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).catch(() => undefined) !== undefined;
}

if (import.meta.main) console.log(await debianImage());
