/**
 * The second half of a lookup's way: the agent's units and sockets, what it answers itself, and the
 * nameservers that it asks. Pure.
 *
 * @module
 */
import { formatSocketAddress } from "../agent/system/socket_address.ts";
import { portTaken } from "../installer/capture_plan.ts";
import { otherListener } from "../installer/facts.ts";
import { describePendingUpgrade } from "../installer/pending_upgrade.ts";
import type { DoctorFacts, MeshNameFacts, Tried, UpstreamFacts } from "./facts.ts";
import { failed, type Finding, ok, skipped, warning } from "./finding.ts";
import { AS_ROOT, NEEDS_ROOT } from "./way_checks.ts";

const START = "sudo systemctl start outrigger.socket outrigger-ipv6.socket outrigger.service";
const RESET = "sudo systemctl reset-failed 'outrigger*'";
const LOG = "sudo journalctl -b -u outrigger";
/** What the agent ends with where its configuration is wrong. */
const EXIT_CONFIG = 3;
/** Codes of problems that a check of their own tells. */
const TOLD_ELSEWHERE =
  /^(UPSTREAM_SILENT|UPSTREAM_LOOP|TOKEN_|CERTIFICATE_|CONTROL_PLANE_|ROOT_CERT_)/;

/** Whether there is nothing to look at: what follows from that is not told once more. */
function isAbsent({ isInstalled, status, selfQuery }: DoctorFacts): boolean {
  return !isInstalled && typeof status === "string" && !selfQuery.ok;
}

const ABSENT = "outrigger is not installed, and none runs";

/** The configuration of the service. */
export function checkConfig({ isInstalled, config }: DoctorFacts): Finding {
  const check = "configuration";
  if (config.problem === "") return ok(check, "it can be read, and holds no mistake");
  if (config.isDenied) {
    return skipped(check, "only root and the agent may read it; defaults are assumed", AS_ROOT);
  }
  if (!isInstalled) return skipped(check, `${config.problem}; defaults are assumed`);
  return failed(
    check,
    config.problem,
    "Correct it, then: sudo systemctl reload outrigger (or restart, where it does not run)",
  );
}

/** outrigger's units. */
export function checkUnits(facts: DoctorFacts): Finding {
  const check = "units";
  const { isInstalled, units, status, lastWords, nextRetry, capture } = facts;
  if (!isInstalled) {
    if (typeof status !== "string") return skipped(check, "the agent runs without being installed");
    return failed(
      check,
      ABSENT,
      "See what would be done, then install it: outrigger install --from DIR --dry-run",
    );
  }
  const service = units.get("outrigger.service");
  if (service === undefined) {
    return skipped(check, "systemd does not tell of them", "systemctl status 'outrigger*'");
  }
  const said = lastWords.agent === "" ? "" : `; its last words: ${lastWords.agent}`;
  const release = units.get("outrigger-release.service");
  const isRetrying = units.get("outrigger-retry.timer")?.active === "active";
  const again = nextRetry === "" ? "" : `; the next try is at ${nextRetry}`;
  const mend = service.exitCode === EXIT_CONFIG
    ? `Correct /etc/outrigger/config.yaml (its last words say where), then: ${RESET}; ${START}`
    : `Find out why (${LOG}), then: ${RESET}; ${START}`;
  if (service.active === "failed" || service.active !== "active" && isRetrying) {
    const gaveBack = release?.active === "activating"
      ? "; the VM is being given its own DNS back"
      : release?.endedAt
      ? `; the VM got its own DNS back at ${release.endedAt}`
      : "";
    return failed(
      check,
      `outrigger.service was given up after repeated failures (${
        why(service)
      })${gaveBack}${again}${said}`,
      mend,
    );
  }
  if (service.active === "inactive") {
    return failed(check, `outrigger.service is stopped${again}`, `Start it: ${START}`);
  }
  if (service.active !== "active") {
    return failed(
      check,
      `outrigger.service is ${service.active} (${service.sub}), after ${service.restarts} restarts ` +
        `(${why(service)})${said}`,
      service.restarts === 0 ? `Wait a few seconds, else: ${LOG}` : mend,
    );
  }
  const asleep = ["outrigger-capture.path", "outrigger-capture.timer"]
    .filter((name) => units.get(name)?.active !== "active");
  if (asleep.length > 0 && (capture?.plan.captures.length ?? 1) > 0) {
    return warning(
      check,
      `outrigger.service runs, but not ${asleep.join(" and ")}: what others change of the VM's ` +
        "DNS is not noticed",
      `sudo systemctl start ${asleep.join(" ")}`,
    );
  }
  if (isRetrying || service.restarts > 0) {
    return warning(
      check,
      `outrigger.service runs, after ${service.restarts} restarts by itself${said}`,
      `See why: ${LOG}`,
    );
  }
  return ok(check, "outrigger.service runs, and what watches the capture too");
}

function why({ result, exitCode }: { result: string; exitCode: number }): string {
  return result === "exit-code" || result === "success" ? `exit code ${exitCode}` : result;
}

/** Whether an upgrade waits to be confirmed. */
export function checkUpgrade(facts: DoctorFacts): Finding {
  const check = "upgrade";
  const { pending, nowMs } = facts.upgrade;
  if (pending.state === "unseen") return skipped(check, NEEDS_ROOT, AS_ROOT);
  if (pending.state === "pending") {
    const { message, remedy } = describePendingUpgrade(pending, nowMs);
    return warning(check, message, remedy);
  }
  return isAbsent(facts) ? skipped(check, ABSENT) : ok(check, "none is pending");
}

/** Who listens where the agent should. */
export function checkSockets(facts: DoctorFacts): Finding {
  const check = "sockets";
  const { vm, config, units, capture, isInstalled } = facts;
  if (vm === undefined) return skipped(check, "this VM did not tell in time");
  const { dns, port53 } = config;
  const place = formatSocketAddress(dns);
  const taken = otherListener(vm, dns);
  // Without root nobody's program is known; then the port alone says nothing of whose it is.
  if (taken !== undefined && taken.program !== undefined) {
    return failed(check, `${place} is taken`, portTaken(taken.program, dns.port));
  }
  const isServed = (address: string, port: number) =>
    vm.listeners.some((listener) =>
      listener.port === port && [address, "0.0.0.0", "::"].includes(listener.address)
    );
  if (!isServed(dns.address, dns.port)) {
    if (isAbsent(facts)) return skipped(check, ABSENT);
    return failed(
      check,
      `nobody listens on ${place}`,
      isInstalled
        ? `Open the sockets: ${START}`
        : "Run the agent: outrigger install, or outrigger run",
    );
  }
  if (capture?.plan.needsPort53 && isInstalled && !isServed(port53, 53)) {
    return failed(
      check,
      `nobody listens on port 53 of ${port53}, which ${capture.plan.captures.join(" and ")} needs`,
      "The VM's DNS has changed since it was installed: sudo outrigger install",
    );
  }
  const isHeld = units.get("outrigger.socket")?.active === "active";
  return ok(
    check,
    isHeld
      ? `${place} is open, and systemd holds it: a restart loses no query`
      : `${place} is open, and the agent itself holds it`,
  );
}

/** What the agent says of itself; one finding more for each problem that no other check tells. */
export function checkAgent(facts: DoctorFacts): Finding[] {
  const check = "agent";
  const { status, selfQuery, config } = facts;
  if (isAbsent(facts)) return [skipped(check, ABSENT)];
  if (typeof status === "string") {
    return [failed(
      check,
      `its health endpoint http://${config.health} does not answer: ${status}`,
      selfQuery.ok
        ? "It answers queries all the same: see health.listen, or name the endpoint with --health."
        : `See what it says: systemctl status outrigger; ${LOG}`,
    )];
  }
  const { waitingFor, problems, version } = status;
  const others = problems.filter(({ code }) => !TOLD_ELSEWHERE.test(code))
    .map(({ message, remedy }) => warning(check, message, remedy));
  if (waitingFor.length > 0) {
    return [
      failed(
        check,
        `not ready: it waits for ${waitingFor.join(", ")}`,
        "The VM keeps its own DNS until it is ready; the lines below say what is missing.",
      ),
      ...others,
    ];
  }
  return others.length > 0 ? others : [ok(check, `version ${version} is ready`)];
}

/** A question that needs nobody else. */
export function checkSelfQuery(facts: DoctorFacts): Finding {
  const check = "self-query";
  const { selfQuery, config, units } = facts;
  if (isAbsent(facts)) return skipped(check, ABSENT);
  const place = formatSocketAddress(config.dns);
  if (selfQuery.ok) {
    return ok(check, `${place} answers for localhost in ${Math.round(selfQuery.tookMs)} ms`);
  }
  const isRunning = units.get("outrigger.service")?.active === "active";
  return failed(
    check,
    `${place} does not answer for localhost: ${selfQuery.reason}`,
    isRunning
      ? "It hangs, and the watchdog ends it within seconds; else: sudo systemctl restart outrigger"
      : `Start the agent: ${START}`,
  );
}

/** Names of the mesh, asked straight and as programs ask. */
export function checkMeshNames({ meshNames, status, selfQuery, capture }: DoctorFacts): Finding {
  const check = "mesh name";
  if (typeof status === "string" || !selfQuery.ok) {
    return skipped(check, "the agent does not answer, so no name of its table is known");
  }
  if (meshNames.length === 0) {
    return status.names.hosts > 0
      ? skipped(check, "the table has no host with an address")
      : warning(
        check,
        "the agent's table is empty: no name of the mesh resolves",
        "See the lines of the control plane below, or names.files in the configuration.",
      );
  }
  const atAgent = meshNames.filter(({ straight, expected }) => !agrees(straight, expected));
  if (atAgent.length > 0) {
    return failed(
      check,
      `the agent does not answer as its table says: ${atAgent.map(said("straight")).join("; ")}`,
      `Ask why: outrigger lookup ${atAgent[0].name}`,
    );
  }
  const atMachine = meshNames.filter(({ machine, expected }) => !agrees(machine, expected));
  const all = meshNames.map(({ name }) => name).join(", ");
  if (atMachine.length === 0) {
    return ok(check, `${all}: the same addresses from the agent and from this VM's own lookup`);
  }
  if (capture?.plan.captures.length === 0) {
    return skipped(check, `the agent answers ${all}; capture.mode is none, so programs ask others`);
  }
  return failed(
    check,
    `the agent answers, but not this VM's own lookup: ${atMachine.map(said("machine")).join("; ")}`,
    "The lines above say what is between a program and the agent; where all of them are well, ask " +
      `step by step: getent ahosts ${atMachine[0].name}; resolvectl query ${atMachine[0].name}`,
  );
}

/** An answer with one of the addresses: programs may be given some of them. */
function agrees(tried: Tried, expected: readonly string[]): boolean {
  return tried.ok && tried.answer.some((address) => expected.includes(address));
}

function said(way: "straight" | "machine"): (name: MeshNameFacts) => string {
  return ({ name, expected, [way]: tried }) =>
    tried.ok
      ? `${name} is ${tried.answer.join(", ") || "without address"}, and not ${expected.join(", ")}`
      : `${name}: ${tried.reason}`;
}

/** Each nameserver, asked for a public name. */
export function checkUpstreams({ upstreams }: DoctorFacts): Finding[] {
  if (upstreams.length === 0) {
    return [failed(
      "upstream",
      "no nameserver is known: only mesh names resolve",
      "Set dns.upstreams, or see who should tell this VM its nameservers (DHCP, /etc/resolv.conf).",
    )];
  }
  return upstreams.map((server) => {
    const { domain, tried, seen } = server;
    const place = domain === undefined ? server.server : `${server.server} for ${domain}`;
    const check = `upstream ${place}`;
    const problem = problemOf(server);
    if (problem === "") {
      if (tried?.ok) {
        return ok(check, `answers ${tried.answer.join(", ")} in ${Math.round(tried.tookMs)} ms`);
      }
      return ok(check, seen === undefined ? "not asked" : "answers, as the agent says");
    }
    const others = upstreams.filter((other) => other.domain === domain && problemOf(other) === "");
    return (others.length > 0 ? warning : failed)(
      check,
      `${problem}${others.length > 0 ? "; others answer" : ""}`,
      domain === undefined
        ? "Check that this VM reaches it (its network, a firewall), or set dns.upstreams to others; " +
          "mesh names are not affected."
        : "Check that this VM reaches it (a VPN?), or change dns.forward; other names are not affected.",
    );
  });
}

function problemOf({ tried, seen }: UpstreamFacts): string {
  if (tried === undefined) {
    return seen === undefined || seen.healthy ? "" : `does not answer: ${seen.lastError}`;
  }
  if (!tried.ok) return `does not answer: ${tried.reason}`;
  const bad = tried.answer.find((rcode) => ["SERVFAIL", "REFUSED"].includes(rcode));
  return bad === undefined ? "" : `answers ${bad}`;
}

/** Whether a nameserver leads back to the agent. */
export function checkLoop({ status, lastWords }: DoctorFacts): Finding {
  const check = "loop";
  if (typeof status === "string") {
    return /forward in a loop/.test(lastWords.agent)
      ? failed(
        check,
        lastWords.agent,
        "Set dns.upstreams in /etc/outrigger/config.yaml to the nameservers that the VM had before, " +
          `then: ${RESET}; ${START}`,
      )
      : skipped(check, "the agent, which looks for it, does not answer");
  }
  const loop = status.problems.find(({ code }) => code === "UPSTREAM_LOOP");
  return loop === undefined
    ? ok(check, "no nameserver brought the agent's own question back")
    : failed(check, loop.message, `${loop.remedy} (sudo systemctl reload outrigger)`);
}
