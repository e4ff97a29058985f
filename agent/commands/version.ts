/**
 * `outrigger version`.
 *
 * @module
 */
import { BUILD_BASE, BUILD_COMMIT, BUILD_PACKAGES } from "../build_info.ts";
import { runtimeVersions } from "../system/process.ts";
import { VERSION } from "../version.ts";
import type { CommandContext } from "./command_context.ts";

/** Prints what this is and what it was made with. */
export function version(options: { json?: boolean }, context: CommandContext): number {
  const versions = {
    version: VERSION,
    commit: BUILD_COMMIT,
    base: BUILD_BASE,
    // Another base is nobody's who could vouch for it.
    release: BUILD_BASE === "deno" && !BUILD_COMMIT.endsWith("+changes"),
    ...runtimeVersions(),
    dependencies: BUILD_PACKAGES,
  };
  context.print(
    options.json
      ? `${JSON.stringify(versions, null, 2)}\n`
      : `outrigger ${VERSION} (commit ${BUILD_COMMIT}, Deno ${versions.deno}, V8 ${versions.v8})\n`,
  );
  return 0;
}
