/**
 * Where a CNAME chain leads, and cutting it where whoever gave the answer has no say any more. Pure.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import { Rcode, RecordType } from "./codes.ts";
import { decodeName } from "./name.ts";
import type { Question } from "./query.ts";
import type { ResourceRecord } from "./record.ts";

/** A chain that was cut. */
export interface CutChain {
  /** The records up to the CNAME that leads away, its signatures included. */
  records: ResourceRecord[];
  /** Where it leads. */
  target: string;
}

/**
 * Cuts the chain of an answer section behind the first CNAME whose target `leavesTo` says yes to.
 *
 * @param records in the order of the chain, as `decodeUpstreamAnswer` gives them
 * @returns undefined where the chain never leaves
 */
export function cutChain(
  question: Question,
  records: readonly ResourceRecord[],
  leavesTo: (target: string) => boolean,
): CutChain | undefined {
  // A question for CNAME or ANY is answered by the CNAME itself.
  if (question.type === RecordType.CNAME || question.type === RecordType.ANY) return undefined;
  for (let i = 0; i < records.length; i++) {
    const { type, name, rdata } = records[i];
    if (type !== RecordType.CNAME) continue;
    const target = decodeName(rdata, 0)!.name;
    if (!leavesTo(target)) continue;
    let end = i + 1;
    while (end < records.length && records[end].name === name) end++;
    return { records: records.slice(0, end), target };
  }
  return undefined;
}

/**
 * Where a chain ends in a name of which nothing is said: neither records of the type asked for, nor that
 * there are none (a SOA). Servers that are asked for their own names alone answer so.
 *
 * @param answer as `decodeUpstreamAnswer` gives it
 * @returns undefined where the answer says all
 */
export function openChain(
  question: Question,
  { rcode, answers, authority }: Pick<Answer, "rcode" | "answers" | "authority">,
): CutChain | undefined {
  const last = answers.findLast(({ type }) => type !== RecordType.RRSIG);
  const asksOn = question.type !== RecordType.CNAME && question.type !== RecordType.ANY;
  if (!asksOn || rcode !== Rcode.NOERROR || last?.type !== RecordType.CNAME) return undefined;
  if (authority.some(({ type }) => type === RecordType.SOA)) return undefined;
  return { records: [...answers], target: decodeName(last.rdata, 0)!.name };
}

/** How many CNAMEs an answer section holds. */
export function chainLength(records: readonly ResourceRecord[]): number {
  return records.reduce((length, { type }) => type === RecordType.CNAME ? length + 1 : length, 0);
}
