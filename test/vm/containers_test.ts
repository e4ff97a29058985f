import assert from "node:assert/strict";
import { runToEnd } from "../support/child_process.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM, ruleset } from "./vm_installation.ts";
import { dig, getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
/** The nameserver that the container was given: one of the outside, as Docker gives. */
const UPLINK = "192.0.2.53";
/** From a socket that lives on, whose way the kernel remembers. */
const LIVE = ["-b", "172.17.0.2#40001"];
const BRIDGE = "172.17.0.1";

/** A bridge as Docker makes it, and behind it a network namespace in the place of a container. */
const PREPARE = `
  ip link add docker0 type bridge
  ip address add ${BRIDGE}/16 dev docker0
  ip netns add box
  ip link add veth0 type veth peer name eth0 netns box
  ip link set veth0 master docker0 up
  ip link set docker0 up
  ip -n box address add 172.17.0.2/16 dev eth0
  ip -n box link set lo up
  ip -n box link set eth0 up
  ip -n box route add default via ${BRIDGE}
  nft add table ip other
  nft 'add chain ip other nat { type nat hook postrouting priority 100; }'
  nft add rule ip other nat ip saddr 172.17.0.0/16 oifname eth0 masquerade`;

/** What a program in the container is answered. */
async function ask(vm: VirtualMachine, name: string, ...options: string[]): Promise<string> {
  const { stdout } = await vm.attempt([
    ...["ip", "netns", "exec", "box", "dig", `@${UPLINK}`, "+short", "+tries=1", "+time=3"],
    ...[...options, name],
  ]);
  return stdout.trim();
}

Deno.test("outrigger install --containers answers what comes from Docker's bridge", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm, network } = scene;
  await bring(vm);
  await runToEnd("nsenter", [`--net=${network.vm}`, "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  await vm.run(["sh", "-ec", PREPARE]);
  const before = await filesOf(vm);
  const rules = await ruleset(vm);
  assert.equal(await ask(vm, "www.example.org"), "203.0.113.80");
  assert.equal(await ask(vm, MESH), "");
  assert.equal(await ask(vm, MESH, ...LIVE), "");

  await t.step("mesh names and public ones, by UDP and TCP", async () => {
    await vm.run([PROGRAM, ...INSTALL, "--containers"]);
    assert.equal(await ask(vm, MESH), "10.96.1.1");
    assert.equal(await ask(vm, MESH, "+tcp"), "10.96.1.1");
    assert.equal(await ask(vm, MESH, ...LIVE), "10.96.1.1");
    assert.equal(await ask(vm, "www.example.org"), "203.0.113.80");
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
  });

  await t.step("nobody else may ask at the bridge's address", async () => {
    await vm.run(["ip", "-n", "box", "address", "add", "172.18.0.2/32", "dev", "lo"]);
    await vm.run(["ip", "route", "add", "172.18.0.2", "dev", "docker0"]);
    const { stdout } = await vm.attempt([
      ...["ip", "netns", "exec", "box", "dig", "-b", "172.18.0.2", `@${BRIDGE}`, "-p", "15053"],
      ...["+tries=1", "+time=3", MESH],
    ]);
    assert.match(stdout, /status: REFUSED/);
    assert.deepEqual((await dig(vm, MESH, { server: `${BRIDGE}:15053` })).data, ["10.96.1.1"]);
  });

  await t.step("the agent lives on without the bridge, and serves it when it is back", async () => {
    await vm.run(["ip", "link", "set", "docker0", "down"]);
    await vm.run(["ip", "address", "del", `${BRIDGE}/16`, "dev", "docker0"]);
    await vm.run(["systemctl", "restart", "outrigger.socket", "outrigger.service"]);
    await vm.run(["ip", "address", "add", `${BRIDGE}/16`, "dev", "docker0"]);
    await vm.run(["ip", "link", "set", "docker0", "up"]);
    await vm.run([BINARY, "capture", "up"]);
    await vm.until(
      async () => await ask(vm, MESH) === "10.96.1.1" || undefined,
      "the container is answered",
    );
  });

  await t.step("beside capture by nftables, in one table", async () => {
    await vm.run([PROGRAM, ...INSTALL, "--containers", "--capture", "nftables"]);
    assert.equal(await ask(vm, MESH), "10.96.1.1");
    assert.deepEqual((await dig(vm, MESH, { server: UPLINK })).data, ["10.96.1.1"]);
  });

  await t.step("uninstall: as before", async () => {
    assert.equal(await ask(vm, MESH, ...LIVE), "10.96.1.1");
    await vm.run([BINARY, "uninstall", "--purge"]);
    assert.equal(await ask(vm, MESH, ...LIVE), "");
    assert.equal(await ask(vm, MESH), "");
    assert.equal(await ask(vm, "www.example.org"), "203.0.113.80");
    assert.equal(await ruleset(vm), rules);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
  });
});
