import assert from "node:assert/strict";
import { askForCapture, CAPTURE_WANTED } from "./ask_for_capture.ts";
import type { FileFacts } from "./system/files.ts";

/** What was written, where the folder is there or not, and may be written or not. */
async function written(isInstalled: boolean, mayWrite = true): Promise<string[]> {
  const paths: string[] = [];
  await askForCapture({
    stat: () => Promise.resolve(isInstalled ? {} as FileFacts : undefined),
    writeAtomic(path) {
      paths.push(path);
      return mayWrite ? Promise.resolve() : Promise.reject(new Error("Permission denied"));
    },
  });
  return paths;
}

Deno.test("askForCapture() writes what the path unit watches, where outrigger is installed", async () => {
  const { UNITS } = await import("../systemd/units.ts");
  const { text } = UNITS.find(({ path }) => path.endsWith("/outrigger-capture.path"))!;
  assert.ok(text.includes(`PathChanged=${CAPTURE_WANTED}\n`));
  assert.deepEqual(await written(true), [CAPTURE_WANTED]);
  assert.deepEqual(await written(false), []);
});

Deno.test("askForCapture() fails nobody who may not ask", async () => {
  assert.deepEqual(await written(true, false), [CAPTURE_WANTED]);
});
