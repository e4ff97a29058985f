import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { realParts } from "../parts/real_parts.ts";
import { Child, freePorts, runToEnd } from "../support/child_process.ts";
import { markedCommands } from "../support/readme_commands.ts";
import { RealMesh } from "./real_mesh.ts";

const ROOT = resolve(import.meta.dirname!, "../..");

Deno.test("the README's way into an Istio mesh works as it is written", async (t) => {
  await using mesh = await RealMesh.start({ withoutVm: true });
  const { kubernetes } = mesh;
  const folder = join(mesh.folder, "quick-start");
  await Deno.mkdir(folder);
  // What stands before the README: programs in the PATH, a cluster that they reach, a gateway.
  const { kubectl, istioctl } = await realParts(["kubectl", "istioctl"]);
  await Deno.symlink(kubectl, join(folder, "kubectl"));
  await Deno.symlink(istioctl, join(folder, "istioctl"));
  await mesh.exposeIstiod("127.0.0.1");
  const [dns, health] = await freePorts(2);
  const env = {
    PATH: `${folder}:${Deno.env.get("PATH")}`,
    KUBECONFIG: kubernetes.kubeconfig,
    OUTRIGGER_DNS_LISTEN: `127.0.0.1:${dns}`,
    OUTRIGGER_HEALTH_LISTEN: `127.0.0.1:${health}`,
  };
  // The checkout is no place for what the commands write, and its ports may be in use.
  const source = `'${Deno.execPath()}' run -A --quiet '${ROOT}/agent/main.ts'`;
  const script = (mark: string) =>
    `set -e\n${markedCommands(mark).join("\n")}`.replaceAll(
      "npx -y deno@2.9.4 task outrigger",
      source,
    )
      .replaceAll("-p 15053", `-p ${dns}`);

  await t.step("on the workstation", async () => {
    // istiod puts its root into a new namespace a moment after that was made.
    const [namespace, ...others] = script("workstation").replace("set -e\n", "").split("\n");
    await runToEnd("sh", ["-c", namespace], { cwd: folder, env });
    await mesh.untilRootIn("vm");
    await runToEnd("sh", ["-ec", others.join("\n")], { cwd: folder, env });
    const files = await Array.fromAsync(Deno.readDir(join(folder, "vm")), ({ name }) => name);
    assert.deepEqual(files.sort(), [
      "cluster.env",
      "hosts",
      "istio-token",
      "mesh.yaml",
      "root-cert.pem",
    ]);
  });

  await t.step("on the VM", async () => {
    await using agent = new Child("sh", {
      args: ["-c", script("vm").trim().replace(/^(set -e\n)/, "$1exec ")],
      env,
      cwd: folder,
      logPath: join(folder, "agent.log"),
    });
    await agent.until(async () => {
      const response = await fetch(`http://127.0.0.1:${health}/healthz/ready`);
      await response.body?.cancel();
      return response.ok ? true : undefined;
    }, "the agent is ready");
    const output = await runToEnd("sh", ["-c", script("beside")], { cwd: folder, env });
    assert.match(output, /^status +ok/m);
    assert.match(output, /short form of "productpage\.ns1\.svc\.cluster\.local"/);
    assert.match(output, /^productpage\.ns1\.svc\.cluster\.local\. 30\sIN\sA\s10\.96\.1\.1$/m);
  });
});
