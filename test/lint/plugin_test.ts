import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import plugin from "./plugin.ts";

const HEADER = "/** Owns it.\n * @module\n */\n";

function complaints(path: string, source: string): string[] {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  return Deno.lint.runPlugin(plugin, file, source).map(({ id, message }) => `${id}: ${message}`);
}

Deno.test("outrigger/layers holds the rank table", async (t) => {
  const cases: [string, string, boolean][] = [
    ["agent/names/a.ts", 'import { x } from "../dns/name.ts";', true],
    ["agent/names/a.ts", 'import { x } from "./b.ts";', true],
    ["agent/names/a.ts", 'import { x } from "yaml";', true],
    ["agent/names/a.ts", 'import type { x } from "../config/config.ts";', false],
    ["agent/dns/a.ts", 'import { x } from "../system/clock.ts";', false],
    ["agent/names/a.ts", 'import { x } from "../resolver/resolver.ts";', false],
    ["agent/names/a.ts", 'export * from "../resolver/resolver.ts";', false],
    ["agent/names/a.ts", 'export { x } from "../resolver/resolver.ts";', false],
    ["agent/names/a.ts", 'await import("../resolver/resolver.ts");', false],
    ["agent/names/a.ts", 'export { x } from "./b.ts";', true],
    ["agent/names/a.ts", "export { x };", true],
    ["agent/names/a.ts", "await import(`../${x}`);", false],
    ["agent/names/a.ts", 'import { x } from "/srv/x.ts";', false],
    ["agent/names/a.ts", 'import { x } from "file:///srv/x.ts";', false],
    ["agent/server/a.ts", 'import { x } from "../resolver/resolver.ts";', true],
    ["agent/server/a.ts", 'import { x } from "../health/api.ts";', false],
    ["control_plane/a.ts", 'import { x } from "../agent/mesh/protocol.ts";', true],
    ["control_plane/a.ts", 'import { x } from "../agent/app.ts";', false],
    ["agent/app.ts", 'import { x } from "./server/dns_server.ts";', true],
    ["agent/app.ts", 'import { x } from "./agent_report.ts";', true],
    ["agent/app.ts", 'import { x } from "./commands/run.ts";', false],
    ["agent/commands/a.ts", 'import { x } from "../../control_plane/control_plane.ts";', true],
    ["agent/commands/a.ts", 'import { x } from "../main.ts";', false],
    ["agent/version.ts", 'import x from "../deno.json" with { type: "json" };', true],
    ["agent/names/a.ts", 'import { x } from "../../test/support/manual_clock.ts";', false],
    ["agent/names/a_test.ts", 'import { x } from "../../test/support/manual_clock.ts";', true],
    ["test/support/a.ts", 'import { x } from "../../agent/main.ts";', true],
  ];
  for (const [path, source, good] of cases) {
    await t.step(`${path}: ${source}`, () => {
      const found = complaints(path, HEADER + source).filter((line) => line.includes("/layers"));
      assert.equal(found.length, good ? 0 : 1, found.join());
    });
  }
});

Deno.test("outrigger/ports keeps the outer world in agent/system/", async (t) => {
  const cases: [string, boolean][] = [
    ["Deno.readTextFile('a');", false],
    ["const now = Date.now();", false],
    ["const now = new Date();", false],
    ["const then = new Date(5);", true],
    ["Math.random();", false],
    ["Math.max(1, 2);", true],
    ["performance.now();", false],
    ["setTimeout(() => {}, 1);", false],
    ["await fetch('http://x');", false],
    ["context.fetch('http://x');", true],
    ["const x = { fetch: 1 };", true],
    ["interface X { fetch(): void }", true],
    ["crypto.getRandomValues(a);", false],
    ["crypto.subtle.sign(a, b, c);", true],
    ['import { readFile } from "node:fs/promises";', false],
    ['import { hostname } from "node:os";', false],
    ['import { isIP } from "node:net";', true],
    ['import { connect } from "node:net";', false],
    ['import * as net from "node:net";', false],
    ['import { join } from "node:path";', true],
    ['import { createHash } from "node:crypto";', true],
    ['import { randomBytes } from "node:crypto";', false],
    ['import crypto from "node:crypto";', false],
    ['await import("node:fs");', false],
    ['await import("node:net");', false],
    ['export * from "node:fs";', false],
    ['export { hostname } from "node:os";', false],
    ["globalThis.fetch('http://x');", false],
    ["const { fetch: get } = globalThis;", false],
    ["const x = Deno as unknown;", false],
    ["Deno!.exit(1);", false],
    ["const x = { [Deno.pid]: 1 };", false],
    ["x[fetch];", false],
    ["let x: Deno.FsFile;", true],
    ['Date["now"]();', false],
    ["const { now } = Date;", false],
    ["const { abs } = Math;", true],
    ["Date();", false],
    ["AbortSignal.timeout(5);", false],
    ["new Worker(x);", false],
    ["setImmediate(x);", false],
    ["options.process.hostname();", true],
  ];
  for (const [source, good] of cases) {
    await t.step(source, () => {
      for (const [path, allowed] of [["agent/names/a.ts", good], ["agent/system/a.ts", true]]) {
        const found = complaints(String(path), HEADER + source)
          .filter((line) => line.includes("/ports"));
        assert.equal(found.length > 0, !allowed, `${path} ${found.join()}`);
      }
    });
  }
});

Deno.test("outrigger/file-header wants each file to say what it owns", () => {
  assert.equal(complaints("agent/names/a.ts", `${HEADER}const x = 1;`).length, 0);
  assert.equal(complaints("agent/names/a.ts", "const x = 1;").length, 1);
  assert.equal(complaints("agent/names/a.ts", "/** Only a comment. */\nconst x = 1;").length, 1);
  assert.equal(complaints("agent/names/a_test.ts", "const x = 1;").length, 0);
});
