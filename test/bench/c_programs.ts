/**
 * The C programs of the benchmark, compiled once and kept outside the checkout.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../tools/cache_folder.ts";
import { runToEnd } from "../support/child_process.ts";
import { requirePrograms } from "../support/required_programs.ts";

const here = import.meta.dirname!;

/** A program beside this file. */
export type CProgram = "floor" | "latency_probe" | "saturate";

/** Path of a program, which is compiled where its sources have changed. @throws without a compiler */
export async function cProgram(name: CProgram): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [`${name}.c`, "queries.h"]) hash.update(await Deno.readFile(join(here, file)));
  const path = join(cacheFolder("bench"), `${name}-${hash.digest("hex").slice(0, 12)}`);
  if (await Deno.stat(path).catch(() => undefined) !== undefined) return path;
  await requirePrograms([{ program: "cc", package: "gcc and libc6-dev" }]);
  await Deno.mkdir(cacheFolder("bench"), { recursive: true });
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await runToEnd("cc", ["-O2", "-Wall", "-Wextra", "-o", unfinished, join(here, `${name}.c`)]);
  await Deno.rename(unfinished, path);
  return path;
}
