import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { Child, freePorts } from "../test/support/child_process.ts";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { askServer } from "./commands/dns_stub.ts";
import type { StatusReport } from "./health/api.ts";
import { systemWorld } from "./system/world.ts";

const NAMES = `
apiVersion: v1
kind: Service
metadata: { name: a, namespace: ns1 }
spec: { clusterIP: 10.0.0.1 }
`;

/** An agent in a process that may not call libc, as where there is another one than glibc. */
async function withoutLibc(folder: string, fastPath: string): Promise<[Child, number, number]> {
  const [dns, health] = await freePorts(2);
  await Deno.writeTextFile(join(folder, "names.yaml"), NAMES);
  const child = new Child(Deno.execPath(), {
    cwd: resolve(import.meta.dirname!, ".."),
    logPath: join(folder, `${fastPath}.log`),
    env: { OUTRIGGER_DNS_FAST_PATH: fastPath },
    args: [
      ...["run", "--allow-all", "--deny-ffi", "--quiet", "agent/main.ts", "run"],
      ...["--names", join(folder, "names.yaml"), "--state-dir", join(folder, "state")],
      ...["--dns-listen", `127.0.0.1:${dns}`, "--health-listen", `127.0.0.1:${health}`],
      ...["--upstream", "127.0.0.1:9"],
    ],
  });
  return [child, dns, health];
}

Deno.test("DnsService serves without the fast path where libc cannot be called, and says so once", async () => {
  await using folder = await TemporaryDirectory.make();
  const [child, dns, health] = await withoutLibc(folder.path, "auto");
  await using _ = child;
  const status = await child.until(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${health}/api/v1/status`).catch(() => undefined);
      return await answer?.json() as StatusReport | undefined;
    },
    "the agent answers",
  );
  assert.equal(status.fastPath.state, "off");
  assert.match(status.fastPath.reason, /C library/);
  const question = { name: "a.ns1.svc.cluster.local", type: "A" };
  const answer = await askServer({ address: "127.0.0.1", port: dns }, question, systemWorld());
  assert.deepEqual(answer.data, ["10.0.0.1"]);
  const log = await Deno.readTextFile(join(folder.path, "auto.log"));
  assert.equal(log.split("\n").filter((line) => line.includes("fast path")).length, 1, log);
});

Deno.test("DnsService does not start where the configuration insists on the fast path", async () => {
  await using folder = await TemporaryDirectory.make();
  const [child] = await withoutLibc(folder.path, "on");
  await using _ = child;
  await assert.rejects(child.until(() => Promise.resolve(undefined), "the agent answers"));
  const log = await Deno.readTextFile(join(folder.path, "on.log"));
  assert.match(log, /The fast path cannot run here: .*C library.* Set dns.fastPath to auto or off/);
});
