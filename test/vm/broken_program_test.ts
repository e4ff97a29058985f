import assert from "node:assert/strict";
import { report } from "./report.ts";
import type { VirtualMachine } from "./virtual_machine.ts";
import { BINARY, bring, INSTALL, PROGRAM, withoutResolved } from "./vm_installation.ts";
import { getent } from "./vm_lookups.ts";
import { bareScene } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
/** How long a VM may be without public DNS, in milliseconds. */
const OUTAGE_MS = 30_000;

/** What takes the place of the program, and how long it takes until it is given up. */
const PROGRAMS = {
  "crashes at its start": { script: "exit 1", givenUpMs: 30_000 },
  "hangs": { script: "exec sleep infinity", givenUpMs: 30_000 },
  // Serves in between: it is given up after five starts, and nobody is without DNS until then.
  "crashes every 15 s": {
    script: `[ "$1" != run ] || (sleep 15; kill -KILL $$) &\nexec ${PROGRAM} "$@"`,
    givenUpMs: 100_000,
  },
};

Deno.test("a VM whose program is broken has public DNS, and is captured again by a good one", async (t) => {
  // All at once: they mostly wait.
  await Promise.all(
    Object.entries(PROGRAMS).map(([what, program]) =>
      t.step({
        name: `one that ${what}`,
        fn: () => runBroken(what, program),
        sanitizeOps: false,
        sanitizeResources: false,
        sanitizeExit: false,
      })
    ),
  );
});

async function runBroken(
  what: string,
  { script, givenUpMs }: { script: string; givenUpMs: number },
): Promise<void> {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await bring(vm);
  await withoutResolved(vm);
  await vm.run([PROGRAM, ...INSTALL]);
  assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);

  await vm.run(["mv", BINARY, "/opt/whole"]);
  await vm.writeFile(BINARY, `#!/bin/sh\n${script}\n`);
  await vm.run(["chmod", "755", BINARY]);
  await vm.run(["systemctl", "restart", "--no-block", "outrigger"]);
  const longestMs = await longestOutage(vm, givenUpMs);
  report(`${what}: longest time without public DNS`, longestMs);
  assert.ok(longestMs < OUTAGE_MS);

  await vm.run(["mv", "/opt/whole", BINARY]);
  const goodMs = performance.now();
  await vm.until(
    async () => (await getent(vm, MESH)).join() === "10.96.1.1" || undefined,
    "lookups go to the good program",
    60_000,
  );
  report(`${what}: captured again by a good program`, performance.now() - goodMs);
  await vm.run([BINARY, "uninstall", "--purge"]);
  assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
}

/** The longest time in which no public name was found, until the VM has its own DNS back. */
async function longestOutage(vm: VirtualMachine, givenUpMs: number): Promise<number> {
  const startedMs = performance.now();
  let lastMs = startedMs;
  let longestMs = 0;
  for (;;) {
    const found = await getent(vm, "www.example.org", "ahostsv4");
    const nowMs = performance.now();
    if (found.join() === "203.0.113.80") {
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      const { stdout } = await vm.attempt(["cat", "/etc/resolv.conf"]);
      if (stdout.startsWith("# by hand")) return longestMs;
    }
    if (nowMs - startedMs > givenUpMs) throw new Error("the program was not given up");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
