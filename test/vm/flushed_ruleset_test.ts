import assert from "node:assert/strict";
import { report } from "./report.ts";
import { BINARY, bring, INSTALL, PROGRAM, ruleset, withoutResolved } from "./vm_installation.ts";
import { dig, getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const UPLINK = "192.0.2.53";
/** What systemd-nftables, a restart of ufw and some firewalls' reloads do. */
const FLUSH = ["nft", "flush", "ruleset"];

Deno.test("a ruleset that another program flushed: lookups go on, and the capture is put back", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await bring(vm);
  await withoutResolved(vm);
  await vm.run([PROGRAM, ...INSTALL, "--capture", "nftables"]);
  const rules = await ruleset(vm);
  assert.match(rules, /^table inet outrigger/);
  // At the timer's next look, which here comes sooner than within a minute.
  await vm.writeFile(
    "/run/systemd/system/outrigger-capture.timer.d/sooner.conf",
    "[Timer]\nOnActiveSec=\nOnUnitInactiveSec=\nOnActiveSec=2s\nOnUnitInactiveSec=2s\nAccuracySec=100ms\n",
  );

  await t.step("by the timer", async () => {
    await vm.run(FLUSH);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    await vm.run(["systemctl", "daemon-reload"]);
    await vm.run(["systemctl", "restart", "outrigger-capture.timer"]);
    const startedMs = performance.now();
    await vm.until(async () => await ruleset(vm) === rules || undefined, "it is put back", 20_000);
    report("a flushed ruleset is put back", performance.now() - startedMs);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
  });

  await t.step("by hand, beside another program's table, which stays", async () => {
    await vm.run(["systemctl", "stop", "outrigger-capture.timer"]);
    await vm.run(FLUSH);
    await vm.run(["nft", "add", "table", "inet", "firewalld"]);
    assert.equal((await vm.attempt([BINARY, "capture", "status"])).code, 1);
    await vm.run([BINARY, "capture", "up"]);
    assert.deepEqual((await dig(vm, MESH, { server: UPLINK })).data, ["10.96.1.1"]);
    await vm.run([BINARY, "uninstall", "--purge"]);
    assert.match(await ruleset(vm), /^table inet firewalld \{\s*\}$/);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
  });
});
