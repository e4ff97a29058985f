import assert from "node:assert/strict";
import { hostname } from "node:os";
import { isIPv4, isIPv6 } from "node:net";
import { Agent } from "../../agent/app.ts";
import { loadConfig } from "../../agent/config/load_config.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { silentLog } from "../../agent/system/log.ts";
import { systemProcess } from "../../agent/system/process.ts";
import { systemWorld } from "../../agent/system/world.ts";
import { until } from "../support/until.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { lookUpAllTheTime } from "./continuous_lookups.ts";
import { RealMesh } from "./real_mesh.ts";

/** From a change in Kubernetes to the answer. */
const CHANGE_LIMIT_MS = 2_000;
/** The search domains of a node in namespace vm. */
const SEARCH = ["vm.svc.cluster.local", "svc.cluster.local", "cluster.local"];

Deno.test("a VM in the mesh of a real istiod", async (t) => {
  await using mesh = await RealMesh.start();
  const { kubernetes } = mesh;
  const vm = await mesh.vmFiles("vm");
  const folder = `${mesh.folder}/agent`;
  const args = ["--from", vm, "--auto-allocated", "serve", "--upstream", "127.0.0.1:9"];
  const agents: AgentProcess[] = [];
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => {
    for (const agent of agents) await agent[Symbol.asyncDispose]();
  });
  const start = async (ports?: AgentProcess["ports"]) => {
    agents.unshift(await AgentProcess.start({ folder, args, ...(ports && { ports }) }));
    return agents[0];
  };
  let agent = await start();
  const node = `${hostname()}.vm`;

  await t.step("joins with the files of istioctl and a token of its ServiceAccount", async () => {
    const { controlPlane, problems } = await agent.untilConnected();
    assert.equal(controlPlane!.certificate.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
    assert.equal(controlPlane!.certificate.state, "valid");
    assert.deepEqual(problems, []);
  });

  await t.step("every name that istiod knows resolves, by every form", async () => {
    const table = await mesh.tableOf(node);
    const expected = [
      "*.wild.example.com",
      "dual.ns1.svc.cluster.local",
      "kubernetes.default.svc.cluster.local",
      "ledger.bank.example",
      "mysql-0.mysql.ns1.svc.cluster.local",
      "mysql-1.mysql.ns1.svc.cluster.local",
      "mysql-instance1.us-east-1.rds.amazonaws.com",
      "mysql-instance2.us-east-1.rds.amazonaws.com",
      "mysql.ns1.svc.cluster.local",
      "neighbour.vm.svc.cluster.local",
      "productpage.ns1.svc.cluster.local",
      "reviews.ns1.svc.cluster.local",
      "reviews.ns2.svc.cluster.local",
    ];
    assert.deepEqual(Object.keys(table).sort(), expected);
    for (const [host, { ips, registry, shortname, namespace }] of Object.entries(table)) {
      const forms = [host.replace("*", "anything")];
      if (registry === "Kubernetes") {
        forms.push(`${shortname}.${namespace}.svc`, `${shortname}.${namespace}`);
        if (namespace === "vm") forms.push(shortname!);
      }
      for (const form of forms) {
        await answers(agent, form, ips);
        for (const domain of SEARCH) await answers(agent, `${form}.${domain}`, ips, form);
      }
    }
  });

  await t.step("two databases behind one port have VIPs of their own", async () => {
    const vips = new Set<string>();
    for (const name of ["mysql-instance1", "mysql-instance2"]) {
      for (const type of ["A", "AAAA"]) {
        const { data } = await agent.ask(`${name}.us-east-1.rds.amazonaws.com`, type);
        assert.equal(data.length, 1);
        vips.add(data[0]);
      }
    }
    assert.deepEqual([...vips].sort(), ["2001:2::1", "2001:2::2", "240.240.0.1", "240.240.0.2"]);
  });

  await t.step("a Service that comes, changes and goes is seen within 2 s", async () => {
    const service = (clusterIP: string) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "new", namespace: "ns1" },
        spec: { clusterIP, ports: [{ port: 80 }] },
      });
    const name = "new.ns1.svc.cluster.local";
    await agent.untilAnswered(name, []);
    await kubernetes.apply(service("10.96.4.1"));
    const tookMs = [await agent.untilAnswered(name, ["10.96.4.1"])];
    await kubernetes.remove("service", "new", "ns1");
    tookMs.push(await agent.untilAnswered(name, []));
    // A ClusterIP never changes: the Service is made anew, and ServiceEntries change in place.
    await kubernetes.apply(service("10.96.4.2"));
    tookMs.push(await agent.untilAnswered(name, ["10.96.4.2"]));
    await kubernetes.kubectl(
      ["patch", "serviceentry", "ledger", "-n", "ns2", "--type=merge", "-p", LEDGER_MOVES],
    );
    tookMs.push(await agent.untilAnswered("ledger.bank.example", ["198.51.100.18"]));
    console.log(`seen after ${tookMs.map(Math.round).join(", ")} ms`);
    assert.ok(Math.max(...tookMs) < CHANGE_LIMIT_MS, String(tookMs));
  });

  await t.step(
    "istiod is gone for 30 s: no lookup fails, and then updates flow again",
    async () => {
      const load = lookUpAllTheTime(agent, NAMES);
      await mesh.killIstiod();
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      await kubernetes.remove("service", "new", "ns1");
      await mesh.startIstiod();
      await agent.untilConnected(60_000);
      await agent.untilAnswered("new.ns1.svc.cluster.local", []);
      const { tookMs, failed } = await load.end();
      assert.deepEqual(failed, []);
      assert.ok(tookMs.length > 1_000, `only ${tookMs.length} lookups`);
    },
  );

  await t.step("killed, and started while istiod is away: full answers from the disk", async () => {
    const table = await mesh.tableOf(node);
    const before = await agent.names();
    await mesh.killIstiod();
    await agent.kill();
    agent = await start(agent.ports);
    const { names, controlPlane } = await agent.status();
    assert.equal(names.origin, "disk");
    assert.notEqual(controlPlane!.state, "connected");
    assert.deepEqual((await agent.names()).names, before.names);
    for (const [host, { ips }] of Object.entries(table)) {
      await answers(agent, host.replace("*", "anything"), ips);
    }
    await mesh.startIstiod();
    await agent.untilConnected();
  });

  await t.step("an address that comes along is told: names of its family appear", async () => {
    let addresses = ["192.0.2.10"];
    const world = systemWorld();
    const network = Object.create(world.network, {
      interfaceAddresses: {
        value: () => addresses.map((address) => ({ address, internal: false })),
      },
    });
    const load = () =>
      loadConfig({
        environment: {},
        flags: Object.entries({
          from: vm,
          stateDir: `${mesh.folder}/addresses`,
          "dns.listen": ["127.0.0.1:0"],
          "health.listen": "127.0.0.1:0",
          "dns.upstreams": ["127.0.0.1:9"],
          "node.name": "moving",
        }).map(([path, value]) => ({ path: path.split("."), value, source: path })),
        hostname: hostname(),
        files: systemFiles,
      });
    const moving = new Agent({
      config: await load(),
      reload: load,
      log: silentLog,
      process: systemProcess,
      world: { network },
    });
    await moving.start();
    try {
      const ask = async () =>
        (await moving.lookup("dual.ns1.svc.cluster.local", 28)).answers.map((line) =>
          line.split(" ").at(-1)
        );
      await until(
        () => moving.status().names.origin === "control-plane",
        "the table of one family",
        10_000,
      );
      assert.deepEqual(await ask(), []);
      addresses = ["192.0.2.10", "2001:db8::10"];
      await until(async () => (await ask()).length > 0, "the other family", 15_000);
      assert.deepEqual(await ask(), ["fd00:10:96::13"]);
      assert.deepEqual(moving.status().problems, []);
    } finally {
      await moving.stop();
    }
  });

  await t.step("without an Envoy istiod leaves automatic VIPs out of the table", async () => {
    await using plain = await AgentProcess.start({
      folder: `${mesh.folder}/plain`,
      args: ["--from", vm, "--upstream", "127.0.0.1:9", "--auto-allocated", "forward"],
    });
    await plain.untilConnected();
    const hosts = (await plain.names()).names.map(({ host }) => host);
    assert.ok(hosts.includes("ledger.bank.example"));
    assert.deepEqual(hosts.filter((host) => host.includes("amazonaws")), []);
  });

  await t.step("a WorkloadEntry is made only where the node is told to register", async () => {
    const entries = async () =>
      (await kubernetes.kubectl(["get", "workloadentry", "-n", "vm", "-o", "name"])).trim();
    assert.equal(await entries(), "");
    const config = `${mesh.folder}/register.yaml`;
    await Deno.writeTextFile(config, "node: { register: true, address: 192.0.2.10 }\n");
    await using registered = await AgentProcess.start({
      folder: `${mesh.folder}/registered`,
      args: ["--config", config, "--from", vm, "--upstream", "127.0.0.1:9"],
    });
    await registered.untilConnected();
    await until(async () => (await entries()) !== "", "the WorkloadEntry", 10_000);
    assert.match(await entries(), /\/vms-192\.0\.2\.10$/);
  });
});

const NAMES = [
  "productpage.ns1.svc.cluster.local",
  "reviews.ns2.vm.svc.cluster.local",
  "mysql-0.mysql.ns1",
  "mysql-instance1.us-east-1.rds.amazonaws.com",
];

const LEDGER_MOVES = '{"spec":{"addresses":["198.51.100.18"]}}';

/** Holds the agent's answers for one name against istiod's addresses. */
async function answers(
  agent: AgentProcess,
  name: string,
  ips: readonly string[],
  autopathOf?: string,
): Promise<void> {
  for (const [type, isOf] of [["A", isIPv4], ["AAAA", isIPv6]] as const) {
    const { rcode, data, records } = await agent.ask(name, type);
    assert.equal(rcode, "NOERROR", `${name} ${type}`);
    assert.deepEqual(data.toSorted(), ips.filter((ip) => isOf(ip)).toSorted(), `${name} ${type}`);
    if (autopathOf !== undefined && records.length > 0) {
      // A short form with a search domain may be a full name by itself.
      const cname = records[0].includes(" CNAME ");
      assert.ok(cname || records[0].startsWith(`${name} `), records[0]);
    }
  }
}
