import assert from "node:assert/strict";
import { statusReport } from "../../test/support/doctor_facts.ts";
import type { LookupReport, NamesReport } from "./api.ts";
import { HealthListenError } from "./errors.ts";
import { healthHandler, HealthServer, type HealthSources } from "./health_server.ts";
import { Readiness } from "./readiness.ts";

function sources(readiness = new Readiness()): HealthSources {
  return {
    readiness,
    metrics: { expose: () => Promise.resolve({ contentType: "text/plain", body: "a 1\n" }) },
    status: () => statusReport(),
    names: (options) => ({ total: 0, names: [], ...options }) as unknown as NamesReport,
    lookup: (name, type) => Promise.resolve({ name, type: String(type) } as LookupReport),
  };
}

async function get(path: string, init: RequestInit & { host?: string } = {}) {
  const request = new Request(`http://127.0.0.1:15054${path}`, {
    ...init,
    headers: { host: init.host ?? "127.0.0.1:15054" },
  });
  const response = await healthHandler(sources())(request);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

Deno.test("healthHandler() answers its routes", async (t) => {
  const cases: [string, number, string | RegExp][] = [
    ["/healthz/live", 200, "ok\n"],
    ["/healthz/ready", 200, "ready\n"],
    ["/metrics", 200, "a 1\n"],
    ["/api/v1/status", 200, /"status": "ok"/],
    ["/api/v1/names?pattern=a*&limit=5", 200, /"pattern": "a\*",\s+"limit": 5/],
    ["/api/v1/names", 200, /"limit": 1000/],
    ["/api/v1/names?limit=x", 400, /limit \\"x\\" is not a whole number/],
    ["/api/v1/lookup?name=Example.ORG.&type=aaaa", 200, /"name": "example.org",\s+"type": "28"/],
    ["/api/v1/lookup?name=a..b", 400, /not a domain name/],
    ["/api/v1/lookup", 400, /not a domain name/],
    ["/api/v1/lookup?name=a&type=zzz", 400, /not a record type/],
    ["/", 200, /^<!doctype html>[^]*<a href="\/healthz\/live">/],
    ["/nothing", 404, /\/healthz\/live/],
  ];
  for (const [path, status, body] of cases) {
    await t.step(path, async () => {
      const response = await get(path);
      assert.equal(response.status, status);
      if (typeof body === "string") assert.equal(response.body, body);
      else assert.match(response.body, body);
      assert.equal(response.headers.get("cache-control"), "no-store");
    });
  }
});

Deno.test("healthHandler() shows people a page that loads and runs nothing", async () => {
  const { headers, body } = await get("/");
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(headers.get("content-security-policy")!, /^default-src 'none'/);
  assert.doesNotMatch(body, /<script|\son\w+=|src=|@import|url\(|http-equiv/i);
});

Deno.test("healthHandler() only reads", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const response = await get("/api/v1/status", { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
  }
});

Deno.test("healthHandler() refuses foreign Host headers", async (t) => {
  const cases: [string, number][] = [
    ["127.0.0.1", 200],
    ["127.0.0.1:15054", 200],
    ["[::1]:15054", 200],
    ["localhost:1", 200],
    ["LOCALHOST", 200],
    ["192.0.2.1:15054", 200],
    ["rebind.example.org", 421],
    ["rebind.example.org:15054", 421],
    ["localhost.example.org", 421],
    ["127.0.0.1.example.org", 421],
    ["", 421],
  ];
  for (const [host, status] of cases) {
    await t.step(host, async () => {
      // A Request may not carry a Host of its own choice: a header bag stands in for the socket's.
      const request = {
        url: "http://x/healthz/live",
        method: "GET",
        headers: new Map([["host", host]]),
      };
      const response = await healthHandler(sources())(request as unknown as Request);
      assert.equal(response.status, status);
    });
  }
});

Deno.test("Readiness says what is waited for", async () => {
  const readiness = new Readiness();
  const dns = readiness.task("dns", "the DNS listeners");
  const names = readiness.task("names", "the first name table");
  const handler = healthHandler(sources(readiness));
  const ask = () => handler(new Request("http://127.0.0.1/healthz/ready"));
  const waiting = await ask();
  assert.equal(waiting.status, 503);
  assert.equal(
    await waiting.text(),
    "waiting for\n  dns: the DNS listeners\n  names: the first name table\n",
  );
  dns.done();
  dns.done();
  assert.deepEqual(readiness.waitingFor(), ["names: the first name table"]);
  names.done();
  assert.equal((await ask()).status, 200);
});

Deno.test("HealthServer serves on a socket, and names an address that is taken", async () => {
  const server = new HealthServer({ address: "127.0.0.1", port: 0 }, sources());
  try {
    const response = await fetch(`http://127.0.0.1:${server.local.port}/healthz/live`);
    assert.equal(await response.text(), "ok\n");
    assert.throws(
      () => new HealthServer(server.local, sources()),
      (error: unknown) =>
        error instanceof HealthListenError && /--health-listen/.test(error.message),
    );
  } finally {
    await server.close();
  }
});
