import assert from "node:assert/strict";
import { report } from "./report.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import {
  BINARY,
  bring,
  INSTALL,
  PROGRAM,
  ruleset,
  STATIC,
  withoutResolved,
} from "./vm_installation.ts";
import { getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
/** When an installation is killed, in milliseconds after its start; undisturbed it takes some two seconds. */
const MOMENTS_MS = [100, 300, 500, 700, 900, 1_200, 1_600, 2_000, 2_500];

/** Public names work, and mesh names do not. */
async function hasItsOwnDns(vm: VirtualMachine): Promise<void> {
  assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
  assert.deepEqual(await getent(vm, MESH), []);
}

/** Waits until mesh names work. */
async function untilCaptured(vm: VirtualMachine, what: string): Promise<void> {
  const startedMs = performance.now();
  const check = async () => (await getent(vm, MESH)).join() === "10.96.1.1" || undefined;
  try {
    await vm.until(check, what, 40_000);
  } catch (cause) {
    const { stdout } = await vm.attempt([
      "journalctl",
      "--boot",
      "--unit=outrigger*",
      "--lines=60",
    ]);
    throw new Error(`${what}: not so\n${stdout}`, { cause });
  }
  report(what, performance.now() - startedMs);
}

Deno.test("an installation killed at any moment is undone, and one that loses its power goes on", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await bring(vm);
  await withoutResolved(vm);
  const before = await filesOf(vm);
  const rules = await ruleset(vm);

  for (const ms of MOMENTS_MS) {
    await t.step(`killed after ${ms} ms, then uninstalled`, async () => {
      await vm.attempt(["timeout", "--signal=KILL", `${ms / 1000}`, PROGRAM, ...INSTALL]);
      await vm.run([PROGRAM, "uninstall", "--purge"]);
      assert.deepEqual(differences(before, await filesOf(vm)), []);
      assert.equal(await ruleset(vm), rules);
      await hasItsOwnDns(vm);
    });
  }

  await t.step("killed twice, then installed", async () => {
    for (const ms of ["0.5", "0.9"]) {
      await vm.attempt(["timeout", "--signal=KILL", ms, PROGRAM, ...INSTALL]);
    }
    await vm.run([PROGRAM, ...INSTALL]);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
  });

  await t.step("a reboot, and a power cut: it serves again", async () => {
    await vm.reboot();
    await untilCaptured(vm, "after a reboot lookups go to the agent");
    await vm.reboot({ powerCut: true });
    await untilCaptured(vm, "after a power cut lookups go to the agent");
  });

  await t.step("a power cut, and a broken program: the machine has its own DNS", async () => {
    await vm.run(["mv", BINARY, "/opt/whole"]);
    await vm.writeFile(BINARY, "#!/bin/sh\nexit 1\n");
    await vm.run(["chmod", "755", BINARY]);
    await vm.reboot({ powerCut: true });
    assert.equal(await vm.run(["cat", "/etc/resolv.conf"]), STATIC);
    await hasItsOwnDns(vm);
  });

  await t.step("with a whole program lookups go to it again", async () => {
    await vm.run(["mv", "/opt/whole", BINARY]);
    await untilCaptured(vm, "a program that was mended serves");
  });

  await t.step("and it is given back", async () => {
    await vm.run([BINARY, "uninstall", "--purge"]);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
    await hasItsOwnDns(vm);
  });
});
