/**
 * The real programs that tests run against, and the one that packages are made with, built from pinned Go
 * modules and kept outside the checkout (`$XDG_CACHE_HOME/outrigger/parts`). A part is built again when its
 * module's files change.
 *
 * usage: real_parts.ts [PART...]     builds them (all unless named) and prints where each is
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../tools/cache_folder.ts";

const here = import.meta.dirname!;

interface Part {
  /** Folder beside this file that holds its go.mod. */
  module: "coredns" | "istio" | "kubernetes" | "nfpm";
  /** Its main package. */
  package: string;
}

const PARTS = {
  coredns: { module: "coredns", package: "github.com/coredns/coredns" },
  istiod: { module: "istio", package: "istio.io/istio/pilot/cmd/pilot-discovery" },
  istioctl: { module: "istio", package: "istio.io/istio/istioctl/cmd/istioctl" },
  "istio-dns-server": { module: "istio", package: "./dns_server" },
  etcd: { module: "kubernetes", package: "go.etcd.io/etcd/server/v3" },
  "kube-apiserver": { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
  kubectl: { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kubectl" },
  nfpm: { module: "nfpm", package: "github.com/goreleaser/nfpm/v2/cmd/nfpm" },
} as const satisfies Record<string, Part>;

/** A part's name. */
export type PartName = keyof typeof PARTS;

/** Every part. */
export const PART_NAMES = Object.keys(PARTS) as PartName[];

/** Builds the parts that are missing, and says where each is. @throws when Go cannot build one */
export async function realParts<Name extends PartName>(
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const paths: [Name, string][] = [];
  for (const name of names) paths.push([name, await realPart(name)]);
  return Object.fromEntries(paths) as Record<Name, string>;
}

/** The folder of a module that a part is built from, for the files that come with its source. */
export async function sourceFolder(module: Part["module"], path: string): Promise<string> {
  await go(["mod", "download", path], module);
  return (await go(["list", "-mod=mod", "-m", "-f", "{{.Dir}}", path], module)).trim();
}

async function realPart(name: PartName): Promise<string> {
  const part = PARTS[name];
  const folder = join(cacheFolder("parts"), `${name}-${await fingerprint(part)}`);
  const path = join(folder, name);
  if (await Deno.stat(path).catch(() => undefined) !== undefined) return path;
  console.error(`building ${name} (${part.package}); this can take minutes, once`);
  const startedMs = performance.now();
  await Deno.mkdir(folder, { recursive: true });
  // Under another name until it is whole: an interrupted build leaves nothing that would be used.
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await go(
    ["build", "-buildvcs=false", "-ldflags=-s -w", "-o", unfinished, part.package],
    part.module,
  );
  await Deno.rename(unfinished, path);
  console.error(`built ${name} in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return path;
}

/** Of all that a part is made from: the pinned modules, and the sources that are the project's. */
async function fingerprint(part: Part): Promise<string> {
  const hash = createHash("sha256");
  const files = ["go.mod", "go.sum"];
  if (part.package.startsWith("./")) files.push(join(part.package, "main.go"));
  for (const file of files) hash.update(await Deno.readFile(join(here, part.module, file)));
  return hash.digest("hex").slice(0, 12);
}

async function go(args: string[], module: Part["module"]): Promise<string> {
  const command = new Deno.Command("go", {
    args,
    cwd: join(here, module),
    env: { CGO_ENABLED: "0" },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output().catch((cause) => {
    throw new Error("the real parts are built with Go 1.26 or later, which is not installed", {
      cause,
    });
  });
  const text = new TextDecoder();
  if (!success) throw new Error(`go ${args.join(" ")} failed:\n${text.decode(stderr)}`);
  return text.decode(stdout);
}

if (import.meta.main) {
  const unknown = Deno.args.filter((name) => !(name in PARTS));
  if (unknown.length > 0) {
    console.error(`no such part: ${unknown.join(", ")}; there are ${PART_NAMES.join(", ")}`);
    Deno.exit(2);
  }
  const names = Deno.args.length > 0 ? Deno.args as PartName[] : PART_NAMES;
  for (const [name, path] of Object.entries(await realParts(names))) console.log(name, path);
}
