/**
 * Which names of the agent's table are tried, as one for all. Pure.
 *
 * @module
 */
import type { NamesReport } from "../agent/health/api.ts";

/** How many names of each kind are tried. */
const SAMPLE = 2;

/** A name to try. */
export interface SampleName {
  /** The name. */
  name: string;
  /** What it has to resolve to. */
  addresses: string[];
}

/** Hosts that are answered with addresses. */
export function answeredHosts({ names }: NamesReport): SampleName[] {
  return names
    .filter(({ host, served, addresses }) =>
      served && addresses.length > 0 && !host.startsWith("*")
    )
    .map(({ host, addresses }) => ({ name: host, addresses }));
}

/** Names of the cluster, the short form `service.namespace` of one, and names of the outside. */
export function meshSample(report: NamesReport, clusterDomain: string): SampleName[] {
  const hosts = answeredHosts(report);
  const isInside = ({ name }: SampleName) => name.endsWith(`.svc.${clusterDomain}`);
  const inside = hosts.filter(isInside).slice(0, SAMPLE);
  return [
    ...inside,
    ...inside.slice(0, 1).map(({ name, addresses }) => ({
      name: name.slice(0, -`.svc.${clusterDomain}`.length),
      addresses,
    })),
    ...hosts.filter((host) => !isInside(host)).slice(0, SAMPLE),
  ];
}
