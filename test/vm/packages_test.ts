import assert from "node:assert/strict";
import { PACKAGE_LAYOUT } from "../../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT } from "../../systemd/units.ts";
import { markedCommands } from "../support/readme_commands.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import type { Suite } from "./debian_image.ts";
import { CAPTURED, FREE, PackagedVm } from "./packaged_vm.ts";
import { report } from "./report.ts";
import { filesOf } from "./vm_files.ts";
import { BINARY as OWN_BINARY, INSTALL, PROGRAM, withoutResolved } from "./vm_installation.ts";
import { makeFirst, makeTestPackages, type TestPackages } from "./vm_packages.ts";
import { bareScene } from "./vm_scene.ts";

const BINARY = PACKAGE_LAYOUT.program;

Deno.test("packages of outrigger: installed, upgraded, removed and purged", async (t) => {
  await using packages = await makeTestPackages();
  await t.step("the same sources give the same octets", () => makeAgain(packages));
  await t.step("by apt on Debian 12 with a static resolv.conf", (t) => runDeb(t, packages));
  // systemd 247 and 257: without systemd-resolved, and with a drop-in that only later versions know.
  for (const suite of ["bullseye", "trixie"] satisfies Suite[]) {
    await t.step(`by dpkg on Debian ${suite}`, () => runShortly(suite, packages));
  }
  await t.step("by dpkg, enabled by hand", () => runByHand(packages));
  await t.step("by rpm", (t) => runRpm(t, packages));
});

async function makeAgain(packages: TestPackages): Promise<void> {
  await using again = await TemporaryDirectory.make();
  assert.deepEqual(await makeFirst(again.path), packages.first);
  for (const name of packages.first) {
    const [one, other] = await Promise.all(
      [packages.folder, again.path].map((folder) => Deno.readFile(`${folder}/${name}`)),
    );
    assert.ok(one.length === other.length && one.every((octet, at) => octet === other[at]), name);
  }
}

/** A step that starts from what the one before left. */
async function stepOf(t: Deno.TestContext, name: string, act: () => Promise<void>): Promise<void> {
  if (!await t.step(name, act)) throw new Error(`"${name}" failed`);
}

async function runDeb(t: Deno.TestContext, packages: TestPackages): Promise<void> {
  const step = (name: string, act: () => Promise<void>) => stepOf(t, name, act);
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await withoutResolved(vm);
  await vm.writeFile("/etc/apt/apt.conf.d/yes", 'APT::Get::Assume-Yes "true";\n');
  const packaged = await PackagedVm.prepare(scene, { packages, manager: "apt" });
  const before = await filesOf(vm);

  await step("the package starts nothing, and says how to go on", async () => {
    const { code, stdout, stderr } = await packaged.install("first");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /nothing uses it yet.*\n {2}outrigger install /);
    assert.equal(await packaged.units(), "");
    assert.deepEqual(await packaged.lookups(), FREE);
    assert.match(await vm.run(["id", "outrigger"]), /^uid=/);
  });

  await step("install does what the package leaves to it, and no other program may", async () => {
    const files = await filesOf(vm);
    const other = await vm.attempt([PROGRAM, ...INSTALL]);
    assert.match(other.stderr, /A package brought outrigger.*run \/usr\/bin\/outrigger install/);
    await vm.writeFile("/run/install.sh", await Deno.readTextFile("distribution/install.sh"));
    const script = await vm.attempt(["sh", "/run/install.sh", "--url", "https://cp.example.org"]);
    assert.match(script.stderr, /a package brought outrigger to this machine/);
    const plan = await vm.run(["outrigger", ...INSTALL, "--dry-run"]);
    assert.doesNotMatch(plan, /copy |write \/usr|\/usr\/local/);
    const upgrade = await vm.attempt(["outrigger", "upgrade", PROGRAM]);
    assert.match(upgrade.stderr, /`apt install \.\/outrigger_VERSION_ARCH\.deb`/);
    assert.deepEqual([await packaged.changesSince(files), other.code, upgrade.code], [[], 1, 1]);
    await vm.run(["outrigger", ...INSTALL]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
    assert.match(await vm.run(["outrigger", ...INSTALL]), /^Nothing to change/);
  });

  await step("after a boot it is as before", async () => {
    await vm.reboot();
    await packaged.untilCaptured("lookups go to the agent after a boot");
  });

  await step("an upgrade under load loses no query", () => packaged.upgradeUnderLoad());

  await step("other sockets are told of, and those of before serve on", async () => {
    const { code, stdout } = await packaged.install("otherSockets");
    assert.equal(code, 0);
    assert.match(stdout, /has other sockets.*\n {2}systemctl stop/);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
    const [, commands] = /or:\n(.*\n.*)\n/.exec(stdout)!;
    await vm.run(["sh", "-c", commands]);
    await packaged.untilCaptured("lookups go to the agent by the other sockets");
  });

  await step("removed, the VM has its own DNS, and keeps configuration and state", async () => {
    await packaged.remove();
    assert.deepEqual(await packaged.lookups(), FREE);
    assert.equal(await packaged.units(), "");
    const left = (await packaged.changesSince(before)).map((line) => line.split(":")[0]);
    assert.deepEqual(left.filter((path) => !path.startsWith("/var/lib/outrigger")), [
      "/etc/group",
      "/etc/gshadow",
      "/etc/outrigger",
      "/etc/outrigger/config.yaml",
      "/etc/passwd",
      "/etc/shadow",
    ]);
  });

  await step("installed again, it goes on with them", async () => {
    await packaged.install("next");
    await vm.run(["outrigger", "install"]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
  });

  await step("what a version has in /etc is told of, and left to install", async () => {
    await vm.run(["rm", PORT_53_UNIT.path]);
    const { stdout } = await packaged.install("otherSockets");
    assert.match(stdout, /other files in \/etc\/systemd, which `outrigger install` puts there/);
    await vm.run(["outrigger", "install"]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
  });

  await step("a good version takes over at once from one that was given up", async () => {
    await vm.writeFile(BINARY, "#!/bin/sh\nexit 1\n");
    await vm.run(["chmod", "755", BINARY]);
    await vm.attempt(["systemctl", "restart", "outrigger.service"]);
    const retry = ["systemctl", "is-active", "--quiet", "outrigger-retry.timer"];
    const isGivenUp = async () => (await vm.attempt(retry)).code === 0 || undefined;
    await vm.until(isGivenUp, "the broken version is given up", 30_000);
    await packaged.install("first");
    const startedMs = performance.now();
    await packaged.untilCaptured("a good version takes over");
    report("lookups go to the good version", performance.now() - startedMs);
  });

  await step("a broken program is removed, and the VM has its own DNS all the same", async () => {
    for (const script of ["exit 1", "exec sleep infinity"]) {
      await vm.run(["mv", BINARY, "/opt/whole"]);
      await vm.writeFile(BINARY, `#!/bin/sh\n${script}\n`);
      await vm.run(["chmod", "755", BINARY]);
      await packaged.remove();
      assert.deepEqual(await packaged.lookups(), FREE, script);
      assert.equal(await packaged.units(), "", script);
      await packaged.install("first");
      await vm.run(["outrigger", "install"]);
      assert.deepEqual(await packaged.lookups(), CAPTURED, script);
    }
  });

  await step("purged, every byte, mode, owner and link is as before", async () => {
    await vm.run(["rm", "-f", "/opt/whole"]);
    for (const command of markedCommands("remove_package")) {
      await vm.run(["sh", "-c", command]);
      assert.deepEqual(await packaged.lookups(), FREE, command);
    }
    assert.deepEqual(await packaged.changesSince(before), []);
  });

  await step("one that installed itself keeps a package out, and says how to go over", async () => {
    await vm.run([PROGRAM, ...INSTALL]);
    const installed = await filesOf(vm);
    const { code, stdout, stderr } = await packaged.install("first");
    assert.notEqual(code, 0);
    assert.deepEqual(await packaged.changesSince(installed), []);
    const [, first, second] = /again:\n {2}(.*)\n.*and:\n {2}(.*)\n/.exec(stdout + stderr)!;
    assert.match(first, new RegExp(OWN_BINARY));
    await vm.run(["sh", "-c", first]);
    assert.deepEqual(await packaged.lookups(), FREE);
    assert.equal((await packaged.install("first")).code, 0);
    await vm.run(["sh", "-c", second]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
    await vm.run(["sh", "-c", "apt-get purge outrigger && rm -r /etc/outrigger.kept"]);
    assert.deepEqual(await packaged.changesSince(before), []);
  });
}

async function runShortly(suite: Suite, packages: TestPackages): Promise<void> {
  await using scene = await bareScene({ suite, extra: ["nftables"] });
  const { vm } = scene;
  if (suite === "bullseye") await withoutResolved(vm);
  const packaged = await PackagedVm.prepare(scene, { packages, manager: "dpkg" });
  const before = await filesOf(vm);
  assert.equal((await packaged.install("first")).code, 0);
  await vm.run(["outrigger", ...INSTALL]);
  assert.deepEqual(await packaged.lookups(), CAPTURED);
  await packaged.upgradeUnderLoad();
  await vm.run(["dpkg", "--purge", "outrigger"]);
  assert.deepEqual(await packaged.changesSince(before), []);
  assert.deepEqual(await packaged.lookups(), FREE);
}

/** As a configuration management does it, without `outrigger install`. */
async function runByHand(packages: TestPackages): Promise<void> {
  await using scene = await bareScene({ suite: "trixie", extra: ["nftables"] });
  const { vm } = scene;
  const packaged = await PackagedVm.prepare(scene, { packages, manager: "dpkg" });
  const before = await filesOf(vm);
  await packaged.install("first");
  await vm.run(["cp", "/opt/config.yaml", "/etc/outrigger/config.yaml"]);
  await vm.run(["systemctl", "enable", "--now", ...ENABLED_UNITS]);
  await packaged.untilCaptured("lookups go to the agent");
  // More often than the service may crash: systemd 257 counts starts over a daemon-reload too.
  for (let time = 0; time < 6; time++) {
    const { stderr } = await packaged.install(time % 2 === 0 ? "next" : "first");
    assert.doesNotMatch(stderr, /does not start/);
  }
  await packaged.untilCaptured("lookups go to the agent after many upgrades");
  await packaged.remove();
  assert.deepEqual(await packaged.lookups(), FREE);
  assert.equal(await packaged.units(), "");
  await vm.run(["dpkg", "--purge", "outrigger"]);
  assert.deepEqual(await packaged.changesSince(before), []);
}

async function runRpm(t: Deno.TestContext, packages: TestPackages): Promise<void> {
  const step = (name: string, act: () => Promise<void>) => stepOf(t, name, act);
  await using scene = await bareScene({ extra: ["nftables", "rpm"] });
  const { vm } = scene;
  const packaged = await PackagedVm.prepare(scene, { packages, manager: "rpm" });
  // No package's own on systems that have rpm.
  await vm.run(["mkdir", "/usr/share/licenses"]);
  const before = await filesOf(vm);

  await step("installed, it starts nothing, and answers once it is told to", async () => {
    const { code, stdout, stderr } = await packaged.install("first");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /nothing uses it yet/);
    assert.equal(await packaged.units(), "");
    const upgrade = await vm.attempt(["outrigger", "upgrade", PROGRAM]);
    assert.match(upgrade.stderr, /`dnf install \.\/outrigger-VERSION-1\.ARCH\.rpm`/);
    await vm.run(["outrigger", ...INSTALL]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
  });

  await step("an upgrade under load loses no query", () => packaged.upgradeUnderLoad());

  await step("erased, the VM has its own DNS, and keeps configuration and state", async () => {
    await packaged.remove();
    assert.deepEqual(await packaged.lookups(), FREE);
    assert.equal(await packaged.units(), "");
    await packaged.install("first");
    await vm.run(["outrigger", "install"]);
    assert.deepEqual(await packaged.lookups(), CAPTURED);
  });

  await step("with --purge before it, every byte, mode, owner and link is as before", async () => {
    const said = await vm.run(["outrigger", "uninstall", "--purge"]);
    assert.equal(said, "The machine is as it was, but for the package.\n");
    await packaged.remove();
    assert.deepEqual(await packaged.changesSince(before), []);
    assert.deepEqual(await packaged.lookups(), FREE);
  });
}
