import assert from "node:assert/strict";
import { debianImage } from "./debian_image.ts";
import { UpstreamServer } from "./upstream_server.ts";
import { VirtualMachine } from "./virtual_machine.ts";
import { VmAgent } from "./vm_agent.ts";
import { AGENT, dig, getent, resolvectlQuery, STUB } from "./vm_lookups.ts";
import { VmNetwork } from "./vm_network.ts";

const SEARCH = ["ns1.svc.cluster.local", "svc.cluster.local", "cluster.local"];
const LINKS = [
  { name: "eth0", addresses: ["192.0.2.2/24", "2001:db8::2/64"], beyond: ["192.0.2.53/24"] },
  { name: "vpn0", addresses: ["198.51.100.2/24"], beyond: ["198.51.100.53/24"] },
];
/** More than 4096 octets: over UDP they fit into no answer of the agent. */
const MANY = Array.from({ length: 300 }, (_, i) => `203.0.${113 + (i >> 8)}.${i & 0xff}`).sort();

Deno.test("a booted Debian 12 whose systemd-resolved asks outrigger", async (t) => {
  const image = await debianImage();
  await using network = await VmNetwork.create(LINKS);
  await using vm = await VirtualMachine.boot({ image, network });
  await using uplink = await UpstreamServer.start({
    folder: vm.folder,
    network,
    address: "192.0.2.53",
    domains: ["example.org"],
    hosts: {
      "www.example.org": ["203.0.113.80", "2001:db8:80::80"],
      "v4.example.org": ["203.0.113.4"],
      "many.example.org": MANY,
      "bank.example.org": ["203.0.113.99"],
    },
  });
  await using vpn = await UpstreamServer.start({
    folder: vm.folder,
    network,
    address: "198.51.100.53",
    domains: ["corp.example"],
    hosts: { "ledger.corp.example": ["198.51.100.80"], "second.corp.example": ["198.51.100.81"] },
  });
  await vm.run(["resolvectl", "dns", "eth0", "192.0.2.53"]);
  console.log((await vm.run(["resolvectl", "--version"])).split("\n")[0]);
  const agent = await VmAgent.install(vm, mesh());

  await t.step(
    "the agent finds the link's server, before it is asked and behind itself",
    async () => {
      assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
      assert.deepEqual(await getent(vm, "productpage.ns1.svc.cluster.local"), []);
      await agent.start();
      assert.deepEqual(await upstreams(agent), ["192.0.2.53:53"]);
      await agent.capture(SEARCH);
      assert.deepEqual(await getent(vm, "productpage.ns1.svc.cluster.local"), ["10.96.1.1"]);
      await agent.stop();
      await agent.start();
      assert.deepEqual(await upstreams(agent), ["192.0.2.53:53"]);
      assert.equal((await agent.status()).status, "ok");
    },
  );
  const before = (await uplink.questions()).length;

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
    ["ratings", []],
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

  await t.step("no name of the mesh ever reached the link's server", async () => {
    const questions = (await uplink.questions()).slice(before);
    assert.ok(questions.includes("www.example.org A"), "the server was asked for what is its own");
    assert.deepEqual(
      questions.filter((question) => !/^\w+\.example\.org /.test(question)),
      [],
    );
    assert.deepEqual(questions.filter((question) => question.startsWith("bank.")), []);
    assert.deepEqual(await vpn.questions(), []);
  });
});

/** Servers in force, with the domain that they alone are for. */
async function upstreams(agent: VmAgent): Promise<string[]> {
  return (await agent.status()).upstreams.map(({ server, domain }) =>
    domain === undefined ? server : `${domain}: ${server}`
  );
}

/** The mesh's names, with some changed or added. */
function mesh(changes: Record<string, string[]> = {}): string {
  const services: Record<string, string[]> = {
    "productpage.ns1": ["10.96.1.1"],
    "details.ns1": ["10.96.1.2", "2001:db8:96::2"],
    "six.ns1": ["2001:db8:96::6"],
    "ratings.ns2": ["10.96.2.1"],
    ...changes,
  };
  const documents = Object.entries(services).map(([host, addresses]) => {
    const [name, namespace] = host.split(".");
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { clusterIP: addresses[0], clusterIPs: addresses, ports: [{ port: 9080 }] },
    };
  });
  const bank = {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "bank", namespace: "ns1" },
    spec: {
      hosts: ["bank.example.org"],
      addresses: ["192.0.2.99"],
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ports: [{ number: 443, name: "tls", protocol: "TLS" }],
    },
  };
  // JSON is YAML.
  return [...documents, bank].map((document) => JSON.stringify(document)).join("\n---\n");
}
