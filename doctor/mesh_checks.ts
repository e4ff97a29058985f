/**
 * Where names of the mesh come from, and where they lead: the control plane by stage, the table, routes to
 * its addresses, containers. Pure.
 *
 * @module
 */
import type { StatusReport } from "../agent/health/api.ts";
import { IN_RESOLV_CONF } from "../installer/capture/capture.ts";
import { bridgesBySocket } from "../installer/capture/containers.ts";
import type { DoctorFacts, Tried } from "./facts.ts";
import { failed, type Finding, ok, skipped, warning } from "./finding.ts";

/** How many addresses without a route are named. */
const SHOWN = 5;

/** The stages, from the control plane's address to its table; what an earlier one stops is skipped. */
export function checkControlPlane(facts: DoctorFacts): Finding[] {
  const { controlPlane: way, status } = facts;
  const report = typeof status === "string" ? undefined : status;
  if (way === undefined) {
    const isNone = report !== undefined && report.controlPlane === undefined;
    return [
      skipped("control plane", isNone ? "none is configured" : "it is not known whether one is"),
      ...checkTable(report),
    ];
  }
  const { address, resolved, tcp, tls } = way;
  const firewall = `Check that it runs, and that no firewall is between: nc -vz ${
    address.replace(/:(\d+)$/, " $1")
  }`;
  const stage = (name: string, tried: Tried | undefined, remedy: string): Finding => {
    const check = `control plane: ${name}`;
    if (tried === undefined) {
      return skipped(check, "not tried: an earlier stage fails, or only root may");
    }
    if (!tried.ok) return failedButServed(report)(check, tried.reason, remedy);
    return ok(check, `${tried.answer.join(", ")} (${Math.round(tried.tookMs)} ms)`);
  };
  return [
    stage(
      "address",
      resolved,
      "Add its name to the file of controlPlane.hosts or to /etc/hosts, or configure ip:port.",
    ),
    stage("TCP", tcp, firewall),
    stage(
      "TLS",
      tls,
      "Check that controlPlane.rootCert holds the mesh's current root (ConfigMap istio-ca-root-cert), " +
        "that controlPlane.serverName is right, and this VM's clock: timedatectl",
    ),
    checkCertificate(report),
    checkToken(facts, report),
    checkStream(report),
    ...checkTable(report),
  ];
}

/** Where names go on from memory or disk, an absent control plane costs no lookup. */
function failedButServed(report: StatusReport | undefined): typeof failed {
  return report !== undefined && report.names.hosts > 0 ? warning : failed;
}

function problemOf(report: StatusReport | undefined, codes: RegExp) {
  return report?.problems.find(({ code }) => codes.test(code));
}

function checkCertificate(report: StatusReport | undefined): Finding {
  const check = "control plane: certificate";
  const certificate = report?.controlPlane?.certificate;
  if (certificate === undefined) return skipped(check, "the agent does not tell");
  const { state, identity, expiresAt } = certificate;
  if (state === "valid") return ok(check, `${identity}, until ${expiresAt}`);
  const problem = problemOf(report, /^(CERTIFICATE_|TOKEN_)/);
  const said = problem === undefined ? "" : `: ${problem.message}`;
  return failedButServed(report)(
    check,
    `${state === "expired" ? `expired, ended ${expiresAt}` : state}${said}`,
    problem?.remedy ||
      "It is asked for as soon as the stages above are well, with the token below.",
  );
}

function checkToken(
  { controlPlane }: DoctorFacts,
  report: StatusReport | undefined,
): Finding {
  const check = "control plane: token";
  const problem = problemOf(report, /^TOKEN_/);
  if (problem !== undefined) {
    return failedButServed(report)(check, problem.message, problem.remedy);
  }
  if (report?.controlPlane?.certificate.state === "valid") {
    return ok(check, "not needed: the certificate is renewed by itself");
  }
  const { token, nowMs } = controlPlane!;
  if (token === undefined) return skipped(check, "only root and the agent may read it");
  const fresh =
    "Put a fresh one there: kubectl create token SERVICE_ACCOUNT -n NAMESPACE --audience " +
    "istio-ca, or outrigger control-plane token create --token-only";
  if (typeof token === "string") return failedButServed(report)(check, token, fresh);
  const { expiresMs } = token;
  if (expiresMs === undefined) return ok(check, "there is one");
  const end = new Date(expiresMs).toISOString();
  return expiresMs <= nowMs
    ? failedButServed(report)(check, `it ended at ${end}`, fresh)
    : ok(check, `good until ${end}`);
}

function checkStream(report: StatusReport | undefined): Finding {
  const check = "control plane: stream";
  const mesh = report?.controlPlane;
  if (mesh === undefined) return skipped(check, "the agent does not tell");
  if (mesh.state === "connected") {
    return ok(check, `connected to ${mesh.address} since ${mesh.since}`);
  }
  const problem = problemOf(report, /^CONTROL_PLANE_/);
  return failedButServed(report)(
    check,
    `${mesh.state} since ${mesh.since}: ${problem?.message ?? (mesh.lastError || "no reason yet")}`,
    problem?.remedy ||
      "It is tried again by itself; names are served from memory and disk meanwhile.",
  );
}

function checkTable(report: StatusReport | undefined): Finding[] {
  const check = "name table";
  if (report === undefined) return [skipped(check, "the agent does not tell")];
  const { hosts, origin, version, receivedAt, rejected, rejectedTotal } = report.names;
  const seen = `${hosts} hosts from ${origin}${version && `, version ${version}`}` +
    (receivedAt && `, received ${receivedAt}`);
  if (hosts === 0) {
    return [warning(check, seen, "Mend the control plane's stages above, or see names.files.")];
  }
  if (rejectedTotal > 0) {
    return [warning(
      check,
      `${seen}; ${rejectedTotal} entries were left out, as ${rejected[0]}`,
      "Correct them in the mesh; the others are served: outrigger status lists them.",
    )];
  }
  return [ok(check, seen)];
}

/** Whether this VM has routes to the addresses that it resolves. */
export function checkRoutes({ routes }: DoctorFacts): Finding {
  const check = "routes";
  if (routes === undefined) return skipped(check, "no addresses are known, or there is no `ip`");
  const { tried, total, unroutable } = routes;
  const sample = tried === total ? `all ${total} hosts` : `${tried} of ${total} hosts`;
  if (tried === 0) return skipped(check, "the table has no address that needs a route");
  if (unroutable.length === 0) {
    return ok(check, `this VM has a route to the addresses of ${sample}`);
  }
  const named = unroutable.slice(0, SHOWN).map(({ host, address }) => `${host} (${address})`);
  const more = unroutable.length - named.length;
  return warning(
    check,
    `${unroutable.length} of ${tried} hosts that were tried (of ${total}) have no address that this VM ` +
      `has a route to: ${named.join(", ")}${
        more > 0 ? `, and ${more} more` : ""
      }. The names resolve, and ` +
      "connections fail",
    `A VM reaches the mesh's addresses over an Envoy that takes its traffic, or a route of your network: ` +
      `ip route get ${unroutable[0].address}`,
  );
}

/** Programs that start containers, which do not share the VM's loopback. */
export function checkContainers({ containers, capture, config, vm }: DoctorFacts): Finding[] {
  const captures = capture?.plan.captures ?? [];
  if (containers.length === 0 || captures.length === 0) {
    return [
      skipped(
        "containers",
        containers.length === 0 ? "no engine was found" : "nothing is captured",
      ),
    ];
  }
  const unserved = vm === undefined || !config.containers
    ? []
    : bridgesBySocket(vm, config).unserved.map(({ name }) => name);
  const isCopied = captures.some((name) => IN_RESOLV_CONF.includes(name));
  const findings = containers.map(({ engine, nameservers }) => {
    const check = `containers (${engine})`;
    if (nameservers.length > 0) {
      return ok(check, `they ask ${nameservers.join(", ")}, as its configuration says`);
    }
    if (config.containers) {
      return ok(check, "their queries are redirected to the agent, as capture.containers says");
    }
    const option = engine === "Docker"
      ? '"dns" in /etc/docker/daemon.json'
      : "dns_servers in the section [containers] of /etc/containers/containers.conf";
    return warning(
      check,
      `${engine} leaves out nameservers on loopback, as the agent is: containers ask ` +
        `${isCopied ? "others" : "those of this VM"} and get no names of the mesh`,
      `sudo outrigger install --containers. (${option} gives them other nameservers, without the mesh.)`,
    );
  });
  return unserved.length === 0 ? findings : [
    ...findings,
    warning(
      "containers (networks)",
      `containers behind ${
        unserved.join(", ")
      } get no names of the mesh: the bridge is newer than the ` +
        "agent's sockets",
      "Have it served: sudo outrigger install",
    ),
  ];
}
