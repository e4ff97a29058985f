/**
 * What the health of upstream servers means for whoever asks what is wrong. Pure.
 *
 * @module
 */
import type { StatusProblem, UpstreamStatus } from "./health/api.ts";

/** One problem for each group of servers of which none answers. */
export function upstreamProblems(servers: readonly UpstreamStatus[]): StatusProblem[] {
  const groups = Map.groupBy(servers, ({ domain }) => domain);
  return [...groups].filter(([, group]) => group.every(({ healthy }) => !healthy))
    .map(([domain, group]) => ({
      code: "UPSTREAM_SILENT",
      message: `No nameserver ${domain === undefined ? "" : `of ${domain} `}answers: ${
        group.map(({ server, lastError }) => `${server} (${lastError})`).join(", ")
      }`,
      remedy: domain === undefined
        ? "Check that this VM reaches them, or set dns.upstreams to others; mesh names and what is " +
          "cached are answered meanwhile."
        : "Check that this VM reaches them, or change dns.forward; other names are not affected.",
    }));
}
