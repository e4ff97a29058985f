import assert from "node:assert/strict";
import { type CaptureMode, planCapture } from "./capture_plan.ts";
import type { VmFacts } from "./facts.ts";
import {
  MISSING,
  NETWORK_MANAGER,
  NSS_RESOLVE,
  RESOLVCONF,
  resolvConfFacts,
  RESOLVED,
  SETTINGS,
  STUB,
  STUB_TEXT,
  UPLINK,
  vmFacts,
} from "../test/support/vm_facts.ts";

interface Case {
  name: string;
  facts: Partial<VmFacts>;
  mode?: CaptureMode;
  /** Whether containers are to be captured. */
  containers?: boolean;
  /** The ways that are chosen. */
  captures: string[];
  /** Lines of the trace. */
  trace?: string[];
  /** Patterns of refusals and warnings; none unless given. */
  refusals?: RegExp[];
  warnings?: RegExp[];
}

const DOCKER = [{ name: "docker0", address: "172.17.0.1" }];
const PODMAN = [{ name: "podman0", address: "10.88.0.1" }];

const cases: Case[] = [
  {
    name: "systemd-resolved, its stub in use",
    facts: { resolved: RESOLVED, resolvConf: STUB, nsswitchHosts: NSS_RESOLVE },
    captures: ["resolved"],
    trace: [
      "/etc/resolv.conf is a link to its stub: systemd-resolved is asked -> resolved fits",
    ],
  },
  {
    name: "systemd-resolved, resolv.conf a plain copy of its stub's",
    facts: { resolved: RESOLVED, resolvConf: resolvConfFacts(STUB_TEXT) },
    captures: ["resolved"],
    trace: [
      "/etc/resolv.conf is a plain copy of its stub: systemd-resolved is asked -> resolved fits",
    ],
  },
  {
    name: "systemd-resolved, resolv.conf a link to its uplinks, nsswitch with resolve",
    facts: { resolved: RESOLVED, resolvConf: UPLINK, nsswitchHosts: NSS_RESOLVE },
    captures: ["resolved"],
    trace: ["nsswitch.conf has `resolve`: systemd-resolved is asked -> resolved fits"],
  },
  {
    name: "systemd-resolved without a stub, resolv.conf a link to its uplinks",
    facts: {
      resolved: { ...RESOLVED, hasStub: false },
      resolvConf: UPLINK,
      nsswitchHosts: NSS_RESOLVE,
    },
    captures: ["resolved", "resolv-conf"],
    trace: [
      "nsswitch.conf has `resolve`: systemd-resolved is asked -> resolved fits",
      "/etc/resolv.conf names other nameservers than systemd-resolved's stub -> " +
      "it needs a way of its own",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a link to /run/systemd/resolve/resolv.conf -> resolv-conf fits",
    ],
  },
  {
    name: "systemd-resolved, nobody asks it: a static resolv.conf",
    facts: { resolved: RESOLVED },
    captures: ["resolv-conf"],
    trace: [
      "systemd-resolved runs, but neither /etc/resolv.conf nor nsswitch.conf leads to it -> " +
      "resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a plain file -> resolv-conf fits",
    ],
  },
  {
    name: "systemd-resolved for glibc alone, no resolv.conf (Debian 11)",
    facts: { resolved: RESOLVED, resolvConf: MISSING, nsswitchHosts: NSS_RESOLVE },
    captures: ["resolved"],
  },
  {
    name: "systemd-resolved runs, and `resolve` comes behind `dns`",
    facts: { resolved: RESOLVED, nsswitchHosts: ["files", "dns", "resolve"] },
    captures: ["resolv-conf"],
  },
  {
    name: "systemd-resolved beside a link that also has ~.",
    facts: {
      resolved: { ...RESOLVED, linksForAllNames: ["wg0"] },
      resolvConf: STUB,
    },
    captures: ["resolved"],
    warnings: [/^wg0 also draws all names/],
  },
  {
    name: "systemd-resolved that validates",
    facts: { resolved: { ...RESOLVED, dnssec: "yes" }, resolvConf: STUB },
    captures: ["resolved"],
    trace: [
      "/etc/resolv.conf is a link to its stub: systemd-resolved is asked -> resolved fits",
      "systemd-resolved validates (DNSSEC=yes) -> names of the mesh are tried through it, and " +
      "lookups given back where it takes them for forged",
    ],
  },
  {
    name: "systemd-resolved that validates where it can, and resolved asked for",
    facts: { resolved: { ...RESOLVED, dnssec: "allow-downgrade" }, resolvConf: STUB },
    mode: "resolved",
    captures: ["resolved"],
    trace: [
      "/etc/resolv.conf is a link to its stub: systemd-resolved is asked -> resolved was asked for",
      "systemd-resolved validates (DNSSEC=allow-downgrade) -> names of the mesh are tried through it",
    ],
  },
  {
    name: "systemd-resolved that validates, and nftables behind it",
    facts: { resolved: { ...RESOLVED, dnssec: "yes" }, resolvConf: STUB },
    mode: "nftables",
    captures: ["nftables"],
    trace: [
      "nft 1.0.6 redirects queries, whoever sends them -> nftables was asked for",
      "systemd-resolved validates (DNSSEC=yes) -> names of the mesh are tried through it",
    ],
    warnings: [/names below \.local/],
  },
  {
    name: "systemd-resolved that validates, and nobody asks it",
    facts: { resolved: { ...RESOLVED, dnssec: "yes" } },
    mode: "nftables",
    captures: ["nftables"],
    trace: ["nft 1.0.6 redirects queries, whoever sends them -> nftables was asked for"],
    warnings: [/names below \.local/],
  },
  {
    name: "systemd-resolved with glibc that makes no DNS queries",
    facts: { resolved: RESOLVED, resolvConf: STUB, nsswitchHosts: ["files", "mymachines"] },
    captures: ["resolved"],
    warnings: [/neither `dns` nor `resolve`/],
  },
  {
    name: "NetworkManager that writes resolv.conf",
    facts: {
      networkManager: { dns: "default", rcManager: "auto" },
      resolvConf: NETWORK_MANAGER,
    },
    captures: ["networkmanager"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager writes /etc/resolv.conf (dns=default) -> networkmanager fits",
    ],
  },
  {
    name: "NetworkManager with a dnsmasq of its own",
    facts: {
      networkManager: { dns: "dnsmasq", rcManager: "auto" },
      resolvConf: resolvConfFacts("# Generated by NetworkManager\nnameserver 127.0.1.1\n"),
      listeners: [{ address: "127.0.1.1", port: 53, program: "dnsmasq" }],
    },
    captures: ["networkmanager"],
  },
  {
    name: "NetworkManager with dns=none",
    facts: { networkManager: { dns: "none", rcManager: "auto" } },
    captures: ["resolv-conf"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager leaves /etc/resolv.conf alone (dns=none) -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a plain file -> resolv-conf fits",
    ],
  },
  {
    name: "NetworkManager that feeds systemd-resolved",
    facts: {
      resolved: RESOLVED,
      networkManager: { dns: "systemd-resolved", rcManager: "auto" },
      resolvConf: STUB,
    },
    captures: ["resolved"],
  },
  {
    name: "NetworkManager with rc-manager=unmanaged",
    facts: { networkManager: { dns: "default", rcManager: "unmanaged" } },
    captures: ["resolv-conf"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager leaves /etc/resolv.conf alone (rc-manager=unmanaged) -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a plain file -> resolv-conf fits",
    ],
  },
  {
    name: "NetworkManager, and a resolv.conf by hand that stays",
    facts: {
      networkManager: { dns: "default", rcManager: "auto" },
      resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isImmutable: true }),
    },
    captures: ["nftables"],
  },
  {
    name: "netplan for systemd-networkd, without systemd-resolved",
    facts: { otherWriters: ["systemd-networkd"] },
    captures: ["resolv-conf"],
    warnings: [/^systemd-networkd may write/],
  },
  {
    name: "netplan and cloud-init for systemd-networkd, which feeds systemd-resolved",
    facts: {
      resolved: RESOLVED,
      resolvConf: STUB,
      nsswitchHosts: NSS_RESOLVE,
      otherWriters: ["cloud-init"],
    },
    captures: ["resolved"],
  },
  {
    name: "nsswitch that asks systemd-resolved, which does not run",
    facts: { nsswitchHosts: NSS_RESOLVE },
    captures: ["resolv-conf"],
  },
  {
    name: "nsswitch without `dns`",
    facts: { nsswitchHosts: ["files", "mdns4_minimal", "[NOTFOUND=return]"] },
    captures: ["resolv-conf"],
    warnings: [/neither `dns` nor `resolve`/],
  },
  {
    name: "Debian's resolvconf",
    facts: { resolvconf: "resolvconf", resolvConf: RESOLVCONF },
    captures: ["resolvconf"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "resolvconf makes /etc/resolv.conf -> resolvconf fits",
    ],
  },
  {
    name: "openresolv",
    facts: {
      resolvconf: "openresolv",
      resolvConf: resolvConfFacts("# Generated by resolvconf\nnameserver 192.0.2.53\n"),
    },
    captures: ["resolvconf"],
  },
  {
    name: "resolvconf that is not used",
    facts: { resolvconf: "resolvconf" },
    captures: ["resolv-conf"],
  },
  {
    name: "dhclient, dhcpcd, cloud-init and systemd-networkd beside a plain file",
    facts: { otherWriters: ["dhclient", "dhcpcd", "cloud-init", "systemd-networkd"] },
    captures: ["resolv-conf"],
    warnings: [/^dhclient, dhcpcd, cloud-init, systemd-networkd may write/],
  },
  {
    name: "a bind mount",
    facts: { resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isMount: true }) },
    captures: ["resolv-conf"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a mount: its content is written anew -> resolv-conf fits",
    ],
  },
  {
    name: "a bind mount that is read-only",
    facts: {
      resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isMount: true, isReadOnly: true }),
    },
    captures: ["nftables"],
  },
  {
    name: "an immutable file",
    facts: { resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isImmutable: true }) },
    captures: ["nftables"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is immutable (chattr +i): somebody wants it to stay as it is -> " +
      "resolv-conf does not fit",
      "nft 1.0.6 redirects queries, whoever sends them -> nftables fits",
    ],
  },
  {
    name: "a file that is read-only",
    facts: { resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isReadOnly: true }) },
    captures: ["nftables"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf cannot be written -> resolv-conf does not fit",
      "nft 1.0.6 redirects queries, whoever sends them -> nftables fits",
    ],
  },
  {
    name: "a folder in the place of resolv.conf",
    facts: { resolvConf: resolvConfFacts("", { type: "other" }) },
    captures: ["nftables"],
  },
  {
    name: "an immutable file that names no nameserver",
    facts: {
      resolvConf: resolvConfFacts("", { isImmutable: true }),
      dns: { servers: [], domains: [], searchDomains: [] },
    },
    captures: [],
    refusals: [/no nameserver was found whose queries could be redirected/],
  },
  {
    name: "an immutable file, and no nft",
    facts: {
      resolvConf: resolvConfFacts("nameserver 192.0.2.53\n", { isImmutable: true }),
      nftVersion: undefined,
    },
    captures: [],
    refusals: [/^No way .* fits: .*chattr \+i.*there is no nft/],
  },
  {
    name: "a dangling symlink",
    facts: {
      resolvConf: resolvConfFacts("", { type: "link", target: "/run/gone", isDangling: true }),
    },
    captures: ["resolv-conf"],
  },
  {
    name: "no resolv.conf at all",
    facts: { resolvConf: MISSING },
    captures: ["resolv-conf"],
  },
  {
    name: "another program on port 53 of all addresses",
    facts: { listeners: [{ address: "0.0.0.0", port: 53, program: "dnsmasq" }] },
    captures: ["nftables"],
  },
  {
    name: "another program on port 53 of all addresses, and resolv.conf asked for",
    facts: { listeners: [{ address: "0.0.0.0", port: 53, program: "dnsmasq" }] },
    mode: "resolv-conf",
    captures: ["resolv-conf"],
    refusals: [/dnsmasq listens on port 53 of 0\.0\.0\.0/],
  },
  {
    name: "a dnsmasq of the machine's own, which resolv.conf names",
    facts: {
      resolvConf: resolvConfFacts("nameserver 127.0.0.1\n"),
      listeners: [{ address: "127.0.0.1", port: 53, program: "dnsmasq" }],
    },
    captures: ["nftables"],
  },
  {
    name: "libvirt's dnsmasq on its bridge",
    facts: {
      listeners: [{ address: "192.168.122.1", port: 53, program: "dnsmasq" }],
      engines: ["libvirt"],
    },
    captures: ["resolv-conf"],
  },
  {
    name: "Docker, which copies resolv.conf",
    facts: { engines: ["Docker"] },
    captures: ["nftables"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a plain file -> resolv-conf fits",
      "Docker gives containers a copy of /etc/resolv.conf, without loopback -> it stays as it is: nftables",
    ],
    warnings: [/^Containers of Docker get .* ask the nameservers of this machine.*--containers/],
  },
  {
    name: "Podman beside NetworkManager's resolv.conf",
    facts: {
      networkManager: { dns: "default", rcManager: "auto" },
      resolvConf: NETWORK_MANAGER,
      engines: ["Podman"],
    },
    captures: ["nftables"],
    warnings: [/^Containers of Podman/],
  },
  {
    name: "Docker, and resolved without a stub beside a resolv.conf of its own",
    facts: {
      resolved: { ...RESOLVED, hasStub: false },
      resolvConf: UPLINK,
      nsswitchHosts: NSS_RESOLVE,
      engines: ["Docker"],
    },
    captures: ["resolved", "nftables"],
    warnings: [/^Containers of Docker/],
  },
  {
    name: "Docker and no nft",
    facts: { engines: ["Docker"], nftVersion: undefined },
    captures: ["resolv-conf"],
    warnings: [/^Containers of Docker get no nameserver on loopback.*8\.8\.8\.8.*--containers/],
  },
  {
    name: "Docker, and resolv-conf asked for",
    facts: { engines: ["Docker"] },
    mode: "resolv-conf",
    captures: ["resolv-conf"],
    warnings: [/^Containers of Docker get no nameserver on loopback.*8\.8\.8\.8.*--containers/],
  },
  {
    name: "Docker and Podman behind systemd-resolved, whose nameservers they take",
    facts: { resolved: RESOLVED, resolvConf: STUB, engines: ["Docker", "Podman", "libvirt"] },
    captures: ["resolved"],
    warnings: [/^Containers of Docker and Podman get no nameserver on loopback/],
  },
  {
    name: "Docker, whose containers are captured",
    facts: { engines: ["Docker"], containerBridges: DOCKER },
    containers: true,
    captures: ["nftables"],
  },
  {
    name: "a bridge whose containers are captured",
    facts: { containerBridges: PODMAN },
    containers: true,
    captures: ["resolv-conf"],
    trace: [
      "systemd-resolved does not run -> resolved does not fit",
      "NetworkManager does not run -> networkmanager does not fit",
      "there is no resolvconf -> resolvconf does not fit",
      "/etc/resolv.conf is a plain file -> resolv-conf fits",
      "there is podman0 (10.88.0.1) -> queries of its containers are redirected",
    ],
  },
  {
    name: "containers to be captured, and no bridge yet",
    facts: {},
    mode: "resolv-conf",
    containers: true,
    captures: ["resolv-conf"],
    trace: [
      "/etc/resolv.conf is a plain file -> resolv-conf was asked for",
      "there is no bridge of a container engine -> no containers to capture; run install again " +
      "once there is one",
    ],
  },
  {
    name: "containers to be captured, and no nft",
    facts: { containerBridges: DOCKER, nftVersion: undefined },
    containers: true,
    captures: ["resolv-conf"],
    refusals: [/^capture\.containers needs nft/],
  },
  {
    name: "containers to be captured behind firewalld",
    facts: { containerBridges: DOCKER, firewalls: ["firewalld"] },
    containers: true,
    captures: ["resolv-conf"],
    warnings: [/^firewalld runs: it must let containers reach port 15053 of docker0/],
  },
  {
    name: "WSL's generated file",
    facts: {
      isWsl: true,
      resolvConf: resolvConfFacts("nameserver 198.51.100.1\n", {
        type: "link",
        target: "/mnt/wsl/resolv.conf",
      }),
    },
    captures: ["resolv-conf"],
    warnings: [/^WSL writes/],
  },
  {
    name: "Istio's own rules",
    facts: { istioRedirectsDns: true },
    captures: ["resolv-conf"],
    refusals: [/^Istio's own rules redirect DNS/],
  },
  {
    name: "Istio's agent on 15053",
    facts: { listeners: [{ address: "127.0.0.1", port: 15053, program: "pilot-agent" }] },
    captures: ["resolv-conf"],
    refusals: [/^Istio's agent \(pilot-agent\) serves DNS on port 15053/],
  },
  {
    name: "Istio's agent on 15053, and its rules",
    facts: {
      istioRedirectsDns: true,
      listeners: [{ address: "127.0.0.1", port: 15053, program: "pilot-agent" }],
    },
    captures: ["resolv-conf"],
    refusals: [/^Istio's agent/, /^Istio's own rules/],
  },
  {
    name: "outrigger's own sockets",
    facts: {
      listeners: [
        { address: "127.0.0.1", port: 15053, program: "outrigger" },
        { address: "127.0.0.15", port: 53, program: "systemd" },
      ],
    },
    captures: ["resolv-conf"],
  },
  {
    name: "nftables asked for beside systemd-resolved",
    facts: { resolved: RESOLVED, resolvConf: STUB },
    mode: "nftables",
    captures: ["nftables"],
    warnings: [/names below \.local/],
  },
  {
    name: "firewalld and ufw beside nftables",
    facts: { firewalls: ["firewalld", "ufw"] },
    mode: "nftables",
    captures: ["nftables"],
    warnings: [/^firewalld and ufw runs?/],
  },
  {
    name: "resolved asked for where it does not run",
    facts: {},
    mode: "resolved",
    captures: ["resolved"],
    refusals: [/^Capture by resolved does not work here: systemd-resolved does not run/],
  },
  { name: "none asked for", facts: { istioRedirectsDns: true }, mode: "none", captures: [] },
];

for (const testCase of cases) {
  const { name, facts, mode = "auto", containers = false } = testCase;
  const { captures, trace, refusals, warnings } = testCase;
  Deno.test(`planCapture() on a VM with ${name}`, () => {
    const plan = planCapture(vmFacts(facts), mode, { ...SETTINGS, containers });
    assert.deepEqual(plan.captures, captures);
    const lines = plan.trace.map(({ fact, conclusion }) => `${fact} -> ${conclusion}`);
    if (trace !== undefined) assert.deepEqual(lines, trace);
    assert.equal(plan.refusals.length, refusals?.length ?? 0, plan.refusals.join("\n"));
    assert.equal(plan.warnings.length, warnings?.length ?? 0, plan.warnings.join("\n"));
    refusals?.forEach((pattern, i) => assert.match(plan.refusals[i], pattern));
    warnings?.forEach((pattern, i) => assert.match(plan.warnings[i], pattern));
  });
}
