import assert from "node:assert/strict";
import { SignedUpstream } from "./signed_upstream.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM } from "./vm_installation.ts";
import { dig, getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

/** Below a zone that is signed, where unsigned names are forged. */
const CLUSTER = "mesh.example.org";
const MESH = `productpage.ns1.svc.${CLUSTER}`;
const CONFIG = "node: { namespace: ns1 }\nnames: { files: [/opt/names.yaml] }\n";

/** What tells a systemd-resolved from the one after its restart. */
const start = (vm: VirtualMachine) =>
  vm.run(["systemctl", "show", "--property=InvocationID", "systemd-resolved"]);

/** A public name is found, and its signature good. */
async function publicNamesWork(vm: VirtualMachine): Promise<void> {
  assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
  const { data, flags } = await dig(vm, "www.example.org", { options: ["+adflag"] });
  assert.deepEqual({ data, ad: flags.includes("ad") }, { data: ["203.0.113.80"], ad: true });
}

for (const [release, suite] of [[12, "bookworm"], [13, "trixie"]] as const) {
  Deno.test(`outrigger install on a Debian ${release} whose systemd-resolved validates`, async (t) => {
    await using scene = await bareScene({ suite, extra: ["nftables"] });
    const { vm, network } = scene;
    await using upstream = await SignedUpstream.start({
      folder: vm.folder,
      network,
      address: "192.0.2.53@5300",
    });
    await bring(vm);
    await vm.writeFile("/etc/dnssec-trust-anchors.d/root.positive", `${upstream.trustAnchor}\n`);
    await vm.writeFile("/etc/systemd/resolved.conf.d/dnssec.conf", "[Resolve]\nDNSSEC=yes\n");
    await vm.run(["resolvectl", "dns", "eth0", "192.0.2.53:5300"]);
    await vm.run(["systemctl", "restart", "systemd-resolved"]);
    await vm.writeFile("/opt/signed.yaml", `${CONFIG}dns: { clusterDomain: ${CLUSTER} }\n`);
    const before = await filesOf(vm);
    await publicNamesWork(vm);

    await t.step("names of the mesh are believed, also in signed zones", async () => {
      await vm.run([PROGRAM, ...INSTALL]);
      assert.deepEqual(await getent(vm, "productpage.ns1.svc.cluster.local"), ["10.96.1.1"]);
      assert.deepEqual(await getent(vm, "bank.example.org"), ["192.0.2.99"]);
      await publicNamesWork(vm);
      await vm.run([BINARY, "uninstall", "--purge"]);
      assert.deepEqual(differences(before, await filesOf(vm)), []);
    });

    await t.step("a cluster domain that is not: refused, and lookups are as before", async () => {
      const { code, stderr } = await vm.attempt([
        PROGRAM,
        "install",
        "--config",
        "/opt/signed.yaml",
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /forged: svc\.mesh\.example\.org\. .*mesh\.negative.*DNSSEC=no/s);
      await publicNamesWork(vm);
      assert.deepEqual(await getent(vm, "bank.example.org", "ahostsv4"), ["203.0.113.99"]);
    });

    await t.step("it is not tried again before systemd-resolved is started anew", async () => {
      const before = await start(vm);
      assert.equal((await vm.attempt([BINARY, "capture", "up"])).code, 1);
      assert.equal(await start(vm), before);
      assert.match((await vm.attempt([BINARY, "capture", "status"])).stdout, /^refused: .*forged/m);
    });

    await t.step("exempt, as the refusal says, it is captured and believed", async () => {
      await vm.writeFile("/etc/dnssec-trust-anchors.d/mesh.negative", `${CLUSTER}\n`);
      await vm.run(["systemctl", "restart", "systemd-resolved"]);
      await vm.run([BINARY, "capture", "up"]);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
      assert.deepEqual(await getent(vm, "productpage"), ["10.96.1.1"]);
      await publicNamesWork(vm);
    });

    await t.step("exempt no more, lookups are given back at the next look", async () => {
      await vm.run(["rm", "/etc/dnssec-trust-anchors.d/mesh.negative"]);
      await vm.run(["systemctl", "restart", "systemd-resolved"]);
      assert.equal((await vm.attempt([BINARY, "capture", "up"])).code, 1);
      assert.deepEqual(await getent(vm, "bank.example.org", "ahostsv4"), ["203.0.113.99"]);
      await publicNamesWork(vm);
    });

    await t.step("and the machine as well", async () => {
      await vm.run([BINARY, "uninstall", "--purge"]);
      assert.deepEqual(differences(before, await filesOf(vm)), []);
      await publicNamesWork(vm);
    });
  });
}
