import assert from "node:assert/strict";
import { cacheLimits, controlSocketPath, listenAddresses, mayBePrivate } from "./agent_settings.ts";
import { CACHE_DEFAULTS } from "./cache/answer_cache.ts";
import { type Config, configSchema } from "./config/config.ts";

const config = (text: Record<string, unknown>) => configSchema.parse(text) as Config;

Deno.test("cacheLimits() of a configuration without any are the cache's own", () => {
  assert.deepEqual(cacheLimits(config({})), CACHE_DEFAULTS);
});

Deno.test("cacheLimits() turns durations to seconds", () => {
  const cache = { minTtl: "5s", maxTtl: "1h", serveStale: "off", prefetch: false };
  assert.deepEqual(cacheLimits(config({ cache })), {
    maxBytes: CACHE_DEFAULTS.maxBytes,
    minTtlSeconds: 5,
    maxTtlSeconds: 3_600,
    staleSeconds: 0,
    prefetch: false,
  });
});

Deno.test("controlSocketPath() is in the state folder unless told otherwise", () => {
  const stateDir = "/var/lib/outrigger";
  assert.equal(controlSocketPath(config({ stateDir })), "/var/lib/outrigger/control.sock");
  assert.equal(controlSocketPath(config({ stateDir, control: { socket: "/run/o" } })), "/run/o");
});

Deno.test("mayBePrivate() is for all names, or with rebindProtection for those that are exempt", () => {
  assert.equal(mayBePrivate(config({}), "www.example.org"), true);
  const dns = { rebindProtection: true, rebindExempt: ["example.net"] };
  const cases: [string, boolean][] = [
    ["www.example.org", false],
    ["nas.example.net", true],
    ["example.net", true],
    ["notexample.net", false],
  ];
  for (const [name, may] of cases) {
    assert.equal(mayBePrivate(config({ dns }), name), may, name);
  }
});

Deno.test("listenAddresses() are the configuration's, and those of sockets that were handed over", () => {
  const local = { address: "127.0.0.15", port: 53 };
  assert.deepEqual(
    listenAddresses(config({}), [{ fd: 3, kind: "udp", local }, { fd: 4, kind: "tcp", local }]),
    [{ address: "127.0.0.1", port: 15053 }, local, local],
  );
});
