import assert from "node:assert/strict";
import { join } from "node:path";
import type { StatusProblem } from "../../agent/health/api.ts";
import type { Finding } from "../../doctor/finding.ts";
import { ROLLBACK_SCRIPT, UPGRADE_FOLDER } from "../../installer/upgrade_plan.ts";
import { markedCommands } from "../support/readme_commands.ts";
import project from "../../deno.json" with { type: "json" };
import type { Suite } from "./debian_image.ts";
import { type Fault, NEW_VERSION, writeChanged, writeImpostor } from "./new_versions.ts";
import { report } from "./report.ts";
import { differences, filesOf } from "./vm_files.ts";
import { BINARY, bring, INSTALL, PROGRAM } from "./vm_installation.ts";
import { underLoad } from "./vm_load.ts";
import { getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const OLD_VERSION = project.version;
const MESH = "productpage.ns1.svc.cluster.local";
const SERVICE = "outrigger.service";
const LOAD = { perSecond: 2_000, seconds: 14 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// From systemd 254 on a service that crashes is told of only at the start limit.
for (const suite of ["bookworm", "trixie"] satisfies Suite[]) {
  Deno.test(`outrigger upgrade on Debian ${suite}, and its way back`, (t) => runUpgrade(t, suite));
}

async function runUpgrade(t: Deno.TestContext, suite: Suite): Promise<void> {
  // Each starts from what the one before left.
  const step = async (name: string, act: () => Promise<void>) => {
    if (!await t.step(name, act)) throw new Error(`"${name}" failed`);
  };
  await using scene = await bareScene({ suite });
  const { vm, network } = scene;
  const folder = vm.folder;
  /** Brings a program with its sum. */
  const offer = async (name: string, make: (path: string) => Promise<void>) => {
    const path = join(folder, name);
    await make(path);
    await vm.copyIn(path, `/opt/${name}`);
    await Deno.remove(path);
    await vm.run(["sh", "-c", `cd /opt && sha256sum ${name} >>SHA256SUMS`]);
    return `/opt/${name}`;
  };
  const status = async () => {
    const { stdout } = await vm.attempt([BINARY, "status", "--json"]);
    return JSON.parse(stdout);
  };
  const running = async () =>
    await vm.until(
      async () => await status().then(({ version }) => version as string).catch(() => undefined),
      "the agent tells its version",
    );
  const description = async () =>
    (await vm.run(["systemctl", "show", "--property=Description", "--value", SERVICE])).trim();
  const isPending = async () => (await vm.attempt(["test", "-e", ROLLBACK_SCRIPT])).code === 0;
  /** The old version runs, with its units, and answers; nothing waits to be taken back. */
  const isOld = async (what: string) => {
    assert.equal(await running(), OLD_VERSION, what);
    assert.equal(await description(), "DNS proxy of the service mesh", what);
    assert.equal(await isPending(), false, what);
    assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"], what);
    assert.equal((await vm.attempt(["test", "-e", `${BINARY}.outrigger-new`])).code, 1, what);
  };
  const [look, upgrade] = markedCommands("upgrade");
  /** As it is written in the README, in the folder where the new program is. */
  const run = (command: string) => vm.run(["sh", "-c", `cd /opt && ${command}`]);
  const files = async () =>
    new Map(
      [...await filesOf(vm)].filter(([path]) =>
        !/^\/(var\/(lib|cache)\/outrigger|opt\/)/.test(path)
      ),
    );
  await bring(vm);
  await vm.run(["rm", "-f", "/opt/SHA256SUMS"]);
  const next = await offer("outrigger-linux-x64", (path) =>
    writeChanged(path, {
      "Description=DNS proxy of the service mesh": "Description=DNS proxy of the service MESH",
    }));
  await vm.run([PROGRAM, ...INSTALL]);

  await step("what is not as it should be is refused, and nothing changes", async () => {
    const before = await files();
    const cases: [string, string[], RegExp][] = [
      [
        "another sum",
        [next, "--sha256", "0".repeat(64)],
        /The sum of \/opt\/outrigger-linux-x64 is \w+, and not 0000/,
      ],
      ["no sum", ["/opt/outrigger"], /Nothing says what the sum/],
      ["a version without a control plane", ["0.2.0"], /no control plane/],
      ["plain HTTP", ["0.2.0", "--from", "http://192.0.2.1"], /anybody may change/],
      ["no file", ["/opt/none"], /Read "\/opt\/none"/],
    ];
    for (const [what, args, message] of cases) {
      const { code, stderr } = await vm.attempt([BINARY, "upgrade", ...args]);
      assert.match(stderr, message, what);
      assert.ok(code === 1 || code === 2, what);
    }
    await vm.run([
      "sh",
      "-c",
      "cp /bin/ls /opt/ls; printf '\\267\\000' | dd of=/opt/ls bs=1 seek=18 conv=notrunc; cp /etc/hosts /opt/text; cd /opt && sha256sum ls text >>SHA256SUMS",
    ]);
    for (
      const [file, message] of [["ls", /for arm64/], ["text", /no program for Linux/]] as const
    ) {
      assert.match((await vm.attempt([BINARY, "upgrade", `/opt/${file}`])).stderr, message);
    }
    const plan = await run(look);
    assert.match(
      plan,
      new RegExp(`Would upgrade outrigger ${OLD_VERSION} to ${NEW_VERSION}, losing no`),
    );
    const same = await vm.run([BINARY, "upgrade", next, "--dry-run", "--json"]);
    assert.deepEqual(JSON.parse(same).files, ["/etc/systemd/system/outrigger.service"]);
    assert.deepEqual(differences(before, await files()), []);
    await isOld("after refusals");
  });

  for (const fault of ["crash", "hang", "mute"] satisfies Fault[]) {
    const path = await offer(fault, (path) => writeImpostor(path, fault));
    await step(
      `a version that does not work (${fault}) is taken back, losing no query`,
      async () => {
        const load = await underLoad(network, LOAD, async () => {
          await pause(1_000);
          const startedMs = performance.now();
          const { code, stdout, stderr } = await vm.attempt([BINARY, "upgrade", path]);
          report(`${fault}: taken back`, performance.now() - startedMs);
          console.log(stdout);
          assert.match(stderr, /outrigger 0\.9\.9 did not do what/);
          assert.equal(code, 1);
        });
        console.log(JSON.stringify(load));
        await isOld(fault);
        assert.deepEqual([load.udp.lost, load.udp.failed], [0, 0]);
        assert.ok(load.udp.slowestMs < 5_000);
        assert.equal(load.tcp.answered + load.tcp.cut, load.tcp.sent);
      },
    );
  }

  // Lines that it prints: the last but one says that it is confirmed.
  await step("killed after any step, the next start has the old version", async () => {
    const lines = Number(await vm.run(["sh", "-c", `${BINARY} upgrade ${next} | wc -l`]));
    assert.equal(await running(), NEW_VERSION);
    await vm.run([PROGRAM, "version"]);
    await vm.run(["sh", "-c", `cd /opt && sha256sum outrigger >>SHA256SUMS`]);
    await vm.run([BINARY, "upgrade", PROGRAM]);
    await isOld("back to the first");
    for (let line = 1; line < lines - 1; line++) {
      const script = [
        ": >/run/steps",
        `${BINARY} upgrade ${next} >>/run/steps 2>&1 & pid=$!`,
        `until [ $(wc -l </run/steps) -ge ${line} ] || ! kill -0 $pid; do sleep 0.02; done`,
        "kill -KILL $pid; wait $pid; tail -n 1 /run/steps",
      ].join("\n");
      const step = (await vm.run(["sh", "-c", script])).trim();
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"], step);
      await vm.run(["systemctl", "restart", SERVICE]);
      console.log(`killed at: ${step}`);
      await isOldButForLeftovers(step);
    }
  });

  /** A staged program may lie there until the next upgrade. */
  async function isOldButForLeftovers(what: string) {
    await vm.attempt(["rm", "-f", `${BINARY}.outrigger-new`]);
    await isOld(what);
  }

  const interrupt = async () => {
    const script = [
      ": >/run/steps",
      `${BINARY} upgrade ${next} >>/run/steps 2>&1 & pid=$!`,
      "until grep -q 'restart the service' /run/steps || ! kill -0 $pid; do sleep 0.02; done",
      "sleep 2; kill -KILL $pid",
    ].join("\n");
    await vm.run(["sh", "-c", script]);
    assert.equal(await running(), NEW_VERSION);
    assert.equal(await isPending(), true);
  };

  await step("status and doctor tell root of an upgrade that was interrupted", async () => {
    await interrupt();
    const words = new RegExp(`upgrade from ${OLD_VERSION} to ${NEW_VERSION} is not confirmed`);
    const pending = async () =>
      (await status()).problems.find(({ code }: StatusProblem) => code === "UPGRADE_PENDING");
    const found = async (user: string): Promise<Finding> => {
      const { stdout } = await vm.attempt([BINARY, "doctor", "--json"], { user });
      return JSON.parse(stdout).findings.find(({ check }: Finding) => check === "upgrade");
    };
    assert.match((await pending()).message, words);
    assert.match((await vm.attempt([BINARY, "status"])).stdout, words);
    const { result, evidence, remedy } = await found("root");
    assert.equal(result, "warning");
    assert.match(evidence, words);
    assert.match(remedy, /systemctl restart outrigger\.service$/);
    // Who may not look is told nothing wrong.
    assert.equal((await found("nobody")).result, "skipped");
    const { stdout } = await vm.attempt([BINARY, "status"], { user: "nobody" });
    assert.doesNotMatch(stdout, /upgrade/);
    // What the remedy says.
    await vm.run(["systemctl", "restart", SERVICE]);
    await isOld("gone back");
    assert.equal(await pending(), undefined);
    for (const user of ["root", "nobody"]) assert.equal((await found(user)).result, "ok", user);
  });

  if (suite === "bookworm") {
    await step(
      "a power cut before it is confirmed: the next boot has the old version",
      async () => {
        await interrupt();
        await vm.reboot({ powerCut: true });
        await vm.until(
          async () => (await getent(vm, MESH)).join() === "10.96.1.1" || undefined,
          "lookups go to the agent",
          40_000,
        );
        await isOld("after a power cut");
      },
    );

    await step("killed while the new version works: taken back within a minute or so", async () => {
      await interrupt();
      const startedMs = performance.now();
      await vm.until(
        async () => await running() === OLD_VERSION || undefined,
        "the deadline",
        90_000,
      );
      report("taken back by the deadline", performance.now() - startedMs);
      await isOld("after the deadline");
    });
  }

  await step("an upgrade under load loses no query, and is done once", async () => {
    const load = await underLoad(network, LOAD, async () => {
      await pause(1_000);
      const startedMs = performance.now();
      console.log(await run(upgrade));
      report("upgraded", performance.now() - startedMs);
    });
    console.log(JSON.stringify(load));
    assert.deepEqual([load.udp.lost, load.udp.failed], [0, 0]);
    assert.equal(load.tcp.answered + load.tcp.cut, load.tcp.sent);
    assert.equal(load.tcp.refused, 0);
    assert.equal(await running(), NEW_VERSION);
    assert.equal(await description(), "DNS proxy of the service MESH");
    assert.equal((await vm.attempt(["test", "-e", UPGRADE_FOLDER])).code, 1);
    assert.match(await vm.run([BINARY, "upgrade", next]), /^Nothing to do/);
    assert.match(
      await vm.run([`${BINARY}.previous`, "version"]),
      new RegExp(`^outrigger ${OLD_VERSION} `),
    );
    const { version } = JSON.parse(await vm.run([BINARY, "version", "--json"]));
    assert.equal(version, NEW_VERSION);
    await vm.reboot({ powerCut: true });
    assert.equal(await running(), NEW_VERSION);
  });

  await step("other sockets are announced as not lossless, and put in place", async () => {
    const path = await offer("sockets", (path) =>
      writeChanged(path, {
        "Description=DNS sockets of outrigger for IPv6":
          "Description=DNS sockets of outrigger for IPV6",
      }));
    const said = await vm.run([BINARY, "upgrade", path]);
    assert.match(said, /the sockets change.*what is asked meanwhile is lost/);
    const unit = await vm.run([
      "systemctl",
      "show",
      "--property=Description",
      "outrigger-ipv6.socket",
    ]);
    assert.match(unit, /IPV6/);
    await vm.until(
      async () => (await getent(vm, MESH)).join() === "10.96.1.1" || undefined,
      "lookups go to the agent again",
      40_000,
    );
  });

  await step("a package's program is its package manager's", async () => {
    await vm.writeFile("/usr/lib/systemd/system/outrigger.service", "[Unit]\n");
    const { code, stderr } = await vm.attempt([BINARY, "upgrade", next]);
    assert.match(stderr, /A package brought outrigger .*: upgrade that/);
    assert.equal(code, 1);
    await vm.run(["rm", "/usr/lib/systemd/system/outrigger.service"]);
  });

  await step("uninstall leaves nothing of it", async () => {
    await vm.run([BINARY, "uninstall", "--purge"]);
    const left = await vm.run([
      "sh",
      "-c",
      "find / -xdev -name '*outrigger*' -not -path '/opt/*' -not -path '/proc/*' -not -path '/tmp/*'",
    ]);
    assert.equal(left, "");
  });
}
