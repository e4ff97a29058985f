/**
 * A Kubernetes API server on loopback with an etcd of its own: no nodes and no controllers, so that
 * tests make the EndpointSlices themselves.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { realParts } from "../parts/real_parts.ts";
import { Child, freePorts, runToEnd } from "../support/child_process.ts";

const ISSUER = "https://kubernetes.default.svc";
const ADMIN_TOKEN = "test-admin";
/** The most operations that etcd takes in one transaction. */
const ETCD_TRANSACTION_MAX = 128;

/** A Service as a restored backup holds it. */
export interface StoredService {
  /** Name. */
  name: string;
  /** Namespace. */
  namespace: string;
  /** Its one address. */
  clusterIp: string;
}

/** One API server. */
export class Kubernetes implements AsyncDisposable {
  /** For clients; lets them do everything. */
  readonly kubeconfig: string;
  readonly #kubectl: string;
  readonly #children: Child[];
  readonly #signingKey: CryptoKey;

  private constructor(
    options: { kubeconfig: string; kubectl: string; children: Child[]; signingKey: CryptoKey },
  ) {
    this.kubeconfig = options.kubeconfig;
    this.#kubectl = options.kubectl;
    this.#children = options.children;
    this.#signingKey = options.signingKey;
  }

  /**
   * Starts one whose state is in `folder`.
   *
   * @param services are there from the start
   */
  static async start(
    folder: string,
    services: readonly StoredService[] = [],
  ): Promise<Kubernetes> {
    const parts = await realParts(["etcd", "kube-apiserver", "kubectl"]);
    const [etcdPort, peerPort, apiPort] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const etcd = new Child(parts.etcd, {
      cwd: folder,
      logPath: join(folder, "etcd.log"),
      elsewhere: true,
      args: [
        `--data-dir=${join(folder, "etcd")}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        // Nothing here has to outlive a power cut.
        "--unsafe-no-fsync",
      ],
    });
    await etcd.until(async () => {
      const response = await fetch(`${etcdUrl}/health`);
      await response.body?.cancel();
      return response.ok ? true : undefined;
    }, "etcd is ready");
    await storeServices(etcdUrl, services);
    const key = await makeSigningKey(folder);
    await Deno.writeTextFile(join(folder, "tokens"), `${ADMIN_TOKEN},admin,1,system:masters\n`);
    const api = new Child(parts["kube-apiserver"], {
      cwd: folder,
      logPath: join(folder, "kube-apiserver.log"),
      elsewhere: true,
      args: [
        `--etcd-servers=${etcdUrl}`,
        "--bind-address=127.0.0.1",
        `--secure-port=${apiPort}`,
        `--cert-dir=${join(folder, "apiserver")}`,
        "--advertise-address=192.0.2.1",
        "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/108",
        `--service-account-issuer=${ISSUER}`,
        `--service-account-key-file=${key.publicPath}`,
        `--service-account-signing-key-file=${key.privatePath}`,
        `--api-audiences=${ISSUER},istio-ca`,
        `--token-auth-file=${join(folder, "tokens")}`,
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--endpoint-reconciler-type=none",
      ],
    });
    const kubeconfig = join(folder, "kubeconfig");
    await Deno.writeTextFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{
          name: "test",
          cluster: {
            server: `https://127.0.0.1:${apiPort}`,
            "insecure-skip-tls-verify": true,
          },
        }],
        users: [{ name: "admin", user: { token: ADMIN_TOKEN } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
        "current-context": "test",
      }),
    );
    const cluster = new Kubernetes({
      kubeconfig,
      kubectl: parts.kubectl,
      children: [api, etcd],
      signingKey: key.key,
    });
    await api.until(
      async () => (await cluster.kubectl(["get", "--raw", "/readyz"])) === "ok" ? true : undefined,
      "the API server is ready",
    );
    return cluster;
  }

  /** Runs kubectl. @throws with what it said when it fails */
  kubectl(args: readonly string[], stdin?: string): Promise<string> {
    return runToEnd(this.#kubectl, ["--kubeconfig", this.kubeconfig, ...args], {
      ...(stdin !== undefined && { stdin }),
    });
  }

  /** Creates or changes the objects of a YAML or JSON text. */
  async apply(text: string): Promise<void> {
    await this.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], text);
  }

  /** Sets the status of objects that exist. */
  async applyStatus(text: string): Promise<void> {
    const args = ["apply", "--server-side", "--force-conflicts", "--subresource=status", "-f", "-"];
    await this.kubectl(args, text);
  }

  /** Removes an object. */
  async remove(kind: string, name: string, namespace: string): Promise<void> {
    await this.kubectl(["delete", kind, name, "-n", namespace, "--wait=false"]);
  }

  /** A token of a ServiceAccount as the API server gives it. */
  async createToken(namespace: string, serviceAccount: string): Promise<string> {
    const args = ["create", "token", serviceAccount, "-n", namespace, "--audience", "istio-ca"];
    return (await this.kubectl(args)).trim();
  }

  /**
   * A token of a ServiceAccount with a life of one's choice; the API server gives none that lives less
   * than ten minutes. Signed with the cluster's key, so that only its dates tell it apart.
   */
  async signToken(
    namespace: string,
    serviceAccount: string,
    { expiresAtSeconds }: { expiresAtSeconds: number },
  ): Promise<string> {
    const path = ["get", "serviceaccount", serviceAccount, "-n", namespace, "-o", "json"];
    const { metadata: { uid } } = JSON.parse(await this.kubectl(path));
    const issuedAt = expiresAtSeconds - 600;
    const encoded = [{ alg: "RS256" }, {
      aud: ["istio-ca"],
      exp: expiresAtSeconds,
      iat: issuedAt,
      nbf: issuedAt,
      iss: ISSUER,
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      "kubernetes.io": { namespace, serviceaccount: { name: serviceAccount, uid } },
    }].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = await crypto.subtle.sign(
      "RSASSA-PKCS1-v1_5",
      this.#signingKey,
      new TextEncoder().encode(encoded),
    );
    return `${encoded}.${Buffer.from(signature).toString("base64url")}`;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child.end("SIGKILL");
  }
}

/**
 * Puts Services into etcd before an API server looks at it: 20,000 in seconds. By the API it takes
 * minutes, since each ClusterIP that is given out has it count all others.
 */
async function storeServices(etcdUrl: string, services: readonly StoredService[]): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const puts = services.flatMap(storedObjects).map(([key, object]) => ({
    requestPut: { key: base64(key), value: base64(JSON.stringify(object)) },
  }));
  for (let i = 0; i < puts.length; i += ETCD_TRANSACTION_MAX) {
    const response = await fetch(`${etcdUrl}/v3/kv/txn`, {
      method: "POST",
      body: JSON.stringify({ success: puts.slice(i, i + ETCD_TRANSACTION_MAX) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`etcd: ${response.status} ${text}`);
  }
}

/** A Service, and the claim to its address, without which the API server would not get ready. */
function storedObjects(
  { name, namespace, clusterIp }: StoredService,
): [key: string, object: unknown][] {
  const metadata = () => ({ uid: crypto.randomUUID(), creationTimestamp: "2026-01-01T00:00:00Z" });
  return [
    [`/registry/services/specs/${namespace}/${name}`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, ...metadata() },
      spec: {
        type: "ClusterIP",
        clusterIP: clusterIp,
        clusterIPs: [clusterIp],
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
        sessionAffinity: "None",
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 80 }],
      },
    }],
    [`/registry/ipaddresses/${clusterIp}`, {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: {
        name: clusterIp,
        labels: {
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
        ...metadata(),
      },
      spec: { parentRef: { resource: "services", namespace, name } },
    }],
  ];
}

async function makeSigningKey(folder: string) {
  const pair = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const privatePath = join(folder, "service-account.key");
  const publicPath = join(folder, "service-account.pub");
  const pem = (label: string, bytes: ArrayBuffer) =>
    `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString("base64")}\n-----END ${label}-----\n`;
  const privateKey = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  await Deno.writeTextFile(privatePath, pem("PRIVATE KEY", privateKey), { mode: 0o600 });
  const publicKey = await crypto.subtle.exportKey("spki", pair.publicKey);
  await Deno.writeTextFile(publicPath, pem("PUBLIC KEY", publicKey));
  return { key: pair.privateKey, privatePath, publicPath };
}
