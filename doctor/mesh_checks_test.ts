import type { StatusProblem } from "../agent/health/api.ts";
import { doctorFacts, silent, statusReport } from "../test/support/doctor_facts.ts";
import { testFindings } from "../test/support/finding_cases.ts";

const WELL = doctorFacts();
const STATUS = statusReport();
const problem = (code: string, message: string, remedy: string): StatusProblem => ({
  code,
  message,
  remedy,
});

testFindings([
  // The control plane.
  {
    name: "a control plane without an address, and no names yet",
    facts: {
      status: { ...STATUS, names: { ...STATUS.names, hosts: 0 } },
      controlPlane: { ...WELL.controlPlane!, resolved: silent("no address"), tcp: undefined },
    },
    check: "control plane: address",
    result: "failed",
    evidence: /no address/,
    remedy: /controlPlane\.hosts/,
  },
  {
    name: "a control plane that is gone, while names go on",
    facts: {
      controlPlane: { ...WELL.controlPlane!, tcp: silent("Connection refused"), tls: undefined },
    },
    check: "control plane: TCP",
    result: "warning",
    evidence: /refused/,
    remedy: /nc -vz istiod\.example\.org 15012/,
  },
  {
    name: "a control plane that is gone",
    facts: {
      controlPlane: { ...WELL.controlPlane!, tcp: silent("Connection refused"), tls: undefined },
    },
    check: "control plane: TLS",
    result: "skipped",
    evidence: /earlier stage/,
  },
  {
    name: "a control plane that does not prove itself",
    facts: { controlPlane: { ...WELL.controlPlane!, tls: silent("invalid peer certificate") } },
    check: "control plane: TLS",
    result: "warning",
    evidence: /invalid peer certificate/,
    remedy: /controlPlane\.rootCert/,
  },
  {
    name: "a certificate that ended, and the token with it",
    facts: {
      status: {
        ...STATUS,
        problems: [problem("TOKEN_EXPIRED", "The token expired", "Put a fresh one there.")],
        controlPlane: {
          ...STATUS.controlPlane!,
          certificate: { ...STATUS.controlPlane!.certificate, state: "expired" },
        },
      },
    },
    check: "control plane: certificate",
    result: "warning",
    evidence: /expired, ended 2026-01-02.*The token expired/,
    remedy: /fresh/,
  },
  {
    name: "a certificate of an authority that is not trusted any more",
    facts: {
      status: {
        ...STATUS,
        problems: [problem("TOKEN_REFUSED", "The token is refused", "Put a fresh one there.")],
        controlPlane: {
          ...STATUS.controlPlane!,
          certificate: { ...STATUS.controlPlane!.certificate, state: "unverifiable" },
        },
      },
    },
    check: "control plane: certificate",
    result: "warning",
    evidence: /^unverifiable: The token is refused/,
    remedy: /fresh/,
  },
  {
    name: "a token that ended before it was used",
    facts: {
      status: "Connection refused",
      controlPlane: { ...WELL.controlPlane!, token: { expiresMs: 1000 }, nowMs: 2000 },
    },
    check: "control plane: token",
    result: "failed",
    evidence: /ended at 1970-01-01T00:00:01/,
    remedy: /kubectl create token/,
  },
  {
    name: "a token file that is empty",
    facts: {
      status: "Connection refused",
      controlPlane: { ...WELL.controlPlane!, token: 'The token file "t" is empty' },
    },
    check: "control plane: token",
    result: "failed",
    evidence: /is empty/,
  },
  {
    name: "a stream that waits",
    facts: {
      status: {
        ...STATUS,
        problems: [problem("CONTROL_PLANE_UNREACHABLE", "It does not answer", "Check it.")],
        controlPlane: { ...STATUS.controlPlane!, state: "waiting" },
      },
    },
    check: "control plane: stream",
    result: "warning",
    evidence: /waiting since .*: It does not answer/,
    remedy: /^Check it\.$/,
  },
  {
    name: "entries that were left out",
    facts: {
      status: {
        ...STATUS,
        names: { ...STATUS.names, rejected: ['"a b": not a name'], rejectedTotal: 1 },
      },
    },
    check: "name table",
    result: "warning",
    evidence: /1 entries were left out, as "a b"/,
  },
  // Where names lead.
  {
    name: "addresses without a route",
    facts: {
      routes: { tried: 2, total: 2_000, unroutable: [{ host: "a.example", address: "10.96.1.1" }] },
    },
    check: "routes",
    result: "warning",
    evidence: /^1 of 2 hosts that were tried \(of 2000\).*: a\.example \(10\.96\.1\.1\)\./,
    remedy: /ip route get 10\.96\.1\.1/,
  },
  {
    name: "Docker",
    facts: { containers: [{ engine: "Docker", nameservers: [] }] },
    check: "containers (Docker)",
    result: "warning",
    evidence: /no names of the mesh/,
    remedy: /install --containers\. \("dns" .*daemon\.json/,
  },
  {
    name: "Docker whose containers are answered",
    facts: {
      containers: [{ engine: "Docker", nameservers: [] }],
      config: { ...WELL.config, containers: true },
    },
    check: "containers (Docker)",
    result: "ok",
    evidence: /redirected to the agent/,
  },
  {
    name: "Docker with a network that came later",
    facts: {
      containers: [{ engine: "Docker", nameservers: [] }],
      config: { ...WELL.config, containers: true },
      vm: {
        ...WELL.vm!,
        containerBridges: [
          { name: "docker0", address: "172.17.0.1" },
          { name: "br-0123456789ab", address: "172.18.0.1" },
        ],
        listeners: [{ address: "172.17.0.1", port: 15053, program: "systemd" }],
      },
    },
    check: "containers (networks)",
    result: "warning",
    evidence: /^containers behind br-0123456789ab get no names/,
    remedy: /outrigger install/,
  },
  {
    name: "Docker with nameservers of its own",
    facts: { containers: [{ engine: "Docker", nameservers: ["172.17.0.1"] }] },
    check: "containers (Docker)",
    result: "ok",
    evidence: /172\.17\.0\.1/,
  },
  {
    name: "Podman",
    facts: { containers: [{ engine: "Podman", nameservers: [] }] },
    check: "containers (Podman)",
    result: "warning",
    evidence: /loopback/,
    remedy: /dns_servers/,
  },
]);
