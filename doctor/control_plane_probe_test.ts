import assert from "node:assert/strict";
import type { MessageStream, Network } from "../agent/system/network.ts";
import { systemWorld } from "../agent/system/world.ts";
import { ManualClock } from "../test/support/manual_clock.ts";
import { MemoryFiles } from "../test/support/memory_files.ts";
import { type ControlPlaneProbe, probeControlPlane } from "./control_plane_probe.ts";
import type { ControlPlaneFacts } from "./facts.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
/** `exp` is 2026-01-01T01:00:00Z. */
const TOKEN = `x.${btoa(JSON.stringify({ exp: 1767229200 }))}.x`;
const SETTINGS = {
  serverName: "istiod.istio-system.svc",
  rootCert: "/etc/outrigger/root-cert.pem",
  token: "/etc/outrigger/istio-token",
  hosts: "/etc/outrigger/hosts",
  namespace: "ns1",
  serviceAccount: "vm-sa",
};
const FILES = {
  [SETTINGS.rootCert]: PEM,
  [SETTINGS.token]: TOKEN,
  [SETTINGS.hosts]: "192.0.2.15 istiod.example.org\n",
};

interface Case {
  name: string;
  probe?: Partial<ControlPlaneProbe>;
  files?: Record<string, string>;
  /** How connections end; they are made unless given. */
  tcp?: Error | "never";
  tls?: Error;
  /** Each stage: what was said, or undefined where it was not tried. */
  expected: Partial<Record<"resolved" | "tcp" | "tls", string | undefined>>;
  token?: ControlPlaneFacts["token"];
}

const WELL = { resolved: "192.0.2.15", tcp: "192.0.2.15 port 15012", tls: "192.0.2.15 port 15012" };
const cases: Case[] = [
  { name: "goes all the way", expected: WELL, token: { expiresMs: 1767229200_000 } },
  {
    name: "takes an address as it is",
    probe: { address: "192.0.2.15:15012" },
    expected: WELL,
  },
  {
    name: "stops where the name has no address",
    probe: { address: "other.example.org:15012" },
    expected: {
      resolved: '"other.example.org" has no address in hosts files or at the nameservers: ' +
        "no nameserver is known",
      tcp: undefined,
      tls: undefined,
    },
  },
  {
    name: "stops where nobody listens",
    tcp: new Error("Connection refused"),
    expected: { ...WELL, tcp: "192.0.2.15 port 15012: Connection refused", tls: undefined },
  },
  {
    name: "waits no longer than it may",
    tcp: "never",
    expected: { ...WELL, tcp: "192.0.2.15 port 15012: no answer in 3000 ms", tls: undefined },
  },
  {
    name: "tells a server that cannot prove itself",
    tls: new Error("invalid peer certificate"),
    expected: { ...WELL, tls: "192.0.2.15 port 15012: invalid peer certificate" },
  },
  {
    name: "tells a file of roots that holds none",
    files: { ...FILES, [SETTINGS.rootCert]: "" },
    expected: {
      ...WELL,
      tls:
        '192.0.2.15 port 15012: The root certificates in "/etc/outrigger/root-cert.pem" cannot ' +
        "be used: it holds no certificate",
    },
  },
  {
    name: "tells an empty token",
    files: { ...FILES, [SETTINGS.token]: "" },
    expected: WELL,
    token: 'The token file "/etc/outrigger/istio-token" is empty',
  },
  {
    name: "goes as far as it can without the configuration",
    probe: { address: "192.0.2.15:15012", settings: undefined },
    expected: { ...WELL, tls: undefined },
    token: undefined,
  },
];

for (const { name, expected, ...rest } of cases) {
  Deno.test(`probeControlPlane() ${name}`, async () => {
    const { probe, files = FILES, tcp, tls } = rest;
    const open: string[] = [];
    const stream = { destroy: () => void open.pop() } as MessageStream;
    const connect = (end: Error | "never" | undefined) => {
      if (end instanceof Error) return Promise.reject(end);
      if (end === "never") return new Promise<MessageStream>(() => {});
      open.push("stream");
      return Promise.resolve(stream);
    };
    const network: Network = {
      ...systemWorld().network,
      connectTcp: () => connect(tcp),
      connectTls: () => connect(tls),
    };
    const clock = new ManualClock();
    const world = {
      ...systemWorld(),
      clock,
      network,
      files: new MemoryFiles(files) as unknown as ReturnType<typeof systemWorld>["files"],
    };
    const probed = probeControlPlane({
      address: "istiod.example.org:15012",
      settings: SETTINGS,
      upstreams: [],
      ...probe,
    }, world);
    if (tcp === "never") await clock.advance(3_000);
    const facts = await probed;
    const said = (tried: ControlPlaneFacts["tcp"]) =>
      tried === undefined ? undefined : tried.ok ? tried.answer.join() : tried.reason;
    const { resolved, token } = facts;
    assert.deepEqual(
      { resolved: said(resolved), tcp: said(facts.tcp), tls: said(facts.tls) },
      expected,
    );
    if ("token" in rest) assert.deepEqual(token, rest.token);
    assert.deepEqual(open, []);
    assert.equal(clock.pendingCount, 0);
  });
}
