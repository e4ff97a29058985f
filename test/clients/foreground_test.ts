import assert from "node:assert/strict";
import { join } from "node:path";
import { askServer } from "../../agent/commands/dns_stub.ts";
import type { StatusReport } from "../../agent/health/api.ts";
import { systemWorld } from "../../agent/system/world.ts";
import { Child, freePorts, runToEnd } from "../support/child_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

/** Nobody, with an empty environment. */
const AS_NOBODY = [
  ...["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"],
  ...["env", "-i"],
];
const MESH = JSON.stringify({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "productpage", namespace: "ns1" },
  spec: { clusterIP: "10.96.1.1", ports: [{ port: 9080 }] },
});

Deno.test("outrigger run with only flags joins a control plane, as an ordinary user without an environment", async () => {
  const source = Deno.env.get("BINARY_UNDER_TEST") ||
    join(import.meta.dirname!, "../../dist/outrigger");
  await using directory = await TemporaryDirectory.make();
  const at = (name: string) => join(directory.path, name);
  const binary = at("outrigger");
  await Deno.copyFile(source, binary);
  await directory.write("mesh/services.yaml", MESH);
  await Deno.mkdir(at("work"));
  await Deno.chmod(directory.path, 0o755);
  await Deno.chmod(at("work"), 0o777);
  const [grpc, dns, health] = await freePorts(3);
  const start = (args: string[], log: string) =>
    new Child("setpriv", {
      cwd: at("work"),
      logPath: at(log),
      args: [...AS_NOBODY, `TMPDIR=${at("work")}`, binary, ...args],
    });

  await using plane = start([
    ...["control-plane", "--config-dir", at("mesh"), "--state-dir", "plane"],
    ...["--grpc-listen", `127.0.0.1:${grpc}`],
  ], "plane.log");
  const root = at("work/plane/root-cert.pem");
  await plane.until(async () => (await Deno.stat(root)).isFile || undefined, "a root certificate");
  const token = await runToEnd("setpriv", [
    ...[
      ...AS_NOBODY,
      `TMPDIR=${at("work")}`,
      binary,
      "control-plane",
      "token",
      "create",
      "--token-only",
    ],
    ...["--namespace", "ns1", "--service-account", "vm", "--state-dir", at("work/plane")],
  ]);
  await directory.write("work/token", token);

  await using agent = start([
    ...["run", "--control-plane", `127.0.0.1:${grpc}`, "--root-cert", "plane/root-cert.pem"],
    ...["--token", "token", "--state-dir", "state", "--upstream", "192.0.2.1"],
    ...["--dns-listen", `127.0.0.1:${dns}`, "--health-listen", `127.0.0.1:${health}`],
  ], "agent.log");
  const status = await agent.until(
    async () => {
      const response = await fetch(`http://127.0.0.1:${health}/api/v1/status`);
      const status: StatusReport = await response.json();
      return status.waitingFor.length === 0 && status.names.hosts > 0 ? status : undefined;
    },
    "the agent is ready",
    30_000,
  );
  assert.equal(status.names.origin, "control-plane");
  assert.equal(status.fastPath.state, "on");
  const server = { address: "127.0.0.1", port: dns };
  const question = { name: "productpage.ns1.svc.cluster.local", type: "A" };
  assert.deepEqual((await askServer(server, question, systemWorld())).data, ["10.96.1.1"]);

  await agent.end("SIGTERM");
  // In its own folder, and nowhere else.
  const left = await Array.fromAsync(Deno.readDir(at("work")), ({ name }) => name);
  assert.deepEqual(left.sort(), ["plane", "state", "token"]);
  const state = await Array.fromAsync(Deno.readDir(at("work/state")), ({ name }) => name);
  assert.deepEqual(state.sort(), ["credentials.json", "name-table.bin"]);
});
