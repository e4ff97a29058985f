import assert from "node:assert/strict";
import { parse } from "yaml";
import { MemoryDisk } from "../../test/support/memory_disk.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { installConfig } from "./install_config.ts";

const CONFIG = "/etc/outrigger/config.yaml";

/** A disk with these files. */
function disk(texts: Record<string, string>): MemoryDisk {
  const files = new MemoryDisk(new ManualClock());
  for (const [path, text] of Object.entries(texts)) files.write(path, text);
  return files;
}

Deno.test("installConfig() of no flags changes nothing", async () => {
  assert.deepEqual(await installConfig({}, disk({ [CONFIG]: "a: 1\n" })), []);
});

Deno.test("installConfig() takes a configuration over as it is", async () => {
  const files = disk({ "c.yaml": "# mine\nlog: { level: warn }\n" });
  assert.deepEqual(await installConfig({ config: "c.yaml" }, files), [
    { path: CONFIG, text: "# mine\nlog: { level: warn }\n" },
  ]);
});

Deno.test("installConfig() copies the files of istioctl and names their folder", async () => {
  const files = disk({ "vm/cluster.env": "A=b\n", "vm/istio-token": "t", "vm/other": "x" });
  const made = await installConfig({ from: "vm" }, files);
  assert.deepEqual(made.map(({ path }) => path), [
    "/etc/outrigger/vm/cluster.env",
    "/etc/outrigger/vm/istio-token",
    CONFIG,
  ]);
  assert.match(made[2].text, /^# Made by.*\n\nfrom: \/etc\/outrigger\/vm\n$/);
});

Deno.test("installConfig() keeps what a configuration says, but for what flags say", async () => {
  const files = disk({
    [CONFIG]:
      "# keep\nlog:\n  level: warn # loud\ncontrolPlane:\n  address: old.example.org:15012\n",
    "token": "secret",
    "root.pem": "pem",
  });
  const flags = {
    controlPlane: "istiod.example.org:15012",
    tokenFile: "token",
    rootCert: "root.pem",
    capture: "nftables",
    containers: true,
  };
  const made = await installConfig(flags, files);
  assert.deepEqual(made.slice(0, 2), [
    { path: "/etc/outrigger/istio-token", text: "secret" },
    { path: "/etc/outrigger/root-cert.pem", text: "pem" },
  ]);
  assert.equal(
    made[2].text,
    "# keep\nlog:\n  level: warn # loud\ncontrolPlane:\n  addresses:\n    - istiod.example.org:15012\n" +
      "  token: /etc/outrigger/istio-token\n  rootCert: /etc/outrigger/root-cert.pem\n" +
      "capture:\n  containers: true\n  mode: nftables\n",
  );
  files.write(CONFIG, made[2].text);
  assert.equal((await installConfig(flags, files))[2].text, made[2].text);
});

Deno.test("installConfig() says which file cannot be read", async () => {
  await assert.rejects(installConfig({ tokenFile: "gone" }, disk({})), /^AgentError: Read gone: /);
  await assert.rejects(installConfig({ from: "vm" }, disk({ "vm/x": "" })), { code: "USAGE" });
});

Deno.test("installConfig() makes a first configuration of flags alone", async () => {
  const files = disk({ "token": "secret", "root.pem": "pem" });
  const flags = { controlPlane: "cp.example.org:15012", tokenFile: "token", rootCert: "root.pem" };
  const node = { namespace: "vm", serviceAccount: "vm-sa", trustDomain: "corp.example" };
  const made = await installConfig({ ...flags, ...node, clusterDomain: "k8s.example" }, files);
  assert.deepEqual(made.map(({ path }) => path), [
    "/etc/outrigger/istio-token",
    "/etc/outrigger/root-cert.pem",
    CONFIG,
  ]);
  assert.deepEqual(parse(made[2].text), {
    controlPlane: {
      addresses: ["cp.example.org:15012"],
      token: "/etc/outrigger/istio-token",
      rootCert: "/etc/outrigger/root-cert.pem",
    },
    node,
    dns: { clusterDomain: "k8s.example" },
  });
});
