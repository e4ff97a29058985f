import assert from "node:assert/strict";
import { Journal } from "./journal.ts";
import type { ProgramResult } from "../agent/system/programs.ts";
import type { StepWorld } from "./step_actions.ts";
import type { Step } from "./steps.ts";
import { MemoryTree, type MemoryTreeStart } from "../test/support/memory_tree.ts";
import { SeededRandom } from "../test/support/seeded_random.ts";

const FOLDER = "/var/lib/journal";
const OURS = "search svc.cluster.local\nnameserver 127.0.0.15\n";
const BEFORE = "# by hand\nsearch corp.example\nnameserver 192.0.2.53\n";

const START: MemoryTreeStart = {
  "/etc/group": "root:x:0:\noutrigger:x:990:\n",
  "/etc/resolv.conf": BEFORE,
  "/etc/linked.conf": "-> ../run/linked",
  "/etc/bound.conf": "before\n",
  "/opt/outrigger": "a program",
  "/usr/local/bin": undefined,
  "/var/lib": undefined,
};

/** One step of each kind. */
const STEPS: Step[] = ([
  { kind: "make directory", path: "/etc/outrigger", mode: 0o750, group: "outrigger" },
  { kind: "copy file", from: "/opt/outrigger", path: "/usr/local/bin/outrigger", mode: 0o755 },
  {
    kind: "write file",
    path: "/etc/outrigger/config.yaml",
    text: "a: 1\n",
    mode: 0o640,
    group: "outrigger",
  },
  { kind: "own tree", path: "/var/lib/state", onlyPurge: true },
  { kind: "run", down: { command: ["reload"] } },
  { kind: "release capture" },
  { kind: "make directory", path: "/run/conf.d", mode: 0o755 },
  { kind: "write file", path: "/run/conf.d/ours.conf", text: "ours\n", mode: 0o644 },
  { kind: "run", up: { command: ["reload"] }, afterChange: true },
  {
    kind: "run",
    up: { command: ["enable"] },
    down: { command: ["disable"] },
    unless: ["is-enabled"],
  },
  { kind: "await serving" },
  { kind: "make link", path: "/etc/linked.conf", target: "../run/other" },
  {
    kind: "write file",
    path: "/etc/resolv.conf",
    text: OURS,
    mode: 0o644,
    nameserver: "127.0.0.15",
  },
  { kind: "write file", path: "/etc/bound.conf", text: "ours\n", mode: 0o644, inPlace: true },
  { kind: "write file", path: "/etc/new.conf", text: "new\n", mode: 0o600 },
] as (Omit<Step, "why">)[]).map((step) => ({ ...step, why: "" }) as Step);

class Killed extends Error {}

/** A VM: what its programs hold in memory is lost with its power. */
class Vm {
  readonly tree = new MemoryTree(START);
  instructions = 0;
  killAt = Infinity;
  #loaded: string | undefined;
  readonly #world: StepWorld;

  constructor() {
    this.tree.onInstruction = () => this.#tick();
    this.#world = {
      tree: this.tree,
      runProgram: ([program]) => this.#run(program),
      awaitServing: () => Promise.resolve(),
      releaseCapture: async () => void await this.#run("release"),
    };
  }

  #tick() {
    if (this.instructions++ >= this.killAt) throw new Killed();
  }

  async #run(program: string): Promise<ProgramResult> {
    await Promise.resolve();
    const result = (code: number) => ({ code, stdout: "", stderr: "" });
    if (program === "is-enabled") {
      return result(this.tree.text("/etc/enabled") === undefined ? 1 : 0);
    }
    this.#tick();
    if (program === "reload") this.#loaded = this.tree.text("/run/conf.d/ours.conf");
    if (program === "enable") this.tree.put("/etc/enabled", "yes");
    if (program === "disable") this.tree.drop("/etc/enabled");
    if (program === "broken") return result(1);
    return result(0);
  }

  async apply(steps = STEPS): Promise<Step[]> {
    const { changed } = await (await Journal.read(FOLDER, this.#world)).apply(steps);
    // The service does this.
    if (this.tree.text("/var/lib/state/table") === undefined) {
      this.tree.put("/var/lib/state/table", "t");
    }
    return changed;
  }

  async holds(steps = STEPS): Promise<boolean> {
    return await (await Journal.read(FOLDER, this.#world)).holds(steps);
  }

  async undo({ purge = true } = {}): Promise<string[]> {
    return await (await Journal.read(FOLDER, this.#world)).undo({ purge });
  }

  cutPower(loses?: () => boolean) {
    this.tree.cutPower(loses);
    this.#loaded = undefined;
  }

  state() {
    return { files: this.tree.snapshot(), loaded: this.#loaded };
  }

  /** Without the marks of single files, which each making of a file makes anew, and the journal. */
  effect() {
    const files = Object.entries(this.tree.snapshot())
      .filter(([path]) => !path.startsWith(FOLDER))
      .map(([path, text]) => [path, text.replace(/^(\w+ \d+ \d+:\d+) file \d+/, "$1")]);
    return { files: Object.fromEntries(files), loaded: this.#loaded };
  }

  /** Does something and is killed at an instruction; false where it came to its end before. */
  async killed(instruction: number, what: () => Promise<unknown>): Promise<boolean> {
    this.killAt = this.instructions + instruction;
    try {
      await what();
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return true;
    } finally {
      this.killAt = Infinity;
    }
  }
}

const untouched = new Vm().state();
const whole = new Vm();
await whole.apply();

Deno.test("Journal.apply() changes what it says, and nothing when repeated", async () => {
  const vm = new Vm();
  assert.equal(await vm.holds(), false);
  const changed = await vm.apply();
  assert.equal(changed.length, STEPS.length - 3, "all that have something to do");
  assert.equal(vm.tree.text("/etc/resolv.conf"), OURS);
  assert.equal(vm.state().loaded, "ours\n");
  assert.match(vm.state().files["/etc/outrigger/config.yaml"], /^file 640 0:990/);
  assert.equal(await vm.holds(), true);
  const before = vm.state();
  const { instructions } = vm;
  assert.deepEqual(await vm.apply(), []);
  assert.deepEqual(vm.state(), before);
  assert.equal(vm.instructions, instructions);
});

Deno.test("Journal.undo() gives back every byte, mode, owner, link and file as it was", async () => {
  const vm = new Vm();
  await vm.apply();
  assert.deepEqual(await vm.undo(), []);
  assert.deepEqual(vm.state(), untouched);
});

Deno.test("Journal.undo() keeps what waits for a purge, and finishes it later", async () => {
  const vm = new Vm();
  await vm.apply();
  await vm.undo({ purge: false });
  assert.equal(vm.tree.text("/var/lib/state/table"), "t");
  assert.equal(vm.tree.text("/etc/resolv.conf"), BEFORE);
  await vm.apply();
  assert.deepEqual(vm.effect(), whole.effect());
  await vm.undo({ purge: false });
  await vm.undo();
  assert.deepEqual(vm.state(), untouched);
});

const crashes: [name: string, cut: (vm: Vm, random: () => number) => void][] = [
  ["killed", () => {}],
  ["without power, all that was not synced lost", (vm) => vm.cutPower()],
  ["without power, some of it lost", (vm, random) => vm.cutPower(() => random() < 0.5)],
];
const recoveries: [name: string, recover: (vm: Vm) => Promise<unknown>, expected: unknown][] = [
  ["an uninstall", (vm) => vm.undo(), untouched],
  ["an install", (vm) => vm.apply(), whole.effect()],
  ["an uninstall and an install", async (vm) => {
    await vm.undo();
    await vm.apply();
  }, whole.effect()],
];
for (const [how, cut] of crashes) {
  for (const [what, recover, expected] of recoveries) {
    Deno.test(`${how} at any instruction, ${what} ends in a whole state`, async () => {
      const random = new SeededRandom(7);
      const number = () => random.fraction();
      for (const act of ["apply", "undo"] as const) {
        for (let at = 0;; at++) {
          const vm = new Vm();
          if (act === "undo") await vm.apply();
          if (!await vm.killed(at, () => vm[act]())) break;
          cut(vm, number);
          // Now and then it happens again.
          if (number() < 0.5) {
            if (await vm.killed(Math.floor(number() * 40), () => recover(vm))) cut(vm, number);
          }
          await recover(vm);
          const actual = expected === untouched ? vm.state() : vm.effect();
          assert.deepEqual(actual, expected, `${act}, instruction ${at}`);
          await vm.undo();
          assert.deepEqual(vm.state(), untouched, `${act}, instruction ${at}, then an uninstall`);
        }
      }
    });
  }
}

const DHCP = "# by dhclient\nnameserver 192.0.2.54\n";
const rivals: [name: string, act: (tree: MemoryTree) => void, left: string | undefined][] = [
  ["a new lease", (tree) => tree.put("/etc/resolv.conf", DHCP), DHCP],
  ["a new lease, in place", (tree) => tree.write("/etc/resolv.conf", DHCP), DHCP],
  [
    "a link",
    (tree) => tree.put("/etc/resolv.conf", "-> ../run/managed"),
    undefined,
  ],
  [
    "an edit that leaves our line in",
    (tree) => tree.write("/etc/resolv.conf", `${OURS}options timeout:1\n`),
    "search svc.cluster.local\nnameserver 192.0.2.53\noptions timeout:1\n",
  ],
  [
    "a client that puts its own servers behind ours",
    (tree) => tree.put("/etc/resolv.conf", "nameserver 127.0.0.15\nnameserver 192.0.2.53\n"),
    "nameserver 192.0.2.53\n",
  ],
];
for (const [name, act, left] of rivals) {
  Deno.test(`Journal.undo() leaves what another program wrote: ${name}`, async () => {
    const vm = new Vm();
    await vm.apply();
    act(vm.tree);
    assert.equal(await vm.holds(), false);
    assert.deepEqual(await vm.undo(), []);
    assert.equal(vm.tree.text("/etc/resolv.conf"), left);
    assert.equal(await vm.tree.look("/etc/resolv.conf.before-outrigger"), undefined);
  });
}

Deno.test("Journal.apply() puts ours back over another program's, and undo() gives back the latter", async () => {
  const vm = new Vm();
  await vm.apply();
  vm.tree.put("/etc/resolv.conf", DHCP);
  assert.deepEqual((await vm.apply()).map(({ kind }) => kind), ["write file"]);
  assert.equal(vm.tree.text("/etc/resolv.conf"), OURS);
  await vm.undo();
  assert.equal(vm.tree.text("/etc/resolv.conf"), DHCP);
});

Deno.test("Journal.apply() of another text keeps the file of before both", async () => {
  const vm = new Vm();
  await vm.apply();
  const other = STEPS.map((step) =>
    step.kind === "write file" ? { ...step, text: `${step.text}# more\n` } : step
  );
  assert.equal(await vm.holds(other), false);
  await vm.apply(other);
  assert.equal(vm.tree.text("/etc/resolv.conf"), `${OURS}# more\n`);
  assert.equal(vm.state().loaded, "ours\n# more\n");
  await vm.undo();
  assert.deepEqual(vm.state(), untouched);
});

Deno.test("Journal.undo() goes on after what fails, and tries that again", async () => {
  const vm = new Vm();
  const broken: Step = { kind: "run", down: { command: ["broken"] }, why: "" };
  await vm.apply([STEPS[0], broken, STEPS[2]]);
  assert.deepEqual(await vm.undo(), ['Run "broken": exit code 1']);
  assert.equal(await vm.tree.look("/etc/outrigger"), undefined);
  assert.equal((await vm.undo()).length, 1);
});

Deno.test("Journal.read() refuses a damaged journal", async () => {
  const vm = new Vm();
  vm.tree.put(`${FOLDER}/journal.json`, "{");
  await assert.rejects(vm.undo(), { code: "JOURNAL_DAMAGED" });
});
