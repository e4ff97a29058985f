/**
 * A status for people, line by line: what the command prints, and the page shows.
 *
 * @module
 */
import type { StatusReport } from "./api.ts";

/** Lines with their label; one without a label goes on with what the line before tells of. */
export type StatusRow = [label: string, text: string];

/** The lines of a status, its level first; problems are not among them. */
export function statusRows(report: StatusReport): StatusRow[] {
  const { node, names, controlPlane: mesh, cache, fastPath } = report;
  const rows: StatusRow[] = [
    ["status", `${report.status}, version ${report.version}, up ${duration(report.uptimeSeconds)}`],
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
    rows.push(...names.rejected.slice(0, 5).map((line): StatusRow => ["", `  ${line}`]));
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
  rows.push(...report.waitingFor.map((line): StatusRow => ["waiting for", line]));
  return rows;
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
