import assert from "node:assert/strict";
import { join } from "node:path";
import { OWN_LAYOUT, PACKAGE_LAYOUT } from "./layout.ts";
import { ENABLED_UNITS, PORT_53_ADDRESS, PORT_53_UNIT, UNITS, unitsOf } from "./units.ts";

const ALL = [...UNITS, PORT_53_UNIT];

/** The values of a directive, in order. */
function valuesOf(unit: string, directive: string): string[] {
  const { text } = ALL.find(({ path }) => path.endsWith(`/${unit}`))!;
  return [...text.matchAll(new RegExp(`^${directive}=(.*)$`, "gm"))].map(([, value]) => value);
}

/** A time of a single unit, in seconds. */
function secondsOf(unit: string, directive: string): number {
  const [, number, scale] = /^(\d+)(ms|s|min)?$/.exec(valuesOf(unit, directive)[0])!;
  return Number(number) * ({ ms: 0.001, s: 1, min: 60 }[scale] ?? 1);
}

Deno.test("UNITS holds every file of the folder, under its own name", async () => {
  const files: string[] = [];
  for await (const entry of Deno.readDir(import.meta.dirname!)) {
    if (entry.name.endsWith(".ts")) continue;
    if (!entry.isDirectory) files.push(entry.name);
    else {
      for await (const { name } of Deno.readDir(join(import.meta.dirname!, entry.name))) {
        files.push(`${entry.name}/${name}`);
      }
    }
  }
  const held = ALL.map(({ path }) =>
    path.replace(/^\/etc\/(sysusers|tmpfiles)\.d\/outrigger\.conf$/, "$1.conf")
      .replace("/etc/systemd/system/", "")
  );
  assert.deepEqual(held.toSorted(), files.toSorted());
  for (const { path, text } of ALL) {
    const file = held[ALL.findIndex((unit) => unit.path === path)];
    assert.equal(text, await Deno.readTextFile(join(import.meta.dirname!, file)), path);
    assert.match(text, /^# /, `${path} says what it is for`);
  }
});

for (const [name, layout] of Object.entries({ own: OWN_LAYOUT, package: PACKAGE_LAYOUT })) {
  Deno.test(`unitsOf() has the places of the layout in its texts (${name})`, () => {
    const found = unitsOf(layout).flatMap(({ text }) => text.match(/\/usr\/[\w./-]+/g) ?? []);
    const { program, release, prefix } = layout;
    assert.deepEqual(new Set(found), new Set([program, release, `${prefix}/bin`]));
  });
}

Deno.test("unitsOf() differs in its places alone, and has drop-ins in /etc in each layout", () => {
  const names = (units: typeof UNITS) => units.map(({ path }) => path.split("/").at(-1));
  const packaged = unitsOf(PACKAGE_LAYOUT);
  assert.deepEqual(names(packaged), names(UNITS));
  for (const { path, sinceSystemd } of packaged) {
    assert.equal(path.startsWith("/etc/"), sinceSystemd !== undefined, path);
  }
});

Deno.test("UNITS enables what can be enabled", () => {
  const installable = UNITS.filter(({ text }) => text.includes("[Install]"))
    .map(({ path }) => path.split("/").at(-1)!);
  assert.deepEqual(installable.toSorted(), ENABLED_UNITS.toSorted());
});

Deno.test("outrigger.service reaches its start limit by a hang too", async () => {
  const { START_MS } = await import("../agent/watchdog.ts");
  const seconds = (directive: string) => secondsOf("outrigger.service", directive);
  const start = Math.max(START_MS / 1000, seconds("TimeoutStartSec"));
  const burst = seconds("StartLimitBurst");
  const longest = burst * (seconds("WatchdogSec") + start + seconds("RestartSec"));
  assert.ok(seconds("StartLimitIntervalSec") > longest, `${longest} s`);
  // A binary that hangs at once is given up within half a minute.
  assert.ok(burst * (seconds("TimeoutStartSec") + seconds("RestartSec")) < 30);
});

Deno.test("outrigger.service lets the agent end in its own time", async () => {
  const { DRAIN_MS } = await import("../agent/server/dns_server.ts");
  const { STUCK_MS } = await import("../agent/server/fast_path.ts");
  assert.ok(secondsOf("outrigger.service", "TimeoutStopSec") > (STUCK_MS + DRAIN_MS) / 1000);
});

Deno.test("outrigger-recapture.service pauses without holding up a boot, which ends with the last job", () => {
  assert.deepEqual(valuesOf("outrigger-recapture.service", "Type"), ["exec"]);
  assert.match(valuesOf("outrigger-recapture.service", "ExecStart").join(), /sleep 10/);
});

Deno.test("outrigger.socket has the agent's own address, and port 53 on another", async () => {
  const { loadConfig } = await import("../agent/config/load_config.ts");
  const config = await loadConfig({
    environment: { OUTRIGGER_NAMES_FILES: "mesh.yaml" },
    flags: [],
    hostname: "vm-1",
    files: { readText: () => Promise.resolve(""), stat: () => Promise.resolve(undefined) },
  });
  for (const directive of ["ListenDatagram", "ListenStream"]) {
    assert.deepEqual(valuesOf("outrigger.socket", directive), config.dns.listen);
    assert.deepEqual(valuesOf("port-53.conf", directive), [`${PORT_53_ADDRESS}:53`]);
  }
});
