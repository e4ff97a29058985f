import assert from "node:assert/strict";
import { report } from "./report.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM, WITHOUT_RESOLVED } from "./vm_installation.ts";
import { getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const CUTS = 5;
/** What is cut, and about how long it takes, in milliseconds. */
const WORK = [`${BINARY} capture down`, `${BINARY} capture up`];
const WORK_MS = 1_500;

const SETUPS = {
  "a static resolv.conf": WITHOUT_RESOLVED,
  "systemd-resolved, and resolv.conf a link to its uplinks": `
    mkdir -p /etc/systemd/resolved.conf.d
    printf '[Resolve]\\nDNS=192.0.2.53\\n' >/etc/systemd/resolved.conf.d/own.conf
    systemctl restart systemd-resolved
    ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf`,
};

for (const [name, prepare] of Object.entries(SETUPS)) {
  Deno.test(`a power cut at any moment of a capture leaves a VM with DNS: ${name}`, async () => {
    await using scene = await bareScene({ extra: ["nftables"] });
    const { vm } = scene;
    await bring(vm);
    await vm.run(["sh", "-ec", prepare]);
    const before = await filesOf(vm);
    await vm.run([PROGRAM, ...INSTALL]);
    for (let cut = 0; cut < CUTS; cut++) {
      // Other moments in every run: what fails once is told.
      const ms = Math.round(Math.random() * WORK_MS);
      const work = vm.attempt(["sh", "-c", WORK.join("; ")]);
      await new Promise((resolve) => setTimeout(resolve, ms));
      const cutMs = performance.now();
      await vm.reboot({ powerCut: true });
      const bootMs = performance.now() - cutMs;
      await work;
      assert.deepEqual(
        await getent(vm, "www.example.org", "ahostsv4"),
        ["203.0.113.80"],
        `cut after ${ms} ms: ${await stateOf(vm)}`,
      );
      await vm.until(
        async () => (await getent(vm, MESH)).join() === "10.96.1.1" || undefined,
        `it captures again after a cut at ${ms} ms`,
        30_000,
      );
      report(`cut after ${ms} ms, and booted`, bootMs);
    }
    await vm.run([BINARY, "uninstall", "--purge"]);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
  });
}

/** What there is to see where a lookup failed. */
async function stateOf(vm: VirtualMachine): Promise<string> {
  const look = "ls -l /etc/resolv.conf*; cat /etc/resolv.conf; journalctl -b -u 'outrigger*' -n 40";
  return (await vm.attempt(["sh", "-c", look])).stdout;
}
