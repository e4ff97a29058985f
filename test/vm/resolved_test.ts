import assert from "node:assert/strict";
import type { StatusReport } from "../../agent/health/api.ts";
import { report } from "./report.ts";
import type { VmAgent } from "./vm_agent.ts";
import { AGENT, dig, getent, resolvectlQuery, STUB } from "./vm_lookups.ts";
import { MANY, SEARCH, vmScene } from "./vm_scene.ts";

Deno.test("a booted Debian 12 whose systemd-resolved asks outrigger", async (t) => {
  await using scene = await vmScene();
  const { vm, agent, servers } = scene;
  console.log((await vm.run(["resolvectl", "--version"])).split("\n")[0]);

  await t.step(
    "the agent finds the link's server, before it is asked and behind itself",
    async () => {
      assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
      assert.deepEqual(await getent(vm, "productpage.ns1.svc.cluster.local"), []);
      await agent.start();
      assert.deepEqual(upstreamsOf(await agent.status()), ["192.0.2.53:53"]);
      await agent.capture(SEARCH);
      assert.deepEqual(await getent(vm, "productpage.ns1.svc.cluster.local"), ["10.96.1.1"]);
      await agent.stop();
      await agent.start();
      assert.deepEqual(upstreamsOf(await agent.status()), ["192.0.2.53:53"]);
      assert.equal((await agent.status()).status, "ok");
    },
  );
  const before = (await servers.uplink.questions()).length;

  const glibc: [name: string, addresses: string[]][] = [
    ["productpage.ns1.svc.cluster.local", ["10.96.1.1"]],
    ["productpage.ns1.svc.cluster.local.", ["10.96.1.1"]],
    ["PRODUCTPAGE.ns1.svc.cluster.local", ["10.96.1.1"]],
    ["productpage.ns1.svc", ["10.96.1.1"]],
    ["productpage.ns1", ["10.96.1.1"]],
    ["productpage", ["10.96.1.1"]],
    ["details", ["10.96.1.2", "2001:db8:96::2"]],
    ["six", ["2001:db8:96::6"]],
    ["ratings.ns2", ["10.96.2.1"]],
    ["absent.ns1.svc.cluster.local", []],
    ["bank.example.org", ["192.0.2.99"]],
    ["www.example.org", ["2001:db8:80::80", "203.0.113.80"]],
    ["www.example.org.", ["2001:db8:80::80", "203.0.113.80"]],
    ["absent.example.org", []],
    ["many.example.org", MANY],
    ["localhost", ["127.0.0.1", "::1"]],
  ];
  for (const [name, addresses] of glibc) {
    await t.step(`glibc: ${name}`, async () => {
      assert.deepEqual(await getent(vm, name), addresses.toSorted());
    });
  }

  const resolvectl: [name: string, found: string[] | RegExp][] = [
    ["productpage.ns1.svc.cluster.local", ["10.96.1.1"]],
    ["productpage.ns1", ["10.96.1.1"]],
    ["productpage", ["10.96.1.1"]],
    ["details", ["10.96.1.2", "2001:db8:96::2"]],
    ["six", ["2001:db8:96::6"]],
    ["www.example.org", ["2001:db8:80::80", "203.0.113.80"]],
    ["many.example.org", MANY],
    ["absent.ns1.svc.cluster.local", /not found/],
    ["absent.example.org", /not found/],
  ];
  for (const [name, found] of resolvectl) {
    await t.step(`resolvectl query: ${name}`, async () => {
      const answer = await resolvectlQuery(vm, name);
      if (found instanceof RegExp) assert.match(String(answer), found);
      else assert.deepEqual(answer, found.toSorted());
    });
  }

  const stub: [name: string, type: string, status: string, data: string[]][] = [
    ["productpage.ns1.svc.cluster.local", "A", "NOERROR", ["10.96.1.1"]],
    ["productpage.ns1.svc.cluster.local", "AAAA", "NOERROR", []],
    ["productpage.ns1.svc.cluster.local", "HTTPS", "NOERROR", []],
    ["six.ns1.svc.cluster.local", "AAAA", "NOERROR", ["2001:db8:96::6"]],
    ["six.ns1.svc.cluster.local", "A", "NOERROR", []],
    ["absent.ns1.svc.cluster.local", "A", "NXDOMAIN", []],
    ["www.example.org", "A", "NOERROR", ["203.0.113.80"]],
    ["v4.example.org", "AAAA", "NOERROR", []],
    ["absent.example.org", "A", "NXDOMAIN", []],
    ["many.example.org", "A", "NOERROR", MANY],
  ];
  for (const transport of ["udp", "tcp"]) {
    const options = transport === "tcp" ? ["+tcp"] : [];
    for (const [name, type, status, data] of stub) {
      await t.step(`dig over ${transport}: ${name} ${type}`, async () => {
        const answer = await dig(vm, name, { type, options });
        assert.deepEqual({ status: answer.status, data: answer.data }, { status, data });
      });
    }
  }

  await t.step(
    "an answer that does not fit is truncated on both legs, and comes by TCP",
    async () => {
      for (const server of [STUB, AGENT]) {
        const { flags, data } = await dig(vm, "many.example.org", { server, options: ["+ignore"] });
        assert.ok(flags.includes("tc") && data.length < MANY.length, `${server}: ${flags}`);
        assert.deepEqual((await dig(vm, "many.example.org", { server })).data, MANY);
      }
    },
  );

  await t.step(
    "a name of one label that nobody has takes what LLMNR takes, on its links",
    async () => {
      const startedMs = performance.now();
      assert.deepEqual(await getent(vm, "ratings"), []);
      report("an unknown name of one label fails", performance.now() - startedMs);
    },
  );

  await t.step(
    "a link's routing domain becomes a nameserver of its own, and goes with it",
    async () => {
      await vm.run(["resolvectl", "dns", "vpn0", "198.51.100.53"]);
      await vm.run(["resolvectl", "domain", "vpn0", "~corp.example"]);
      const both = ["192.0.2.53:53", "corp.example: 198.51.100.53:53"];
      report("a new link's domain is seen", await untilUpstreams(agent, both));
      const { data } = await dig(vm, "ledger.corp.example", { server: AGENT });
      assert.deepEqual(data, ["198.51.100.80"]);
      assert.deepEqual(await getent(vm, "second.corp.example"), ["198.51.100.81"]);
      assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    },
  );

  await t.step(
    "it outlives a systemd-resolved that stays down, and a reload meanwhile",
    async () => {
      const both = ["192.0.2.53:53", "corp.example: 198.51.100.53:53"];
      await vm.run(["systemctl", "stop", "systemd-resolved"]);
      // Three seconds of grace, and a look every five.
      await vm.run(["sleep", "10"]);
      assert.deepEqual(upstreamsOf(await agent.status()), both);
      await vm.run(["systemctl", "kill", "--signal=HUP", "outrigger"]);
      await vm.run(["sleep", "10"]);
      const status = await agent.status();
      assert.deepEqual([upstreamsOf(status), status.problems], [both, []]);
      assert.deepEqual((await dig(vm, "ledger.corp.example", { server: AGENT })).data, [
        "198.51.100.80",
      ]);
      await vm.run(["systemctl", "start", "systemd-resolved"]);
      await vm.run(["resolvectl", "revert", "vpn0"]);
      report("its end is seen", await untilUpstreams(agent, ["192.0.2.53:53"]));
    },
  );

  await t.step("a link's other server is followed, and one that is left is not asked", async () => {
    await vm.run(["resolvectl", "dns", "eth0", "192.0.2.54"]);
    report("a link's other server is seen", await untilUpstreams(agent, ["192.0.2.54:53"]));
    const asked = (await servers.uplink.questions()).length;
    assert.deepEqual(await getent(vm, "moved.example.org"), ["203.0.113.54"]);
    assert.deepEqual((await servers.uplink.questions()).slice(asked), []);
    await vm.run(["resolvectl", "dns", "eth0", "192.0.2.53"]);
    await untilUpstreams(agent, ["192.0.2.53:53"]);
  });

  await t.step("no name of the mesh ever reached a link's server", async () => {
    const questions = (await servers.uplink.questions()).slice(before);
    assert.ok(questions.includes("www.example.org A"), "the server was asked for what is its own");
    for (const server of Object.values(servers)) {
      const asked = server === servers.uplink ? questions : await server.questions();
      const foreign = asked.filter((question) =>
        !/\.(example\.org|corp\.example|outrigger-loop-probe\.example) /.test(question) ||
        question.startsWith("bank.")
      );
      assert.deepEqual(foreign, []);
    }
    assert.deepEqual(questions.filter((question) => question.includes("corp.example")), []);
  });
});

/** Waits until just these servers are in force; returns how long that took, in milliseconds. */
async function untilUpstreams(agent: VmAgent, expected: readonly string[]): Promise<number> {
  return await agent.untilStatus(
    (status) => upstreamsOf(status).join() === expected.join(),
    `upstream servers are ${expected.join(", ")}`,
  );
}

/** Servers in force, with the domain that they alone are for. */
function upstreamsOf({ upstreams }: StatusReport): string[] {
  return upstreams.map(({ server, domain }) =>
    domain === undefined ? server : `${domain}: ${server}`
  );
}
