/**
 * What the tests of this folder begin with: a booted VM with two links, nameservers beyond them, and
 * outrigger installed with the names of a small mesh. The first link has its nameserver; the other waits.
 *
 * @module
 */
import { debianImage, type ImageOptions, type Suite } from "./debian_image.ts";
import { UpstreamServer, type UpstreamServerOptions } from "./upstream_server.ts";
import { VirtualMachine } from "./virtual_machine.ts";
import { VmAgent } from "./vm_agent.ts";
import { VmNetwork } from "./vm_network.ts";

/** The mesh's search domains, for the VM's stubs. */
export const SEARCH = ["ns1.svc.cluster.local", "svc.cluster.local", "cluster.local"];
/** The addresses of `many.example.org`: over UDP they fit into no answer of the agent (4096 octets). */
export const MANY = Array.from(
  { length: 300 },
  (_, i) => `203.0.${113 + (i >> 8)}.${i & 0xff}`,
).sort();

const LINKS = [
  {
    name: "eth0",
    addresses: ["192.0.2.2/24", "2001:db8::2/64"],
    beyond: ["192.0.2.53/24", "192.0.2.54/24"],
  },
  { name: "vpn0", addresses: ["198.51.100.2/24"], beyond: ["198.51.100.53/24"] },
];
const SERVERS = {
  /** Beyond eth0, and in use. */
  uplink: {
    address: "192.0.2.53",
    domains: ["example.org"],
    hosts: {
      "www.example.org": ["203.0.113.80", "2001:db8:80::80"],
      "v4.example.org": ["203.0.113.4"],
      "many.example.org": MANY,
      "bank.example.org": ["203.0.113.99"],
    },
  },
  /** Beyond eth0 as well. */
  other: {
    address: "192.0.2.54",
    domains: ["example.org"],
    hosts: { "moved.example.org": ["203.0.113.54"] },
  },
  /** Beyond vpn0. */
  vpn: {
    address: "198.51.100.53",
    domains: ["corp.example"],
    hosts: { "ledger.corp.example": ["198.51.100.80"], "second.corp.example": ["198.51.100.81"] },
  },
} satisfies Record<string, Pick<UpstreamServerOptions, "address" | "domains" | "hosts">>;

/** A VM as its owner has it; what it took is gone when it is disposed of. */
export interface BareScene extends AsyncDisposable {
  /** The VM. */
  vm: VirtualMachine;
  /** What it is plugged into. */
  network: VmNetwork;
  /** The nameservers. */
  servers: Record<keyof typeof SERVERS, UpstreamServer>;
}

/** The same with an agent. */
export interface VmScene extends BareScene {
  /** Installed, and not started yet. */
  agent: VmAgent;
}

/** Sets it up. */
export async function vmScene(): Promise<VmScene> {
  await using undo = new AsyncDisposableStack();
  const { vm, network, servers } = undo.use(await bareScene());
  const agent = await VmAgent.install(vm, meshNames());
  const all = undo.move();
  return { vm, network, agent, servers, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/**
 * Sets it up, without outrigger. On Debian 11, whose systemd-resolved does not run, nothing has a nameserver.
 *
 * @param options `isConfigured`: whether eth0 has its addresses and its nameserver; so unless given.
 * `hasContainers`: whether the VM starts containers of its own
 */
export async function bareScene(
  { suite = "bookworm", isConfigured = true, hasContainers, ...options }: ImageOptions & {
    suite?: Suite;
    isConfigured?: boolean;
    hasContainers?: boolean;
  } = {},
): Promise<BareScene> {
  const image = await debianImage(suite, options);
  await using undo = new AsyncDisposableStack();
  const links = LINKS.map((link) =>
    isConfigured || link.name !== "eth0" ? link : { ...link, addresses: [] }
  );
  const network = undo.use(await VmNetwork.create(links));
  const vm = undo.use(await VirtualMachine.boot({ image, network, hasContainers }));
  const start = async (name: keyof typeof SERVERS) =>
    undo.use(await UpstreamServer.start({ ...SERVERS[name], folder: vm.folder, network }));
  const servers = {
    uplink: await start("uplink"),
    other: await start("other"),
    vpn: await start("vpn"),
  };
  if (isConfigured && suite !== "bullseye" && (options.hasResolved ?? true)) {
    await vm.run(["resolvectl", "dns", "eth0", SERVERS.uplink.address]);
  }
  const all = undo.move();
  return { vm, network, servers, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The mesh's names, with some changed or added. */
export function meshNames(changes: Record<string, readonly string[]> = {}): string {
  const services: Record<string, readonly string[]> = {
    "productpage.ns1": ["10.96.1.1"],
    "details.ns1": ["10.96.1.2", "2001:db8:96::2"],
    "six.ns1": ["2001:db8:96::6"],
    "ratings.ns2": ["10.96.2.1"],
    ...changes,
  };
  const documents = Object.entries(services).map(([host, addresses]) => {
    const [name, namespace] = host.split(".");
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { clusterIP: addresses[0], clusterIPs: addresses, ports: [{ port: 9080 }] },
    };
  });
  const bank = {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "bank", namespace: "ns1" },
    spec: {
      hosts: ["bank.example.org"],
      addresses: ["192.0.2.99"],
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ports: [{ number: 443, name: "tls", protocol: "TLS" }],
    },
  };
  // JSON is YAML.
  return [...documents, bank].map((document) => JSON.stringify(document)).join("\n---\n");
}
