import assert from "node:assert/strict";
import type { Finding } from "../../doctor/finding.ts";
import {
  type ContainerAnswers,
  ContainerEngine,
  ENGINE_PACKAGES,
  type EngineName,
} from "./container_engine.ts";
import { report } from "./report.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM, ruleset, withoutResolved } from "./vm_installation.ts";
import { getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const PUBLIC = "www.example.org";
const UPLINK = "192.0.2.53";
/** What a name is answered in each way. */
const all = (...addresses: string[]) => ({ glibc: addresses, tcp: addresses, busybox: addresses });
const [MESH_FOUND, PUBLIC_FOUND, NOTHING] = [all("10.96.1.1"), all("203.0.113.80"), all()];

interface Case {
  name: string;
  engine: EngineName;
  /** Makes the VM what it is; a Debian 12 with systemd-resolved unless given. */
  prepare?: (vm: VirtualMachine) => Promise<void>;
  captures: string;
  /** What is seen here alone: it takes its time, and depends on nothing that differs between the cases. */
  also?: "a later network" | "a dead agent";
  /** Whether nobody may join the first container on a network that its owner made. */
  isAlone?: boolean;
  /** What is known of the mesh without `--containers` on a network that its owner made; nothing unless given. */
  ownNetwork?: ContainerAnswers;
}

const cases: Case[] = [
  {
    name: "Docker, behind systemd-resolved",
    engine: "docker",
    captures: "resolved",
    also: "a later network",
    // Its own nameserver (127.0.0.11) asks 127.0.0.53, as the VM does.
    ownNetwork: MESH_FOUND,
  },
  {
    name: "Docker, beside a static resolv.conf",
    engine: "docker",
    prepare: withoutResolved,
    captures: "nftables",
    also: "a dead agent",
  },
  {
    name: "Podman, behind systemd-resolved",
    engine: "podman",
    captures: "resolved",
    // Its own nameserver, aardvark-dns 1.4, hangs once in twenty times that a container joins, with or
    // without outrigger. It asks as the VM does, and serves no TCP.
    isAlone: true,
    ownNetwork: { ...MESH_FOUND, tcp: [] },
  },
];

for (
  const { name, engine, prepare, captures, also, isAlone = false, ownNetwork = NOTHING } of cases
) {
  Deno.test(`outrigger install answers containers of ${name}`, async (t) => {
    await using scene = await bareScene({ extra: ENGINE_PACKAGES[engine], hasContainers: true });
    const { vm } = scene;
    await bring(vm);
    await prepare?.(vm);
    const containers = await ContainerEngine.prepare(vm, engine);
    await containers.run(["network", "create", "own"]);
    await containers.start("plain");
    await containers.start("one", "own");
    if (!isAlone) await containers.start("two", "own");
    const expect = (some: string[], name: string, answers: ContainerAnswers) =>
      Promise.all(
        some.map(async (container) =>
          assert.deepEqual(
            await containers.ask(container, name),
            answers,
            `${name} in ${container}`,
          )
        ),
      );
    const peer = isAlone ? "one.dns.podman" : "two";
    const peerFound = await containers.nslookup("one", [peer]);
    assert.equal(peerFound.length, 1);
    const olds = ["plain", "one"];
    const news = isAlone ? ["new"] : ["new", "new-own"];
    const before = await filesOf(vm);
    const rules = await ruleset(vm);

    await t.step("before: public names, and none of the mesh", async () => {
      assert.deepEqual(await containers.nameservers("plain"), [UPLINK]);
      await expect(olds, PUBLIC, PUBLIC_FOUND);
      await expect(olds, MESH, NOTHING);
    });

    await t.step("installed: public names in old containers and new ones", async () => {
      const said = await vm.run([PROGRAM, ...INSTALL]);
      assert.match(said, new RegExp(`its lookups go to the agent \\(${captures}\\)`));
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
      await containers.start("new");
      if (!isAlone) await containers.start("new-own", "own");
      assert.deepEqual(await containers.nameservers("new"), [UPLINK]);
      await expect([...olds, ...news], PUBLIC, PUBLIC_FOUND);
      await expect(["plain", "new"], MESH, NOTHING);
      await expect(["one", ...news.slice(1)], MESH, ownNetwork);
      const finding = (await findings(vm)).find(({ check }) => /^containers/.test(check))!;
      assert.equal(finding.result, "warning", finding.evidence);
      assert.match(finding.check.toLowerCase(), new RegExp(engine));
      assert.match(finding.remedy, /outrigger install --containers/);
    });

    await t.step("--containers: both, in each network, and containers by their names", async () => {
      await vm.run([PROGRAM, ...INSTALL, "--containers"]);
      await expect([...olds, ...news], MESH, MESH_FOUND);
      await expect([...olds, ...news], PUBLIC, PUBLIC_FOUND);
      assert.deepEqual(await containers.nslookup("one", [peer]), peerFound);
      assert.deepEqual(await containers.nslookup("one", [MESH, UPLINK]), ["10.96.1.1"]);
      assert.deepEqual(await wrong(vm), []);
    });

    if (also === "a later network") {
      await t.step("a nameserver that is a container itself is left alone", async () => {
        // Nobody serves there.
        const ask = ["-timeout=1", "-retry=1", MESH, ...peerFound];
        assert.deepEqual(await containers.nslookup("one", ask), []);
      });

      await t.step("a network that came later: public names, and a finding", async () => {
        await containers.run(["network", "create", "later"]);
        await containers.start("late", "later");
        await expect(["late"], PUBLIC, PUBLIC_FOUND);
        await expect(["late"], MESH, ownNetwork);
        assert.deepEqual(await wrong(vm), ["warning containers (networks)"]);
        await vm.run([BINARY, "install"]);
        await expect(["late"], MESH, MESH_FOUND);
        assert.deepEqual(await wrong(vm), []);
        await containers.run(["rm", "--force", "late"]);
        await containers.run(["network", "rm", "later"]);
      });
    }

    if (also === "a dead agent") {
      await t.step("an agent that is killed, and one that stays dead", async () => {
        await vm.run(["systemctl", "kill", "--signal=KILL", "outrigger.service"]);
        for (const container of ["plain", "one"]) {
          assert.deepEqual(await containers.getent(container, MESH), ["10.96.1.1"]);
        }
        await vm.run(["mv", BINARY, "/opt/whole"]);
        await vm.writeFile(BINARY, "#!/bin/sh\nexit 1\n");
        await vm.run(["chmod", "755", BINARY]);
        await vm.run(["systemctl", "restart", "--no-block", "outrigger.service"]);
        const [ofVm, ...ofContainers] = await Promise.all([
          longestOutage(vm, () => getent(vm, PUBLIC, "ahostsv4")),
          ...["plain", "one"].map((container) =>
            longestOutage(vm, () => containers.getent(container, PUBLIC))
          ),
        ]);
        report(`${name}: longest time without public DNS, the VM`, ofVm);
        report(`${name}: longest time without public DNS, containers`, Math.max(...ofContainers));
        assert.ok(Math.max(...ofContainers) < Math.max(ofVm, TRY_MS) + TRY_MS);
        await vm.run(["mv", "/opt/whole", BINARY]);
      });
    }

    await t.step("uninstalled: all as before, in containers that began meanwhile too", async () => {
      await vm.run([BINARY, "uninstall", "--purge"]);
      await expect([...olds, ...news], PUBLIC, PUBLIC_FOUND);
      await expect([...olds, ...news], MESH, NOTHING);
      await containers.run(["rm", "--force", ...news]);
      assert.equal(await ruleset(vm), rules);
      const own = /^\/var\/lib\/(docker|containerd|containers)\//;
      assert.deepEqual(
        differences(before, await filesOf(vm)).filter((line) => !own.test(line)),
        [],
      );
    });
  });
}

/** How long glibc waits before it asks again, in milliseconds. */
const TRY_MS = 5_000;

/** What the doctor says. */
async function findings(vm: VirtualMachine): Promise<Finding[]> {
  const { stdout } = await vm.attempt([BINARY, "doctor", "--json"]);
  return JSON.parse(stdout).findings;
}

/** What the doctor finds wrong. */
async function wrong(vm: VirtualMachine): Promise<string[]> {
  // Nothing leads to the addresses of this mesh.
  return (await findings(vm)).filter(({ check }) => check !== "routes")
    .filter(({ result }) => result === "failed" || result === "warning")
    .map(({ result, check }) => `${result} ${check}`);
}

/** The longest time in which no public name was found, in milliseconds, until the capture is gone. */
async function longestOutage(vm: VirtualMachine, ask: () => Promise<string[]>): Promise<number> {
  let lastMs = performance.now();
  let longestMs = 0;
  for (;;) {
    const { code } = await vm.attempt(["nft", "list", "table", "inet", "outrigger"]);
    const found = await ask();
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    if (found.length > 0) {
      lastMs = nowMs;
      if (code !== 0) return longestMs;
    }
  }
}
