import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { FakeControlPlane } from "../../test/support/fake_control_plane.ts";
import { serviceEntry } from "../../test/support/host_entries.ts";
import { testMeshClient } from "../../test/support/mesh_client_fixture.ts";
import { type Files, systemFiles } from "../system/files.ts";
import { NAME_TABLE_TYPE_URL } from "./protocol.ts";
import { SavedTable } from "./saved_table.ts";

testMeshClient(
  "joins by token, keeps its credentials for itself, and subscribes",
  async (fixture) => {
    const { plane, directory } = fixture;
    await fixture.start();
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    assert.deepEqual(plane.certificateRequests, [{ token: "good-token", certificate: false }]);
    assert.equal(fixture.certificate.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
    assert.equal(fixture.client.status().controlPlane.state, "connected");
    assert.deepEqual(fixture.problems, []);
    const path = `${directory.path}/state/credentials.json`;
    // A certificate is in force before it is on disk.
    await fixture.until(async () => await systemFiles.stat(path) !== undefined, "the credentials");
    const stored = await Deno.stat(path);
    assert.equal(stored.mode! & 0o777, 0o600);
    const [first] = plane.discoveryRequests;
    assert.equal(first.typeUrl, NAME_TABLE_TYPE_URL);
    assert.equal(first.node!.id, "sidecar~192.0.2.10~vm-1.vm~vm.svc.cluster.local");
    assert.deepEqual(first.node!.metadata, {
      NAME: "vm-1",
      NAMESPACE: "vm",
      SERVICE_ACCOUNT: "vm-sa",
      CLUSTER_ID: "Kubernetes",
      INSTANCE_IPS: "192.0.2.10,2001:db8::10",
      LABELS: { app: "db" },
      ISTIO_VERSION: first.node!.metadata!.ISTIO_VERSION,
      ISTIO_REVISION: "default",
      DNS_CAPTURE: "true",
      DNS_AUTO_ALLOCATE: "true",
    });
    await fixture.until(() => plane.discoveryRequests.length === 2, "an ACK");
    const ack = plane.discoveryRequests[1];
    assert.deepEqual([ack.versionInfo, ack.responseNonce, ack.errorDetail], ["1", "n1", null]);
  },
);

testMeshClient("goes on from memory where its folder cannot be written", async (fixture) => {
  const { directory } = fixture;
  // A file where the folder should be: also root cannot write there.
  await directory.write("state", "");
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  await fixture.until(() => fixture.problems.includes("STATE_NOT_WRITABLE"), "the problem", 1_000);
  assert.equal(fixture.certificate.state, "valid");
});

testMeshClient(
  "refuses tables that are none, keeps the last good one, and takes the next",
  async (fixture) => {
    const { plane } = fixture;
    await fixture.start();
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    const good = FakeControlPlane.table([serviceEntry("b.ns1", ["10.0.0.1"])], "9").resources[0];
    const bad = [
      FakeControlPlane.push([{ ...good, value: good.value.slice(0, -4) }], "2"),
      FakeControlPlane.push([], "3"),
      FakeControlPlane.push([good, good], "4"),
      FakeControlPlane.push([{ ...good, typeUrl: "type.googleapis.com/other" }], "5"),
    ];
    for (const response of bad) {
      const before = plane.discoveryRequests.length;
      plane.send(response);
      await fixture.until(() => plane.discoveryRequests.length > before, "a NACK");
      const nack = plane.discoveryRequests.at(-1)!;
      assert.equal(nack.errorDetail?.code, 3);
      assert.deepEqual([nack.versionInfo, nack.responseNonce], ["1", response.nonce]);
    }
    assert.ok(fixture.problems.includes("NAME_TABLE_REFUSED"));
    assert.equal(fixture.pushes.length, 1);
    plane.send(FakeControlPlane.table([serviceEntry("b.ns1", ["10.0.0.1"])], "6"));
    await fixture.until(() => fixture.pushes.length === 2, "the next table");
    assert.deepEqual(fixture.problems, []);
    fixture.verdict = () => false;
    plane.send(FakeControlPlane.table([serviceEntry("c.ns1", ["10.0.0.1"])], "7"));
    await fixture.until(
      () => fixture.problems.includes("NAME_TABLE_REFUSED"),
      "a refusal from above",
    );
  },
);

testMeshClient("takes 100,000 names in one push", async (fixture) => {
  const entries = Array.from(
    { length: 100_000 },
    (_, i) => serviceEntry(`svc-${i}.ns-${i % 100}`, ["10.0.0.1"]),
  );
  fixture.plane.response = () => FakeControlPlane.table(entries);
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "the table");
  assert.equal(fixture.pushes[0].entries.length, 100_000);
});

testMeshClient(
  "comes back after a crash and after an orderly end of the control plane",
  async (fixture) => {
    const { plane } = fixture;
    let version = 0;
    plane.response = () =>
      FakeControlPlane.table([serviceEntry("a.ns1", ["10.0.0.1"])], String(++version));
    await fixture.start();
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    plane.stop();
    await fixture.until(
      () => fixture.problems.includes("CONTROL_PLANE_UNREACHABLE"),
      "the problem",
      500,
    );
    await plane.listen();
    await fixture.until(() => fixture.pushes.length === 2, "a table after the crash", 500);
    assert.deepEqual(fixture.problems, []);
    assert.equal(plane.discoveryRequests.findLast(({ node }) => node)!.versionInfo, "1");
    await plane.retire();
    await plane.listen();
    await fixture.until(() => fixture.pushes.length === 3, "a table after the end", 500);
  },
);

testMeshClient("notices a connection that is silently gone, and opens another", async (fixture) => {
  const { plane } = fixture;
  // Between the two stands a proxy that one day forwards nothing more, and closes nothing.
  const port = Number(plane.address.split(":")[1]);
  const connections = new Set<{ frozen: boolean }>();
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const connection = { frozen: false };
    connections.add(connection);
    const server = connect(port, "127.0.0.1");
    sockets.push(client, server);
    const pipe = (from: Socket, to: Socket) => {
      from.on("data", (chunk: Uint8Array) => connection.frozen || to.write(chunk));
      from.on("error", () => {}).on("close", () => connection.frozen || to.destroy());
    };
    pipe(client, server);
    pipe(server, client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  await fixture.start({
    keepalive: { timeMs: 100, timeoutMs: 100 },
    controlPlane: {
      ...fixture.controlPlane,
      addresses: [`127.0.0.1:${(proxy.address() as { port: number }).port}`],
    },
  });
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  for (const connection of connections) connection.frozen = true;
  await fixture.until(() => fixture.pushes.length === 2, "a table on another connection", 100);
  await fixture.stop();
  for (const socket of sockets) socket.destroy();
  proxy.close();
});

testMeshClient("goes on to the next address", async (fixture) => {
  const { plane } = fixture;
  await fixture.start({
    controlPlane: {
      ...fixture.controlPlane,
      addresses: ["127.0.0.1:1", "absent.example:15012", plane.address],
    },
  });
  await fixture.until(() => fixture.pushes.length === 1, "a table", 500);
  assert.equal(fixture.client.status().controlPlane.address, plane.address);
});

testMeshClient(
  "finds the control plane's name in the hosts file, and at the upstream servers",
  async (fixture) => {
    const { plane, directory } = fixture;
    plane.response = () => FakeControlPlane.table([serviceEntry("a.ns1", ["10.0.0.1"])]);
    const port = plane.address.split(":")[1];
    const asked: string[] = [];
    const controlPlane = {
      ...fixture.controlPlane,
      addresses: [`istiod.example.org:${port}`],
      hostsPath: await directory.write("hosts", "127.0.0.1 other ISTIOD.example.org # east-west\n"),
    };
    const resolveHost = (name: string) => {
      asked.push(name);
      return Promise.resolve(["127.0.0.1"]);
    };
    await fixture.start({ controlPlane, resolveHost });
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    assert.equal(asked.length, 0);
    await fixture.stop();
    await directory.write("hosts", "");
    await fixture.start({ controlPlane, resolveHost });
    await fixture.until(() => fixture.pushes.length === 3, "a table");
    assert.ok(asked.includes("istiod.example.org"));
  },
);

testMeshClient(
  "serves the saved table at once after a restart, and passes a damaged one over",
  async (fixture) => {
    const { plane, directory } = fixture;
    plane.response = () => FakeControlPlane.table([serviceEntry("a.ns1", ["10.0.0.1"])], "41");
    await fixture.start();
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    await fixture.stop();
    plane.stop();
    await fixture.start();
    const restored = fixture.pushes.at(-1)!;
    assert.deepEqual([restored.origin, restored.version, restored.entries[0].host], [
      "disk",
      "41",
      "a.ns1.svc.cluster.local",
    ]);
    await fixture.stop();
    const path = `${directory.path}/state/name-table.bin`;
    const whole = await Deno.readFile(path);
    const damages: [string, Uint8Array<ArrayBuffer>][] = [
      ["empty", new Uint8Array(0)],
      ["cut short", whole.slice(0, -1)],
      ["cut in the header", whole.slice(0, 20)],
      ["one bit", whole.map((octet, i) => i === whole.length - 3 ? octet ^ 1 : octet)],
    ];
    for (const [title, bytes] of damages) {
      await Deno.writeFile(path, bytes);
      const before = fixture.pushes.length;
      await fixture.start();
      assert.ok(fixture.problems.includes("SAVED_TABLE_DAMAGED"), title);
      assert.equal(fixture.pushes.length, before, title);
      await fixture.stop();
    }
    // Kept as it should be, and yet no name table.
    const saved = new SavedTable({
      stateDir: `${directory.path}/state`,
      files: systemFiles,
      clock: fixture.clock,
    });
    saved.save({ bytes: Uint8Array.of(0x0a, 0x7f), version: "42", receivedAtMs: 0 });
    await saved.flush();
    const before = fixture.pushes.length;
    await fixture.start();
    assert.deepEqual([fixture.problems[0], fixture.pushes.length], ["SAVED_TABLE_DAMAGED", before]);
  },
);

testMeshClient("goes on from memory when the disk is full, and says so", async (fixture) => {
  let full = true;
  const files: Files = {
    ...systemFiles,
    writeAtomic: (...parameters) =>
      full
        ? Promise.reject(new Error("No space left on device (os error 28)"))
        : systemFiles.writeAtomic(...parameters),
  };
  await fixture.start({ files });
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  await fixture.until(() => fixture.problems.includes("STATE_NOT_WRITABLE"), "the problem");
  assert.match(fixture.client.status().problems[0].message, /No space left on device/);
  full = false;
  fixture.plane.send(FakeControlPlane.table([serviceEntry("b.ns1", ["10.0.0.1"])], "2"));
  const path = `${fixture.directory.path}/state/name-table.bin`;
  await fixture.until(async () => await systemFiles.stat(path) !== undefined, "the table", 500);
});

testMeshClient(
  "tells the control plane anew who it is when its addresses change",
  async (fixture) => {
    const { plane } = fixture;
    await fixture.start();
    await fixture.until(() => fixture.pushes.length === 1, "a table");
    fixture.client.announce();
    fixture.node = { ...fixture.node, addresses: ["192.0.2.77"] };
    fixture.client.announce();
    await fixture.until(() => fixture.pushes.length === 2, "a table for the new addresses", 1_000);
    const told = plane.discoveryRequests.filter(({ node }) => node)
      .map(({ node }) => node!.metadata!.INSTANCE_IPS);
    assert.deepEqual(told, ["192.0.2.10,2001:db8::10", "192.0.2.77"]);
    assert.deepEqual(fixture.problems, []);
    assert.equal(plane.streams.size, 1);
  },
);

testMeshClient("registers with its WorkloadGroup only where it is told to", async (fixture) => {
  const { plane } = fixture;
  fixture.node = { ...fixture.node, workloadGroup: "vms" };
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  fixture.node = { ...fixture.node, register: true };
  fixture.client.announce();
  await fixture.until(() => fixture.pushes.length === 2, "a second stream", 1_000);
  const told = plane.discoveryRequests.filter(({ node }) => node)
    .map(({ node }) => [node!.metadata!.WORKLOAD_NAME, node!.metadata!.AUTO_REGISTER_GROUP]);
  assert.deepEqual(told, [["vms", undefined], ["vms", "vms"]]);
});

testMeshClient("asks a certificate service of its own, under its own name", async (fixture) => {
  const { plane } = fixture;
  const nobody = "127.0.0.1:1";
  await fixture.start({
    controlPlane: {
      ...fixture.controlPlane,
      addresses: [nobody],
      certificateService: { address: plane.address, serverName: "istiod.istio-system.svc" },
    },
  });
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
  assert.equal(plane.certificateRequests.length, 1);
  await fixture.until(() => fixture.problems.includes("CONTROL_PLANE_UNREACHABLE"), "the problem");
  assert.equal(fixture.client.status().controlPlane.address, nobody);
});
