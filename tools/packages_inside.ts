/**
 * The npm packages that the program consists of, beside its own sources.
 *
 * @module
 */
import { runToEnd } from "../test/support/child_process.ts";

/** An npm package in the binary. */
export interface PackageInside {
  /** E.g. `@grpc/grpc-js`. */
  readonly name: string;
  /** E.g. `1.14.7`. */
  readonly version: string;
  /** Where it lies on this machine. */
  readonly localPath: string;
}

/**
 * All that the program's modules lead to, by name; what the tests alone use is not among them.
 *
 * @throws when Deno cannot read the sources
 */
export async function packagesInside(): Promise<PackageInside[]> {
  const args = ["info", "--json", "agent/main.ts"];
  return packagesOf(JSON.parse(await runToEnd(Deno.execPath(), args, { env: { NO_COLOR: "1" } })));
}

/** What {@link packagesInside} reads of `deno info --json`. */
export interface ModuleGraph {
  /** Every module; those of npm say of which package. */
  readonly modules: readonly { readonly npmPackage?: string }[];
  /** Every package of the lock file, those that nothing leads to as well. */
  readonly npmPackages: Readonly<
    Record<string, PackageInside & { readonly dependencies: readonly string[] }>
  >;
}

/** The packages that modules belong to, and what those depend on. */
export function packagesOf({ modules, npmPackages }: ModuleGraph): PackageInside[] {
  const found = new Map<string, PackageInside>();
  const visit = (id: string) => {
    const { name, version, localPath, dependencies } = npmPackages[id];
    // Types are for the compiler alone.
    if (name.startsWith("@types/") || found.has(`${name}@${version}`)) return;
    found.set(`${name}@${version}`, { name, version, localPath });
    dependencies.forEach(visit);
  };
  for (const { npmPackage } of modules) if (npmPackage !== undefined) visit(npmPackage);
  return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([, inside]) => inside);
}
