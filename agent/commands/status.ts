/**
 * `outrigger status`.
 *
 * @module
 */
import { describePendingUpgrade, findPendingUpgrade } from "../../installer/pending_upgrade.ts";
import type { StatusReport } from "../health/api.ts";
import { askAgent } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Prints what is going on. Exit code 0 when all is well, 1 when not. */
export async function status(
  options: { health: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const report = await withPendingUpgrade(
    await askAgent<StatusReport>(options.health, "/api/v1/status", context),
    context,
  );
  context.print(
    options.json ? `${JSON.stringify(report, null, 2)}\n` : formatStatus(report, context),
  );
  return report.status === "ok" ? ExitCode.OK : ExitCode.FAILURE;
}

/** The agent itself, an ordinary user, may not see it. */
async function withPendingUpgrade(
  report: StatusReport,
  context: CommandContext,
): Promise<StatusReport> {
  const upgrade = await findPendingUpgrade(context.files);
  if (upgrade.state !== "pending") return report;
  const { clock } = context.machine().world;
  const problem = {
    code: "UPGRADE_PENDING",
    ...describePendingUpgrade(upgrade, clock.wallMs()),
  };
  return {
    ...report,
    status: report.status === "ok" ? "degraded" : report.status,
    problems: [...report.problems, problem],
  };
}

const COLOURS = { ok: 32, degraded: 33, waiting: 33 };

/** A status for people. */
export function formatStatus(report: StatusReport, { colour }: { colour: boolean }): string {
  const level = colour ? `\x1b[${COLOURS[report.status]}m${report.status}\x1b[0m` : report.status;
  const { node, names, controlPlane: mesh, cache, fastPath } = report;
  const rows: [string, string][] = [
    ["status", `${level}, version ${report.version}, up ${duration(report.uptimeSeconds)}`],
    ["serving", report.listeners.join("  ")],
    ["fast path", fastPath.state === "on" ? "on" : `off: ${fastPath.reason}`],
    [
      "node",
      `${node.name}, namespace ${node.namespace}, service account ${node.serviceAccount}, ` +
      `cluster ${node.cluster}`,
    ],
    [
      "names",
      `${names.hosts} hosts from ${names.origin}${names.version && `, version ${names.version}`}` +
      `${names.receivedAt && `, received ${names.receivedAt}`}`,
    ],
  ];
  if (names.rejectedTotal > 0) {
    rows.push(["", `${names.rejectedTotal} left out:`]);
    rows.push(...names.rejected.slice(0, 5).map((line): [string, string] => ["", `  ${line}`]));
  }
  if (mesh !== undefined) {
    const { certificate } = mesh;
    rows.push(["control plane", `${mesh.state} ${mesh.address} since ${mesh.since}`]);
    rows.push([
      "certificate",
      certificate.state === "none"
        ? "none"
        : `${certificate.state}, ${certificate.identity}, until ${certificate.expiresAt}`,
    ]);
  }
  for (const { server, domain, healthy, roundTripMs, lastError } of report.upstreams) {
    const place = domain === undefined ? server : `${server} for ${domain}`;
    const time = roundTripMs === undefined ? "" : `, ${roundTripMs} ms`;
    const state = healthy ? `healthy${time}` : `does not answer: ${lastError}`;
    rows.push(["upstream", `${place} ${state}`]);
  }
  rows.push(["cache", cacheLine(cache)]);
  rows.push(...report.waitingFor.map((line): [string, string] => ["waiting for", line]));
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`.trimEnd());
  for (const { message, remedy } of report.problems) {
    lines.push("", `problem: ${message}`);
    if (remedy !== "") lines.push(`  to do: ${remedy}`);
  }
  return `${lines.join("\n")}\n`;
}

function cacheLine({ entries, bytes, maxBytes, lookups }: StatusReport["cache"]): string {
  const size = `${Math.ceil(bytes / 1024)} of ${Math.floor(maxBytes / 1024)} KiB`;
  const total = Object.values(lookups).reduce((sum, count) => sum + count, 0);
  const hits = total - lookups.expired - lookups.miss;
  return `${entries} answers, ${size}; answered ${hits} of ${total} lookups` +
    (lookups.stale > 0 ? `, ${lookups.stale} with stale answers` : "");
}

function duration(seconds: number): string {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const;
  const first = parts.findIndex(([unit]) => seconds >= unit);
  if (first === -1) return "0 s";
  return parts.slice(first, first + 2)
    .map(([unit, name], i) => {
      const count = Math.floor(i === 0 ? seconds / unit : seconds % parts[first][0] / unit);
      return `${count} ${name}`;
    })
    .filter((text, i) => i === 0 || !text.startsWith("0 ")).join(" ");
}
