/**
 * The files of `names.files`, put in force.
 *
 * @module
 */
import type { Config } from "./config/config.ts";
import type { StatusProblem } from "./health/api.ts";
import { loadStaticNames } from "./mesh/static_names.ts";
import type { NameSources } from "./resolver/name_sources.ts";
import type { Files } from "./system/files.ts";
import type { Logger } from "./system/log.ts";

/**
 * Reads the files and puts their names in force; a file that is broken leaves those of before.
 *
 * @returns what is wrong
 */
export async function applyStaticNames(
  config: Config,
  { names, files, log }: { names: NameSources; files: Files; log: Logger },
): Promise<StatusProblem | undefined> {
  if (config.names.files.length === 0) {
    await names.replaceFiles(undefined);
    return undefined;
  }
  const { entries, problems, notes } = await loadStaticNames(config.names.files, {
    files,
    clusterDomain: config.dns.clusterDomain,
    viewer: config.node,
  });
  if (problems.length === 0 || !names.hasFiles) await names.replaceFiles(entries);
  for (const note of notes) log.info(note);
  if (problems.length === 0) return undefined;
  return {
    code: "NAMES_FILE_INVALID",
    message: problems.join("; "),
    remedy: "Correct the file and reload (systemctl reload outrigger, or kill -HUP).",
  };
}
