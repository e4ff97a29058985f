/**
 * Names that are never asked upstream, table or not: the rest of the cluster domain, so that nothing of
 * the mesh leaks, and the special names that belong to the resolver itself (RFC 6761, RFC 9462). Pure.
 *
 * @module
 */
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import { ExtendedErrorCode, Rcode, RecordType } from "../dns/codes.ts";
import { isWithin, labelsOf, withoutSuffix } from "../dns/name.ts";
import { addressRecord, ptrRecord, soaRecord } from "../dns/record.ts";
import {
  type MeshQuestion,
  type MeshView,
  NEGATIVE_TTL_SECONDS,
  negativeSoa,
} from "./mesh_lookup.ts";
import type { NameTable } from "./name_table.ts";

/** An answer that needs no table, and why it was given. */
export interface LocalOutcome {
  /** The answer. */
  answer: Answer;
  /** Why, in words. */
  reason: string;
  /** False while the answer only says that nothing is known yet. */
  final: boolean;
}

/** TTL of the addresses of `localhost`, in seconds; they never change. */
const LOCALHOST_TTL_SECONDS = 86400;

/** Answers `localhost`, `invalid`, `onion` and `resolver.arpa`; undefined for every other name. */
export function answerSpecialName({ name, type }: MeshQuestion): LocalOutcome | undefined {
  const last = name.slice(name.lastIndexOf(".") + 1);
  const zone = last === "arpa" ? arpaZone(name) : last;
  const soa = () => ({
    authority: [soaRecord(zone ?? "", { ttlSeconds: NEGATIVE_TTL_SECONDS })],
  });
  switch (zone) {
    case "localhost":
      return local(localhost(name, type) ?? localAnswer(soa()), "loopback name (RFC 6761)");
    case "1.0.0.127.in-addr.arpa":
    case LOOPBACK6:
      return local(
        type === RecordType.PTR
          ? localAnswer({
            answers: [ptrRecord(name, "localhost", { ttlSeconds: LOCALHOST_TTL_SECONDS })],
          })
          : localAnswer(soa()),
        "loopback address (RFC 6761)",
      );
    case "invalid":
    case "onion":
      return local(
        localAnswer({ rcode: Rcode.NXDOMAIN, ...soa() }),
        `"${zone}" never exists in DNS (RFC 6761, RFC 7686)`,
      );
    case "resolver.arpa":
      return local(localAnswer(soa()), "this resolver designates no other (RFC 9462)");
  }
  return undefined;
}

/** The mesh as far as the rest of the cluster domain depends on it. */
export interface KnownNames {
  /** The table. */
  table: NameTable;
  /** False until the control plane's first table: a name that is not in it may yet come. */
  complete: boolean;
  /** How this node sees it. */
  view: MeshView;
}

/** Answers what is left of the cluster domain after the table was asked; undefined for names outside. */
export function answerClusterDomain(
  { table, complete, view }: KnownNames,
  { name, type }: MeshQuestion,
): LocalOutcome | undefined {
  const { clusterDomain } = view;
  if (!isWithin(name, clusterDomain)) return undefined;
  const soa = negativeSoa(name, view);
  if (name === clusterDomain) {
    const sections = type === RecordType.SOA ? { answers: [soa] } : { authority: [soa] };
    return local(localAnswer(sections), "the cluster domain itself");
  }
  if (table.hasChildren(name)) {
    return local(localAnswer({ authority: [soa] }), "only names below it exist");
  }
  if (!complete && mayBeServiceOrPod(name, clusterDomain)) {
    const text = "no name table was received yet";
    return {
      answer: failureAnswer(Rcode.SERVFAIL, { code: ExtendedErrorCode.NOT_READY, text }),
      reason: text,
      final: false,
    };
  }
  return local(
    localAnswer({ rcode: Rcode.NXDOMAIN, authority: [soa] }),
    `no such name in "${clusterDomain}", which is never asked upstream`,
  );
}

const LOOPBACK6 = `1.${"0.".repeat(31)}ip6.arpa`;

function arpaZone(name: string): string | undefined {
  if (isWithin(name, "resolver.arpa")) return "resolver.arpa";
  return name === "1.0.0.127.in-addr.arpa" || name === LOOPBACK6 ? name : undefined;
}

function localhost(name: string, type: number): Answer | undefined {
  const addresses = new Map([
    [RecordType.A as number, [127, 0, 0, 1]],
    [RecordType.AAAA as number, [...new Array(15).fill(0), 1]],
  ]);
  const address = addresses.get(type);
  return address && localAnswer({
    answers: [
      addressRecord(name, Uint8Array.from(address), { ttlSeconds: LOCALHOST_TTL_SECONDS }),
    ],
  });
}

/**
 * Whether a name has the depth of a service (`svc.ns.svc`), of a pod of a headless one
 * (`pod.svc.ns.svc`), or of the port of either. A deeper one is a search domain behind a full name: to
 * refuse that with SERVFAIL would end the search of a musl stub.
 */
function mayBeServiceOrPod(name: string, clusterDomain: string): boolean {
  const labels = labelsOf(withoutSuffix(name, clusterDomain)!);
  const ports = labels.findIndex((label) => !label.startsWith("_"));
  return labels.length - Math.max(0, ports) <= 4;
}

function local(answer: Answer, reason: string): LocalOutcome {
  return { answer, reason, final: true };
}
