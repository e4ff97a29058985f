import assert from "node:assert/strict";
import { report } from "./report.ts";
import { AGENT, dig, getent, resolvectlQuery, untilAnswered } from "./vm_lookups.ts";
import { meshNames, SEARCH, vmScene } from "./vm_scene.ts";

const PRODUCTPAGE = "productpage.ns1.svc.cluster.local";
const MOVING = "details.ns1.svc.cluster.local";
const COMING = "coming.ns1.svc.cluster.local";
/** What asking and starting processes may add to the time that a cache takes. */
const SLACK_MS = 1_500;

Deno.test("a push, and the agent's death, behind systemd-resolved", async (t) => {
  await using scene = await vmScene();
  const { vm, agent } = scene;
  await agent.start();
  await agent.capture(SEARCH);

  await t.step("a push is answered at once: nothing from a loopback server is cached", async () => {
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.1.2"]);
    assert.deepEqual(await getent(vm, COMING, "ahostsv4"), []);
    const startedMs = performance.now();
    await agent.replaceNames(
      meshNames({ "details.ns1": ["10.96.9.1"], "coming.ns1": ["10.96.9.3"] }),
    );
    await untilAnswered(() => dig(vm, MOVING, { server: AGENT }), "10.96.9.1");
    report("a push is answered by outrigger", performance.now() - startedMs);
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.9.1"]);
    assert.deepEqual(await getent(vm, COMING, "ahostsv4"), ["10.96.9.3"]);
    const tookMs = performance.now() - startedMs;
    report("and through systemd-resolved", tookMs);
    assert.ok(tookMs < 2_000, `${tookMs}`);
  });

  await t.step("with CacheFromLocalhost=yes it is answered when a TTL ends", async () => {
    await agent.replaceNames(meshNames());
    await untilAnswered(() => dig(vm, MOVING, { server: AGENT }), "10.96.1.2");
    await vm.writeFile(
      "/run/systemd/resolved.conf.d/cache.conf",
      "[Resolve]\nCacheFromLocalhost=yes\n",
    );
    await vm.run(["systemctl", "reload-or-restart", "systemd-resolved"]);
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.1.2"]);
    assert.deepEqual(await getent(vm, COMING, "ahostsv4"), []);
    const pushedMs = performance.now();
    const since = () => performance.now() - pushedMs;
    await agent.replaceNames(
      meshNames({ "details.ns1": ["10.96.9.2"], "coming.ns1": ["10.96.9.3"] }),
    );
    await untilAnswered(() => dig(vm, MOVING, { server: AGENT }), "10.96.9.2");
    await untilAnswered(() => dig(vm, COMING, { server: AGENT }), "10.96.9.3");
    const directMs = since();
    // What follows measures a cache: it still hides the push.
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.1.2"]);
    assert.deepEqual(await getent(vm, COMING, "ahostsv4"), []);
    await untilAnswered(() => dig(vm, COMING), "10.96.9.3");
    const comingMs = since();
    await untilAnswered(() => dig(vm, MOVING), "10.96.9.2");
    const movingMs = since();
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.9.2"]);
    report("cached: a push is answered by outrigger", directMs);
    report("cached: a service asked for too early is answered by systemd-resolved", comingMs);
    report("cached: a changed address is answered by systemd-resolved", movingMs);
    assert.ok(directMs < 2_000, `${directMs}`);
    assert.ok(comingMs < 5_000 + SLACK_MS, `${comingMs}`);
    assert.ok(movingMs < 30_000 + SLACK_MS, `${movingMs}`);
  });

  await t.step("with that, `resolvectl flush-caches` makes a push known at once", async () => {
    await agent.replaceNames(meshNames({ "details.ns1": ["10.96.9.4"] }));
    await untilAnswered(() => dig(vm, MOVING, { server: AGENT }), "10.96.9.4");
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.9.2"]);
    await vm.run(["resolvectl", "flush-caches"]);
    assert.deepEqual(await getent(vm, MOVING, "ahostsv4"), ["10.96.9.4"]);
    await vm.run(["rm", "/run/systemd/resolved.conf.d/cache.conf"]);
    await vm.run(["systemctl", "reload-or-restart", "systemd-resolved"]);
  });

  await t.step(
    "killed, every lookup fails at once; systemd-resolved asks nobody else",
    async () => {
      await agent.kill();
      for (const name of [PRODUCTPAGE, "www.example.org"]) {
        const startedMs = performance.now();
        assert.equal((await dig(vm, name)).status, "SERVFAIL");
        assert.match(String(await resolvectlQuery(vm, name)), /Connection refused/);
        assert.deepEqual(await getent(vm, name), []);
        report(`three lookups of ${name} without the agent`, performance.now() - startedMs);
      }
    },
  );

  await t.step("started again, it is asked again at once", async () => {
    await agent.start();
    const startedMs = performance.now();
    assert.deepEqual(await getent(vm, PRODUCTPAGE, "ahostsv4"), ["10.96.1.1"]);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    report("two lookups after its start", performance.now() - startedMs);
  });

  await t.step("killed and without its capture, the VM's own DNS works as before", async () => {
    await agent.kill();
    await agent.release();
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    assert.deepEqual(await getent(vm, PRODUCTPAGE), []);
  });
});
