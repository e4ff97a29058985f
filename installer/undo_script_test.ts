import assert from "node:assert/strict";
import { join } from "node:path";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { systemFileTree } from "../agent/system/file_tree.ts";
import { runProgramOfMachine } from "../agent/system/programs.ts";
import { Journal } from "./journal.ts";
import type { StepWorld } from "./step_actions.ts";
import type { Step } from "./steps.ts";

const OURS = "nameserver 127.0.0.15\n";
const BEFORE = "nameserver 192.0.2.53\n";

const rivals: [name: string, text: string | undefined, left: string][] = [
  ["nobody", undefined, BEFORE],
  ["a new lease", "nameserver 192.0.2.54\n", "nameserver 192.0.2.54\n"],
  ["an edit that leaves our line in", `${OURS}options rotate\n`, BEFORE],
];
for (const [name, text, left] of rivals) {
  for (const inPlace of [false, true]) {
    const how = `${inPlace ? "in place" : "replaced"}, then written by ${name}`;
    Deno.test(`undoScript() gives a resolv.conf back that was ${how}`, async () => {
      await using folder = await TemporaryDirectory.make();
      const path = (file: string) => join(folder.path, file);
      const world: StepWorld = {
        tree: systemFileTree,
        runProgram: runProgramOfMachine,
        awaitServing: () => Promise.resolve(),
        releaseCapture: () => Promise.resolve(),
      };
      await Deno.writeTextFile(path("resolv.conf"), BEFORE);
      await Deno.symlink("before", path("link"));
      const steps: Step[] = [
        { kind: "run", down: { command: ["tee", path("said")], input: "it's\n" }, why: "" },
        { kind: "run", down: { command: ["false"], onlyIf: ["test", "-e", "/no such"] }, why: "" },
        { kind: "make directory", path: path("made"), mode: 0o755, why: "" },
        { kind: "write file", path: path("made/new"), text: "new", mode: 0o644, why: "" },
        { kind: "make link", path: path("link"), target: "after", why: "" },
        {
          kind: "write file",
          path: path("resolv.conf"),
          text: OURS,
          mode: 0o644,
          nameserver: "127.0.0.15",
          ...(inPlace && { inPlace }),
          why: "",
        },
      ];
      // As root, which the owners of files are; the test's own user where it is another.
      const gid = Deno.gid() ?? 0;
      const uid = Deno.uid() ?? 0;
      const tree = { ...systemFileTree };
      tree.create = (file, content, ownership) =>
        systemFileTree.create(file, content, { ...ownership, uid, gid });
      tree.makeDirectory = (file, ownership) =>
        systemFileTree.makeDirectory(file, { ...ownership, uid, gid });
      const journal = await Journal.read(path("journal"), { ...world, tree }, { script: true });
      await journal.apply(steps);
      assert.equal(await Deno.readTextFile(path("resolv.conf")), OURS);
      assert.equal(await Deno.readLink(path("link")), "after");
      if (text !== undefined) await Deno.writeTextFile(path("resolv.conf"), text);
      for (let times = 0; times < 2; times++) {
        const { code, stderr } = await runProgramOfMachine(["sh", path("journal/undo.sh")]);
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
        assert.equal(await Deno.readTextFile(path("resolv.conf")), left);
        assert.equal(await Deno.readLink(path("link")), "before");
        assert.equal(await Deno.readTextFile(path("said")), "it's\n");
        assert.equal(await systemFileTree.look(path("made")), undefined);
        assert.equal(await systemFileTree.look(path("resolv.conf.before-outrigger")), undefined);
      }
      assert.deepEqual(await journal.undo({ purge: true }), []);
      assert.equal(await Deno.readTextFile(path("resolv.conf")), left);
      assert.equal(await systemFileTree.look(path("journal")), undefined);
    });
  }
}
