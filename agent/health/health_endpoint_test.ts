import assert from "node:assert/strict";
import { formatSocketAddress } from "../system/socket_address.ts";
import { HealthEndpoint } from "./health_endpoint.ts";
import { Readiness } from "./readiness.ts";

Deno.test("HealthEndpoint.replace() moves when all else could be replaced, and else stays", async () => {
  const endpoint = new HealthEndpoint({
    readiness: new Readiness(),
    metrics: { expose: () => assert.fail() },
    status: () => assert.fail(),
    names: () => assert.fail(),
    lookup: () => assert.fail(),
  });
  let calls = 0;
  const others = () => Promise.resolve(void calls++);
  const fails = () => Promise.reject(new Error("no"));
  const local = () => endpoint.local && formatSocketAddress(endpoint.local);
  await assert.rejects(endpoint.replace("127.0.0.1:0", fails), { message: "no" });
  assert.equal(local(), undefined);
  await endpoint.replace("127.0.0.1:0", others);
  const first = local()!;
  await endpoint.replace("127.0.0.1:0", others);
  const second = `[::1]:${endpoint.local!.port}`;
  await assert.rejects(endpoint.replace(second, fails), { message: "no" });
  assert.equal(local(), first);
  // What could not be put in force was closed again.
  await endpoint.replace(second, others);
  assert.equal(local(), second);
  assert.equal(calls, 3);
  await endpoint.close();
});
