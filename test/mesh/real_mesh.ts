/**
 * A real mesh on loopback: istiod on a Kubernetes API server, with the objects of `manifests/`.
 *
 * @module
 */
import { join } from "node:path";
import { realParts, sourceFolder } from "../parts/real_parts.ts";
import { Child, freePorts, runToEnd } from "../support/child_process.ts";
import { Kubernetes, type StoredService } from "./kubernetes.ts";
import { makePluggedInCa, type PluggedInCa, writePluggedInCa } from "./plugged_in_ca.ts";

/** The name in istiod's certificate, which its files map to loopback. */
const ISTIOD_HOST = "istiod.istio-system.svc";

/** A name in istiod's own table, as its debugging endpoint shows it. */
export interface IstiodName {
  /** Addresses. */
  ips: string[];
  /** `Kubernetes` or `External`. */
  registry: string;
  /** Of a Kubernetes name. */
  shortname?: string;
  /** Of a Kubernetes name. */
  namespace?: string;
}

/** What a mesh is started with. */
export interface RealMeshOptions {
  /** Services that are there beside those of `manifests/`. */
  services?: readonly StoredService[];
  /** Leaves out the VM's account and group. */
  withoutVm?: boolean;
}

function manifest(name: string): Promise<string> {
  return Deno.readTextFile(join(import.meta.dirname!, "manifests", name));
}

/** One mesh. */
export class RealMesh implements AsyncDisposable {
  /** Where everything of it is. */
  readonly folder: string;
  /** Its API server. */
  readonly kubernetes: Kubernetes;
  /** Its first CA. */
  readonly ca: PluggedInCa;
  readonly #istioctl: string;
  readonly #pilot: string;
  readonly #ports: { secure: number; http: number; others: number[] };
  #istiod: Child | undefined;

  private constructor(
    options: Pick<RealMesh, "folder" | "kubernetes" | "ca"> & {
      istioctl: string;
      pilot: string;
      ports: number[];
    },
  ) {
    this.folder = options.folder;
    this.kubernetes = options.kubernetes;
    this.ca = options.ca;
    this.#istioctl = options.istioctl;
    this.#pilot = options.pilot;
    const [secure, http, ...others] = options.ports;
    this.#ports = { secure, http, others };
  }

  /** Starts one. */
  static async start(options: RealMeshOptions = {}): Promise<RealMesh> {
    const { istiod: pilot, istioctl } = await realParts(["istiod", "istioctl"]);
    const folder = await Deno.makeTempDir({ prefix: "outrigger-mesh-" });
    const kubernetes = await Kubernetes.start(folder, options.services);
    const ca = await makePluggedInCa("first");
    const mesh = new RealMesh({
      folder,
      kubernetes,
      ca,
      istioctl,
      pilot,
      ports: await freePorts(8),
    });
    try {
      await mesh.#prepare();
      await mesh.startIstiod();
      if (!options.withoutVm) await mesh.#prepareVm();
    } catch (error) {
      await mesh[Symbol.asyncDispose]();
      throw error;
    }
    return mesh;
  }

  /** `host:port` of istiod, under the name in its certificate. */
  get discoveryAddress(): string {
    return `${ISTIOD_HOST}:${this.#ports.secure}`;
  }

  /** Address of a page of istiod's debugging endpoint, e.g. `syncz`. */
  debugUrl(page: string): string {
    return `http://127.0.0.1:${this.#ports.http}/debug/${page}`;
  }

  /** The name table that istiod has for the node NAME.NAMESPACE that is connected. */
  async tableOf(node: string): Promise<Record<string, IstiodName>> {
    const response = await fetch(this.debugUrl(`ndsz?proxyID=${node}`));
    if (!response.ok) throw new Error(`ndsz: ${response.status} ${await response.text()}`);
    return (await response.json()).configs[0].table;
  }

  /** Starts istiod and waits until it is ready. */
  async startIstiod(): Promise<void> {
    const [grpc, https, monitoring, controlz] = this.#ports.others;
    const istiod = new Child(this.#pilot, {
      cwd: this.folder,
      logPath: join(this.folder, "istiod.log"),
      elsewhere: true,
      args: [
        "discovery",
        `--kubeconfig=${this.kubernetes.kubeconfig}`,
        `--meshConfig=${join(this.folder, "mesh-config.yaml")}`,
        `--secureGRPCAddr=127.0.0.1:${this.#ports.secure}`,
        `--grpcAddr=127.0.0.1:${grpc}`,
        `--httpAddr=127.0.0.1:${this.#ports.http}`,
        `--httpsAddr=127.0.0.1:${https}`,
        `--monitoringAddr=127.0.0.1:${monitoring}`,
        `--ctrlz_port=${controlz}`,
      ],
      env: {
        POD_NAME: "istiod-0",
        POD_NAMESPACE: "istio-system",
        SERVICE_ACCOUNT: "istiod",
        REVISION: "default",
        PILOT_CERT_PROVIDER: "istiod",
        CLUSTER_ID: "Kubernetes",
        ISTIOD_CUSTOM_HOST: "localhost",
        ISTIO_DUAL_STACK: "true",
        ROOT_CA_DIR: join(this.folder, "cacerts"),
      },
    });
    this.#istiod = istiod;
    await istiod.until(async () => {
      const response = await fetch(`http://127.0.0.1:${this.#ports.http}/ready`);
      await response.body?.cancel();
      return response.ok ? true : undefined;
    }, "istiod is ready");
  }

  /** Kills istiod, as a node that fails does. */
  async killIstiod(): Promise<void> {
    await this.#istiod?.end("SIGKILL");
    this.#istiod = undefined;
  }

  /** Replaces istiod's CA, and starts istiod with it. */
  async replaceCa(ca: PluggedInCa, roots: readonly string[]): Promise<void> {
    await this.killIstiod();
    await writePluggedInCa(join(this.folder, "cacerts"), ca, roots);
    await this.startIstiod();
  }

  /**
   * What `istioctl x workload entry configure` writes for a VM of WorkloadGroup vm/vms.
   *
   * @returns the folder
   */
  async vmFiles(name: string): Promise<string> {
    const folder = join(this.folder, name);
    const args = ["--kubeconfig", this.kubernetes.kubeconfig, "x", "workload", "entry"];
    args.push("configure", "--file", join(import.meta.dirname!, "manifests", "vm.yaml"));
    args.push("--output", folder, "--clusterID", "Kubernetes", "--ingressIP", "127.0.0.1");
    await runToEnd(this.#istioctl, args, { cwd: this.folder });
    return folder;
  }

  /** Waits until istiod has put its root into a namespace. */
  async untilRootIn(namespace: string): Promise<void> {
    await this.#istiod!.until(
      () => this.kubernetes.kubectl(["get", "configmap", "istio-ca-root-cert", "-n", namespace]),
      "istiod puts its root into the namespace",
    );
  }

  /** A gateway by whose address VMs reach istiod, where istioctl looks for it. */
  async exposeIstiod(address: string): Promise<void> {
    const gateway = JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "istio-eastwestgateway", namespace: "istio-system" },
      spec: { type: "LoadBalancer", ports: [{ name: "tls-istiod", port: 15012 }] },
      status: { loadBalancer: { ingress: [{ ip: address }] } },
    });
    await this.kubernetes.apply(gateway);
    await this.kubernetes.applyStatus(gateway);
  }

  /** Ends it and removes what it left, unless `KEEP_MESH` is set. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.killIstiod();
    await this.kubernetes[Symbol.asyncDispose]();
    if (Deno.env.get("KEEP_MESH")) console.log(`kept ${this.folder}`);
    else await Deno.remove(this.folder, { recursive: true });
  }

  async #prepare(): Promise<void> {
    const { kubernetes } = this;
    const meshConfig = JSON.stringify({
      trustDomain: "cluster.local",
      defaultConfig: { discoveryAddress: this.discoveryAddress },
    });
    await Deno.writeTextFile(join(this.folder, "mesh-config.yaml"), meshConfig);
    await writePluggedInCa(join(this.folder, "cacerts"), this.ca, [this.ca.root]);
    const istio = await sourceFolder("istio", "istio.io/istio");
    const definitions = join(istio, "manifests/charts/base/files/crd-all.gen.yaml");
    await kubernetes.apply(await Deno.readTextFile(definitions));
    await kubernetes.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
    await kubernetes.apply(JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system" } },
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "istio", namespace: "istio-system" },
          data: { mesh: meshConfig },
        },
      ],
    }));
    await kubernetes.apply(await manifest("bookinfo.yaml"));
    // Nobody runs the pods: what a kubelet would say of them is written here.
    await kubernetes.apply(await manifest("pods.yaml"));
    await kubernetes.applyStatus(await manifest("pods.yaml"));
  }

  /** The namespace, the account and the group of the VM, and the root, which istiod puts beside them. */
  async #prepareVm(): Promise<void> {
    const { kubernetes } = this;
    await kubernetes.apply(await manifest("vm-namespace.yaml"));
    await kubernetes.apply(await manifest("vm.yaml"));
    await this.untilRootIn("vm");
  }
}
