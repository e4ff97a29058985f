/**
 * Names from static files: the hosts of a VM that needs no control plane, or has some beside it.
 *
 * @module
 */
import type { HostEntry } from "../names/host_entry.ts";
import { hostEntries, type HostEntriesOptions } from "../names/host_entries.ts";
import type { MeshObject } from "../names/mesh_object.ts";
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";

/**
 * Reads the hosts of manifests.
 *
 * @returns the hosts of all that is right; what is wrong, `FILE:LINE: what`; and what has no host
 */
export async function loadStaticNames(
  paths: readonly string[],
  options: HostEntriesOptions & { files: Pick<Files, "readText"> },
): Promise<{ entries: HostEntry[]; problems: string[]; notes: string[] }> {
  const objects: MeshObject[] = [];
  const problems: string[] = [];
  // Only where there are some: YAML and the schemas of the objects take 30 ms of the start.
  const { formatProblem, parseManifest } = await import("../names/manifest.ts");
  for (const path of paths) {
    try {
      const manifest = parseManifest(await options.files.readText(path), { file: path });
      objects.push(...manifest.objects);
      problems.push(...manifest.problems.map(formatProblem));
    } catch (error) {
      problems.push(`${path}: cannot be read: ${messageOf(error)}`);
    }
  }
  const { cluster } = options.viewer;
  const { entries, notes } = hostEntries([{ cluster, objects }], options);
  return { entries, problems, notes };
}
