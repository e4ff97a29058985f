import assert from "node:assert/strict";
import { PORT_53_ADDRESS, PORT_53_UNIT } from "../../systemd/units.ts";
import type { Suite } from "./debian_image.ts";
import { report } from "./report.ts";
import { UnitScene } from "./unit_scene.ts";
import { dig } from "./vm_lookups.ts";

const SERVICE = "outrigger.service";
const SOCKETS = ["outrigger.socket", "outrigger-ipv6.socket"];
const PRODUCTPAGE = "productpage.ns1.svc.cluster.local";
/** Of that many a second, a killed process may have taken so many from the socket: some milliseconds' worth. */
const TAKEN_MAX = 20;

for (const suite of ["bullseye", "bookworm", "trixie"] satisfies Suite[]) {
  Deno.test(`outrigger's units on Debian ${suite}`, (t) => runUnits(t, suite));
}

async function runUnits(t: Deno.TestContext, suite: Suite): Promise<void> {
  await using scene = await UnitScene.install(suite);
  const { vm, systemd } = scene;
  console.log(`systemd ${systemd}`);
  const restarts = () => scene.property(SERVICE, "NRestarts").then(Number);
  const recover = async () => {
    await scene.replaceProgram();
    await vm.run(["systemctl", "stop", "outrigger-retry.timer"]);
    await vm.run(["systemctl", "reset-failed", SERVICE, ...SOCKETS]);
    await vm.run(["systemctl", "start", ...SOCKETS, SERVICE]);
    await scene.captures();
  };

  await t.step("systemd finds nothing wrong in any of them", async () => {
    const units = await vm.run(["sh", "-c", "ls -d /etc/systemd/system/outrigger*.*[!d]"]);
    const { code, stdout, stderr } = await vm.attempt([
      ...["systemd-analyze", "--man=no", "verify", ...units.trim().split("\n")],
    ]);
    const about = (stdout + stderr).split("\n").filter((line) => line.includes("outrigger"));
    assert.deepEqual({ code, about }, { code: 0, about: [] });
  });

  await t.step("it starts, is ready, and captures", async () => {
    const startedMs = performance.now();
    await scene.start();
    report("enabled, started and ready", performance.now() - startedMs);
    assert.equal(await scene.property(SERVICE, "ActiveState"), "active");
    assert.match(await scene.property(SERVICE, "StatusText"), /^Serving DNS; names of the mesh: 5/);
    await scene.untilCaptured("up", 5_000);
    for (const unit of ["outrigger-capture.path", "outrigger-capture.timer"]) {
      await scene.untilProperty(unit, "ActiveState", "active");
    }
  });

  await t.step("it is an ordinary user without capabilities, exposed by 1.2 at most", async () => {
    const pid = await scene.property(SERVICE, "MainPID");
    const status = await vm.run(["cat", `/proc/${pid}/status`]);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^CapBnd:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.doesNotMatch(status, /^Uid:\t0\t/m);
    const exposure = await vm.run(["systemd-analyze", "--no-pager", "security", SERVICE]);
    const [, level] = /exposure level for outrigger.service: ([\d.]+)/.exec(exposure)!;
    console.log(`exposure ${level}`);
    assert.ok(Number(level) <= 1.2, level);
    const environment = await vm.run(["cat", `/proc/${pid}/environ`]);
    assert.match(environment, /LISTEN_FDS=4/);
  });

  await t.step("it answers on every socket that systemd holds", async () => {
    const ways: [string, string[]][] = [
      ["127.0.0.1", []],
      ["127.0.0.1", ["+tcp"]],
      ["::1", []],
      ["::1", ["+tcp"]],
    ];
    for (const [address, options] of ways) {
      const { stdout } = await vm.attempt([
        ...["dig", `@${address}`, "-p", "15053", "+short", "+tries=1", ...options, PRODUCTPAGE],
      ]);
      assert.equal(stdout.trim(), "10.96.1.1", `${address} ${options}`);
    }
  });

  await t.step("its fast path runs, and it sees an Envoy, hardened as it is", async () => {
    const { fastPath, names } = await scene.status();
    assert.deepEqual(fastPath, { state: "on", reason: "" });
    assert.equal(names.autoAllocated, "forward");
    const listen = ["--socket-property=ListenStream=127.0.0.1:15001", "--unit=envoy-stand-in"];
    await vm.run(["systemd-run", "--quiet", ...listen, "/bin/true"]);
    await vm.until(
      async () => (await scene.status()).names.autoAllocated === "serve" || undefined,
      "the Envoy is seen",
      15_000,
    );
    await vm.run(["systemctl", "stop", "envoy-stand-in.socket"]);
  });

  await t.step("boot: after no network, before who looks up names", async () => {
    const words = async (name: string) => (await scene.property(SERVICE, name)).split(" ");
    assert.ok((await words("Before")).includes("nss-lookup.target"));
    assert.ok(!(await words("After")).includes("network-online.target"));
    assert.ok(!(await words("After")).includes("network.target"));
    const { stderr } = await vm.attempt([
      "systemd-analyze",
      "--man=no",
      "verify",
      "default.target",
    ]);
    assert.doesNotMatch(stderr, /cycle/);
  });

  await t.step("a reload is awaited, and refused without harm", async () => {
    const pid = await scene.property(SERVICE, "MainPID");
    await vm.run(["systemctl", "reload", SERVICE]);
    await scene.untilProperty(SERVICE, "ActiveState", "active");
    assert.equal(await scene.property(SERVICE, "MainPID"), pid);
  });

  await t.step("three restarts under load lose nothing, and release nothing", async () => {
    await recover();
    const load = await scene.load({ perSecond: 8_000, seconds: 6 }, async () => {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await vm.run(["systemctl", "restart", SERVICE]);
      }
    });
    console.log(`restarted three times: ${JSON.stringify(load)}`);
    assert.equal((await scene.status()).fastPath.state, "on");
    assert.deepEqual([load.lost, load.failed], [0, 0]);
    assert.ok(!(await scene.captures()).includes("down"));
  });

  await t.step(
    "killed under load it loses what it had taken, and nothing is released",
    async () => {
      const before = await restarts();
      const load = await scene.load({ perSecond: 2_000, seconds: 5 }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await vm.run(["systemctl", "kill", "--signal=KILL", SERVICE]);
      });
      console.log(`killed: ${JSON.stringify(load)}`);
      assert.ok(load.lost <= TAKEN_MAX, `${load.lost}`);
      assert.equal(load.failed, 0);
      assert.equal(await restarts(), before + 1);
      assert.ok(!(await scene.captures()).includes("down"));
    },
  );

  await t.step("stopped (SIGSTOP) the watchdog brings it back", async () => {
    await recover();
    const before = await restarts();
    const startedMs = performance.now();
    await vm.run(["systemctl", "kill", "--signal=STOP", SERVICE]);
    await vm.until(async () => await restarts() > before || undefined, "a restart", 15_000);
    await scene.untilProperty(SERVICE, "ActiveState", "active");
    report("a stopped process is back", performance.now() - startedMs);
    assert.deepEqual((await dig(vm, PRODUCTPAGE, { server: "127.0.0.1:15053" })).data, [
      "10.96.1.1",
    ]);
  });

  await t.step("a stop of all releases the capture, and no query starts it again", async () => {
    await scene.captures();
    await vm.run(["systemctl", "stop", "outrigger*"]);
    await scene.untilCaptured("down", 5_000);
    for (const unit of SOCKETS) await scene.untilProperty(unit, "ActiveState", "inactive");
    assert.equal((await dig(vm, PRODUCTPAGE, { server: "127.0.0.1:15053" })).status, "");
    assert.equal(await scene.property(SERVICE, "ActiveState"), "inactive");
  });

  await t.step("with the sockets alone the first query starts it, and is answered", async () => {
    await vm.run(["systemctl", "reset-failed", SERVICE]);
    await vm.run(["systemctl", "start", ...SOCKETS]);
    const startedMs = performance.now();
    const { data } = await dig(vm, PRODUCTPAGE, { server: "127.0.0.1:15053" });
    report("the first query, which starts it", performance.now() - startedMs);
    assert.deepEqual(data, ["10.96.1.1"]);
    await scene.untilProperty(SERVICE, "ActiveState", "active");
  });

  const broken: [string, string, number][] = [
    ["that crashes at once", "exit 1", 30_000],
    ["that hangs at once", "exec sleep infinity", 30_000],
    // The real one, which says that it is ready and is well, and then is stopped.
    [
      "that hangs once it is ready",
      "(sleep 2; kill -STOP $$) &\nexec /usr/local/lib/outrigger/outrigger run",
      60_000,
    ],
  ];
  for (const [what, script, withinMs] of broken) {
    await t.step(
      `a program ${what} releases the capture, and a good one gets it back`,
      async () => {
        await recover();
        await scene.replaceProgram(script);
        const startedMs = performance.now();
        await vm.run(["systemctl", "restart", "--no-block", SERVICE]);
        await scene.untilProperty("outrigger-retry.timer", "ActiveState", "active", withinMs);
        await scene.untilCaptured("down", 5_000);
        const releasedMs = performance.now() - startedMs;
        report(`a program ${what}: released`, releasedMs);
        assert.ok(releasedMs < withinMs);
        await scene.replaceProgram();
        await scene.captures();
        const goodMs = performance.now();
        await scene.untilCaptured("up", 60_000);
        report("and with a good one captured again", performance.now() - goodMs);
        assert.equal(await scene.property(SERVICE, "ActiveState"), "active");
        await vm.run(["systemctl", "stop", "outrigger-retry.timer"]);
      },
    );
  }

  await t.step("a changed resolv.conf, and the agent's wish, ask for the capture", async () => {
    await recover();
    for (const path of ["/etc/resolv.conf", "/run/outrigger/capture-wanted"]) {
      await scene.captures();
      await vm.run(["sh", "-c", `echo '#' >>${path}`]);
      await scene.untilCaptured("up", 5_000);
      await scene.untilProperty("outrigger-recapture.service", "ActiveState", "inactive", 15_000);
    }
  });

  await t.step("a change during the pause is not forgotten", async () => {
    await vm.run(["sh", "-c", "echo '#' >>/etc/resolv.conf"]);
    await scene.untilCaptured("up", 5_000);
    await vm.run(["sh", "-c", "echo '#' >>/etc/resolv.conf"]);
    report("captured again after a pause", await scene.untilCaptured("up", 15_000));
  });

  await t.step("the look at the end of a pause does not cancel a stop", async () => {
    await scene.untilProperty("outrigger-recapture.service", "ActiveState", "inactive", 15_000);
    // It takes longer than the pause.
    const slow = "/run/systemd/system/outrigger.service.d/slow.conf";
    await vm.writeFile(slow, "[Service]\nExecStop=/bin/sleep 12\nTimeoutStopSec=20\n");
    await vm.run(["systemctl", "daemon-reload"]);
    await vm.run(["systemctl", "start", "outrigger-recapture.service"]);
    const { code, stderr } = await vm.attempt(["systemctl", "stop", ...SOCKETS, SERVICE]);
    assert.equal(code, 0, stderr);
    await vm.run(["rm", slow]);
    await vm.run(["systemctl", "daemon-reload"]);
    await recover();
  });

  await t.step("leftovers of a power loss are given back, and only they", async () => {
    const clean = ["systemctl", "start", "outrigger-leftovers.service"];
    await scene.captures();
    await vm.run(clean);
    assert.ok(!(await scene.captures()).includes("down"));
    await vm.writeFile("/var/lib/outrigger-capture/journal.json", "{}");
    await vm.run(clean);
    assert.ok((await scene.captures()).includes("down"));
  });

  await t.step("port 53 on an address of its own is served where it is asked for", async () => {
    await vm.run(["systemctl", "stop", "outrigger*"]);
    await vm.writeFile(PORT_53_UNIT.path, PORT_53_UNIT.text);
    await vm.run(["systemctl", "daemon-reload"]);
    await recover();
    for (const options of [[], ["+tcp"]]) {
      const { data } = await dig(vm, PRODUCTPAGE, { server: PORT_53_ADDRESS, options });
      assert.deepEqual(data, ["10.96.1.1"], `${options}`);
    }
  });

  await t.step(
    "a reboot: released on the way down, leftovers given back first, then captured",
    async () => {
      await recover();
      await scene.captures();
      await vm.run(["systemctl", "stop", "outrigger-capture.timer", "outrigger-capture.path"]);
      const startedMs = performance.now();
      await vm.reboot();
      report("rebooted", performance.now() - startedMs);
      // The journal of the step before is still there, as after a power loss.
      const [down, leftovers, ...then] = await scene.captures();
      assert.deepEqual([down, leftovers], ["down", "down"]);
      if (!then.includes("up")) await scene.untilCaptured("up", 10_000);
      const sinceBoot = async (unit: string, name: string) =>
        Number(await scene.property(unit, `${name}TimestampMonotonic`));
      const givenBack = await sinceBoot("outrigger-leftovers.service", "ExecMainExit");
      const captured = await sinceBoot("outrigger-capture.service", "ExecMainStart");
      assert.ok(givenBack > 0 && givenBack < await sinceBoot("sysinit.target", "ActiveEnter"));
      assert.ok(captured > await sinceBoot(SERVICE, "ActiveEnter"));
      const waitedFor = (await sinceBoot("nss-lookup.target", "ActiveEnter") - captured) / 1000;
      assert.ok(waitedFor > 0 && waitedFor < 5_000, `${waitedFor} ms`);
      assert.doesNotMatch(await vm.run(["journalctl", "-b", "--no-pager"]), /ordering cycle/);
    },
  );
}
