import assert from "node:assert/strict";
import { report } from "./report.ts";
import { dig, getent } from "./vm_lookups.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, PROGRAM, ruleset } from "./vm_installation.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";

Deno.test("outrigger install on a Debian 12 with systemd-resolved, and uninstall", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await bring(vm);
  const before = await filesOf(vm);
  const rules = await ruleset(vm);

  await t.step("a dry run shows the plan and changes nothing", async () => {
    const plan = await vm.run([PROGRAM, "install", "--config", "/opt/config.yaml", "--dry-run"]);
    assert.match(plan, /resolv\.conf is a link to its stub: systemd-resolved is asked/);
    assert.match(plan, /write \/run\/systemd\/resolved\.conf\.d\/zz-outrigger\.conf/);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
  });

  await t.step("install answers mesh names, and all others as before", async () => {
    const startedMs = performance.now();
    const said = await vm.run([PROGRAM, "install", "--config", "/opt/config.yaml"]);
    report("install", performance.now() - startedMs);
    assert.match(said, /its lookups go to the agent \(resolved\)/);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    assert.deepEqual(await getent(vm, "productpage"), ["10.96.1.1"]);
    assert.deepEqual(await getent(vm, "bank.example.org"), ["192.0.2.99"]);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    assert.deepEqual((await dig(vm, MESH)).data, ["10.96.1.1"]);
    assert.match(await vm.run([BINARY, "capture", "status"]), /^in force: resolved/);
  });

  await t.step("repeated, it changes nothing", async () => {
    const installed = await filesOf(vm);
    const again = await vm.run([PROGRAM, "install", "--config", "/opt/config.yaml"]);
    assert.match(again, /^Nothing to change: /);
    assert.match(await vm.run([BINARY, "capture", "up"]), /^nothing to change: /);
    assert.deepEqual(differences(installed, await filesOf(vm)), []);
  });

  await t.step("capture comes and goes alone", async () => {
    await vm.run([BINARY, "capture", "down"]);
    assert.deepEqual(await getent(vm, MESH), []);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    // Perhaps by the timer, meanwhile.
    assert.match(await vm.run([BINARY, "capture", "up"]), /lookups go to the agent/);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
  });

  await t.step("uninstall gives the machine back, but for user and state", async () => {
    const startedMs = performance.now();
    const said = await vm.run([BINARY, "uninstall"]);
    report("uninstall", performance.now() - startedMs);
    assert.match(said, /^The machine is as it was, but for the user outrigger/);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    assert.deepEqual(await getent(vm, MESH), []);
    const left = differences(before, await filesOf(vm)).map((line) => line.split(":")[0]);
    assert.deepEqual(left.filter((path) => !/^\/var\/(lib|cache)\/outrigger/.test(path)), [
      "/etc/group",
      "/etc/gshadow",
      "/etc/passwd",
      "/etc/shadow",
    ]);
  });

  await t.step("with --purge every byte, mode, owner and link is as before", async () => {
    await vm.run([PROGRAM, "install", "--config", "/opt/config.yaml"]);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    await vm.run([BINARY, "uninstall", "--purge"]);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
    assert.equal(await ruleset(vm), rules);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    assert.match(await vm.run([PROGRAM, "uninstall"]), /^Nothing to undo/);
  });
});
