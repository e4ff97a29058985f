import assert from "node:assert/strict";
import { join } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import { markedCommands } from "../support/readme_commands.ts";
import { binaryUnderTest } from "./vm_agent.ts";
import { differences, filesOf } from "./vm_files.ts";
import { bring, withoutResolved } from "./vm_installation.ts";
import { getent } from "./vm_lookups.ts";
import type { VmNetwork } from "./vm_network.ts";
import { bareScene, meshNames } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
/** Beyond the VM's link; its name is in the file `hosts` alone. */
const ADDRESS = "192.0.2.53";
const SERVER_NAME = "istiod.istio-system.svc";
const CLUSTER_ENV = `CA_ADDR='${SERVER_NAME}:15012'
ISTIO_META_CLUSTER_ID='Kubernetes'
ISTIO_META_NETWORK=''
ISTIO_NAMESPACE='ns1'
POD_NAMESPACE='ns1'
SERVICE_ACCOUNT='vm-sa'
`;
const MESH_YAML = `defaultConfig:
  discoveryAddress: ${SERVER_NAME}:15012
  proxyMetadata:
    ISTIO_META_DNS_CAPTURE: "true"
`;

Deno.test("outrigger install --from takes istioctl's files, and joins the mesh with them", async (t) => {
  await using scene = await bareScene({ extra: ["nftables"] });
  const { vm } = scene;
  await using controlPlane = await ControlPlane.start(vm.folder, scene.network);
  await bring(vm);
  await withoutResolved(vm);
  const files: Record<string, string> = {
    "cluster.env": CLUSTER_ENV,
    "hosts": `${ADDRESS} ${SERVER_NAME}\n`,
    "istio-token": await controlPlane.token(),
    "mesh.yaml": MESH_YAML,
    "root-cert.pem": await controlPlane.rootCert(),
  };
  // What is built in the checkout.
  await vm.run(["ln", "-s", ".", "/opt/dist"]);
  for (const [name, text] of Object.entries(files)) await vm.writeFile(`/opt/vm/${name}`, text);
  const before = await filesOf(vm);
  const untilFound = (name: string, address: string, what: string) =>
    vm.until(async () => (await getent(vm, name)).join() === address || undefined, what, 20_000);

  const [, look, install] = markedCommands("install");
  const [release, , purge] = markedCommands("uninstall");
  /** As it is written in the README, in the folder where `dist` and `vm` are. */
  const run = (command: string) => vm.run(["sh", "-c", `cd /opt && ${command}`]);

  await t.step("a look at what would be done changes nothing", async () => {
    assert.match(await run(look), /\/etc\/systemd\/system\/outrigger\.service/);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
  });

  await t.step("names come from the control plane", async () => {
    await run(install);
    await untilFound(MESH, "10.96.1.1", "a mesh name is answered");
    await untilFound(
      "productpage",
      "10.96.1.1",
      "and its short form, in the namespace of cluster.env",
    );
    assert.deepEqual(await getent(vm, "bank.example.org"), ["192.0.2.99"]);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
    const mode = ["stat", "--format=%a %U:%G", "/etc/outrigger/vm/istio-token"];
    assert.equal(await vm.run(mode), "640 root:outrigger\n");
  });

  await t.step("a new service is pushed", async () => {
    await controlPlane.replaceNames(meshNames({ "reviews.ns1": ["10.96.1.7"] }));
    await untilFound("reviews.ns1.svc.cluster.local", "10.96.1.7", "the new service is answered");
  });

  await t.step("without the control plane it starts from the disk", async () => {
    // What is pushed is on the disk within two seconds.
    const saved = "grep -rqs reviews /var/lib/outrigger";
    await vm.until(
      async () => (await vm.attempt(["sh", "-c", saved])).code === 0 || undefined,
      "the table is on the disk",
    );
    await controlPlane[Symbol.asyncDispose]();
    await vm.run(["systemctl", "restart", "outrigger"]);
    await untilFound("reviews.ns1.svc.cluster.local", "10.96.1.7", "names are answered");
  });

  await t.step("and it is given back", async () => {
    await run(release);
    assert.deepEqual(await getent(vm, MESH), []);
    await run(purge);
    assert.deepEqual(differences(before, await filesOf(vm)), []);
    assert.deepEqual(await getent(vm, "www.example.org", "ahostsv4"), ["203.0.113.80"]);
  });
});

/** The embedded control plane, beyond a VM's links. */
class ControlPlane implements AsyncDisposable {
  readonly #child: Child;
  readonly #folder: string;

  private constructor(child: Child, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  static async start(folder: string, network: VmNetwork): Promise<ControlPlane> {
    await Deno.mkdir(join(folder, "mesh/Kubernetes"), { recursive: true });
    await Deno.writeTextFile(join(folder, "mesh/Kubernetes/names.yaml"), meshNames());
    const [program, ...before] = network.beyond;
    const logPath = join(folder, "control-plane.log");
    const child = new Child(program, {
      cwd: folder,
      logPath,
      args: [
        ...before,
        ...[await binaryUnderTest(), "control-plane", "--config-dir", "mesh"],
        ...["--state-dir", "control-plane", "--grpc-listen", `${ADDRESS}:15012`],
        ...["--server-name", SERVER_NAME],
      ],
    });
    const controlPlane = new ControlPlane(child, folder);
    try {
      await child.until(
        async () => await controlPlane.rootCert().catch(() => undefined),
        "the control plane has a root certificate",
        20_000,
      );
      return controlPlane;
    } catch (error) {
      await controlPlane[Symbol.asyncDispose]();
      throw error;
    }
  }

  rootCert(): Promise<string> {
    return Deno.readTextFile(join(this.#folder, "control-plane/root-cert.pem"));
  }

  async token(): Promise<string> {
    return await runToEnd(await binaryUnderTest(), [
      ...["control-plane", "token", "create", "--token-only", "--namespace", "ns1"],
      ...["--service-account", "vm-sa", "--state-dir", join(this.#folder, "control-plane")],
    ]);
  }

  async replaceNames(text: string): Promise<void> {
    await Deno.writeTextFile(join(this.#folder, "mesh/Kubernetes/names.yaml"), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
