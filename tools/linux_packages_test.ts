import assert from "node:assert/strict";
import { unitsOf } from "../systemd/units.ts";
import { PACKAGE_LAYOUT } from "../systemd/layout.ts";
import { packagedFiles } from "./linux_packages.ts";

const OPTIONS = {
  program: "dist/outrigger",
  target: "x86_64-unknown-linux-gnu",
  version: "1.2.3",
  licences: "dist/LICENSES.txt",
  folder: "dist",
};

Deno.test("packagedFiles() holds program, release program and units, and nothing in /etc", () => {
  const files = packagedFiles(OPTIONS, new Date(0));
  const { program, release } = PACKAGE_LAYOUT;
  const units = unitsOf(PACKAGE_LAYOUT).filter(({ sinceSystemd }) => sinceSystemd === undefined);
  const docs = ["/usr/share/doc/outrigger/", "/usr/share/licenses/outrigger/"];
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => !docs.some((folder) => path.startsWith(folder))),
    [program, release, ...units.map(({ path }) => path)],
  );
  const programs = files.filter(({ mode }) => mode === 0o755).map(({ path }) => path);
  assert.deepEqual(programs, [program, release]);
  for (const { content } of files) {
    if ("text" in content) assert.ok(!`${content.text}`.includes("/usr/local/"));
  }
});

Deno.test("packagedFiles() brings the licences with both kinds, where each looks for them", () => {
  const licences = packagedFiles(OPTIONS, new Date(0))
    .filter(({ content }) => "file" in content && content.file === OPTIONS.licences);
  assert.deepEqual(licences.map(({ path, only }) => [path, only]), [
    ["/usr/share/doc/outrigger/copyright", "deb"],
    ["/usr/share/licenses/outrigger/LICENSES.txt", "rpm"],
  ]);
});
