import assert from "node:assert/strict";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { until } from "../test/support/until.ts";
import { Agent } from "./app.ts";
import { loadConfig } from "./config/load_config.ts";
import { silentLog } from "./system/log.ts";
import { systemFiles } from "./system/files.ts";
import type { ServiceNotice } from "./system/service_manager.ts";

/** An agent that a service manager started. */
async function startAgent(config: Record<string, unknown>) {
  const notices: ServiceNotice[] = [];
  const values: Record<string, unknown> = {
    "dns.listen": ["127.0.0.1:0"],
    "dns.upstreams": ["127.0.0.1:9"],
    "health.listen": "127.0.0.1:0",
    ...config,
  };
  const load = () =>
    loadConfig({
      file: "test.yaml",
      environment: {},
      flags: Object.entries(values).map(([key, value]) => ({
        path: key.split("."),
        value,
        source: key,
      })),
      hostname: "vm-1",
      files: {
        readText: (path) => path === "test.yaml" ? Promise.resolve("") : systemFiles.readText(path),
        stat: systemFiles.stat,
      },
    });
  const agent = new Agent({
    config: await load(),
    reload: load,
    log: silentLog,
    service: { notify: (notice) => void notices.push(notice) },
    process: {
      environment: () => ({}),
      hostname: () => "vm-1",
      onSignal: () => () => {},
      residentBytes: () => 1,
    },
  });
  await agent.start();
  await until(() => notices.some(({ event }) => event === "ready"), "readiness");
  return { agent, notices, values };
}

/** fetch and grpc-js keep timers and sockets for a moment. */
function test(title: string, body: () => Promise<void>): void {
  Deno.test({ name: `Agent ${title}`, sanitizeOps: false, sanitizeResources: false, fn: body });
}

test("tells the service manager of its life", async () => {
  await using directory = await TemporaryDirectory.make();
  const { agent, notices, values } = await startAgent({
    "stateDir": directory.path,
    "names.files": [await directory.write("mesh.yaml", "")],
  });
  await agent.reload();
  values["dns.autoAllocated"] = "maybe";
  await agent.reload();
  await agent.stop();
  assert.deepEqual(
    notices.map(({ event }) => event),
    [undefined, "ready", "reloading", "ready", "reloading", "ready", "stopping"],
  );
  const [starting, ready, , , , refused] = notices;
  assert.deepEqual(starting, { status: "Starting", extendMs: 15_000 });
  assert.equal(ready.status, "Serving DNS; names of the mesh: 0");
  assert.match(refused.status!, /; The new configuration was refused/);
});

test("is ready for the service manager before its first table: a boot waits for that", async () => {
  await using directory = await TemporaryDirectory.make();
  const { agent, notices } = await startAgent({
    "stateDir": directory.path,
    "controlPlane.addresses": ["127.0.0.1:9"],
    "controlPlane.rootCert": await directory.write("root.pem", ""),
    "controlPlane.token": await directory.write("token", ""),
  });
  assert.deepEqual(agent.status().waitingFor, ["names: the first name table"]);
  const { status } = notices.find(({ event }) => event === "ready")!;
  assert.match(status!, /Waiting for names: the first name table/);
  await agent.stop();
});
