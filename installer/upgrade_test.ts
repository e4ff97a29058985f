import assert from "node:assert/strict";
import { MemoryTree } from "../test/support/memory_tree.ts";
import { SeededRandom } from "../test/support/seeded_random.ts";
import { Upgrade } from "./upgrade.ts";
import {
  PREVIOUS_BINARY,
  ROLLBACK_SCRIPT,
  UPGRADE_DROP_IN,
  UPGRADE_FOLDER,
  type UpgradeChanges,
} from "./upgrade_plan.ts";

const BINARY = "/usr/local/bin/outrigger";
const UNIT = "/etc/systemd/system/outrigger.service";
const CHANGES: UpgradeChanges = {
  files: [{ path: UNIT, text: "new unit\n", mode: 0o644, before: "old unit\n" }],
  enabled: [],
  changesSockets: false,
};
const JOURNAL = {
  version: 1,
  finished: true,
  plan: [],
  entries: [{ key: "x", what: "x", onlyPurge: false }],
};

class Killed extends Error {}

/** A machine with an installation of it. */
class Vm {
  readonly tree = new MemoryTree({
    [BINARY]: "old",
    [UNIT]: "old unit\n",
    "/etc/group": "root:x:0:\n",
    "/run/systemd": undefined,
    "/var/lib/outrigger-install/journal.json": JSON.stringify(JOURNAL),
  });
  readonly ran: string[] = [];
  readonly upgrade: Upgrade;
  instructions = 0;
  killAt = Infinity;

  constructor() {
    this.tree.onInstruction = () => {
      if (this.instructions++ >= this.killAt) throw new Killed();
    };
    this.upgrade = new Upgrade({
      tree: this.tree,
      runProgram: async (command) => {
        await Promise.resolve();
        this.ran.push(command.join(" "));
        return { code: 0, stdout: "active\n", stderr: "" };
      },
    });
  }

  async run({ isConfirmed }: { isConfirmed: boolean }): Promise<void> {
    await this.upgrade.stage(new TextEncoder().encode("new"));
    await this.upgrade.swap(CHANGES, { from: "0.1.0", to: "0.2.0", onStep: () => {} });
    if (isConfirmed) await this.upgrade.confirm();
  }
}

Deno.test("Upgrade swaps program and units, keeps the old program, and is confirmed at last", async () => {
  const vm = new Vm();
  await vm.run({ isConfirmed: true });
  const { tree } = vm;
  assert.equal(tree.text(BINARY), "new");
  assert.equal(tree.text(PREVIOUS_BINARY), "old");
  assert.equal(tree.text(UNIT), "new unit\n");
  assert.equal(await tree.look(UPGRADE_FOLDER), undefined);
  assert.equal(tree.text(UPGRADE_DROP_IN), undefined);
  const journal = tree.text("/var/lib/outrigger-install/journal.json");
  for (const path of [PREVIOUS_BINARY, UNIT]) assert.ok(journal?.includes(path), path);
  const order = ["systemd-run", "stop outrigger-upgrade-deadline.timer"];
  assert.deepEqual(
    order.map((word) => vm.ran.findLastIndex((line) => line.includes(word))).toSorted((a, b) =>
      a - b
    ),
    order.map((word) => vm.ran.findLastIndex((line) => line.includes(word))),
  );
});

Deno.test("Upgrade again replaces what it kept", async () => {
  const vm = new Vm();
  await vm.run({ isConfirmed: true });
  await vm.run({ isConfirmed: true });
  assert.equal(vm.tree.text(PREVIOUS_BINARY), "new");
});

Deno.test("Upgrade interrupted at any instruction, also by a power cut, can be taken back", async () => {
  const whole = new Vm();
  await whole.run({ isConfirmed: false });
  const random = new SeededRandom(8);
  let takenBack = 0;
  for (let at = 0; at < whole.instructions; at++) {
    for (const power of ["on", "cut", "cut, some is kept"]) {
      const vm = new Vm();
      vm.killAt = at;
      await assert.rejects(vm.run({ isConfirmed: false }), Killed);
      if (power !== "on") {
        vm.tree.cutPower(power === "cut" ? undefined : () => random.uint16() % 2 === 0);
      }
      const what = `instruction ${at}, power ${power}`;
      const { tree } = vm;
      const script = tree.text(ROLLBACK_SCRIPT);
      if (script === undefined) {
        assert.deepEqual([tree.text(BINARY), tree.text(UNIT)], ["old", "old unit\n"], what);
      } else {
        takenBack++;
        assert.match(script, /^#!\/bin\/sh\n[^]*\nexit \$failed\n$/, what);
        assert.equal(tree.text(PREVIOUS_BINARY), "old", what);
      }
    }
  }
  assert.ok(takenBack > 0);
});

Deno.test("Upgrade that was not begun is not taken back", async () => {
  const vm = new Vm();
  assert.equal(await vm.upgrade.recover(), false);
  await vm.upgrade.rollBack({ changesSockets: false, isBroken: true });
  assert.deepEqual(vm.ran, []);
});
