/**
 * The project's TypeScript files, for the tools that go through them.
 *
 * @module
 */
import { join } from "node:path";

/** Folders of the product, and those that only test or build it. */
export const FOLDERS = {
  product: ["agent", "control_plane", "distribution", "doctor", "installer", "systemd"],
  support: ["test", "tools"],
} as const;

/** The TypeScript files below folders, sorted. */
export async function typescriptFiles(folders: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const folder of folders) {
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) files.push(...await typescriptFiles([path]));
      else if (entry.name.endsWith(".ts")) files.push(path);
    }
  }
  return files.sort();
}
