/**
 * The addresses of a host, as the upstream servers know it: for the agent's own connections.
 *
 * @module
 */
import { RecordClass, RecordType } from "../dns/codes.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { parseName } from "../dns/name.ts";
import type { UpstreamServers } from "./upstream_servers.ts";

/** IPv4 literals first, then IPv6; empty where there are none or nobody answers. */
export async function hostAddresses(
  upstream: Pick<UpstreamServers, "exchange">,
  host: string,
): Promise<string[]> {
  const name = parseName(host);
  if (name === undefined) return [];
  const outcomes = await Promise.all(
    [RecordType.A, RecordType.AAAA].map((type) =>
      upstream.exchange({
        question: { name, type, class: RecordClass.IN },
        dnssecOk: false,
        checkingDisabled: false,
      })
    ),
  );
  return outcomes.flatMap((outcome) =>
    outcome.kind === "failure" ? [] : outcome.answer.answers
      .filter(({ type }) => type === RecordType.A || type === RecordType.AAAA)
      .map(({ rdata }) => formatAddress(rdata))
  );
}
