import assert from "node:assert/strict";
import { AgentFixture } from "../test/support/agent_fixture.ts";
import { FakeControlPlane } from "../test/support/fake_control_plane.ts";
import { answerMessage, readMessage } from "../test/support/dns_messages.ts";
import { serviceEntry } from "../test/support/host_entries.ts";
import { until } from "../test/support/until.ts";
import { systemClock } from "./system/clock.ts";
import { fetchUnix } from "./system/http.ts";
import { systemNetwork, type UdpSocket } from "./system/network.ts";
import { formatSocketAddress } from "./system/socket_address.ts";

const service = (name: string, address: string) =>
  `kind: Service\nmetadata: { name: ${name}, namespace: ns1 }\nspec: { clusterIP: ${address}, ports: [{ name: http, port: 80 }] }\n---\n`;

/** grpc-js and fetch keep timers and sockets for a moment. */
function test(title: string, body: () => Promise<void>): void {
  Deno.test({ name: `Agent ${title}`, sanitizeOps: false, sanitizeResources: false, fn: body });
}

test("serves names of files without a control plane, and forwards the rest", async () => {
  await using fixture = await AgentFixture.make();
  fixture.config["names.files"] = [
    await fixture.directory.write("mesh.yaml", service("reviews", "10.0.0.7")),
  ];
  await fixture.start();
  assert.equal(await fixture.ask("reviews.ns1.svc.cluster.local"), "10.0.0.7");
  assert.equal(await fixture.ask("reviews"), "10.0.0.7");
  assert.equal(
    await fixture.ask("_http._tcp.reviews.ns1.svc.cluster.local", "SRV"),
    "[object Object]",
  );
  assert.equal(await fixture.ask("absent.ns1.svc.cluster.local"), "NXDOMAIN");
  assert.equal(await fixture.ask("www.example.org"), "203.0.113.9");
  assert.deepEqual(fixture.upstreamQueries, ["www.example.org A"]);
  const status = fixture.agent.status();
  assert.deepEqual([status.status, status.names.origin, status.names.hosts], ["ok", "files", 1]);
  assert.deepEqual(status.fastPath, { state: "on", reason: "" });
  assert.equal((await fixture.get("/healthz/ready")).status, 200);
  const metrics = await (await fixture.get("/metrics")).text();
  assert.match(metrics, /^outrigger_names_hosts 1$/m);
  assert.match(metrics, /^outrigger_dns_answers_total\{source="mesh",rcode="NOERROR"\} 3$/m);
  assert.match(metrics, /^istio_agent_dns_requests_total 5$/m);
  const lookup = await (await fixture.get("/api/v1/lookup?name=reviews&type=A")).json();
  assert.deepEqual(lookup.answers, ["reviews. 30 IN A 10.0.0.7"]);
  assert.deepEqual(lookup.why, ['short form of "reviews.ns1.svc.cluster.local"']);
  const names = await (await fixture.get("/api/v1/names?pattern=rev*")).json();
  assert.deepEqual([names.total, names.names[0].addresses], [1, ["10.0.0.7"]]);
});

test("serves the control plane's names, without it too, and from the disk after a restart", async () => {
  await using plane = await FakeControlPlane.start(systemClock);
  plane.response = () => FakeControlPlane.table([serviceEntry("a.ns1", ["10.0.0.1"])]);
  await using fixture = await AgentFixture.make();
  const { directory } = fixture;
  Object.assign(fixture.config, {
    "controlPlane.addresses": [plane.address],
    "controlPlane.rootCert": await directory.write("root.pem", plane.authority.rootCertificate),
    "controlPlane.token": await directory.write("token", "good-token"),
  });
  plane.tokens.clear();
  await fixture.start();
  assert.equal(await fixture.ask("a.ns1.svc.cluster.local"), "SERVFAIL");
  assert.equal(await fixture.ask("www.example.org.ns1.svc.cluster.local"), "NXDOMAIN");
  const waiting = await fixture.get("/healthz/ready");
  assert.equal(waiting.status, 503);
  assert.match(await waiting.text(), /names: the first name table/);
  plane.tokens.add("good-token");
  await until(async () => await fixture.ask("a.ns1") === "10.0.0.1", "the name");
  plane.send(FakeControlPlane.table([serviceEntry("b.ns1", ["10.0.0.1"])], "2"));
  await until(async () => await fixture.ask("b.ns1") === "10.0.0.1", "the push");
  assert.equal(await fixture.ask("a.ns1.svc.cluster.local"), "NXDOMAIN");
  plane.stop();
  await until(() => fixture.agent.status().controlPlane!.state !== "connected", "the loss");
  assert.equal(await fixture.ask("b.ns1"), "10.0.0.1");
  assert.equal(fixture.agent.status().status, "degraded");
  await fixture.stop();
  await fixture.start();
  assert.equal(await fixture.ask("b.ns1"), "10.0.0.1");
  assert.equal(fixture.agent.status().names.origin, "disk");
  assert.equal((await fixture.get("/healthz/ready")).status, 200);
});

test("forgets cached answers when it is told to on its control socket", async () => {
  await using fixture = await AgentFixture.make();
  fixture.config["names.files"] = [
    await fixture.directory.write("mesh.yaml", service("a", "10.0.0.1")),
  ];
  await fixture.start();
  const controlSocket = `${fixture.directory.path}/state/control.sock`;
  await until(() => fixture.agent.status().controlSocket === controlSocket, "the control socket");
  const flush = async (socket: string) => {
    const target = "/v1/cache/flush?name=example.org";
    return await (await fetchUnix(socket, target, { method: "POST", timeoutMs: 3_000 })).json();
  };
  await fixture.ask("www.example.org");
  await fixture.ask("www.example.org");
  assert.deepEqual(await flush(controlSocket), { name: "example.org", flushed: 1 });
  await fixture.ask("www.example.org");
  assert.equal(fixture.upstreamQueries.length, 2);
  const { lookups } = fixture.agent.status().cache;
  assert.deepEqual([lookups.positive, lookups.miss], [1, 2]);
  const metrics = await (await fixture.get("/metrics")).text();
  assert.match(metrics, /^outrigger_cache_lookups_total\{result="positive"\} 1$/m);
  const moved = `${fixture.directory.path}/moved.sock`;
  await fixture.reload({ "control.socket": moved, "cache.maxBytes": "1MiB" });
  assert.equal((await flush(moved)).flushed, 1);
  assert.equal(fixture.agent.status().cache.maxBytes, 1024 * 1024);
  await assert.rejects(flush(controlSocket), { code: "ENOENT" });
  await fixture.reload({ "control.socket": "/dev/null/control.sock" });
  assert.equal(fixture.agent.status().controlSocket, "");
  assert.equal(await fixture.ask("a.ns1"), "10.0.0.1");
  await fixture.stop();
  await assert.rejects(flush(moved), { code: "ENOENT" });
});

test("reloads its configuration, and refuses a bad one whole", async () => {
  await using fixture = await AgentFixture.make();
  const { directory } = fixture;
  fixture.config["names.files"] = [await directory.write("mesh.yaml", service("a", "10.0.0.1"))];
  await fixture.start();
  const [before] = fixture.agent.dnsAddresses;
  await fixture.reload({ "names.exclude": ["a.ns1.svc.cluster.local"] });
  assert.equal(await fixture.ask("a.ns1.svc.cluster.local"), "NXDOMAIN");
  const bad: [string, Record<string, unknown>, RegExp][] = [
    [
      "a wrong value",
      { "dns.autoAllocated": "maybe", "names.exclude": [] },
      /must be one of auto, serve, forward/,
    ],
    ["an address that is taken", {
      "dns.autoAllocated": "auto",
      "dns.listen": [formatSocketAddress(fixture.upstream.local)],
      "dns.upstreams": ["192.0.2.1"],
    }, /Another program has the port/],
    ["a loop", {
      "dns.listen": [formatSocketAddress(before)],
      "dns.upstreams": [formatSocketAddress(before)],
    }, /Refuse to forward in a loop/],
  ];
  for (const [title, config, reason] of bad) {
    await fixture.reload(config);
    const [problem] = fixture.agent.status().problems;
    assert.equal(problem.code, "CONFIG_REFUSED", title);
    assert.match(problem.message, reason, title);
    assert.deepEqual(fixture.agent.dnsAddresses, [before], title);
    assert.equal(await fixture.ask("a.ns1.svc.cluster.local"), "NXDOMAIN", title);
    assert.equal(
      await fixture.ask(`${title.replaceAll(" ", "-")}.example.org`),
      "203.0.113.9",
      title,
    );
  }
  await fixture.reload({
    "dns.listen": ["127.0.0.2:0"],
    "dns.upstreams": [formatSocketAddress(fixture.upstream.local)],
    "names.exclude": [],
  });
  assert.deepEqual(fixture.problems, []);
  assert.equal(fixture.agent.dnsAddresses[0].address, "127.0.0.2");
  assert.equal(await fixture.ask("a.ns1.svc.cluster.local"), "10.0.0.1");
});

test("asks the servers of a domain, and leaves out one that leads back to it", async () => {
  await using fixture = await AgentFixture.make();
  fixture.config["names.files"] = [
    await fixture.directory.write("mesh.yaml", service("a", "10.0.0.1")),
  ];
  // A forwarder whose own server is this agent.
  const forwarder: UdpSocket = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
    onMessage: (message) => forwarder.send(message, fixture.agent.dnsAddresses[0]),
    onError() {},
  });
  fixture.config["dns.forward"] = { "corp.example": formatSocketAddress(fixture.upstream.local) };
  fixture.config["dns.upstreams"] = [formatSocketAddress(forwarder.local)];
  await fixture.start();
  await until(() => fixture.problems.includes("UPSTREAM_LOOP"), "the loop", 5_000);
  assert.equal(await fixture.ask("www.corp.example"), "203.0.113.9");
  assert.deepEqual(fixture.upstreamQueries, ["www.corp.example A"]);
  assert.equal(await fixture.ask("www.example.org"), "SERVFAIL");
  await fixture.reload({ "dns.upstreams": [formatSocketAddress(fixture.upstream.local)] });
  await until(() => !fixture.problems.includes("UPSTREAM_LOOP"), "the way out", 5_000);
  assert.equal(await fixture.ask("www.example.org"), "203.0.113.9");
  forwarder.close();
});

test("keeps its static names when their file breaks", async () => {
  await using fixture = await AgentFixture.make();
  const path = await fixture.directory.write("mesh.yaml", service("a", "10.0.0.1"));
  fixture.config["names.files"] = [path];
  await fixture.start();
  await Deno.writeTextFile(path, service("a", "10.0.0.2").slice(0, 30));
  await fixture.agent.reload();
  assert.deepEqual(fixture.problems, ["NAMES_FILE_INVALID"]);
  assert.match(fixture.agent.status().problems[0].message, /mesh\.yaml:\d+: not YAML/);
  assert.equal(await fixture.ask("a.ns1"), "10.0.0.1");
  await Deno.writeTextFile(path, service("a", "10.0.0.2"));
  await fixture.agent.reload();
  assert.deepEqual(fixture.problems, []);
  assert.equal(await fixture.ask("a.ns1"), "10.0.0.2");
});

test("leaves automatic VIPs upstream where no Envoy makes them reachable", async () => {
  await using fixture = await AgentFixture.make();
  const vip =
    "kind: ServiceEntry\nmetadata: { name: db }\nspec: { hosts: [db.example.org], addresses: [240.240.0.1] }\n";
  fixture.config["names.files"] = [await fixture.directory.write("mesh.yaml", vip)];
  await fixture.start();
  assert.equal(await fixture.ask("db.example.org"), "203.0.113.9");
  await fixture.reload({ "dns.autoAllocated": "serve" });
  assert.equal(await fixture.ask("db.example.org"), "240.240.0.1");
  await fixture.reload({ "dns.autoAllocated": "forward" });
  assert.equal(await fixture.ask("db.example.org"), "203.0.113.9");
});

test("says at its start which address it cannot have, and which server is itself", async () => {
  await using fixture = await AgentFixture.make();
  fixture.config["names.files"] = [
    await fixture.directory.write("mesh.yaml", service("a", "10.0.0.1")),
  ];
  fixture.config["dns.listen"] = [formatSocketAddress(fixture.upstream.local)];
  fixture.config["dns.upstreams"] = ["192.0.2.1"];
  await assert.rejects(
    fixture.start(),
    /Listen on udp 127\.0\.0\.1:\d+ for DNS: .*Another program has the port/,
  );
  fixture.config["dns.upstreams"] = fixture.config["dns.listen"];
  await assert.rejects(fixture.start(), /Refuse to forward in a loop/);
});

test("answers what is in flight when it is told to end", async () => {
  await using fixture = await AgentFixture.make();
  fixture.config["names.files"] = [
    await fixture.directory.write("mesh.yaml", service("a", "10.0.0.1")),
  ];
  const slow: UdpSocket = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
    onMessage: (message, from) => {
      const { id, questions } = readMessage(message);
      const { name } = questions![0];
      if (name !== "slow.example.org") return;
      fixture.handlers.get("SIGTERM")!();
      systemClock.schedule(
        200,
        () =>
          slow.send(
            answerMessage({
              id,
              name,
              questionType: "A",
              answers: [{ type: "A", name, ttl: 1, data: "203.0.113.1" }],
            }),
            from,
          ),
      );
    },
    onError() {},
  });
  fixture.config["dns.upstreams"] = [formatSocketAddress(slow.local)];
  await fixture.start();
  assert.equal(await fixture.ask("slow.example.org"), "203.0.113.1");
  slow.close();
});
